//! What stands for the argument of an option.

use super::values::{Word, directory, file, hostile, id, id_map, list, mostly, namespace, number, one_of, process};
use super::{capabilities, filesystems};
use proptest::prelude::*;

/// What an option's argument may be, by the applet, the option's name, and how its help calls the argument.
pub fn argument(applet: &str, option: &str, called: &str) -> BoxedStrategy<Word> {
    match (applet, option) {
        ("mount" | "umount", "types") => filesystems::filesystem(),
        ("mount", "options") => filesystems::mount_options(),
        ("mount" | "umount", "test-opts") => list(prop_oneof![3 => filesystems::mount_option(), 1 => one_of(&["noro", "no_netdev", "norw", "+noauto", "nox-foo", "x-foo=bar"])].boxed(), ",", 2),
        ("mount", "fstab") => one_of(&["/here/tab", "/etc/fstab", "/here/tabs", "a", "missing", "f", ""]),
        ("mount", "mkdir") => one_of(&["0755", "700", "0", "9", "x", "", "01777", "77777"]),
        ("mount", "options-mode") => one_of(&["ignore", "append", "prepend", "replace", "x", ""]),
        ("mount", "options-source") => one_of(&["fstab", "mtab", "disable", "fstab,mtab", "x", ""]),
        ("mount", "source") => filesystems::source(),
        ("mount", "target") => directory(),
        ("mount", "target-prefix") => directory(),
        ("mount", "label") => one_of(&["disk-00", "two-00", "nosuch", ""]),
        ("mount", "uuid") => one_of(&["11111111-2222-3333-4444-555555555500", "x", ""]),
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
        ("setpriv", "ambient-caps" | "inh-caps" | "bounding-set") => mostly(list(capabilities::signed_capability(), ",", 3)),
        ("setpriv", "groups") => mostly(list(id(), ",", 3)),
        ("setpriv", "securebits") => {
            let bit = one_of(&["noroot", "noroot_locked", "no_setuid_fixup", "keep_caps", "keep_caps_locked", "no_setuid_fixup_locked", "no_cap_ambient_raise", "nosuch", "0x1"]);
            mostly(list((one_of(&["+", "-", ""]), bit).prop_map(|(sign, name)| [sign, name].concat()).boxed(), ",", 3))
        }
        ("setpriv", "pdeathsig") => mostly(one_of(&["keep", "clear", "KILL", "SIGTERM", "9", "term", "0", "99", "RTMIN", "RTMIN+1"])),
        ("setpriv", "ptracer") => mostly(one_of(&["any", "none", "1", "2", "99999", "x", "-1"])),
        ("setpriv", "seccomp-filter") => prop_oneof![3 => one_of(&["allow", "refuse"]), 1 => file()].boxed(),
        ("setpriv", "landlock-access") => mostly(one_of(&[
            "fs", "fs:write", "fs:execute", "fs:read-file,write-file", "net", "fs:write-file", "scope", "fs:nosuch", "net:bind-tcp", "fs:", "all", "fs:make-dir,remove-dir", "fs:refer,truncate",
        ])),
        ("setpriv", "landlock-rule") => mostly(one_of(&[
            "path-beneath:execute,read-file:/", "path-beneath:execute,read-file,read-dir:/bin", "path-beneath::/here", "path-beneath:write-file:/here", "path-beneath:execute:/missing", "x", "path-beneath",
            "path-beneath:nosuch:/", "net:bind-tcp:80", "path-beneath:read-file:/here/f", "path-beneath:make-dir:/here/f",
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
        ("losetup", "associated") => one_of(&["disk.ext4", "/here/disk.ext2", "f", "missing", "", "disk.ext2"]),
        ("losetup", "offset" | "sizelimit") => mostly(one_of(&["0", "512", "1K", "4K", "1M", "0x400", "1.5K", "100", "1E", "x", "-1", "1KB", "99999999999999999999"])),
        ("losetup", "sector-size") => mostly(one_of(&["512", "1024", "4096", "4K", "100", "0", "8192", "x", "-1"])),
        ("losetup", "direct-io") => one_of(&["on", "off", "x", ""]),
        ("losetup", "loop-ref") => one_of(&["x", "a b", "", "a-long-name-that-is-longer-than-what-the-kernel-keeps-of-such-a-name-in-its-64-bytes"]),
        ("losetup", "output") => mostly(list(one_of(&["NAME", "AUTOCLEAR", "BACK-FILE", "MAJ:MIN", "OFFSET", "PARTSCAN", "REF", "RO", "SIZELIMIT", "DIO", "LOG-SEC", "name", "+RO", "x"]), ",", 4)),
        ("capsh", "caps") => capabilities::capability_text(),
        ("capsh", "iab") => capabilities::iab(),
        ("capsh", "mode" | "inmode") => one_of(&["NOPRIV", "PURE1E_INIT", "PURE1E", "HYBRID", "UNCERTAIN", "x", ""]),
        ("capsh", "secbits") => one_of(&["0", "0x2f", "0xef", "1", "16", "0x10", "x", "", "-1", "4", "255"]),
        ("capsh", "decode") => mostly(one_of(&["3", "0000003fffffffff", "0xff", "1ffffffffff", "x", "0", "ffffffffffffffff", "fffffffffffffffff"])),
        ("capsh", "forkfor") => one_of(&["1", "0", "-1", "x"]),
        ("capsh", "shell") => one_of(&["/bin/sh", "/bin/probe", "/bin/nosuch", "probe", "", "/here/f"]),
        ("capsh", "user") => id(),
        ("capsh", "uid" | "gid" | "cap-uid" | "is-uid" | "is-gid") => mostly(one_of(&["0", "1000", "1", "ordinary", "-1", "x", "", "0x3e8", "4294967295", "010"])),
        ("capsh", "keep") => one_of(&["0", "1", "2", "x", ""]),
        ("capsh", "suggest") => mostly(one_of(&["chown", "net", "ptrace", "kill", "nosuchthing"])),
        ("capsh", "chroot") => prop_oneof![2 => one_of(&["rootfs", "/here/rootfs", "/"]), 1 => directory()].boxed(),
        ("capsh", "inh" | "drop" | "addamb" | "delamb") => mostly(list(capabilities::capability(), ",", 3)),
        ("capsh", _) => capabilities::capability(),
        ("blkid", "output") => mostly(one_of(&["full", "value", "device", "list", "udev", "export", "json", "x"])),
        ("blkid", "match-tag") => one_of(&["TYPE", "LABEL", "UUID", "BLOCK_SIZE", "USAGE", "VERSION", "type", "NOSUCH", ""]),
        ("blkid", "match-token") => mostly(one_of(&["TYPE=ext4", "LABEL=disk", "LABEL=\"disk\"", "UUID=x", "NOSUCH=1", "TYPE=", "x", "=x"])),
        ("blkid", "label" | "uuid") => one_of(&["disk", "nosuch", "", "a b"]),
        ("blkid", "offset" | "size") => mostly(one_of(&["0", "512", "1K", "4K", "1M", "0x400", "1.5K", "2048", "1E", "x", "-1", "1KB", "99999999999999999999"])),
        ("blkid", "usages") => mostly(one_of(&["filesystem", "raid", "nofilesystem", "filesystem,other", "noraid,crypto", "x", "filesystem,x", ""])),
        ("blkid", "match-types") => mostly(one_of(&["ext4", "ext2,squashfs", "noext4", "novfat,erofs", "x", "no", ""])),
        ("blkid", "hint") => one_of(&["session_offset=0", "session_offset=4096", "x", "x=1", ""]),
        ("blkid", "cache-file") => one_of(&["/dev/null", "/here/tab", "missing", "f", ""]),
        ("setcap", _) => one_of(&["0", "1", "1000", "1001", "-1", "x", "", "4294967295", "4294967296", "0x10", "010"]),
        (_, "root") => prop_oneof![3 => one_of(&["rootfs", "/here/rootfs", "/"]), 1 => directory()].boxed(),
        (_, "wd") => prop_oneof![2 => one_of(&["/", "/here", "here", "/bin"]), 1 => directory()].boxed(),
        _ if called.contains("uid") || called.contains("gid") || called.contains("user") || called.contains("group") => id(),
        _ if called.contains("cap") => capabilities::capability(),
        _ if called.contains("pid") => process(),
        _ if called.contains("dir") || called.contains("path") => directory(),
        _ if called.contains("file") => file(),
        _ => prop_oneof![2 => number(), 1 => hostile()].boxed(),
    }
}
