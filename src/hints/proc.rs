//! Why a new proc, or another file system that shows a namespace, is refused.

use crate::environment::Environment;
use crate::hint::{Hint, list};
use crate::user_namespaces::{apparmor, needs};
use cli::text;
use linux::Errno;
use linux::caps::Cap;
use linux::namespace::Kind;
use std::ffi::OsStr;

pub(crate) fn mount_proc(
    directory: &OsStr,
    root: Option<&OsStr>,
    errno: Errno,
    environment: &dyn Environment,
) -> Vec<Hint> {
    match errno {
        Errno::EPERM | Errno::EACCES => {
            if let Some(foreign) = shows_foreign("proc", environment) {
                return vec![foreign];
            }
            let covered = revealing("/proc", environment);
            if !covered.is_empty() {
                return covered;
            }
            apparmor(environment).unwrap_or_else(|| {
                if !environment.in_user_namespace() {
                    return needs(Cap::SYS_ADMIN, "", environment);
                }
                vec![text![
                    "a new proc takes CAP_SYS_ADMIN in the user namespace of the PID namespace: add --pid --fork to --user"
                ]]
            })
        }
        Errno::ENOENT | Errno::ENOTDIR if !environment.exists(directory) => {
            if let Some(root) = root {
                let inside = directory.as_encoded_bytes();
                let inside = inside.strip_prefix(b"/").unwrap_or(inside);
                let root = text![root, if root.as_encoded_bytes().ends_with(b"/") { "" } else { "/" }];
                return vec![text![
                    "it is looked for in the new root, where '",
                    directory,
                    "' is not; make it first: mkdir -p ",
                    root,
                    inside
                ]];
            }
            vec![text!["'", directory, "' is not there; make it first: mkdir -p ", directory]]
        }
        _ => Vec::new(),
    }
}

/// A new proc, sysfs, mqueue or cgroup2 shows a namespace: our user namespace must own that one.
pub(crate) fn shows_foreign(fstype: &str, environment: &dyn Environment) -> Option<Hint> {
    let (kind, what, how) = match fstype {
        "proc" => (Kind::Pid, "PID", "--pid --fork"),
        "sysfs" => (Kind::Net, "network", "--net"),
        "mqueue" => (Kind::Ipc, "IPC", "--ipc"),
        "cgroup2" => (Kind::Cgroup, "cgroup", "--cgroup"),
        _ => return None,
    };
    let is_foreign = environment.in_user_namespace() && environment.owns(kind) == Some(false);
    is_foreign.then(|| {
        text![
            "a new ",
            fstype,
            " shows the ",
            what,
            " namespace, which must belong to this user namespace: unshare that, too (",
            how,
            ")"
        ]
    })
}

/// Mounts over parts of /proc or /sys forbid a new one, which would show what they hide.
pub(crate) fn revealing(place: &str, environment: &dyn Environment) -> Vec<Hint> {
    let Some(table) = environment.mounts() else { return Vec::new() };
    let prefix = [place.as_bytes(), b"/"].concat();
    let hidden = list(" ", &mut table.entries().map(|entry| entry.target).filter(|target| target.starts_with(&prefix)));
    if hidden.is_empty() {
        return Vec::new();
    }
    vec![
        text![
            "the ",
            place,
            " here is partly covered, and the kernel refuses a new one that would show more: ",
            hidden
        ],
        text!["in a container, start that with --security-opt systempaths=unconfined (docker) or unmask=ALL (podman)"],
    ]
}
