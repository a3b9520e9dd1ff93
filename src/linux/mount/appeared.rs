//! Finds the mount that mount(2) has just made and holds it by a descriptor. mount(2) returns none, and the target
//! path may lead elsewhere by now, so the mount found there is compared with the mount table from before.

use super::api::AT_EMPTY_PATH;
use super::statmount;
use crate::error::Context;
use crate::mount::table::Table;
use crate::{Errno, Error, Result, file};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

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

    /// The root of the mount that is at `target` now, or where the table shows it, since its path may have been
    /// renamed. `ESTALE`: the mount found existed before, or its parent is not the mount that held the target.
    pub fn appeared(&self, target: &OsStr) -> Result<OwnedFd> {
        let root = file::open_at(None, target, libc::O_PATH, 0).context("open", target)?;
        let now = Table::read()?;
        let is_root = statmount::mountinfo_id(Some(root.as_fd()), OsStr::new(""), AT_EMPTY_PATH)
            .is_ok_and(|found| found.is_root != Some(false));
        // A mount.TYPE program may have made more than one, one over another.
        let mut above = id_of(root.as_fd())?;
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
        let mut renamed = None;
        for entry in now.entries() {
            if u64::from(entry.parent) == self.parent && self.table.find_id(entry.id).is_none() {
                if renamed.is_some() {
                    // Others mount there, too: any may be the one.
                    return Err(Error::new("open", target, Errno::ESTALE));
                }
                renamed = Some(entry);
            }
        }
        if let Some(entry) = renamed {
            let root = file::open_at(None, &entry.target_path(), libc::O_PATH, 0).context("open", target)?;
            if id_of(root.as_fd())? == entry.id {
                return Ok(root);
            }
        }
        Err(Error::new("open", target, Errno::ESTALE))
    }
}

/// The number of the mount in mountinfo.
fn id_of(place: BorrowedFd<'_>) -> Result<u32> {
    Ok(u32::try_from(statmount::id_of(place)?).unwrap_or_default())
}
