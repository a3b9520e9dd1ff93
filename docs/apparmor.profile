# An AppArmor profile (4.0 or later) for systems where kernel.apparmor_restrict_unprivileged_userns is 1,
# as Ubuntu has it since 23.10: with it ctrbox, and what it runs, may make user namespaces without root.
#
# It is an example and not enabled by any package: every program that may run ctrbox is given what the
# restriction takes away. A copy of ctrbox for some users only, and its path here, keeps that small.
#
#     sudo cp docs/apparmor.profile /etc/apparmor.d/ctrbox && sudo apparmor_parser -r /etc/apparmor.d/ctrbox
abi <abi/4.0>,
include <tunables/global>

profile ctrbox /usr/bin/ctrbox flags=(unconfined) {
  userns,
  include if exists <local/ctrbox>
}
