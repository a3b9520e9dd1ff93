//! Why a namespace could not be made, entered or kept: unshare(2), setns(2), user_namespaces(7).

use super::{Facts, Hint, lacks, list, who_has};
use crate::text;
use linux::Errno;
use linux::namespace::Kind;
use linux::process::Pid;
use std::ffi::OsStr;

const SETGID: u8 = 6;
const SETUID: u8 = 7;
pub(super) const SYS_PTRACE: u8 = 19;
pub(super) const SYS_ADMIN: u8 = 21;

/// The hint for `unshare --pid` without `--fork`, which surprises everybody once.
pub const PID_WITHOUT_FORK: &str = "without --fork only the first child is in the new PID namespace, and it is its init: when it ends, no other can be started";

/// The hint for entering the namespaces of a PID 1 that is in our own already.
pub const SHARES_EVERYTHING: &str =
    "PID 1 is in the same namespaces as this process; to reach the host from a pod, the pod needs hostPID: true";

pub(super) fn unshare(kinds: &[Kind], refused: &[(Kind, Errno)], errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    let mut hints = Vec::new();
    let alone: Vec<Kind> = refused.iter().map(|(kind, _)| *kind).collect();
    let blamed = if alone.is_empty() { kinds } else { alone.as_slice() };
    if blamed.len() < kinds.len() {
        let names: Vec<&str> = blamed.iter().map(|kind| option_name(*kind)).collect();
        hints.push(text!["refused: ", names.join(" ")]);
    }
    match errno {
        Errno::EPERM if !kinds.contains(&Kind::User) => match lacks(SYS_ADMIN, facts) {
            None => hints.extend(filters(facts)),
            lacks => {
                hints.extend(lacks);
                let is_root = facts.privileges().is_some_and(|own| own.euid == 0);
                let who = if is_root { who_has(SYS_ADMIN, facts) } else { text!["this needs root"] };
                let own = ", or a user namespace of one's own: add --map-root-user (-r)";
                hints.push(text![who, if has_user_namespaces(facts) { own } else { "" }]);
            }
        },
        Errno::EPERM | Errno::EACCES => hints.extend(user_namespaces(facts)),
        Errno::EINVAL => hints.extend(blamed.iter().filter_map(|kind| cannot_be_made(*kind, facts))),
        Errno::ENOSPC | Errno::EUSERS => hints.push(limits(blamed, facts)),
        _ => {}
    }
    hints
}

/// EINVAL: the kernel lacks the kind, or the children's namespace is another one already.
fn cannot_be_made(kind: Kind, facts: &dyn Facts) -> Option<Hint> {
    let node = |name: &str| facts.node(OsStr::new(&format!("/proc/self/ns/{name}")));
    // Without a proc nothing can be told.
    let _ = facts.node(OsStr::new("/proc/self/ns"))?;
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

/// ENOSPC: a limit of these kinds.
fn limits(kinds: &[Kind], facts: &dyn Facts) -> Hint {
    let mut limits = Vec::new();
    for kind in kinds {
        let path = format!("/proc/sys/user/max_{}_namespaces", limit_name(*kind));
        match facts.number(&path) {
            Some(0) => {
                return text![
                    sysctl(&path),
                    " is 0: no namespace of that kind may be made; root can raise it with sysctl"
                ];
            }
            Some(limit) => limits.extend_from_slice(&text![", ", sysctl(&path), " is ", limit]),
            None => {}
        }
    }
    text![
        "a limit is reached: namespaces may be nested 32 deep",
        limits,
        ", and each user namespace around this one has limits of its own"
    ]
}

/// The setting or the circumstance that forbids user namespaces, to root or to everybody else, and the
/// remedies, the narrowest first; nothing if none is seen.
pub(super) fn forbidden_user_namespaces(is_root: bool, facts: &dyn Facts) -> Vec<Hint> {
    const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
    const LIMIT: &str = "/proc/sys/user/max_user_namespaces";
    if let Some(hints) = apparmor(facts).filter(|_| !is_root) {
        return hints;
    }
    if facts.number(DEBIAN) == Some(0) && !is_root {
        let name = sysctl(DEBIAN);
        return vec![text![
            name,
            " is 0: only root makes user namespaces; run it with sudo, or: sysctl -w ",
            name,
            "=1"
        ]];
    }
    if facts.number(LIMIT) == Some(0) {
        return vec![limits(&[Kind::User], facts)];
    }
    if facts.mounts().is_some_and(|mounts| mounts.find_target(OsStr::new("/")).is_none()) {
        return vec![text![
            "a process in a chroot may not make a user namespace: its root is not that of its mount namespace"
        ]];
    }
    if facts.file(OsStr::new("/proc/self/uid_map")).is_some_and(|map| map.is_empty()) {
        return vec![text![
            "this user is not mapped in the user namespace we are in, which was made without a map: make that one with -r"
        ]];
    }
    Vec::new()
}

/// Whether nothing is seen that forbids us a user namespace: only then is one worth a word.
pub(super) fn has_user_namespaces(facts: &dyn Facts) -> bool {
    let is_root = facts.privileges().is_some_and(|own| own.euid == 0);
    forbidden_user_namespaces(is_root, facts).is_empty() && !in_chroot(facts)
}

/// Why an unprivileged user may not have a user namespace.
fn user_namespaces(facts: &dyn Facts) -> Vec<Hint> {
    let forbidden = forbidden_user_namespaces(false, facts);
    if !forbidden.is_empty() {
        return forbidden;
    }
    let hints = filters(facts);
    if !hints.is_empty() {
        return hints;
    }
    let is_root = facts.privileges().is_none_or(|own| own.euid == 0);
    vec![if is_root || in_chroot(facts) {
        text![
            "a process in a chroot may not make a user namespace, and without /proc it cannot be seen what else forbids it"
        ]
    } else {
        text!["the kernel denies user namespaces here; run it with sudo"]
    }]
}

/// Whether our root is no mount's own, as after chroot(2) to a plain directory.
fn in_chroot(facts: &dyn Facts) -> bool {
    facts.mount_of(OsStr::new("/")).and_then(|mount| mount.is_root) == Some(false)
}

/// AppArmor's restriction of user namespaces, if it is on.
fn apparmor(facts: &dyn Facts) -> Option<Vec<Hint>> {
    const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    let name = sysctl(APPARMOR);
    let program = facts.link(OsStr::new("/proc/self/exe")).unwrap_or_else(|| "this program".into());
    (facts.number(APPARMOR) == Some(1)).then(|| {
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

/// What may forbid calls that privilege and settings allow: a seccomp filter, a security module.
fn filters(facts: &dyn Facts) -> Vec<Hint> {
    let mut hints = Vec::new();
    if facts.line("/proc/self/status", "Seccomp:").is_some_and(|mode| mode == b"2") {
        hints.push(text![
            "a seccomp filter is on this process, as containers have one, and may forbid it: --security-opt seccomp=unconfined"
        ]);
    }
    hints.extend(label(facts));
    hints
}

pub(super) fn label(facts: &dyn Facts) -> Option<Hint> {
    let label = facts.file(OsStr::new("/proc/self/attr/current"))?;
    let label = label.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default();
    let is_one = !label.is_empty() && !label.starts_with(b"unconfined") && label != b"kernel";
    is_one.then(|| text!["this process runs under the security label '", label, "', which may forbid it"])
}

pub(super) fn map(errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::EPERM if facts.in_user_namespace() && lacks(SYS_ADMIN, facts).is_none() => vec![text![
            "every id outside must be mapped in the user namespace that this is run in: see /proc/self/uid_map and gid_map"
        ]],
        Errno::EPERM | Errno::EACCES => user_namespaces(facts),
        Errno::EINVAL => {
            vec![text!["the ranges of a map may not overlap, neither inside nor outside, and end at 4294967294"]]
        }
        _ => Vec::new(),
    }
}

pub(super) fn propagate(errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::EINVAL if in_chroot(facts) => vec![text![
            "the root directory is no mount point, as after chroot: bind it on itself before (mount --bind DIR DIR), or --propagation=unchanged"
        ]],
        Errno::EPERM | Errno::EACCES => apparmor(facts).unwrap_or_else(|| filters(facts)),
        _ => Vec::new(),
    }
}

pub(super) fn mount_proc(directory: &OsStr, root: Option<&OsStr>, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::EPERM | Errno::EACCES => {
            if let Some(foreign) = shows_foreign("proc", facts) {
                return vec![foreign];
            }
            let covered = revealing("/proc", facts);
            if !covered.is_empty() {
                return covered;
            }
            apparmor(facts).unwrap_or_else(|| {
                vec![text![
                    "a new proc takes CAP_SYS_ADMIN in the user namespace of the PID namespace: add --pid --fork to --user"
                ]]
            })
        }
        Errno::ENOENT | Errno::ENOTDIR if !facts.exists(directory) => {
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

/// A new proc, sysfs, mqueue or cgroup2 shows a namespace, over which the user namespace must have power.
pub(super) fn shows_foreign(fstype: &str, facts: &dyn Facts) -> Option<Hint> {
    let (kind, what, how) = match fstype {
        "proc" => (Kind::Pid, "PID", "--pid --fork"),
        "sysfs" => (Kind::Net, "network", "--net"),
        "mqueue" => (Kind::Ipc, "IPC", "--ipc"),
        "cgroup2" => (Kind::Cgroup, "cgroup", "--cgroup"),
        _ => return None,
    };
    let is_foreign = facts.in_user_namespace() && facts.owns(kind) == Some(false);
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
pub(super) fn revealing(place: &str, facts: &dyn Facts) -> Vec<Hint> {
    let Some(table) = facts.mounts() else { return Vec::new() };
    let prefix = [place.as_bytes(), b"/"].concat();
    let hidden = list(" ", table.entries().map(|entry| entry.target).filter(|target| target.starts_with(&prefix)));
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

pub(super) fn find_process(pid: Pid, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::ENOENT | Errno::ESRCH if !facts.exists(OsStr::new("/proc/self/status")) => vec![text![
            "the proc that is mounted here, if any, shows another PID namespace, not ours: mount -t proc proc /proc"
        ]],
        Errno::ENOENT | Errno::ESRCH => vec![text!["there is no process ", pid, " in the proc that is mounted here"]],
        _ => Vec::new(),
    }
}

pub(super) fn open(errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    if !matches!(errno, Errno::EACCES | Errno::EPERM) {
        return Vec::new();
    }
    let mut hints = vec![text![
        "the namespaces of a process are for those who may trace it: its own user, or one with CAP_SYS_PTRACE"
    ]];
    hints.extend(lacks(SYS_PTRACE, facts));
    hints.extend(label(facts));
    hints
}

pub(super) fn open_by_id(errno: Errno) -> Vec<Hint> {
    vec![text![match errno {
        Errno::ESTALE | Errno::ENOENT => "there is no namespace with that id, or it may not be seen from here",
        Errno::EPERM => "only CAP_SYS_ADMIN in the first user namespace, or a namespace we are in, opens one by its id",
        _ => "opening a namespace by its id alone takes Linux 6.19 or later; a file or --target does it here",
    }]]
}

pub(super) fn of_socket(errno: Errno) -> Vec<Hint> {
    if errno == Errno::ENOTTY { vec![text!["that descriptor is not a socket"]] } else { Vec::new() }
}

pub(super) fn enter(kind: Kind, found: Option<Kind>, errno: Errno) -> Vec<Hint> {
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
        (Kind::User, Errno::EINVAL) => "that is the user namespace we are in already; leave --user (-U) out",
        (Kind::Pid, Errno::EINVAL) => "a PID namespace can only be entered from itself or from one of its ancestors",
        (Kind::User, Errno::EPERM) => {
            "entering a user namespace takes CAP_SYS_ADMIN in it: root has that, and the user who made it, outside of it"
        }
        (_, Errno::EPERM) => {
            return vec![text![
                "entering ns/",
                kind.file(),
                " takes CAP_SYS_ADMIN in the user namespace that owns it: be root, or enter that user namespace too (--user)"
            ]];
        }
        _ => return Vec::new(),
    };
    vec![text![hint]]
}

/// A change of user or group after namespaces were entered.
pub(super) fn become_inside(user_entered: bool, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    if !matches!(errno, Errno::EPERM | Errno::EINVAL) {
        return Vec::new();
    }
    if !user_entered {
        return if errno == Errno::EPERM { facts_lack(&[SETGID, SETUID], facts) } else { Vec::new() };
    }
    let denies = facts.file(OsStr::new("/proc/self/setgroups")).is_some_and(|word| word.trim_ascii() == b"deny");
    let why = match errno {
        Errno::EINVAL => "the user namespace maps no such id, of its root or as asked for",
        _ if denies => "the user namespace was entered, whose maps were made by a user: setgroups(2) is denied in it",
        _ => "inside a user namespace one becomes its root, which takes privilege over it",
    };
    vec![text![why, "; --preserve-credentials keeps user and groups as they are"]]
}

fn facts_lack(numbers: &[u8], facts: &dyn Facts) -> Vec<Hint> {
    numbers.iter().filter_map(|number| lacks(*number, facts)).collect()
}

pub(super) fn fork(errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::ENOMEM => {
            vec![text!["the init of this PID namespace has ended, so nothing can be started in it any more"]]
        }
        Errno::EAGAIN => {
            let limit = facts.line("/proc/self/limits", "Max processes").unwrap_or_default();
            let limit = limit.split(|byte| *byte == b' ').next().unwrap_or_default();
            vec![text!["a limit on processes is reached: 'ulimit -u' (", limit, "), or pids.max of the cgroup"]]
        }
        _ => Vec::new(),
    }
}

pub(super) fn keep(
    kind: Kind,
    namespace: &OsStr,
    file: &OsStr,
    forks: bool,
    errno: Errno,
    facts: &dyn Facts,
) -> Vec<Hint> {
    let hint = match (kind, errno) {
        (_, Errno::ENOENT) if !facts.exists(file) => text!["the file must exist; make it first: touch ", file],
        (Kind::Pid, Errno::EINVAL | Errno::ENOENT) if !forks => {
            text!["a PID namespace has no file before its first process: add --fork (-f)"]
        }
        (Kind::Mount, Errno::EINVAL) if !is_on_shared(file, facts) && is_older(namespace, facts) => text![
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
fn is_on_shared(file: &OsStr, facts: &dyn Facts) -> bool {
    let id = facts.mount_of(file).and_then(|mount| u32::try_from(mount.id).ok());
    let table = id.and_then(|_| facts.mounts());
    table.zip(id).is_some_and(|(table, id)| table.find_id(id).is_some_and(|entry| entry.group("shared:").is_some()))
}

/// Whether a mount namespace has a smaller number than our own, although it was made later.
fn is_older(namespace: &OsStr, facts: &dyn Facts) -> bool {
    let own = facts.namespace_id(OsStr::new("/proc/self/ns/mnt"));
    facts.namespace_id(namespace).zip(own).is_some_and(|(other, own)| other <= own)
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

fn limit_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Mount => "mnt",
        other => other.file(),
    }
}

/// `kernel.x` of `/proc/sys/kernel/x`.
fn sysctl(path: &str) -> String {
    path.strip_prefix("/proc/sys/").unwrap_or(path).replace('/', ".")
}

#[cfg(test)]
mod tests {
    use super::super::facts::Privileges;
    use super::super::made_up::{MadeUp, said};
    use super::super::{FileKind, Step};
    use super::*;
    use linux::capability::Sets;

    const ROOT: &str = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
    const USER: Step<'static> = Step::Unshare { kinds: &[Kind::User], refused: &[] };

    fn with(path: &'static str, text: &'static str) -> MadeUp {
        MadeUp { files: vec![(path, text)], mounts: ROOT, ..MadeUp::default() }
    }

    fn privileged(effective: u64) -> Option<Privileges> {
        Some(Privileges { sets: Sets { effective, ..Sets::default() }, ..Privileges::default() })
    }

    #[test]
    fn the_one_setting_that_forbids_user_namespaces_is_named() {
        let apparmor = with("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        for step in [Step::Map, USER, Step::Propagate, Step::MountProc { directory: OsStr::new("/proc"), root: None }] {
            let said = said(step, Errno::EPERM, &apparmor);
            assert!(
                said.contains("kernel.apparmor_restrict_unprivileged_userns is 1") && said.contains("sudo"),
                "{said}"
            );
        }
        let debian = with("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
        assert!(said(USER, Errno::EPERM, &debian).contains("kernel.unprivileged_userns_clone is 0"));
        let none = with("/proc/sys/user/max_user_namespaces", "0\n");
        assert!(said(USER, Errno::ENOSPC, &none).contains("user.max_user_namespaces is 0"));
        let label = with("/proc/self/attr/current", "unprivileged_userns (enforce)\n");
        assert!(said(Step::Map, Errno::EPERM, &label).contains("'unprivileged_userns (enforce)'"));
        let filter = with("/proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
        assert!(said(USER, Errno::EPERM, &filter).contains("seccomp=unconfined"));
        let own = Some(Privileges { euid: 1000, sets: Sets::default(), bounding: 0 });
        let user = MadeUp { privileges: own, ..with("/none", "") };
        assert!(said(USER, Errno::EPERM, &user).contains("run it with sudo"));
        let root = said(USER, Errno::EPERM, &MadeUp { privileges: privileged(0), ..with("/none", "") });
        assert!(root.contains("chroot") && !root.contains("sudo"), "{root}");
    }

    #[test]
    fn a_root_that_is_no_mount_point_is_blamed_only_if_it_is_none() {
        let on = |id| MadeUp { mounts: ROOT, on: vec![("/", id)], ..MadeUp::default() };
        let told = |facts: &MadeUp| said(Step::Propagate, Errno::EINVAL, facts);
        assert_eq!((told(&on(20)), told(&MadeUp::default())), (String::new(), String::new()));
        let chroot = MadeUp { mounts: "20 1 8:1 / /host rw - ext4 a rw\n", on: vec![("/", 20)], ..MadeUp::default() };
        assert!(told(&chroot).contains("--propagation=unchanged"));
    }

    #[test]
    fn processor_numbers_are_not_blamed_where_the_mount_is_shared() {
        let ids = vec![("/proc/5/ns/mnt", 3), ("/proc/self/ns/mnt", 7)];
        let on = |mounts| MadeUp { mounts, on: vec![("/run/ns", 20)], ids: ids.clone(), ..with("/run/ns", "") };
        let namespace = OsStr::new("/proc/5/ns/mnt");
        let step = Step::Keep { kind: Kind::Mount, namespace, file: OsStr::new("/run/ns"), forks: false };
        let told = |mounts| said(step, Errno::EINVAL, &on(mounts));
        assert!(told("20 1 8:1 / / rw - ext4 a rw\n").contains("taskset"));
        let shared = told("20 1 8:1 / / rw shared:1 - ext4 a rw\n");
        assert!(shared.contains("private one first") && !shared.contains("taskset"), "{shared}");
    }

    #[test]
    fn who_may_not_become_root_inside_is_shown_how_to_stay() {
        let facts = with("/proc/self/setgroups", "deny\n");
        let told = |user_entered, errno| said(Step::BecomeInside { user_entered }, errno, &facts);
        assert!(told(true, Errno::EPERM).contains("setgroups(2) is denied in it; --preserve-credentials"));
        assert!(told(true, Errno::EINVAL).contains("maps no such id"));
        assert!(told(false, Errno::EINVAL).is_empty() && !told(false, Errno::EPERM).contains("preserve"));
    }

    #[test]
    fn a_chroot_or_a_user_that_is_not_mapped_explains_the_refusal() {
        let chroot = MadeUp { mounts: "21 20 0:5 / /proc rw - proc proc rw\n", ..MadeUp::default() };
        assert!(said(USER, Errno::EPERM, &chroot).contains("in a chroot"));
        assert!(said(USER, Errno::EPERM, &with("/proc/self/uid_map", "")).contains("not mapped"));
    }

    #[test]
    fn without_a_user_namespace_the_way_to_privilege_is_shown() {
        let step = Step::Unshare { kinds: &[Kind::Net, Kind::Mount], refused: &[(Kind::Net, Errno::EPERM)] };
        let facts = MadeUp { privileges: privileged(0), ..MadeUp::default() };
        let told = said(step, Errno::EPERM, &facts);
        assert!(told.starts_with("refused: --net\nthis process has no CAP_SYS_ADMIN"), "{told}");
        assert!(told.contains("--map-root-user"), "{told}");
        let filtered = MadeUp { privileges: privileged(u64::MAX), ..with("/proc/self/status", "Seccomp:\t2\n") };
        let told = said(step, Errno::EPERM, &filtered);
        assert!(told.contains("seccomp") && !told.contains("--map-root-user"), "{told}");
    }

    #[test]
    fn a_kind_that_cannot_be_made_says_why_where_that_can_be_seen() {
        let step = |kind: &'static [Kind]| Step::Unshare { kinds: kind, refused: &[] };
        assert_eq!(said(step(&[Kind::Time]), Errno::EINVAL, &MadeUp::default()), "");
        let nodes = vec![
            ("/proc/self/ns", FileKind::Directory),
            ("/proc/self/ns/pid", FileKind::Regular),
            ("/proc/self/ns/pid_for_children", FileKind::Regular),
        ];
        let facts = MadeUp { nodes, ..MadeUp::default() };
        assert!(said(step(&[Kind::Time]), Errno::EINVAL, &facts).contains("CONFIG_TIME_NS"));
        assert!(said(step(&[Kind::Pid]), Errno::EINVAL, &facts).contains("for its children already"));
    }

    #[test]
    fn the_limit_of_the_kind_that_was_refused_is_told() {
        let step = Step::Unshare { kinds: &[Kind::Uts, Kind::Mount], refused: &[(Kind::Mount, Errno::ENOSPC)] };
        let facts = MadeUp {
            files: vec![("/proc/sys/user/max_mnt_namespaces", "7\n"), ("/proc/sys/user/max_uts_namespaces", "0\n")],
            ..MadeUp::default()
        };
        let told = said(step, Errno::ENOSPC, &facts);
        assert!(told.contains("nested 32 deep, user.max_mnt_namespaces is 7,") && !told.contains("uts"), "{told}");
    }

    #[test]
    fn the_mounts_that_cover_proc_are_listed_up_to_five() {
        let mounts = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      21 20 0:5 / /proc rw - proc proc rw\n\
                      22 21 0:6 / /proc/kcore rw - tmpfs tmpfs rw\n\
                      23 21 0:5 /sys /proc/sys ro - proc proc rw\n";
        let facts = MadeUp { mounts, ..MadeUp::default() };
        let proc = Step::MountProc { directory: OsStr::new("/proc"), root: None };
        let told = said(proc, Errno::EPERM, &facts);
        assert!(told.contains(": /proc/kcore /proc/sys\n") && told.contains("unmask=ALL"), "{told}");
        let more: String = (0..7).map(|n| format!("{} 21 0:6 / /proc/{n} rw - tmpfs t rw\n", 30 + n)).collect();
        let facts = MadeUp { mounts: ROOT, more_mounts: more, ..MadeUp::default() };
        let told = said(proc, Errno::EPERM, &facts);
        assert!(told.contains("/proc/4 and 2 more\n"), "{told}");
        let missing = |root: Option<&'static str>| {
            let step = Step::MountProc { directory: OsStr::new("/none"), root: root.map(OsStr::new) };
            said(step, Errno::ENOENT, &MadeUp::default())
        };
        assert!(missing(None).contains("mkdir -p /none"));
        assert!(missing(Some("/r")).contains("new root") && missing(Some("/r")).ends_with(": mkdir -p /r/none\n"));
    }

    #[test]
    fn a_proc_of_another_namespace_is_told_before_what_covers_it() {
        let mounts = "21 20 0:5 / /proc rw - proc proc rw\n22 21 0:6 / /proc/kcore rw - tmpfs tmpfs rw\n";
        let owning =
            |is_ours| MadeUp { owned: vec![(Kind::Pid, is_ours)], mounts, ..with("/proc/self/uid_map", "0 9 1\n") };
        let told = |is_ours| {
            said(Step::MountProc { directory: OsStr::new("/proc"), root: None }, Errno::EPERM, &owning(is_ours))
        };
        assert!(told(false).contains("--pid --fork") && !told(false).contains("kcore"));
        assert!(told(true).contains("kcore") && !told(true).contains("--pid"));
    }

    #[test]
    fn a_map_that_is_refused_says_which_rule_it_breaks() {
        assert!(said(Step::Map, Errno::EINVAL, &MadeUp::default()).contains("overlap"));
        let inside = MadeUp { privileges: privileged(u64::MAX), ..with("/proc/self/uid_map", "0 1000 1\n") };
        assert!(said(Step::Map, Errno::EPERM, &inside).contains("every id outside must be mapped"));
    }

    #[test]
    fn entering_says_whose_namespace_it_is_and_who_may() {
        let told = |step, errno| said(step, errno, &MadeUp { privileges: privileged(0), ..MadeUp::default() });
        let enter = |kind| Step::Enter { kind, found: Some(kind) };
        assert!(told(enter(Kind::User), Errno::EINVAL).contains("in already"));
        assert!(told(enter(Kind::Pid), Errno::EINVAL).contains("ancestors"));
        assert!(told(enter(Kind::Net), Errno::EPERM).contains("--user"));
        let of = |found| told(Step::Enter { kind: Kind::Net, found }, Errno::EINVAL);
        assert!(of(None).contains("--net names is no namespace"));
        assert!(of(Some(Kind::Uts)).contains("another kind: --uts") && of(Some(Kind::Net)).is_empty());
        assert!(told(Step::OpenNamespace, Errno::EACCES).contains("no CAP_SYS_PTRACE"));
        let find = |facts: &MadeUp| said(Step::FindProcess(9), Errno::ENOENT, facts);
        assert!(find(&with("/proc/self/status", "Name:\tx\n")).contains("no process 9"));
        let other = find(&MadeUp::default());
        assert!(other.contains("another PID namespace") && !other.contains("no process"), "{other}");
        assert!(told(Step::OpenById, Errno::ESTALE).contains("no namespace with that id"));
        assert!(told(Step::OfSocket, Errno::ENOTTY).contains("not a socket"));
    }

    #[test]
    fn a_fork_that_is_refused_says_what_is_used_up() {
        assert!(said(Step::Fork, Errno::ENOMEM, &MadeUp::default()).contains("init of this PID namespace has ended"));
        let limits =
            with("/proc/self/limits", "Limit  Soft Hard\nMax processes             7         9    processes\n");
        assert!(said(Step::Fork, Errno::EAGAIN, &limits).contains("'ulimit -u' (7)"));
    }

    #[test]
    fn a_namespace_that_cannot_be_kept_says_what_is_missing() {
        let file = OsStr::new("/run/ns");
        let keep = |kind, forks| Step::Keep { kind, namespace: OsStr::new("/proc/5/ns/mnt"), file, forks };
        let there = with("/run/ns", "");
        assert!(said(keep(Kind::Net, true), Errno::ENOENT, &MadeUp::default()).contains("touch /run/ns"));
        assert!(said(keep(Kind::Pid, false), Errno::EINVAL, &there).contains("--fork"));
        assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &there).contains("--make-private"));
        assert!(said(keep(Kind::Net, true), Errno::EINVAL, &there).is_empty());
        let ids = |other, own| MadeUp {
            ids: vec![("/proc/5/ns/mnt", other), ("/proc/self/ns/mnt", own)],
            ..with("/run/ns", "")
        };
        assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &ids(5, 9)).contains("taskset -c N"));
        assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &ids(9, 5)).contains("--make-private"));
    }
}
