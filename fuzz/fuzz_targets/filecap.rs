//! Whatever is read as a file's capabilities is written as a value that reads back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::filecap::{decode, encode};

fuzz_target!(|value: &[u8]| {
    if let Ok(file) = decode(value) {
        // A value that is effective but has nothing to be effective reads as not effective.
        let written = encode(&file).expect("what a value says is all or nothing");
        assert_eq!(decode(&written), Ok(file));
    }
});
