#!/bin/bash
# mkosi makes a system, and its scripts use the commands where it runs them.
# packages: mkosi uidmap bubblewrap apt debian-archive-keyring systemd-container
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

mkdir -p /here/image
cd /here/image
cat >mkosi.conf <<CONF
[Distribution]
Distribution=debian
Release=$release
LocalMirror=$mirror
[Output]
Format=directory
Output=system
[Content]
Packages=libcap2-bin,util-linux,mount
Bootable=no
[Build]
WithNetwork=yes
CONF
cat >mkosi.postinst.chroot <<'SCRIPT'
#!/bin/bash
set -e
mountpoint /proc
SCRIPT
cat >mkosi.finalize <<'SCRIPT'
#!/bin/bash
set -e
mountpoint "$BUILDROOT" || true
setpriv --dump
cut -d ' ' -f 5- /proc/self/mountinfo | sed 's/:[0-9]*//'
unshare --mount bash -c 'mount -t tmpfs -o size=1m none /mnt && mountpoint /mnt && umount /mnt'
setcap cap_net_raw+ep "$BUILDROOT/usr/bin/true"
getcap "$BUILDROOT/usr/bin/true"
SCRIPT
chmod 755 mkosi.postinst.chroot mkosi.finalize
mkosi --force build >/here/said 2>&1 || { cat /here/said >&2; exit 1; }
grep -v -E '^(Fetched|Get:[0-9]+|Ign:[0-9]+) ' /here/said
tree /here/image/system
mounts
