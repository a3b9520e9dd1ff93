#!/bin/bash
# buildah makes an image from a file of commands, as root and as an ordinary user in a user namespace.
# packages: buildah uidmap fuse-overlayfs netavark passt
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

# The limits of files and processes that it asks for by itself are more than may be asked for here.
mkdir -p /etc/containers
printf '%s\n' '[containers]' "default_ulimits = [\"nofile=$(ulimit -n):$(ulimit -Hn)\", \"nproc=$(ulimit -u):$(ulimit -Hu)\"]" >/etc/containers/containers.conf
export BUILDAH_ISOLATION=chroot
copy_root /here/context/system --exclude=./usr/share --exclude=./usr/libexec --exclude=./usr/bin/buildah --exclude=./var/lib/dpkg
cat >/here/context/Containerfile <<'FILE'
FROM scratch
COPY system /
RUN cut -d ' ' -f 5- /proc/self/mountinfo | sed 's/:[0-9]*//' | sort && mountpoint /proc && capsh --print && setpriv --dump
RUN setcap cap_net_raw+ep /usr/bin/true && getcap /usr/bin/true
RUN unshare --mount sh -c 'mount -t tmpfs -o size=1m none /mnt && mountpoint /mnt && umount /mnt' || echo "status $?"
FILE
# An ordinary user mounts a container in the user namespace that it is in.
inside() {
    if [ "$(id -u)" = 0 ]; then "$@"; else buildah --storage-driver=vfs unshare "$@"; fi
}
build() {
    buildah --storage-driver=vfs build --network=host --timestamp=0 --tag=tool /here/context
    name=$(buildah --storage-driver=vfs from tool)
    # To a file of the container: of what it relays buildah loses a part now and then.
    buildah --storage-driver=vfs run --network=host "$name" -- sh -c 'getcap /usr/bin/true >/told'
    # With the commands of this root in the container, and with the container mounted for them.
    buildah --storage-driver=vfs run --network=host --volume=/usr/bin:/usr/bin:ro --volume=/usr/sbin:/usr/sbin:ro \
        "$name" -- sh -c '{ mountpoint /usr/bin; setpriv --dump; capsh --current; chroot / id; } >>/told'
    export name
    # shellcheck disable=SC2016  # the words are for that shell
    inside sh -c 'root=$(buildah --storage-driver=vfs mount "$name") || exit
        cat "$root/told"; getcap "$root/usr/bin/true"; chroot "$root" id; chroot "$root" unshare --mount --pid --fork --mount-proc cat /proc/1/comm
        mount -t tmpfs -o size=1m none "$root/mnt" && mountpoint "$root/mnt" | sed "s,$root,ROOT," && umount "$root/mnt"
        buildah --storage-driver=vfs umount "$name" >/dev/null'
}
build | sed -E '/^(-->|COMMIT|[0-9a-f]{64}$|Successfully)/d; s/[0-9a-f]{64}/ID/g; s/buildah[0-9]+/buildahN/g'

add_user user
export -f build inside
chmod -R a+rX /here/context
as user bash -c build | sed -E '/^(-->|COMMIT|[0-9a-f]{64}$|Successfully)/d; s/[0-9a-f]{64}/ID/g; s/buildah[0-9]+/buildahN/g'
mounts
