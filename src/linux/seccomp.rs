//! Filters of system calls: seccomp(2).

use crate::{Errno, raw};

/// The bytes of an instruction: struct sock_filter.
pub const INSTRUCTION: usize = 8;

/// The most instructions that the kernel takes: BPF_MAXINSNS.
pub const MOST: usize = 4096;

/// Has the kernel ask this program of classic BPF before every system call from here on. It takes
/// CAP_SYS_ADMIN or PR_SET_NO_NEW_PRIVS (`EACCES`); `EINVAL` if it is no such program, or too long.
pub fn load(filter: &[u8]) -> Result<(), Errno> {
    // Too many to be counted in 16 bits are too many for the kernel, too.
    let len = u16::try_from(filter.len() / INSTRUCTION).unwrap_or(u16::MAX);
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut().cast() };
    // SAFETY: the kernel copies `len` instructions from `filter`, byte by byte, and writes nothing.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    traced!(raw::checked(i64::from(done)), "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {{len={len}, filter=...}})")
        .map(drop)
}
