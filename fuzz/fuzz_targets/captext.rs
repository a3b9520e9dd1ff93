//! Whatever is read as a capability text prints as one that reads back as the same sets, and
//! whatever is not is pointed at within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::capability::{Sets, parse, print, print_classic};

fuzz_target!(|input: (u8, &[u8])| {
    let (count, text) = (input.0 % 65, input.1);
    match parse(text, count) {
        Ok(sets) => {
            let printed = print(&sets, count);
            assert_eq!(parse(printed.as_bytes(), count), Ok(sets), "{printed}");
            // All 64 are what `=` meant in the years of the classic text.
            let classic = print_classic(&sets);
            assert_eq!(parse(classic.as_bytes(), 64), Ok::<Sets, _>(sets), "{classic}");
        }
        Err(error) => assert!(error.offset + error.length <= text.len()),
    }
});
