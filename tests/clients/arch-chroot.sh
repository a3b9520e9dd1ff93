#!/bin/bash
# arch-chroot enters a root with its mounts, as root and as an ordinary user; genfstab tells what is mounted.
# packages: arch-install-scripts uidmap
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

copy_root /work/system
mount --bind /work/system /work/system
export -f mounts
arch-chroot /work/system bash -c 'mounts; id; mount -t tmpfs none /mnt; umount /mnt; getcap -r /usr/bin; capsh --current'
arch-chroot -u nobody /work/system bash -c 'mounts; id; capsh --current'
arch-chroot /work/system sh -c 'exit 7' || echo "status $?"
# A directory that is no mount point is told of.
mkdir /work/plain
cp -a /work/system/. /work/plain/
arch-chroot /work/plain id
mounts
genfstab -U /work/system
mount -t tmpfs -o size=1m,mode=700 none /work/system/srv
mount --bind -o ro /work/system/etc /work/system/mnt
genfstab -L /work/system
umount -R /work/system

# -N: everything in a user namespace.
add_user user
mv /work/plain /home/user/system
chown -R user: /home/user/system
as user arch-chroot -N /home/user/system bash -c 'mounts; id; cat /proc/self/uid_map'
