//! The mount that mount(2) has just made, held by its descriptor. The call returns none, and the path that it was given
//! may lead elsewhere by now: what is found there is held against the table of mounts from before.

use super::api::AT_EMPTY_PATH;
use super::statmount;
use crate::error::Context;
use crate::mount::table::Table;
use crate::{Errno, Error, Result, file};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// What was mounted before.
pub struct Before {
    /// The mount that the target was on.
    parent: u64,
    table: Table,
}

impl Before {
    /// To be asked before mount(2).
    pub fn read(target: &OsStr) -> Result<Before> {
        let place = file::open_at(None, target, libc::O_PATH, 0).context("open", target)?;
        Ok(Before { parent: statmount::id_of(place.as_fd())?, table: Table::read()? })
    }

    /// The root of the mount that is at `target` now. `ESTALE`: it was there before, or it is not on what the target was on.
    pub fn appeared(&self, target: &OsStr) -> Result<OwnedFd> {
        let root = file::open_at(None, target, libc::O_PATH, 0).context("open", target)?;
        let id = statmount::id_of(root.as_fd())?;
        let is_root = statmount::mountinfo_id(Some(root.as_fd()), OsStr::new(""), AT_EMPTY_PATH)
            .is_ok_and(|found| found.is_root != Some(false));
        let now = Table::read()?;
        // A mount.TYPE program may have made more than one, one over another.
        let mut above = u32::try_from(id).unwrap_or_default();
        while is_root && self.table.find_id(above).is_none() {
            let Some(entry) = now.find_id(above) else { break };
            if u64::from(entry.parent) == self.parent {
                return Ok(root);
            }
            if entry.parent == above {
                break;
            }
            above = entry.parent;
        }
        Err(Error::new("open", target, Errno::ESTALE))
    }
}
