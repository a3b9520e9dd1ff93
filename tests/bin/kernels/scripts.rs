//! The scripts of a machine that is booted, for mksh and busybox.

/// Runs every script of /rows, each in namespaces of its own, and tells of each in one line.
pub const RUNNER: &str = r#"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SHELL=/bin/sh TZ=UTC
export TARGET='sh /rows/target' ORDINARY='setpriv --reuid 1000 --regid 1000 --init-groups --inh-caps=-all'
mount -t tmpfs -o mode=1777 out /tmp
# By its path: by its name busybox would run its own.
ours=$(command -v unshare)
for row in /rows/*.sh; do
    name=${row##*/}
    UNIQUE=ctrbox-row-${name%.sh} busybox timeout -s KILL "${SECONDS_A_ROW:-180}" "$ours" -m -u -i -p -f --mount-proc --kill-child \
        sh /rows/one "$row" >/tmp/out 2>/tmp/err </dev/null
    echo "row ${name%.sh} $? $(base64 -w 0 /tmp/out) $(base64 -w 0 /tmp/err)"
done
"#;

/// What a script finds: an empty directory in memory, a /run of its own, the accounts that it asks for.
pub const ONE: &str = r#"
busybox hostname sandbox
umask 022
mount -t tmpfs -o mode=0755 case /case
mount -t tmpfs -o mode=0755 run /run
read -r first <"$1"
[ "$first" != '# subordinate' ] || for file in /etc/subuid /etc/subgid; do mount --bind /etc/subordinate $file; done
mkdir -p /tmp/own; mount -t tmpfs -o mode=1777 own /tmp
# As in the sandbox; and a switch_root(8) that is meant to empty a root in memory finds ours.
mount -o remount,bind,ro /
cd /case
sh "$1"
exit $?
"#;

/// Leaves a process in namespaces, and prints its number: what `$TARGET` does in the sandbox.
pub const TARGET: &str = r#"
unshare "$@" /bin/sleep 1000 </dev/null >/dev/null 2>&1 &
pid=$!
while read -r name </proc/$pid/comm && [ "$name" != sleep ]; do
    child=
    read -r child rest </proc/$pid/task/$pid/children
    pid=${child:-$pid}
done
echo $pid
"#;

/// The first program of the initramfs: its root becomes one that can be pivoted from.
pub const INIT: &str = r#"#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
mkdir /new; mount -t tmpfs -o mode=755 new /new
cp -a /bin /case /etc /root /rows /sbin /usr /new
mkdir -p /new/dev /new/proc /new/sys /new/run /new/tmp /new/mnt
exec switch_root /new /bin/sh /rows/second
"#;

/// What the new root runs: the rows, and the end.
pub const SECOND: &str = r#"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
read -r _ _ version _ </proc/version
echo "kernel $version"
sh /rows/run
echo rows end
poweroff -f
"#;
