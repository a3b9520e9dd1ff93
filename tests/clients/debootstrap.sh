#!/bin/bash
# debootstrap makes a system at once, and in two stages, the second of which runs inside.
# packages: debootstrap
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

make() { debootstrap --variant=minbase --cache-dir=/cache "$@" "$release" /work "$mirror" >&2; }
mkdir /cache

make
tree /work
chroot /work dpkg-query --show
rm -rf /work

make --foreign
take_over /work
chroot /work /debootstrap/debootstrap --second-stage >&2
tree /work
chroot /work dpkg-query --show
