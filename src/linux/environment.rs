//! Our environment: environ(7), getenv(3). Not `std::env`: it takes a lock, which costs a page fault at the start.

use crate::{raw, secure};
use core::ffi::{CStr, c_char};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A variable that is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    value(name).filter(|value| !value.is_empty())
}

/// As [`value`], but `None` where a less privileged caller may have set the environment: secure_getenv(3).
pub fn trusted_variable(name: &str) -> Option<OsString> {
    if secure::is_secure_execution() { None } else { value(name) }
}

/// A variable's value, which may be empty.
///
/// ```
/// assert!(linux::environment::value("PATH").is_some());
/// assert_eq!(linux::environment::value("NO=SUCH"), None);
/// ```
pub fn value(name: impl AsRef<OsStr>) -> Option<OsString> {
    let name = raw::cstring(name.as_ref()).ok()?;
    // SAFETY: the name is NUL-terminated. What is found stays, since nothing in this program changes the environment.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| OsStr::from_bytes(CStr::from_ptr(value).to_bytes()).to_os_string())
    }
}

/// Every `NAME=value` of it, as it is.
pub(crate) fn entries() -> impl Iterator<Item = &'static [u8]> {
    unsafe extern "C" {
        static environ: *const *const c_char;
    }
    // SAFETY: the C library has set it before `main`, and nothing in this program changes the environment.
    let mut next = unsafe { environ };
    core::iter::from_fn(move || {
        // SAFETY: `next` began at the array's start and stays at the null pointer that ends it; each entry is
        // NUL-terminated and stays as long as the process.
        unsafe {
            let entry = (!(*next).is_null()).then(|| CStr::from_ptr(*next).to_bytes())?;
            next = next.add(1);
            Some(entry)
        }
    })
}
