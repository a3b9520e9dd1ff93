//! Names of files: link(2), symlink(2), rename(2).

use crate::trace::Quoted;
use crate::{Result, error::Context, io};
use core::ffi::{c_char, c_int};
use std::ffi::OsStr;

/// A call that takes two paths.
type Call = unsafe extern "C" fn(*const c_char, *const c_char) -> c_int;

/// Gives a file one more name, on the same file system.
pub fn hard(file: &OsStr, name: &OsStr) -> Result<()> {
    two_paths("link", libc::link, file, name)
}

/// Makes a symbolic link that leads to `target`.
pub fn symbolic(target: &OsStr, name: &OsStr) -> Result<()> {
    two_paths("symlink", libc::symlink, target, name)
}

/// Gives a file another name, in place of whatever had that.
pub fn rename(from: &OsStr, to: &OsStr) -> Result<()> {
    two_paths("rename", libc::rename, from, to)
}

fn two_paths(name: &'static str, call: Call, from: &OsStr, to: &OsStr) -> Result<()> {
    let paths = io::cstring(from).and_then(|from| Ok((from, io::cstring(to)?)));
    let done = paths.and_then(|(from, to)| {
        // SAFETY: both paths are NUL-terminated.
        io::checked(i64::from(unsafe { call(from.as_ptr(), to.as_ptr()) }))
    });
    traced!(done, "{name}({}, {})", Quoted::new(from), Quoted::new(to)).context(name, to).map(drop)
}
