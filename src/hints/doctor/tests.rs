use super::*;
use crate::environment::Kind as FileKind;
use crate::environment::Privileges;
use crate::made_up::MadeUp;
use linux::caps::Sets;

const MOUNTS: &str = "20 1 8:1 / / rw - ext4 a rw\n\
                      21 20 0:5 / /proc rw - proc proc rw\n\
                      22 20 0:6 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

/// A usual machine of today, and an ordinary user.
fn machine() -> MadeUp {
    MadeUp {
        files: vec![
            ("release", "6.12.3-amd64"),
            ("/proc/filesystems", "nodev\tproc\nnodev\toverlay\n"),
            ("/proc/self/cgroup", "0::/user.slice\n"),
            ("/proc/self/uid_map", "         0          0 4294967295\n"),
            ("/sys/fs/cgroup/user.slice/cgroup.controllers", "cpu memory\n"),
            ("/proc/1/comm", "systemd\n"),
            ("/proc/1/status", ""),
        ],
        nodes: vec![("/proc/self/ns", FileKind::Directory), ("/proc/self/ns/user", FileKind::Regular)],
        mounts: MOUNTS,
        privileges: Some(Privileges {
            euid: linux::credentials::Uid(1000),
            sets: Sets::default(),
            bounding: CapSet::FULL,
        }),
        ..MadeUp::default()
    }
}

fn with(path: &'static str, text: &'static str) -> MadeUp {
    let mut environment = machine();
    environment.files.retain(|(name, _)| *name != path);
    environment.files.push((path, text));
    environment
}

fn root() -> MadeUp {
    let sets = Sets { effective: CapSet::FULL, ..Sets::default() };
    MadeUp {
        privileges: Some(Privileges { euid: linux::credentials::Uid(0), sets, bounding: CapSet::FULL }),
        ..machine()
    }
}

/// Verdict, reason and advice in one text.
fn told(name: &str, environment: &MadeUp) -> (Verdict, String) {
    let finding = examine(environment).into_iter().find(|finding| finding.name == name).unwrap();
    (finding.verdict, String::from_utf8([finding.says, finding.advice].join(&b'|')).unwrap())
}

#[test]
fn what_does_not_work_says_what_to_do_and_what_works_asks_for_nothing() {
    for environment in [machine(), root(), MadeUp::default()] {
        for finding in examine(&environment) {
            assert!(!finding.says.is_empty() && (finding.verdict == Yes) == finding.advice.is_empty(), "{finding:?}");
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
    let mut environment = root();
    environment.files.push((DEBIAN, "0\n"));
    assert_eq!(told(name, &environment).0, Yes);
    environment.mounts = "21 20 0:5 / /proc rw - proc proc rw\n";
    let (verdict, says) = told(name, &environment);
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
    assert!(verdict == No && says.contains("install uidmap"), "{says}");
    let environment =
        MadeUp { subordinate: 65536, privileged: vec!["/usr/bin/newuidmap", "/usr/bin/newgidmap"], ..machine() };
    assert_eq!(told(name, &environment).0, Yes);
}

#[test]
fn both_versions_of_cgroups_are_told_with_what_may_be_written() {
    let (verdict, says) = told("cgroups", &machine());
    assert!(verdict == Partly && says.contains("written to: cpu memory|") && says.contains("Delegate"), "{says}");
    let environment = MadeUp { writable: vec!["/sys/fs/cgroup/user.slice/cgroup.procs"], ..machine() };
    assert_eq!(told("cgroups", &environment).0, Yes);
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
    assert!(told("process 1", &MadeUp { links, ..machine() }).1.contains("in this process's mount namespace"));
    for (scope, verdict) in [("0\n", Yes), ("1\n", Partly), ("2\n", No), ("3\n", No)] {
        assert_eq!(told("ptrace", &with("/proc/sys/kernel/yama/ptrace_scope", scope)).0, verdict, "{scope}");
    }
}

#[test]
fn a_filter_is_told_from_an_old_kernel() {
    let api = |release, errno| told("mount API", &MadeUp { mount_api: Some(errno), ..with("release", release) }).1;
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
    few.privileges = Some(Privileges { bounding: !CapSet::of(Cap::SYS_ADMIN), ..Privileges::default() });
    let (verdict, says) = told("bounding set", &few);
    assert!(verdict == Partly && says.contains("cap_sys_admin|"), "{says}");
    assert_eq!(told("new privileges", &with("/proc/self/status", "NoNewPrivs:\t1\n")).0, No);
    let (verdict, says) = told("security module", &with("/proc/self/attr/current", "docker-default (enforce)\n"));
    assert!(verdict == Partly && says.contains("'docker-default (enforce)'"), "{says}");
}
