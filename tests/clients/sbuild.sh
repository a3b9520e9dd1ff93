#!/bin/bash
# sbuild builds a package as an ordinary user, in a root that mmdebstrap made (--chroot-mode=unshare).
# packages: sbuild mmdebstrap uidmap dpkg-dev fakeroot
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

add_user user
source_package /home/user
chown -R user: /home/user
cd /home/user
as user mkdir -p /home/user/.cache/sbuild
as user mmdebstrap --mode=unshare --variant=buildd "$release" "/home/user/.cache/sbuild/$release-amd64.tar" "$mirror" >&2
as user sbuild --chroot-mode=unshare --dist="$release" --arch-all --no-run-lintian \
    --chroot-setup-commands='mountpoint /proc && setpriv --dump' tool_1.dsc >&2
dpkg-deb --contents tool_1_all.deb
dpkg-deb --fsys-tarfile tool_1_all.deb | tar --extract --to-stdout ./usr/share/mounts
sha256sum tool_1_all.deb
