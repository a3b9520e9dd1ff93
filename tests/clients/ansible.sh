#!/bin/bash
# ansible's modules mount and capabilities bring a machine into a state, and tell what they changed.
# packages: ansible e2fsprogs
set -euo pipefail
# shellcheck source=tests/clients/common
. /client/common

mkdir -p /here/tree/under /opt
cd /here
truncate --size=8M image
mke2fs -q -t ext4 image
cp /usr/bin/true /opt/tool
: >/etc/fstab
cat >play.yml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - {name: bound, ansible.posix.mount: {src: /here/tree, path: /mnt/bound, fstype: none, opts: "bind,ro", state: mounted}}
    - {name: bound again, ansible.posix.mount: {src: /here/tree, path: /mnt/bound, fstype: none, opts: "bind,ro", state: mounted}}
    - {name: memory, ansible.posix.mount: {src: tmpfs, path: /mnt/a name, fstype: tmpfs, opts: "size=1m,noexec", state: mounted}}
    - {name: memory changed, ansible.posix.mount: {src: tmpfs, path: /mnt/a name, fstype: tmpfs, opts: "size=2m,nosuid", state: mounted}}
    - {name: remounted, ansible.posix.mount: {path: /mnt/a name, state: remounted}}
    - {name: image, ansible.posix.mount: {src: /here/image, path: /mnt/image, fstype: ext4, opts: "loop,nodev", state: mounted}}
    - {name: listed, ansible.posix.mount: {src: tmpfs, path: /mnt/listed, fstype: tmpfs, state: present}}
    - {name: not listed, ansible.posix.mount: {src: tmpfs, path: /mnt/ephemeral, fstype: tmpfs, opts: "size=1m", state: ephemeral}}
    - {name: looked at, command: "findmnt --noheadings --output TARGET,FSTYPE,OPTIONS --submounts /mnt", register: look, failed_when: false}
    - {name: capability, community.general.capabilities: {path: /opt/tool, capability: cap_net_raw+ep, state: present}}
    - {name: capability again, community.general.capabilities: {path: /opt/tool, capability: cap_net_raw+ep, state: present}}
    - {name: another, community.general.capabilities: {path: /opt/tool, capability: cap_sys_chroot+ep, state: present}}
    - {name: not all effective, community.general.capabilities: {path: /opt/tool, capability: cap_sys_nice+i, state: present}, ignore_errors: true}
    - {name: one away, community.general.capabilities: {path: /opt/tool, capability: cap_net_raw+ep, state: absent}}
    - {name: unknown, community.general.capabilities: {path: /opt/tool, capability: cap_none+ep, state: present}, ignore_errors: true, no_log: true}
    - {name: not there, ansible.posix.mount: {src: /none, path: /mnt/none, fstype: ext4, state: mounted}, ignore_errors: true}
    - {name: unmounted, ansible.posix.mount: {path: /mnt/bound, state: unmounted}}
YAML
cat >undo.yml <<'YAML'
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - {name: away, ansible.posix.mount: {path: "{{ item }}", state: absent}, loop: [/mnt/bound, /mnt/a name, /mnt/image, /mnt/listed]}
    - {name: not listed, ansible.posix.mount: {path: /mnt/ephemeral, state: unmounted}}
YAML
# Messages are printed with the tasks; of the usage, which is in other words, the task is not logged.
export CTRBOX_HINTS=never
export ANSIBLE_STDOUT_CALLBACK=ansible.builtin.default ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
ansible-playbook play.yml -v | sed -E 's/"(start|end|delta)": "[^"]*"/"\1": ""/g; s|/dev/loop[0-9]+|/dev/loopN|g'
mounts
cat /etc/fstab
tree /opt
ansible-playbook undo.yml -v
mounts
cat /etc/fstab
tree /mnt
