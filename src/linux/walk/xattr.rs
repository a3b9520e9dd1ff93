//! The capabilities of a directory's entry: getxattrat(2), Linux 6.13, or lgetxattr(2) before.

use crate::filecap::{FileCapabilities, LONGEST, NAME, decode_read, get_at};
use crate::filtered::unless_filtered;
use crate::{Errno, io};
use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};
use std::ffi::OsStr;
use std::os::fd::AsRawFd;
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
pub(super) fn get(directory: i32, name: &CStr) -> Result<FileCapabilities, Errno> {
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

fn by_descriptor(directory: i32, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    let mut arguments = Arguments { value: value.as_mut_ptr() as u64, size: value.len() as u32, flags: 0 };
    // SAFETY: both strings are NUL-terminated, the structure says where the value may be written
    // and how much of it, and its own size is given.
    let got = unsafe {
        libc::syscall(
            SYS_GETXATTRAT,
            directory,
            name.as_ptr(),
            libc::AT_SYMLINK_NOFOLLOW,
            NAME.as_ptr(),
            &raw mut arguments,
            size_of::<Arguments>(),
        )
    };
    let got = io::checked(got).map_err(|errno| unless_filtered(SYS_GETXATTRAT, errno));
    got.map(|length| length as usize)
}

/// Through /proc/self/fd, whose link leads to the open directory itself; without a proc from the directory.
fn by_path(directory: i32, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    let mut path = io::path_of_descriptor(directory);
    path.push("/");
    path.push(OsStr::from_bytes(name.to_bytes()));
    let path = io::cstring(&path)?;
    match get_at(&path, value) {
        Err(Errno::ENOENT | Errno::ENOTDIR) => from_inside(directory, name, value),
        got => got,
    }
}

/// With the directory as the working directory for a moment. Another thread has its own from here on.
fn from_inside(directory: i32, name: &CStr, value: &mut [u8; LONGEST]) -> Result<usize, Errno> {
    // SAFETY: the call takes an integer.
    io::checked(i64::from(unsafe { libc::unshare(libc::CLONE_FS) }))?;
    let home = io::open_at(None, ".".as_ref(), libc::O_PATH, 0)?;
    let enter = |directory: i32| {
        // SAFETY: the call takes a descriptor.
        io::checked(i64::from(unsafe { libc::fchdir(directory) }))
    };
    enter(directory)?;
    let got = get_at(name, value);
    enter(home.as_raw_fd())?;
    got
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_say_the_same_of_a_file_without_capabilities() {
        let directory = io::open_at(None, "/proc/self".as_ref(), libc::O_PATH, 0).unwrap();
        let number = directory.as_raw_fd();
        let mut value = [0; LONGEST];
        let first = by_descriptor(number, c"no such file", &mut value);
        let second = by_path(number, c"no such file", &mut value);
        assert_eq!(second, Err(Errno::ENOENT));
        assert!(first == second || first == Err(Errno::ENOSYS));
        assert_eq!(from_inside(number, c"no such file", &mut value), Err(Errno::ENOENT));
        assert_eq!(from_inside(number, c"status", &mut value), by_path(number, c"status", &mut value));
    }
}
