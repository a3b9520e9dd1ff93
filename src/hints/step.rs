//! The steps of commands that can fail, as a diagnosis sees them.

use linux::Errno;
use linux::caps::{Cap, CapSet};
use linux::mount::options::operation::Mounting;
use linux::namespace::Kind;
use linux::process::{ExecError, Pid};
use std::ffi::{OsStr, OsString};

/// A step that failed.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// unshare(2) of these kinds.
    Unshare {
        /// All that were asked for.
        kinds: &'a [Kind],
        /// Those that are refused when each is tried alone, with the error.
        refused: &'a [(Kind, Errno)],
    },
    /// Writing uid_map or gid_map, from inside or from outside.
    Map,
    /// Changing the propagation of every mount.
    Propagate,
    /// Mounting proc.
    MountProc {
        /// Where.
        directory: &'a OsStr,
        /// The new root, if the directory is in one.
        root: Option<&'a OsStr>,
    },
    /// chroot(2) to this directory.
    Chroot(&'a OsStr),
    /// pivot_root(2).
    Pivot {
        /// What is to become the root.
        new_root: &'a OsStr,
    },
    /// switch_root's move of this mount: the new root over the old one, or /proc and the like into it.
    MoveRoot(&'a OsStr),
    /// Looking for the first program in the new root.
    FindInit(&'a OsStr),
    /// Looking for a process.
    FindProcess(Pid),
    /// Opening a namespace file.
    OpenNamespace,
    /// open_by_handle_at(2) of a namespace by its id.
    OpenById,
    /// Asking a descriptor for its network namespace.
    OfSocket,
    /// setns(2).
    Enter {
        /// To a namespace of this kind.
        kind: Kind,
        /// What the descriptor is; `None`: no namespace.
        found: Option<Kind>,
    },
    /// setgroups(2), setgid(2) or setuid(2), after entering namespaces.
    BecomeInside {
        /// Whether a user namespace is among them.
        user_entered: bool,
    },
    /// fork(2).
    Fork,
    /// Binding a namespace on a file.
    Keep {
        /// Of this kind.
        kind: Kind,
        /// Its own file.
        namespace: &'a OsStr,
        /// The file that is to keep it.
        file: &'a OsStr,
        /// Whether we fork, so that a PID namespace has its first process.
        forks: bool,
    },
    /// execve(2).
    Exec(&'a ExecError),
    /// mount(2), or the calls of the new mount API.
    Mount(&'a Mounting<'a>),
    /// umount2(2).
    Unmount(&'a OsStr),
    /// umount2(2) of these, which were busy.
    Busy(&'a [OsString]),
    /// setresuid(2), setresgid(2), setgroups(2) and the like, which take this capability.
    SetIds(Cap),
    /// Making a capability effective that this command needs.
    Raise(Cap),
    /// Setting or removing the capabilities of a file.
    SetCapability {
        /// The file.
        path: &'a OsStr,
        /// For the user namespaces whose root is this user.
        rootid: u32,
    },
    /// capset(2) with these permitted or effective.
    SetSets(CapSet),
    /// capset(2) with these inheritable.
    SetInheritable(CapSet),
    /// Making this one ambient.
    RaiseAmbient(Cap),
    /// Setting an IAB tuple with these ambient and these blocked.
    SetIab {
        /// Made ambient.
        ambient: CapSet,
        /// Dropped from the bounding set.
        blocked: CapSet,
    },
    /// Dropping this one from the bounding set.
    Drop(Cap),
    /// What takes CAP_SETPCAP: securebits and modes.
    SetPrivileges,
}
