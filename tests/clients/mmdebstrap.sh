#!/bin/bash
# mmdebstrap makes a system as root, and as an ordinary user in a user namespace.
# packages: mmdebstrap uidmap arch-test
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

# The archive is the same bytes when it is made of the same packages.
export SOURCE_DATE_EPOCH=1767225600
make() {
    # shellcheck disable=SC2016  # the words are for the hook
    local hook='{ cut -d " " -f 5- /proc/self/mountinfo; chroot "$1" id; } >/tmp/inside.'$1
    mmdebstrap --mode="$1" --variant=minbase --customize-hook="$hook" "$release" "$archive" "$mirror" >&2
}
show() {
    echo "== inside, $1"
    sed 's/:[0-9]* / /; s/mmdebstrap\.[^ /]*/mmdebstrap.NAME/' "/tmp/inside.$1"
    tar --list --verbose --numeric-owner --xattrs --xattrs-include='*' --file="$archive"
    sha256sum "$archive"
}
archive=/root/root.tar
make root
show root

add_user user
archive=/home/user/user.tar
export -f make
export release mirror archive
as user bash -c 'make unshare'
show unshare
