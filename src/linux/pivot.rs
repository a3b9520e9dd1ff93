//! The root: pivot_root(2), chroot(2) by a descriptor, and what leaving an initramfs takes.

use crate::trace::Quoted;
use crate::{Errno, Result, directory, error::Context, file, raw, stat};
use nix::unistd::pivot_root;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// pivot_root(2): `new_root` becomes the root, and the old root is mounted on `put_old`.
pub fn pivot(new_root: &OsStr, put_old: &OsStr) -> Result<()> {
    let done = raw::cstring(new_root)
        .and_then(|new_root| pivot_root(new_root.as_c_str(), raw::cstring(put_old)?.as_c_str()).map_err(Errno::from));
    traced!(done, "pivot_root({}, {})", Quoted::new(new_root), Quoted::new(put_old)).context("pivot_root", new_root)
}

/// A directory to be emptied later, when no path leads to it any more.
pub struct OldRoot(OwnedFd);

impl OldRoot {
    /// Opens it.
    pub fn open(path: &OsStr) -> Result<OldRoot> {
        file::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).context("open", path).map(OldRoot)
    }

    /// Whether it is on a file system in memory, as an initramfs is: fstatfs(2).
    pub fn is_in_memory(&self) -> Result<bool> {
        // Of <linux/magic.h>; the C libraries differ in the types of theirs.
        const RAMFS: i64 = 0x8584_58f6;
        const TMPFS: i64 = 0x0102_1994;
        let kind = stat::file_system(self.0.as_fd()).context("fstatfs", "")?;
        Ok(kind == RAMFS || kind == TMPFS)
    }

    /// Removes what is in it, but nothing that is on another file system, nor the directory that is `kept`. What cannot
    /// be removed is told.
    pub fn empty(self, kept: (u64, u64), failed: &mut dyn FnMut(&OsStr, Errno)) {
        crate::walk::remove_below(self.0, kept, failed);
    }
}

/// Makes the directory of a descriptor the root: fchdir(2), chroot("."), chdir("/").
/// The error's `call` says which of them failed.
pub fn change_root(root: BorrowedFd<'_>) -> Result<()> {
    directory::fchdir(root)?;
    directory::chroot(OsStr::new("."))?;
    directory::chdir(OsStr::new("/"))
}
