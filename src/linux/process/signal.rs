//! Signals: names, masks and dispositions; signal(7), sigprocmask(2).

use crate::process::Pid;
use crate::{Result, error::Context, io, number};
use core::mem::MaybeUninit;

/// A signal number, as in signal(7).
pub type Signal = i32;

/// The names of signals 1, 2 and so on, on each architecture that this is built for; others of the same one after a
/// slash.
const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT/IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD/CLD CONT STOP \
                     TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO/POLL PWR UNUSED/SYS";

/// The first real-time signal that programs may use: the C library keeps 32 and 33 (musl also 34) for itself.
const RTMIN: Signal = 34;
const RTMAX: Signal = 64;

/// The number of a signal given by name, any case, with or without `SIG`; `RTMIN+n` and `RTMAX-n` too.
pub fn signal_number(name: &str) -> Option<Signal> {
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let known = (1..).zip(NAMES.split(' ')).find(|(_, names)| names.split('/').any(|known| known == name));
    if let Some((number, _)) = known {
        return Some(number);
    }
    let distance = |text: &str| i32::try_from(number::decimal(text.as_bytes())?).ok();
    let number = if let Some(rest) = name.strip_prefix("RTMIN") {
        match rest.strip_prefix('+') {
            Some(offset) => RTMIN.checked_add(distance(offset)?)?,
            None if rest.is_empty() => RTMIN,
            None => return None,
        }
    } else {
        let rest = name.strip_prefix("RTMAX")?;
        match rest.strip_prefix('-') {
            Some(offset) => RTMAX.checked_sub(distance(offset)?)?,
            None if rest.is_empty() => RTMAX,
            None => return None,
        }
    };
    (RTMIN..=RTMAX).contains(&number).then_some(number)
}

/// The name of a signal without `SIG`, or its number.
pub fn signal_name(signal: Signal) -> String {
    match (1..).zip(NAMES.split(' ')).find(|(number, _)| *number == signal) {
        Some((_, names)) => names.split('/').next().unwrap_or_default().to_string(),
        None => signal.to_string(),
    }
}

/// Signals as a trace shows them: `SIGTERM, SIGINT`.
pub(super) struct Named<'a>(pub(super) &'a [Signal]);

impl core::fmt::Display for Named<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, signal) in self.0.iter().enumerate() {
            out.write_str(if index > 0 { ", SIG" } else { "SIG" })?;
            out.write_str(&signal_name(*signal))?;
        }
        Ok(())
    }
}

/// A saved signal mask; [`SignalMask::restore`] puts it back.
#[derive(Clone, Copy)]
pub struct SignalMask(libc::sigset_t);

/// Blocks `signals` and returns the mask there was before.
pub fn block(signals: &[Signal]) -> Result<SignalMask> {
    let set = set_of(signals);
    let mut old = MaybeUninit::uninit();
    // SAFETY: `set` is initialised, `old` is valid for a write.
    let done = io::checked(i64::from(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, old.as_mut_ptr()) }));
    traced!(done, "rt_sigprocmask(SIG_BLOCK, [{}])", Named(signals)).context("sigprocmask", "")?;
    // SAFETY: the call succeeded and so wrote it.
    Ok(SignalMask(unsafe { old.assume_init() }))
}

impl SignalMask {
    /// Makes this the process's signal mask again.
    pub fn restore(&self) -> Result<()> {
        // SAFETY: the set came from the kernel.
        let done =
            io::checked(i64::from(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &self.0, core::ptr::null_mut()) }));
        traced!(done, "rt_sigprocmask(SIG_SETMASK)").context("sigprocmask", "").map(drop)
    }
}

pub(super) fn set_of(signals: &[Signal]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set; sigaddset only fails for a number that is no signal.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Does `work` without the signals that a failed write sends, SIGPIPE and SIGXFSZ: one that comes is taken away.
pub(crate) fn without_write_signals(work: impl FnOnce()) {
    const SENT: [Signal; 2] = [libc::SIGPIPE, libc::SIGXFSZ];
    let pending = || {
        let mut set = set_of(&[]);
        // SAFETY: `set` is valid for a write.
        let _ = unsafe { libc::sigpending(&mut set) };
        // SAFETY: `set` is initialised.
        SENT.map(|signal| unsafe { libc::sigismember(&set, signal) == 1 })
    };
    let mut mask = MaybeUninit::uninit();
    // SAFETY: the set is initialised, `mask` is valid for a write.
    if unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set_of(&SENT), mask.as_mut_ptr()) } != 0 {
        return;
    }
    let before = pending();
    work();
    for (signal, (was, is)) in SENT.into_iter().zip(before.into_iter().zip(pending())) {
        if is && !was {
            let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            // SAFETY: the set and the time are initialised; no information is asked for.
            unsafe { libc::sigtimedwait(&set_of(&[signal]), core::ptr::null_mut(), &now) };
        }
    }
    // SAFETY: the call above has written the mask.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, mask.as_ptr(), core::ptr::null_mut()) };
}

/// A signal's saved disposition; [`Disposition::restore`] puts it back.
#[derive(Clone, Copy)]
pub struct Disposition(Signal, libc::sigaction);

/// Sets a signal to its default action and returns what it was. SIGCHLD needs it: with an
/// inherited SIG_IGN there would be no child to wait for.
pub fn reset_to_default(signal: Signal) -> Result<Disposition> {
    let mut default: libc::sigaction =
        // SAFETY: all zero is a valid sigaction: SIG_DFL, no flags, an empty mask.
        unsafe { MaybeUninit::zeroed().assume_init() };
    default.sa_sigaction = libc::SIG_DFL;
    let mut old = MaybeUninit::uninit();
    // SAFETY: `default` is initialised, `old` is valid for a write.
    let done = io::checked(i64::from(unsafe { libc::sigaction(signal, &default, old.as_mut_ptr()) }));
    traced!(done, "rt_sigaction({}, SIG_DFL)", Named(&[signal])).context("sigaction", "")?;
    // SAFETY: the call succeeded and so wrote it.
    Ok(Disposition(signal, unsafe { old.assume_init() }))
}

/// Has a function called for a signal, which interrupts a call that waits. It may do no more than signal-safety(7)
/// allows.
pub(super) fn handle(signal: Signal, handler: extern "C" fn(Signal)) -> Result<()> {
    let mut action: libc::sigaction =
        // SAFETY: all zero is a valid sigaction: no flags, an empty mask.
        unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as libc::sighandler_t;
    // SAFETY: `action` is initialised, and its handler takes the one integer that it is called with.
    let done = io::checked(i64::from(unsafe { libc::sigaction(signal, &action, core::ptr::null_mut()) }));
    traced!(done, "rt_sigaction({}, a handler)", Named(&[signal])).context("sigaction", "").map(drop)
}

impl Disposition {
    /// Makes this the signal's disposition again.
    pub fn restore(&self) -> Result<()> {
        // SAFETY: the action came from the kernel.
        let done = io::checked(i64::from(unsafe { libc::sigaction(self.0, &self.1, core::ptr::null_mut()) }));
        traced!(done, "rt_sigaction({}, restored)", Named(&[self.0])).context("sigaction", "").map(drop)
    }
}

/// kill(2).
pub fn send(pid: Pid, signal: Signal) -> Result<()> {
    // SAFETY: the call takes two integers.
    let done = io::checked(i64::from(unsafe { libc::kill(pid, signal) }));
    traced!(done, "kill({pid}, {})", Named(&[signal])).context("kill", pid.to_string()).map(drop)
}

/// kill(2) of ourselves.
pub fn raise(signal: Signal) -> Result<()> {
    send(super::id(), signal)
}

/// Dies of `signal`, as the program that we waited for did, so that a shell sees 128+N.
/// Returns if the signal does not end us.
pub fn die_of(signal: Signal) {
    // A core file of ours would tell nothing about the program's end, and could replace its core.
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is initialised.
    let done = io::checked(i64::from(unsafe { libc::prlimit(0, libc::RLIMIT_CORE, &limit, core::ptr::null_mut()) }));
    let _ = traced!(done, "prlimit64(0, RLIMIT_CORE, {{0, 0}}, NULL)");
    let _ = reset_to_default(signal);
    let set = set_of(&[signal]);
    // SAFETY: `set` is initialised.
    let _ = unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &set, core::ptr::null_mut()) };
    if crate::trace::enabled() {
        // Written before the call, which mostly does not come back.
        crate::trace::line(format_args!("kill({}, {})", super::id(), Named(&[signal])), None);
    }
    // SAFETY: the call takes two integers.
    unsafe { libc::kill(super::id(), signal) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_name_in_any_case_with_or_without_sig() {
        assert_eq!(signal_number("TERM"), Some(15));
        assert_eq!(signal_number("sigterm"), Some(15));
        assert_eq!(signal_number("RTMIN+1"), Some(35));
        assert_eq!(signal_number("SIGRTMAX-1"), Some(63));
        assert_eq!(signal_number("RTMIN+31"), None);
        assert_eq!(signal_number("9"), None);
        assert_eq!(signal_number(""), None);
    }
}
