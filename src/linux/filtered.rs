//! Detects system calls that a seccomp filter refuses because it does not know them: seccomp(2). A profile older than
//! a call answers it with EPERM, where an older kernel would answer ENOSYS. A probe that no kernel carries out tells
//! the two apart.

use crate::{Errno, raw};
use core::ffi::c_long;

/// The error of a call newer than Linux 5.1, with EPERM turned into ENOSYS where the probe is refused with EPERM, too,
/// so that the caller tries its fallback. Where the kernel itself is what refuses, the fallback would fail as well.
pub(crate) fn unless_filtered(call: c_long, errno: Errno) -> Errno {
    let is_filtered = errno == Errno::EPERM
        && probe(call) == Err(Errno::EPERM)
        && !(CHECKED_FIRST.contains(&call) && may_not_mount());
    if is_filtered { Errno::ENOSYS } else { errno }
}

/// Calls that ask whether the caller may mount before they look at their arguments.
const CHECKED_FIRST: [c_long; 4] = [libc::SYS_fsopen, libc::SYS_fsmount, libc::SYS_fspick, libc::SYS_move_mount];

/// Whether the kernel lets this process mount nothing. pivot_root(2) asks that first, too, and is older than filters.
fn may_not_mount() -> bool {
    // SAFETY: without paths nothing is done.
    raw::checked(unsafe { libc::syscall(libc::SYS_pivot_root, 0, 0) }) == Err(Errno::EPERM)
}

/// The probe has every bit of every argument set. All of these calls take flags or a structure's size and refuse that
/// with EINVAL or E2BIG.
fn probe(call: c_long) -> Result<i64, Errno> {
    const NO: c_long = -1;
    // SAFETY: no pointer among the arguments is valid, so that nothing can be read or written through it.
    raw::checked(unsafe { libc::syscall(call, NO, NO, NO, NO, NO, NO) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_carries_no_probe_out_and_its_own_eperm_stays() {
        // Both names of those that the C library does not know yet.
        const NEW: [c_long; 3] = [457, 458, 464];
        let known = [
            libc::SYS_fsconfig,
            libc::SYS_open_tree,
            libc::SYS_mount_setattr,
            libc::SYS_openat2,
            libc::SYS_pidfd_open,
            libc::SYS_pidfd_getfd,
        ];
        for call in known.into_iter().chain(NEW) {
            let refused = [Errno::EINVAL, Errno::E2BIG, Errno::ENOSYS].map(Err);
            assert!(refused.contains(&probe(call)), "{call}");
            assert_eq!(unless_filtered(call, Errno::EPERM), Errno::EPERM, "{call}");
        }
        for call in CHECKED_FIRST {
            assert!(probe(call).is_err());
            assert_eq!(unless_filtered(call, Errno::EPERM), Errno::EPERM, "{call}");
        }
        assert_eq!(unless_filtered(libc::SYS_fsopen, Errno::ENODEV), Errno::ENODEV);
    }
}
