#!/bin/bash
# systemd-nspawn runs commands in a container, and a system whose systemd mounts by our mount.
# packages: systemd-container systemd
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

copy_root /here/system
inside() { systemd-nspawn --quiet --pipe --register=no --keep-unit --directory=/here/system "$@" </dev/null; }
export -f mounts
look="$(declare -f mounts); mounts; capsh --print; cat /proc/self/uid_map
    mount -t tmpfs -o size=1m none /mnt && mount -o remount,bind,ro /mnt && mountpoint /mnt && umount /mnt
    unshare --mount --pid --fork --mount-proc sh -c 'echo \$\$; cat /proc/1/comm'; nsenter --target 1 --mount --pid true"
inside bash -c "$look" || echo "status $?"
inside --private-users=65536:65536 --private-users-ownership=map bash -c "$look" || echo "status $?"
inside --private-network --capability=CAP_NET_ADMIN --bind-ro=/etc:/srv --tmpfs=/opt:mode=700 bash -c "$look" || echo "status $?"
inside --volatile=yes bash -c "$look" || echo "status $?"

# A whole system, whose units are mounted by /usr/bin/mount and unmounted by /usr/bin/umount.
mkdir -p /here/system/etc/systemd/system/multi-user.target.wants
cat >>/here/system/etc/fstab <<'FSTAB'
tmpfs /srv/memory tmpfs size=1m,mode=700,x-systemd.mkdir 0 0
/etc /srv/bound none bind,ro,x-systemd.requires-mounts-for=/srv/memory 0 0
FSTAB
cat >/here/system/etc/systemd/system/look.service <<'UNIT'
[Unit]
After=local-fs.target
[Service]
Type=oneshot
ExecStart=sh -c 'cut -d " " -f 5- /proc/self/mountinfo | grep -e /srv -e /tmp >/mounts; systemctl is-active srv-memory.mount srv-bound.mount >>/mounts'
ExecStart=sh -c 'systemctl stop srv-bound.mount; systemctl show --property=Result,ActiveState srv-bound.mount >>/mounts; systemctl --no-block poweroff'
UNIT
ln -s ../look.service /here/system/etc/systemd/system/multi-user.target.wants/
# What systemd said of each unit goes to a file, by a terminal that is its console: a boot in which it came to nothing is
# no success, however alike it was.
said=/here/console
timeout 120 systemd-nspawn --quiet --register=no --keep-unit --directory=/here/system --boot --console=read-only \
    systemd.log_target=console systemd.show_status=true systemd.color=false </dev/null >"$said" 2>&1 || {
    echo "the boot ended with $?" >&2
    cat "$said" >&2
    exit 1
}
cat "$said" >&2
units=$(tr -d '\r' <"$said" | sed -n 's/\x1b\[[0-9;]*[a-zA-Z]//g; s/^\[ *\(OK\|FAILED\) *\] \(.*\(\/srv\|Local File Systems\).*\)$/\1 \2/p' | LC_ALL=C sort -u)
echo "$units"
sed 's/:[0-9]*//' /here/system/mounts
for done in 'Mounted srv-memory' 'Mounted srv-bound' 'Reached target local-fs' 'Unmounted srv-bound' 'Unmounted srv-memory'; do
    grep -q "^OK ${done}[.]" <<<"$units"
done
if grep '^FAILED' <<<"$units" >&2; then exit 1; fi
[ "$(grep -c -x active /here/system/mounts)" = 2 ]
grep -q -x Result=success /here/system/mounts
grep -q -x ActiveState=inactive /here/system/mounts
