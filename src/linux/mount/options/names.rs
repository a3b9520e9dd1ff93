//! The names of mount options and what each one is for: mount(8),
//! "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", and mount_setattr(2).

use crate::mount::api::{
    MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use crate::mount::{self, Propagation};

/// Who an option is for.
#[derive(Clone, Copy, Debug)]
pub enum Meaning {
    /// The VFS.
    Vfs(&'static VfsOption),
    /// mount itself, or a comment; it never reaches the kernel.
    Userspace(&'static UserspaceOption),
    /// The file system.
    Filesystem,
}

/// An option of the VFS.
#[derive(Debug)]
pub struct VfsOption {
    /// Its name.
    pub name: &'static str,
    /// The MS_ flags of mount(2) that it sets, or clears if it is an inverse.
    pub flags: u64,
    /// Whether it clears.
    pub inverse: bool,
    /// What it is about.
    pub layer: Layer,
}

/// What an option of the VFS is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// An attribute of the mount, MOUNT_ATTR_ bits.
    Attribute(u64),
    /// A flag of the superblock, which fsconfig(2) takes by name.
    Superblock,
    /// What is done (bind, remount); it is not sent.
    Operation,
    /// A change of propagation, and whether of the whole tree.
    Propagation(Propagation, bool),
    /// Only mount(2) knows it.
    Mount2,
}

impl VfsOption {
    /// Whether it is one of the ways to keep access times, which exclude each other.
    pub fn is_access_time(&self) -> bool {
        self.flags & (mount::MS_NOATIME | mount::MS_RELATIME | mount::MS_STRICTATIME) != 0
    }

    /// Whether mount.TYPE programs get to see it. What only restores the default is left out.
    pub fn is_shown(&self) -> bool {
        !matches!(self.layer, Layer::Propagation(..))
    }
}

/// An option of mount itself.
#[derive(Debug)]
pub struct UserspaceOption {
    /// Its name, or a prefix of names if it ends with a dash or a dot.
    pub name: &'static str,
    /// Options of the same family exclude each other; 0: of no family.
    pub family: u8,
    /// Whether utab keeps it for umount and remount.
    pub utab: bool,
    /// Whether mount.TYPE programs get to see it.
    pub helper: bool,
}

/// Attributes that a remount with mount(2) clears when they are not mentioned.
pub const RESET_BY_REMOUNT: u64 =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

const fn set(name: &'static str, flags: u64, layer: Layer) -> VfsOption {
    VfsOption { name, flags, inverse: false, layer }
}

const fn clear(name: &'static str, flags: u64, layer: Layer) -> VfsOption {
    VfsOption { name, flags, inverse: true, layer }
}

const fn propagation_change(name: &'static str, propagation: Propagation, flags: u64, recursive: bool) -> VfsOption {
    VfsOption { name, flags, inverse: false, layer: Layer::Propagation(propagation, recursive) }
}

/// Every option of the VFS.
pub static VFS: &[VfsOption] = &[
    set("ro", mount::MS_RDONLY, Layer::Attribute(MOUNT_ATTR_RDONLY)),
    clear("rw", mount::MS_RDONLY, Layer::Attribute(MOUNT_ATTR_RDONLY)),
    clear("exec", mount::MS_NOEXEC, Layer::Attribute(MOUNT_ATTR_NOEXEC)),
    set("noexec", mount::MS_NOEXEC, Layer::Attribute(MOUNT_ATTR_NOEXEC)),
    clear("suid", mount::MS_NOSUID, Layer::Attribute(MOUNT_ATTR_NOSUID)),
    set("nosuid", mount::MS_NOSUID, Layer::Attribute(MOUNT_ATTR_NOSUID)),
    clear("dev", mount::MS_NODEV, Layer::Attribute(MOUNT_ATTR_NODEV)),
    set("nodev", mount::MS_NODEV, Layer::Attribute(MOUNT_ATTR_NODEV)),
    clear("symfollow", mount::MS_NOSYMFOLLOW, Layer::Attribute(MOUNT_ATTR_NOSYMFOLLOW)),
    set("nosymfollow", mount::MS_NOSYMFOLLOW, Layer::Attribute(MOUNT_ATTR_NOSYMFOLLOW)),
    clear("atime", mount::MS_NOATIME, Layer::Attribute(MOUNT_ATTR_NOATIME)),
    set("noatime", mount::MS_NOATIME, Layer::Attribute(MOUNT_ATTR_NOATIME)),
    clear("diratime", mount::MS_NODIRATIME, Layer::Attribute(MOUNT_ATTR_NODIRATIME)),
    set("nodiratime", mount::MS_NODIRATIME, Layer::Attribute(MOUNT_ATTR_NODIRATIME)),
    set("relatime", mount::MS_RELATIME, Layer::Attribute(0)),
    clear("norelatime", mount::MS_RELATIME, Layer::Attribute(0)),
    set("strictatime", mount::MS_STRICTATIME, Layer::Attribute(MOUNT_ATTR_STRICTATIME)),
    clear("nostrictatime", mount::MS_STRICTATIME, Layer::Attribute(MOUNT_ATTR_STRICTATIME)),
    set("sync", mount::MS_SYNCHRONOUS, Layer::Superblock),
    clear("async", mount::MS_SYNCHRONOUS, Layer::Superblock),
    set("dirsync", mount::MS_DIRSYNC, Layer::Superblock),
    set("mand", mount::MS_MANDLOCK, Layer::Superblock),
    clear("nomand", mount::MS_MANDLOCK, Layer::Superblock),
    set("lazytime", mount::MS_LAZYTIME, Layer::Superblock),
    clear("nolazytime", mount::MS_LAZYTIME, Layer::Superblock),
    set("silent", mount::MS_SILENT, Layer::Mount2),
    clear("loud", mount::MS_SILENT, Layer::Mount2),
    set("iversion", mount::MS_I_VERSION, Layer::Mount2),
    clear("noiversion", mount::MS_I_VERSION, Layer::Mount2),
    set("remount", mount::MS_REMOUNT, Layer::Operation),
    set("bind", mount::MS_BIND, Layer::Operation),
    set("rbind", mount::MS_BIND | mount::MS_REC, Layer::Operation),
    set("move", mount::MS_MOVE, Layer::Operation),
    propagation_change("unbindable", Propagation::Unbindable, mount::MS_UNBINDABLE, false),
    propagation_change("runbindable", Propagation::Unbindable, mount::MS_UNBINDABLE | mount::MS_REC, true),
    propagation_change("private", Propagation::Private, mount::MS_PRIVATE, false),
    propagation_change("rprivate", Propagation::Private, mount::MS_PRIVATE | mount::MS_REC, true),
    propagation_change("slave", Propagation::Slave, mount::MS_SLAVE, false),
    propagation_change("rslave", Propagation::Slave, mount::MS_SLAVE | mount::MS_REC, true),
    propagation_change("shared", Propagation::Shared, mount::MS_SHARED, false),
    propagation_change("rshared", Propagation::Shared, mount::MS_SHARED | mount::MS_REC, true),
];

const fn user(name: &'static str, family: u8, utab: bool, helper: bool) -> UserspaceOption {
    UserspaceOption { name, family, utab, helper }
}

/// Every option of mount itself.
pub static USERSPACE: &[UserspaceOption] = &[
    user("defaults", 1, false, false),
    user("auto", 2, false, false),
    user("noauto", 2, false, false),
    user("user", 3, true, true),
    user("nouser", 3, false, false),
    user("users", 4, false, true),
    user("nousers", 4, false, false),
    user("owner", 5, false, false),
    user("noowner", 5, false, false),
    user("group", 6, false, false),
    user("nogroup", 6, false, false),
    user("_netdev", 7, true, true),
    user("nofail", 8, false, true),
    user("loop", 9, true, false),
    user("offset", 10, false, false),
    user("sizelimit", 11, false, false),
    user("encryption", 12, false, false),
    user("uhelper", 13, true, true),
    user("helper", 14, true, true),
    user("comment", 0, false, false),
    user("verity.", 0, false, false),
    user("x-", 0, true, false),
    user("X-", 0, false, false),
];

/// Who the option `name` is for.
pub fn meaning(name: &[u8]) -> Meaning {
    if let Some(vfs) = VFS.iter().find(|option| option.name.as_bytes() == name) {
        return Meaning::Vfs(vfs);
    }
    let known = USERSPACE.iter().find(|option| {
        let known = option.name.as_bytes();
        if matches!(known, [.., b'-' | b'.']) { name.starts_with(known) } else { known == name }
    });
    known.map_or(Meaning::Filesystem, Meaning::Userspace)
}
