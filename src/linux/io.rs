//! Files and descriptors: open(2), read(2), write(2), without std's buffering.
//!
//! Every descriptor opened here is close-on-exec, so none reaches a program we run.

use crate::trace::{Flags, Quoted};
use crate::{Errno, error::Context};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// A path or argument as the kernel wants it. A NUL byte inside is `EINVAL`.
pub fn cstring(text: &OsStr) -> Result<CString, Errno> {
    CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL)
}

/// A path to what a descriptor stands for, for calls that take no descriptor: the link leads to the open file itself,
/// whatever its name means by now. Without a proc at /proc it leads nowhere (`ENOENT`, `ENOTDIR`).
pub(crate) fn path_of_descriptor(fd: RawFd) -> OsString {
    OsString::from(format!("/proc/self/fd/{fd}"))
}

/// openat(2) relative to `dir` (`None`: the working directory), with `O_CLOEXEC` added.
pub fn open_at(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, mode: u32) -> Result<OwnedFd, Errno> {
    let path = cstring(path)?;
    let dir = dir.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd());
    // SAFETY: `path` is NUL-terminated and lives until the call returns.
    let opened = owned(unsafe { libc::openat(dir, path.as_ptr(), flags | libc::O_CLOEXEC, mode) });
    if flags & libc::O_CREAT == 0 {
        return opened;
    }
    let shown = Flags(flags as u64, OPEN_NAMES);
    traced!(opened, "openat({dir}, {}, {shown}, {mode:#o})", Quoted(path.as_bytes()))
}

/// The flags of the files that are made here.
const OPEN_NAMES: &[(u64, &str)] = &[
    (libc::O_WRONLY as u64, "O_WRONLY"),
    (libc::O_RDWR as u64, "O_RDWR"),
    (libc::O_CREAT as u64, "O_CREAT"),
    (libc::O_EXCL as u64, "O_EXCL"),
    (libc::O_NOFOLLOW as u64, "O_NOFOLLOW"),
];

/// openat2(2) with RESOLVE_NO_MAGICLINKS: the links of /proc that lead to another process's root or
/// descriptors, and so out of a root that was changed, are not followed (`ELOOP`).
pub fn open_without_magic_links(path: &OsStr, flags: i32) -> Result<OwnedFd, Errno> {
    open_resolving(None, path, flags, libc::RESOLVE_NO_MAGICLINKS)
}

/// Opens what no symbolic link leads to, by path only (O_PATH): `path` is absolute, or below `dir` and then
/// never leads out of it (`EXDEV`). A link anywhere in it, its last part included, is `ELOOP`.
pub fn open_without_links(dir: Option<BorrowedFd<'_>>, path: &OsStr) -> Result<OwnedFd, Errno> {
    let beneath = if dir.is_some() { libc::RESOLVE_BENEATH } else { 0 };
    open_resolving(dir, path, libc::O_PATH, beneath | libc::RESOLVE_NO_SYMLINKS)
}

/// openat2(2). Before Linux 5.6, or under a filter that does not know it, [`walk`] does the same.
fn open_resolving(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    match openat2(dir, path, flags, resolve) {
        Err(Errno::ENOSYS) => walk(dir, path, flags, resolve),
        done => done,
    }
}

/// One openat(2) for each part of the path, from `dir` or the root. Each directory on the way stays open, so that `..` is
/// where we came from, whatever is renamed meanwhile. Links of a proc lead nowhere: which of them are magic cannot be seen.
fn walk(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    const PROC: i64 = 0x9fa0;
    /// As many links as the kernel follows, one after another.
    const LINKS: usize = 40;
    let start = OsStr::new(if dir.is_some() { "." } else { "/" });
    let mut way = vec![(open_at(dir, start, libc::O_PATH, 0)?, b".".to_vec())];
    let parts = |path: &[u8]| path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut rest = parts(path.as_bytes());
    let mut links = 0;
    while let (Some(part), Some((here, _))) = (rest.pop(), way.last()) {
        match &*part {
            b"" | b"." => {}
            b".." if way.len() > 1 => drop(way.pop()),
            b".." if resolve & libc::RESOLVE_BENEATH != 0 => return Err(Errno::EXDEV),
            b".." => {}
            _ => {
                let name = OsStr::from_bytes(&part);
                let next = open_at(Some(here.as_fd()), name, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
                if !crate::stat::of(next.as_fd())?.is_symlink() {
                    way.push((next, part));
                    continue;
                }
                links += 1;
                if resolve & libc::RESOLVE_NO_SYMLINKS != 0 || links > LINKS {
                    return Err(Errno::ELOOP);
                }
                if crate::stat::file_system(next.as_fd())? == PROC {
                    return Err(Errno::ELOOP);
                }
                let to = crate::directory::link_at(next.as_fd())?;
                if to.first() == Some(&b'/') {
                    way.truncate(1);
                }
                rest.extend(parts(&to));
            }
        }
    }
    let (found, name) = way.pop().ok_or(Errno::ENOENT)?;
    if flags & libc::O_PATH != 0 {
        return Ok(found);
    }
    // Not the descriptor that there is: to open that once more takes a proc.
    let parent = way.last().map_or(&found, |(above, _)| above);
    open_at(Some(parent.as_fd()), OsStr::from_bytes(&name), flags | libc::O_NOFOLLOW, 0)
}

fn openat2(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    let path = cstring(path)?;
    let dir = dir.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd());
    // SAFETY: all zero is a valid open_how.
    let mut how: libc::open_how = unsafe { core::mem::zeroed() };
    how.flags = (flags | libc::O_CLOEXEC) as u64;
    how.resolve = resolve;
    // SAFETY: `path` is NUL-terminated, and `how` is as large as is said; both live until the call returns.
    let fd =
        unsafe { libc::syscall(libc::SYS_openat2, dir, path.as_ptr(), &raw const how, size_of::<libc::open_how>()) };
    owned(fd as i32).map_err(|errno| crate::filtered::unless_filtered(libc::SYS_openat2, errno))
}

/// Takes charge of a descriptor that a system call has just returned, or of its error.
#[inline(never)]
pub(crate) fn owned(fd: RawFd) -> Result<OwnedFd, Errno> {
    if fd < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel has just given us this descriptor and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Zero or an error number, for calls that return -1 on failure.
#[inline(never)]
pub(crate) fn checked(result: i64) -> Result<i64, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

/// Opens a file to read it.
pub fn open_read(path: &OsStr) -> crate::Result<OwnedFd> {
    open_at(None, path, libc::O_RDONLY, 0).context("open", path)
}

/// Opens a file to append to it, made with mode 0600 when it is missing. A FIFO keeps nobody waiting:
/// without a reader it is `ENXIO`, and one that is full takes no more.
pub fn append(path: &OsStr) -> crate::Result<OwnedFd> {
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_NOCTTY | libc::O_NONBLOCK;
    open_at(None, path, flags, 0o600).context("open", path)
}

/// Makes a new file with this text in it; `EEXIST` if there is something already.
pub fn create(path: &OsStr, mode: u32, text: &[u8]) -> crate::Result<()> {
    use std::os::fd::AsFd;
    let file = open_at(None, path, libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW, mode);
    file.and_then(|file| write_all(file.as_fd(), text)).context("write", path)
}

/// A copy of descriptor `fd` that is none of the standard ones, close-on-exec.
pub fn above_standard(fd: RawFd) -> crate::Result<OwnedFd> {
    // SAFETY: the call takes integers and returns a new descriptor.
    owned(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) }).context("fcntl", "")
}

/// Reads at most `limit` bytes, to the end of the file. On its own, as everything that has a page of buffer:
/// its callers' stacks are not to take that page where they do not come here.
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

/// One read(2), repeated when a signal interrupts it. Returns 0 at the end of the file.
pub fn read_some(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        // SAFETY: the buffer is valid for writes of its length.
        let got = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match checked(got as i64) {
            Ok(got) => return Ok(got as usize),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// One read(2) from standard input, which may be closed. Returns 0 at its end.
pub fn read_standard_input(buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the number is only borrowed for the call; a closed one gives EBADF.
    read_some(unsafe { BorrowedFd::borrow_raw(0) }, buffer)
}

/// The first place of `byte` in `text`: memchr(3), many bytes at a time where it matters.
#[inline]
pub fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    // SAFETY: `text` is valid for reads of its length.
    let found = unsafe { libc::memchr(text.as_ptr().cast(), i32::from(byte), text.len()) };
    // The result is null or points into `text`.
    (!found.is_null()).then(|| found as usize - text.as_ptr() as usize)
}

/// Reads at most `limit` bytes of the file at `path`.
pub fn read_file(path: impl AsRef<OsStr>, limit: usize) -> crate::Result<Vec<u8>> {
    read_path(path.as_ref(), limit)
}

fn read_path(path: &OsStr, limit: usize) -> crate::Result<Vec<u8>> {
    use std::os::fd::AsFd;
    let file = open_read(path)?;
    read_to_end(file.as_fd(), limit).context("read", path)
}

/// The first `limit` bytes of a regular file, whatever else lies at `path` and might keep us waiting.
pub fn read_head(path: &OsStr, limit: usize) -> Result<Vec<u8>, Errno> {
    use std::os::fd::AsFd;
    let file = open_at(None, path, libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0)?;
    if !crate::stat::of(file.as_fd())?.is_regular() {
        return Err(Errno::EINVAL);
    }
    read_to_end(file.as_fd(), limit)
}

/// Writes all of `text`, however many write(2)s that takes.
pub fn write_all(fd: BorrowedFd<'_>, text: &[u8]) -> Result<(), Errno> {
    write_all_to(fd.as_raw_fd(), text)
}

/// [`write_all`] to a descriptor known by number: standard output and error, which may be closed.
pub fn write_all_to(fd: RawFd, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        match write_once(fd, text) {
            Ok(wrote) => text = text.get(wrote..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// One write(2), as the kernel wants it for maps and the like. Returns how much of the text it took.
pub(crate) fn write_once(fd: RawFd, text: &[u8]) -> Result<usize, Errno> {
    // SAFETY: `text` is valid for reads of its length; a bad number gives EBADF.
    let wrote = unsafe { libc::write(fd, text.as_ptr().cast(), text.len()) };
    checked(wrote as i64).map(|wrote| wrote as usize)
}

/// isatty(3).
pub fn is_terminal(fd: RawFd) -> bool {
    // SAFETY: the call takes an integer.
    unsafe { libc::isatty(fd) == 1 }
}

/// How many columns the terminal behind a descriptor has, if it is one and says so: TIOCGWINSZ.
pub fn terminal_width(fd: RawFd) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the request writes one winsize.
    let done = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) };
    (done == 0 && size.ws_col > 0).then(|| usize::from(size.ws_col))
}
