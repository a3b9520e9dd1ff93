#!/bin/bash
# arch-chroot enters a root with its mounts, as root and as an ordinary user; genfstab tells what is mounted.
# packages: arch-install-scripts uidmap
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

copy_root /here/system
mount --bind /here/system /here/system
export -f mounts
arch-chroot /here/system bash -c 'mounts; id; mount -t tmpfs none /mnt; umount /mnt; getcap -r /usr/bin; capsh --current'
arch-chroot -u nobody /here/system bash -c 'mounts; id; capsh --current'
arch-chroot /here/system sh -c 'exit 7' || echo "status $?"
# A directory that is no mount point is told of.
mkdir /here/plain
cp -a /here/system/. /here/plain/
arch-chroot /here/plain id
mounts
genfstab -U /here/system
mount -t tmpfs -o size=1m,mode=700 none /here/system/srv
mount --bind -o ro /here/system/etc /here/system/mnt
genfstab -L /here/system
umount -R /here/system

# -N: everything in a user namespace.
add_user user
mv /here/plain /home/user/system
chown -R user: /home/user/system
as user arch-chroot -N /home/user/system bash -c 'mounts; id; cat /proc/self/uid_map'
