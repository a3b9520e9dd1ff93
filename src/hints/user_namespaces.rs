//! What forbids namespaces, user namespaces above all: settings, limits, a chroot, security modules and seccomp
//! filters.

use crate::environment::Environment;
use crate::hint::{Hint, lacks, who_has};
use cli::{add, text};
use linux::caps::Cap;
use linux::namespace::Kind;
use std::ffi::OsStr;

/// The setting or the circumstance that forbids user namespaces, to root or to everybody else, and the
/// remedies, the narrowest first; nothing if none is seen.
pub(crate) fn forbidden_user_namespaces(is_root: bool, environment: &dyn Environment) -> Vec<Hint> {
    const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
    if let Some(hints) = apparmor(environment).filter(|_| !is_root) {
        return hints;
    }
    if environment.number(DEBIAN) == Some(0) && !is_root {
        let name = sysctl(DEBIAN);
        return vec![text![
            name,
            " is 0: only root makes user namespaces; run it with sudo, or: sysctl -w ",
            name,
            "=1"
        ]];
    }
    if let Some(hint) = none_allowed(&[Kind::User], environment) {
        return vec![hint];
    }
    if environment.mounts().is_some_and(|mounts| mounts.find_target(OsStr::new("/")).is_none()) {
        return vec![text![
            "a process in a chroot may not make a user namespace: its root is not that of its mount namespace"
        ]];
    }
    if environment.file(OsStr::new("/proc/self/uid_map")).is_some_and(|map| map.is_empty()) {
        return vec![text![
            "this user is not mapped in the user namespace we are in, which was made without a map: make that one with -r"
        ]];
    }
    Vec::new()
}

/// Whether nothing seen forbids us a user namespace, so that a hint may advise one.
pub(crate) fn has_user_namespaces(environment: &dyn Environment) -> bool {
    let is_root = environment.privileges().is_some_and(|own| own.euid.is_root());
    forbidden_user_namespaces(is_root, environment).is_empty() && !in_chroot(environment)
}

/// Why an unprivileged user may not have a user namespace.
pub(crate) fn user_namespaces(environment: &dyn Environment) -> Vec<Hint> {
    let forbidden = forbidden_user_namespaces(false, environment);
    if !forbidden.is_empty() {
        return forbidden;
    }
    let hints = filters(environment);
    if !hints.is_empty() {
        return hints;
    }
    let is_root = environment.privileges().is_none_or(|own| own.euid.is_root());
    vec![if is_root || in_chroot(environment) {
        text![
            "a process in a chroot may not make a user namespace, and without /proc it cannot be seen what else forbids it"
        ]
    } else {
        text!["the kernel denies user namespaces here; run it with sudo"]
    }]
}

/// Whether our root is not the root of a mount, as after chroot(2) to a plain directory.
pub(crate) fn in_chroot(environment: &dyn Environment) -> bool {
    environment.mount_of(OsStr::new("/")).and_then(|mount| mount.is_root) == Some(false)
}

/// AppArmor's restriction of user namespaces, if it is on.
pub(crate) fn apparmor(environment: &dyn Environment) -> Option<Vec<Hint>> {
    const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    let name = sysctl(APPARMOR);
    let program = environment.link(OsStr::new("/proc/self/exe")).unwrap_or_else(|| "this program".into());
    (environment.number(APPARMOR) == Some(1)).then(|| {
        vec![
            text![
                name,
                " is 1: AppArmor takes the capabilities of a new user namespace away from programs without a profile that allows them"
            ],
            text![
                "run it with sudo; or give ", program, " a profile with 'userns,'; or, for every program: sysctl -w ", name, "=0"
            ],
        ]
    })
}

/// EPERM of what takes this capability: that it is lacking, who has it, and `own`, how a user namespace gives it, where one
/// can be had. Whoever has it was refused by something else.
pub(crate) fn needs(number: Cap, own: &str, environment: &dyn Environment) -> Vec<Hint> {
    let Some(lacks) = lacks(number, environment) else { return filters(environment) };
    let own = if has_user_namespaces(environment) { own } else { "" };
    vec![lacks, text![who_has(number, environment), own]]
}

/// A seccomp filter or a security module, which may forbid a call that privilege and settings permit.
pub(crate) fn filters(environment: &dyn Environment) -> Vec<Hint> {
    let mut hints = Vec::new();
    if environment.line("/proc/self/status", "Seccomp:").is_some_and(|mode| mode == b"2") {
        hints.push(text![
            "a seccomp filter is on this process, as containers have one, and may forbid it: --security-opt seccomp=unconfined"
        ]);
    }
    hints.extend(label(environment));
    hints
}

pub(crate) fn label(environment: &dyn Environment) -> Option<Hint> {
    let label = environment.file(OsStr::new("/proc/self/attr/current"))?;
    let label = label.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default();
    let is_one = !label.is_empty() && !label.starts_with(b"unconfined") && label != b"kernel";
    is_one.then(|| text!["this process runs under the security label '", label, "', which may forbid it"])
}

/// ENOSPC: the limit on namespaces of these kinds that is reached.
pub(crate) fn limits(kinds: &[Kind], environment: &dyn Environment) -> Hint {
    if let Some(hint) = none_allowed(kinds, environment) {
        return hint;
    }
    let mut limits = Vec::new();
    for kind in kinds {
        let path = limit_of(*kind);
        if let Some(limit) = environment.number(&path) {
            add!(&mut limits, ", ", sysctl(&path), " is ", limit);
        }
    }
    text![
        "a limit is reached: namespaces may be nested 32 deep",
        limits,
        ", and each user namespace around this one has limits of its own"
    ]
}

/// The limit that forbids namespaces of one of these kinds altogether.
pub(crate) fn none_allowed(kinds: &[Kind], environment: &dyn Environment) -> Option<Hint> {
    kinds
        .iter()
        .map(|kind| limit_of(*kind))
        .find(|path| environment.number(path) == Some(0))
        .map(|path| text![sysctl(&path), " is 0: no namespace of that kind may be made; root can raise it with sysctl"])
}

fn limit_of(kind: Kind) -> String {
    format!("/proc/sys/user/max_{}_namespaces", kind.file())
}

/// `kernel.x` of `/proc/sys/kernel/x`.
pub(crate) fn sysctl(path: &str) -> String {
    path.strip_prefix("/proc/sys/").unwrap_or(path).replace('/', ".")
}
