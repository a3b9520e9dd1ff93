//! Each line of passwd, group and subuid is an entry or is passed over, and what is read is in the line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::accounts::{parse_group, parse_range, parse_user};
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|text: &[u8]| {
    for line in text.split(|&byte| byte == b'\n') {
        let field = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if let Some(user) = parse_user(line) {
            assert_eq!(user.name.as_bytes(), field);
        }
        if let Some(group) = parse_group(line) {
            assert_eq!(group.name.as_bytes(), field);
            assert!(group.members.iter().all(|member| !member.is_empty()));
        }
        if let Some(range) = parse_range(line) {
            assert!(range.count > 0 && range.start.checked_add(range.count - 1).is_some());
        }
    }
});
