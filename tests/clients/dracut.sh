#!/bin/bash
# An image of dracut, whose commands are this root's, boots a system in qemu.
# packages: dracut-core linux-image-cloud-amd64 busybox-static qemu-system-x86 seabios e2fsprogs zstd
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

kernel=$(echo /boot/vmlinuz-*)
dracut --no-hostonly --omit busybox --modules 'dash base rootfs-block fs-lib kernel-modules udev-rules shutdown' \
    --filesystems ext4 --drivers 'virtio_blk virtio_pci ext4' --force /here.initrd "${kernel#/boot/vmlinuz-}" >&2
boot "$kernel" /here.initrd
