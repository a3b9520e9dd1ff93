#!/bin/bash
# lxc-create makes a container of the template for busybox, lxc-start runs it, and lxc-attach commands in it.
# packages: lxc lxc-templates busybox-static
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

mkdir -p /var/lib/lxc
lxc-create --name box --template busybox >&2
cat >>/var/lib/lxc/box/config <<'CONFIG'
lxc.net.0.type = empty
lxc.apparmor.profile = unconfined
lxc.mount.entry = /usr usr none ro,bind,create=dir
lxc.mount.entry = /usr/lib64 lib64 none ro,bind,create=dir
lxc.mount.entry = /usr/lib lib none ro,bind,create=dir
CONFIG
tree /var/lib/lxc/box
lxc-start --name box --logfile /here.log --logpriority DEBUG >&2 || {
    cat /here.log >&2
    exit 1
}
lxc-wait --name box --state RUNNING
run() { lxc-attach --name box --clear-env -- "$@" || echo "status $?"; }
run /usr/bin/bash -c "$(declare -f mounts); mounts"
run /usr/bin/mount -t tmpfs -o size=1m none /mnt
run /usr/bin/mountpoint /mnt
run /usr/bin/umount /mnt
run /usr/bin/setpriv --dump
run /usr/sbin/capsh --print
run /usr/bin/unshare --mount --pid --fork --mount-proc cat /proc/1/comm
run /usr/bin/nsenter --target 1 --all true
# From outside, by its namespaces.
init=$(lxc-info --name box --pid --no-humanize)
nsenter --target "$init" --mount --uts --pid /usr/bin/bash -c "$(declare -f mounts); mounts; hostname"
lxc-stop --name box --kill
lxc-destroy --name box >&2
mounts
