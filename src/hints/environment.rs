//! What can be seen of this machine, in bounds of size and time.

use linux::caps::{self, CapSet, Sets};
use linux::credentials::Uid;
use linux::mount::holders::{self, HeldMount, Holders};
use linux::mount::probe::{self, Probed};
use linux::mount::statmount::{self, MountId};
use linux::mount::table::{self, Table};
use linux::namespace::Kind as NamespaceKind;
use linux::process::Pid;
use linux::{Errno, file, stat};
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How much of a file is read, in bytes.
pub const LIMIT: usize = 4096;
/// The most bytes that are read of the mount table: some ten thousand mounts.
const TABLE_LIMIT: usize = 2 << 20;
/// How long a scan of /proc may take.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long the hints of a command with several failures may take in all, once the first has been explained.
const PATIENCE_FOR_MORE: Duration = Duration::from_millis(20);

/// What the hints have taken so far, in microseconds.
static SPENT: AtomicU64 = AtomicU64::new(0);

/// How long the next hints may take; `None` if the time is used up.
pub(crate) fn time_left() -> Option<Duration> {
    match SPENT.load(Ordering::Relaxed) {
        0 => Some(PATIENCE),
        spent => PATIENCE_FOR_MORE.checked_sub(Duration::from_micros(spent)),
    }
}

/// Adds the time that hints took.
pub(crate) fn spend(time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    SPENT.store(SPENT.load(Ordering::Relaxed).saturating_add(micros.max(1)), Ordering::Relaxed);
}

/// What kind of file something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A block device.
    BlockDevice,
    /// Anything else.
    Other,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its kind.
    pub kind: Kind,
    /// Device and inode.
    pub identity: (u64, u64),
    /// Permission bits.
    pub mode: u32,
}

/// The privileges of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// The effective user.
    pub euid: Uid,
    /// Effective, permitted, inheritable.
    pub sets: Sets,
    /// The bounding set.
    pub bounding: CapSet,
}

/// What the superblock of a device or image says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Superblock {
    /// A file system, or something else with a name.
    Of(String),
    /// Nothing that is known.
    Unknown,
}

/// What a diagnosis may ask of the machine.
pub trait Environment {
    /// The beginning of a regular file; `None` if it cannot be read.
    fn file(&self, path: &OsStr) -> Option<Vec<u8>>;
    /// What a path leads to.
    fn node(&self, path: &OsStr) -> Option<Node>;
    /// Where a symbolic link leads, if it is one.
    fn link(&self, path: &OsStr) -> Option<OsString>;
    /// The path without symbolic links.
    fn canonical(&self, path: &OsStr) -> Option<OsString>;
    /// The table of mounts that we see.
    fn mounts(&self) -> Option<Table>;
    /// The mount that a path is on.
    fn mount_of(&self, path: &OsStr) -> Option<MountId>;
    /// Whether the mount that a path is on is noexec, also where there is no /proc to read the mount table from.
    fn is_on_noexec(&self, path: &OsStr) -> bool;
    /// Our own privileges.
    fn privileges(&self) -> Option<Privileges>;
    /// What a device or image begins with.
    fn superblock(&self, path: &OsStr) -> Option<Superblock>;
    /// The inode of a namespace. On one processor namespaces made later have greater numbers.
    fn namespace_id(&self, path: &OsStr) -> Option<u64>;
    /// Whether the namespace of a kind that we are in belongs to the user namespace that we are in.
    fn owns(&self, kind: NamespaceKind) -> Option<bool>;
    /// Processes that use these mounts.
    fn holders(&self, wanted: &[HeldMount]) -> Holders;
    /// The process that called us.
    fn parent(&self) -> Pid;
    /// The version of the kernel.
    fn release(&self) -> OsString;

    /// How many ids a file such as /etc/subuid gives to our user.
    fn subordinate_ids(&self, path: &str) -> u64;
    /// The first id that nobody was given by such a file.
    fn free_id(&self) -> u32;
    /// Whether a file can be written to.
    fn may_write(&self, path: &OsStr) -> bool;
    /// Whether a program's file gives whoever runs it more privilege: its set-user-ID bit or its capabilities.
    fn gives_privilege(&self, path: &OsStr) -> bool;
    /// The error of the mount API of Linux 5.2, if it is missing or forbidden.
    fn new_mount_api(&self) -> Option<Errno>;

    /// The kernel's version and patchlevel.
    fn version(&self) -> (u64, u64) {
        let text = self.release();
        let mut numbers = text
            .as_encoded_bytes()
            .split(|byte| !byte.is_ascii_digit())
            .map(|part| cli::number::decimal(part).unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// Whether a path leads to something.
    fn exists(&self, path: &OsStr) -> bool {
        self.node(path).is_some()
    }

    /// The number that a file has in its first line.
    fn number(&self, path: &str) -> Option<u64> {
        cli::number::decimal(self.file(OsStr::new(path))?.trim_ascii())
    }

    /// What follows `name` in its line of a file, without spaces around.
    fn line(&self, path: &str, name: &str) -> Option<Vec<u8>> {
        let file = self.file(OsStr::new(path))?;
        let mut lines = file.split(|byte| *byte == b'\n');
        lines.find_map(|line| line.strip_prefix(name.as_bytes())).map(|rest| rest.trim_ascii().to_vec())
    }

    /// Whether our capabilities hold only inside a user namespace other than the first.
    fn in_user_namespace(&self) -> bool {
        let whole = b"         0          0 4294967295\n";
        self.file(OsStr::new("/proc/self/uid_map")).is_some_and(|map| map != whole)
    }
}

/// The machine we run on.
pub struct Here;

impl Environment for Here {
    fn file(&self, path: &OsStr) -> Option<Vec<u8>> {
        file::read_head(path, LIMIT).ok()
    }

    fn node(&self, path: &OsStr) -> Option<Node> {
        let stat = stat::path(path).ok()?;
        let kind = match () {
            () if stat.is_regular() => Kind::Regular,
            () if stat.is_directory() => Kind::Directory,
            () if stat.is_block_device() => Kind::BlockDevice,
            () => Kind::Other,
        };
        Some(Node { kind, identity: stat.identity(), mode: stat.mode() })
    }

    fn link(&self, path: &OsStr) -> Option<OsString> {
        linux::link::read(path).ok()
    }

    fn canonical(&self, path: &OsStr) -> Option<OsString> {
        linux::directory::canonical(path).ok()
    }

    fn mounts(&self) -> Option<Table> {
        file::read_file(table::SELF, TABLE_LIMIT).ok().map(Table::from_text)
    }

    fn mount_of(&self, path: &OsStr) -> Option<MountId> {
        statmount::mountinfo_id(None, path, 0).ok()
    }

    fn is_on_noexec(&self, path: &OsStr) -> bool {
        linux::executable::is_on_noexec(path)
    }

    fn privileges(&self) -> Option<Privileges> {
        let sets = caps::get(Pid::SELF).ok()?;
        let bounding = caps::bounding(caps::count()).ok()?;
        Some(Privileges { euid: linux::credentials::effective_uid(), sets, bounding })
    }

    fn superblock(&self, path: &OsStr) -> Option<Superblock> {
        match probe::device(path).ok()? {
            Probed::One(found) => Some(Superblock::Of(found.fstype.to_string())),
            Probed::Nothing => Some(Superblock::Unknown),
            _ => None,
        }
    }

    fn namespace_id(&self, path: &OsStr) -> Option<u64> {
        use std::os::fd::AsFd;
        linux::namespace::open(path).and_then(|file| linux::namespace::id(file.as_fd())).ok()
    }

    fn owns(&self, kind: NamespaceKind) -> Option<bool> {
        use std::os::fd::AsFd;
        let own = linux::namespace::open(format!("/proc/self/ns/{}", kind.file())).ok()?;
        match linux::namespace::owner(own.as_fd()) {
            Ok(owner) => {
                let user = linux::namespace::own(NamespaceKind::User).ok()?;
                Some(stat::of(owner.as_fd()).ok()?.identity() == user)
            }
            // EPERM if the owner is outside of our user namespace.
            Err(error) => (error.errno == Errno::EPERM).then_some(false),
        }
    }

    fn holders(&self, wanted: &[HeldMount]) -> Holders {
        let (started, patience) = (Instant::now(), time_left().unwrap_or_default());
        holders::of_mounts(OsStr::new("/proc"), wanted, &mut || started.elapsed() > patience)
    }

    fn parent(&self) -> Pid {
        linux::process::parent()
    }

    fn release(&self) -> OsString {
        linux::system::release()
    }

    fn subordinate_ids(&self, path: &str) -> u64 {
        let uid = linux::credentials::real_uid();
        let user = linux::accounts::passwd_by_uid(uid);
        let ranges = linux::accounts::subordinate_ids(path, user.as_ref().map(|user| user.name.as_os_str()), uid);
        ranges.unwrap_or_default().iter().map(|range| u64::from(range.count)).sum()
    }

    fn free_id(&self) -> u32 {
        linux::accounts::free_subordinate_id()
    }

    fn may_write(&self, path: &OsStr) -> bool {
        linux::process::is_writable(path)
    }

    fn gives_privilege(&self, path: &OsStr) -> bool {
        const SET_USER_ID: u32 = 0o4000;
        self.node(path).is_some_and(|node| node.kind == Kind::Regular && node.mode & SET_USER_ID != 0)
            || linux::caps::file::File::open_target(path).and_then(|file| file.get()).is_ok()
    }

    fn new_mount_api(&self) -> Option<Errno> {
        // Without OPEN_TREE_CLONE the call only opens the directory.
        linux::mount::api::open_tree(None, OsStr::new("/"), 0).err().map(|error| error.errno)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_4_kib_of_a_file_are_read_and_nothing_but_files() {
        let head = |path: &str| Here.file(OsStr::new(path)).map(|head| head.len());
        assert_eq!(head("/proc/self/exe"), Some(4096));
        for endless in ["/dev/zero", "/dev/tty", "/proc", "/none"] {
            assert_eq!(head(endless), None, "{endless}");
        }
    }

    #[test]
    fn the_first_scan_of_proc_has_200_ms_and_all_hints_that_follow_20() {
        assert_eq!((PATIENCE.as_millis(), time_left()), (200, Some(PATIENCE)));
        spend(Duration::from_millis(5));
        assert_eq!(time_left(), Some(Duration::from_millis(15)));
        spend(Duration::from_millis(16));
        assert_eq!(time_left(), None);
        SPENT.store(0, Ordering::Relaxed);
        crate::diagnosis::one_of_many();
        assert!(time_left() < Some(PATIENCE_FOR_MORE));
    }
}
