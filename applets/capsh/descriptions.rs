//! What each capability permits, in our own words; capabilities(7) is the source.

/// The descriptions of capabilities 0, 1 and so on, separated by bars. Lines have at most 72 bytes.
pub(super) const TEXTS: &str = "\
Change the ownership of any file: give it to any user or group,
whoever owns it (chown(2)).|\
Bypass permissions: read, write and execute files whatever their
mode and access list (ACL) say. What nobody may execute stays so.|\
Bypass permissions to read any file, and to list and search any
directory. Also allows open_by_handle_at(2).|\
Do to any file what otherwise only its owner may: chmod(2),
set its times, attributes and ACL, delete it from a
sticky directory, open it with O_NOATIME.|\
Keep the set-user-ID and set-group-ID bits (SUID, SGID) when a
file is changed, and set the set-group-ID bit for a group that the
process is not in.|\
Send a signal to any process, whoever it belongs to.|\
Change to any group id, set the supplementary groups, send any
group id over a Unix socket, and write a gid_map.|\
Change to any user id, send any user id over a Unix socket,
and write a uid_map.|\
Drop capabilities from the bounding set, make any capability of
the bounding set inheritable, and change the securebits.|\
Set and clear the immutable and append-only attributes of
files (chattr +i, +a).|\
Bind sockets to the Internet ports below 1024
(net.ipv4.ip_unprivileged_port_start moves that limit).|\
Broadcast to a network, and listen to multicasts. The kernel does
not ask for it today.|\
Configure the network: interfaces, addresses, routing, firewall,
traffic control, promiscuous mode, tunnels (VPN), transparent
proxy, privileged options of sockets (debug, mark).|\
Open raw sockets and packet sockets, which see and send whatever
is on the network (ping, tcpdump), and bind to any address, as a
transparent proxy does.|\
Lock memory against swapping (mlock(2)) and use huge pages,
beyond the limit that is set for the process.|\
Use System V message queues, semaphores and shared memory
whatever their ownership and permissions say.|\
Load and unload kernel modules: whoever may do that may do
anything.|\
Touch hardware directly: I/O ports (iopl(2)), /dev/mem, PCI
configuration, commands to SCSI and USB devices, and mmap(2) of
the lowest addresses.|\
Change the root directory (chroot(2)), and enter a mount
namespace by setns(2), for which cap_sys_admin is needed, too.|\
Trace and debug any process (ptrace(2)), read and write its memory, and
see what else is hidden of it in /proc.|\
Switch process accounting on and off (acct(2)).|\
A long list of administration: mount a filesystem (NFS, FUSE, loop
devices), make and enter namespaces, set hostname and domainname,
quotas, swap, device drivers (disks, serial ports, nvram), trusted
attributes, and much more that has no capability of its own.
Nearly as good as root.|\
Reboot the machine, and load another kernel (kexec).|\
Raise a process's priority, choose real-time scheduling,
CPU affinity and I/O priority, and move its memory pages.|\
Go beyond resource limits and raise them, beyond quotas and
reserved blocks of a filesystem, and beyond the limits of
pipes, queues and the keyboard rate.|\
Set the clock of the system and of the hardware.|\
Configure terminals: vhangup(2), and the ioctls of virtual
consoles that others may be using.|\
Make device nodes (mknod(2)).|\
Be told, by a lease on any file, when others open it
(fcntl(2), F_SETLEASE).|\
Write records to the kernel's audit log.|\
Switch auditing on and off, change its rules, and read its
state.|\
Give capabilities to files (setcap), and map uid 0 of the
parent into a new user namespace.|\
Override mandatory access control. Smack asks for it.|\
Configure mandatory access control: its labels and its state.
Smack asks for it, and AppArmor and SELinux for some changes.|\
Read and clear the kernel's log (syslog(2), printk, dmesg), see
kernel addresses in /proc where they are hidden.|\
Set timers that wake a suspended machine
(CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM).|\
Keep the machine from suspending (EPOLLWAKEUP,
/proc/sys/wake_lock).|\
Read the audit log, by joining its multicast netlink group.|\
Observe performance: perf_event_open(2), and the tracing part
of BPF that goes with it. Before Linux 5.8 this was part of
cap_sys_admin.|\
Use privileged BPF operations: load programs (for tracing or the
network), make maps of all types, walk through the objects of
others. Before Linux 5.8 this was part of cap_sys_admin.|\
Checkpoint and restore processes (CRIU): choose the PID of a
new process, and read /proc/PID/map_files of others. Before
Linux 5.9 this was part of cap_sys_admin.";
