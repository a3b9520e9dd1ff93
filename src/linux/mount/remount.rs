//! Flags of mounts that are there, by mount(2) alone: what mount_setattr(2) does since Linux 5.12.
//!
//! mount(2) replaces all flags of one mount, so those that are not to change are read from mountinfo first.
//! With a tree, each mount is changed on its own; if one cannot be, those before it get their flags back.

use super::api::{
    Attributes, MOUNT_ATTR_ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use super::{
    MS_BIND, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_RELATIME,
    MS_REMOUNT, MS_STRICTATIME, mount2, statmount,
};
use crate::error::Context;
use crate::mountinfo::{self, Entry, Table};
use crate::options::Options;
use crate::{Errno, Error, Result, file, raw};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};

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

/// Changes the flags of the mount at `target`, with `recursive` of every mount below it, too: all of them, or none.
/// What the kernel does not know and would leave out without a word is `EINVAL`.
pub fn set_attributes(target: &OsStr, change: Attributes, recursive: bool) -> Result<()> {
    let top = open(target)?;
    let id = u32::try_from(statmount::id_of(top.as_fd())?).unwrap_or_default();
    drop(top);
    let table = Table::read()?;
    let mounts: Vec<Entry<'_>> = if recursive {
        mountinfo::tree_backward(&table.entries().collect::<Vec<_>>(), id).context("mount", target)?
    } else {
        vec![table.find_id(id).ok_or_else(|| Error::new("mount", target, Errno::EINVAL))?]
    };
    let mut changed = Vec::with_capacity(mounts.len());
    let done = change_all(target, id, &mounts, change, &mut changed);
    if done.is_err() {
        for mount in changed.iter().rev() {
            // As far as it goes; the first error is the one to tell.
            let _ = replace(&mount.target, mount.id, mount.flags);
        }
    }
    done
}

fn change_all(
    top: &OsStr,
    id: u32,
    mounts: &[Entry<'_>],
    change: Attributes,
    changed: &mut Vec<Changed>,
) -> Result<()> {
    for entry in mounts {
        // The top is where the caller says, which may be a path that is not canonical.
        let target = if entry.id == id { top.to_os_string() } else { entry.target_path() };
        let flags = flags_of(entry);
        replace(&target, entry.id, applied(flags, change))?;
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

/// Replaces the flags of the mount `id`, which is looked up by its path and changed by its descriptor. A path that leads
/// to another mount (it is hidden by that one, or was moved) is `EBUSY`.
fn replace(target: &OsStr, id: u32, flags: u64) -> Result<()> {
    let mount = open(target)?;
    if statmount::id_of(mount.as_fd())? != u64::from(id) {
        return Err(Error::new("mount", target, Errno::EBUSY));
    }
    let path = raw::path_of_descriptor(mount.as_fd());
    mount2(Some(OsStr::new("none")), &path, None, MS_REMOUNT | MS_BIND | flags, None)
        .map_err(|error| Error::new(error.call, target, error.errno))
}

fn open(target: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, target, libc::O_PATH, 0).context("mount", target)
}

/// The MS_ flags that mountinfo shows for a mount. No word for access times means every access time.
fn flags_of(entry: &Entry<'_>) -> u64 {
    let flags = Options::parse(entry.options).unwrap_or_default().mount_flags();
    if flags & (MS_NOATIME | MS_RELATIME) == 0 { flags | MS_STRICTATIME } else { flags }
}

/// MS_ flags after a change that is told in MOUNT_ATTR_ bits.
fn applied(mut flags: u64, change: Attributes) -> u64 {
    let named = |bits: u64| PAIRS.iter().filter(|(attr, _)| bits & attr != 0).fold(0, |all, (_, flag)| all | flag);
    if change.clear & MOUNT_ATTR_ATIME == MOUNT_ATTR_ATIME {
        flags &= !(MS_NOATIME | MS_STRICTATIME | MS_RELATIME);
        if change.set & MOUNT_ATTR_ATIME == 0 {
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
        let change = |set| Attributes { set, clear: MOUNT_ATTR_ATIME, propagation: None };
        assert_eq!(applied(MS_NOATIME, change(0)), MS_RELATIME);
        assert_eq!(applied(MS_RELATIME, change(MOUNT_ATTR_NOATIME)), MS_NOATIME);
        assert_eq!(applied(MS_NOATIME, change(MOUNT_ATTR_STRICTATIME)), MS_STRICTATIME);
    }
}
