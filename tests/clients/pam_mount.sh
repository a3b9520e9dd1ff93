#!/bin/bash
# pam_mount mounts a user's volumes when a session begins, and unmounts them at its end.
# packages: libpam-mount e2fsprogs login
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

add_user user
mkdir -p /here/shared /home/user/{image,bound,memory}
touch /here/shared/file
truncate --size=8M /here/image
mke2fs -q -t ext4 -E root_owner=1000:1000 /here/image
cat >/etc/security/pam_mount.conf.xml <<'XML'
<?xml version="1.0" encoding="utf-8" ?>
<!DOCTYPE pam_mount SYSTEM "pam_mount.conf.xml.dtd">
<pam_mount>
<debug enable="1" />
<volume user="user" fstype="ext4" path="/here/image" mountpoint="~/image" options="loop,nosuid,nodev" />
<volume user="user" path="/here/shared" mountpoint="~/bound" options="bind" />
<volume user="user" fstype="tmpfs" path="none" mountpoint="~/memory" options="size=1M,uid=%(USERUID),mode=0700" />
<volume user="user" fstype="tmpfs" path="none" mountpoint="~/made" options="size=1M" />
<mkmountpoint enable="1" remove="true" />
<logout wait="0" hup="no" term="no" kill="no" />
</pam_mount>
XML
cat >/etc/pam.d/su-l <<'PAM'
auth sufficient pam_rootok.so
account required pam_permit.so
session required pam_mount.so
session required pam_unix.so
PAM
export -f mounts
su --login user --command "$(declare -f mounts)
mounts; touch image/written; ls -lan image bound memory | cut -d ' ' -f 1-4"
mounts
tree /home/user
