//! Why the kernel said no, on this machine: the one room of the diagnoses.
//!
//! A diagnosis is a pure function of the failed step, the error number and the facts, so it is
//! tested with made-up facts. Facts are read only after the failure, and in bounds: 4 KiB of a
//! file, 200 ms for a scan of /proc. A hint names the one that decides, and what to do.

mod busy;
mod capability;
pub mod doctor;
mod facts;
mod mount;
mod namespaces;
mod program;
mod root;

pub use facts::{Facts, Here, Kind as FileKind, Node, Superblock};
pub use namespaces::{PID_WITHOUT_FORK, SHARES_EVERYTHING};

use crate::{Failure, failure::hints_wanted, text};
use linux::Errno;
use linux::namespace::Kind;
use linux::options::operation::Mounting;
use linux::process::{ExecError, Pid};
use std::ffi::{OsStr, OsString};

/// How many mounts, processes or namespaces a hint names.
const NAMED: usize = 5;

/// A step that failed.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// unshare(2) of these kinds; the ones that are refused when each is tried alone, and how.
    Unshare {
        /// All that were asked for.
        kinds: &'a [Kind],
        /// Those that fail alone.
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
        /// The new root, in which that is looked for.
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
    /// mount(2), or what stands for it.
    Mount(&'a Mounting<'a>),
    /// umount2(2).
    Unmount(&'a OsStr),
    /// umount2(2) of these, which were busy.
    Busy(&'a [OsString]),
    /// setresuid(2), setresgid(2), setgroups(2) and the like, which take this capability.
    SetIds(u8),
    /// Making a capability effective that this command needs.
    Raise(u8),
    /// Setting or removing the capabilities of a file.
    SetCapability {
        /// The file.
        path: &'a OsStr,
        /// For the user namespaces whose root is this user.
        rootid: u32,
    },
    /// capset(2) with these permitted or effective.
    SetSets(u64),
    /// capset(2) with these inheritable.
    SetInheritable(u64),
    /// Making this one ambient.
    RaiseAmbient(u8),
    /// Setting an IAB tuple with these ambient and these blocked.
    SetIab {
        /// Made ambient.
        ambient: u64,
        /// Dropped from the bounding set.
        blocked: u64,
    },
    /// Dropping this one from the bounding set.
    Drop(u8),
    /// What takes CAP_SETPCAP: securebits and modes.
    SetPrivileges,
}

/// One hint, without `hint: ` before it.
pub type Hint = Vec<u8>;

/// The hints for a failed step.
pub fn diagnose(step: Step<'_>, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match step {
        Step::Unshare { kinds, refused } => namespaces::unshare(kinds, refused, errno, facts),
        Step::Map => namespaces::map(errno, facts),
        Step::Propagate => namespaces::propagate(errno, facts),
        Step::MountProc { directory, root } => namespaces::mount_proc(directory, root, errno, facts),
        Step::Chroot(directory) => root::chroot(directory, errno, facts),
        Step::Pivot { new_root } => root::pivot(new_root, errno, facts),
        Step::MoveRoot(new_root) => root::move_root(new_root, errno, facts),
        Step::FindInit(new_root) => root::find_init(new_root),
        Step::FindProcess(pid) => namespaces::find_process(pid, errno, facts),
        Step::OpenNamespace => namespaces::open(errno, facts),
        Step::OpenById => namespaces::open_by_id(errno),
        Step::OfSocket => namespaces::of_socket(errno),
        Step::Enter { kind, found } => namespaces::enter(kind, found, errno),
        Step::BecomeInside { user_entered } => namespaces::become_inside(user_entered, errno, facts),
        Step::Fork => namespaces::fork(errno, facts),
        Step::Keep { kind, namespace, file, forks } => namespaces::keep(kind, namespace, file, forks, errno, facts),
        Step::Exec(error) => program::exec(error, facts),
        Step::Mount(mounting) => mount::mount(mounting, errno, facts),
        Step::Unmount(target) => mount::unmount(target, errno, facts),
        Step::Busy(targets) => busy::unmount(targets, facts),
        Step::SetIds(number) => capability::set_ids(number, errno, facts),
        Step::Raise(number) => capability::raise(number, facts),
        Step::SetCapability { path, rootid } => capability::set_on_file(path, rootid, errno, facts),
        Step::SetSets(wanted) => capability::set(wanted, facts),
        Step::SetInheritable(wanted) => capability::set_inheritable(wanted, facts),
        Step::RaiseAmbient(number) => capability::raise_ambient(number, facts),
        Step::SetIab { ambient, blocked } => capability::set_iab(ambient, blocked, facts),
        Step::Drop(number) => capability::drop_bounding(number, facts),
        Step::SetPrivileges => capability::setpcap(facts),
    }
}

/// [`diagnose`] here, and only if hints are wanted.
#[cold]
#[inline(never)]
pub fn hints(step: Step<'_>, errno: Errno) -> Vec<Hint> {
    if !hints_wanted() || facts::time_left().is_none() {
        return Vec::new();
    }
    let started = std::time::Instant::now();
    let hints = diagnose(step, errno, &Here);
    facts::spend(started.elapsed());
    hints
}

/// Says that a command does many things, of which each may fail: its hints take 20 ms in all.
pub fn one_of_many() {
    facts::spend(std::time::Duration::ZERO);
}

/// The failure of a step, with its hints.
#[cold]
#[inline(never)]
pub fn explained(failure: Failure, step: Step<'_>, errno: Errno) -> Failure {
    failure.with_hints(hints(step, errno))
}

/// The mount that a path is on.
struct On {
    fstype: OsString,
    target: OsString,
    options: Vec<u8>,
}

impl On {
    /// Whether it has one of the options of a mount: `noexec`.
    fn has(&self, option: &str) -> bool {
        self.options.split(|byte| *byte == b',').any(|word| word == option.as_bytes())
    }
}

fn on(path: &OsStr, facts: &dyn Facts) -> Option<On> {
    let id = u32::try_from(facts.mount_of(path)?.id).ok()?;
    let table = facts.mounts()?;
    let entry = table.find_id(id)?;
    let fstype = entry.fstype_text().to_os_string();
    Some(On { fstype, target: entry.target_path(), options: entry.options.to_vec() })
}

/// `this process has no CAP_X`, if it has not.
fn lacks(number: u8, facts: &dyn Facts) -> Option<Hint> {
    let effective = facts.privileges()?.sets.effective;
    let name = linux::capability::name(number).to_ascii_uppercase();
    let lacks = effective & linux::capability::bit(number) == 0;
    lacks.then(|| text!["this process has no ", name, " (CapEff=", format!("{effective:016x}"), ")"])
}

/// Who has a capability that this process has not: for the end of a hint. Root is not told to be root.
fn who_has(number: u8, facts: &dyn Facts) -> Vec<u8> {
    if facts.privileges().is_none_or(|own| own.euid != 0) {
        return text!["root has it"];
    }
    let name = linux::capability::name(number).to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    text!["root is without it here, as in a container, which is given it when it is started: --cap-add ", name]
}

/// Up to [`NAMED`] of them, and how many more there are.
fn list<'a>(separator: &str, all: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut list = Vec::new();
    let mut more: usize = 0;
    for (index, one) in all.enumerate() {
        if index >= NAMED {
            more += 1;
            continue;
        }
        list.extend_from_slice(&text![if index > 0 { separator } else { "" }, one]);
    }
    if more > 0 {
        list.extend_from_slice(&text![" and ", more, " more"]);
    }
    list
}

#[cfg(test)]
mod made_up;
