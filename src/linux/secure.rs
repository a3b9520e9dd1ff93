//! Borrowed privilege: AT_SECURE of getauxval(3), and whether our own file gives it.

use crate::{Errno, credentials, file, stat, xattr};
use std::ffi::OsStr;
use std::os::fd::AsFd;

/// Whether our environment may be of somebody with less privilege: getauxval(3), AT_SECURE. Either
/// our file gave privilege (see [`file_gives_privilege`]), or our caller's real and effective ids
/// differ, or a security module changed our domain.
pub fn is_secure_execution() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether our executable is set-user-ID or set-group-ID, or has file capabilities. Where proc does
/// not show the file: whether the real user is not root, who alone has nothing to gain.
pub fn file_gives_privilege() -> bool {
    read_file_privilege().unwrap_or_else(|_| !credentials::real_uid().is_root())
}

fn read_file_privilege() -> Result<bool, Errno> {
    const PROC: i64 = 0x9fa0;
    let open = |path: &str| file::open_at(None, OsStr::new(path), libc::O_PATH, 0);
    if stat::file_system(open("/proc/self")?.as_fd())? != PROC {
        return Err(Errno::ENOENT);
    }
    let executable = c"/proc/self/exe";
    let mode = stat::at(None, executable, 0)?.mode();
    // Without x for the group the bit is no set-group-ID: inode(7).
    if mode & libc::S_ISUID != 0 || mode & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP {
        return Ok(true);
    }
    // An empty buffer: whether there is a value, and how long it is.
    match xattr::get(executable, &mut []) {
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        found => found.map(|_| true),
    }
}
