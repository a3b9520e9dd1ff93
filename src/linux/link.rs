//! Names of files: linkat(2), symlinkat(2), renameat(2), unlink(2), readlink(2).

use crate::trace::Quoted;
use crate::{Errno, Result, error::Context, raw};
use nix::fcntl::{AT_FDCWD, AtFlags, readlink, readlinkat, renameat};
use nix::unistd::{linkat, symlinkat};
use std::ffi::{CStr, OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;

/// Gives a file one more name, on the same file system.
pub fn hard(file: &OsStr, name: &OsStr) -> Result<()> {
    let done = two(file, name, |file, name| linkat(AT_FDCWD, file, AT_FDCWD, name, AtFlags::empty()));
    traced!(done, "linkat(AT_FDCWD, {}, AT_FDCWD, {}, 0)", Quoted::new(file), Quoted::new(name)).context("link", name)
}

/// Makes a symbolic link that leads to `target`.
pub fn symbolic(target: &OsStr, name: &OsStr) -> Result<()> {
    let done = two(target, name, |target, name| symlinkat(target, AT_FDCWD, name));
    traced!(done, "symlinkat({}, AT_FDCWD, {})", Quoted::new(target), Quoted::new(name)).context("symlink", name)
}

/// Gives a file another name, in place of whatever had that.
pub fn rename(from: &OsStr, to: &OsStr) -> Result<()> {
    let done = two(from, to, |from, to| renameat(AT_FDCWD, from, AT_FDCWD, to));
    traced!(done, "renameat(AT_FDCWD, {}, AT_FDCWD, {})", Quoted::new(from), Quoted::new(to)).context("rename", to)
}

fn two(
    from: &OsStr,
    to: &OsStr,
    call: impl FnOnce(&CStr, &CStr) -> nix::Result<()>,
) -> core::result::Result<(), Errno> {
    call(&raw::cstring(from)?, &raw::cstring(to)?).map_err(Errno::from)
}

/// unlink(2).
pub fn unlink(path: &OsStr) -> Result<()> {
    let done = raw::cstring(path).and_then(|path| nix::unistd::unlink(path.as_c_str()).map_err(Errno::from));
    traced!(done, "unlink({})", Quoted::new(path)).context("unlink", path)
}

/// Where a symbolic link leads.
///
/// ```
/// let own = linux::link::read(std::ffi::OsStr::new("/proc/self"))?;
/// assert_eq!(own, *std::process::id().to_string());
/// # Ok::<(), linux::Error>(())
/// ```
pub fn read(path: &OsStr) -> Result<OsString> {
    raw::cstring(path).and_then(|path| readlink(path.as_c_str()).map_err(Errno::from)).context("readlink", path)
}

/// The target of a symbolic link that is open as O_PATH: readlinkat(2).
pub(crate) fn target_of(link: BorrowedFd<'_>) -> core::result::Result<Vec<u8>, Errno> {
    readlinkat(link, c"").map(OsString::into_vec).map_err(Errno::from)
}
