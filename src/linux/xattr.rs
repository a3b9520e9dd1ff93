//! The extended attribute that holds a file's capabilities: getxattr(2), setxattr(2), removexattr(2), of which nix has none.

use crate::{Errno, raw};
use core::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Its name.
pub(crate) const NAME: &CStr = c"security.capability";

/// Reads the attribute of the file that a path leads to, and returns its length: `ERANGE` if it is longer than the buffer.
/// With an empty buffer only the length is asked for.
pub(crate) fn get(path: &CStr, value: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: both strings are NUL-terminated and the buffer is valid for writes of its length.
    let got = unsafe { libc::getxattr(path.as_ptr(), NAME.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    raw::checked(got as i64).map(|length| length as usize)
}

/// [`get`] of a symbolic link itself.
pub(crate) fn get_of_link(path: &CStr, value: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: both strings are NUL-terminated and the buffer is valid for writes of its length.
    let got = unsafe { libc::lgetxattr(path.as_ptr(), NAME.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    raw::checked(got as i64).map(|length| length as usize)
}

/// [`get`] of an open file.
pub(crate) fn get_of_open(file: BorrowedFd<'_>, value: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the string is NUL-terminated and the buffer is valid for writes of its length.
    let got = unsafe { libc::fgetxattr(file.as_raw_fd(), NAME.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    raw::checked(got as i64).map(|length| length as usize)
}

/// Sets the attribute of the file that a path leads to.
pub(crate) fn set(path: &CStr, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated and the value is valid for reads of its length.
    let done = unsafe { libc::setxattr(path.as_ptr(), NAME.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    raw::checked(i64::from(done)).map(drop)
}

/// [`set`], on an open file.
pub(crate) fn set_on_open(file: BorrowedFd<'_>, value: &[u8]) -> Result<(), Errno> {
    // SAFETY: the string is NUL-terminated and the value is valid for reads of its length.
    let done = unsafe { libc::fsetxattr(file.as_raw_fd(), NAME.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    raw::checked(i64::from(done)).map(drop)
}

/// Removes the attribute of the file that a path leads to.
pub(crate) fn remove(path: &CStr) -> Result<(), Errno> {
    // SAFETY: both strings are NUL-terminated.
    raw::checked(i64::from(unsafe { libc::removexattr(path.as_ptr(), NAME.as_ptr()) })).map(drop)
}

/// [`remove`], from an open file.
pub(crate) fn remove_from_open(file: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the string is NUL-terminated.
    raw::checked(i64::from(unsafe { libc::fremovexattr(file.as_raw_fd(), NAME.as_ptr()) })).map(drop)
}
