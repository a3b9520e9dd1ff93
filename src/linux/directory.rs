//! Directories: the process's root and working one, and making them: chroot(2), chdir(2), fchdir(2), mkdir(2).

use crate::trace::Quoted;
use crate::{Errno, Result, error::Context, io, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// chroot(2). The working directory stays where it is.
pub fn chroot(path: &OsStr) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::chroot(path.as_ptr()) }))
    });
    traced!(done, "chroot({})", Quoted::new(path)).context("chroot", path).map(drop)
}

/// chdir(2).
pub fn chdir(path: &OsStr) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::chdir(path.as_ptr()) }))
    });
    traced!(done, "chdir({})", Quoted::new(path)).context("chdir", path).map(drop)
}

/// fchdir(2).
pub fn fchdir(directory: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the call takes a descriptor.
    let done = io::checked(i64::from(unsafe { libc::fchdir(directory.as_raw_fd()) }));
    traced!(done, "fchdir({})", directory.as_raw_fd()).context("fchdir", "").map(drop)
}

/// Opens a directory by path only (O_PATH), to come back to it.
pub fn open(path: &OsStr) -> Result<OwnedFd> {
    io::open_at(None, path, libc::O_PATH | libc::O_DIRECTORY, 0).context("open", path)
}

/// Opens a directory to read its names.
pub fn open_to_list(path: &OsStr) -> Result<OwnedFd> {
    io::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).context("open", path)
}

/// The path with every symbolic link, `.` and `..` resolved, as realpath(3) has it.
pub fn canonical(path: &OsStr) -> Result<OsString> {
    match by_descriptor(path) {
        Some(canonical) => Ok(canonical),
        None => by_walking(path),
    }
}

/// What proc says of a descriptor for the path: three calls, however deep it is. `None` if that is no path
/// (a pipe), no longer one, or cannot be had; a slash at the end could start an automount.
fn by_descriptor(path: &OsStr) -> Option<OsString> {
    if path.as_bytes().ends_with(b"/") {
        return None;
    }
    let file = io::open_at(None, path, libc::O_PATH, 0).ok()?;
    let link = io::cstring(OsStr::new(&format!("/proc/self/fd/{}", file.as_raw_fd()))).ok()?;
    let mut buffer = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: `link` is NUL-terminated, and the buffer is valid for writes of its length.
    let length = unsafe { libc::readlink(link.as_ptr(), buffer.as_mut_ptr().cast(), buffer.len()) };
    let found = buffer.get(..usize::try_from(length).ok()?)?;
    let is_path = found.starts_with(b"/") && !found.ends_with(b" (deleted)") && found.len() < buffer.len();
    is_path.then(|| OsString::from_vec(found.to_vec()))
}

/// realpath(3).
fn by_walking(path: &OsStr) -> Result<OsString> {
    let canonical = io::cstring(path).and_then(|path| {
        let mut buffer = [0; libc::PATH_MAX as usize];
        // SAFETY: `path` is NUL-terminated, and the buffer is as long as realpath may fill it.
        let resolved = unsafe { libc::realpath(path.as_ptr(), buffer.as_mut_ptr()) };
        if resolved.is_null() {
            return Err(Errno::last());
        }
        // SAFETY: realpath returned a NUL-terminated string.
        Ok(OsString::from_vec(unsafe { core::ffi::CStr::from_ptr(resolved) }.to_bytes().to_vec()))
    });
    canonical.context("realpath", path)
}

/// Where a symbolic link leads: readlink(2).
pub fn read_link(path: &OsStr) -> Result<OsString> {
    let mut target = vec![0; libc::PATH_MAX as usize];
    let got = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated, and the buffer is valid for writes of its length.
        io::checked(unsafe { libc::readlink(path.as_ptr(), target.as_mut_ptr().cast(), target.len()) } as i64)
    });
    target.truncate(got.context("readlink", path)? as usize);
    Ok(OsString::from_vec(target))
}

/// mkdir(2).
pub fn make(path: &OsStr, mode: u32) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::mkdir(path.as_ptr(), mode) }))
    });
    traced!(done, "mkdir({}, {mode:#o})", Quoted::new(path)).context("mkdir", path).map(drop)
}

/// mkdir -p: makes a directory and those above it, and adds what was made to `made`, outermost first.
pub fn make_all(path: &OsStr, mode: u32, made: &mut Vec<OsString>) -> core::result::Result<(), Errno> {
    let bytes = path.as_bytes();
    let mut ends: Vec<usize> =
        bytes.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/').map(|(at, _)| at).collect();
    ends.push(bytes.len());
    for end in ends {
        let part = OsStr::from_bytes(bytes.get(..end).unwrap_or_default());
        match make(part, mode) {
            Ok(()) => made.push(part.to_os_string()),
            Err(error) if error.errno == Errno::EEXIST => {}
            // A directory that is there may be on a read-only file system, or not ours to write.
            Err(_) if stat::path(part).is_ok_and(|stat| stat.is_directory()) => {}
            Err(error) => return Err(error.errno),
        }
    }
    if stat::path(path).is_ok_and(|stat| stat.is_directory()) { Ok(()) } else { Err(Errno::ENOTDIR) }
}

/// rmdir(2).
pub fn remove(path: &OsStr) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::rmdir(path.as_ptr()) }))
    });
    traced!(done, "rmdir({})", Quoted::new(path)).context("rmdir", path).map(drop)
}

/// unlink(2).
pub fn unlink(path: &OsStr) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::unlink(path.as_ptr()) }))
    });
    traced!(done, "unlink({})", Quoted::new(path)).context("unlink", path).map(drop)
}

/// The working directory's path.
pub fn current() -> Result<OsString> {
    canonical(OsStr::new("."))
}

/// Changes the owner, the group or both of what `path` names; symbolic links are followed: chown(2).
pub fn set_owner(path: &OsStr, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated; -1 leaves an id as it is.
        let done = unsafe { libc::chown(path.as_ptr(), uid.unwrap_or(u32::MAX), gid.unwrap_or(u32::MAX)) };
        io::checked(i64::from(done))
    });
    traced!(done, "chown({}, {uid:?}, {gid:?})", Quoted::new(path)).context("chown", path).map(drop)
}

/// chmod(2).
pub fn set_mode(path: &OsStr, mode: u32) -> Result<()> {
    let done = io::cstring(path).and_then(|path| {
        // SAFETY: `path` is NUL-terminated.
        io::checked(i64::from(unsafe { libc::chmod(path.as_ptr(), mode) }))
    });
    traced!(done, "chmod({}, {mode:#o})", Quoted::new(path)).context("chmod", path).map(drop)
}
