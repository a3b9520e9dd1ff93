//! Changing the propagation of mounts by mount(2): mount_namespaces(7), "Shared subtrees".

use super::{MS_REC, Propagation, mount2};
use crate::Result;
use std::ffi::OsStr;

/// Changes the propagation of the mount at `target` and of every mount below it.
pub fn set_recursive(target: impl AsRef<OsStr>, propagation: Propagation) -> Result<()> {
    let none = Some(OsStr::new("none"));
    mount2(none, target.as_ref(), None, MS_REC | propagation.flag(), None)
}
