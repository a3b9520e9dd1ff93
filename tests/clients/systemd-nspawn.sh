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
timeout 120 systemd-nspawn --quiet --register=no --keep-unit --directory=/here/system --boot --console=pipe </dev/null >&2 || echo "status $?"
sed 's/:[0-9]*//' /here/system/mounts
