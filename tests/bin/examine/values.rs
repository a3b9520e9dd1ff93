//! What stands for the arguments of options and for operands: the usual, and what nobody expects.

use proptest::prelude::*;
use proptest::sample::select;

/// A word of a command line.
pub type Word = Vec<u8>;

/// One of these.
pub fn one_of(words: &[&str]) -> BoxedStrategy<Word> {
    select(words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>()).boxed()
}

/// Mostly the first, at times something nobody expects.
pub fn mostly(usual: BoxedStrategy<Word>) -> BoxedStrategy<Word> {
    prop_oneof![24 => usual, 1 => hostile()].boxed()
}

/// Words that were not thought of.
pub fn hostile() -> BoxedStrategy<Word> {
    let mut words: Vec<Word> = [
        "",
        " ",
        "\n",
        "-",
        "--",
        "-x",
        "=",
        ",",
        ":",
        "/",
        "//",
        ".",
        "..",
        "0",
        "-1",
        "1",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "0x10",
        "010",
        " 1",
        "1 ",
        "+1",
        "\\",
        "#",
        "%s",
        "a=b",
        "A,B",
        "all",
        "none",
        "\u{e9}",
        "\\040",
        "loop",
        "dangling",
        "missing",
        "missing/x",
        "a/../d",
        "a//b/",
        "./a/",
        "pipe",
        "f",
        "f/",
        "*",
        "'",
        "\"",
    ]
    .map(|word| word.as_bytes().to_vec())
    .into();
    words.extend([b"\xff\xfe".to_vec(), vec![b'n'; 256], vec![b'p'; 5000]]);
    select(words).boxed()
}

/// A list of words joined by a separator.
pub fn list(words: BoxedStrategy<Word>, separator: &'static str, most: usize) -> BoxedStrategy<Word> {
    proptest::collection::vec(words, 1..=most).prop_map(move |words| words.join(separator.as_bytes())).boxed()
}

/// Directories, by every kind of path.
pub fn directory() -> BoxedStrategy<Word> {
    let usual = one_of(&["a", "a/b", "d", "/work/a", "/work/d", "/work/a/b", "/mnt", "a/b/c"]);
    let rarer = one_of(&[
        "link",
        "link/b",
        "whole",
        "./d",
        "a/",
        "/work/../work/d",
        "with space",
        "back\\slash",
        "hash#",
        "new\nline",
        "/",
        "/work",
        "/proc",
        "/run",
        "/tmp",
        "f",
        "filelink",
        "/work/f",
        "comma,dir",
        "/dev/null",
        "/work/link",
        "missing",
        "rootfs",
    ]);
    mostly(prop_oneof![4 => usual, 1 => rarer].boxed())
}

/// Files and directories.
pub fn file() -> BoxedStrategy<Word> {
    let usual = one_of(&["f", "x", "a/f", "/work/x", "filelink", "/work/f"]);
    prop_oneof![3 => usual, 1 => directory()].boxed()
}

/// A user or a group.
pub fn id() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0",
        "1000",
        "1",
        "7",
        "root",
        "ordinary",
        "nobody",
        "daemon",
        "65534",
        "+5",
        "inner",
        "extra",
        "adm",
        "99999",
        "-1",
        "4294967294",
        "4294967295",
        "0x1",
        "ordinary ",
        "nosuch",
    ]))
}

/// The name of a capability.
pub fn capability() -> BoxedStrategy<Word> {
    let usual = one_of(&[
        "cap_chown",
        "cap_sys_admin",
        "cap_net_raw",
        "cap_setpcap",
        "cap_setuid",
        "cap_kill",
        "CAP_SETGID",
        "12",
        "40",
    ]);
    let rarer = one_of(&[
        "cap_checkpoint_restore",
        "cap_audit_read",
        "chown",
        "all",
        "0",
        "41",
        "63",
        "64",
        "cap_nosuch",
        "cap_",
        "cap_41",
    ]);
    mostly(prop_oneof![4 => usual, 1 => rarer].boxed())
}

/// A capability as setpriv writes it.
pub fn signed_capability() -> BoxedStrategy<Word> {
    let name = one_of(&[
        "chown",
        "net_raw",
        "sys_admin",
        "setpcap",
        "setuid",
        "setgid",
        "kill",
        "all",
        "cap_5",
        "cap_40",
        "cap_41",
        "cap_64",
        "ALL",
        "CHOWN",
        "cap_chown",
        "nosuch",
        "",
        "0",
        "bpf",
    ]);
    (one_of(&["+", "-", "+", "-", ""]), name).prop_map(|(sign, name)| [sign, name].concat()).boxed()
}

/// cap_from_text(3)'s text.
pub fn capability_text() -> BoxedStrategy<Word> {
    let whole = one_of(&[
        "=",
        "=ep",
        "=eip",
        "all=p",
        "cap_net_raw=ep",
        "cap_net_raw+ep",
        "cap_chown,cap_kill=eip",
        "cap_setuid=i",
        "=p cap_kill-p",
        "cap_net_raw=p cap_net_raw+e",
        "all=e",
        "cap_chown=e",
        "=i",
        "cap_40=ep",
        "40=ep",
        "cap_net_raw=pie",
        "CAP_KILL=ep",
        "cap_41=p",
        "cap_63=ep",
        "cap_64=ep",
        "all-i",
        "=ep cap_sys_admin-ep",
        "cap_kill",
        "cap_kill+",
        "+ep",
        "-ep",
        "cap_kill=epx",
        "cap_kill=ep ",
        " =ep",
        "cap_chown=p,cap_kill=p",
        "cap_chown=p+i-e",
        "cap_kill==p",
        "",
    ]);
    let clause =
        (list(capability(), ",", 3), one_of(&["=", "+", "-"]), one_of(&["e", "p", "i", "ep", "eip", "pi", "ei", ""]))
            .prop_map(|(names, operator, letters)| [names, operator, letters].concat())
            .boxed();
    mostly(prop_oneof![2 => whole, 1 => list(clause, " ", 3)].boxed())
}

/// cap_iab_from_text(3)'s text.
pub fn iab() -> BoxedStrategy<Word> {
    let one = (one_of(&["", "!", "^", "%", "!^", "!%", "%^", "^!"]), capability())
        .prop_map(|(mark, name)| [mark, name].concat())
        .boxed();
    mostly(list(one, ",", 3))
}

/// A process.
pub fn process() -> BoxedStrategy<Word> {
    prop_oneof![
        12 => one_of(&["2", "3", "1", "2", "3"]),
        2 => one_of(&["4", "5", "99999", "0", "-1", "self", "1x", "", " 2", "2147483648", "+2", "02", "2:", "2:1"]),
        1 => hostile()
    ]
    .boxed()
}

/// A file of a namespace.
pub fn namespace() -> BoxedStrategy<Word> {
    let of = (
        one_of(&["/proc/2", "/proc/3", "/proc/self", "/proc/1", "/proc/9"]),
        one_of(&["mnt", "uts", "user", "pid", "net", "ipc", "cgroup", "time"]),
    )
        .prop_map(|(process, kind)| [process, b"/ns/".to_vec(), kind].concat())
        .boxed();
    prop_oneof![4 => of, 1 => process(), 1 => file()].boxed()
}

/// A map of ids.
pub fn id_map() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0:0:1",
        "0:1000:1",
        "0:1000:5",
        "1000:0:1",
        "0:0:4294967295",
        "0,0,1",
        "0,1000,10",
        "auto",
        "all",
        "subids",
        "0:0:0",
        "0:1000",
        "inner:outer:1",
        "0:1:2:3",
        "1000",
        "0:0:1 1:1:1",
        "0:-1:1",
        "5:5:5",
        "0:4294967295:1",
        "0::1",
        "u:0:0:1",
        "b:0:1000:1",
        "g:0:1000:3",
    ]))
}

/// Numbers.
pub fn number() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0",
        "1",
        "2",
        "-1",
        "10",
        "1000",
        "0x1",
        "07",
        "0x2f",
        "3600",
        "99999999999999999999",
        "1.5",
        "x",
    ]))
}

/// Types of file systems. None whose options a machine has only once.
pub fn filesystem() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "tmpfs",
        "tmpfs",
        "tmpfs",
        "ramfs",
        "proc",
        "ext4",
        "auto",
        "none",
        "overlay",
        "squashfs",
        "erofs",
        "sysfs",
        "mqueue",
        "devpts",
        "helper",
        "fuse.x",
        "nosuch",
        "notmpfs",
        "tmpfs,proc",
        "noproc,sysfs",
        "swap",
        "ext2,ext4",
        "nfs",
        "bind",
        "tmpfs.sub",
    ]))
}

/// One option of a mount.
pub fn mount_option() -> BoxedStrategy<Word> {
    let flags = one_of(&[
        "ro",
        "rw",
        "nosuid",
        "suid",
        "nodev",
        "dev",
        "noexec",
        "exec",
        "noatime",
        "atime",
        "relatime",
        "strictatime",
        "nodiratime",
        "diratime",
        "sync",
        "async",
        "dirsync",
        "mand",
        "nomand",
        "lazytime",
        "nolazytime",
        "silent",
        "loud",
        "nosymfollow",
        "symfollow",
        "iversion",
        "noiversion",
        "norelatime",
        "nostrictatime",
    ]);
    let kinds = one_of(&[
        "bind",
        "rbind",
        "remount",
        "move",
        "remount,bind",
        "remount,ro",
        "remount,bind,ro",
        "private",
        "shared",
        "slave",
        "unbindable",
        "rprivate",
        "rshared",
        "rslave",
        "bind,ro",
        "rbind,ro=recursive",
        "bind,noexec",
    ]);
    let userspace = one_of(&[
        "defaults",
        "auto",
        "noauto",
        "user",
        "nouser",
        "users",
        "owner",
        "group",
        "_netdev",
        "nofail",
        "x-systemd.automount",
        "x-gvfs-hide",
        "comment=x",
        "uhelper=x",
        "X-mount.mkdir",
        "X-mount.mkdir=0700",
        "x-mount.mkdir",
        "X-mount.subdir=b",
        "X-mount.owner=ordinary",
        "X-mount.group=7",
        "X-mount.mode=0711",
        "X-mount.idmap=0:1000:1",
        "X-mount.noloop",
        "X-mount.auto-fstypes=ext4",
        "X-mount.nocanonicalize",
        "X-mount.nocanonicalize=target",
        "loop",
        "loop=/dev/loop60",
        "offset=512",
        "sizelimit=4096",
        "helper=x",
        "X-foo",
        "X-foo=bar",
        "x-foo",
        "x-foo=\"a,b\"",
        "ro=recursive",
        "noexec=recursive",
        "nosuid=vfs",
        "ro=fs",
        "ro=recursive,vfs",
        "X-mount.mkdir=9",
        "X-mount.subdir=missing",
        "X-mount.owner=nosuch",
        "X-mount.mode=x",
        "X-mount.beneath",
        "verity.roothash=x",
    ]);
    let data = one_of(&[
        "size=1m",
        "mode=0700",
        "uid=1000",
        "gid=5",
        "nr_inodes=10",
        "size=x",
        "hidepid=2",
        "subset=pid",
        "gid=7",
        "newinstance",
        "ptmxmode=0666",
        "lowerdir=a,upperdir=d,workdir=d",
        "lowerdir=a:d",
        "huge=never",
        "nosuch",
        "nosuch=1",
        "errors=continue",
        "noload",
        "data=ordered",
        "context=x",
        "=",
        "mode=99",
        "uid=ordinary",
    ]);
    mostly(prop_oneof![4 => flags, 4 => kinds, 5 => userspace, 3 => data].boxed())
}

/// A list of mount options.
pub fn mount_options() -> BoxedStrategy<Word> {
    list(mount_option(), ",", 4)
}

/// What is mounted.
pub fn source() -> BoxedStrategy<Word> {
    let names = one_of(&["tmpfs", "none", "proc", "source", "overlay", "source with space", "src", "tmpfs", "none"]);
    let tags = one_of(&[
        "LABEL=disk",
        "UUID=11111111-2222-3333-4444-555555555555",
        "LABEL=\"disk\"",
        "LABEL=",
        "PARTUUID=x",
        "ID=x",
        "UUID=x",
        "LABEL=nosuch",
        "NOSUCH=1",
    ]);
    let images = one_of(&[
        "disk.ext4",
        "/work/disk.ext4",
        "disk.squashfs",
        "disk.erofs",
        "/work/disk.squashfs",
        "disk.ext2",
        "/dev/loop63",
    ]);
    prop_oneof![4 => names, 4 => directory(), 1 => tags, 3 => images, 1 => file()].boxed()
}

/// What an option's argument may be, by the applet, the option's name, and how its help calls the argument.
pub fn argument(applet: &str, option: &str, called: &str) -> BoxedStrategy<Word> {
    match (applet, option) {
        ("mount" | "umount", "types") => filesystem(),
        ("mount", "options") => mount_options(),
        ("mount" | "umount", "test-opts") => list(prop_oneof![3 => mount_option(), 1 => one_of(&["noro", "no_netdev", "norw", "+noauto", "nox-foo", "x-foo=bar"])].boxed(), ",", 2),
        ("mount", "fstab") => one_of(&["/work/tab", "/etc/fstab", "/work/tabs", "a", "missing", "f", ""]),
        ("mount", "mkdir") => one_of(&["0755", "700", "0", "9", "x", "", "01777", "77777"]),
        ("mount", "options-mode") => one_of(&["ignore", "append", "prepend", "replace", "x", ""]),
        ("mount", "options-source") => one_of(&["fstab", "mtab", "disable", "fstab,mtab", "x", ""]),
        ("mount", "source") => source(),
        ("mount", "target") => directory(),
        ("mount", "target-prefix") => directory(),
        ("mount", "label") => one_of(&["disk", "nosuch", ""]),
        ("mount", "uuid") => one_of(&["11111111-2222-3333-4444-555555555555", "x", ""]),
        ("mount" | "umount", "namespace") => prop_oneof![2 => process(), 1 => namespace()].boxed(),
        ("mount", "map-users" | "map-groups") | ("unshare", "map-users" | "map-groups") => id_map(),
        ("unshare", "propagation") => one_of(&["private", "shared", "slave", "unchanged", "x", ""]),
        ("unshare", "setgroups") => one_of(&["allow", "deny", "x", ""]),
        ("unshare", "kill-child" | "forward-signals") | ("capsh", "killit") => one_of(&["KILL", "SIGTERM", "15", "9", "x", "0", "99", "sigint", ""]),
        ("unshare", "monotonic" | "boottime") => number(),
        ("unshare", "owner") => one_of(&["0:0", "1000:1000", "1000", "x:y", "", "0:1000", ":", "ordinary:ordinary"]),
        ("unshare", "load-interp") => mostly(one_of(&["x", "", ":x:M::abc::/bin/probe:"])),
        ("unshare", "mount-binfmt" | "mount-proc") => directory(),
        ("unshare", "mount" | "uts" | "ipc" | "net" | "pid" | "user" | "cgroup" | "time") => file(),
        ("setpriv", "ambient-caps" | "inh-caps" | "bounding-set") => mostly(list(signed_capability(), ",", 3)),
        ("setpriv", "groups") => mostly(list(id(), ",", 3)),
        ("setpriv", "securebits") => {
            let bit = one_of(&["noroot", "noroot_locked", "no_setuid_fixup", "keep_caps", "keep_caps_locked", "no_setuid_fixup_locked", "no_cap_ambient_raise", "nosuch", "0x1"]);
            mostly(list((one_of(&["+", "-", ""]), bit).prop_map(|(sign, name)| [sign, name].concat()).boxed(), ",", 3))
        }
        ("setpriv", "pdeathsig") => mostly(one_of(&["keep", "clear", "KILL", "SIGTERM", "9", "term", "0", "99", "RTMIN", "RTMIN+1"])),
        ("setpriv", "ptracer") => mostly(one_of(&["any", "none", "1", "2", "99999", "x", "-1"])),
        ("setpriv", "landlock-access") => mostly(one_of(&[
            "fs", "fs:write", "fs:execute", "fs:read-file,write-file", "net", "fs:write-file", "scope", "fs:nosuch", "net:bind-tcp", "fs:", "all", "fs:make-dir,remove-dir", "fs:refer,truncate",
        ])),
        ("setpriv", "landlock-rule") => mostly(one_of(&[
            "path-beneath:execute,read-file:/", "path-beneath:execute,read-file,read-dir:/bin", "path-beneath::/work", "path-beneath:write-file:/work", "path-beneath:execute:/missing", "x", "path-beneath",
            "path-beneath:nosuch:/", "net:bind-tcp:80", "path-beneath:read-file:/work/f", "path-beneath:make-dir:/work/f",
        ])),
        ("setpriv", "selinux-label" | "apparmor-profile") => mostly(one_of(&["x", "unconfined", "system_u:system_r:x_t"])),
        ("chroot", "groups") | ("capsh", "groups") => mostly(list(id(), ",", 3)),
        ("chroot", "userspec") => {
            mostly((id(), one_of(&["", ":", ":", ".", ":"]), prop_oneof![1 => one_of(&[""]), 3 => id()]).prop_map(|(user, colon, group)| [user, colon, group].concat()).boxed())
        }
        ("nsenter", "setuid" | "setgid") => prop_oneof![3 => id(), 1 => one_of(&["follow"])].boxed(),
        ("nsenter", "target") => prop_oneof![12 => one_of(&["2", "3", "2"]), 3 => process()].boxed(),
        ("nsenter", "root" | "wd" | "wdns") => prop_oneof![2 => one_of(&["rootfs", "/proc/2/root", "/", "/proc/2/cwd"]), 2 => directory()].boxed(),
        ("nsenter", "net-socket") => number(),
        ("nsenter", _) => namespace(),
        ("lsns", "type") => mostly(one_of(&["mnt", "net", "ipc", "user", "pid", "uts", "cgroup", "time", "x", "MNT"])),
        ("lsns", "output") => mostly(list(one_of(&["NS", "TYPE", "PATH", "NPROCS", "PID", "PPID", "COMMAND", "UID", "USER", "NETNSID", "NSFS", "PNS", "ONS", "ns", "+PATH", "x"]), ",", 4)),
        ("lsns", "tree") => one_of(&["parent", "owner", "process", "x", ""]),
        ("lsns", "task") => process(),
        ("capsh", "caps") => capability_text(),
        ("capsh", "iab") => iab(),
        ("capsh", "mode" | "inmode") => one_of(&["NOPRIV", "PURE1E_INIT", "PURE1E", "HYBRID", "UNCERTAIN", "x", ""]),
        ("capsh", "secbits") => one_of(&["0", "0x2f", "0xef", "1", "16", "0x10", "x", "", "-1", "4", "255"]),
        ("capsh", "decode") => mostly(one_of(&["3", "0000003fffffffff", "0xff", "1ffffffffff", "x", "0", "ffffffffffffffff", "fffffffffffffffff"])),
        ("capsh", "forkfor") => one_of(&["1", "0", "-1", "x"]),
        ("capsh", "shell") => one_of(&["/bin/sh", "/bin/probe", "/bin/nosuch", "probe", "", "/work/f"]),
        ("capsh", "user") => id(),
        ("capsh", "uid" | "gid" | "cap-uid" | "is-uid" | "is-gid") => mostly(one_of(&["0", "1000", "1", "ordinary", "-1", "x", "", "0x3e8", "4294967295", "010"])),
        ("capsh", "keep") => one_of(&["0", "1", "2", "x", ""]),
        ("capsh", "suggest") => mostly(one_of(&["chown", "net", "ptrace", "kill", "nosuchthing"])),
        ("capsh", "chroot") => prop_oneof![2 => one_of(&["rootfs", "/work/rootfs", "/"]), 1 => directory()].boxed(),
        ("capsh", "inh" | "drop" | "addamb" | "delamb") => mostly(list(capability(), ",", 3)),
        ("capsh", _) => capability(),
        ("setcap", _) => one_of(&["0", "1", "1000", "1001", "-1", "x", "", "4294967295", "4294967296", "0x10", "010"]),
        (_, "root") => prop_oneof![3 => one_of(&["rootfs", "/work/rootfs", "/"]), 1 => directory()].boxed(),
        (_, "wd") => prop_oneof![2 => one_of(&["/", "/work", "work", "/bin"]), 1 => directory()].boxed(),
        _ if called.contains("uid") || called.contains("gid") || called.contains("user") || called.contains("group") => id(),
        _ if called.contains("cap") => capability(),
        _ if called.contains("pid") => process(),
        _ if called.contains("dir") || called.contains("path") => directory(),
        _ if called.contains("file") => file(),
        _ => prop_oneof![2 => number(), 1 => hostile()].boxed(),
    }
}
