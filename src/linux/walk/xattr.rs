//! The capabilities of a directory's entry: getxattrat(2), Linux 6.13, or lgetxattr(2) before.

use crate::caps::file::{FileCapabilities, LONGEST, decode_read};
use crate::filtered::unless_filtered;
use crate::xattr::{self, NAME};
use crate::{Errno, file, raw};
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use nix::sched::CloneFlags;
use nix::unistd::fchdir;
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;

/// The number is the same on every architecture, and libc does not have it yet.
const SYS_GETXATTRAT: libc::c_long = 464;

/// struct xattr_args of linux/xattr.h.
#[repr(C)]
struct Arguments {
    value: u64,
    size: u32,
    flags: u32,
}

/// Reads them, without following a symbolic link.
pub(super) fn get(directory: BorrowedFd<'_>, name: &CStr) -> Result<FileCapabilities, Errno> {
    static IS_MISSING: AtomicBool = AtomicBool::new(false);
    let mut value = [0; LONGEST];
    let got = if IS_MISSING.load(Ordering::Relaxed) {
        by_path(directory, name, &mut value)
    } else {
        match by_descriptor(directory, name, &mut value) {
            Err(Errno::ENOSYS) => {
                IS_MISSING.store(true, Ordering::Relaxed);
                by_path(directory, name, &mut value)
            }
            got => got,
        }
    };
    decode_read(got, &value)
}

fn by_descriptor(directory: BorrowedFd<'_>, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    let mut arguments = Arguments { value: value.as_mut_ptr() as u64, size: value.len() as u32, flags: 0 };
    // SAFETY: both strings are NUL-terminated, the structure says where the value may be written
    // and how much of it, and its own size is given.
    let got = unsafe {
        libc::syscall(
            SYS_GETXATTRAT,
            directory.as_raw_fd(),
            name.as_ptr(),
            libc::AT_SYMLINK_NOFOLLOW,
            NAME.as_ptr(),
            &raw mut arguments,
            size_of::<Arguments>(),
        )
    };
    let got = raw::checked(got).map_err(|errno| unless_filtered(SYS_GETXATTRAT, errno));
    got.map(|length| length as usize)
}

/// Through /proc/self/fd, whose link leads to the open directory itself; without a proc from the directory.
fn by_path(directory: BorrowedFd<'_>, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    let mut path = raw::path_of_descriptor(directory);
    path.push("/");
    path.push(OsStr::from_bytes(name.to_bytes()));
    let path = raw::cstring(&path)?;
    match xattr::get_of_link(&path, value) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => from_inside(directory, name, value),
        got => got,
    }
}

/// Makes the directory the working directory for a moment. From here on this thread has its own, so others are not
/// affected.
fn from_inside(directory: BorrowedFd<'_>, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    nix::sched::unshare(CloneFlags::CLONE_FS)?;
    let home = file::open_at(None, ".".as_ref(), libc::O_PATH, 0)?;
    fchdir(directory)?;
    let got = xattr::get_of_link(name, value);
    fchdir(home)?;
    got
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn both_ways_say_the_same_of_a_file_without_capabilities() {
        let directory = file::open_at(None, "/proc/self".as_ref(), libc::O_PATH, 0).unwrap();
        let directory = directory.as_fd();
        let mut value = [0; LONGEST];
        let first = by_descriptor(directory, c"no such file", &mut value);
        let second = by_path(directory, c"no such file", &mut value);
        assert_eq!(second, Err(Errno::ENOENT));
        assert!(first == second || first == Err(Errno::ENOSYS));
        assert_eq!(from_inside(directory, c"no such file", &mut value), Err(Errno::ENOENT));
        assert_eq!(from_inside(directory, c"status", &mut value), by_path(directory, c"status", &mut value));
    }
}
