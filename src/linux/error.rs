//! The one error type of this crate: which call failed, on what, and why.

use crate::Errno;
use std::ffi::{OsStr, OsString};

/// A failed step. A single pointer, since nearly every function may return one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Cause>);

/// The system call that failed, the object it was about, the kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The system call or library routine that failed, such as `unshare`.
    pub call: &'static str,
    /// The path, name or number that it was about; may be empty.
    pub object: OsString,
    /// What the kernel answered.
    pub errno: Errno,
}

/// What the functions of this crate return.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// An error of `call` on `object`.
    pub fn new(call: &'static str, object: impl AsRef<OsStr>, errno: Errno) -> Error {
        Error::about(call, object.as_ref(), errno)
    }

    #[cold]
    #[inline(never)]
    fn about(call: &'static str, object: &OsStr, errno: Errno) -> Error {
        Error(Box::new(Cause { call, object: object.to_os_string(), errno }))
    }
}

impl core::ops::Deref for Error {
    type Target = Cause;

    fn deref(&self) -> &Cause {
        &self.0
    }
}

/// Names the call and the object of a bare error number.
pub trait Context<T> {
    /// Turns `Err(errno)` into an [`Error`] of `call` on `object`.
    fn context(self, call: &'static str, object: impl AsRef<OsStr>) -> Result<T>;
}

impl<T> Context<T> for core::result::Result<T, Errno> {
    fn context(self, call: &'static str, object: impl AsRef<OsStr>) -> Result<T> {
        self.map_err(|errno| Error::new(call, object, errno))
    }
}
