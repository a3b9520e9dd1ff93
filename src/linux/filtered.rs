//! Calls that filters do not know: a seccomp profile from before a call answers it with EPERM, where an older
//! kernel would say ENOSYS. They are told apart by one call that no kernel carries out.

use crate::{Errno, raw};
use core::ffi::c_long;

/// The error of a call that came after Linux 5.1: ENOSYS for EPERM if it is a filter that refused it, or if it is not for
/// us at all (fsopen(2) and some others ask for CAP_SYS_ADMIN before anything else): what the fallback asks for then
/// is refused, too.
pub(crate) fn unless_filtered(call: c_long, errno: Errno) -> Errno {
    if errno == Errno::EPERM && probe(call) == Err(Errno::EPERM) { Errno::ENOSYS } else { errno }
}

/// All of these calls have flags or a structure's size among their arguments, and refuse with EINVAL or E2BIG those
/// that have every bit set.
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
        for call in [libc::SYS_fsopen, libc::SYS_fsmount, libc::SYS_fspick, libc::SYS_move_mount] {
            assert!(probe(call).is_err());
        }
        assert_eq!(unless_filtered(libc::SYS_fsopen, Errno::ENODEV), Errno::ENODEV);
    }
}
