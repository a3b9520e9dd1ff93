//! Unmounting without following a symbolic link: umount2(2), path_resolution(7).

use super::{MNT_DETACH, UMOUNT_NOFOLLOW, umount2};
use crate::{Errno, Error, Result, directory, error::Context, raw, resolve, stat};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

/// [`umount2`] of a canonical path. A symbolic link put into it since it was resolved gives `ELOOP`: the parent
/// directory is opened without following links, and the last name is looked up there.
pub fn unmount(target: &OsStr, flags: u64) -> Result<()> {
    let bytes = target.as_bytes();
    let (parent, name) = match bytes.iter().rposition(|byte| *byte == b'/') {
        Some(slash) if slash > 0 && bytes.starts_with(b"/") && slash + 1 < bytes.len() => bytes.split_at(slash),
        // A child of the root has no parent directory that could be replaced; a relative path was not resolved.
        Some(0) => return umount2(target, flags | if bytes.len() > 1 { UMOUNT_NOFOLLOW } else { 0 }),
        _ => return umount2(target, flags),
    };
    let directory = resolve::open_without_links(None, OsStr::from_bytes(parent)).context("umount2", target)?;
    let mut path = raw::path_of_descriptor(directory.as_fd());
    path.push(OsStr::from_bytes(name));
    let flags = flags | UMOUNT_NOFOLLOW;
    let done = match umount2(&path, flags) {
        // No /proc: by way of the working directory.
        Err(error) if error.errno == Errno::ENOENT && stat::path(OsStr::new("/proc/self/fd")).is_err() => {
            let working = directory::open(OsStr::new("."))?;
            directory::fchdir(directory.as_fd())?;
            let done = umount2(OsStr::from_bytes(name.get(1..).unwrap_or_default()), flags);
            directory::fchdir(working.as_fd())?;
            done
        }
        done => done,
    };
    done.map_err(|error| Error::new(error.call, target, error.errno))
}

/// Detaches the mount with root `tree` and those below it: umount2(2) through the descriptor's path in /proc.
pub fn detach(tree: BorrowedFd<'_>) -> Result<()> {
    umount2(&raw::path_of_descriptor(tree), MNT_DETACH)
}
