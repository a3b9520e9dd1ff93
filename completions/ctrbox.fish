# fish completion for ctrbox. Made by: ctrbox completion fish
complete -c ctrbox -n '__fish_use_subcommand' -l list -d 'list the applets'
complete -c ctrbox -n '__fish_use_subcommand' -l list-full -d 'list the applets with the directory each belongs in'
complete -c ctrbox -n '__fish_use_subcommand' -l install -d 'link every applet into DIR, or each into its directory below /'
complete -c ctrbox -n '__fish_use_subcommand' -l uninstall -d 'remove those links'
complete -c ctrbox -n '__fish_use_subcommand' -s s -l symbolic -d 'make symbolic links, not hard ones'
complete -c ctrbox -n '__fish_use_subcommand' -l force -d 'replace files that are not ours'
complete -c ctrbox -n '__fish_use_subcommand' -s h -l help -d 'display this help'
complete -c ctrbox -n '__fish_use_subcommand' -s V -l version -d 'display version'
complete -c ctrbox -n '__fish_use_subcommand' -l verbose -d 'with --version: tell how it was built'
complete -c ctrbox -n '__fish_use_subcommand' -f -a 'blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare doctor shell explain man completion'
complete -c ctrbox -n '__ctrbox_in doctor' -l json -d 'print it as JSON'
complete -c ctrbox -n '__ctrbox_in doctor' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in doctor' -f
complete -c ctrbox -n '__ctrbox_in shell' -l rootfs -d 'a root file system to have at hand, as $ROOTFS' -x -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in shell' -l trace -d 'show the system calls of every command'
complete -c ctrbox -n '__ctrbox_in shell' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in shell' -f
complete -c ctrbox -n '__ctrbox_in blkid' -s c -l cache-file -d 'read from <file> instead of reading from the default cache file (-c /dev/null means no cache)' -r -F
complete -c ctrbox -n '__ctrbox_in blkid' -s d -l no-encoding -d 'don'\''t encode non-printing characters'
complete -c ctrbox -n '__ctrbox_in blkid' -s g -l garbage-collect -d 'garbage collect the blkid cache'
complete -c ctrbox -n '__ctrbox_in blkid' -s o -l output -d 'output format; can be one of: value, device, export, json or full; (default: full)' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s k -l list-filesystems -d 'list all known filesystems/RAIDs and exit'
complete -c ctrbox -n '__ctrbox_in blkid' -s s -l match-tag -d 'show specified tag(s) (default show all tags)' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s t -l match-token -d 'find device with a specific token (NAME=value pair)' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s l -l list-one -d 'look up only first device with token specified by -t'
complete -c ctrbox -n '__ctrbox_in blkid' -s L -l label -d 'convert LABEL to device name' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s U -l uuid -d 'convert UUID to device name' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s p -l probe -d 'low-level superblocks probing (bypass cache)'
complete -c ctrbox -n '__ctrbox_in blkid' -s i -l info -d 'gather information about I/O limits'
complete -c ctrbox -n '__ctrbox_in blkid' -s H -l hint -d 'set hint for probing function' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s S -l size -d 'override device size' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s O -l offset -d 'probe at the given offset' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s u -l usages -d 'filter by "usage" (e.g. -u filesystem,raid)' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s n -l match-types -d 'filter by filesystem type (e.g. -n vfat,ext3)' -x
complete -c ctrbox -n '__ctrbox_in blkid' -s D -l no-part-details -d 'don'\''t print info from partition table'
complete -c ctrbox -n '__ctrbox_in blkid' -s w -d 'does nothing: nowhere else is the cache written to' -r -F
complete -c ctrbox -n '__ctrbox_in blkid' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in blkid' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in blkid' -s v -d 'display version'
complete -c ctrbox -n '__ctrbox_in blkid' -F
complete -c ctrbox -n '__ctrbox_in capsh' -l addamb -d 'raise these in the ambient set' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l cap-uid -d 'change user but keep the permitted set' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l caps -d 'set e, p and i to what the text says' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l chroot -d 'change the root directory' -x -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in capsh' -l current -d 'print the current sets and the IAB tuple'
complete -c ctrbox -n '__ctrbox_in capsh' -l decode -d 'name the capabilities of a mask' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l delamb -d 'lower these in the ambient set' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l drop -d 'drop these from the bounding set' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l dropped -d 'fail unless xxx is out of the bounding set' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l explain -d 'tell what a capability permits' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l forkfor -d 'fork a child that sleeps for n seconds' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l gid -d 'set the group ids' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l groups -d 'set the supplementary groups' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l has-a -d 'fail unless xxx is ambient' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l has-ambient -d 'fail unless the kernel has an ambient set'
complete -c ctrbox -n '__ctrbox_in capsh' -l has-b -d 'fail unless xxx is in the bounding set' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l has-i -d 'fail unless xxx is inheritable' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l has-no-new-privs -d 'fail unless no-new-privs is set'
complete -c ctrbox -n '__ctrbox_in capsh' -l has-p -d 'fail unless xxx is permitted' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -s h -l help -d 'print this text'
complete -c ctrbox -n '__ctrbox_in capsh' -l iab -d 'set the IAB tuple' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l inh -d 'set the inheritable set' -x -a '(__ctrbox_list $__ctrbox_capabilities)'
complete -c ctrbox -n '__ctrbox_in capsh' -l inmode -d 'fail unless this is the current mode' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l is-gid -d 'fail unless this is the group id' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l is-uid -d 'fail unless this is the user id' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l keep -d 'keep permitted ones when uid 0 is left: 0 or 1' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l killit -d 'kill the child of --forkfor by this signal' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l license -d 'print the license'
complete -c ctrbox -n '__ctrbox_in capsh' -l mode -d 'print, or set, the mode of the capabilities'
complete -c ctrbox -n '__ctrbox_in capsh' -l modes -d 'list the modes'
complete -c ctrbox -n '__ctrbox_in capsh' -l no-new-privs -d 'gain no privileges by exec from here on'
complete -c ctrbox -n '__ctrbox_in capsh' -l noamb -d 'empty the ambient set'
complete -c ctrbox -n '__ctrbox_in capsh' -l noenv -d 'let --user leave HOME and USER alone'
complete -c ctrbox -n '__ctrbox_in capsh' -l print -d 'print everything about our capabilities'
complete -c ctrbox -n '__ctrbox_in capsh' -l quiet -d 'as the first argument: no check of names'
complete -c ctrbox -n '__ctrbox_in capsh' -l secbits -d 'set the securebits' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l shell -d 'what -- and -+ run' -r -F
complete -c ctrbox -n '__ctrbox_in capsh' -l strict -d 'toggle: raise nothing to help --caps, --drop, --inh'
complete -c ctrbox -n '__ctrbox_in capsh' -l suggest -d 'explain the capabilities that mention this' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l supports -d 'fail unless this kernel has xxx' -x -a 'cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore'
complete -c ctrbox -n '__ctrbox_in capsh' -l uid -d 'set the user ids' -x
complete -c ctrbox -n '__ctrbox_in capsh' -l user -d 'become this user, with its groups' -x
complete -c ctrbox -n '__ctrbox_in capsh' -F
complete -c ctrbox -n '__ctrbox_in captree' -l color -d 'color targeted PIDs on tty in red (default true)'
complete -c ctrbox -n '__ctrbox_in captree' -l colour -d 'colour targeted PIDs on tty in red (default true)'
complete -c ctrbox -n '__ctrbox_in captree' -l depth -d 'how many processes deep (0=all)' -x
complete -c ctrbox -n '__ctrbox_in captree' -l proc -d 'root of proc filesystem (default "/proc")' -x
complete -c ctrbox -n '__ctrbox_in captree' -l verbose -d 'display empty capabilities'
complete -c ctrbox -n '__ctrbox_in captree' -F
complete -c ctrbox -n '__ctrbox_in chroot' -l groups -d 'supplementary groups, as g1,g2,..,gN' -x
complete -c ctrbox -n '__ctrbox_in chroot' -l userspec -d 'user and group to run as, by name or number' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in chroot' -l skip-chdir -d 'do not change the working directory to '\''/'\'''
complete -c ctrbox -n '__ctrbox_in chroot' -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in chroot' -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in chroot' -x -a '(__ctrbox_program 1 --groups --userspec)'
complete -c ctrbox -n '__ctrbox_in findfs' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in findfs' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in findfs' -F
complete -c ctrbox -n '__ctrbox_in findmnt' -s F -l tab-file -d 'alternative file for -s, -m or -k options' -r -F
complete -c ctrbox -n '__ctrbox_in findmnt' -s m -l mtab -d 'search in table of mounted filesystems (includes user space mount options)'
complete -c ctrbox -n '__ctrbox_in findmnt' -s k -d 'an alias for '\''--kernel=mountinfo'\'''
complete -c ctrbox -n '__ctrbox_in findmnt' -l kernel -d 'search in kernel mount table (default behavior): mountinfo or listmount'
complete -c ctrbox -n '__ctrbox_in findmnt' -s N -l task -d 'use alternative namespace (/proc/<tid>/mountinfo file)' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -s p -l poll -d 'monitor changes in table of mounted filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -s s -l fstab -d 'search in static table of filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -s A -l all -d 'disable all built-in filters, print all filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -s d -l direction -d 'direction of search, '\''forward'\'' or '\''backward'\''' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -s f -l first-only -d 'print the first found filesystem only'
complete -c ctrbox -n '__ctrbox_in findmnt' -s i -l invert -d 'invert the sense of matching'
complete -c ctrbox -n '__ctrbox_in findmnt' -l id -d 'filter by mount node ID' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -l uniq-id -d 'filter by mount node 64-bit ID (requires --kernel=listmount)' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -l pseudo -d 'print only pseudo-filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -s Q -l filter -d 'apply display filter' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -s M -l mountpoint -d 'the mountpoint directory' -x -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in findmnt' -l shadowed -d 'print only filesystems over-mounted by another filesystem'
complete -c ctrbox -n '__ctrbox_in findmnt' -s R -l submounts -d 'print all submounts for the matching filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -l real -d 'print only real filesystems'
complete -c ctrbox -n '__ctrbox_in findmnt' -s S -l source -d 'the device to mount (by name, maj:min, LABEL=, UUID=, PARTUUID=, PARTLABEL=)' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -s T -l target -d 'the path to the filesystem to use' -r -F
complete -c ctrbox -n '__ctrbox_in findmnt' -s t -l types -d 'limit the set of filesystems by FS types' -x -a '(__ctrbox_list (string replace -r ".*\t" "" </proc/filesystems))'
complete -c ctrbox -n '__ctrbox_in findmnt' -s U -l uniq -d 'ignore filesystems with duplicate target'
complete -c ctrbox -n '__ctrbox_in findmnt' -s a -l ascii -d 'use ASCII chars for tree formatting'
complete -c ctrbox -n '__ctrbox_in findmnt' -s b -l bytes -d 'print sizes in bytes rather than in human readable format'
complete -c ctrbox -n '__ctrbox_in findmnt' -s C -l nocanonicalize -d 'don'\''t canonicalize when comparing paths'
complete -c ctrbox -n '__ctrbox_in findmnt' -s c -l canonicalize -d 'canonicalize printed paths'
complete -c ctrbox -n '__ctrbox_in findmnt' -s D -l df -d 'imitate the output of df(1)'
complete -c ctrbox -n '__ctrbox_in findmnt' -s e -l evaluate -d 'convert tags (LABEL,UUID,PARTUUID,PARTLABEL) to device names'
complete -c ctrbox -n '__ctrbox_in findmnt' -l hyperlink -d 'print paths as hyperlinks (always|never|auto)'
complete -c ctrbox -n '__ctrbox_in findmnt' -s I -l dfi -d 'imitate the output of df(1) with -i option'
complete -c ctrbox -n '__ctrbox_in findmnt' -s J -l json -d 'use JSON output format'
complete -c ctrbox -n '__ctrbox_in findmnt' -s l -l list -d 'use list format output'
complete -c ctrbox -n '__ctrbox_in findmnt' -s n -l noheadings -d 'don'\''t print column headings'
complete -c ctrbox -n '__ctrbox_in findmnt' -s O -l options -d 'limit the set of filesystems by mount options' -x -a '(__ctrbox_list ro rw nosuid nodev noexec noatime relatime remount bind rbind private rprivate shared rshared slave rslave loop defaults X-mount.mkdir X-mount.owner= X-mount.mode= X-mount.idmap=)'
complete -c ctrbox -n '__ctrbox_in findmnt' -s o -l output -d 'output columns (see --list-columns)' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -l output-all -d 'output all available columns'
complete -c ctrbox -n '__ctrbox_in findmnt' -s P -l pairs -d 'use key="value" output format'
complete -c ctrbox -n '__ctrbox_in findmnt' -s r -l raw -d 'use raw output format'
complete -c ctrbox -n '__ctrbox_in findmnt' -l tree -d 'enable tree format output if possible'
complete -c ctrbox -n '__ctrbox_in findmnt' -s u -l notruncate -d 'don'\''t truncate text in columns'
complete -c ctrbox -n '__ctrbox_in findmnt' -s v -l nofsroot -d 'don'\''t print [/dir] for bind or btrfs mounts'
complete -c ctrbox -n '__ctrbox_in findmnt' -s w -l timeout -d 'upper limit in milliseconds that --poll will block' -x
complete -c ctrbox -n '__ctrbox_in findmnt' -s y -l shell -d 'use column names to be usable as shell variable identifiers'
complete -c ctrbox -n '__ctrbox_in findmnt' -s x -l verify -d 'verify mount table content (default is fstab)'
complete -c ctrbox -n '__ctrbox_in findmnt' -l verbose -d 'print more details'
complete -c ctrbox -n '__ctrbox_in findmnt' -l vfs-all -d 'print all VFS options'
complete -c ctrbox -n '__ctrbox_in findmnt' -s H -l list-columns -d 'list the available columns'
complete -c ctrbox -n '__ctrbox_in findmnt' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in findmnt' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in findmnt' -F
complete -c ctrbox -n '__ctrbox_in getcap' -s h -d 'display this message'
complete -c ctrbox -n '__ctrbox_in getcap' -s l -d 'display the license'
complete -c ctrbox -n '__ctrbox_in getcap' -s n -d 'show the root user id of the namespaces a file'\''s capabilities count in'
complete -c ctrbox -n '__ctrbox_in getcap' -s r -d 'search directories recursively'
complete -c ctrbox -n '__ctrbox_in getcap' -s u -l unsorted -d 'with -r, show files as they are found, not sorted'
complete -c ctrbox -n '__ctrbox_in getcap' -s v -d 'show every file, also those without capabilities'
complete -c ctrbox -n '__ctrbox_in getcap' -s x -l one-file-system -d 'with -r, stay on the file system of each directory given'
complete -c ctrbox -n '__ctrbox_in getcap' -F
complete -c ctrbox -n '__ctrbox_in getpcaps' -s h -l help -l usage -d 'display this message.'
complete -c ctrbox -n '__ctrbox_in getpcaps' -l verbose -d 'use a more verbose output format.'
complete -c ctrbox -n '__ctrbox_in getpcaps' -l ugly -l legacy -d 'use the archaic legacy output format.'
complete -c ctrbox -n '__ctrbox_in getpcaps' -l iab -d 'show IAB of process too.'
complete -c ctrbox -n '__ctrbox_in getpcaps' -l license -d 'display license info'
complete -c ctrbox -n '__ctrbox_in getpcaps' -f -a '(__fish_complete_pids)'
complete -c ctrbox -n '__ctrbox_in losetup' -s a -l all -d 'list all used devices'
complete -c ctrbox -n '__ctrbox_in losetup' -s d -l detach -d 'detach one or more devices'
complete -c ctrbox -n '__ctrbox_in losetup' -s D -l detach-all -d 'detach all used devices'
complete -c ctrbox -n '__ctrbox_in losetup' -s f -l find -d 'find first unused device'
complete -c ctrbox -n '__ctrbox_in losetup' -s c -l set-capacity -d 'resize the device'
complete -c ctrbox -n '__ctrbox_in losetup' -s j -l associated -d 'list all devices associated with <file>' -r -F
complete -c ctrbox -n '__ctrbox_in losetup' -s L -l nooverlap -d 'avoid possible conflict between devices'
complete -c ctrbox -n '__ctrbox_in losetup' -l remove -d 'remove one or more devices'
complete -c ctrbox -n '__ctrbox_in losetup' -s o -l offset -d 'start at offset <num> into file' -x
complete -c ctrbox -n '__ctrbox_in losetup' -l sizelimit -d 'device is limited to <num> bytes of the file' -x
complete -c ctrbox -n '__ctrbox_in losetup' -s b -l sector-size -d 'set the logical sector size to <num>' -x
complete -c ctrbox -n '__ctrbox_in losetup' -s P -l partscan -d 'create a partitioned loop device'
complete -c ctrbox -n '__ctrbox_in losetup' -s r -l read-only -d 'set up a read-only loop device'
complete -c ctrbox -n '__ctrbox_in losetup' -l direct-io -d 'open backing file with O_DIRECT' -f -a 'on off'
complete -c ctrbox -n '__ctrbox_in losetup' -l loop-ref -d 'loop device reference' -x
complete -c ctrbox -n '__ctrbox_in losetup' -l show -d 'print device name after setup (with -f)'
complete -c ctrbox -n '__ctrbox_in losetup' -s J -l json -d 'use JSON --list output format'
complete -c ctrbox -n '__ctrbox_in losetup' -s l -l list -d 'list info about all or specified (default)'
complete -c ctrbox -n '__ctrbox_in losetup' -s n -l noheadings -d 'don'\''t print headings for --list output'
complete -c ctrbox -n '__ctrbox_in losetup' -s O -l output -d 'specify columns to output for --list' -x
complete -c ctrbox -n '__ctrbox_in losetup' -l output-all -d 'output all columns'
complete -c ctrbox -n '__ctrbox_in losetup' -l raw -d 'use raw --list output format'
complete -c ctrbox -n '__ctrbox_in losetup' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in losetup' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in losetup' -F
complete -c ctrbox -n '__ctrbox_in lsns' -s J -l json -d 'use JSON output format'
complete -c ctrbox -n '__ctrbox_in lsns' -s l -l list -d 'use list format output'
complete -c ctrbox -n '__ctrbox_in lsns' -s n -l noheadings -d 'don'\''t print headings'
complete -c ctrbox -n '__ctrbox_in lsns' -s o -l output -d 'define which output columns to use' -x
complete -c ctrbox -n '__ctrbox_in lsns' -l output-all -d 'output all columns'
complete -c ctrbox -n '__ctrbox_in lsns' -s P -l persistent -d 'namespaces without processes'
complete -c ctrbox -n '__ctrbox_in lsns' -s p -l task -d 'print process namespaces' -x -a '(__fish_complete_pids)'
complete -c ctrbox -n '__ctrbox_in lsns' -s Q -l filter -d 'apply display filter' -x
complete -c ctrbox -n '__ctrbox_in lsns' -s r -l raw -d 'use the raw output format'
complete -c ctrbox -n '__ctrbox_in lsns' -s u -l notruncate -d 'don'\''t truncate text in columns'
complete -c ctrbox -n '__ctrbox_in lsns' -s W -l nowrap -d 'don'\''t use multi-line representation'
complete -c ctrbox -n '__ctrbox_in lsns' -s t -l type -d 'namespace type (mnt, net, ipc, user, pid, uts, cgroup, time)' -x
complete -c ctrbox -n '__ctrbox_in lsns' -s T -l tree -d 'use tree format (parent, owner, or process)'
complete -c ctrbox -n '__ctrbox_in lsns' -s H -l list-columns -d 'list the available columns'
complete -c ctrbox -n '__ctrbox_in lsns' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in lsns' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in lsns' -F
complete -c ctrbox -n '__ctrbox_in mount' -s a -l all -d 'mount all filesystems mentioned in fstab'
complete -c ctrbox -n '__ctrbox_in mount' -s c -l no-canonicalize -d 'don'\''t canonicalize paths'
complete -c ctrbox -n '__ctrbox_in mount' -s f -l fake -d 'dry run; skip the mount(2) syscall'
complete -c ctrbox -n '__ctrbox_in mount' -s F -l fork -d 'fork off for each device (use with -a)'
complete -c ctrbox -n '__ctrbox_in mount' -s T -l fstab -d 'alternative file to /etc/fstab' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -s i -l internal-only -d 'don'\''t call the mount.<type> helpers'
complete -c ctrbox -n '__ctrbox_in mount' -s l -l show-labels -d 'show also filesystem labels'
complete -c ctrbox -n '__ctrbox_in mount' -l map-groups -d 'add the specified GID map to an ID-mapped mount' -x
complete -c ctrbox -n '__ctrbox_in mount' -l map-users -d 'add the specified UID map to an ID-mapped mount' -x
complete -c ctrbox -n '__ctrbox_in mount' -s m -l mkdir -d 'alias to '\''-o X-mount.mkdir[=<mode>]'\'''
complete -c ctrbox -n '__ctrbox_in mount' -s n -l no-mtab -d 'don'\''t write to the userspace mount table'
complete -c ctrbox -n '__ctrbox_in mount' -l options-mode -d 'what to do with options loaded from fstab' -x
complete -c ctrbox -n '__ctrbox_in mount' -l options-source -d 'mount options source' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -l options-source-force -d 'force use of options from fstab/mtab'
complete -c ctrbox -n '__ctrbox_in mount' -l onlyonce -d 'check if filesystem is already mounted'
complete -c ctrbox -n '__ctrbox_in mount' -s o -l options -d 'comma-separated list of mount options' -x -a '(__ctrbox_list ro rw nosuid nodev noexec noatime relatime remount bind rbind private rprivate shared rshared slave rslave loop defaults X-mount.mkdir X-mount.owner= X-mount.mode= X-mount.idmap=)'
complete -c ctrbox -n '__ctrbox_in mount' -s O -l test-opts -d 'limit the set of filesystems (use with -a)' -x
complete -c ctrbox -n '__ctrbox_in mount' -s r -l ro -l read-only -d 'mount the filesystem read-only (same as -o ro)'
complete -c ctrbox -n '__ctrbox_in mount' -s t -l types -d 'limit the set of filesystem types' -x -a '(__ctrbox_list (string replace -r ".*\t" "" </proc/filesystems))'
complete -c ctrbox -n '__ctrbox_in mount' -l source -d 'explicitly specifies source (path, label, uuid)' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -l target -d 'explicitly specifies mountpoint' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -l target-prefix -d 'specifies path used for all mountpoints' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -s v -l verbose -d 'say what is being done'
complete -c ctrbox -n '__ctrbox_in mount' -s w -l rw -l read-write -d 'mount the filesystem read-write (default)'
complete -c ctrbox -n '__ctrbox_in mount' -s N -l namespace -d 'perform mount in another namespace' -r -F
complete -c ctrbox -n '__ctrbox_in mount' -s s -d 'tolerate unknown options (passed to the mount.<type> helpers)'
complete -c ctrbox -n '__ctrbox_in mount' -s L -l label -d 'synonym for LABEL=<label>' -x
complete -c ctrbox -n '__ctrbox_in mount' -s U -l uuid -d 'synonym for UUID=<uuid>' -x
complete -c ctrbox -n '__ctrbox_in mount' -s B -l bind -d 'mount a subtree somewhere else (same as -o bind)'
complete -c ctrbox -n '__ctrbox_in mount' -s M -l move -d 'move a subtree to some other place'
complete -c ctrbox -n '__ctrbox_in mount' -s R -l rbind -d 'mount a subtree and all submounts somewhere else'
complete -c ctrbox -n '__ctrbox_in mount' -l beneath -d 'mount beneath the topmost mount'
complete -c ctrbox -n '__ctrbox_in mount' -l exclusive -d 'fail if the filesystem'\''s superblock is in use already'
complete -c ctrbox -n '__ctrbox_in mount' -l make-shared -d 'mark a subtree as shared'
complete -c ctrbox -n '__ctrbox_in mount' -l make-slave -d 'mark a subtree as slave'
complete -c ctrbox -n '__ctrbox_in mount' -l make-private -d 'mark a subtree as private'
complete -c ctrbox -n '__ctrbox_in mount' -l make-unbindable -d 'mark a subtree as unbindable'
complete -c ctrbox -n '__ctrbox_in mount' -l make-rshared -d 'recursively mark a whole subtree as shared'
complete -c ctrbox -n '__ctrbox_in mount' -l make-rslave -d 'recursively mark a whole subtree as slave'
complete -c ctrbox -n '__ctrbox_in mount' -l make-rprivate -d 'recursively mark a whole subtree as private'
complete -c ctrbox -n '__ctrbox_in mount' -l make-runbindable -d 'recursively mark a whole subtree as unbindable'
complete -c ctrbox -n '__ctrbox_in mount' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in mount' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in mount' -F
complete -c ctrbox -n '__ctrbox_in mountpoint' -s q -l quiet -d 'quiet mode - don'\''t print anything'
complete -c ctrbox -n '__ctrbox_in mountpoint' -l nofollow -d 'do not follow symlink'
complete -c ctrbox -n '__ctrbox_in mountpoint' -s d -l fs-devno -d 'print maj:min device number of the filesystem'
complete -c ctrbox -n '__ctrbox_in mountpoint' -s x -l devno -d 'print maj:min device number of the block device'
complete -c ctrbox -n '__ctrbox_in mountpoint' -l show -d 'print mountpoint for given path'
complete -c ctrbox -n '__ctrbox_in mountpoint' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in mountpoint' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in mountpoint' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s a -l all -d 'enter all namespaces'
complete -c ctrbox -n '__ctrbox_in nsenter' -s t -l target -d 'target process to get namespaces from' -x -a '(__ctrbox_targets)'
complete -c ctrbox -n '__ctrbox_in nsenter' -s m -l mount -d 'enter mount namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s u -l uts -d 'enter UTS namespace (hostname etc)' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s i -l ipc -d 'enter System V IPC namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s n -l net -d 'enter network namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s N -l net-socket -d 'enter the network namespace of the target'\''s socket <fd>' -x
complete -c ctrbox -n '__ctrbox_in nsenter' -s p -l pid -d 'enter pid namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s C -l cgroup -d 'enter cgroup namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s U -l user -d 'enter user namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -l user-parent -d 'enter parent user namespace'
complete -c ctrbox -n '__ctrbox_in nsenter' -s T -l time -d 'enter time namespace' -F
complete -c ctrbox -n '__ctrbox_in nsenter' -s S -l setuid -d 'set uid in entered namespace' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in nsenter' -s G -l setgid -d 'set gid in entered namespace' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in nsenter' -l preserve-credentials -d 'do not touch uids or gids'
complete -c ctrbox -n '__ctrbox_in nsenter' -l keep-caps -d 'retain capabilities granted in user namespaces'
complete -c ctrbox -n '__ctrbox_in nsenter' -s r -l root -d 'set the root directory' -f -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in nsenter' -s w -l wd -d 'set the working directory' -f -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in nsenter' -s W -l wdns -d 'set the working directory in namespace' -f -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in nsenter' -s e -l env -d 'inherit environment variables from target process'
complete -c ctrbox -n '__ctrbox_in nsenter' -s F -l no-fork -d 'do not fork before exec'\''ing <program>'
complete -c ctrbox -n '__ctrbox_in nsenter' -s c -l join-cgroup -d 'join the cgroup of the target process'
complete -c ctrbox -n '__ctrbox_in nsenter' -l kill-child -d 'when dying, kill the forked child; defaults to SIGKILL' -f -a 'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS'
complete -c ctrbox -n '__ctrbox_in nsenter' -l forward-signals -d 'forward SIGTERM and SIGINT to the forked child'
complete -c ctrbox -n '__ctrbox_in nsenter' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in nsenter' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in nsenter' -x -a '(__ctrbox_program 0 -t --target -N --net-socket -S --setuid -G --setgid)'
complete -c ctrbox -n '__ctrbox_in pivot_root' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in pivot_root' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in pivot_root' -F
complete -c ctrbox -n '__ctrbox_in setcap' -s f -d 'go on where a file has none to remove, or its effective ones are not all or nothing'
complete -c ctrbox -n '__ctrbox_in setcap' -s h -d 'this message and exit status 0'
complete -c ctrbox -n '__ctrbox_in setcap' -s n -d 'for the user namespaces whose root is this user (not 0)' -x
complete -c ctrbox -n '__ctrbox_in setcap' -s q -d 'quietly'
complete -c ctrbox -n '__ctrbox_in setcap' -s r -d 'remove the capabilities of the file'
complete -c ctrbox -n '__ctrbox_in setcap' -s v -d 'compare the file with the text; change nothing'
complete -c ctrbox -n '__ctrbox_in setcap' -l license -d 'display the license info'
complete -c ctrbox -n '__ctrbox_in setcap' -F
complete -c ctrbox -n '__ctrbox_in setpriv' -s d -l dump -d 'show current state (and do not exec)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l no-new-privs -l nnp -d 'disallow granting new privileges'
complete -c ctrbox -n '__ctrbox_in setpriv' -l ambient-caps -d 'set ambient capabilities' -x -a '(__ctrbox_list $__ctrbox_signed)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l inh-caps -d 'set inheritable capabilities' -x -a '(__ctrbox_list $__ctrbox_signed)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l bounding-set -d 'set capability bounding set' -x -a '(__ctrbox_list $__ctrbox_signed)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l list-caps -d 'list all capabilities'
complete -c ctrbox -n '__ctrbox_in setpriv' -l ruid -d 'set real uid' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l euid -d 'set effective uid' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l rgid -d 'set real gid' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l egid -d 'set effective gid' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l reuid -d 'set real and effective uid' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l regid -d 'set real and effective gid' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l clear-groups -d 'clear supplementary groups'
complete -c ctrbox -n '__ctrbox_in setpriv' -l keep-groups -d 'keep supplementary groups'
complete -c ctrbox -n '__ctrbox_in setpriv' -l init-groups -d 'initialize supplementary groups'
complete -c ctrbox -n '__ctrbox_in setpriv' -l groups -d 'set supplementary groups by GID or name' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l securebits -d 'set securebits' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l pdeathsig -d 'set or clear parent death signal' -x -a 'keep clear HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS'
complete -c ctrbox -n '__ctrbox_in setpriv' -l ptracer -d 'allow ptracing from the given process' -x -a '(__fish_complete_pids)'
complete -c ctrbox -n '__ctrbox_in setpriv' -l selinux-label -d 'set SELinux label' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l apparmor-profile -d 'set AppArmor profile' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l landlock-access -d 'block fs, net or scope, or only fs:<right>,...' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l landlock-rule -d 'allow path-beneath:<right>,...:<path> or net-port:<right>,...:<port>' -x
complete -c ctrbox -n '__ctrbox_in setpriv' -l seccomp-filter -d 'load seccomp filter from file' -r -F
complete -c ctrbox -n '__ctrbox_in setpriv' -l reset-env -d 'clear all environment and initialize HOME, SHELL, USER, LOGNAME and PATH'
complete -c ctrbox -n '__ctrbox_in setpriv' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in setpriv' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in setpriv' -x -a '(__ctrbox_program 0 --ambient-caps --inh-caps --bounding-set --ruid --euid --rgid --egid --reuid --regid --groups --securebits --pdeathsig --ptracer --selinux-label --apparmor-profile --landlock-access --landlock-rule --seccomp-filter)'
complete -c ctrbox -n '__ctrbox_in switch_root' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in switch_root' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in switch_root' -F
complete -c ctrbox -n '__ctrbox_in umount' -s a -l all -d 'unmount all filesystems'
complete -c ctrbox -n '__ctrbox_in umount' -s A -l all-targets -d 'unmount all mountpoints for the given device in the current namespace'
complete -c ctrbox -n '__ctrbox_in umount' -s c -l no-canonicalize -d 'don'\''t canonicalize paths'
complete -c ctrbox -n '__ctrbox_in umount' -s d -l detach-loop -d 'if mounted loop device, also free this loop device'
complete -c ctrbox -n '__ctrbox_in umount' -l fake -d 'dry run; skip the umount(2) syscall'
complete -c ctrbox -n '__ctrbox_in umount' -s f -l force -d 'force unmount (in case of an unreachable NFS system)'
complete -c ctrbox -n '__ctrbox_in umount' -s g -l graceful -d 'succeed if there is nothing to unmount'
complete -c ctrbox -n '__ctrbox_in umount' -s i -l internal-only -d 'don'\''t call the umount.<type> helpers'
complete -c ctrbox -n '__ctrbox_in umount' -s n -l no-mtab -d 'don'\''t write to the userspace mount table'
complete -c ctrbox -n '__ctrbox_in umount' -s l -l lazy -d 'detach the filesystem now, clean up things later'
complete -c ctrbox -n '__ctrbox_in umount' -s O -l test-opts -d 'limit the set of filesystems (use with -a)' -x
complete -c ctrbox -n '__ctrbox_in umount' -s R -l recursive -d 'recursively unmount a target with all its children'
complete -c ctrbox -n '__ctrbox_in umount' -s r -l read-only -d 'in case unmounting fails, try to remount read-only'
complete -c ctrbox -n '__ctrbox_in umount' -s t -l types -d 'limit the set of filesystem types (use with -a)' -x -a '(__ctrbox_list (string replace -r ".*\t" "" </proc/filesystems))'
complete -c ctrbox -n '__ctrbox_in umount' -s v -l verbose -d 'say what is being done'
complete -c ctrbox -n '__ctrbox_in umount' -s q -l quiet -d 'suppress '\''not mounted'\'' error messages'
complete -c ctrbox -n '__ctrbox_in umount' -s N -l namespace -d 'perform umount in another namespace' -r -F
complete -c ctrbox -n '__ctrbox_in umount' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in umount' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in umount' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s m -l mount -d 'unshare mounts namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s u -l uts -d 'unshare UTS namespace (hostname etc)' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s i -l ipc -d 'unshare System V IPC namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s n -l net -d 'unshare network namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s p -l pid -d 'unshare pid namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s U -l user -d 'unshare user namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s C -l cgroup -d 'unshare cgroup namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s T -l time -d 'unshare time namespace' -F
complete -c ctrbox -n '__ctrbox_in unshare' -s f -l fork -d 'fork before launching <program>'
complete -c ctrbox -n '__ctrbox_in unshare' -l forward-signals -d 'forward SIGTERM and SIGINT to the child (implies --fork)'
complete -c ctrbox -n '__ctrbox_in unshare' -l kill-child -d 'when dying, kill the forked child (implies --fork); defaults to SIGKILL' -f -a 'HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO POLL PWR SYS'
complete -c ctrbox -n '__ctrbox_in unshare' -l mount-proc -d 'mount proc filesystem first (implies --mount)' -f -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in unshare' -l mount-binfmt -d 'mount binfmt filesystem first (implies --user and --mount)' -f -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in unshare' -s l -l load-interp -d 'load binfmt definition in the namespace (implies --mount-binfmt)' -x
complete -c ctrbox -n '__ctrbox_in unshare' -l propagation -d 'modify mount propagation in mount namespace' -x -a 'slave shared private unchanged'
complete -c ctrbox -n '__ctrbox_in unshare' -s R -l root -d 'run the command with root directory set to <dir>' -x -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in unshare' -s w -l wd -d 'change working directory to <dir>' -x -a '(__fish_complete_directories)'
complete -c ctrbox -n '__ctrbox_in unshare' -s S -l setuid -d 'set uid in entered namespace' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in unshare' -s G -l setgid -d 'set gid in entered namespace' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-user -d 'map current user to uid (implies --user)' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-group -d 'map current group to gid (implies --user)' -x -a '(__fish_complete_groups)'
complete -c ctrbox -n '__ctrbox_in unshare' -s r -l map-root-user -d 'map current user to root (implies --user)'
complete -c ctrbox -n '__ctrbox_in unshare' -s c -l map-current-user -d 'map current user to itself (implies --user)'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-auto -d 'map users and groups automatically (implies --user)'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-subids -d 'map the ids of /etc/subuid and /etc/subgid to themselves (implies --user)'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-users -d 'map count users from outer to inner (implies --user)' -x -a 'auto subids all'
complete -c ctrbox -n '__ctrbox_in unshare' -l map-groups -d 'map count groups from outer to inner (implies --user)' -x -a 'auto subids all'
complete -c ctrbox -n '__ctrbox_in unshare' -l owner -d 'set the owner of the user namespace (implies --user)' -x -a '(__fish_complete_users)'
complete -c ctrbox -n '__ctrbox_in unshare' -l setgroups -d 'control the setgroups syscall in user namespaces' -x -a 'allow deny'
complete -c ctrbox -n '__ctrbox_in unshare' -l keep-caps -d 'retain capabilities granted in user namespaces'
complete -c ctrbox -n '__ctrbox_in unshare' -l monotonic -d 'set clock monotonic offset (seconds) in time namespaces' -x
complete -c ctrbox -n '__ctrbox_in unshare' -l boottime -d 'set clock boottime offset (seconds) in time namespaces' -x
complete -c ctrbox -n '__ctrbox_in unshare' -l clear-env -d 'clear all environment variables'
complete -c ctrbox -n '__ctrbox_in unshare' -l whitelist-env -d 'clear all environment variables but these, separated by commas' -x
complete -c ctrbox -n '__ctrbox_in unshare' -s h -l help -d 'display this help'
complete -c ctrbox -n '__ctrbox_in unshare' -s V -l version -d 'display version'
complete -c ctrbox -n '__ctrbox_in unshare' -x -a '(__ctrbox_program 0 -l --load-interp --propagation -R --root -w --wd -S --setuid -G --setgid --map-user --map-group --map-users --map-groups --owner --setgroups --monotonic --boottime --whitelist-env)'
set -g __ctrbox_capabilities cap_chown cap_dac_override cap_dac_read_search cap_fowner cap_fsetid cap_kill cap_setgid cap_setuid cap_setpcap cap_linux_immutable cap_net_bind_service cap_net_broadcast cap_net_admin cap_net_raw cap_ipc_lock cap_ipc_owner cap_sys_module cap_sys_rawio cap_sys_chroot cap_sys_ptrace cap_sys_pacct cap_sys_admin cap_sys_boot cap_sys_nice cap_sys_resource cap_sys_time cap_sys_tty_config cap_mknod cap_lease cap_audit_write cap_audit_control cap_setfcap cap_mac_override cap_mac_admin cap_syslog cap_wake_alarm cap_block_suspend cap_audit_read cap_perfmon cap_bpf cap_checkpoint_restore
set -g __ctrbox_signed +chown -chown +dac_override -dac_override +dac_read_search -dac_read_search +fowner -fowner +fsetid -fsetid +kill -kill +setgid -setgid +setuid -setuid +setpcap -setpcap +linux_immutable -linux_immutable +net_bind_service -net_bind_service +net_broadcast -net_broadcast +net_admin -net_admin +net_raw -net_raw +ipc_lock -ipc_lock +ipc_owner -ipc_owner +sys_module -sys_module +sys_rawio -sys_rawio +sys_chroot -sys_chroot +sys_ptrace -sys_ptrace +sys_pacct -sys_pacct +sys_admin -sys_admin +sys_boot -sys_boot +sys_nice -sys_nice +sys_resource -sys_resource +sys_time -sys_time +sys_tty_config -sys_tty_config +mknod -mknod +lease -lease +audit_write -audit_write +audit_control -audit_control +setfcap -setfcap +mac_override -mac_override +mac_admin -mac_admin +syslog -syslog +wake_alarm -wake_alarm +block_suspend -block_suspend +audit_read -audit_read +perfmon -perfmon +bpf -bpf +checkpoint_restore -checkpoint_restore +all -all
# Offers words for the last one of a list.
function __ctrbox_list
    set -l before (commandline -ct | string replace -r '^--?[^=,]*=' '' | string replace -r '[^,]*$' '')
    for word in $argv
        echo $before$word
    end
end
# Whether the words are of this applet.
function __ctrbox_in
    set -l words (commandline -cop)
    test "$words[2]" = explain; and set -e words[2]
    test "$words[2]" = $argv[1]
end
# Completes the program that an applet runs, behind so many directories. Of the applet's options those named take a value.
function __ctrbox_program -a before
    set -l words (commandline -cop)
    test "$words[2]" = explain; and set -e words[2]
    set -e words[1..2]
    while set -q words[1]
        if contains -- $words[1] $argv[2..]
            set -e words[1]
        else if not string match -q -- '-*' $words[1]
            test $before = 0; and break
            set before 0
        end
        set -e words[1]
    end
    set words (string escape -- $words) (commandline -ct)
    if test $before = 1
        __fish_complete_directories
    else if not string match -q -- '-*' $words[1]
        complete -C "$words"
    end
end
complete -c ctrbox -n '__fish_seen_subcommand_from explain; and not __fish_seen_subcommand_from blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare' -x -a 'blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare'
complete -c ctrbox -n '__fish_seen_subcommand_from man' -x -a 'blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare'
complete -c ctrbox -n '__fish_seen_subcommand_from completion' -x -a 'bash zsh fish'
# The processes that have other namespaces.
function __ctrbox_targets
    stat -Lc "%n %i" /proc/self/ns/* /proc/*/ns/* 2>/dev/null |
        awk -F "[/ ]" '$3 == "self" { own[$5] = $6 } $3 + 0 && $5 !~ /_/ && own[$5] != $6 && !seen[$3]++ { print $3 }'
end
# An applet's name may be a link to ctrbox now or later; until then it is completed as it was before.
function __ctrbox_is
    set -l path (command -s $argv[1])
    and string match -qr '(^|/)ctrbox$' (realpath $path); or command test "$path" -ef (command -s ctrbox; or echo /)
end
function __ctrbox_as
    complete -C (commandline -cp | string replace -r '^(\s*\w+=\S*)*\s*\S+' "ctrbox $argv[1]" | string collect)
end
for name in blkid capsh captree chroot findfs findmnt getcap getpcaps losetup lsns mount mountpoint nsenter pivot_root setcap setpriv switch_root umount unshare
    complete -c $name -n "__ctrbox_is $name" -f -a "(__ctrbox_as $name)"
end
