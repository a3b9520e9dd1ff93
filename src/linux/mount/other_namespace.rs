//! Working in another mount namespace for a while: setns(2), the option -N of mount(8) and umount(8).

use crate::Result;
use crate::namespace::{self, Kind};
use crate::number;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The namespace that was entered, and the one that was left.
pub struct OtherMountNs {
    original: OwnedFd,
    entered: OwnedFd,
}

impl OtherMountNs {
    /// Enters the mount namespace of a process, if `wanted` is a number, else that of a namespace file. The error's
    /// object is the file.
    pub fn enter(wanted: &OsStr) -> Result<OtherMountNs> {
        let process = number::signed(wanted.as_bytes())
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| *number > 0);
        let path = match process {
            Some(process) => OsString::from(format!("/proc/{process}/ns/mnt")),
            None => wanted.to_os_string(),
        };
        let enter = || {
            let original = namespace::open("/proc/self/ns/mnt")?;
            let entered = namespace::open(&path)?;
            namespace::setns(entered.as_fd(), Kind::Mount.flag())?;
            Ok(OtherMountNs { original, entered })
        };
        enter().map_err(|error: crate::Error| crate::Error::new(error.call, &path, error.errno))
    }

    /// The namespace that was left.
    pub fn original(&self) -> BorrowedFd<'_> {
        self.original.as_fd()
    }

    /// The namespace that was entered, as a program that we run can open it.
    pub fn path(&self) -> OsString {
        OsString::from(format!("/proc/{}/fd/{}", crate::process::id(), self.entered.as_raw_fd()))
    }
}
