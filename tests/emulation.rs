//! An older kernel on this one: a seccomp filter that takes away the system calls, and the values of their
//! arguments, that came later.
//!
//! What a filter cannot see stays: what is behind a pointer, the fields that statx(2) fills, options of a file
//! system. For that `scripts/kernels` boots the kernels themselves.

use std::fmt;
use std::io;
use std::str::FromStr;

/// A version of Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kernel(pub u16, pub u16);

impl FromStr for Kernel {
    type Err = String;

    /// Reads `5.10`, and `5.10.0-33-amd64`.
    fn from_str(text: &str) -> Result<Kernel, String> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Ok(Kernel(major, minor)),
            _ => Err(format!("not a version of Linux: {text}")),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// How the filter answers a call that it does not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As that kernel does.
    Enosys,
    /// As a container's profile of that kernel's time does on a newer one.
    Eperm,
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Answer, String> {
        match text {
            "ENOSYS" => Ok(Answer::Enosys),
            "EPERM" => Ok(Answer::Eperm),
            _ => Err(format!("ENOSYS or EPERM, not {text}")),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::Enosys => "ENOSYS",
            Answer::Eperm => "EPERM",
        })
    }
}

/// A kernel and how it is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emulation {
    /// The kernel whose calls remain.
    pub kernel: Kernel,
    /// What the others answer.
    pub answer: Answer,
}

/// The system calls since Linux 5.1. From 424 on they have the same numbers on every architecture.
#[rustfmt::skip]
const CALLS: &[(u32, &str, Kernel)] = &[
    (424, "pidfd_send_signal", Kernel(5, 1)), (425, "io_uring_setup", Kernel(5, 1)),
    (426, "io_uring_enter", Kernel(5, 1)), (427, "io_uring_register", Kernel(5, 1)),
    (428, "open_tree", Kernel(5, 2)), (429, "move_mount", Kernel(5, 2)), (430, "fsopen", Kernel(5, 2)),
    (431, "fsconfig", Kernel(5, 2)), (432, "fsmount", Kernel(5, 2)), (433, "fspick", Kernel(5, 2)),
    (434, "pidfd_open", Kernel(5, 3)), (435, "clone3", Kernel(5, 3)), (436, "close_range", Kernel(5, 9)),
    (437, "openat2", Kernel(5, 6)), (438, "pidfd_getfd", Kernel(5, 6)), (439, "faccessat2", Kernel(5, 8)),
    (440, "process_madvise", Kernel(5, 10)), (441, "epoll_pwait2", Kernel(5, 11)),
    (442, "mount_setattr", Kernel(5, 12)), (443, "quotactl_fd", Kernel(5, 14)),
    (444, "landlock_create_ruleset", Kernel(5, 13)), (445, "landlock_add_rule", Kernel(5, 13)),
    (446, "landlock_restrict_self", Kernel(5, 13)), (447, "memfd_secret", Kernel(5, 14)),
    (448, "process_mrelease", Kernel(5, 15)), (449, "futex_waitv", Kernel(5, 16)),
    (450, "set_mempolicy_home_node", Kernel(5, 17)), (451, "cachestat", Kernel(6, 5)),
    (452, "fchmodat2", Kernel(6, 6)), (453, "map_shadow_stack", Kernel(6, 6)), (454, "futex_wake", Kernel(6, 7)),
    (455, "futex_wait", Kernel(6, 7)), (456, "futex_requeue", Kernel(6, 7)), (457, "statmount", Kernel(6, 8)),
    (458, "listmount", Kernel(6, 8)), (459, "lsm_get_self_attr", Kernel(6, 8)),
    (460, "lsm_set_self_attr", Kernel(6, 8)), (461, "lsm_list_modules", Kernel(6, 8)), (462, "mseal", Kernel(6, 10)),
    (463, "setxattrat", Kernel(6, 13)), (464, "getxattrat", Kernel(6, 13)), (465, "listxattrat", Kernel(6, 13)),
    (466, "removexattrat", Kernel(6, 13)), (467, "open_tree_attr", Kernel(6, 15)), (468, "file_getattr", Kernel(6, 17)),
    (469, "file_setattr", Kernel(6, 17)), (470, "listns", Kernel(6, 19)),
];

/// Calls whose EPERM the C library and the shell of the scripts do not survive. ctrbox makes none of them, and
/// `tests/hostile` denies them to it alone.
const NEEDED_BY_OTHERS: &[&str] = &["clone3", "faccessat2", "close_range", "pidfd_send_signal"];

/// What an argument is compared with; the upper half is not looked at.
enum Value {
    /// One of these bits is set.
    Bits(u32),
    /// It is that.
    Is(u32),
    /// More than one bit is set.
    SeveralBits,
}

/// An argument that kernels refuse before a version: call, argument, value, that version, and their error.
#[rustfmt::skip]
const ARGUMENTS: &[(libc::c_long, u32, Value, Kernel, i32)] = &[
    // CLONE_NEWTIME.
    (libc::SYS_unshare, 0, Value::Bits(0x80), Kernel(5, 6), libc::EINVAL),
    (libc::SYS_setns, 1, Value::Bits(0x80), Kernel(5, 6), libc::EINVAL),
    // A pidfd; with a single bit it cannot be told from a namespace's file.
    (libc::SYS_setns, 1, Value::SeveralBits, Kernel(5, 8), libc::EINVAL),
    // MOUNT_ATTR_NOSYMFOLLOW.
    (libc::SYS_fsmount, 2, Value::Bits(0x20_0000), Kernel(5, 14), libc::EINVAL),
    // MOVE_MOUNT_BENEATH.
    (libc::SYS_move_mount, 4, Value::Bits(0x200), Kernel(6, 5), libc::EINVAL),
    // FSCONFIG_CMD_CREATE_EXCL.
    (libc::SYS_fsconfig, 1, Value::Is(8), Kernel(6, 6), libc::EOPNOTSUPP),
    // NS_GET_MNTNS_ID, NS_MNT_GET_INFO, NS_GET_PID_FROM_PIDNS and its three like, PIDFD_GET_MNT_NAMESPACE.
    (libc::SYS_ioctl, 1, Value::Is(0x8008_b705), Kernel(6, 11), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0x8010_b70a), Kernel(6, 12), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0x8004_b706), Kernel(6, 11), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0x8004_b707), Kernel(6, 11), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0x8004_b708), Kernel(6, 11), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0x8004_b709), Kernel(6, 11), libc::ENOTTY),
    (libc::SYS_ioctl, 1, Value::Is(0xff03), Kernel(6, 11), libc::ENOTTY),
    // FD_NSFS_ROOT. NS_GET_ID of the same kernel is left: a kernel that puts mount namespaces in the order of these ids,
    // and refuses to keep one for it, tells them.
    (libc::SYS_open_by_handle_at, 0, Value::Is(-10003_i32 as u32), Kernel(6, 18), libc::EBADF),
];

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

fn statement(code: u32, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: yes, jf: no, k }
}

fn ret(value: u32) -> libc::sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, value, 0, 0)
}

fn jump(test: u32, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    statement(libc::BPF_JMP | test | libc::BPF_K, k, yes, no)
}

fn load(offset: u32) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0)
}

fn error(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// Answers some calls with an error.
pub fn denying(errno: i32, numbers: impl IntoIterator<Item = u64>) -> Vec<libc::sock_filter> {
    let mut program = vec![load(0)];
    for number in numbers {
        program.extend([jump(libc::BPF_JEQ, number as u32, 0, 1), ret(error(errno))]);
    }
    program.push(ret(ALLOW));
    program
}

impl Emulation {
    /// The filter.
    pub fn filter(self) -> Vec<libc::sock_filter> {
        let is_eperm = self.answer == Answer::Eperm;
        let missing = CALLS
            .iter()
            .filter(|(_, name, since)| *since > self.kernel && !(is_eperm && NEEDED_BY_OTHERS.contains(name)))
            .map(|(number, ..)| u64::from(*number));
        let mut program = denying(if is_eperm { libc::EPERM } else { libc::ENOSYS }, missing);
        if is_eperm {
            // A profile leaves the arguments to the kernel.
            return program;
        }
        program.pop();
        for (call, argument, value, since, errno) in ARGUMENTS {
            if *since <= self.kernel {
                continue;
            }
            // struct seccomp_data: number, architecture, instruction pointer, arguments; the lower half of each first.
            let offset = 16 + 8 * argument + if cfg!(target_endian = "big") { 4 } else { 0 };
            let check = match value {
                Value::Bits(bits) => vec![load(offset), jump(libc::BPF_JSET, *bits, 0, 1), ret(error(*errno))],
                Value::Is(value) => vec![load(offset), jump(libc::BPF_JEQ, *value, 0, 1), ret(error(*errno))],
                // n & (n - 1)
                Value::SeveralBits => vec![
                    load(offset),
                    statement(libc::BPF_MISC | libc::BPF_TAX, 0, 0, 0),
                    statement(libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K, 1, 0, 0),
                    statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_X, 0, 0, 0),
                    jump(libc::BPF_JSET, 0xffff_ffff, 0, 1),
                    ret(error(*errno)),
                ],
            };
            // An argument that is as it was: back to the number, for the next check.
            program.push(jump(libc::BPF_JEQ, *call as u32, 0, check.len() as u8 + 1));
            program.extend(check);
            program.push(load(0));
        }
        program.push(ret(ALLOW));
        program
    }
}

/// Installs a filter on this process and all that it starts. As root; PR_SET_NO_NEW_PRIVS would show.
pub fn install(mut program: Vec<libc::sock_filter>) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: the program outlives the call, which copies it.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!("5.10.0-33-amd64".parse(), Ok(Kernel(5, 10)));
        assert!(Kernel(5, 4) < Kernel(5, 10));
        assert!("five".parse::<Kernel>().is_err());
    }

    /// What a filter answers, as the kernel would reckon it.
    fn answer(program: &[libc::sock_filter], number: libc::c_long, arguments: [u32; 6]) -> u32 {
        let (mut at, mut a, mut x) = (0, 0_u32, 0_u32);
        loop {
            let step = program[at];
            at += 1;
            let code = u32::from(step.code);
            let skip = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
            if code == libc::BPF_RET | libc::BPF_K {
                return step.k;
            } else if code == libc::BPF_LD | libc::BPF_W | libc::BPF_ABS {
                a = if step.k == 0 { number as u32 } else { arguments[(step.k as usize - 16) / 8] };
            } else if code == libc::BPF_MISC | libc::BPF_TAX {
                x = a;
            } else if code == libc::BPF_ALU | libc::BPF_SUB | libc::BPF_K {
                a = a.wrapping_sub(step.k);
            } else if code == libc::BPF_ALU | libc::BPF_AND | libc::BPF_X {
                a &= x;
            } else if code == libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K {
                at += skip(a == step.k);
            } else if code == libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K {
                at += skip(a & step.k != 0);
            } else {
                panic!("{code}");
            }
        }
    }

    #[test]
    fn a_kernel_has_the_calls_of_its_time_and_their_arguments() {
        let old = Emulation { kernel: Kernel(5, 4), answer: Answer::Enosys }.filter();
        let new = Emulation { kernel: Kernel(5, 15), answer: Answer::Enosys }.filter();
        let profile = Emulation { kernel: Kernel(5, 4), answer: Answer::Eperm }.filter();
        let both = |number, arguments| [answer(&old, number, arguments), answer(&new, number, arguments)];
        let none = [0; 6];
        assert_eq!(both(libc::SYS_fsopen, none), [ALLOW, ALLOW]);
        assert_eq!(both(libc::SYS_mount_setattr, none), [error(libc::ENOSYS), ALLOW]);
        assert_eq!(answer(&profile, libc::SYS_mount_setattr, none), error(libc::EPERM));
        assert_eq!(both(libc::SYS_fsmount, [3, 0, 0x20_0001, 0, 0, 0]), [error(libc::EINVAL), ALLOW]);
        assert_eq!(both(libc::SYS_setns, [3, 0x2000_0000, 0, 0, 0, 0]), [ALLOW, ALLOW]);
        assert_eq!(both(libc::SYS_setns, [3, 0, 0, 0, 0, 0]), [ALLOW, ALLOW]);
        assert_eq!(both(libc::SYS_setns, [3, 0x2002_0000, 0, 0, 0, 0]), [error(libc::EINVAL), ALLOW]);
        assert_eq!(both(libc::SYS_ioctl, [3, 0xff03, 0, 0, 0, 0]), [error(libc::ENOTTY); 2]);
        assert_eq!(both(libc::SYS_ioctl, [3, 0xb701, 0, 0, 0, 0]), [ALLOW, ALLOW]);
    }
}
