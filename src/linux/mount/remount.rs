//! Changes flags and propagation of existing mounts by mount(2) alone, for kernels without mount_setattr(2) (Linux
//! 5.12).
//!
//! mount(2) replaces all flags of a mount, so the flags to keep are read from mountinfo first. In a tree each mount is
//! changed in turn; if one fails, those changed before get their flags back.

use super::api::{
    Attributes, MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use super::{
    MS_BIND, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_REC, MS_RELATIME,
    MS_REMOUNT, MS_STRICTATIME, mount2, statmount,
};
use crate::error::Context;
use crate::mount::mountinfo::Entry;
use crate::mount::options::Options;
use crate::mount::table;
use crate::mount::table::Table;
use crate::{Errno, Error, Result, file, raw, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};

const PAIRS: [(u64, u64); 8] = [
    (MOUNT_ATTR_RDONLY, MS_RDONLY),
    (MOUNT_ATTR_NOSUID, MS_NOSUID),
    (MOUNT_ATTR_NODEV, MS_NODEV),
    (MOUNT_ATTR_NOEXEC, MS_NOEXEC),
    (MOUNT_ATTR_NOATIME, MS_NOATIME),
    (MOUNT_ATTR_STRICTATIME, MS_STRICTATIME),
    (MOUNT_ATTR_NODIRATIME, MS_NODIRATIME),
    (MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW),
];

/// A mount whose flags were replaced.
struct Changed {
    target: OsString,
    id: u32,
    flags: u64,
}

/// The mount to change: its descriptor and its number in mountinfo.
#[derive(Clone, Copy)]
struct Top<'a>(BorrowedFd<'a>, u32);

/// Checks that the descriptor `tree` has a path in /proc, which [`set_attributes`] passes to mount(2). `ENOSYS`: there
/// is no /proc.
pub fn is_reachable(tree: BorrowedFd<'_>) -> Result<()> {
    stat::path(&raw::path_of_descriptor(tree)).map(drop).map_err(|_| Error::new("mount_setattr", "", Errno::ENOSYS))
}

/// Changes propagation and flags of the mount with root `tree` and, if `recursive`, of every mount below it. The flags
/// of all of them are changed or of none. `target` is for the error. A flag that this kernel's mount(2) would silently
/// ignore is `EINVAL`.
pub fn set_attributes(tree: BorrowedFd<'_>, target: &OsStr, change: Attributes, recursive: bool) -> Result<()> {
    if let Some(propagation) = change.propagation {
        let flags = propagation.flag() | if recursive { MS_REC } else { 0 };
        mount_at(tree, target, flags)?;
        if change.set | change.clear == 0 {
            return Ok(());
        }
    }
    let id = u32::try_from(statmount::id_of(tree)?).unwrap_or_default();
    let top = Top(tree, id);
    let table = Table::read()?;
    let mounts: Vec<Entry<'_>> = if recursive {
        table::tree_backward(&table.entries().collect::<Vec<_>>(), id).context("mount", target)?
    } else {
        vec![table.find_id(id).ok_or_else(|| Error::new("mount", target, Errno::EINVAL))?]
    };
    let mut changed = Vec::with_capacity(mounts.len());
    let done = change_all(top, target, &mounts, change, &mut changed);
    if done.is_err() {
        for mount in changed.iter().rev() {
            // Roll back as far as possible; report the first error.
            let _ = replace(top, &mount.target, mount.id, mount.flags);
        }
    }
    done
}

fn change_all(
    top: Top<'_>,
    target: &OsStr,
    mounts: &[Entry<'_>],
    change: Attributes,
    changed: &mut Vec<Changed>,
) -> Result<()> {
    for entry in mounts {
        // The top's path is the one that the caller said, in the error as well.
        let target = if entry.id == top.1 { target.to_os_string() } else { entry.target_path() };
        let flags = flags_of(entry);
        replace(top, &target, entry.id, applied(flags, change))?;
        changed.push(Changed { target, id: entry.id, flags });
    }
    let table = Table::read()?;
    for mount in changed.iter() {
        let now = table.find_id(mount.id).map(|entry| flags_of(&entry));
        if now != Some(applied(mount.flags, change)) {
            return Err(Error::new("mount", &mount.target, Errno::EINVAL));
        }
    }
    Ok(())
}

/// Replaces the flags of the mount `id` through its descriptor. A mount below the top is looked up by its path first;
/// if that leads to another mount (which covers it, or it was moved), the result is `EBUSY`.
fn replace(Top(mut mount, top): Top<'_>, target: &OsStr, id: u32, flags: u64) -> Result<()> {
    let found;
    if id != top {
        found = file::open_at(None, target, libc::O_PATH, 0).context("mount", target)?;
        mount = found.as_fd();
        if statmount::id_of(mount)? != u64::from(id) {
            return Err(Error::new("mount", target, Errno::EBUSY));
        }
    }
    mount_at(mount, target, MS_REMOUNT | MS_BIND | flags)
}

/// mount(2) of a change to the mount that `tree` is the root of.
fn mount_at(tree: BorrowedFd<'_>, target: &OsStr, flags: u64) -> Result<()> {
    mount2(Some(OsStr::new("none")), &raw::path_of_descriptor(tree), None, flags, None)
        .map_err(|error| Error::new(error.call, target, error.errno))
}

/// The MS_ flags that mountinfo shows for a mount. If it shows none about access times, every access is recorded
/// (strictatime).
fn flags_of(entry: &Entry<'_>) -> u64 {
    let flags = Options::parse(entry.options).unwrap_or_default().mount_flags();
    if flags & (MS_NOATIME | MS_RELATIME) == 0 { flags | MS_STRICTATIME } else { flags }
}

/// MS_ flags after a change that is told in MOUNT_ATTR_ bits.
fn applied(mut flags: u64, change: Attributes) -> u64 {
    let named = |bits: u64| PAIRS.iter().filter(|(attr, _)| bits & attr != 0).fold(0, |all, (_, flag)| all | flag);
    if change.clear & MOUNT_ATTR__ATIME == MOUNT_ATTR__ATIME {
        flags &= !(MS_NOATIME | MS_STRICTATIME | MS_RELATIME);
        if change.set & MOUNT_ATTR__ATIME == 0 {
            flags |= MS_RELATIME;
        }
    }
    flags & !named(change.clear) | named(change.set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_are_not_spoken_of_stay() {
        let change = Attributes { set: MOUNT_ATTR_RDONLY, clear: MOUNT_ATTR_NODEV, propagation: None };
        let flags = MS_NOSUID | MS_NODEV | MS_NOATIME;
        assert_eq!(applied(flags, change), MS_NOSUID | MS_NOATIME | MS_RDONLY);
    }

    #[test]
    fn a_way_to_keep_access_times_takes_the_place_of_another() {
        let change = |set| Attributes { set, clear: MOUNT_ATTR__ATIME, propagation: None };
        assert_eq!(applied(MS_NOATIME, change(0)), MS_RELATIME);
        assert_eq!(applied(MS_RELATIME, change(MOUNT_ATTR_NOATIME)), MS_NOATIME);
        assert_eq!(applied(MS_NOATIME, change(MOUNT_ATTR_STRICTATIME)), MS_STRICTATIME);
    }
}
