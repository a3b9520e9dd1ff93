//! errno(3): the kernel's error numbers, their names and their texts.
//!
//! The texts are those of glibc's strerror(3), because scripts compare the lines of the original tools; musl words
//! several of them differently.

use core::fmt;

/// A kernel error number, positive, as in errno(3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errno(pub i32);

impl Errno {
    /// Operation not permitted.
    pub const EPERM: Errno = Errno(1);
    /// No such file or directory.
    pub const ENOENT: Errno = Errno(2);
    /// No such process.
    pub const ESRCH: Errno = Errno(3);
    /// Interrupted system call.
    pub const EINTR: Errno = Errno(4);
    /// Input/output error.
    pub const EIO: Errno = Errno(5);
    /// No such device or address.
    pub const ENXIO: Errno = Errno(6);
    /// Argument list too long.
    pub const E2BIG: Errno = Errno(7);
    /// Exec format error.
    pub const ENOEXEC: Errno = Errno(8);
    /// Bad file descriptor.
    pub const EBADF: Errno = Errno(9);
    /// No child processes.
    pub const ECHILD: Errno = Errno(10);
    /// Resource temporarily unavailable.
    pub const EAGAIN: Errno = Errno(11);
    /// Cannot allocate memory.
    pub const ENOMEM: Errno = Errno(12);
    /// Permission denied.
    pub const EACCES: Errno = Errno(13);
    /// Block device required.
    pub const ENOTBLK: Errno = Errno(15);
    /// Device or resource busy.
    pub const EBUSY: Errno = Errno(16);
    /// File exists.
    pub const EEXIST: Errno = Errno(17);
    /// Invalid cross-device link.
    pub const EXDEV: Errno = Errno(18);
    /// No such device.
    pub const ENODEV: Errno = Errno(19);
    /// Not a directory.
    pub const ENOTDIR: Errno = Errno(20);
    /// Is a directory.
    pub const EISDIR: Errno = Errno(21);
    /// Invalid argument.
    pub const EINVAL: Errno = Errno(22);
    /// Too many open files in system.
    pub const ENFILE: Errno = Errno(23);
    /// Too many open files.
    pub const EMFILE: Errno = Errno(24);
    /// Inappropriate ioctl for device.
    pub const ENOTTY: Errno = Errno(25);
    /// Text file busy.
    pub const ETXTBSY: Errno = Errno(26);
    /// File too large.
    pub const EFBIG: Errno = Errno(27);
    /// No space left on device.
    pub const ENOSPC: Errno = Errno(28);
    /// Read-only file system.
    pub const EROFS: Errno = Errno(30);
    /// Broken pipe.
    pub const EPIPE: Errno = Errno(32);
    /// Numerical result out of range.
    pub const ERANGE: Errno = Errno(34);
    /// Numerical argument out of domain.
    pub const EDOM: Errno = Errno(33);
    /// File name too long.
    pub const ENAMETOOLONG: Errno = Errno(36);
    /// Function not implemented.
    pub const ENOSYS: Errno = Errno(38);
    /// Too many levels of symbolic links.
    pub const ELOOP: Errno = Errno(40);
    /// Accessing a corrupted shared library.
    pub const ELIBBAD: Errno = Errno(80);
    /// No data available.
    pub const ENODATA: Errno = Errno(61);
    /// Value too large for defined data type.
    pub const EOVERFLOW: Errno = Errno(75);
    /// Connection reset by peer.
    pub const ECONNRESET: Errno = Errno(104);
    /// Stale file handle.
    pub const ESTALE: Errno = Errno(116);
    /// Connection timed out.
    pub const ETIMEDOUT: Errno = Errno(110);
    /// Operation not supported.
    pub const EOPNOTSUPP: Errno = Errno(95);
    /// Too many users.
    pub const EUSERS: Errno = Errno(87);
    /// No medium found.
    pub const ENOMEDIUM: Errno = Errno(123);
    /// Bad message.
    pub const EBADMSG: Errno = Errno(74);
    /// Protocol error.
    pub const EPROTO: Errno = Errno(71);
    /// Name not unique on network.
    pub const ENOTUNIQ: Errno = Errno(76);

    /// The error of the last failed libc call in this thread.
    pub fn last() -> Errno {
        Errno(nix::errno::Errno::last_raw())
    }

    /// The name, such as `EPERM`; `None` for a number Linux does not use.
    ///
    /// ```
    /// assert_eq!(linux::Errno::EPERM.name(), Some("EPERM"));
    /// ```
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.0)
    }

    /// What strerror(3) of glibc says, such as `Operation not permitted`.
    ///
    /// ```
    /// assert_eq!(linux::Errno::EPERM.text(), Some("Operation not permitted"));
    /// assert_eq!(linux::Errno(4000).to_string(), "Unknown error 4000");
    /// ```
    pub fn text(self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    fn row(self) -> Option<(&'static str, &'static str)> {
        let above = usize::try_from(self.0).ok()?.checked_sub(1)?;
        TEXTS.split('\n').nth(above)?.split_once(' ')
    }
}

impl From<nix::errno::Errno> for Errno {
    /// Convert immediately: for a number that nix does not know, which a seccomp filter may return, it is read from
    /// `errno`.
    #[cold]
    #[inline(never)]
    fn from(errno: nix::errno::Errno) -> Errno {
        if errno == nix::errno::Errno::UnknownErrno { Errno::last() } else { Errno(errno as i32) }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(text),
            None => write!(f, "Unknown error {}", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

/// One line per number, from 1 on: the name, a space and the text. One string, since the linker would have to relocate
/// a table of pointers at each start.
#[rustfmt::skip]
static TEXTS: &str = "\
EPERM Operation not permitted\n\
ENOENT No such file or directory\n\
ESRCH No such process\n\
EINTR Interrupted system call\n\
EIO Input/output error\n\
ENXIO No such device or address\n\
E2BIG Argument list too long\n\
ENOEXEC Exec format error\n\
EBADF Bad file descriptor\n\
ECHILD No child processes\n\
EAGAIN Resource temporarily unavailable\n\
ENOMEM Cannot allocate memory\n\
EACCES Permission denied\n\
EFAULT Bad address\n\
ENOTBLK Block device required\n\
EBUSY Device or resource busy\n\
EEXIST File exists\n\
EXDEV Invalid cross-device link\n\
ENODEV No such device\n\
ENOTDIR Not a directory\n\
EISDIR Is a directory\n\
EINVAL Invalid argument\n\
ENFILE Too many open files in system\n\
EMFILE Too many open files\n\
ENOTTY Inappropriate ioctl for device\n\
ETXTBSY Text file busy\n\
EFBIG File too large\n\
ENOSPC No space left on device\n\
ESPIPE Illegal seek\n\
EROFS Read-only file system\n\
EMLINK Too many links\n\
EPIPE Broken pipe\n\
EDOM Numerical argument out of domain\n\
ERANGE Numerical result out of range\n\
EDEADLK Resource deadlock avoided\n\
ENAMETOOLONG File name too long\n\
ENOLCK No locks available\n\
ENOSYS Function not implemented\n\
ENOTEMPTY Directory not empty\n\
ELOOP Too many levels of symbolic links\n\
\n\
ENOMSG No message of desired type\n\
EIDRM Identifier removed\n\
ECHRNG Channel number out of range\n\
EL2NSYNC Level 2 not synchronized\n\
EL3HLT Level 3 halted\n\
EL3RST Level 3 reset\n\
ELNRNG Link number out of range\n\
EUNATCH Protocol driver not attached\n\
ENOCSI No CSI structure available\n\
EL2HLT Level 2 halted\n\
EBADE Invalid exchange\n\
EBADR Invalid request descriptor\n\
EXFULL Exchange full\n\
ENOANO No anode\n\
EBADRQC Invalid request code\n\
EBADSLT Invalid slot\n\
\n\
EBFONT Bad font file format\n\
ENOSTR Device not a stream\n\
ENODATA No data available\n\
ETIME Timer expired\n\
ENOSR Out of streams resources\n\
ENONET Machine is not on the network\n\
ENOPKG Package not installed\n\
EREMOTE Object is remote\n\
ENOLINK Link has been severed\n\
EADV Advertise error\n\
ESRMNT Srmount error\n\
ECOMM Communication error on send\n\
EPROTO Protocol error\n\
EMULTIHOP Multihop attempted\n\
EDOTDOT RFS specific error\n\
EBADMSG Bad message\n\
EOVERFLOW Value too large for defined data type\n\
ENOTUNIQ Name not unique on network\n\
EBADFD File descriptor in bad state\n\
EREMCHG Remote address changed\n\
ELIBACC Can not access a needed shared library\n\
ELIBBAD Accessing a corrupted shared library\n\
ELIBSCN .lib section in a.out corrupted\n\
ELIBMAX Attempting to link in too many shared libraries\n\
ELIBEXEC Cannot exec a shared library directly\n\
EILSEQ Invalid or incomplete multibyte or wide character\n\
ERESTART Interrupted system call should be restarted\n\
ESTRPIPE Streams pipe error\n\
EUSERS Too many users\n\
ENOTSOCK Socket operation on non-socket\n\
EDESTADDRREQ Destination address required\n\
EMSGSIZE Message too long\n\
EPROTOTYPE Protocol wrong type for socket\n\
ENOPROTOOPT Protocol not available\n\
EPROTONOSUPPORT Protocol not supported\n\
ESOCKTNOSUPPORT Socket type not supported\n\
EOPNOTSUPP Operation not supported\n\
EPFNOSUPPORT Protocol family not supported\n\
EAFNOSUPPORT Address family not supported by protocol\n\
EADDRINUSE Address already in use\n\
EADDRNOTAVAIL Cannot assign requested address\n\
ENETDOWN Network is down\n\
ENETUNREACH Network is unreachable\n\
ENETRESET Network dropped connection on reset\n\
ECONNABORTED Software caused connection abort\n\
ECONNRESET Connection reset by peer\n\
ENOBUFS No buffer space available\n\
EISCONN Transport endpoint is already connected\n\
ENOTCONN Transport endpoint is not connected\n\
ESHUTDOWN Cannot send after transport endpoint shutdown\n\
ETOOMANYREFS Too many references: cannot splice\n\
ETIMEDOUT Connection timed out\n\
ECONNREFUSED Connection refused\n\
EHOSTDOWN Host is down\n\
EHOSTUNREACH No route to host\n\
EALREADY Operation already in progress\n\
EINPROGRESS Operation now in progress\n\
ESTALE Stale file handle\n\
EUCLEAN Structure needs cleaning\n\
ENOTNAM Not a XENIX named type file\n\
ENAVAIL No XENIX semaphores available\n\
EISNAM Is a named type file\n\
EREMOTEIO Remote I/O error\n\
EDQUOT Disk quota exceeded\n\
ENOMEDIUM No medium found\n\
EMEDIUMTYPE Wrong medium type\n\
ECANCELED Operation canceled\n\
ENOKEY Required key not available\n\
EKEYEXPIRED Key has expired\n\
EKEYREVOKED Key has been revoked\n\
EKEYREJECTED Key was rejected by service\n\
EOWNERDEAD Owner died\n\
ENOTRECOVERABLE State not recoverable\n\
ERFKILL Operation not possible due to RF-kill\n\
EHWPOISON Memory page has hardware error\n\
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_the_name_and_the_text_that_glibc_gives_it() {
        assert_eq!((Errno::EPERM.name(), Errno::EPERM.text()), (Some("EPERM"), Some("Operation not permitted")));
        assert_eq!(Errno::EOPNOTSUPP.text(), Some("Operation not supported"));
        assert_eq!(Errno(133).name(), Some("EHWPOISON"));
        assert_eq!([Errno(0), Errno(41), Errno(134), Errno(-1)].map(Errno::name), [None; 4]);
    }
}
