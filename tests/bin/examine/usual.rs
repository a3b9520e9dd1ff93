//! Command lines as people write them: one phrase of each column. Lines made of random options are refused too often to
//! show what a command does when it works.

use super::values::Word;
use proptest::prelude::*;
use proptest::sample::select;

/// Columns of phrases, of which each line has one of each.
type Columns = &'static [&'static [&'static str]];

const BIND: Columns = &[
    &[
        "-o bind,noexec",
        "-o bind,noexec,nosuid",
        "-o bind,ro",
        "-o rbind,nosuid,noexec",
        "--bind -o nodev,noexec",
        "--rbind -o ro",
        "-B -o noatime",
        "-B",
        "-R",
        "-o bind,private",
        "-o rbind,noexec,slave",
        "--bind --make-shared -o noexec",
        "-M",
        "-B -o X-mount.mkdir,noexec",
        "-o bind,ro=recursive",
        "-B --beneath",
    ],
    &["a", "/here/a", "/bin", "link", "d", "a/b", "f", "/mnt", "rootfs"],
    &["d", "a/b", "/mnt", "/here/d", "a", "x", "link"],
];
const MOUNT: Columns = &[
    &[
        "-t tmpfs",
        "-t tmpfs -o ro,noexec",
        "-t tmpfs -o size=1m,mode=0700,nosuid",
        "-t tmpfs -o X-mount.mkdir=0700",
        "-o remount,bind,noexec",
        "-o remount,ro",
        "-o remount,noexec,nosuid",
        "--make-rshared",
        "--make-private",
        "--make-slave --make-private",
        "-o loop",
        "-o ro,noexec",
        "-t ext4 -o ro",
        "-t btrfs",
        "-t xfs -o nouuid",
        "-o loop,ro,noexec",
        "-L disk-00",
        "-L two-00",
        "-m",
        "-v",
    ],
    &["", "tmpfs", "tmpfs", "disk.ext4", "disk.squashfs", "disk.btrfs", "disk.xfs", "disk.erofs", "proc"],
    &["a", "d", "/mnt", "a/b", "/here/a", "link", "new"],
];
const TABLE: Columns =
    &[&["-a", "-a -O noauto", "-a -t tmpfs", "-a -F", "-a -f -v", "-a -n", "-a -T /here/tab", "-a -o ro"]];
const UMOUNT: Columns = &[
    &["-R", "-R", "-R -l", "-R -v", "-l", "-A", "-A -R", "-d", "-n", "-i", "-c", "-f", "-r", "", "", ""],
    &["a", "a", "d", "/here/a", "/here/d", "/mnt", "a/b", "link", "f", "rootfs", "a d", "/mnt a", "a/b/c"],
];
const UNSHARE: Columns = &[
    &["-U", "-r", "-c", "-U -r", "-U", "-m", "-U -p -f", "-u -i -n", "-C -T"],
    &[
        "",
        "",
        "--map-user 5 --map-group 7",
        "--map-group 7",
        "--map-group ordinary",
        "--map-group 0 --map-user 0",
        "--map-users 0:0:1 --map-groups 0:0:1",
        "--map-users 0:100000:100 --map-groups 0:100000:100",
        "--map-groups 5:0:1",
        "--map-auto",
        "--map-users auto --map-groups auto",
        "--map-users subids --map-groups subids",
        "--map-auto --map-root-user",
        "--map-auto --map-current-user",
        "--map-users all --map-groups all",
    ],
    &[
        "",
        "",
        "--setgroups deny",
        "--setgroups allow",
        "-S 0 -G 0",
        "--keep-caps",
        "-S 5 -G 7",
        "-G 7",
        "-R rootfs -w /",
    ],
    &["probe", "-- /bin/probe a"],
];
const NSENTER: Columns = &[
    &["-t 2", "-t 2", "-t 3", "--target=2"],
    &[
        "-a",
        "--all",
        "-a",
        "-m",
        "-U",
        "-U --preserve-credentials",
        "-m -u",
        "-m -U -p",
        "-a -r -w",
        "-a -e",
        "-a --join-cgroup",
        "-a --user-parent",
        "-p -F",
        "-u -i -C -T",
        "-r -w",
        "-W /",
    ],
    &["", "", "-S 0", "-S 1000 -G 1000", "-G 7", "--setuid=follow --setgid=follow", "-m"],
    &["probe", "-- /bin/probe a"],
];
const SETPRIV: Columns = &[
    &[
        "",
        "",
        "--bounding-set -all",
        "--bounding-set -chown,-kill",
        "--bounding-set -sys_admin",
        "--bounding-set=-all,+chown,+kill",
        "--bounding-set -net_raw,-cap_40",
    ],
    &[
        "",
        "",
        "--inh-caps -all",
        "--inh-caps +chown,+kill",
        "--inh-caps +all --ambient-caps +chown",
        "--inh-caps +kill --ambient-caps +kill",
        "--ambient-caps -all",
    ],
    &[
        "",
        "--reuid 1000 --regid 1000 --clear-groups",
        "--reuid ordinary --regid extra --init-groups",
        "--ruid 1000 --keep-groups",
        "--euid 1000 --egid 4 --groups 4,7",
        "--reuid 0 --regid 0 --groups 0",
        "--reset-env",
        "--reuid 1000 --regid 1000 --clear-groups --reset-env",
    ],
    &[
        "",
        "",
        "--no-new-privs",
        "--nnp --seccomp-filter refuse",
        "--seccomp-filter allow",
        "--securebits +noroot",
        "--securebits +keep_caps,+no_setuid_fixup",
        "--pdeathsig KILL",
        "--landlock-access fs --landlock-rule path-beneath:execute,read-file,read-dir:/",
        "--landlock-access fs:write-file,make-dir --landlock-rule path-beneath:write-file:/here/f",
        "--landlock-access fs:read-dir --landlock-rule path-beneath:read-dir:/bin",
        "--ptracer any",
    ],
    &["probe"],
];
const CHROOT: Columns = &[
    &[
        "",
        "",
        "--userspec 1000:1000",
        "--userspec inner",
        "--userspec ordinary:extra",
        "--userspec 0:7",
        "--userspec :extra",
        "--userspec inner:",
    ],
    &["", "", "--groups 4,5", "--groups extra,inner", "--groups=", "--groups 1000"],
    &["--skip-chdir", "", "", ""],
    &["rootfs", "rootfs", "/here/rootfs", "/"],
    &["/bin/probe", "probe a b", ""],
];
const CAPSH: Columns = &[
    &[
        "",
        "",
        "--drop=cap_net_raw",
        "--drop=all",
        "--drop=cap_chown,cap_kill",
        "--secbits=0x2f",
        "--iab=!cap_chown,^cap_kill",
    ],
    &[
        "",
        "",
        "--keep=1",
        "--mode=NOPRIV",
        "--mode=PURE1E",
        "--inh=cap_kill",
        "--caps==ep",
        "--caps=cap_setuid,cap_setgid,cap_setpcap=eip",
    ],
    &["", "--user=ordinary", "--uid=1000", "--gid=1000", "--groups=4,7", "--cap-uid=1000", "--no-new-privs", "--noamb"],
    &[
        "",
        "",
        "--addamb=cap_kill",
        "--delamb=cap_kill",
        "--print",
        "--current",
        "--has-b=cap_chown",
        "--has-p=cap_kill",
    ],
    &["-- -c true", "--", "-+ a", "", "== --print"],
];

fn tables(applet: &str) -> &'static [Columns] {
    match applet {
        "mount" => &[BIND, MOUNT, TABLE],
        "umount" => &[UMOUNT],
        "unshare" => &[UNSHARE],
        "nsenter" => &[NSENTER],
        "setpriv" => &[SETPRIV],
        "chroot" => &[CHROOT],
        "capsh" => &[CAPSH],
        _ => &[],
    }
}

/// The words behind an applet's name, where people have a way of writing them.
pub fn line(applet: &str) -> Option<BoxedStrategy<Vec<Word>>> {
    let words = |phrases: Vec<&'static str>| -> Vec<Word> {
        phrases.iter().flat_map(|phrase| phrase.split_whitespace()).map(|word| word.as_bytes().to_vec()).collect()
    };
    let lines: Vec<BoxedStrategy<Vec<Word>>> = tables(applet)
        .iter()
        .map(|columns| {
            let columns: Vec<_> = columns.iter().map(|phrases| select(phrases.to_vec())).collect();
            columns.prop_map(words).boxed()
        })
        .collect();
    (!lines.is_empty()).then(|| proptest::strategy::Union::new(lines).boxed())
}
