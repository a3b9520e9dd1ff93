//! Borrowed privilege: AT_SECURE of getauxval(3), and whether our own file gives it.

use crate::{Errno, credentials, file, stat, xattr};
use std::ffi::OsStr;
use std::os::fd::AsFd;

/// Whether the environment may come from somebody with less privilege: AT_SECURE of getauxval(3). The kernel sets it if
/// our executable gives privilege (see [`file_gives_privilege`]), if real and effective ids differ, or if a security
/// module asks for it.
pub fn is_secure_execution() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether our executable is set-user-ID or set-group-ID, or has file capabilities. Without a proc to see it by, that is
/// assumed unless the real user is root, who could gain nothing.
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
    // Without execute permission for the group, S_ISGID does not mean set-group-ID: inode(7).
    if mode & libc::S_ISUID != 0 || mode & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP {
        return Ok(true);
    }
    // With an empty buffer the call only says whether there is a value.
    match xattr::get(executable, &mut []) {
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        found => found.map(|_| true),
    }
}
