#!/bin/bash
# pbuilder makes a system, and builds a package in a copy of it.
# packages: pbuilder debootstrap dpkg-dev fakeroot
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

source_package /here
mkdir -p /here/result
cat >/root/.pbuilderrc <<CONF
DISTRIBUTION=$release
MIRRORSITE=$mirror
BASETGZ=/here/base.tgz
BUILDPLACE=/here/build
BUILDRESULT=/here/result
APTCACHE=
COMPRESSPROG=cat
EATMYDATA=no
CONF
cat /root/.pbuilderrc >&2
pbuilder create >&2
pbuilder build /here/tool_1.dsc >&2
tar --list --verbose --numeric-owner --file=/here/base.tgz | awk '{ $3 = $4 = $5 = ""; print }' | LC_ALL=C sort -k 3
cd /here/result
dpkg-deb --contents tool_1_all.deb
# Each build has a directory of the number of its process.
dpkg-deb --fsys-tarfile tool_1_all.deb | tar --extract --to-stdout ./usr/share/mounts | sed 's|/here/build/[0-9]*|/here/build/N|g'
mounts
