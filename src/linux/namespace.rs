//! Namespaces: namespaces(7), unshare(2), setns(2), ioctl_nsfs(2).

pub mod idmap;
pub mod netlink;

use crate::credentials::{Pid, Uid};
use crate::raw::{self, NumberCall};
use crate::trace::{FlagNames, Flags, Quoted};
use crate::{Errno, Result, error::Context, file, ioctl};
use libc::{
    CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS,
};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sched::{self, CloneFlags};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A kind of namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Mount points.
    Mount,
    /// Host and domain name.
    Uts,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Network devices, stacks, ports.
    Net,
    /// Process numbers.
    Pid,
    /// User and group numbers, and capabilities over them.
    User,
    /// The root of the cgroup hierarchy.
    Cgroup,
    /// Boot and monotonic clocks.
    Time,
}

/// Every kind.
pub const KINDS: [Kind; 8] =
    [Kind::User, Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Pid, Kind::Mount, Kind::Time];

impl Kind {
    /// The CLONE_NEW* bit.
    pub const fn flag(self) -> i32 {
        match self {
            Kind::Mount => CLONE_NEWNS,
            Kind::Uts => CLONE_NEWUTS,
            Kind::Ipc => CLONE_NEWIPC,
            Kind::Net => CLONE_NEWNET,
            Kind::Pid => CLONE_NEWPID,
            Kind::User => CLONE_NEWUSER,
            Kind::Cgroup => CLONE_NEWCGROUP,
            Kind::Time => CLONE_NEWTIME,
        }
    }

    /// The name of its file in /proc/PID/ns for the process itself.
    pub const fn file(self) -> &'static str {
        match self {
            Kind::Mount => "mnt",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
            Kind::Net => "net",
            Kind::Pid => "pid",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// The file in /proc/PID/ns that names the namespace of future children, since unshare(2) of a PID or time
    /// namespace does not move the caller.
    pub const fn file_for_children(self) -> &'static str {
        match self {
            Kind::Pid => "pid_for_children",
            Kind::Time => "time_for_children",
            other => other.file(),
        }
    }

    /// The kind with this CLONE_NEW* bit.
    pub fn of_flag(flag: i32) -> Option<Kind> {
        KINDS.into_iter().find(|kind| kind.flag() == flag)
    }
}

/// The CLONE_NEW* bits by name.
pub static CLONE_FLAGS: FlagNames = flag_names!(
    CLONE_NEWNS,
    CLONE_NEWCGROUP,
    CLONE_NEWUTS,
    CLONE_NEWIPC,
    CLONE_NEWUSER,
    CLONE_NEWPID,
    CLONE_NEWNET,
    CLONE_NEWTIME
);

fn shown(flags: i32) -> Flags<'static> {
    Flags(u64::from(flags as u32), &CLONE_FLAGS)
}

/// unshare(2) with CLONE_NEW* bits in one call. The kernel makes a user namespace first, so it owns the others.
pub fn unshare(flags: i32) -> Result<()> {
    traced!(unshare_untold(flags), "unshare({})", shown(flags)).context("unshare", "")
}

fn unshare_untold(flags: i32) -> core::result::Result<(), Errno> {
    sched::unshare(CloneFlags::from_bits_retain(flags)).map_err(Errno::from)
}

/// The kinds that unshare(2) refuses, each tried alone in a child that exits at once.
pub fn refused(kinds: &[Kind]) -> Vec<(Kind, Errno)> {
    use crate::process::{Fork, Status, Wait, exit_child, fork, wait};
    let mut refused = Vec::new();
    for kind in kinds {
        match fork() {
            Ok(Fork::Child) => exit_child(match unshare_untold(kind.flag()) {
                Ok(()) => 0,
                Err(errno) => errno.0 as u8,
            }),
            Ok(Fork::Parent(child)) => {
                if let Ok(Status::Exited(errno @ 1..)) = wait(child, Wait::End) {
                    refused.push((*kind, Errno(i32::from(errno))));
                }
            }
            Err(_) => {}
        }
    }
    refused
}

/// setns(2). With a namespace file, `flags` is its kind or 0. With a pidfd, `flags` selects that process's namespaces,
/// and the kernel enters all of them or none.
pub fn setns(descriptor: BorrowedFd<'_>, flags: i32) -> Result<()> {
    let done = sched::setns(descriptor, CloneFlags::from_bits_retain(flags)).map_err(Errno::from);
    traced!(done, "setns({}, {})", descriptor.as_raw_fd(), shown(flags)).context("setns", "")
}

/// Opens a namespace file without blocking on a FIFO in its place, which setns(2) then refuses.
pub fn open(path: impl AsRef<OsStr>) -> Result<OwnedFd> {
    let path = path.as_ref();
    file::open_at(None, path, file::AT_ONCE, 0).context("open", path)
}

/// The path of a process's namespace file.
///
/// ```
/// use linux::process::Pid;
/// assert_eq!(linux::namespace::path(Pid(7), "net"), "/proc/7/ns/net");
/// ```
pub fn path(pid: Pid, file: &str) -> OsString {
    OsString::from(format!("/proc/{pid}/ns/{file}"))
}

/// Which namespace a namespace file is: its device and inode.
pub fn identity(path: impl AsRef<OsStr>) -> Result<(u64, u64)> {
    crate::stat::path(path.as_ref()).map(|stat| stat.identity())
}

/// The inode that names our own namespace of a kind, as in `net:[4026531840]`.
pub fn own(kind: Kind) -> Result<(u64, u64)> {
    identity(format!("/proc/self/ns/{}", kind.file()))
}

/// The namespace of a kind that a child of ours would be in.
pub fn own_for_children(kind: Kind) -> Result<(u64, u64)> {
    identity(format!("/proc/self/ns/{}", kind.file_for_children()))
}

fn ioctl_for_descriptor(fd: BorrowedFd<'_>, request: ioctl::Number, name: &'static str) -> Result<OwnedFd> {
    let got = traced!(ioctl::open(fd, request), "ioctl({}, {name})", fd.as_raw_fd()).context(name, "")?;
    fcntl(&got, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map_err(Errno::from).context("fcntl", "")?;
    Ok(got)
}

/// The user namespace that owns a namespace; for a user namespace, its parent.
pub fn owner(namespace: BorrowedFd<'_>) -> Result<OwnedFd> {
    ioctl_for_descriptor(namespace, ioctl::NS_GET_USERNS, "NS_GET_USERNS")
}

/// The parent of a user or PID namespace.
pub fn parent(namespace: BorrowedFd<'_>) -> Result<OwnedFd> {
    ioctl_for_descriptor(namespace, ioctl::NS_GET_PARENT, "NS_GET_PARENT")
}

/// The user who made a user namespace, as our user namespace calls them.
pub fn creator(user_namespace: BorrowedFd<'_>) -> Result<Uid> {
    let mut uid = 0_u32;
    ioctl::on(user_namespace, ioctl::NS_GET_OWNER_UID, &mut uid).context("NS_GET_OWNER_UID", "").map(|()| Uid(uid))
}

/// The network namespace of a socket.
pub fn of_socket(socket: BorrowedFd<'_>) -> Result<OwnedFd> {
    ioctl_for_descriptor(socket, ioctl::SIOCGSKNS, "SIOCGSKNS")
}

/// The kind of an open namespace file.
///
/// ```
/// use linux::namespace::{Kind, kind, open};
/// use std::os::fd::AsFd;
/// assert_eq!(kind(open("/proc/self/ns/uts")?.as_fd())?, Kind::Uts);
/// # Ok::<(), linux::Error>(())
/// ```
pub fn kind(namespace: BorrowedFd<'_>) -> Result<Kind> {
    let flag = ioctl::number(namespace, ioctl::NS_GET_NSTYPE, 0).context("NS_GET_NSTYPE", "")?;
    Kind::of_flag(flag).ok_or_else(|| crate::Error::new("NS_GET_NSTYPE", "", Errno::EINVAL))
}

/// The kernel's 64-bit id of a namespace, which is never reused (Linux 6.18).
pub fn id(namespace: BorrowedFd<'_>) -> Result<u64> {
    let mut id = 0_u64;
    ioctl::on(namespace, ioctl::NS_GET_ID, &mut id).context("NS_GET_ID", "").map(|()| id)
}

/// The id of our own mount namespace.
pub fn mount_id() -> Result<u64> {
    open(format!("/proc/self/ns/{}", Kind::Mount.file())).and_then(|file| id(file.as_fd()))
}

/// How many ids a processor reserves at once for the namespaces that are made on it.
const IDS_OF_A_PROCESSOR: usize = 4096;

/// Makes mount namespaces, each replacing the one before, until ours has an id greater than `outer`.
///
/// The kernel lets a mount namespace be bound on a file only in a namespace with a smaller id. Since Linux 6.18 each
/// processor has its own reserve of ids, so a later namespace may get a smaller one. Each permitted processor is
/// tried, and then the last one until it reserves new ids, which exceed all others. If a call fails, the namespace
/// stays as it is and the bind will be refused. The processor affinity is restored.
pub fn outnumber(outer: u64) -> Result<()> {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;
    let is_less = || mount_id().is_ok_and(|own| own < outer);
    let this = Pid::from_raw(0);
    if !is_less() {
        return Ok(());
    }
    let Ok(allowed) = sched_getaffinity(this) else { return Ok(()) };
    let run_on = |set: &CpuSet| {
        let done = sched_setaffinity(this, set).map_err(Errno::from);
        traced!(done, "sched_setaffinity(0, ...)").context("sched_setaffinity", "")
    };
    let alone = |processor: usize| {
        let mut set = CpuSet::new();
        let is_allowed = allowed.is_set(processor).unwrap_or_default() && set.set(processor).is_ok();
        is_allowed && run_on(&set).is_ok()
    };
    let more = || is_less() && unshare(Kind::Mount.flag()).is_ok();
    for _ in (0..CpuSet::count()).filter(|processor| alone(*processor)) {
        if !more() {
            break;
        }
    }
    for _ in 0..IDS_OF_A_PROCESSOR {
        if !more() {
            break;
        }
    }
    run_on(&allowed)
}

/// Opens a namespace by its 64-bit id. `ESTALE`: none that we may see. `ENOSYS`: the kernel has no ids, or (Linux
/// 6.18) cannot open one by its id alone.
pub fn open_by_id(id: u64) -> Result<OwnedFd> {
    let opened = open_handle(id);
    let Err(error) = &opened else { return opened };
    let lacks = match error.errno {
        // Is it the id, or can one's own namespace not be opened either?
        Errno::ESTALE => open(format!("/proc/self/ns/{}", Kind::Uts.file()))
            .and_then(|own| self::id(own.as_fd()))
            .is_ok_and(|own| open_handle(own).is_err()),
        Errno::EBADF | Errno::EOPNOTSUPP => true,
        _ => false,
    };
    if lacks { Err(Errno::ENOSYS).context("open_by_handle_at", id.to_string()) } else { opened }
}

/// open_by_handle_at(2) on nsfs.
fn open_handle(id: u64) -> Result<OwnedFd> {
    /// `struct file_handle` with nsfs's `struct nsfs_file_handle` in it.
    #[repr(C)]
    struct Handle {
        bytes: u32,
        kind: i32,
        id: u64,
        /// Namespace type and inode: zero says that any will do.
        nstype: u32,
        inode: u32,
    }
    const FILEID_NSFS: i32 = 0xf1;
    const FD_NSFS_ROOT: i32 = -10003;
    let mut handle = Handle { bytes: 16, kind: FILEID_NSFS, id, nstype: 0, inode: 0 };
    // nix lacks it.
    // SAFETY: `handle` is laid out as the kernel reads it and lives until the call returns.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_open_by_handle_at,
            FD_NSFS_ROOT,
            (&raw mut handle).cast::<core::ffi::c_void>(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        )
    };
    traced!(raw::owned(fd as i32), "open_by_handle_at(FD_NSFS_ROOT, id {id}, O_RDONLY)")
        .context("open_by_handle_at", id.to_string())
}

/// A copy of descriptor `fd` of another process: pidfd_getfd(2).
pub fn descriptor_of(pidfd: BorrowedFd<'_>, fd: i32) -> Result<OwnedFd> {
    let got = NumberCall::PIDFD_GETFD.open([pidfd.as_raw_fd().into(), fd.into(), 0]);
    traced!(got, "pidfd_getfd({}, {fd}, 0)", pidfd.as_raw_fd())
        .map_err(|errno| crate::filtered::unless_filtered(libc::SYS_pidfd_getfd, errno))
        .context("pidfd_getfd", fd.to_string())
}

/// Writes a text to a file of /proc in one write(2), which the kernel requires for maps and offsets. The error's
/// `call` is `open` or `write`.
pub fn write_file(path: impl AsRef<OsStr>, text: &[u8]) -> Result<()> {
    write_path(path.as_ref(), text)
}

fn write_path(path: &OsStr, text: &[u8]) -> Result<()> {
    let file = file::open_at(None, path, libc::O_WRONLY, 0).context("open", path)?;
    let wrote = raw::write_once(file.as_fd(), text);
    traced!(wrote, "write({}, {})", Quoted::new(path), Quoted(text)).context("write", path).map(drop)
}

/// The clocks of a time namespace, by their number in `timens_offsets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// CLOCK_MONOTONIC.
    Monotonic = 1,
    /// CLOCK_BOOTTIME.
    Boottime = 7,
}

/// Sets the offset, in seconds, of a clock in the time namespace of our future children: time_namespaces(7).
pub fn set_clock_offset(clock: Clock, seconds: i64) -> Result<()> {
    write_file("/proc/self/timens_offsets", format!("{} {seconds} 0", clock as i32).as_bytes())
}
