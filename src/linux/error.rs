//! The one error type of this crate: which call failed, on what, and why.

use crate::Errno;
use std::ffi::{OsStr, OsString};

/// A failed step: the system call, the object it was about, the kernel's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
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
        Error { call, object: object.as_ref().to_os_string(), errno }
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

impl<T> Context<T> for nix::Result<T> {
    fn context(self, call: &'static str, object: impl AsRef<OsStr>) -> Result<T> {
        self.map_err(|errno| Error::new(call, object, errno.into()))
    }
}
