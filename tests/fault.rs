//! One system call made to fail: which, and with what. See `bin/inject`.

/// In place of an error number: the process is killed when it makes the call.
pub const KILLED: i32 = 0;

/// A call of one process, and the error it gets instead of being made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The process: `0`, its first child `0.1`.
    pub process: String,
    /// The system call's number.
    pub number: u64,
    /// Which of the process's calls of that number, from 1.
    pub count: usize,
    /// The error number.
    pub errno: i32,
}

impl Fault {
    /// Reads `PROCESS:NUMBER:N:ERRNO`.
    pub fn parse(text: &str) -> Option<Fault> {
        let fields: Vec<&str> = text.split(':').collect();
        let [process, number, count, errno] = fields.as_slice() else { return None };
        Some(Fault {
            process: process.to_string(),
            number: number.parse().ok()?,
            count: count.parse().ok()?,
            errno: errno.parse().ok()?,
        })
    }

    /// The reverse of [`Fault::parse`].
    pub fn text(&self) -> String {
        format!("{}:{}:{}:{}", self.process, self.number, self.count, self.errno)
    }

    /// As strace would be asked for it, and of which process.
    pub fn described(&self) -> String {
        let errno = nix::errno::Errno::from_raw(self.errno);
        format!("{}:error={errno:?}:when={} in process {}", call_name(self.number), self.count, self.process)
    }
}

macro_rules! calls {
    ($($name:ident)*) => {
        &[$((stringify!($name), libc::$name)),*]
    };
}

/// The calls that a small static program may make.
#[rustfmt::skip]
const CALLS: &[(&str, libc::c_long)] = calls! {
    SYS_read SYS_write SYS_open SYS_close SYS_stat SYS_fstat SYS_lstat SYS_poll SYS_lseek SYS_mmap SYS_mprotect
    SYS_munmap SYS_brk SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigreturn SYS_ioctl SYS_pread64 SYS_pwrite64
    SYS_readv SYS_writev SYS_access SYS_pipe SYS_select SYS_sched_yield SYS_mremap SYS_madvise SYS_dup SYS_dup2
    SYS_pause SYS_nanosleep SYS_alarm SYS_getpid SYS_sendfile SYS_socket SYS_connect SYS_sendto SYS_recvfrom
    SYS_sendmsg SYS_recvmsg SYS_socketpair SYS_clone SYS_fork SYS_vfork SYS_execve SYS_exit SYS_wait4 SYS_kill
    SYS_uname SYS_fcntl SYS_flock SYS_fsync SYS_ftruncate SYS_getdents SYS_getcwd SYS_chdir SYS_fchdir SYS_rename
    SYS_mkdir SYS_rmdir SYS_creat SYS_link SYS_unlink SYS_symlink SYS_readlink SYS_chmod SYS_fchmod SYS_chown
    SYS_fchown SYS_lchown SYS_umask SYS_gettimeofday SYS_getrlimit SYS_getuid SYS_getgid SYS_setuid SYS_setgid
    SYS_geteuid SYS_getegid SYS_setpgid SYS_getppid SYS_setsid SYS_getgroups SYS_setgroups SYS_setresuid
    SYS_getresuid SYS_setresgid SYS_getresgid SYS_getpgid SYS_capget SYS_capset SYS_rt_sigtimedwait
    SYS_rt_sigsuspend SYS_sigaltstack SYS_statfs SYS_fstatfs SYS_prctl SYS_arch_prctl SYS_setrlimit SYS_chroot
    SYS_sync SYS_mount SYS_umount2 SYS_pivot_root SYS_seccomp SYS_gettid SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_getxattr SYS_lgetxattr
    SYS_fgetxattr SYS_listxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr SYS_tkill SYS_futex
    SYS_sched_getaffinity SYS_getdents64 SYS_set_tid_address SYS_clock_gettime SYS_clock_nanosleep SYS_exit_group
    SYS_tgkill SYS_waitid SYS_openat SYS_mkdirat SYS_fchownat SYS_newfstatat SYS_unlinkat SYS_renameat
    SYS_readlinkat SYS_fchmodat SYS_faccessat SYS_ppoll SYS_unshare SYS_set_robust_list SYS_utimensat
    SYS_signalfd4 SYS_pipe2 SYS_dup3 SYS_prlimit64 SYS_name_to_handle_at SYS_open_by_handle_at SYS_syncfs SYS_setns
    SYS_renameat2 SYS_getrandom SYS_execveat SYS_statx SYS_rseq SYS_pidfd_send_signal SYS_open_tree SYS_move_mount
    SYS_fsopen SYS_fsconfig SYS_fsmount SYS_fspick SYS_pidfd_open SYS_clone3 SYS_close_range SYS_openat2
    SYS_pidfd_getfd SYS_faccessat2 SYS_mount_setattr SYS_landlock_create_ruleset SYS_landlock_add_rule
    SYS_landlock_restrict_self
};

/// Calls that the C library has no names for yet.
const NEW_CALLS: &[(&str, u64)] = &[
    ("statmount", 457),
    ("listmount", 458),
    ("setxattrat", 463),
    ("getxattrat", 464),
    ("listxattrat", 465),
    ("removexattrat", 466),
    ("open_tree_attr", 467),
];

/// The name of a system call.
pub fn call_name(number: u64) -> String {
    let known = CALLS.iter().find(|(_, known)| u64::try_from(*known) == Ok(number));
    let known = known.map(|(name, _)| name.trim_start_matches("SYS_"));
    let new = || NEW_CALLS.iter().find(|(_, known)| *known == number).map(|(name, _)| *name);
    known.or_else(new).map_or_else(|| format!("syscall_{number}"), str::to_string)
}

/// The number of a system call.
pub fn call_number(name: &str) -> Option<u64> {
    let known = CALLS.iter().find(|(known, _)| known.trim_start_matches("SYS_") == name);
    let new = || NEW_CALLS.iter().find(|(new, _)| *new == name).map(|(_, number)| *number);
    known.and_then(|(_, number)| u64::try_from(*number).ok()).or_else(new)
}

/// Errors that a call could really give: of what ours tells apart, one of each, and one that it does not
/// expect. None for calls that cannot fail.
pub fn plausible_errors(call: &str) -> &'static [i32] {
    use libc::*;
    match call {
        "getpid" | "getppid" | "gettid" | "getuid" | "geteuid" | "getgid" | "getegid" | "umask" | "exit"
        | "exit_group" | "rt_sigreturn" | "set_tid_address" | "sched_yield" | "getpgid" => &[],
        // The kernel refuses it for a wrong address or operation alone, and the C library, which calls it around each
        // fork, looks at no result: a program would start with whatever mask that leaves.
        "rt_sigprocmask" => &[],
        "brk" | "mmap" | "mremap" | "munmap" | "mprotect" | "madvise" => &[ENOMEM],
        "fork" | "vfork" | "clone" => &[EAGAIN, ENOMEM],
        "clone3" => &[EAGAIN, ENOMEM, ENOSYS, EPERM],
        "open" | "openat" => &[EACCES, EMFILE],
        "openat2" => &[EACCES, EMFILE, ENOSYS, EPERM],
        "read" | "pread64" | "readv" | "getdents64" => &[EIO, EINTR],
        "write" | "writev" | "pwrite64" => &[ENOSPC, EINTR, EPERM],
        "sendto" | "sendmsg" => &[EINTR, ENOMEM],
        "recvfrom" | "recvmsg" => &[EINTR],
        "close" | "fsync" | "sync" => &[EIO],
        "wait4" | "waitid" | "poll" | "ppoll" | "rt_sigtimedwait" => &[EINTR, ENOMEM],
        "execve" => &[ENOMEM, EACCES, ENOENT, E2BIG],
        "socketpair" | "socket" | "pipe" | "pipe2" | "dup" | "dup2" | "dup3" => &[EMFILE],
        "unshare" | "setns" => &[EPERM, ENOMEM, EINVAL, ENOSPC],
        "mount" | "fsmount" | "fsconfig" => &[EPERM, ENOSYS, ENOMEM, EINVAL, EBUSY, EROFS],
        "fsopen" => &[EPERM, ENOSYS, ENOMEM, ENODEV],
        "fspick" | "open_tree" | "open_tree_attr" | "move_mount" | "mount_setattr" => &[EPERM, ENOSYS, ENOMEM, EINVAL],
        "umount2" => &[EPERM, ENOMEM, EINVAL, EBUSY],
        "pivot_root" => &[EPERM, EINVAL, EBUSY],
        "landlock_create_ruleset" | "landlock_add_rule" => &[ENOSYS, EOPNOTSUPP, EINVAL],
        "statmount" | "listmount" => &[ENOSYS, EPERM, ENOMEM],
        "pidfd_open" | "pidfd_getfd" => &[ENOSYS, EPERM, EMFILE],
        "kill" | "pidfd_send_signal" => &[EPERM, ENOSYS],
        "setxattrat" | "getxattrat" | "removexattrat" | "close_range" | "faccessat2" => &[ENOSYS, EPERM],
        "statx" => &[ENOSYS, EPERM, ENOMEM],
        "stat" | "lstat" | "fstat" | "newfstatat" | "statfs" | "fstatfs" | "readlink" | "readlinkat" | "getcwd"
        | "access" | "faccessat" => &[EACCES, ENOMEM],
        "fcntl" | "flock" => &[EINTR, ENOLCK],
        "ioctl" => &[EPERM, ENOMEM, EINVAL, EBUSY],
        "mkdir" | "mkdirat" => &[ENOSPC, EPERM, EEXIST],
        "rename" | "renameat" | "renameat2" => &[ENOSPC, EPERM],
        "setxattr" | "lsetxattr" | "fsetxattr" => &[ENOSPC, EPERM, EOPNOTSUPP, EINVAL],
        "setuid" | "setgid" | "setresuid" | "setresgid" | "setgroups" => &[EPERM, EAGAIN, EINVAL],
        _ => &[EPERM, ENOMEM],
    }
}
