//! The command lines that are looked at, and the words of a trace.

/// The calls that change state, and exec, fork and wait. Writes are those to files that steer the kernel.
pub const CALLS: &str = "unshare,setns,mount,umount2,chroot,chdir,fchdir,setuid,setgid,setgroups,setresuid,setresgid,\
                     capset,clone,fork,wait4,execve,fsopen,fspick,fsconfig,fsmount,open_tree,move_mount,mount_setattr,\
                     pidfd_open,pidfd_getfd,mkdir,mkdirat,rmdir,unlinkat,unlink,kill,setsid,prctl,fsetxattr,setxattr,removexattr,\
                     ?setxattrat,?removexattrat,pivot_root,write,ioctl,fchownat,fchmodat,renameat,prlimit64,\
                     open_by_handle_at,openat,fchmod,fchown,utimensat,unlinkat,\
                     landlock_create_ruleset,landlock_add_rule,landlock_restrict_self";

/// What each script begins with.
pub const SCENE: &str = r#"
mount -t tmpfs run /run; mkdir /run/mount
mkdir -p rootfs/proc rootfs/etc view there
cp "${ORDINARY%% *}" rootfs/state; cp /etc/passwd /etc/group rootfs/etc/
cp rootfs/state one; cp rootfs/state two; setcap cap_kill=p two
truncate -s 2M image; mkfs.ext4 -q image
printf 'tmpfs %s tmpfs size=64k 0 0\n' $PWD/view >fstab
target=$($TARGET -u -m -p -f)
"#;

/// What is done before, and the command line.
pub const LINES: &[(&str, &str)] = &[
    ("", "chroot rootfs /state state"),
    ("", "chroot --userspec=ordinary:extra --groups=adm rootfs /state state"),
    ("", "chroot nowhere"),
    ("", "chroot rootfs /missing"),
    ("", "unshare -m -u -i -n -C rootfs/state state"),
    ("", "unshare -p -f --mount-proc=$PWD/rootfs/proc chroot rootfs /state state"),
    ("", "unshare -r -m rootfs/state state"),
    ("", "unshare --map-users=0:1000:5 --map-groups=0:1000:5 -S 0 -G 0 rootfs/state state"),
    ("touch net", "unshare --net=net rootfs/state state"),
    ("", "unshare -pf --kill-child -R rootfs -w /proc -G 5 -S 5 /state state"),
    ("", "unshare -T --boottime 100 -f rootfs/state state"),
    ("", "unshare -U -c --keep-caps rootfs/state state"),
    ("", "nsenter -t $target -u -m rootfs/state state"),
    ("", "nsenter -t $target -p rootfs/state state"),
    ("", "nsenter -t $target -u -r$PWD/rootfs -w$PWD/there -S 5 -G 6 /state state"),
    ("", "nsenter --uts=/proc/$target/ns/uts rootfs/state state"),
    ("", "setcap cap_chown=ep one"),
    ("", "setcap -r two"),
    ("", "setcap cap_chown=ep rootfs"),
    ("", "getcap one two"),
    ("", "capsh --drop=cap_chown,cap_sys_admin --chroot=rootfs --shell=/state -- state"),
    ("", "capsh --mode=NOPRIV --shell=rootfs/state -- state"),
    ("", "capsh --keep=1 --user=ordinary --inh=cap_kill --addamb=cap_kill --shell=rootfs/state -- state"),
    ("", "capsh --secbits=0x2f --no-new-privs --shell=rootfs/state -+ state"),
    ("", "mount -t tmpfs -o size=64k,noexec,X-mount.mkdir tmpfs made"),
    ("", "mount --bind -o ro rootfs view"),
    ("mount -t tmpfs tmpfs view", "mount -o remount,ro,noexec view"),
    ("mount -t tmpfs tmpfs view", "mount --make-rshared view"),
    ("mount -t tmpfs tmpfs view", "mount --move view there"),
    ("", "mount -a -T fstab"),
    ("mount -t tmpfs tmpfs view", "umount view"),
    ("mount -t tmpfs tmpfs view; mkdir view/in; mount -t tmpfs tmpfs view/in", "umount -R view"),
    ("", "mount -t ext4 -o X-mount.owner=5,X-mount.mode=700 image view"),
    ("mount image view", "umount -d view"),
    ("mount -t tmpfs tmpfs view; exec 3>view/busy", "umount view"),
    ("", "mount -t tmpfs -o x-name,uid=5 tmpfs view"),
    ("mount -t tmpfs -o x-name tmpfs view", "umount view"),
    ("", "nsenter -t $target -u -e -c -S follow -G follow rootfs/state state"),
    ("", "unshare -r --propagation slave -m -f --forward-signals rootfs/state state"),
    ("", "unshare -f bash -c 'kill -TERM $$'"),
    ("", "unshare -pf --mount-proc unshare -f setpriv --nnp chroot rootfs /state state"),
    ("", "nsenter -t $target -p -F chroot rootfs /state state"),
    ("", "nsenter -t $target -p unshare -f chroot rootfs /state state"),
    ("", "setpriv --reuid=5 --regid=6 --groups=7 --inh-caps=-all --bounding-set=-chown,-kill rootfs/state state"),
    ("", "setpriv --no-new-privs --securebits=+noroot --pdeathsig=TERM rootfs/state state"),
    ("", "setpriv --reuid=5 --clear-groups --inh-caps=+kill --ambient-caps=+kill rootfs/state state"),
    (
        "",
        "setpriv --landlock-access=fs:truncate,make-dir --landlock-rule=path-beneath::rootfs --ptracer=any rootfs/state state",
    ),
    ("", "setpriv --landlock-access=fs --landlock-rule=path-beneath::/ rootfs/state state"),
    ("printf '\\x06\\0\\0\\0\\0\\0\\xff\\x7f' >filter", "setpriv --seccomp-filter=filter rootfs/state state"),
    ("", "setpriv --dump"),
    ("", "mountpoint /proc"),
    ("", "blkid -p image"),
    ("", "findfs image"),
    ("", "getpcaps 1"),
    ("", "getcap -r rootfs"),
    ("mount -t tmpfs tmpfs view; mkdir view/old", "pivot_root rootfs view/old"),
    // In the namespace of the line alone: what is traced is written outside of it.
    ("mount -t tmpfs tmpfs view; mkdir view/proc view/dev; cp rootfs/state view", "switch_root view /state state"),
    ("mount -t tmpfs tmpfs view; mkdir view/old", "pivot_root view view/old"),
];

/// A line without the number of its process, which stands there once there is more than one.
pub fn without_pid(line: &str) -> &str {
    line.strip_prefix("[pid ").and_then(|rest| rest.split_once("] ")).map_or(line, |(_, call)| call)
}

/// Whether all of `part` is in `whole`, in this order.
pub fn is_in_order(part: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|call| rest.any(|other| other == call))
}
