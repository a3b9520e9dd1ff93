#!/bin/bash
# dpkg installs packages whose scripts set capabilities of files: mtr's, and one made here.
# packages: mtr-tiny
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

mtr=/usr/bin/mtr-packet
getcap $mtr
setcap -r $mtr
getcap $mtr
/var/lib/dpkg/info/mtr-tiny.postinst configure
tree /usr/bin | grep -A 2 mtr-packet
# Without the privilege it makes the program set-user-ID instead.
setcap -r $mtr
setpriv --bounding-set=-setfcap --inh-caps=-setfcap /var/lib/dpkg/info/mtr-tiny.postinst configure
tree /usr/bin | grep -A 2 mtr-packet

mkdir -p /opt /here/package/{DEBIAN,opt}
touch /opt/other
cd /here
cp /usr/bin/true package/opt/tool
cat >package/DEBIAN/control <<'CONTROL'
Package: tool
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: a file with capabilities
CONTROL
cat >package/DEBIAN/postinst <<'POSTINST'
#!/bin/sh
set -e
if command -v setcap >/dev/null; then
    if ! setcap cap_net_admin,cap_net_raw+eip /opt/tool; then echo "setcap failed"; fi
fi
setcap -v cap_net_admin,cap_net_raw+eip /opt/tool
POSTINST
chmod 755 package/DEBIAN/postinst
dpkg-deb --root-owner-group --build package >&2
dpkg --install package.deb 2>&1 | grep -F /opt
getcap -n /opt/tool
tree /opt
dpkg --purge tool >&2
tree /opt
