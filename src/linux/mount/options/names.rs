//! The names of mount options and what each one is for: mount(8),
//! "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", and mount_setattr(2).

use crate::mount::api::{
    MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use crate::mount::{self, Propagation};

/// Who an option is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The VFS.
    Vfs(&'static VfsOption),
    /// mount itself, or a comment; it never reaches the kernel.
    Userspace(&'static UserspaceOption),
    /// The file system.
    Filesystem,
}

/// An option of the VFS.
#[derive(Debug, PartialEq, Eq)]
pub struct VfsOption {
    /// The MS_ flags of mount(2) that it sets, or clears if it is an inverse.
    pub flags: u32,
    /// Whether it clears.
    pub inverse: bool,
    /// What it is about.
    pub layer: Layer,
}

/// What an option of the VFS is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// An attribute of the mount, MOUNT_ATTR_ bits.
    Attribute(u32),
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
    /// Whether it is one of the options about access times, which exclude each other.
    pub fn is_access_time(&self) -> bool {
        u64::from(self.flags) & (mount::MS_NOATIME | mount::MS_RELATIME | mount::MS_STRICTATIME) != 0
    }

    /// Whether mount.TYPE programs are given it. Options that only restore a default are left out.
    pub fn is_shown(&self) -> bool {
        !matches!(self.layer, Layer::Propagation(..))
    }
}

/// An option of mount itself.
#[derive(Debug, PartialEq, Eq)]
pub struct UserspaceOption {
    /// Options of the same family exclude each other; 0: of no family.
    pub family: u8,
    /// Whether utab keeps it for umount and remount.
    pub utab: bool,
    /// Whether mount.TYPE programs get to see it.
    pub helper: bool,
}

/// Attributes that a remount by mount(2) clears unless they are given again.
pub const RESET_BY_REMOUNT: u64 =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

const fn attribute(bits: u64) -> Layer {
    Layer::Attribute(bits as u32)
}

const fn set(flags: u64, layer: Layer) -> VfsOption {
    VfsOption { flags: flags as u32, inverse: false, layer }
}

const fn clear(flags: u64, layer: Layer) -> VfsOption {
    VfsOption { flags: flags as u32, inverse: true, layer }
}

const fn propagation_change(propagation: Propagation, flags: u64, recursive: bool) -> VfsOption {
    VfsOption { flags: flags as u32, inverse: false, layer: Layer::Propagation(propagation, recursive) }
}

/// A table, and the names of its rows in one text, one per line: the linker would have to relocate a pointer to each
/// name at each start.
macro_rules! named {
    ($(#[$doc:meta])* $rows:ident: $row:ty, $names:ident; $($name:literal => $value:expr,)*) => {
        $(#[$doc])*
        pub static $rows: &[$row] = &[$($value),*];
        /// The names of its rows.
        pub static $names: &str = concat!($($name, "\n"),*);
    };
}

named! {
    /// Every option of the VFS.
    VFS: VfsOption, VFS_NAMES;
    "ro" => set(mount::MS_RDONLY, attribute(MOUNT_ATTR_RDONLY)),
    "rw" => clear(mount::MS_RDONLY, attribute(MOUNT_ATTR_RDONLY)),
    "exec" => clear(mount::MS_NOEXEC, attribute(MOUNT_ATTR_NOEXEC)),
    "noexec" => set(mount::MS_NOEXEC, attribute(MOUNT_ATTR_NOEXEC)),
    "suid" => clear(mount::MS_NOSUID, attribute(MOUNT_ATTR_NOSUID)),
    "nosuid" => set(mount::MS_NOSUID, attribute(MOUNT_ATTR_NOSUID)),
    "dev" => clear(mount::MS_NODEV, attribute(MOUNT_ATTR_NODEV)),
    "nodev" => set(mount::MS_NODEV, attribute(MOUNT_ATTR_NODEV)),
    "symfollow" => clear(mount::MS_NOSYMFOLLOW, attribute(MOUNT_ATTR_NOSYMFOLLOW)),
    "nosymfollow" => set(mount::MS_NOSYMFOLLOW, attribute(MOUNT_ATTR_NOSYMFOLLOW)),
    "atime" => clear(mount::MS_NOATIME, attribute(MOUNT_ATTR_NOATIME)),
    "noatime" => set(mount::MS_NOATIME, attribute(MOUNT_ATTR_NOATIME)),
    "diratime" => clear(mount::MS_NODIRATIME, attribute(MOUNT_ATTR_NODIRATIME)),
    "nodiratime" => set(mount::MS_NODIRATIME, attribute(MOUNT_ATTR_NODIRATIME)),
    "relatime" => set(mount::MS_RELATIME, attribute(0)),
    "norelatime" => clear(mount::MS_RELATIME, attribute(0)),
    "strictatime" => set(mount::MS_STRICTATIME, attribute(MOUNT_ATTR_STRICTATIME)),
    "nostrictatime" => clear(mount::MS_STRICTATIME, attribute(MOUNT_ATTR_STRICTATIME)),
    "sync" => set(mount::MS_SYNCHRONOUS, Layer::Superblock),
    "async" => clear(mount::MS_SYNCHRONOUS, Layer::Superblock),
    "dirsync" => set(mount::MS_DIRSYNC, Layer::Superblock),
    "mand" => set(mount::MS_MANDLOCK, Layer::Superblock),
    "nomand" => clear(mount::MS_MANDLOCK, Layer::Superblock),
    "lazytime" => set(mount::MS_LAZYTIME, Layer::Superblock),
    "nolazytime" => clear(mount::MS_LAZYTIME, Layer::Superblock),
    "silent" => set(mount::MS_SILENT, Layer::Mount2),
    "loud" => clear(mount::MS_SILENT, Layer::Mount2),
    "iversion" => set(mount::MS_I_VERSION, Layer::Mount2),
    "noiversion" => clear(mount::MS_I_VERSION, Layer::Mount2),
    "remount" => set(mount::MS_REMOUNT, Layer::Operation),
    "bind" => set(mount::MS_BIND, Layer::Operation),
    "rbind" => set(mount::MS_BIND | mount::MS_REC, Layer::Operation),
    "move" => set(mount::MS_MOVE, Layer::Operation),
    "unbindable" => propagation_change(Propagation::Unbindable, mount::MS_UNBINDABLE, false),
    "runbindable" => propagation_change(Propagation::Unbindable, mount::MS_UNBINDABLE | mount::MS_REC, true),
    "private" => propagation_change(Propagation::Private, mount::MS_PRIVATE, false),
    "rprivate" => propagation_change(Propagation::Private, mount::MS_PRIVATE | mount::MS_REC, true),
    "slave" => propagation_change(Propagation::Slave, mount::MS_SLAVE, false),
    "rslave" => propagation_change(Propagation::Slave, mount::MS_SLAVE | mount::MS_REC, true),
    "shared" => propagation_change(Propagation::Shared, mount::MS_SHARED, false),
    "rshared" => propagation_change(Propagation::Shared, mount::MS_SHARED | mount::MS_REC, true),
}

const fn user(family: u8, utab: bool, helper: bool) -> UserspaceOption {
    UserspaceOption { family, utab, helper }
}

named! {
    /// Every option of mount itself. A name that ends with a dash or a dot is a prefix of names.
    USERSPACE: UserspaceOption, USERSPACE_NAMES;
    "defaults" => user(1, false, false),
    "auto" => user(2, false, false),
    "noauto" => user(2, false, false),
    "user" => user(3, true, true),
    "nouser" => user(3, false, true),
    "users" => user(4, false, true),
    "nousers" => user(4, false, true),
    "owner" => user(5, false, false),
    "noowner" => user(5, false, true),
    "group" => user(6, false, false),
    "nogroup" => user(6, false, true),
    "_netdev" => user(7, true, true),
    "nofail" => user(8, false, true),
    "loop" => user(9, true, false),
    "offset" => user(10, false, false),
    "sizelimit" => user(11, false, false),
    "encryption" => user(12, false, false),
    "uhelper" => user(13, true, true),
    "helper" => user(14, true, true),
    "comment" => user(0, false, false),
    "verity." => user(0, false, false),
    "x-" => user(0, true, false),
    "X-" => user(0, false, false),
}

/// Who the option `name` is for.
pub fn meaning(name: &[u8]) -> Meaning {
    for (option, known) in VFS.iter().zip(lines(VFS_NAMES)) {
        if known == name {
            return Meaning::Vfs(option);
        }
    }
    for (option, known) in USERSPACE.iter().zip(lines(USERSPACE_NAMES)) {
        if if matches!(known, [.., b'-' | b'.']) { name.starts_with(known) } else { known == name } {
            return Meaning::Userspace(option);
        }
    }
    Meaning::Filesystem
}

/// The lines of a text, as bytes: a search for a character costs several times as much, and this is done for each option.
fn lines(text: &'static str) -> impl Iterator<Item = &'static [u8]> {
    text.as_bytes().split(|byte| *byte == b'\n')
}
