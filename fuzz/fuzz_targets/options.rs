//! Whatever is read as options is written as a list that reads back as the same, and taking
//! repetitions out twice changes no more than doing it once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::options::{Options, matches, type_matches};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (text, other) = input;
    let Ok(mut options) = Options::parse(text) else { return };
    assert_eq!(Options::parse(&options.to_text()), Ok(options.clone()));
    options.imply_user_flags();
    options.deduplicate();
    let once = options.clone();
    options.deduplicate();
    assert_eq!(options, once);
    let _ = (options.attributes_for_remount(), options.mount_flags(), options.propagation(), options.data());
    let _ = (options.for_helper(), options.for_utab(true), options.read_only());
    let _ = options.0.iter().map(|option| option.plain_value()).count();
    let _ = (matches(&options, other), type_matches(OsStr::from_bytes(text), other));
});
