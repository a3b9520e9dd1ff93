//! Changing the propagation of mounts by mount(2): mount_namespaces(7), "Shared subtrees".

use super::api::Attributes;
use super::{MS_REC, Propagation, mount2};
use crate::{Errno, Result, error::Context, raw};
use std::ffi::OsStr;
use std::os::fd::BorrowedFd;

/// Changes the propagation of the mount at `target` and of every mount below it.
pub fn set_recursive(target: impl AsRef<OsStr>, propagation: Propagation) -> Result<()> {
    let none = Some(OsStr::new("none"));
    mount2(none, target.as_ref(), None, MS_REC | propagation.flag(), None)
}

/// Changes the propagation of the mount that `tree` is the root of, by mount(2): before Linux 5.12 nothing else does.
/// `ENOSYS`: flags are to change, too.
pub fn set_of(tree: BorrowedFd<'_>, change: Attributes, recursive: bool) -> Result<()> {
    let path = raw::path_of_descriptor(tree);
    match change {
        Attributes { set: 0, clear: 0, propagation: Some(propagation) } => {
            let flags = propagation.flag() | if recursive { MS_REC } else { 0 };
            mount2(Some(OsStr::new("none")), &path, None, flags, None)
        }
        _ => Err(Errno::ENOSYS).context("mount", path),
    }
}
