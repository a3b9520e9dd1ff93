#!/bin/bash
# rpm installs a package with capabilities of files (%caps), and one that sets them when it is installed.
# packages: rpm file
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

mkdir -p /here /opt
touch /opt/other
cd /here
cat >package.spec <<'SPEC'
Name: package
Version: 1
Release: 1
Summary: Files with capabilities
License: none
%description
%install
mkdir -p %{buildroot}/opt
cp /usr/bin/true %{buildroot}/opt/listed
cp /usr/bin/true %{buildroot}/opt/set
%post
setcap cap_net_bind_service,cap_net_raw+ep /opt/set && getcap /opt/set
%preun
setcap -r /opt/set
%files
%caps(cap_net_raw=p) /opt/listed
/opt/set
SPEC
rpmbuild --quiet --define "_topdir /here" -bb package.spec >&2
rpm --nodeps --install RPMS/*/package-1-1.*.rpm
getcap -r /opt
tree /opt
# What rpm has written down is held against the files.
rpm --verify package || echo "verify: $?"
setcap cap_sys_nice=i /opt/listed
rpm --verify package || echo "verify: $?"
setcap -q -v cap_sys_nice=i /opt/listed
rpm --erase package
tree /opt
