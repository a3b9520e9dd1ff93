//! The steps of a mount. They borrow their arguments from the request.

use linux::credentials::{Gid, Uid};
use linux::mount::api::Attributes;
use std::ffi::{OsStr, OsString};

/// A superblock's option for fsconfig(2).
pub type Setting<'a> = (&'a OsStr, Option<OsString>);

/// One step. The first failure ends the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountStep<'a> {
    /// fsopen, fsconfig, fsmount: a file system out of sight.
    Create {
        /// Its type.
        fstype: &'a OsStr,
        /// Its source.
        source: &'a OsStr,
        /// Its options in order.
        settings: Vec<Setting<'a>>,
        /// Not if the superblock exists already.
        exclusive: bool,
        /// MOUNT_ATTR_ bits of the mount.
        attributes: u64,
    },
    /// open_tree with OPEN_TREE_CLONE: a copy of a tree out of sight.
    Clone {
        /// Its path.
        path: &'a OsStr,
        /// With the mounts below it.
        recursive: bool,
        /// A symbolic link is taken itself.
        no_follow: bool,
    },
    /// open_tree: the mount that is there.
    Open(&'a OsStr),
    /// Only a directory of the open tree is wanted.
    Subdirectory(&'a OsStr),
    /// fspick, fsconfig, FSCONFIG_CMD_RECONFIGURE.
    Reconfigure {
        /// The superblock's options in order.
        settings: Vec<Setting<'a>>,
        /// Those that it has and is to keep: they are given only if it has lost them.
        present: Vec<Setting<'a>>,
    },
    /// mount_setattr.
    SetAttributes {
        /// What changes.
        attributes: Attributes,
        /// Of the mounts below, too.
        recursive: bool,
    },
    /// mount_setattr with MOUNT_ATTR_IDMAP.
    MapIds {
        /// The value of X-mount.idmap.
        map: &'a OsStr,
        /// Of the mounts below, too.
        recursive: bool,
    },
    /// fchownat(2) of the open tree's root. A failure leaves it unchanged and is reported at the end.
    SetOwner {
        /// The new owner.
        user: Option<Uid>,
        /// The new group.
        group: Option<Gid>,
    },
    /// fchmodat of the root of the open tree; as above.
    SetMode(u32),
    /// move_mount: the open tree appears, on what the target led to when it was opened.
    Attach {
        /// Below the mount that is on top there.
        beneath: bool,
        /// A symbolic link is taken itself.
        no_follow: bool,
        /// The path is looked up again: what it led to was detached.
        again: bool,
    },
    /// The mount at the target, which a copy of it replaces, goes.
    Detach,
    /// mount(2) on the target.
    Mount2 {
        /// Its source.
        source: Option<&'a OsStr>,
        /// Its type.
        fstype: Option<&'a OsStr>,
        /// MS_ flags.
        flags: u64,
        /// The file system's options.
        data: Option<&'a OsStr>,
    },
    /// With mount(2): a directory of a new file system, which is mounted elsewhere for a moment.
    Subdirectory2 {
        /// The file system's source.
        source: Option<&'a OsStr>,
        /// Its type.
        fstype: &'a OsStr,
        /// MS_ flags.
        flags: u64,
        /// Its options.
        data: Option<&'a OsStr>,
        /// The directory.
        path: &'a OsStr,
    },
    /// With mount(2): what is mounted before it is asked for more.
    NoteMounts,
    /// With mount(2): a mount that is there is the open tree.
    Open2(&'a OsStr),
    /// With mount(2): takes the mount that has appeared at the target as the open tree.
    OpenAppeared,
    /// mount(2) in place of mount_setattr: flags of the mount at the target.
    Remount2 {
        /// What changes.
        attributes: Attributes,
        /// Of the mounts below, too.
        recursive: bool,
    },
}
