#!/bin/bash
# An image of initramfs-tools, in which mount and switch_root are this root's, boots a system in qemu.
# packages: initramfs-tools linux-image-cloud-amd64 busybox-static qemu-system-x86 seabios e2fsprogs zstd
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

# A hook that puts them where the image's scripts look, and a script that mounts and moves more before the root is left.
cat >/etc/initramfs-tools/hooks/commands <<'HOOK'
#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
for name in mount umount switch_root; do
    rm -f "$DESTDIR/bin/$name" "$DESTDIR/sbin/$name" "$DESTDIR/usr/bin/$name" "$DESTDIR/usr/sbin/$name"
    copy_exec "/usr/bin/$name" /usr/bin
done
# busybox as the shell would prefer its own mount.
rm -f "$DESTDIR/bin/sh" "$DESTDIR/usr/bin/sh"
copy_exec /usr/bin/dash /usr/bin/sh
# What leaves the image is its run-init: in its place stands a line that has the same done by switch_root.
rm -f "$DESTDIR/usr/bin/run-init" "$DESTDIR/usr/sbin/run-init"
cat >"$DESTDIR/usr/bin/run-init" <<'RUN'
#!/bin/sh
while :; do
    case $1 in
    -n) exit 0 ;;
    -*) shift ;;
    *) break ;;
    esac
done
# /dev was left as a link into the new root, through which the original would detach what is there; ours does not.
rm /dev
mkdir /dev
# Which leaves the trace no path to the console.
export CTRBOX_TRACE=1
exec switch_root "$@"
RUN
chmod 755 "$DESTDIR/usr/bin/run-init"
HOOK
chmod 755 /etc/initramfs-tools/hooks/commands
# No more than this boot takes.
printf '%s\n' MODULES=list COMPRESS=gzip >/etc/initramfs-tools/conf.d/small
printf '%s\n' virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
kernel=$(echo /boot/vmlinuz-*)
mkinitramfs -o /here.initrd "${kernel#/boot/vmlinuz-}" >&2
boot "$kernel" /here.initrd
