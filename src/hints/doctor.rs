//! Shows what this machine lets a process do, and why not: `ctrbox doctor`.
//!
//! A pure function of the environment, like the diagnoses, but run before anything has failed. Sources:
//! user_namespaces(7), cgroups(7), proc(5), ptrace(2), mount_setattr(2), capabilities(7).

mod finding;

pub use finding::{Finding, Verdict};

use crate::environment::Environment;
use crate::hint::{Hint, list, more_ids};
use crate::proc::revealing;
use crate::user_namespaces::{forbidden_user_namespaces, label, none_allowed};
use cli::text;
use cli::text::{Piece, fill};
use linux::Errno;
use linux::caps::{self, Cap, CapSet, names};
use linux::mount::table::Table;
use linux::namespace::Kind;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use Verdict::{No, Partly, Yes};

/// Verdict, reason and advice; in both `{0}` and so on stand for what was added to [`Machine::pieces`].
type Told = (Verdict, &'static str, &'static str);

/// What looks into one subject.
type Examine<'a> = fn(&mut Machine<'a>) -> Told;

const UNCONFINED: &str = "start the container with --security-opt seccomp=unconfined, or a profile that allows it";
const NO_PROC: &str = "no proc of this PID namespace is mounted on /proc: what cannot be told without it is left out";
const WITHOUT_PROC: &str = "proc,mount API,capabilities,bounding set";

struct Machine<'a> {
    environment: &'a dyn Environment,
    /// The kernel's version and patchlevel.
    release: (u64, u64),
    /// Our effective capabilities.
    held: CapSet,
    is_inside: bool,
    /// What forbids a user namespace.
    forbidden: Vec<Hint>,
    pieces: Vec<Vec<u8>>,
}

/// What is examined, in the order in which it is told.
const SUBJECTS: &str = "proc,user namespaces,subordinate ids,new proc,cgroups,process 1,ptrace,mount API,overlay,\
                        idmapped mounts,capabilities,bounding set,seccomp,new privileges,security module";

/// Every finding, in the order in which they are told.
pub fn examine<'a>(environment: &'a dyn Environment) -> Vec<Finding> {
    let held = environment.privileges().unwrap_or_default().sets.effective;
    let is_inside = environment.in_user_namespace();
    let (release, has_proc) = (environment.version(), environment.exists(OsStr::new("/proc/self/ns")));
    let mut machine = Machine { environment, release, held, is_inside, forbidden: Vec::new(), pieces: Vec::new() };
    machine.forbidden = if environment.exists(OsStr::new("/proc/self/ns/user")) {
        forbidden_user_namespaces(machine.is_root(), environment)
    } else {
        vec![b"the kernel was built without CONFIG_USER_NS".to_vec(), b"boot a kernel that has it".to_vec()]
    };
    let subjects: [Examine<'a>; 15] = [
        Machine::proc,
        Machine::user_namespaces,
        Machine::subordinate_ids,
        Machine::new_proc,
        Machine::cgroups,
        Machine::process_1,
        Machine::ptrace,
        Machine::mount_api,
        Machine::overlay,
        Machine::idmapped_mounts,
        Machine::capabilities,
        Machine::bounding,
        Machine::seccomp,
        Machine::new_privileges,
        Machine::security_module,
    ];
    let mut findings = Vec::with_capacity(subjects.len());
    for (name, examine) in SUBJECTS.split(',').zip(subjects) {
        if !has_proc && !WITHOUT_PROC.split(',').any(|subject| subject == name) {
            continue;
        }
        machine.pieces.clear();
        let (verdict, says, advice) = examine(&mut machine);
        let pieces: Vec<&dyn Piece> = machine.pieces.iter().map(|piece| piece as &dyn Piece).collect();
        findings.push(Finding { name, verdict, says: fill(says, &pieces), advice: fill(advice, &pieces) });
    }
    findings
}

fn yes(says: &'static str) -> Told {
    (Yes, says, "")
}

impl Machine<'_> {
    fn has(&self, number: Cap) -> bool {
        self.held.has(number)
    }

    /// Whether CAP_SYS_ADMIN is held in the first user namespace.
    fn is_root(&self) -> bool {
        self.has(Cap::SYS_ADMIN) && !self.is_inside
    }

    fn exists(&self, path: &str) -> bool {
        self.environment.exists(OsStr::new(path))
    }

    fn status_is(&self, name: &str, value: &[u8]) -> bool {
        self.environment.line("/proc/self/status", name).is_some_and(|found| found == value)
    }

    fn add(&mut self, piece: &[u8]) {
        self.pieces.push(piece.to_vec());
    }

    /// The way to privilege that this process has not.
    fn with_privilege(&self) -> &'static str {
        if self.is_inside {
            "run it outside of this user namespace"
        } else if self.environment.privileges().is_some_and(|own| own.euid.is_root()) {
            "start the container with more privilege (--cap-add, --privileged), or run it on the host"
        } else {
            "run it with sudo"
        }
    }

    fn is_filtered(&self) -> bool {
        self.status_is("Seccomp:", b"2")
    }

    /// The first hint as the reason, the others as the advice.
    fn refused(&mut self, hints: &[Hint]) -> Told {
        for part in [hints.get(..1), hints.get(1..)] {
            self.pieces.push(list(" ", &mut part.unwrap_or_default().iter().map(Vec::as_slice)));
        }
        (No, "{0}", "{1}")
    }

    /// What works in namespaces of these kinds, if they can be had: `{0}` is the `r` of the `unshare` that makes them.
    fn by_namespaces(&mut self, kinds: &[Kind], says: &'static str) -> Told {
        if let Some(hint) = none_allowed(kinds, self.environment) {
            return self.refused(&[hint]);
        }
        let takes_user = !self.has(Cap::SYS_ADMIN);
        if takes_user && (!self.forbidden.is_empty() || self.is_filtered()) {
            let verdict = if self.forbidden.is_empty() { Partly } else { No };
            return (verdict, "it takes a user namespace of one's own", "see there");
        }
        self.add(if takes_user { b"r" } else { b"" });
        yes(says)
    }

    fn proc(&mut self) -> Told {
        if self.exists("/proc/self/ns") {
            yes("it shows this PID namespace")
        } else {
            (No, NO_PROC, "mount -t proc proc /proc")
        }
    }

    fn user_namespaces(&mut self) -> Told {
        let forbidden = std::mem::take(&mut self.forbidden);
        if !forbidden.is_empty() {
            let told = self.refused(&forbidden);
            self.forbidden = forbidden;
            return told;
        }
        self.add(if self.is_inside { b"; this process is in one already, and they nest 32 deep" } else { b"" });
        if self.is_filtered() {
            return (Partly, "no setting forbids them, but the seccomp filter may{0}", UNCONFINED);
        }
        yes("anybody may make one: unshare -r{0}")
    }

    fn subordinate_ids(&mut self) -> Told {
        if self.is_root() {
            return yes("root maps any ids");
        }
        let [users, groups] = ["/etc/subuid", "/etc/subgid"].map(|path| self.environment.subordinate_ids(path));
        for count in [users, groups] {
            self.pieces.push(text![count]);
        }
        let is_there = |program: &str| {
            let places = ["/usr/local/bin/", "/usr/bin/", "/bin/"];
            places.iter().any(|place| self.environment.gives_privilege(OsStr::new(&[place, program].concat())))
        };
        if !is_there("newuidmap") || !is_there("newgidmap") {
            return (
                No,
                "newuidmap and newgidmap, which map them, are not there as set-user-ID programs; /etc/subuid gives {0}, /etc/subgid {1}",
                "install uidmap (Debian) or shadow-utils (Fedora)",
            );
        }
        if users == 0 || groups == 0 {
            self.pieces.push(more_ids(OsStr::new("USER"), self.environment));
            return (
                No,
                "/etc/subuid gives this user {0}, /etc/subgid {1}: only its own user and group can be mapped",
                "{2}",
            );
        }
        yes("/etc/subuid gives this user {0}, /etc/subgid {1}: unshare --map-auto maps them")
    }

    fn new_proc(&mut self) -> Told {
        let hints = revealing("/proc", self.environment);
        if !hints.is_empty() && !self.is_root() {
            return self.refused(&hints);
        }
        self.by_namespaces(
            &[Kind::Pid, Kind::Mount],
            "may be mounted in a PID namespace of one's own: unshare -{0}pf --mount-proc",
        )
    }

    fn cgroups(&mut self) -> Told {
        let table = self.environment.mounts().unwrap_or_else(|| Table::from_text(Vec::new()));
        let of = |fstype: &'static [u8]| table.entries().filter(move |entry| entry.fstype == fstype);
        let old = list(" ", &mut of(b"cgroup").map(|entry| entry.target));
        let Some(unified) = of(b"cgroup2").next() else {
            if old.is_empty() {
                return (No, "no cgroup file system is mounted", "as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
            }
            self.add(&old);
            return (Partly, "version 1 alone: {0}", "version 2 comes by systemd.unified_cgroup_hierarchy=1 at boot");
        };
        let own = self.environment.line("/proc/self/cgroup", "0::").unwrap_or_default();
        let mut own = [unified.target, own.strip_suffix(b"/").unwrap_or(&own)].concat();
        let length = own.len();
        own.extend_from_slice(b"/cgroup.controllers");
        let controllers = self.environment.file(OsStr::from_bytes(&own)).unwrap_or_default();
        own.truncate(length);
        own.extend_from_slice(b"/cgroup.procs");
        let shown = controllers.trim_ascii();
        self.add(unified.target);
        self.add(if shown.is_empty() { b"none" } else { shown });
        self.add(if old.is_empty() { b"" } else { b"; version 1 beside it: " });
        self.add(&old);
        if self.environment.may_write(OsStr::from_bytes(&own)) {
            return yes("version 2 on {0}; controllers of this process's cgroup: {1}{2}{3}");
        }
        (
            Partly,
            "version 2 on {0}; controllers of this process's cgroup, which may not be written to: {1}{2}{3}",
            "one's own: systemd-run --user --scope -p Delegate=yes COMMAND; in a container, mount it writable",
        )
    }

    fn process_1(&mut self) -> Told {
        if !self.exists("/proc/1/status") {
            return (
                No,
                "not in this /proc: hidepid= hides other users' processes",
                "as root: mount -o remount,hidepid=0 /proc",
            );
        }
        let name = self.environment.file(OsStr::new("/proc/1/comm")).unwrap_or_default();
        self.add(name.trim_ascii());
        let link = |path: &str| self.environment.link(OsStr::new(path));
        let Some(namespace) = link("/proc/1/ns/mnt") else {
            let advice = if self.has(Cap::SYS_PTRACE) {
                "CAP_SYS_PTRACE is held, but not over it: another user namespace or a security module is in the way"
            } else {
                self.with_privilege()
            };
            return (No, "it is '{0}'; its namespaces may not be looked at, so nsenter -t 1 cannot enter them", advice);
        };
        if link("/proc/self/ns/mnt") == Some(namespace) {
            return yes("it is '{0}', in this process's mount namespace");
        }
        yes("it is '{0}'; its namespaces can be seen, and its mount namespace is another")
    }

    fn ptrace(&mut self) -> Told {
        match self.environment.number("/proc/sys/kernel/yama/ptrace_scope") {
            Some(3) => {
                (No, "kernel.yama.ptrace_scope is 3: nobody may attach", "boot without it; nothing else undoes it")
            }
            _ if self.has(Cap::SYS_PTRACE) => yes("any process that this user namespace governs may be traced"),
            Some(2) => (No, "kernel.yama.ptrace_scope is 2: it takes CAP_SYS_PTRACE", self.with_privilege()),
            Some(1) => (
                Partly,
                "kernel.yama.ptrace_scope is 1: only descendants may be traced, as by strace COMMAND",
                "attach with sudo; or, for everybody: sysctl -w kernel.yama.ptrace_scope=0",
            ),
            _ => yes("processes of the same user may be traced"),
        }
    }

    fn mount_api(&mut self) -> Told {
        match self.environment.new_mount_api() {
            None => yes("open_tree(2) and its like answer"),
            Some(Errno::ENOSYS) if self.release < (5, 2) => {
                (No, "it came with Linux 5.2; mount(2) stands in, but not for idmaps", "boot a newer kernel")
            }
            Some(errno) => {
                self.pieces.push(text![errno]);
                (No, "open_tree(2) says {0}, so a filter forbids it; mount(2) stands in", UNCONFINED)
            }
        }
    }

    fn overlay(&mut self) -> Told {
        let known = self.environment.file(OsStr::new("/proc/filesystems")).unwrap_or_default();
        if !known.split(|byte| byte.is_ascii_whitespace()).any(|name| name == b"overlay") {
            return (
                No,
                "the running kernel knows no overlay; its module may not be loaded",
                "as root: modprobe overlay",
            );
        }
        match () {
            () if self.is_root() => yes("mount -t overlay works"),
            () if self.release < (5, 11) => (No, "a user's own takes Linux 5.11", self.with_privilege()),
            () => self.by_namespaces(
                &[Kind::Mount],
                "inside a user namespace with a mount namespace (unshare -{0}m), with -o userxattr",
            ),
        }
    }

    fn idmapped_mounts(&mut self) -> Told {
        match () {
            () if self.release < (5, 12) => (No, "they came with Linux 5.12", "boot a newer kernel"),
            () if self.environment.new_mount_api().is_some() => {
                (No, "they take the mount API, which does not answer here", "see there")
            }
            () if !self.is_root() => (
                No,
                "they take CAP_SYS_ADMIN in the user namespace that mounted the file system",
                self.with_privilege(),
            ),
            () => yes("where the file system takes part: ext4, xfs, vfat, btrfs from 5.15, tmpfs from 6.3"),
        }
    }

    /// Every capability that the kernel has and that has a name.
    fn every_capability(&self) -> CapSet {
        let named = u64::from(caps::NAMED);
        let last = self.environment.number("/proc/sys/kernel/cap_last_cap").unwrap_or(named);
        CapSet::first(named.min(last + 1) as u8)
    }

    fn capabilities(&mut self) -> Told {
        let missing = self.every_capability() & !self.held;
        let few = missing.len() > self.held.len();
        let listed = names(if few { self.held } else { missing });
        self.add(if self.is_inside { b", over this user namespace only" } else { b"" });
        self.add(listed.as_bytes());
        let says = match () {
            () if self.held.is_empty() => "none is effective",
            () if missing.is_empty() => "all are effective{0}",
            () if few => "effective{0}: {1}",
            () => "all are effective{0}, but {1}",
        };
        if self.has(Cap::SYS_ADMIN) {
            return yes(says);
        }
        self.add(self.with_privilege().as_bytes());
        self.add(if self.forbidden.is_empty() { b", or in a user namespace of one's own: unshare -r" } else { b"" });
        let verdict = if self.held.is_empty() { No } else { Partly };
        (verdict, says, "most of ctrbox takes cap_sys_admin: {2}{3}")
    }

    fn bounding(&mut self) -> Told {
        let missing = self.every_capability() & !self.environment.privileges().unwrap_or_default().bounding;
        if missing.is_empty() {
            return yes("whole: root can have every capability");
        }
        self.add(names(missing).as_bytes());
        let advice = "what is needed is given to a container as it starts: --cap-add NAME";
        (Partly, "no program started here can have {0}", advice)
    }

    fn seccomp(&mut self) -> Told {
        if !self.is_filtered() {
            return yes("no filter is on this process");
        }
        (Partly, "a filter is on this process: calls may fail that privilege allows", UNCONFINED)
    }

    fn new_privileges(&mut self) -> Told {
        if !self.status_is("NoNewPrivs:", b"1") {
            return yes("programs with set-user-ID or file capabilities get them");
        }
        let advice = "start the container without --security-opt no-new-privileges";
        (No, "no_new_privs is set: sudo, newuidmap and file capabilities give nothing", advice)
    }

    fn security_module(&mut self) -> Told {
        let Some(label) = label(self.environment) else { return yes("no label confines this process") };
        self.add(&label);
        (Partly, "{0}", "in a container: --security-opt apparmor=unconfined or label=disable")
    }
}

#[cfg(test)]
mod tests;
