//! The types of file systems that the kernel knows: filesystems(5).

use crate::file;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Whether the kernel has a type now, without a module that it would have to load.
pub fn is_registered(fstype: &[u8]) -> bool {
    let text = file::read_file("/proc/filesystems", 1 << 16).unwrap_or_default();
    text.split(|&byte| byte == b'\n').any(|line| line.rsplit(|&byte| byte == b'\t').next() == Some(fstype))
}

/// The types that need a device: /etc/filesystems, and /proc/filesystems if that is missing or ends with `*`.
pub fn known() -> Vec<OsString> {
    let mut types = Vec::new();
    let mut kernel = true;
    if let Ok(text) = file::read_file("/etc/filesystems", 1 << 16) {
        kernel = false;
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.trim_ascii();
            match line {
                b"*" => kernel = true,
                [] | [b'#', ..] => {}
                name if name.starts_with(b"nodev") => {}
                name => types.push(OsStr::from_bytes(name).to_os_string()),
            }
        }
    }
    if kernel && let Ok(text) = file::read_file("/proc/filesystems", 1 << 16) {
        for line in text.split(|&byte| byte == b'\n') {
            if !line.starts_with(b"nodev") && !line.trim_ascii().is_empty() {
                types.push(OsStr::from_bytes(line.trim_ascii()).to_os_string());
            }
        }
    }
    types
}
