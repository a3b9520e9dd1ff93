//! What a command line finds: mounts, tables, processes, and what its process is allowed.

use super::case::{Step, step};
use super::changes::changes;
use super::filesystems;
use super::images;
use super::values::{Word, one_of};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

type Steps = BoxedStrategy<Step>;

fn verb(name: &'static str, words: Vec<BoxedStrategy<Word>>) -> Steps {
    words.prop_map(move |words| [vec![name.as_bytes().to_vec()], words].concat()).boxed()
}

fn fixed(words: &[&str]) -> Steps {
    Just(step(words)).boxed()
}

/// A directory that something can be mounted on.
fn place() -> BoxedStrategy<Word> {
    one_of(&["a", "a", "a/b", "d", "a/b/c", "with space", "/mnt", "back\\slash", "new\nline", "hash#", "rootfs"])
}

fn mounts() -> Vec<(u32, Steps)> {
    let flags = || one_of(&["rw", "ro", "nosuid", "noexec,nodev", "ro,noatime"]);
    vec![
        (8, verb("tmpfs", vec![place(), flags()])),
        (5, verb("bind", vec![place(), place()])),
        (2, verb("rbind", vec![place(), place()])),
        (1, verb("bind", vec![one_of(&["f", "a/f", "x"]), one_of(&["f", "a/f", "x"])])),
        (1, verb("move", vec![place(), place()])),
        (
            4,
            verb(
                "propagation",
                vec![
                    one_of(&["shared", "slave", "private", "unbindable", "rshared", "rslave"]),
                    one_of(&["/", "a", "d", "a/b", "/mnt"]),
                ],
            ),
        ),
        (2, verb("flags", vec![flags(), place()])),
        (1, verb("remove", vec![one_of(&["a/b", "d", "a/b/c"])])),
        (1, verb("dir", vec![one_of(&["d/sub", "a/new", "/mnt/x"])])),
        (1, fixed(&["overlay", "d"])),
        (1, verb("deleted", vec![place()])),
        // One on the other, at one place.
        (4, verb("tmpfs", vec![one_of(&["a", "d"]), flags()])),
        (
            2,
            verb(
                "mounted",
                vec![one_of(&["ext4", "xfs", "btrfs", "squashfs", "erofs"]), one_of(&["a", "d", "/mnt", "a/b"])],
            ),
        ),
        (1, verb("detach", vec![place()])),
    ]
}

/// A line of fstab.
fn entry() -> BoxedStrategy<Word> {
    let source = prop_oneof![
        4 => one_of(&["tmpfs", "none", "proc", "a", "/here/a", "LABEL=disk-00", "UUID=11111111-2222-3333-4444-555555555500", "src\\040x", "/here/disk.ext4", "/here/disk.squashfs", "/here/disk.xfs", "/here/disk.btrfs"]),
        1 => one_of(&["", "#x", "\"a\"", "LABEL=\"disk-00\"", "/dev/nosuch", "nosuch"])
    ];
    let target = one_of(&[
        "/here/a",
        "/here/d",
        "/here/a/b",
        "/mnt",
        "/here/with\\040space",
        "/here/new\\012line",
        "none",
        "swap",
        "/here/link",
        "a",
        "/here/missing",
        "/here/back\\134slash",
        "/",
        "/here/hash#",
    ]);
    let kind = one_of(&[
        "tmpfs",
        "tmpfs",
        "tmpfs",
        "none",
        "proc",
        "ext4",
        "xfs",
        "btrfs",
        "auto",
        "swap",
        "ignore",
        "squashfs",
        "nosuch",
        "helper",
        "tmpfs,ext4",
    ]);
    let options = prop_oneof![2 => one_of(&["defaults", "noauto", "nofail", "bind", "ro", "rw,user"]), 3 => filesystems::mount_options()];
    let tail = one_of(&["", " 0 0", " 0", " 1 2", " x y", " # more", " 0 0 0"]);
    let entry = (source, target, kind, options, one_of(&[" ", "\t", "  "]), tail)
        .prop_map(|(source, target, kind, options, gap, tail)| {
            [source, gap.clone(), target, gap.clone(), kind, gap, options, tail].concat()
        })
        .boxed();
    let odd = one_of(&[
        "",
        "# comment",
        "   ",
        "tmpfs",
        "tmpfs /here/a",
        "tmpfs /here/a tmpfs",
        "\ttmpfs /here/d tmpfs ro",
        "x y z w v u t",
        "tmpfs\t/here/d\ttmpfs\tdefaults # x",
    ]);
    prop_oneof![8 => entry, 1 => odd, ].boxed()
}

fn table_line() -> Steps {
    let lines = |most| vec(entry(), 1..=most).prop_map(|lines| [vec![b"fstab".to_vec()], lines].concat());
    prop_oneof![6 => lines(1), 2 => lines(4), 1 => lines(30)].boxed()
}

fn utab_line() -> Steps {
    let line = one_of(&[
        "SRC=tmpfs TARGET=/here/a ROOT=/ OPTS=x-foo",
        "SRC=tmpfs TARGET=/here/a ROOT=/ ATTRS=user OPTS=user,x-bar=1",
        "SRC=/here/a TARGET=/here/d ROOT=/here/a BINDSRC=/here/a OPTS=_netdev",
        "SRC=tmpfs TARGET=/mnt ROOT=/ OPTS=uhelper=helper",
        "SRC=tmpfs TARGET=/here/a ROOT=/ OPTS=helper=helper",
        "SRC=root TARGET=/here/d ROOT=/here/a OPTS=uhelper=helper",
        "SRC=tmpfs TARGET=/here/with\\040space ROOT=/ OPTS=x",
        "garbage",
        "SRC=tmpfs TARGET=/here/gone ROOT=/ OPTS=x",
    ]);
    verb("utab", vec![line])
}

fn image() -> Steps {
    select(vec![
        step(&["image", "ext4", "disk.ext4"]),
        step(&["image", "ext2", "disk.ext2"]),
        step(&["image", "squashfs", "disk.squashfs"]),
        step(&["image", "erofs", "disk.erofs"]),
        step(&["image", "xfs", "disk.xfs"]),
        // Of two devices: the second one is known to the kernel already.
        step(&["two", "disk.btrfs"]),
    ])
    .boxed()
}

/// One of those that no program of every machine makes, in the place of one of these.
fn committed() -> Steps {
    verb(
        "image",
        vec![
            select(&images::COMMITTED[..]).prop_map(|(name, _)| name.into()).boxed(),
            one_of(&["disk.ext4", "disk.squashfs"]),
        ],
    )
}

fn targets() -> Vec<(u32, Steps)> {
    let letters =
        one_of(&["m", "u", "p", "U", "Um", "mpu", "Umpui", "i", "C", "pm", "muip", "Uu", "up", "", "UC", "Umu"]);
    let map = one_of(&["0_0_1", "0_1000_1", "0_0_4294967295", "none", "5_5_1", "0_1000_1/1_0_1", "1000_0_1"]);
    let doing = one_of(&[
        "",
        "private",
        "private,tmpfs",
        "cd",
        "chroot",
        "user",
        "caps",
        "user,cd",
        "chroot,private",
        "nest",
        "ambient",
        "bounding",
        "securebits",
        "threads",
        "leaderless",
        "cgroup",
        "private,cgroup",
        "threads,user",
    ]);
    vec![
        (8, verb("target", vec![letters, map, doing])),
        (1, fixed(&["target", "n", "none", ""])),
        (1, fixed(&["zombie"])),
        (1, fixed(&["dead"])),
        (1, fixed(&["cgroup"])),
    ]
}

fn capabilities() -> Vec<(u32, Steps)> {
    let value = one_of(&[
        "0100000200300000000000000000000000000000", // 2, effective
        "0000000200300000003000000000000000000000",
        "010000030030000000000000000000000000000001000000", // 3, rootid 1
        "0100000300300000000000000000000000000000e8030000",
        "0100000300300000000000000000000000000000", // of the wrong length
        "010000010030000000000000",
        "0000000200000000000000000000000000000000",
        "01000002ffffffffffffffffff01000000000000",
        "010000020000000000000000000000ff000000ff",
    ]);
    vec![
        (3, verb("filecap", vec![one_of(&["f", "x", "a/f"]), value])),
        (1, verb("mode", vec![one_of(&["f", "x", "a", "a/f"]), one_of(&["0000", "4755", "0555"])])),
    ]
}

/// What is there before the line is run.
pub fn surroundings(applet: &'static str) -> BoxedStrategy<Vec<Step>> {
    let rootfs = |weight| vec![(weight, fixed(&["rootfs"]))];
    let table = || vec![(8, table_line()), (2, utab_line())];
    let (first, kinds, most): (Vec<Step>, Vec<(u32, Steps)>, usize) = match applet {
        "mount" => (
            vec![],
            [
                mounts(),
                table(),
                vec![(6, image())],
                vec![(2, verb("append", vec![one_of(&["/here/tab"]), entry()]))],
                targets().split_off(0).into_iter().map(|(_, it)| (1, it)).collect(),
            ]
            .concat(),
            6,
        ),
        "umount" => (vec![], [mounts(), table(), targets().into_iter().map(|(_, it)| (1, it)).collect()].concat(), 7),
        "mountpoint" => (vec![], mounts(), 4),
        "findmnt" => (vec![], [mounts(), table()].concat(), 5),
        "findfs" => (vec![step(&["devices"])], mounts(), 3),
        "blkid" => (
            vec![
                step(&["devices"]),
                step(&["image", "ext4", "disk.ext4"]),
                step(&["image", "squashfs", "disk.squashfs"]),
            ],
            vec![(8, image()), (6, committed()), (1, fixed(&["file", "f", "text"]))],
            3,
        ),
        "losetup" => (
            vec![step(&["image", "ext4", "disk.ext4"]), step(&["image", "ext2", "disk.ext2"])],
            vec![
                (6, fixed(&["attached", "/dev/loop60", "disk.ext4"])),
                (3, fixed(&["attached", "/dev/loop63", "disk.ext4"])),
                (2, fixed(&["attached", "/dev/loop63", "disk.ext2"])),
                (1, fixed(&["remove", "disk.ext2"])),
                (1, fixed(&["file", "f", "text"])),
            ],
            3,
        ),
        "chroot" => (vec![step(&["rootfs"])], mounts().into_iter().take(2).collect(), 1),
        "capsh" => (vec![], rootfs(1), 1),
        // With a root that can be run, for the most part: without one there is little to see.
        "switch_root" => (
            vec![step(&["dir", "rootfs"]), step(&["tmpfs", "rootfs", "rw"]), step(&["rootfs"])],
            [
                mounts(),
                vec![
                    (2, fixed(&["rbind", "rootfs", "rootfs"])),
                    (1, fixed(&["tmpfs", "rootfs", "rw"])),
                    (2, fixed(&["detach", "rootfs"])),
                    (3, fixed(&["tmpfs", "rootfs/proc", "rw"])),
                    (3, fixed(&["file", "/init", ""])),
                ],
            ]
            .concat(),
            3,
        ),
        "pivot_root" => (
            vec![step(&["rootfs"])],
            [
                mounts(),
                vec![
                    (14, fixed(&["bind", "rootfs", "rootfs"])),
                    (6, fixed(&["rbind", "rootfs", "rootfs"])),
                    (10, fixed(&["tmpfs", "rootfs", "rw"])),
                    (4, fixed(&["rootfs"])),
                    (3, fixed(&["tmpfs", "rootfs/proc", "rw"])),
                    (3, fixed(&["file", "/init", ""])),
                ],
            ]
            .concat(),
            5,
        ),
        "unshare" => {
            (vec![], [rootfs(4), mounts().into_iter().take(2).collect(), vec![(2, subordinate())]].concat(), 3)
        }
        "setpriv" => (vec![], vec![(1, fixed(&["zombie"]))], 1),
        "nsenter" => (vec![step(&["rootfs"])], [targets(), mounts().into_iter().take(1).collect()].concat(), 3),
        "lsns" => (vec![], [targets(), mounts().into_iter().take(1).collect()].concat(), 4),
        "getpcaps" => (vec![], targets(), 3),
        "setcap" | "getcap" => {
            // In it is a file with an attribute of the first revision.
            let old = vec![(1, fixed(&["mounted", "ext4", "a"]))];
            (vec![], [capabilities(), mounts().into_iter().take(1).collect(), old].concat(), 4)
        }
        _ => (vec![], mounts(), 3),
    };
    // What is entered or asked about is there: numbers that are nobody's are operands, too.
    let process = match applet {
        "nsenter" | "getpcaps" => Union::new_weighted(targets()).prop_map(|step| vec![step]).boxed(),
        _ => Just(Vec::new()).boxed(),
    };
    (process, vec(Union::new_weighted(kinds), 0..=most), changes(applet))
        .prop_map(move |(process, steps, changes)| [first.clone(), process, steps, changes].concat())
        .boxed()
}

fn subordinate() -> Steps {
    select(vec![
        step(&["append", "/etc/subuid", "ordinary:100000:65536"]),
        step(&["append", "/etc/subgid", "ordinary:100000:65536"]),
        step(&["append", "/etc/subuid", "root:200000:1000"]),
        step(&["append", "/etc/subgid", "0:300000:10"]),
    ])
    .boxed()
}

/// What the calling process is.
pub fn caller(applet: &'static str) -> BoxedStrategy<Vec<Step>> {
    let mask = || one_of(&["3000", "20", "1ffffffffff", "200000", "1", "100"]);
    let kinds: Vec<(u32, Steps)> = vec![
        (4, fixed(&["user", "ordinary"])),
        (1, fixed(&["user", "nobody"])),
        (1, fixed(&["groups"])),
        (1, fixed(&["euid"])),
        (3, verb("userns", vec![one_of(&["0", "1000", "5"])])),
        (1, fixed(&["nested"])),
        (1, verb("unshare", vec![one_of(&["m", "u", "U", "um", "Um"])])),
        (2, verb("inheritable", vec![mask()])),
        (2, verb("ambient", vec![mask()])),
        (2, verb("bounding", vec![mask()])),
        (2, verb("lower", vec![mask()])),
        (2, verb("securebits", vec![one_of(&["1", "2", "4", "10", "2f", "3", "40"])])),
        (1, fixed(&["nnp"])),
        (2, verb("umask", vec![one_of(&["000", "077", "777", "022"])])),
        (2, verb("cd", vec![one_of(&["a", "/", "/proc", "d", "a/b", "/here/rootfs"])])),
        (1, verb("close", vec![one_of(&["0", "1", "2", "0 2", "0 1 2"])])),
        (
            2,
            verb(
                "env",
                vec![one_of(&[
                    "POSIXLY_CORRECT=1",
                    "SHELL=",
                    "PATH=",
                    "HOME=/here",
                    "LIBMOUNT_FSTAB=/here/tab",
                    "TERM=",
                    "USER=x",
                    "CTRBOX_CAPS_TEXT=",
                ])],
            ),
        ),
        (1, verb("unset", vec![one_of(&["PATH", "HOME", "SHELL", "TERM"])])),
        (1, fixed(&["roroot"])),
        (1, fixed(&["noproc"])),
        (1, verb("limit", vec![one_of(&["8", "16", "200"])])),
    ];
    // What an old kernel does, and what commands do there.
    let old = vec![step(&["env", "LIBMOUNT_FORCE_MOUNT2=always"])];
    let old = if ["mount", "umount"].contains(&applet) { old } else { Vec::new() };
    let often = if ["setpriv", "capsh", "unshare", "nsenter"].contains(&applet) { 3 } else { 1 };
    prop_oneof![
        4 => Just(Vec::new()),
        1 => Just(old),
        often => vec(Union::new_weighted(kinds), 1..=3),
    ]
    .boxed()
}
