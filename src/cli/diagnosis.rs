//! Why the kernel said no, on this machine: the one room of the diagnoses.
//!
//! A diagnosis is a pure function of the failed step, the error number and the facts, so it is
//! tested with made-up facts. Facts are files of at most 4 KiB, read only after the failure; the
//! hints name the one that decides, and what to do.

use crate::text;
use linux::Errno;
use linux::mountinfo::Table;
use linux::namespace::Kind;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// How much of a file is read, in bytes.
const LIMIT: usize = 4096;
/// How many mounts, processes or namespaces a hint names.
const NAMED: usize = 5;

/// What can be seen of this machine.
pub trait Facts {
    /// The beginning of a file; `None` if it cannot be read.
    fn file(&self, path: &str) -> Option<Vec<u8>>;
    /// Whether a path exists.
    fn exists(&self, path: &OsStr) -> bool;
    /// The table of mounts that we see.
    fn mounts(&self) -> Option<Table>;
}

/// The machine we run on.
pub struct Here;

impl Facts for Here {
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        linux::io::read_file(path, LIMIT).ok()
    }

    fn exists(&self, path: &OsStr) -> bool {
        linux::stat::link(path).is_ok()
    }

    fn mounts(&self) -> Option<Table> {
        Table::read().ok()
    }
}

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
    /// Writing uid_map or gid_map from inside.
    Map,
    /// Mounting proc on this directory.
    MountProc(&'a OsStr),
    /// chroot(2) to this directory.
    Chroot(&'a OsStr),
    /// setns(2) to a namespace of this kind.
    Enter(Kind),
    /// fork(2).
    Fork,
    /// Binding a namespace on this file.
    Keep {
        /// Of this kind.
        kind: Kind,
        /// The file.
        file: &'a OsStr,
        /// Whether we fork, so that a PID namespace has its first process.
        forks: bool,
    },
}

/// One hint, without `hint: ` before it.
pub type Hint = Vec<u8>;

/// The hints for a failed step.
pub fn diagnose(step: Step<'_>, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match step {
        Step::Unshare { kinds, refused } => unshare(kinds, refused, errno, facts),
        Step::Map => map(errno, facts),
        Step::MountProc(directory) => mount_proc(directory, errno, facts),
        Step::Chroot(directory) => chroot(directory, errno, facts),
        Step::Enter(kind) => enter(kind, errno, facts),
        Step::Fork => fork(errno, facts),
        Step::Keep { kind, file, forks } => keep(kind, file, forks, errno, facts),
    }
}

/// [`diagnose`] here, and only if hints are wanted.
#[cold]
pub fn hints(step: Step<'_>, errno: Errno) -> Vec<Hint> {
    if crate::failure::hints_wanted() { diagnose(step, errno, &Here) } else { Vec::new() }
}

fn unshare(kinds: &[Kind], refused: &[(Kind, Errno)], errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    let mut hints = Vec::new();
    if kinds.len() > 1 && !refused.is_empty() && refused.len() < kinds.len() {
        let names: Vec<&str> = refused.iter().map(|(kind, _)| option_name(*kind)).collect();
        hints.push(text!["refused: ", names.join(" ")]);
    }
    match errno {
        Errno::EPERM if !kinds.contains(&Kind::User) => {
            hints.push(text!["this needs root, or a user namespace of one's own: add --map-root-user (-r)"]);
        }
        Errno::EPERM | Errno::EACCES => hints.extend(user_namespaces(facts)),
        Errno::EINVAL => {
            let missing =
                kinds.iter().filter(|kind| !facts.exists(OsStr::new(&format!("/proc/self/ns/{}", kind.file()))));
            for kind in missing {
                hints.push(text!["this kernel was built without ", config(*kind)]);
            }
        }
        Errno::ENOSPC | Errno::EUSERS => {
            for kind in kinds {
                let path = format!("/proc/sys/user/max_{}_namespaces", limit_name(*kind));
                if number(facts, &path) == Some(0) {
                    hints.push(text![
                        sysctl(&path),
                        " is 0: no namespace of that kind may be made; root can raise it with sysctl"
                    ]);
                }
            }
            if hints.is_empty() {
                hints.push(text![
                    "a limit is reached: namespaces may be nested 32 deep, and /proc/sys/user/max_*_namespaces bounds their number"
                ]);
            }
        }
        _ => {}
    }
    hints
}

/// Why an unprivileged user may not have a user namespace: the setting that says so, and the
/// remedies, the narrowest first.
fn user_namespaces(facts: &dyn Facts) -> Vec<Hint> {
    const APPARMOR: &str = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
    const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
    const LIMIT: &str = "/proc/sys/user/max_user_namespaces";
    if number(facts, APPARMOR) == Some(1) {
        return vec![
            text![
                sysctl(APPARMOR),
                " is 1: AppArmor takes the capabilities of a new user namespace away from programs without a profile that allows them"
            ],
            text![
                "run it with sudo; or give this program a profile with 'userns,'; or, for every program: sysctl -w ",
                sysctl(APPARMOR),
                "=0"
            ],
        ];
    }
    if number(facts, DEBIAN) == Some(0) {
        return vec![text![
            sysctl(DEBIAN),
            " is 0: only root makes user namespaces; run it with sudo, or: sysctl -w ",
            sysctl(DEBIAN),
            "=1"
        ]];
    }
    if number(facts, LIMIT) == Some(0) {
        return vec![text![sysctl(LIMIT), " is 0: no user namespace may be made; root can raise it with sysctl"]];
    }
    if let Some(mounts) = facts.mounts()
        && mounts.find_target(OsStr::new("/")).is_none()
    {
        return vec![text![
            "a process in a chroot may not make a user namespace: its root is not that of its mount namespace"
        ]];
    }
    if let Some(label) = facts.file("/proc/self/attr/current") {
        let label = label.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default();
        if !label.is_empty() && !label.starts_with(b"unconfined") && label != b"kernel" {
            return vec![text!["this process runs under the security label '", label, "', which may forbid it"]];
        }
    }
    vec![text!["the kernel, or a seccomp filter as containers have one, denies user namespaces here; run it with sudo"]]
}

fn map(errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::EPERM | Errno::EACCES => user_namespaces(facts),
        _ => Vec::new(),
    }
}

fn mount_proc(directory: &OsStr, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::EPERM => {
            let mut covered = Vec::new();
            if let Some(mounts) = facts.mounts() {
                covered.extend(
                    mounts
                        .entries()
                        .map(|mount| mount.target_path())
                        .filter(|path| path.as_bytes().starts_with(b"/proc/")),
                );
            }
            if covered.is_empty() {
                return vec![text![
                    "a new proc takes CAP_SYS_ADMIN in the user namespace of the PID namespace: add --pid --fork to --user"
                ]];
            }
            let more = covered.len().saturating_sub(NAMED);
            let mut list = Vec::new();
            for path in covered.iter().take(NAMED) {
                list.extend_from_slice(b" ");
                list.extend_from_slice(path.as_bytes());
            }
            if more > 0 {
                list.extend_from_slice(&text![" and ", more, " more"]);
            }
            vec![
                text!["the /proc here is partly covered, and the kernel refuses a new one that would show more:", list],
                text![
                    "in a container, start that with --security-opt systempaths=unconfined (docker) or unmask=ALL (podman)"
                ],
            ]
        }
        Errno::ENOENT | Errno::ENOTDIR if !facts.exists(directory) => {
            vec![text!["'", directory, "' is not there; make it first: mkdir -p ", directory]]
        }
        _ => Vec::new(),
    }
}

fn chroot(directory: &OsStr, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    const SYS_CHROOT: u64 = 1 << 18;
    match errno {
        Errno::EPERM => {
            let mut hints = match effective(facts) {
                Some(set) if set & SYS_CHROOT == 0 => {
                    vec![text!["this process has no CAP_SYS_CHROOT (CapEff=", format!("{set:016x}"), ")"]]
                }
                _ => Vec::new(),
            };
            if directory == "/host" {
                hints.push(text!["in a pod of 'kubectl debug node', ask for the privilege: --profile=sysadmin; and since chroot keeps the pod's namespaces, 'nsenter -a -t 1' may be what is meant"]);
            } else {
                hints.push(text!["be root, or make a user namespace that has it: unshare -r chroot ..."]);
            }
            hints
        }
        Errno::EACCES => vec![text!["every directory on the way to it must be searchable (x) for this user"]],
        _ => Vec::new(),
    }
}

fn enter(kind: Kind, errno: Errno, _facts: &dyn Facts) -> Vec<Hint> {
    match (kind, errno) {
        (Kind::User, Errno::EINVAL) => {
            vec![text!["that is the user namespace we are in already; leave --user (-U) out"]]
        }
        (Kind::Pid, Errno::EINVAL) => {
            vec![text!["a PID namespace can only be entered from itself or from one of its ancestors"]]
        }
        (Kind::User, _) => Vec::new(),
        (_, Errno::EPERM) => vec![text![
            "this takes CAP_SYS_ADMIN in the user namespace that owns it: be root, or enter that user namespace too (--user)"
        ]],
        _ => Vec::new(),
    }
}

fn fork(errno: Errno, _facts: &dyn Facts) -> Vec<Hint> {
    match errno {
        Errno::ENOMEM => {
            vec![text!["the init of this PID namespace has ended, so nothing can be started in it any more"]]
        }
        Errno::EAGAIN => vec![text!["a limit on processes is reached: 'ulimit -u', or pids.max of the cgroup"]],
        _ => Vec::new(),
    }
}

fn keep(kind: Kind, file: &OsStr, forks: bool, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match (kind, errno) {
        (_, Errno::ENOENT) if !facts.exists(file) => vec![text!["the file must exist; make it first: touch ", file]],
        (Kind::Pid, Errno::EINVAL | Errno::ENOENT) if !forks => {
            vec![text!["a PID namespace has no file before its first process: add --fork (-f)"]]
        }
        (Kind::Mount, Errno::EINVAL) => vec![text![
            "a mount namespace cannot be kept on a shared mount; make a private one first: mount --bind DIR DIR; mount --make-private DIR"
        ]],
        _ => Vec::new(),
    }
}

/// The hint for `unshare --pid` without `--fork`, which surprises everybody once.
pub const PID_WITHOUT_FORK: &str = "without --fork only the first child is in the new PID namespace, and it is its init: when it ends, no other can be started";

/// The hint for entering the namespaces of a PID 1 that is in our own already.
pub const SHARES_EVERYTHING: &str =
    "PID 1 is in the same namespaces as this process; to reach the host from a pod, the pod needs hostPID: true";

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
    path.trim_start_matches("/proc/sys/").replace('/', ".")
}

fn number(facts: &dyn Facts, path: &str) -> Option<u64> {
    crate::number::decimal(facts.file(path)?.trim_ascii())
}

fn effective(facts: &dyn Facts) -> Option<u64> {
    let status = facts.file("/proc/self/status")?;
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"CapEff:"))?;
    crate::number::read(line.trim_ascii(), 16)?.value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct MadeUp {
        files: Vec<(&'static str, &'static str)>,
        mounts: &'static str,
    }

    impl Facts for MadeUp {
        fn file(&self, path: &str) -> Option<Vec<u8>> {
            self.files.iter().find(|(name, _)| *name == path).map(|(_, text)| text.as_bytes().to_vec())
        }
        fn exists(&self, path: &OsStr) -> bool {
            self.files.iter().any(|(name, _)| path == *name)
        }
        fn mounts(&self) -> Option<Table> {
            Some(Table::from_text(self.mounts.as_bytes().to_vec()))
        }
    }

    const ROOT: &str = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n";

    fn said(step: Step<'_>, errno: Errno, facts: &MadeUp) -> String {
        let hints = diagnose(step, errno, facts);
        hints.into_iter().map(|hint| String::from_utf8(hint).unwrap() + "\n").collect()
    }

    const USER: Step<'static> = Step::Unshare { kinds: &[Kind::User], refused: &[] };

    #[test]
    fn the_one_setting_that_forbids_user_namespaces_is_named() {
        let with = |path, value| MadeUp { files: vec![(path, value)], mounts: ROOT };
        let apparmor = with("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
        assert!(said(Step::Map, Errno::EPERM, &apparmor).contains("kernel.apparmor_restrict_unprivileged_userns is 1"));
        let debian = with("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
        assert!(said(USER, Errno::EPERM, &debian).contains("kernel.unprivileged_userns_clone is 0"));
        let none = with("/proc/sys/user/max_user_namespaces", "0\n");
        assert!(said(USER, Errno::ENOSPC, &none).contains("user.max_user_namespaces is 0"));
        let label = with("/proc/self/attr/current", "unprivileged_userns (enforce)\n");
        assert!(said(Step::Map, Errno::EPERM, &label).contains("'unprivileged_userns (enforce)'"));
    }

    #[test]
    fn a_chroot_without_a_mounted_root_explains_the_refusal() {
        assert!(said(USER, Errno::EPERM, &MadeUp::default()).contains("in a chroot"));
    }

    #[test]
    fn without_a_user_namespace_the_way_to_privilege_is_shown() {
        let step = Step::Unshare { kinds: &[Kind::Net, Kind::Mount], refused: &[(Kind::Net, Errno::EPERM)] };
        let said = said(step, Errno::EPERM, &MadeUp::default());
        assert!(said.contains("refused: --net") && said.contains("--map-root-user"));
    }

    #[test]
    fn a_kind_that_the_kernel_lacks_is_named() {
        let step = Step::Unshare { kinds: &[Kind::Time], refused: &[] };
        assert!(said(step, Errno::EINVAL, &MadeUp::default()).contains("CONFIG_TIME_NS"));
    }

    #[test]
    fn the_mounts_that_cover_proc_are_listed_up_to_five() {
        let facts = MadeUp {
            mounts: "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                     21 20 0:5 / /proc rw - proc proc rw\n\
                     22 21 0:6 / /proc/kcore rw - tmpfs tmpfs rw\n\
                     23 21 0:5 /sys /proc/sys ro - proc proc rw\n",
            ..MadeUp::default()
        };
        let said = said(Step::MountProc(OsStr::new("/proc")), Errno::EPERM, &facts);
        assert!(said.contains(": /proc/kcore /proc/sys\n"), "{said}");
    }

    #[test]
    fn a_missing_capability_is_shown_with_the_set_there_is() {
        let facts =
            MadeUp { files: vec![("/proc/self/status", "Name:\tx\nCapEff:\t00000000a80025fb\n")], mounts: ROOT };
        assert!(said(Step::Chroot(OsStr::new("/srv")), Errno::EPERM, &facts).contains("unshare -r"));
        let facts = MadeUp { files: vec![("/proc/self/status", "CapEff:\t0000000000000000\n")], mounts: ROOT };
        let said = said(Step::Chroot(OsStr::new("/host")), Errno::EPERM, &facts);
        assert!(said.contains("CapEff=0000000000000000") && said.contains("--profile=sysadmin"));
    }

    #[test]
    fn a_namespace_that_cannot_be_kept_says_what_is_missing() {
        let keep = |kind, forks| Step::Keep { kind, file: OsStr::new("/run/ns"), forks };
        let there = MadeUp { files: vec![("/run/ns", "")], mounts: ROOT };
        assert!(said(keep(Kind::Net, true), Errno::ENOENT, &MadeUp::default()).contains("touch /run/ns"));
        assert!(said(keep(Kind::Pid, false), Errno::EINVAL, &there).contains("--fork"));
        assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &there).contains("--make-private"));
        assert!(said(keep(Kind::Net, true), Errno::EINVAL, &there).is_empty());
    }
}
