//! The root of the mount namespace: pivot_root(2), and what leaving an initramfs takes.

use crate::trace::Quoted;
use crate::{Errno, Result, error::Context, io};
use core::mem::MaybeUninit;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// pivot_root(2): `new_root` becomes the root, and the present one is put on `put_old`.
pub fn pivot(new_root: &OsStr, put_old: &OsStr) -> Result<()> {
    let done = io::cstring(new_root).and_then(|new_root| {
        let put_old = io::cstring(put_old)?;
        // SAFETY: both paths are NUL-terminated.
        io::checked(unsafe { libc::syscall(libc::SYS_pivot_root, new_root.as_ptr(), put_old.as_ptr()) })
    });
    traced!(done, "pivot_root({}, {})", Quoted::new(new_root), Quoted::new(put_old))
        .context("pivot_root", new_root)
        .map(drop)
}

/// A directory that is to be emptied later, when no path leads to it any more.
pub struct Old(OwnedFd);

impl Old {
    /// Opens it.
    pub fn open(path: &OsStr) -> Result<Old> {
        io::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).context("open", path).map(Old)
    }

    /// Makes it the working directory.
    pub fn enter(&self) -> Result<()> {
        crate::directory::fchdir(self.0.as_fd())
    }

    /// Whether it is on a file system in memory, as an initramfs is: fstatfs(2).
    pub fn is_in_memory(&self) -> Result<bool> {
        /// `RAMFS_MAGIC` of <linux/magic.h>.
        const RAMFS: u64 = 0x8584_58f6;
        let mut answer = MaybeUninit::<libc::statfs>::uninit();
        // SAFETY: the buffer is valid for a write.
        io::checked(i64::from(unsafe { libc::fstatfs(self.0.as_raw_fd(), answer.as_mut_ptr()) }))
            .context("fstatfs", "")?;
        // SAFETY: the call succeeded and so wrote it.
        let answer = unsafe { answer.assume_init() };
        #[allow(clippy::unnecessary_cast)] // The libraries differ in the types.
        let kind = answer.f_type as u64;
        Ok(kind == RAMFS || kind == libc::TMPFS_MAGIC as u64)
    }

    /// Removes what is in it, but nothing that is on another file system.
    pub fn empty(self) -> core::result::Result<(), Errno> {
        crate::walk::remove_below(self.0)
    }
}

/// Whether a program is there in a root that is not ours yet: openat2(2) with RESOLVE_IN_ROOT, so that
/// its symbolic links lead where they will. True where the kernel cannot tell (before Linux 5.6).
pub fn has_program(root: &OsStr, path: &OsStr) -> core::result::Result<(), Errno> {
    let root = io::open_at(None, root, libc::O_PATH | libc::O_DIRECTORY, 0)?;
    let path = io::cstring(path)?;
    // SAFETY: all zero is a valid open_how.
    let mut how: libc::open_how = unsafe { core::mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC) as u64;
    how.resolve = libc::RESOLVE_IN_ROOT;
    // SAFETY: `path` is NUL-terminated, and `how` is as large as is said; both live until the call returns.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat2, root.as_raw_fd(), path.as_ptr(), &raw const how, size_of::<libc::open_how>())
    };
    match io::owned(fd as i32) {
        Err(Errno::ENOSYS) => Ok(()),
        Err(errno) => Err(errno),
        Ok(file) if crate::stat::of(file.as_fd())?.is_directory() => Err(Errno::EACCES),
        Ok(_) => Ok(()),
    }
}
