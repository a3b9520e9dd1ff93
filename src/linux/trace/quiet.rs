//! Keeps the signals of a failed write, SIGPIPE and SIGXFSZ, from a process: sigpending(2), sigwait(3), signal(7).

use core::mem::MaybeUninit;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};

const SENT: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// Runs `work` with both signals blocked, and discards one that it causes.
pub(super) fn without_write_signals(work: impl FnOnce()) {
    let mut mask = SigSet::empty();
    if sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::from_iter(SENT)), Some(&mut mask)).is_err() {
        return;
    }
    let before = SENT.map(is_pending);
    work();
    for (signal, was_pending) in SENT.into_iter().zip(before) {
        if is_pending(signal) && !was_pending {
            // It is pending, so there is no wait.
            let _ = SigSet::from(signal).wait();
        }
    }
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&mask), None);
}

/// sigpending(2), which nix lacks.
fn is_pending(signal: Signal) -> bool {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `set` is valid for a write, and the call has made it a set when it returns 0.
    unsafe { libc::sigpending(set.as_mut_ptr()) == 0 && libc::sigismember(set.as_ptr(), signal as i32) == 1 }
}
