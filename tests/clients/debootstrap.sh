#!/bin/bash
# debootstrap makes a system at once, and in two stages, the second of which runs inside.
# packages: debootstrap
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

make() { debootstrap --variant=minbase --cache-dir=/cache "$@" "$release" /here "$mirror" >&2; }
mkdir /cache

make
tree /here
chroot /here dpkg-query --show
rm -rf /here

make --foreign
take_over /here
chroot /here /debootstrap/debootstrap --second-stage >&2
tree /here
chroot /here dpkg-query --show
