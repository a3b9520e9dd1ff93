use super::*;
use crate::environment::Privileges;
use crate::made_up::{MadeUp, said};
use crate::step::Step;
use linux::mount::options::Options;

const ROOT: &str = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n";

fn told(operation: Operation, fstype: Option<&str>, options: &str, errno: Errno, environment: &MadeUp) -> String {
    let options = Options::parse(options.as_bytes()).unwrap();
    let (source, target) = (Some(OsStr::new("/from")), OsStr::new("/to"));
    let mounting = Mounting { operation, source, target, fstype: fstype.map(OsStr::new), options: &options };
    said(Step::Mount(&mounting), errno, environment)
}

fn nodes(from: FileKind, to: FileKind) -> MadeUp {
    MadeUp { nodes: vec![("/from", from), ("/to", to)], mounts: ROOT, ..MadeUp::default() }
}

fn inside(mounts: &'static str) -> MadeUp {
    MadeUp { files: vec![("/proc/self/uid_map", "0 1000 1\n")], mounts, ..MadeUp::default() }
}

#[test]
fn a_type_that_the_kernel_lacks_and_its_helper_are_named() {
    let none = MadeUp { files: vec![("/proc/filesystems", "nodev\tproc\n\text4\n")], ..MadeUp::default() };
    assert!(
        told(Operation::New, Some("qqfs"), "", Errno::ENODEV, &none).starts_with("the kernel does not know 'qqfs'")
    );
    assert!(
        told(Operation::New, Some("nfs"), "", Errno::ENODEV, &none).contains("/sbin/mount.nfs is not there either")
    );
    assert!(told(Operation::New, Some("ext4"), "", Errno::ENODEV, &none).contains("'ext4' is in /proc/filesystems"));
}

#[test]
fn what_is_on_the_source_is_told() {
    let of = |superblock| MadeUp { superblock: Some(superblock), ..nodes(FileKind::BlockDevice, FileKind::Directory) };
    let other = told(Operation::New, Some("ext4"), "", Errno::EINVAL, &of(Superblock::Of("xfs".into())));
    assert_eq!(other, "what is on /from is 'xfs', not 'ext4'\n");
    let lists = [("noxfs", " leaves out"), ("ext3,ext2", " leaves out"), ("ext4,xfs", ""), ("noext4", "")];
    for (list, end) in lists {
        for errno in [Errno::EINVAL, Errno::ENODEV] {
            let hint = told(Operation::New, Some(list), "", errno, &of(Superblock::Of("xfs".into())));
            assert!(hint.trim_end().ends_with(end) && hint.is_empty() == end.is_empty(), "{list}: {hint}");
        }
    }
    let same = told(Operation::New, Some("xfs"), "", Errno::EINVAL, &of(Superblock::Of("xfs".into())));
    assert_eq!(same, "");
    assert!(told(Operation::New, Some("xfs"), "", Errno::EINVAL, &of(Superblock::Unknown)).contains("encrypted"));
}

#[test]
fn a_file_and_a_directory_do_not_go_together() {
    let environment = nodes(FileKind::Directory, FileKind::Regular);
    assert!(
        told(Operation::New, Some("tmpfs"), "", Errno::ENOTDIR, &environment).contains("the mount point is a file")
    );
    assert!(
        told(Operation::Bind, None, "", Errno::ENOTDIR, &environment)
            .contains("a directory and the mount point a file")
    );
    let environment = nodes(FileKind::Directory, FileKind::Directory);
    assert!(told(Operation::Move, None, "", Errno::EINVAL, &environment).contains("only a mount can be moved"));
    assert!(told(Operation::New, Some("ext4"), "", Errno::ENOTBLK, &environment).contains("--bind"));
}

#[test]
fn locked_flags_are_named_in_a_user_namespace_alone() {
    let mounts = "20 1 8:1 / / rw - ext4 a rw\n21 20 0:9 / /from rw,nosuid,nodev,relatime - tmpfs t rw\n";
    assert!(
        told(Operation::Bind, None, "", Errno::EPERM, &inside(mounts)).contains("flags nosuid,nodev of this mount")
    );
    let outside = MadeUp { mounts, ..MadeUp::default() };
    assert_eq!(told(Operation::Bind, None, "", Errno::EPERM, &outside), "");
}

#[test]
fn a_proc_that_would_show_more_is_refused_and_why_is_told() {
    let mounts =
        "20 1 8:1 / / rw - ext4 a rw\n21 20 0:5 / /proc rw - proc proc rw\n22 21 0:6 / /proc/kcore rw - tmpfs t rw\n";
    let said = told(Operation::New, Some("proc"), "", Errno::EPERM, &inside(mounts));
    assert!(said.contains("/proc/kcore") && said.contains("unmask=ALL"), "{said}");
}

#[test]
fn a_process_without_the_capability_is_told_how_to_have_it() {
    let environment = MadeUp { privileges: Some(Privileges::default()), ..MadeUp::default() };
    let said = told(Operation::New, Some("tmpfs"), "", Errno::EPERM, &environment);
    assert!(said.starts_with("this process has no CAP_SYS_ADMIN") && said.contains("unshare -rm"), "{said}");
    let device = MadeUp { nodes: vec![("/from", FileKind::BlockDevice)], ..inside(ROOT) };
    assert!(told(Operation::New, Some("ext4"), "", Errno::EPERM, &device).contains("may not mount block devices"));
}

#[test]
fn what_does_not_exist_is_told() {
    let environment = MadeUp { nodes: vec![("/to", FileKind::Directory)], ..MadeUp::default() };
    assert_eq!(
        told(Operation::New, Some("ext4"), "", Errno::ENOENT, &environment),
        "the source /from does not exist\n"
    );
    let dangling = MadeUp { links: vec![("/to", "nowhere")], ..MadeUp::default() };
    assert!(told(Operation::Bind, None, "", Errno::ENOENT, &dangling).contains("that leads nowhere"));
    let said = told(Operation::New, Some("overlay"), "lowerdir=/a,upperdir=/b", Errno::ENOENT, &environment);
    assert!(said.contains("look at lowerdir, upperdir"), "{said}");
}

#[test]
fn what_shows_a_namespace_that_is_not_ours_says_which_to_unshare() {
    let mounts = "22 21 0:6 / /sys/fs rw - tmpfs t rw\n";
    let owning = |is_ours| MadeUp { owned: vec![(Kind::Net, is_ours)], ..inside(mounts) };
    let told = |is_ours| told(Operation::New, Some("sysfs"), "", Errno::EPERM, &owning(is_ours));
    assert!(told(false).contains("(--net)") && !told(false).contains("covered"));
    assert!(told(true).contains("covered") && !told(true).contains("--net"));
}

#[test]
fn locked_mounts_are_told_in_a_user_namespace_alone() {
    let mounts =
        "20 1 8:1 / / rw - ext4 a rw\n21 20 0:9 / /from rw - tmpfs t rw\n22 21 0:10 / /from/b rw - tmpfs t rw\n";
    let on = vec![("/from", 21), ("/dir", 20)];
    let nodes = vec![("/from", FileKind::Directory), ("/to", FileKind::Directory)];
    let outside = MadeUp { mounts, on: on.clone(), nodes: nodes.clone(), ..MadeUp::default() };
    let inside = MadeUp { on, nodes, ..inside(mounts) };
    let unmount = |path, environment: &MadeUp| said(Step::Unmount(OsStr::new(path)), Errno::EINVAL, environment);
    assert!(unmount("/from", &inside).contains("are locked"));
    assert_eq!((unmount("/dir", &inside), unmount("/from", &outside)), (String::new(), String::new()));
    let bind = |options, environment: &MadeUp| told(Operation::Bind, None, options, Errno::EINVAL, environment);
    assert!(bind("bind", &inside).contains("--rbind"));
    assert_eq!((bind("rbind", &inside), bind("bind", &outside)), (String::new(), String::new()));
    assert!(told(Operation::Move, None, "", Errno::EINVAL, &inside).contains("locked where it is"));
    let user = MadeUp { privileges: Some(Privileges::default()), ..MadeUp::default() };
    assert!(said(Step::Unmount(OsStr::new("/")), Errno::EPERM, &user).contains("inside"));
    assert_eq!(said(Step::Unmount(OsStr::new("/")), Errno::EPERM, &MadeUp::default()), "");
}
