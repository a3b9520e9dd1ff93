//! Mounts: mount(2), umount(2), and the descriptor-based calls since Linux 5.2: fsopen(2), open_tree(2),
//! move_mount(2), mount_setattr(2).
//!
//! Callers prefer [`api`]: the kernel reports what failed in its own messages, and a mount becomes visible only when
//! it is finished. [`mount2`] is for kernels without these calls.

pub mod api;
pub mod appeared;
pub mod btrfs;
pub mod filesystems;
pub mod fstab;
pub mod helper;
pub mod holders;
pub mod listmount;
pub mod loopdev;
pub mod mountinfo;
pub mod options;
pub mod other_namespace;
pub mod probe;
pub mod propagation;
pub mod remount;
pub mod statmount;
pub mod subdirectory;
pub mod table;
mod unmount;
pub mod utab;
pub mod watch;

pub use unmount::{detach, unmount};

use crate::trace::{self, FlagNames};
use crate::{Errno, Result, error::Context, raw};
use nix::mount::{MntFlags, MsFlags};
use nix::unistd::{SysconfVar, sysconf};
use std::ffi::OsStr;

/// Read-only.
pub const MS_RDONLY: u64 = 1;
/// Ignore set-user-ID bits and file capabilities.
pub const MS_NOSUID: u64 = 2;
/// Refuse device files.
pub const MS_NODEV: u64 = 4;
/// Refuse to execute programs.
pub const MS_NOEXEC: u64 = 8;
/// Write through.
pub const MS_SYNCHRONOUS: u64 = 16;
/// Change the flags of an existing mount.
pub const MS_REMOUNT: u64 = 32;
/// Allow mandatory locks.
pub const MS_MANDLOCK: u64 = 64;
/// Write directories through.
pub const MS_DIRSYNC: u64 = 128;
/// Do not follow symbolic links.
pub const MS_NOSYMFOLLOW: u64 = 256;
/// Do not update access times.
pub const MS_NOATIME: u64 = 1024;
/// Do not update access times of directories.
pub const MS_NODIRATIME: u64 = 2048;
/// Show a tree at a second place.
pub const MS_BIND: u64 = 4096;
/// Move a tree.
pub const MS_MOVE: u64 = 8192;
/// With MS_BIND and the propagation flags: the whole tree below, too.
pub const MS_REC: u64 = 16384;
/// Fewer messages in the kernel log.
pub const MS_SILENT: u64 = 32768;
/// Propagation: unbindable.
pub const MS_UNBINDABLE: u64 = 1 << 17;
/// Propagation: private.
pub const MS_PRIVATE: u64 = 1 << 18;
/// Propagation: slave.
pub const MS_SLAVE: u64 = 1 << 19;
/// Propagation: shared.
pub const MS_SHARED: u64 = 1 << 20;
/// Update access times relative to modification times.
pub const MS_RELATIME: u64 = 1 << 21;
/// Count inode versions.
pub const MS_I_VERSION: u64 = 1 << 23;
/// Always update access times.
pub const MS_STRICTATIME: u64 = 1 << 24;
/// Keep access times in memory for a while.
pub const MS_LAZYTIME: u64 = 1 << 25;

/// The MS_ flags by name.
pub static FLAG_NAMES: FlagNames = flag_names!(
    MS_RDONLY,
    MS_NOSUID,
    MS_NODEV,
    MS_NOEXEC,
    MS_SYNCHRONOUS,
    MS_REMOUNT,
    MS_MANDLOCK,
    MS_DIRSYNC,
    MS_NOSYMFOLLOW,
    MS_NOATIME,
    MS_NODIRATIME,
    MS_BIND,
    MS_MOVE,
    MS_REC,
    MS_SILENT,
    MS_UNBINDABLE,
    MS_PRIVATE,
    MS_SLAVE,
    MS_SHARED,
    MS_RELATIME,
    MS_I_VERSION,
    MS_STRICTATIME,
    MS_LAZYTIME
);

/// umount2(2): abort requests that wait (network file systems).
pub const MNT_FORCE: u64 = 1;
/// umount2(2): detach now, clean up when it is no longer busy.
pub const MNT_DETACH: u64 = 2;
/// umount2(2): do not follow the target if it is a symbolic link.
pub const UMOUNT_NOFOLLOW: u64 = 8;

/// The MNT_ and UMOUNT_ flags by name.
pub static UMOUNT_NAMES: FlagNames = flag_names!(MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW);

/// How mounts and unmounts propagate between the peers of a mount: mount_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// Nothing spreads.
    Private,
    /// Both ways, among the peers.
    Shared,
    /// From the master to here only.
    Slave,
    /// Nothing spreads, and the mount cannot be bound elsewhere.
    Unbindable,
}

impl Propagation {
    /// The MS_ flag, which mount_setattr(2) takes, too.
    pub fn flag(self) -> u64 {
        match self {
            Propagation::Private => MS_PRIVATE,
            Propagation::Shared => MS_SHARED,
            Propagation::Slave => MS_SLAVE,
            Propagation::Unbindable => MS_UNBINDABLE,
        }
    }
}

/// mount(2), with an absent string as a null pointer. The error's object is the target.
pub fn mount2(
    source: Option<&OsStr>,
    target: &OsStr,
    fstype: Option<&OsStr>,
    flags: u64,
    data: Option<&OsStr>,
) -> Result<()> {
    let string = |text: Option<&OsStr>| text.map(raw::cstring).transpose().context("mount", target);
    let (c_source, c_type, c_data) = (string(source)?, string(fstype)?, string(data)?);
    let c_target = raw::cstring(target).context("mount", target)?;
    let done = nix::mount::mount(
        c_source.as_deref(),
        c_target.as_c_str(),
        c_type.as_deref(),
        MsFlags::from_bits_retain(flags),
        c_data.as_deref(),
    );
    let done = done.map_err(Errno::from);
    traced!(
        done,
        "mount({}, {}, {}, {}, {})",
        trace::Optional(source),
        trace::Quoted::new(target),
        trace::Optional(fstype),
        trace::Flags(flags, &FLAG_NAMES),
        trace::Optional(data)
    )
    .context("mount", target)
}

/// The most bytes of options that mount(2) takes: a page with its final NUL. The kernel silently cuts off the rest.
pub fn data_limit() -> usize {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    page.and_then(|page| usize::try_from(page).ok()).unwrap_or(4096).saturating_sub(1)
}

/// umount2(2); `flags` are of MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW.
pub fn umount2(target: &OsStr, flags: u64) -> Result<()> {
    let c_target = raw::cstring(target).context("umount2", target)?;
    let done = nix::mount::umount2(c_target.as_c_str(), MntFlags::from_bits_retain(flags as i32)).map_err(Errno::from);
    traced!(done, "umount2({}, {})", trace::Quoted::new(target), trace::Flags(flags, &UMOUNT_NAMES))
        .context("umount2", target)
}

/// Mounts a new proc at `target`, for the PID namespace that we are in.
pub fn mount_proc(target: impl AsRef<OsStr>) -> Result<()> {
    let (source, fstype) = (Some(OsStr::new("proc")), Some(OsStr::new("proc")));
    mount2(source, target.as_ref(), fstype, MS_NOSUID | MS_NOEXEC | MS_NODEV, None)
}

/// Mounts binfmt_misc at `target`, for the user namespace that we are in (Linux 6.7).
pub fn mount_binfmt_misc(target: impl AsRef<OsStr>) -> Result<()> {
    let (source, fstype) = (Some(OsStr::new("binfmt_misc")), Some(OsStr::new("binfmt_misc")));
    mount2(source, target.as_ref(), fstype, MS_NOSUID | MS_NOEXEC | MS_NODEV, None)
}

/// Binds a namespace file on another file: a bind mount of `/proc/PID/ns/net` keeps the namespace alive.
pub fn bind_file(source: impl AsRef<OsStr>, target: impl AsRef<OsStr>) -> Result<()> {
    mount2(Some(source.as_ref()), target.as_ref(), None, MS_BIND, None)
}
