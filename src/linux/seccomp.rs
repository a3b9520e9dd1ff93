//! Filters of system calls: seccomp(2).

use crate::{Errno, raw};

/// The bytes of an instruction: struct sock_filter.
pub const INSTRUCTION: usize = 8;

/// How many instructions a filter may have: BPF_MAXINSNS.
pub const MOST: usize = 4096;

/// Loads a program of classic BPF that decides on every system call from here on. `EACCES` without CAP_SYS_ADMIN and
/// PR_SET_NO_NEW_PRIVS; `EINVAL` if it is not such a program, or too long.
pub fn load(filter: &[u8]) -> Result<(), Errno> {
    // A filter whose length does not fit in 16 bits is too long anyway: the kernel refuses 65,535 instructions.
    let len = u16::try_from(filter.len() / INSTRUCTION).unwrap_or(u16::MAX);
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast_mut().cast() };
    // SAFETY: the kernel copies `len` instructions from `filter`, byte by byte, and writes nothing.
    let done = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    traced!(raw::checked(i64::from(done)), "prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, {{len={len}, filter=...}})")
        .map(drop)
}
