//! Each line of fstab is an entry, is reported, or is blank or a comment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::fstab::Table;
use std::ffi::OsStr;

fuzz_target!(|text: &[u8]| {
    let mut table = Table::default();
    table.add_text(text, OsStr::new("fstab"));
    let lines = text.split(|&byte| byte == b'\n').count();
    assert!(table.entries.len() + table.bad_lines.len() <= lines);
    assert!(table.bad_lines.iter().all(|(_, line)| (1..=lines).contains(line)));
});
