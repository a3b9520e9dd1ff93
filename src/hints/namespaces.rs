//! Why a namespace could not be made, entered or kept: unshare(2), setns(2), user_namespaces(7).

use crate::environment::Environment;
use crate::hint::{Hint, lacks, who_has};
use crate::user_namespaces::{apparmor, filters, in_chroot, label, limits, needs, user_namespaces};
use cli::text;
use linux::Errno;
use linux::caps::Cap;
use linux::namespace::Kind;
use linux::process::Pid;
use std::ffi::OsStr;
use std::path::Path;

/// The hint for `unshare --pid` without `--fork`: the program stays outside of the new PID namespace.
pub const PID_WITHOUT_FORK: &str = "without --fork only the first child is in the new PID namespace, and it is its init: when it ends, no other can be started";

/// The hint for entering the namespaces of a PID 1 that is in our own already.
pub const SHARES_EVERYTHING: &str =
    "PID 1 is in the same namespaces as this process; to reach the host from a pod, the pod needs hostPID: true";

pub(crate) fn unshare(
    kinds: &[Kind],
    refused: &[(Kind, Errno)],
    errno: Errno,
    environment: &dyn Environment,
) -> Vec<Hint> {
    let mut hints = Vec::new();
    let alone: Vec<Kind> = refused.iter().map(|(kind, _)| *kind).collect();
    let blamed = if alone.is_empty() { kinds } else { alone.as_slice() };
    if blamed.len() < kinds.len() {
        let names: Vec<&str> = blamed.iter().map(|kind| option_name(*kind)).collect();
        hints.push(text!["refused: ", names.join(" ")]);
    }
    match errno {
        Errno::EPERM if !kinds.contains(&Kind::User) => {
            let own = ", or a user namespace of one's own: add --map-root-user (-r)";
            hints.extend(needs(Cap::SYS_ADMIN, own, environment));
        }
        Errno::EPERM | Errno::EACCES => hints.extend(user_namespaces(environment)),
        Errno::EINVAL => hints.extend(blamed.iter().filter_map(|kind| cannot_be_made(*kind, environment))),
        Errno::ENOSPC | Errno::EUSERS => hints.push(limits(blamed, environment)),
        _ => {}
    }
    hints
}

/// EINVAL: the kernel lacks the kind, or the namespace of future children has already been changed.
fn cannot_be_made(kind: Kind, environment: &dyn Environment) -> Option<Hint> {
    let node = |name: &str| environment.node(OsStr::new(&format!("/proc/self/ns/{name}")));
    // Without a proc the two causes cannot be told apart.
    let _ = environment.node(OsStr::new("/proc/self/ns"))?;
    if node(kind.file()).is_none() {
        return Some(text!["this kernel was built without ", config(kind)]);
    }
    if node(kind.file()).map(|it| it.identity) != node(kind.file_for_children()).map(|it| it.identity) {
        return Some(text![
            "this process has another such namespace for its children already, but is not in it; a child can do it: --fork there"
        ]);
    }
    None
}

pub(crate) fn map(errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::EPERM if environment.in_user_namespace() && lacks(Cap::SYS_ADMIN, environment).is_none() => vec![text![
            "every id outside must be mapped in the user namespace that this is run in: see /proc/self/uid_map and gid_map"
        ]],
        Errno::EPERM | Errno::EACCES => user_namespaces(environment),
        Errno::EINVAL => {
            vec![text!["the ranges of a map may not overlap, neither inside nor outside, and end at 4294967294"]]
        }
        _ => Vec::new(),
    }
}

pub(crate) fn propagate(errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::EINVAL if in_chroot(environment) => vec![text![
            "the root directory is no mount point, as after chroot: bind it on itself before (mount --bind DIR DIR), or --propagation=unchanged"
        ]],
        Errno::EPERM | Errno::EACCES => apparmor(environment).unwrap_or_else(|| filters(environment)),
        _ => Vec::new(),
    }
}

pub(crate) fn find_process(pid: Pid, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::ENOENT | Errno::ESRCH if !environment.exists(OsStr::new("/proc/self/status")) => vec![text![
            "the proc that is mounted here, if any, shows another PID namespace, not ours: mount -t proc proc /proc"
        ]],
        Errno::ENOENT | Errno::ESRCH => vec![text!["there is no process ", pid, " in the proc that is mounted here"]],
        _ => Vec::new(),
    }
}

pub(crate) fn open(errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    if !matches!(errno, Errno::EACCES | Errno::EPERM) {
        return Vec::new();
    }
    let mut hints = vec![text![
        "the namespaces of a process are for those who may trace it: its own user, or one with CAP_SYS_PTRACE"
    ]];
    hints.extend(lacks(Cap::SYS_PTRACE, environment));
    hints.extend(label(environment));
    hints
}

pub(crate) fn open_by_id(errno: Errno) -> Vec<Hint> {
    vec![text![match errno {
        Errno::ESTALE | Errno::ENOENT => "there is no namespace with that id, or it may not be seen from here",
        Errno::EPERM => "only CAP_SYS_ADMIN in the first user namespace, or a namespace we are in, opens one by its id",
        _ => "opening a namespace by its id alone takes Linux 6.19 or later; a file or --target does it here",
    }]]
}

pub(crate) fn of_socket(errno: Errno) -> Vec<Hint> {
    if errno == Errno::ENOTTY { vec![text!["that descriptor is not a socket"]] } else { Vec::new() }
}

pub(crate) fn enter(kind: Kind, found: Option<Kind>, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let name = option_name(kind);
    match found {
        None if errno == Errno::EINVAL => {
            return vec![text![
                "what ",
                name,
                " names is no namespace; one that was kept there may have been unmounted"
            ]];
        }
        Some(other) if other != kind => {
            return vec![text!["what ", name, " names is a namespace of another kind: ", option_name(other)]];
        }
        _ => {}
    }
    let hint = match (kind, errno) {
        (Kind::User, Errno::EINVAL) => "that is the user namespace we are in already, which is not entered again",
        (Kind::Pid, Errno::EINVAL) => "a PID namespace can only be entered from itself or from one of its ancestors",
        // Root's capabilities are enough for every namespace.
        (_, Errno::EPERM) if !environment.in_user_namespace() && lacks(Cap::SYS_ADMIN, environment).is_none() => {
            return match lacks(Cap::SYS_CHROOT, environment).filter(|_| kind == Kind::Mount) {
                Some(hint) => vec![hint],
                None => filters(environment),
            };
        }
        (Kind::User, Errno::EPERM) => {
            "entering a user namespace takes CAP_SYS_ADMIN in it: root has that, and the user who made it, outside of it"
        }
        (_, Errno::EPERM) => {
            let mut hints: Vec<Hint> = lacks(Cap::SYS_ADMIN, environment).into_iter().collect();
            let who = if hints.is_empty() { Vec::new() } else { text![who_has(Cap::SYS_ADMIN, environment), ", or "] };
            let takes = " takes CAP_SYS_ADMIN in the user namespace that owns it: ";
            hints.push(text!["entering ns/", kind.file(), takes, who, "enter that user namespace too (--user)"]);
            return hints;
        }
        _ => return Vec::new(),
    };
    vec![text![hint]]
}

/// A change of user or group after namespaces were entered.
pub(crate) fn become_inside(user_entered: bool, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    if !matches!(errno, Errno::EPERM | Errno::EINVAL) {
        return Vec::new();
    }
    if !user_entered {
        return if errno == Errno::EPERM { facts_lack(&[Cap::SETGID, Cap::SETUID], environment) } else { Vec::new() };
    }
    let denies = environment.file(OsStr::new("/proc/self/setgroups")).is_some_and(|word| word.trim_ascii() == b"deny");
    let why = match errno {
        Errno::EINVAL => "the user namespace maps no such id, of its root or as asked for",
        _ if denies => "the user namespace was entered, whose maps were made by a user: setgroups(2) is denied in it",
        _ => "inside a user namespace one becomes its root, which takes privilege over it",
    };
    vec![text![why, "; --preserve-credentials keeps user and groups as they are"]]
}

fn facts_lack(numbers: &[Cap], environment: &dyn Environment) -> Vec<Hint> {
    let mut hints = Vec::new();
    for number in numbers {
        hints.extend(lacks(*number, environment));
    }
    hints
}

pub(crate) fn fork(errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::ENOMEM => {
            vec![text!["the init of this PID namespace has ended, so nothing can be started in it any more"]]
        }
        Errno::EAGAIN => {
            let limit = environment.line("/proc/self/limits", "Max processes").unwrap_or_default();
            let limit = limit.split(|byte| *byte == b' ').next().unwrap_or_default();
            vec![text!["a limit on processes is reached: 'ulimit -u' (", limit, "), or pids.max of the cgroup"]]
        }
        _ => Vec::new(),
    }
}

pub(crate) fn keep(
    kind: Kind,
    namespace: &OsStr,
    file: &OsStr,
    forks: bool,
    errno: Errno,
    environment: &dyn Environment,
) -> Vec<Hint> {
    let hint = match (kind, errno) {
        (_, Errno::ENOENT) if !environment.exists(file) => {
            let directory = Path::new(file).parent().map_or(OsStr::new(""), Path::as_os_str);
            let there = directory.is_empty() || environment.exists(directory);
            let (make, directory, then) = if there { ("", OsStr::new(""), "") } else { ("mkdir -p ", directory, "; ") };
            text!["the file must exist; make it first: ", make, directory, then, "touch ", file]
        }
        (Kind::Pid, Errno::EINVAL | Errno::ENOENT) if !forks => {
            text!["a PID namespace has no file before its first process: add --fork (-f)"]
        }
        (Kind::Mount, Errno::EINVAL) if !is_on_shared(file, environment) && is_older(namespace, environment) => text![
            "a mount namespace can be kept only in one with a smaller number, and each processor has numbers of its own: ",
            "it works on the one that made ours, so try others: taskset -c N unshare ..."
        ],
        (Kind::Mount, Errno::EINVAL) => text![
            "a mount namespace cannot be kept on a shared mount; make a private one first: mount --bind DIR DIR; mount --make-private DIR"
        ],
        _ => return Vec::new(),
    };
    vec![hint]
}

/// Whether a file is on a mount that is shared.
fn is_on_shared(file: &OsStr, environment: &dyn Environment) -> bool {
    let id = environment.mount_of(file).and_then(|mount| u32::try_from(mount.id).ok());
    let table = id.and_then(|_| environment.mounts());
    table.zip(id).is_some_and(|(table, id)| table.find_id(id).is_some_and(|entry| entry.group("shared:").is_some()))
}

/// Whether a mount namespace has a smaller number than our own, although it was made later.
fn is_older(namespace: &OsStr, environment: &dyn Environment) -> bool {
    let own = environment.namespace_id(OsStr::new("/proc/self/ns/mnt"));
    environment.namespace_id(namespace).zip(own).is_some_and(|(other, own)| other <= own)
}

fn option_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mount => "--mount",
        Kind::Uts => "--uts",
        Kind::Ipc => "--ipc",
        Kind::Net => "--net",
        Kind::Pid => "--pid",
        Kind::User => "--user",
        Kind::Cgroup => "--cgroup",
        Kind::Time => "--time",
    }
}

fn config(kind: Kind) -> &'static str {
    match kind {
        Kind::Mount => "mount namespaces",
        Kind::Uts => "CONFIG_UTS_NS",
        Kind::Ipc => "CONFIG_IPC_NS",
        Kind::Net => "CONFIG_NET_NS",
        Kind::Pid => "CONFIG_PID_NS",
        Kind::User => "CONFIG_USER_NS",
        Kind::Cgroup => "CONFIG_CGROUPS",
        Kind::Time => "CONFIG_TIME_NS",
    }
}

#[cfg(test)]
mod tests;
