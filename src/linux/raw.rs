//! What every system call needs: strings that end with NUL, descriptors, error numbers; and read(2) and write(2)
//! themselves, without std's buffering.
//!
//! Calls go through nix where it wraps them. Where they do not, the reason stands beside the call.

use crate::Errno;
use core::ffi::{c_long, c_ulong};
use nix::fcntl::{FcntlArg, fcntl};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// A path or argument as the kernel wants it. A NUL byte inside is `EINVAL`.
pub fn cstring(text: &OsStr) -> Result<CString, Errno> {
    CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL)
}

/// The path in /proc/self/fd of a descriptor, for calls that take no descriptor: it leads to the open file even if
/// that was renamed. Without a proc at /proc the path does not exist (`ENOENT`, `ENOTDIR`).
pub(crate) fn path_of_descriptor(fd: BorrowedFd<'_>) -> OsString {
    OsString::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Takes charge of a descriptor that a system call has just returned, or of its error.
#[inline(never)]
pub(crate) fn owned(fd: RawFd) -> Result<OwnedFd, Errno> {
    if fd < 0 {
        return Err(Errno::last());
    }
    // SAFETY: the kernel has just given us this descriptor and nobody else has it.
    above_standard(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The same file by a number above the standard ones. A caller that closed standard output or error leaves its number to the
/// next file that is opened, a disk image for example, and messages would be written into that.
pub(crate) fn above_standard(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { duplicate(fd.as_fd()) }
}

/// Duplicates a descriptor to a number above the standard ones, close-on-exec.
#[cold]
#[inline(never)]
pub(crate) fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(3)).map_err(Errno::from).and_then(owned)
}

/// Zero or an error number, for calls that return -1 on failure.
#[inline(never)]
pub(crate) fn checked(result: i64) -> Result<i64, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}

/// The directory that a path starts from; `None` is the working directory.
pub(crate) fn from_directory(directory: Option<BorrowedFd<'_>>) -> BorrowedFd<'_> {
    directory.unwrap_or(nix::fcntl::AT_FDCWD)
}

/// rt_sigprocmask(2), which returns the mask from before; bit n - 1 is signal n. Not nix's, nor the C library's: musl
/// keeps 32 to 34 for itself and leaves them out of what it returns, and a mask restored from that would lack them.
#[inline(never)]
pub(crate) fn change_mask(how: i32, mask: u64) -> Result<u64, Errno> {
    let (mut old, size) = (0_u64, size_of::<u64>());
    // SAFETY: both masks are as long as is said, and live until the call returns.
    checked(unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const mask, &raw mut old, size) }).map(|_| old)
}

/// The mask of these signals, for [`change_mask`].
pub(crate) fn mask_of(signals: &[i32]) -> u64 {
    signals.iter().fold(0, |mask, signal| mask | 1 << (signal - 1))
}

/// A system call whose arguments are numbers and descriptors only, so that none can corrupt our memory.
pub(crate) struct NumberCall(c_long);

impl NumberCall {
    // Not nix's functions: through the C library they set the ids of all threads, which brings signal handlers and
    // semaphores.
    pub(crate) const SETUID: NumberCall = NumberCall(libc::SYS_setuid);
    pub(crate) const SETGID: NumberCall = NumberCall(libc::SYS_setgid);
    pub(crate) const SETRESUID: NumberCall = NumberCall(libc::SYS_setresuid);
    pub(crate) const SETRESGID: NumberCall = NumberCall(libc::SYS_setresgid);
    // nix lacks the rest.
    pub(crate) const PIDFD_OPEN: NumberCall = NumberCall(libc::SYS_pidfd_open);
    pub(crate) const PIDFD_GETFD: NumberCall = NumberCall(libc::SYS_pidfd_getfd);
    pub(crate) const FSMOUNT: NumberCall = NumberCall(libc::SYS_fsmount);
    pub(crate) const LANDLOCK_RESTRICT_SELF: NumberCall = NumberCall(446);

    /// Makes the call. What it does not take is 0.
    pub(crate) fn call(self, arguments: [i64; 3]) -> Result<i64, Errno> {
        let [first, second, third] = arguments;
        // SAFETY: none of the calls above takes an address.
        checked(unsafe { libc::syscall(self.0, first, second, third) })
    }

    /// [`NumberCall::call`] of one that returns a new descriptor.
    pub(crate) fn open(self, arguments: [i64; 3]) -> Result<OwnedFd, Errno> {
        self.call(arguments).and_then(|fd| owned(fd as RawFd))
    }
}

/// An operation of prctl(2) that takes numbers only.
pub(crate) struct NumberPrctl(i32);

impl NumberPrctl {
    // nix's takes no real-time signal, which has no name there.
    pub(crate) const SET_PDEATHSIG: NumberPrctl = NumberPrctl(libc::PR_SET_PDEATHSIG);
    // nix's takes a bool; the kernel's refusal of other numbers is wanted.
    pub(crate) const SET_KEEPCAPS: NumberPrctl = NumberPrctl(libc::PR_SET_KEEPCAPS);
    // nix lacks the rest.
    pub(crate) const SET_PTRACER: NumberPrctl = NumberPrctl(libc::PR_SET_PTRACER);
    pub(crate) const CAPBSET_READ: NumberPrctl = NumberPrctl(libc::PR_CAPBSET_READ);
    pub(crate) const CAPBSET_DROP: NumberPrctl = NumberPrctl(libc::PR_CAPBSET_DROP);
    pub(crate) const CAP_AMBIENT: NumberPrctl = NumberPrctl(libc::PR_CAP_AMBIENT);
    pub(crate) const GET_SECUREBITS: NumberPrctl = NumberPrctl(libc::PR_GET_SECUREBITS);
    pub(crate) const SET_SECUREBITS: NumberPrctl = NumberPrctl(libc::PR_SET_SECUREBITS);

    /// Performs it. What it does not take is 0, as the kernel wants it.
    pub(crate) fn call(self, arguments: [u64; 2]) -> Result<i64, Errno> {
        let [first, second] = arguments.map(|argument| argument as c_ulong);
        let none: c_ulong = 0;
        // SAFETY: none of the operations above takes an address.
        checked(i64::from(unsafe { libc::prctl(self.0, first, second, none, none) }))
    }
}

/// One read(2), repeated when a signal interrupts it. Returns 0 at the end of the file.
pub fn read_some(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match nix::unistd::read(fd, buffer) {
            Err(nix::errno::Errno::EINTR) => {}
            done => return done.map_err(Errno::from),
        }
    }
}

/// One read(2) from standard input, which may be closed. Returns 0 at its end.
pub fn read_standard_input(buffer: &mut [u8]) -> Result<usize, Errno> {
    read_some(known_by_number(0), buffer)
}

/// A descriptor of which only the number is known: a standard one, or that of the trace. It may be closed (`EBADF`).
pub(crate) fn known_by_number(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: nothing here keeps what it gets beyond the call that it is made for. -1 is no descriptor, nor of this type.
    unsafe { BorrowedFd::borrow_raw(fd.max(0)) }
}

/// Writes all of `text`, however many write(2)s that takes.
pub fn write_all(fd: BorrowedFd<'_>, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        match write_once(fd, text) {
            Ok(wrote) => text = text.get(wrote..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// [`write_all`] to a descriptor known by number: standard output and error, which may be closed.
pub fn write_all_to(fd: RawFd, text: &[u8]) -> Result<(), Errno> {
    write_all(known_by_number(fd), text)
}

/// One write(2), as the kernel wants it for maps and the like. Returns how much of the text it took.
pub(crate) fn write_once(fd: BorrowedFd<'_>, text: &[u8]) -> Result<usize, Errno> {
    nix::unistd::write(fd, text).map_err(Errno::from)
}

/// The first place of `byte` in `text`: memchr(3), many bytes at a time where it matters.
///
/// ```
/// assert_eq!(linux::raw::find_byte(b'/', b"dev/null"), Some(3));
/// assert_eq!(linux::raw::find_byte(b'/', b""), None);
/// ```
#[inline]
pub fn find_byte(byte: u8, text: &[u8]) -> Option<usize> {
    // SAFETY: `text` is valid for reads of its length.
    let found = unsafe { libc::memchr(text.as_ptr().cast(), i32::from(byte), text.len()) };
    // The result is null or points into `text`.
    (!found.is_null()).then(|| found as usize - text.as_ptr() as usize)
}
