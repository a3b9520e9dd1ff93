//! What this machine lets a process do, and why not: `ctrbox doctor`.
//!
//! A pure function of the facts, as the diagnoses are, but asked before anything failed. The sources are
//! user_namespaces(7), cgroups(7), proc(5), ptrace(2), mount_setattr(2) and capabilities(7).

use super::namespaces::{SYS_ADMIN, SYS_PTRACE, forbidden_user_namespaces, label, revealing};
use super::{Facts, Hint, list};
use crate::text;
use linux::Errno;
use linux::capability::{self, bit, names};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// How far something works here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Yes,
    /// With limits, which are told.
    Partly,
    /// It does not.
    No,
}

/// What there is to know of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject.
    pub name: &'static str,
    /// How far it works.
    pub verdict: Verdict,
    /// Why.
    pub says: Vec<u8>,
    /// What to do about it; nothing if it works.
    pub advice: Vec<Hint>,
}

use Verdict::{No, Partly, Yes};

const UNCONFINED: &str = "start the container with --security-opt seccomp=unconfined, or a profile that allows it";

/// Every finding, in the order in which they are told.
pub fn examine(facts: &dyn Facts) -> Vec<Finding> {
    let held = facts.privileges().unwrap_or_default();
    let has = |number: u8| held.sets.effective & bit(number) != 0;
    let machine = Machine { facts, release: release(facts), is_root: has(SYS_ADMIN) && !facts.in_user_namespace() };
    let mut findings = Vec::new();
    let mut add = |name, (verdict, says, advice)| findings.push(Finding { name, verdict, says, advice });
    if !facts.exists(OsStr::new("/proc/self/ns")) {
        let says = text!["no proc of this PID namespace is mounted on /proc: most of what follows cannot be seen"];
        add("proc", (No, says, vec![text!["mount -t proc proc /proc"]]));
    }
    add("user namespaces", machine.user_namespaces());
    add("subordinate ids", machine.subordinate_ids());
    add("new proc", machine.new_proc());
    add("cgroups", machine.cgroups());
    add("process 1", machine.process_1(has(SYS_PTRACE)));
    add("ptrace", machine.ptrace(has(SYS_PTRACE)));
    add("mount API", machine.mount_api());
    add("overlay", machine.overlay());
    add("idmapped mounts", machine.idmapped_mounts());
    add("capabilities", machine.capabilities(held.sets.effective, has(SYS_ADMIN)));
    add("bounding set", machine.bounding(held.bounding));
    add("seccomp", machine.seccomp());
    add("new privileges", machine.new_privileges());
    add("security module", machine.security_module());
    findings
}

/// Verdict, reason, advice.
type Told = (Verdict, Vec<u8>, Vec<Hint>);

struct Machine<'a> {
    facts: &'a dyn Facts,
    release: (u64, u64),
    /// Whether CAP_SYS_ADMIN is held in the first user namespace.
    is_root: bool,
}

/// The kernel's version and patchlevel.
fn release(facts: &dyn Facts) -> (u64, u64) {
    let text = facts.file(OsStr::new("/proc/sys/kernel/osrelease")).unwrap_or_default();
    let mut numbers = text.split(|byte| !byte.is_ascii_digit()).map(|part| crate::number::decimal(part).unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn yes(says: Vec<u8>) -> Told {
    (Yes, says, Vec::new())
}

impl Machine<'_> {
    fn status(&self, name: &str) -> Vec<u8> {
        self.facts.line("/proc/self/status", name).unwrap_or_default()
    }

    /// The way to privilege that this process has not.
    fn with_privilege(&self) -> &'static str {
        if self.facts.in_user_namespace() {
            "run it outside of this user namespace"
        } else if self.facts.privileges().is_some_and(|own| own.euid == 0) {
            "start the container with more privilege (--cap-add, --privileged), or run it on the host"
        } else {
            "run it with sudo"
        }
    }

    fn is_filtered(&self) -> bool {
        self.status("Seccomp:") == b"2"
    }

    fn user_namespaces(&self) -> Told {
        let ns = OsStr::new("/proc/self/ns");
        if self.facts.exists(ns) && !self.facts.exists(OsStr::new("/proc/self/ns/user")) {
            return (No, text!["the kernel was built without CONFIG_USER_NS"], Vec::new());
        }
        let mut why = forbidden_user_namespaces(self.is_root, self.facts).into_iter();
        if let Some(reason) = why.next() {
            return (No, reason, why.collect());
        }
        let inside =
            if self.facts.in_user_namespace() { "; this process is in one already, and they nest 32 deep" } else { "" };
        if self.is_filtered() {
            return (
                Partly,
                text!["no setting forbids them, but the seccomp filter may", inside],
                vec![text![UNCONFINED]],
            );
        }
        yes(text!["anybody may make one: unshare -r", inside])
    }

    fn subordinate_ids(&self) -> Told {
        if self.is_root {
            return yes(text!["root maps any ids"]);
        }
        let [users, groups] = ["/etc/subuid", "/etc/subgid"].map(|path| self.facts.subordinate_ids(path));
        let mut advice = Vec::new();
        if users == 0 || groups == 0 {
            advice.push(text![
                "an administrator gives some: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"
            ]);
        }
        let mut says = text!["/etc/subuid gives ", users, " users, /etc/subgid ", groups, " groups"];
        let missing = ["newuidmap", "newgidmap"].into_iter().find(|program| {
            let places = ["/usr/local/bin/", "/usr/bin/", "/bin/"];
            !places.iter().any(|place| self.facts.gives_privilege(OsStr::new(&[place, *program].concat())))
        });
        if let Some(program) = missing {
            says.extend(text!["; ", program, " is not installed with the privilege that it needs"]);
            advice.push(text!["install the package uidmap (Debian) or shadow-utils (Fedora)"]);
        }
        if advice.is_empty() {
            return yes(text![says, ": unshare --map-auto maps them"]);
        }
        (No, text![says, "; only one's own user and group can be mapped"], advice)
    }

    fn new_proc(&self) -> Told {
        let mut covered = revealing("/proc", self.facts).into_iter();
        match covered.next() {
            Some(reason) if !self.is_root => (No, reason, covered.collect()),
            _ => yes(text!["may be mounted in a PID namespace of one's own: unshare -pf --mount-proc"]),
        }
    }

    fn cgroups(&self) -> Told {
        let Some(table) = self.facts.mounts() else { return (No, text!["no table of mounts can be read"], Vec::new()) };
        let of = |fstype: &'static [u8]| table.entries().filter(move |entry| entry.fstype == fstype);
        let mut version_1 = of(b"cgroup").map(|entry| entry.target).peekable();
        let Some(unified) = of(b"cgroup2").next() else {
            if version_1.peek().is_some() {
                let says = text!["version 1 alone: ", list(" ", version_1)];
                return (Partly, says, vec![text!["version 2 comes by systemd.unified_cgroup_hierarchy=1 at boot"]]);
            }
            let advice = text!["as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup"];
            return (No, text!["no cgroup file system is mounted"], vec![advice]);
        };
        let top = unified.target_path();
        let below = |rest: &[u8]| OsString::from(OsStr::from_bytes(&[top.as_bytes(), rest].concat()));
        let own = self.facts.line("/proc/self/cgroup", "0::").unwrap_or_default();
        let own = own.strip_suffix(b"/").unwrap_or(&own);
        let controllers = self.facts.file(&below(&[own, b"/cgroup.controllers"].concat())).unwrap_or_default();
        let controllers = controllers.trim_ascii();
        let shown: &[u8] = if controllers.is_empty() { b"none" } else { controllers };
        let mut says = text!["version 2 on ", top, "; controllers of this process's cgroup: ", shown];
        if version_1.peek().is_some() {
            says.extend(text!["; version 1 beside it: ", list(" ", version_1)]);
        }
        if self.facts.may_write(&below(&[own, b"/cgroup.procs"].concat())) {
            return yes(says);
        }
        says.extend(text!["; that cgroup may not be written to"]);
        let advice = "a cgroup of one's own: systemd-run --user --scope -p Delegate=yes COMMAND; in a container, mount it writable";
        (Partly, says, vec![text![advice]])
    }

    fn process_1(&self, has_ptrace: bool) -> Told {
        if !self.facts.exists(OsStr::new("/proc/1/status")) {
            let says =
                text!["not in this /proc: hidepid= hides other users' processes, or it is another PID namespace's"];
            return (No, says, vec![text!["as root: mount -o remount,hidepid=0 /proc"]]);
        }
        let name = self.facts.file(OsStr::new("/proc/1/comm")).unwrap_or_default();
        let name = name.trim_ascii();
        let link = |who: &str| self.facts.link(OsStr::new(&["/proc/", who, "/ns/mnt"].concat()));
        let Some(namespace) = link("1") else {
            let says =
                text!["it is '", name, "'; its namespaces may not be looked at, so nsenter -t 1 cannot enter them"];
            let advice = if has_ptrace {
                "CAP_SYS_PTRACE is held, but not over it: another user namespace or a security module is in the way"
            } else {
                self.with_privilege()
            };
            return (No, says, vec![text![advice]]);
        };
        let shares = link("self") == Some(namespace);
        let which = if shares { "; this process shares its mount namespace" } else { "" };
        yes(text!["it is '", name, "', and its namespaces can be seen", which])
    }

    fn ptrace(&self, has_ptrace: bool) -> Told {
        const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";
        let (verdict, says) = match self.facts.number(YAMA) {
            Some(3) => (No, "kernel.yama.ptrace_scope is 3: nobody may attach until the next boot"),
            _ if has_ptrace => return yes(text!["any process that this user namespace governs may be traced"]),
            Some(2) => (No, "kernel.yama.ptrace_scope is 2: it takes CAP_SYS_PTRACE"),
            Some(1) => (Partly, "kernel.yama.ptrace_scope is 1: only descendants may be traced, as by strace COMMAND"),
            _ => return yes(text!["processes of the same user may be traced"]),
        };
        let advice = "attach with sudo; or, for everybody: sysctl -w kernel.yama.ptrace_scope=0";
        (verdict, text![says], if verdict == Partly { vec![text![advice]] } else { vec![text![self.with_privilege()]] })
    }

    fn mount_api(&self) -> Told {
        match self.facts.new_mount_api() {
            None => yes(text!["open_tree(2) and its like answer"]),
            Some(Errno::ENOSYS) if self.release < (5, 2) => {
                (No, text!["it came with Linux 5.2; mount(2) stands in, and idmaps do not work"], Vec::new())
            }
            Some(errno) => {
                let says = text!["open_tree(2) says ", errno, ", so a filter forbids it; mount(2) stands in"];
                (No, says, vec![text![UNCONFINED]])
            }
        }
    }

    fn overlay(&self) -> Told {
        let known = self.facts.file(OsStr::new("/proc/filesystems")).unwrap_or_default();
        if !known.split(|byte| byte.is_ascii_whitespace()).any(|name| name == b"overlay") {
            let says = text!["the running kernel knows no overlay; its module may not be loaded yet"];
            return (No, says, vec![text!["as root: modprobe overlay"]]);
        }
        if self.is_root {
            return yes(text!["mount -t overlay works"]);
        }
        if self.release < (5, 11) {
            let says = text!["a user's own takes Linux 5.11"];
            return (No, says, vec![text![self.with_privilege()]]);
        }
        yes(text!["inside a user namespace with a mount namespace (unshare -rm), with -o userxattr"])
    }

    fn idmapped_mounts(&self) -> Told {
        if self.release < (5, 12) {
            return (No, text!["they came with Linux 5.12"], Vec::new());
        }
        if self.facts.new_mount_api().is_some() {
            return (No, text!["they take the mount API, which does not answer here"], Vec::new());
        }
        if !self.is_root {
            let says = text!["they take CAP_SYS_ADMIN in the user namespace that mounted the file system"];
            return (No, says, vec![text![self.with_privilege()]]);
        }
        yes(text!["where the file system takes part: ext4 and vfat, xfs, btrfs from 5.15, tmpfs from 6.3"])
    }

    fn capabilities(&self, effective: u64, has_admin: bool) -> Told {
        let all = self.every_capability();
        let missing = all & !effective;
        let (held, lacks) = (capability::members(effective).count(), capability::members(missing).count());
        let whose = if self.facts.in_user_namespace() { ", over this user namespace only" } else { "" };
        let mut says = match () {
            () if effective & all == 0 => text!["none is effective"],
            () if missing == 0 => text!["all are effective", whose],
            () if lacks < held => text!["all are effective", whose, ", but ", names(missing)],
            () => text![names(effective), " are effective", whose],
        };
        if has_admin {
            return yes(says);
        }
        says.extend(text!["; most of ctrbox takes cap_sys_admin"]);
        let advice = text![self.with_privilege(), ", or in a user namespace of one's own: unshare -r"];
        (if effective == 0 { No } else { Partly }, says, vec![advice])
    }

    /// Every capability that the kernel has and that has a name.
    fn every_capability(&self) -> u64 {
        let named = capability::NAMES.len() as u64;
        let last = self.facts.number("/proc/sys/kernel/cap_last_cap").unwrap_or(named);
        capability::all(named.min(last + 1) as u8)
    }

    fn bounding(&self, set: u64) -> Told {
        let lacks = self.every_capability() & !set;
        if lacks == 0 {
            return yes(text!["whole: root can have every capability"]);
        }
        let says = text!["no program started here can have ", names(lacks)];
        (Partly, says, vec![text!["what is needed is given to a container as it starts: --cap-add NAME"]])
    }

    fn seccomp(&self) -> Told {
        if !self.is_filtered() {
            return yes(text!["no filter is on this process"]);
        }
        let says = text!["a filter is on this process, as containers have one: calls may fail that privilege allows"];
        (Partly, says, vec![text![UNCONFINED]])
    }

    fn new_privileges(&self) -> Told {
        if self.status("NoNewPrivs:") != b"1" {
            return yes(text!["programs with set-user-ID or file capabilities get them"]);
        }
        let says = text!["no_new_privs is set: sudo, newuidmap and file capabilities give nothing"];
        (No, says, vec![text!["start the container without --security-opt no-new-privileges"]])
    }

    fn security_module(&self) -> Told {
        match label(self.facts) {
            None => yes(text!["no label confines this process"]),
            Some(says) => {
                (Partly, says, vec![text!["in a container: --security-opt apparmor=unconfined or label=disable"]])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::FileKind;
    use super::super::facts::Privileges;
    use super::super::made_up::MadeUp;
    use super::*;
    use linux::capability::Sets;

    const MOUNTS: &str = "20 1 8:1 / / rw - ext4 a rw\n\
                          21 20 0:5 / /proc rw - proc proc rw\n\
                          22 20 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

    /// A usual machine of today, and an ordinary user.
    fn machine() -> MadeUp {
        MadeUp {
            files: vec![
                ("/proc/sys/kernel/osrelease", "6.12.3-amd64\n"),
                ("/proc/filesystems", "nodev\tproc\nnodev\toverlay\n"),
                ("/proc/self/cgroup", "0::/user.slice\n"),
                ("/proc/self/uid_map", "         0          0 4294967295\n"),
                ("/sys/fs/cgroup/user.slice/cgroup.controllers", "cpu memory\n"),
                ("/proc/1/comm", "systemd\n"),
                ("/proc/1/status", ""),
            ],
            nodes: vec![("/proc/self/ns", FileKind::Directory), ("/proc/self/ns/user", FileKind::Regular)],
            mounts: MOUNTS,
            privileges: Some(Privileges { euid: 1000, sets: Sets::default(), bounding: u64::MAX }),
            ..MadeUp::default()
        }
    }

    fn with(path: &'static str, text: &'static str) -> MadeUp {
        let mut facts = machine();
        facts.files.retain(|(name, _)| *name != path);
        facts.files.push((path, text));
        facts
    }

    fn root() -> MadeUp {
        let sets = Sets { effective: u64::MAX, ..Sets::default() };
        MadeUp { privileges: Some(Privileges { euid: 0, sets, bounding: u64::MAX }), ..machine() }
    }

    /// Verdict, reason and advice in one text.
    fn told(name: &str, facts: &MadeUp) -> (Verdict, String) {
        let finding = examine(facts).into_iter().find(|finding| finding.name == name).unwrap();
        let all: Vec<Vec<u8>> = [finding.says].into_iter().chain(finding.advice).collect();
        (finding.verdict, String::from_utf8(all.join(&b'|')).unwrap())
    }

    #[test]
    fn what_does_not_work_says_what_to_do_and_what_works_asks_for_nothing() {
        for facts in [machine(), root(), MadeUp::default()] {
            for finding in examine(&facts) {
                assert!(
                    !finding.says.is_empty() && (finding.verdict != Yes || finding.advice.is_empty()),
                    "{finding:?}"
                );
            }
        }
    }

    #[test]
    fn the_setting_that_forbids_user_namespaces_binds_users_and_not_root() {
        const DEBIAN: &str = "/proc/sys/kernel/unprivileged_userns_clone";
        let name = "user namespaces";
        assert_eq!(told(name, &machine()).0, Yes);
        let (verdict, says) = told(name, &with(DEBIAN, "0\n"));
        assert!(verdict == No && says.contains("unprivileged_userns_clone is 0"), "{says}");
        let mut facts = root();
        facts.files.push((DEBIAN, "0\n"));
        assert_eq!(told(name, &facts).0, Yes);
        facts.mounts = "21 20 0:5 / /proc rw - proc proc rw\n";
        let (verdict, says) = told(name, &facts);
        assert!(verdict == No && says.contains("in a chroot"), "{says}");
        assert_eq!(told(name, &with("/proc/self/status", "Seccomp:\t2\n")).0, Partly);
        assert!(told(name, &with("/proc/self/uid_map", "0 1000 1\n")).1.contains("in one already"));
        let mut old = machine();
        old.nodes.pop();
        assert!(told(name, &old).1.contains("CONFIG_USER_NS"));
    }

    #[test]
    fn ids_of_ones_own_take_ranges_and_the_programs_that_map_them() {
        let name = "subordinate ids";
        assert_eq!(told(name, &root()).0, Yes);
        let (verdict, says) = told(name, &machine());
        assert!(verdict == No && says.contains("usermod") && says.contains("uidmap"), "{says}");
        let facts =
            MadeUp { subordinate: 65536, privileged: vec!["/usr/bin/newuidmap", "/usr/bin/newgidmap"], ..machine() };
        assert_eq!(told(name, &facts).0, Yes);
    }

    #[test]
    fn both_versions_of_cgroups_are_told_with_what_may_be_written() {
        let (verdict, says) = told("cgroups", &machine());
        assert!(verdict == Partly && says.contains("cgroup: cpu memory; that") && says.contains("Delegate"), "{says}");
        let facts = MadeUp { writable: vec!["/sys/fs/cgroup/user.slice/cgroup.procs"], ..machine() };
        assert_eq!(told("cgroups", &facts).0, Yes);
        let old = MadeUp { mounts: "22 20 0:6 / /sys/fs/cgroup/cpu rw - cgroup c rw,cpu\n", ..machine() };
        assert!(told("cgroups", &old).1.starts_with("version 1 alone: /sys/fs/cgroup/cpu|"));
        let none = MadeUp { mounts: "20 1 8:1 / / rw - ext4 a rw\n", ..machine() };
        assert_eq!(told("cgroups", &none).0, No);
    }

    #[test]
    fn process_1_and_ptrace_say_who_may_look() {
        let (verdict, says) = told("process 1", &machine());
        assert!(verdict == No && says.contains("'systemd'") && says.contains("sudo"), "{says}");
        let links = vec![("/proc/1/ns/mnt", "mnt:[1]"), ("/proc/self/ns/mnt", "mnt:[1]")];
        assert!(told("process 1", &MadeUp { links, ..machine() }).1.contains("shares its mount namespace"));
        for (scope, verdict) in [("0\n", Yes), ("1\n", Partly), ("2\n", No), ("3\n", No)] {
            assert_eq!(told("ptrace", &with("/proc/sys/kernel/yama/ptrace_scope", scope)).0, verdict, "{scope}");
        }
    }

    #[test]
    fn a_filter_is_told_from_an_old_kernel() {
        let api = |release, errno| {
            told("mount API", &MadeUp { mount_api: Some(errno), ..with("/proc/sys/kernel/osrelease", release) }).1
        };
        assert!(api("4.19.0", Errno::ENOSYS).contains("came with Linux 5.2"));
        assert!(api("6.1.0", Errno::ENOSYS).contains("a filter forbids it"));
        assert_eq!(told("idmapped mounts", &root()).0, Yes);
        assert_eq!(told("idmapped mounts", &machine()).0, No);
        assert!(told("overlay", &machine()).1.contains("userxattr"));
        assert!(told("overlay", &with("/proc/filesystems", "nodev\tproc\n")).1.contains("modprobe"));
    }

    #[test]
    fn what_is_held_and_what_can_never_be_had_are_told() {
        assert!(told("capabilities", &machine()).1.contains("none is effective"));
        let mut few = machine();
        few.privileges = Some(Privileges { bounding: !bit(SYS_ADMIN), ..Privileges::default() });
        let (verdict, says) = told("bounding set", &few);
        assert!(verdict == Partly && says.contains("cap_sys_admin|"), "{says}");
        assert_eq!(told("new privileges", &with("/proc/self/status", "NoNewPrivs:\t1\n")).0, No);
        let (verdict, says) = told("security module", &with("/proc/self/attr/current", "docker-default (enforce)\n"));
        assert!(verdict == Partly && says.contains("'docker-default (enforce)'"), "{says}");
    }
}
