//! Opening files, and reading and making them whole: openat(2), fcntl(2).
//!
//! Every descriptor opened here is close-on-exec, so none reaches a program we run.

use crate::raw::{above_standard, cstring, from_directory, read_some, write_all};
use crate::trace::{FlagNames, Flags, Quoted};
use crate::{Errno, error::Context, stat};
use libc::{O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, O_WRONLY};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// openat(2) relative to `dir` (`None`: the working directory), with `O_CLOEXEC` added.
pub fn open_at(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    open_name_at(dir, &cstring(path)?, flags, mode)
}

/// [`open_at`] of a name that ends with NUL already.
pub(crate) fn open_name_at(dir: Option<BorrowedFd<'_>>, path: &CStr, flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let dir = from_directory(dir);
    let oflags = OFlag::from_bits_retain(flags) | OFlag::O_CLOEXEC;
    let opened = openat(dir, path, oflags, Mode::from_bits_retain(mode)).map_err(Errno::from).and_then(above_standard);
    if flags & O_CREAT == 0 {
        return opened;
    }
    let shown = Flags(flags as u64, &OPEN_NAMES);
    traced!(opened, "openat({}, {}, {shown}, {mode:#o})", dir.as_raw_fd(), Quoted(path.to_bytes()))
}

/// The flags of the files that are made here.
static OPEN_NAMES: FlagNames = flag_names!(O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW);

/// Opens a file to read it.
pub fn open_read(path: &OsStr) -> crate::Result<OwnedFd> {
    open_at(None, path, libc::O_RDONLY, 0).context("open", path)
}

/// Opens to read without a wait: a FIFO in a file's place, which whoever made the root may have put there, is empty
/// or `EAGAIN`, and no terminal becomes ours.
pub const AT_ONCE: i32 = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;

/// Opens a path as O_PATH, to enter or name it later: this needs no read permission, and a FIFO does not block.
pub fn open_path(path: &OsStr) -> crate::Result<OwnedFd> {
    open_at(None, path, libc::O_PATH, 0).context("open", path)
}

/// [`open_path`] of a symbolic link itself, if the path names one.
pub fn open_link(path: &OsStr) -> crate::Result<OwnedFd> {
    open_at(None, path, libc::O_PATH | libc::O_NOFOLLOW, 0).context("open", path)
}

/// Opens a file to append to it, creating it with mode 0600 if it is missing. A FIFO does not block: without a reader
/// it is `ENXIO`, and a full one refuses writes.
pub fn append(path: &OsStr) -> crate::Result<OwnedFd> {
    let flags = O_WRONLY | libc::O_APPEND | O_CREAT | libc::O_NOCTTY | libc::O_NONBLOCK;
    open_at(None, path, flags, 0o600).context("open", path)
}

/// Creates a file with this text; `EEXIST` if the path exists.
pub fn create(path: &OsStr, mode: u32, text: &[u8]) -> crate::Result<()> {
    let file = open_at(None, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    file.and_then(|file| write_all(file.as_fd(), text)).context("write", path)
}

/// Reads at most `limit` bytes, to the end of the file. Not inlined: its 4 KiB buffer would enlarge every
/// caller's frame.
#[inline(never)]
pub fn read_to_end(fd: BorrowedFd<'_>, limit: usize) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    let mut chunk = [0_u8; 4096];
    while text.len() < limit {
        let room = (limit - text.len()).min(chunk.len());
        let got = read_some(fd, chunk.get_mut(..room).unwrap_or_default())?;
        if got == 0 {
            break;
        }
        text.extend_from_slice(chunk.get(..got).unwrap_or_default());
    }
    Ok(text)
}

/// Reads at most `limit` bytes of the file at `path`.
///
/// ```
/// let text = linux::file::read_file("/proc/self/comm", 4096)?;
/// assert!(text.ends_with(b"\n"));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn read_file(path: impl AsRef<OsStr>, limit: usize) -> crate::Result<Vec<u8>> {
    read_path(path.as_ref(), libc::O_RDONLY, limit)
}

/// [`read_file`] with [`AT_ONCE`]: of a file that nobody has named.
pub fn read_at_once(path: &OsStr, limit: usize) -> crate::Result<Vec<u8>> {
    read_path(path, AT_ONCE, limit)
}

fn read_path(path: &OsStr, flags: i32, limit: usize) -> crate::Result<Vec<u8>> {
    let file = open_at(None, path, flags, 0).context("open", path)?;
    read_to_end(file.as_fd(), limit).context("read", path)
}

/// The first `limit` bytes of a regular file. Other kinds of file are refused, since reading them may block.
///
/// ```
/// use std::ffi::OsStr;
/// assert_eq!(linux::file::read_head(OsStr::new("/proc/self/exe"), 4), Ok(b"\x7fELF".to_vec()));
/// ```
pub fn read_head(path: &OsStr, limit: usize) -> Result<Vec<u8>, Errno> {
    let file = open_at(None, path, AT_ONCE, 0)?;
    if !stat::of(file.as_fd())?.is_regular() {
        return Err(Errno::EINVAL);
    }
    read_to_end(file.as_fd(), limit)
}
