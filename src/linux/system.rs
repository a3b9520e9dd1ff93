//! What the kernel says of itself: uname(2).

use nix::sys::utsname::uname;
use std::ffi::OsString;

/// The name of this host; empty if the kernel does not say.
pub fn host_name() -> OsString {
    uname().map_or_else(|_| OsString::new(), |name| name.nodename().to_os_string())
}

/// The version of the kernel: `6.12.1-amd64`.
///
/// ```
/// assert!(!linux::system::release().is_empty());
/// ```
pub fn release() -> OsString {
    uname().map_or_else(|_| OsString::new(), |name| name.release().to_os_string())
}
