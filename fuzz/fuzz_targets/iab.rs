//! Whatever is read as an IAB tuple prints as one that reads back as the same, and whatever is
//! not is pointed at within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::capability::parse_iab;

fuzz_target!(|text: &[u8]| match parse_iab(text) {
    Ok(iab) => assert_eq!(parse_iab(iab.print(64).as_bytes()), Ok(iab)),
    Err(error) => assert!(error.offset + error.length <= text.len()),
});
