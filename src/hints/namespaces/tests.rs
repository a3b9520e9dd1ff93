use super::*;
use crate::environment::Kind as FileKind;
use crate::environment::Privileges;
use crate::made_up::{MadeUp, said};
use crate::step::Step;
use linux::caps::{CapSet, Sets};

const ROOT: &str = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
const USER: Step<'static> = Step::Unshare { kinds: &[Kind::User], refused: &[] };

fn with(path: &'static str, text: &'static str) -> MadeUp {
    MadeUp { files: vec![(path, text)], mounts: ROOT, ..MadeUp::default() }
}

fn privileged(effective: CapSet) -> Option<Privileges> {
    Some(Privileges { sets: Sets { effective, ..Sets::default() }, ..Privileges::default() })
}

#[test]
fn the_one_setting_that_forbids_user_namespaces_is_named() {
    let apparmor = with("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
    for step in [Step::Map, USER, Step::Propagate, Step::MountProc { directory: OsStr::new("/proc"), root: None }] {
        let said = said(step, Errno::EPERM, &apparmor);
        assert!(said.contains("kernel.apparmor_restrict_unprivileged_userns is 1") && said.contains("sudo"), "{said}");
    }
    let debian = with("/proc/sys/kernel/unprivileged_userns_clone", "0\n");
    assert!(said(USER, Errno::EPERM, &debian).contains("kernel.unprivileged_userns_clone is 0"));
    let none = with("/proc/sys/user/max_user_namespaces", "0\n");
    assert!(said(USER, Errno::ENOSPC, &none).contains("user.max_user_namespaces is 0"));
    let label = with("/proc/self/attr/current", "unprivileged_userns (enforce)\n");
    assert!(said(Step::Map, Errno::EPERM, &label).contains("'unprivileged_userns (enforce)'"));
    let filter = with("/proc/self/status", "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n");
    assert!(said(USER, Errno::EPERM, &filter).contains("seccomp=unconfined"));
    let own = Some(Privileges { euid: linux::credentials::Uid(1000), sets: Sets::default(), bounding: CapSet::EMPTY });
    let user = MadeUp { privileges: own, ..with("/none", "") };
    assert!(said(USER, Errno::EPERM, &user).contains("run it with sudo"));
    let root = said(USER, Errno::EPERM, &MadeUp { privileges: privileged(CapSet::EMPTY), ..with("/none", "") });
    assert!(root.contains("chroot") && !root.contains("sudo"), "{root}");
}

#[test]
fn a_root_that_is_no_mount_point_is_blamed_only_if_it_is_none() {
    let on = |id| MadeUp { mounts: ROOT, on: vec![("/", id)], ..MadeUp::default() };
    let told = |environment: &MadeUp| said(Step::Propagate, Errno::EINVAL, environment);
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
    let environment = with("/proc/self/setgroups", "deny\n");
    let told = |user_entered, errno| said(Step::BecomeInside { user_entered }, errno, &environment);
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
    let environment = MadeUp { privileges: privileged(CapSet::EMPTY), ..MadeUp::default() };
    let told = said(step, Errno::EPERM, &environment);
    assert!(told.starts_with("refused: --net\nthis process has no CAP_SYS_ADMIN"), "{told}");
    assert!(told.contains("--map-root-user"), "{told}");
    let filtered = MadeUp { privileges: privileged(CapSet::FULL), ..with("/proc/self/status", "Seccomp:\t2\n") };
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
    let environment = MadeUp { nodes, ..MadeUp::default() };
    assert!(said(step(&[Kind::Time]), Errno::EINVAL, &environment).contains("CONFIG_TIME_NS"));
    assert!(said(step(&[Kind::Pid]), Errno::EINVAL, &environment).contains("for its children already"));
}

#[test]
fn the_limit_of_the_kind_that_was_refused_is_told() {
    let step = Step::Unshare { kinds: &[Kind::Uts, Kind::Mount], refused: &[(Kind::Mount, Errno::ENOSPC)] };
    let environment = MadeUp {
        files: vec![("/proc/sys/user/max_mnt_namespaces", "7\n"), ("/proc/sys/user/max_uts_namespaces", "0\n")],
        ..MadeUp::default()
    };
    let told = said(step, Errno::ENOSPC, &environment);
    assert!(told.contains("nested 32 deep, user.max_mnt_namespaces is 7,") && !told.contains("uts"), "{told}");
}

#[test]
fn the_mounts_that_cover_proc_are_listed_up_to_five() {
    let mounts = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                  21 20 0:5 / /proc rw - proc proc rw\n\
                  22 21 0:6 / /proc/kcore rw - tmpfs tmpfs rw\n\
                  23 21 0:5 /sys /proc/sys ro - proc proc rw\n";
    let environment = MadeUp { mounts, ..MadeUp::default() };
    let proc = Step::MountProc { directory: OsStr::new("/proc"), root: None };
    let told = said(proc, Errno::EPERM, &environment);
    assert!(told.contains(": /proc/kcore /proc/sys\n") && told.contains("unmask=ALL"), "{told}");
    let more: String = (0..7).map(|n| format!("{} 21 0:6 / /proc/{n} rw - tmpfs t rw\n", 30 + n)).collect();
    let environment = MadeUp { mounts: ROOT, more_mounts: more, ..MadeUp::default() };
    let told = said(proc, Errno::EPERM, &environment);
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
    let told =
        |is_ours| said(Step::MountProc { directory: OsStr::new("/proc"), root: None }, Errno::EPERM, &owning(is_ours));
    assert!(told(false).contains("--pid --fork") && !told(false).contains("kcore"));
    assert!(told(true).contains("kcore") && !told(true).contains("--pid"));
}

#[test]
fn a_map_that_is_refused_says_which_rule_it_breaks() {
    assert!(said(Step::Map, Errno::EINVAL, &MadeUp::default()).contains("overlap"));
    let inside = MadeUp { privileges: privileged(CapSet::FULL), ..with("/proc/self/uid_map", "0 1000 1\n") };
    assert!(said(Step::Map, Errno::EPERM, &inside).contains("every id outside must be mapped"));
}

#[test]
fn entering_says_whose_namespace_it_is_and_who_may() {
    let told = |step, errno| said(step, errno, &MadeUp { privileges: privileged(CapSet::EMPTY), ..MadeUp::default() });
    let enter = |kind| Step::Enter { kind, found: Some(kind) };
    assert!(told(enter(Kind::User), Errno::EINVAL).contains("in already"));
    assert!(told(enter(Kind::Pid), Errno::EINVAL).contains("ancestors"));
    assert!(told(enter(Kind::Net), Errno::EPERM).contains("--user"));
    let files = vec![("/proc/self/status", "Seccomp:\t2\n")];
    let filtered = MadeUp { privileges: privileged(CapSet::FULL), files, ..MadeUp::default() };
    assert!(said(enter(Kind::Mount), Errno::EPERM, &filtered).starts_with("a seccomp filter"));
    let bare = privileged(CapSet::of(Cap::SYS_ADMIN));
    let bare = MadeUp { privileges: bare, ..MadeUp::default() };
    assert!(said(enter(Kind::Mount), Errno::EPERM, &bare).contains("no CAP_SYS_CHROOT"));
    let of = |found| told(Step::Enter { kind: Kind::Net, found }, Errno::EINVAL);
    assert!(of(None).contains("--net names is no namespace"));
    assert!(of(Some(Kind::Uts)).contains("another kind: --uts") && of(Some(Kind::Net)).is_empty());
    assert!(told(Step::OpenNamespace, Errno::EACCES).contains("no CAP_SYS_PTRACE"));
    let find = |environment: &MadeUp| said(Step::FindProcess(linux::process::Pid(9)), Errno::ENOENT, environment);
    assert!(find(&with("/proc/self/status", "Name:\tx\n")).contains("no process 9"));
    let other = find(&MadeUp::default());
    assert!(other.contains("another PID namespace") && !other.contains("no process"), "{other}");
    assert!(told(Step::OpenById, Errno::ESTALE).contains("no namespace with that id"));
    assert!(told(Step::OfSocket, Errno::ENOTTY).contains("not a socket"));
}

#[test]
fn a_fork_that_is_refused_says_what_is_used_up() {
    assert!(said(Step::Fork, Errno::ENOMEM, &MadeUp::default()).contains("init of this PID namespace has ended"));
    let limits = with("/proc/self/limits", "Limit  Soft Hard\nMax processes             7         9    processes\n");
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
    let ids =
        |other, own| MadeUp { ids: vec![("/proc/5/ns/mnt", other), ("/proc/self/ns/mnt", own)], ..with("/run/ns", "") };
    assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &ids(5, 9)).contains("taskset -c N"));
    assert!(said(keep(Kind::Mount, true), Errno::EINVAL, &ids(9, 5)).contains("--make-private"));
}
