//! Translates options into flags of mount(2), attributes of mount_setattr(2), propagation, data for the file system,
//! utab's text and the options of a mount.TYPE program.

use super::names::{self, Layer, Meaning};
use super::{MountOption, Options};
use crate::mount::api::{Attributes, MOUNT_ATTR__ATIME, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_RDONLY};
use crate::mount::{MS_NOATIME, MS_RELATIME, MS_STRICTATIME, Propagation};

/// Mount attributes to change: on the root mount alone, and on the whole tree (`ro=recursive`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeChange {
    /// Of the mount itself.
    pub single: Attributes,
    /// Of the mount and all below it.
    pub recursive: Attributes,
}

impl Options {
    /// Whether any flag of a mount or superblock is set, propagation aside.
    pub fn has_flags(&self) -> bool {
        self.0.iter().any(|option| match option.meaning() {
            Meaning::Vfs(vfs) => !vfs.inverse && !matches!(vfs.layer, Layer::Propagation(..)),
            _ => false,
        })
    }

    /// Whether the superblock is to be read-only: the last of `ro` and `rw` counts; `None` if neither is given.
    pub fn read_only(&self) -> Option<bool> {
        self.0.iter().rev().find(|option| option.is_access() && option.layers().fs).map(|o| o.is("ro"))
    }

    /// What `ro` and `rw` say about the mount, the last one counting.
    pub fn read_only_mount(&self) -> Option<bool> {
        self.0.iter().rev().find(|option| option.is_access() && option.layers().vfs).map(|o| o.is("ro"))
    }

    /// MS_ flags for mount(2), without propagation. mount(2) has no layers and no `=recursive`.
    pub fn mount_flags(&self) -> u64 {
        let mut flags = 0;
        for option in &self.0 {
            if let Meaning::Vfs(vfs) = option.meaning() {
                let own = u64::from(vfs.flags);
                match vfs.layer {
                    Layer::Propagation(..) => {}
                    // The last option about access times wins; given several flags, the kernel would choose.
                    _ if vfs.is_access_time() && !vfs.inverse => {
                        flags = flags & !(MS_NOATIME | MS_RELATIME | MS_STRICTATIME) | own;
                    }
                    _ if vfs.inverse => flags &= !own,
                    _ => flags |= own,
                }
            }
        }
        flags
    }

    /// The changes for mount_setattr(2), to be applied to the tree first, then to its root. The last option about a
    /// flag counts; an inverse cancels it for both.
    pub fn attributes(&self) -> AttributeChange {
        let mut change = AttributeChange::default();
        for option in &self.0 {
            let Meaning::Vfs(vfs) = option.meaning() else { continue };
            let Layer::Attribute(bits) = vfs.layer else { continue };
            let bits = u64::from(bits);
            let layers = option.layers();
            if !layers.vfs {
                continue;
            }
            let AttributeChange { recursive, single } = &mut change;
            let (to, other) = if layers.recursive { (recursive, single) } else { (single, recursive) };
            if vfs.is_access_time() {
                // The options about access times exclude each other: the last that sets one wins, and an inverse
                // cancels only its own.
                to.clear |= MOUNT_ATTR__ATIME;
                if !vfs.inverse {
                    to.set = to.set & !MOUNT_ATTR__ATIME | bits;
                } else {
                    for set in [&mut to.set, &mut other.set] {
                        *set &= if *set & MOUNT_ATTR__ATIME == bits { !MOUNT_ATTR__ATIME } else { !0 };
                    }
                }
            } else if vfs.inverse {
                to.clear |= bits;
                to.set &= !bits;
                other.set &= !bits;
            } else {
                to.set |= bits;
                to.clear &= !bits;
                other.clear &= if layers.recursive { !bits } else { !0 };
            }
        }
        if change.recursive.clear & MOUNT_ATTR__ATIME != 0 {
            // The tree's way to keep access times is its root's.
            change.single.set &= !MOUNT_ATTR__ATIME;
            change.single.clear &= !MOUNT_ATTR__ATIME;
        }
        change
    }

    /// As [`Options::attributes`], but clears what is not given, as a remount by mount(2) does.
    pub fn attributes_for_remount(&self) -> AttributeChange {
        let mut change = self.attributes();
        let mentioned = change.single.set | change.single.clear | change.recursive.set | change.recursive.clear;
        let others = names::RESET_BY_REMOUNT & !mentioned;
        // `ro=fs` says nothing of the mount, and must not make it writable.
        let spared = if self.has("ro") && mentioned & MOUNT_ATTR_RDONLY == 0 { MOUNT_ATTR_RDONLY } else { 0 };
        change.single.clear |= others & !spared;
        change
    }

    /// Changes of propagation in the given order, each with whether it includes the mounts below.
    pub fn propagation(&self) -> Vec<(Propagation, bool)> {
        let mut changes = Vec::new();
        for option in &self.0 {
            if let Meaning::Vfs(vfs) = option.meaning()
                && let Layer::Propagation(propagation, recursive) = vfs.layer
            {
                changes.push((propagation, recursive));
            }
        }
        changes
    }

    /// The options that are the file system's own, in order.
    pub fn filesystem(&self) -> impl Iterator<Item = &MountOption> {
        self.0.iter().filter(|option| matches!(option.meaning(), Meaning::Filesystem))
    }

    /// The data string of mount(2): the file system's options as typed. Quotes are kept only for SELinux
    /// (`context="a,b"`), which reads them; elsewhere a comma in a value gets a backslash.
    pub fn data(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for option in self.filesystem() {
            match option.value.as_deref() {
                Some([b'"', .., b'"']) if !option.name.ends_with(b"context") => {
                    let mut value = Vec::new();
                    for byte in option.plain_value().unwrap_or_default() {
                        value.extend_from_slice(if byte == b',' { b"\\" } else { b"" });
                        value.push(byte);
                    }
                    MountOption::new(&option.name, Some(&value)).append_to(&mut text);
                }
                _ => option.append_to(&mut text),
            }
        }
        text
    }

    /// The options for messages: without duplicates, rw or ro first.
    pub fn shown(&self) -> Vec<u8> {
        let mut options = self.clone();
        options.deduplicate();
        let mut text = if self.read_only_mount() == Some(true) { b"ro".to_vec() } else { b"rw".to_vec() };
        for option in &options.0 {
            if option.value.is_some() || !option.is_access() {
                option.append_to(&mut text);
            }
        }
        text
    }

    /// The options to record in utab; `with_loop` if umount has to detach the loop device.
    pub fn for_utab(&self, with_loop: bool) -> Vec<u8> {
        let mut text = Vec::new();
        for option in &self.0 {
            match option.meaning() {
                Meaning::Userspace(user) if user.utab && (with_loop || !option.is("loop")) && !option.names_user() => {
                    option.append_to(&mut text);
                }
                _ => {}
            }
        }
        text
    }

    /// The options for a mount.TYPE program: rw or ro first, then the rest in order, without mount's own.
    pub fn for_helper(&self) -> Vec<u8> {
        let last = self.0.iter().rev().find(|option| option.is_access());
        let mut text = last.map_or(b"rw".to_vec(), |option| option.name.clone());
        for option in &self.0 {
            let shown = match option.meaning() {
                Meaning::Vfs(vfs) => u64::from(vfs.flags) != crate::mount::MS_RDONLY && vfs.is_shown(),
                Meaning::Userspace(user) => user.helper,
                Meaning::Filesystem => true,
            };
            if shown {
                option.append_to(&mut text);
            }
        }
        text
    }
}

const _: () = assert!(MOUNT_ATTR_NODIRATIME & MOUNT_ATTR__ATIME == 0);
