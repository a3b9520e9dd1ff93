//! Keeps the signals of a failed write, SIGPIPE and SIGXFSZ, from a process: sigpending(2), sigwait(3), signal(7).

use crate::raw::{change_mask, mask_of};
use core::mem::MaybeUninit;
use nix::sys::signal::{SigSet, Signal};

const SENT: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// Runs `work` with both signals blocked, and discards one that it causes.
pub(crate) fn without_write_signals(work: &mut dyn FnMut()) {
    let sent = SENT.map(|signal| signal as i32);
    let Ok(mask) = change_mask(libc::SIG_BLOCK, mask_of(&sent)) else { return };
    let before = SENT.map(is_pending);
    work();
    for (signal, was_pending) in SENT.into_iter().zip(before) {
        if !was_pending {
            discard(signal);
        }
    }
    let _ = change_mask(libc::SIG_SETMASK, mask);
}

/// Takes a blocked signal away if it is pending.
pub(crate) fn discard(signal: Signal) {
    if is_pending(signal) {
        // So there is no wait.
        let _ = SigSet::from(signal).wait();
    }
}

/// sigpending(2), which nix lacks.
fn is_pending(signal: Signal) -> bool {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `set` is valid for a write, and the call has made it a set when it returns 0.
    unsafe { libc::sigpending(set.as_mut_ptr()) == 0 && libc::sigismember(set.as_ptr(), signal as i32) == 1 }
}
