//! Signals: names, masks and dispositions; signal(7), sigprocmask(2).

use crate::credentials::Pid;
use crate::{Errno, Result, error::Context, raw};

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet};
use nix::unistd::getpid;

/// The signal numbers that applets name.
pub use libc::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};

/// A signal number, as in signal(7).
pub type Signal = i32;

/// The names of signals 1, 2 and so on, which are the same on x86_64 and aarch64. A slash stands between the names of one
/// signal.
pub const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT/IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD/CLD CONT STOP \
                     TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO/POLL PWR SYS";

/// The first real-time signal that programs may use: the C library keeps 32 and 33 (musl also 34) for itself.
const RTMIN: Signal = 34;
const RTMAX: Signal = 64;

/// The number of a signal given by name, any case, with or without `SIG`; `RTMIN+n` and `RTMAX-n` too.
///
/// ```
/// use linux::signal::{SIGTERM, name, number};
/// assert_eq!([number("TERM"), number("sigterm")], [Some(SIGTERM); 2]);
/// assert_eq!(number("TERM").map(name).as_deref(), Some("TERM"));
/// assert_eq!(number("NONE"), None);
/// ```
pub fn number(name: &str) -> Option<Signal> {
    let upper = name.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let known = (1..).zip(NAMES.split(' ')).find(|(_, names)| names.split('/').any(|known| known == name));
    if let Some((number, _)) = known {
        return Some(number);
    }
    let distance = |text: &str| i32::try_from(crate::number::decimal(text.as_bytes())?).ok();
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
///
/// ```
/// use linux::signal::{SIGTERM, name};
/// assert_eq!([name(SIGTERM), name(40)], ["TERM", "40"]);
/// ```
pub fn name(signal: Signal) -> String {
    match (1..).zip(NAMES.split(' ')).find(|(number, _)| *number == signal) {
        Some((_, names)) => names.split('/').next().unwrap_or_default().to_string(),
        None => signal.to_string(),
    }
}

/// Signals as a trace shows them: `SIGTERM, SIGINT`.
pub(crate) struct Named<'a>(pub(crate) &'a [Signal]);

impl core::fmt::Display for Named<'_> {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, signal) in self.0.iter().enumerate() {
            out.write_str(if index > 0 { ", SIG" } else { "SIG" })?;
            out.write_str(&name(*signal))?;
        }
        Ok(())
    }
}

/// A saved signal mask; [`SignalMask::restore`] puts it back.
#[derive(Clone, Copy)]
pub struct SignalMask(u64);

/// Blocks `signals` and returns the mask there was before.
pub fn block(signals: &[Signal]) -> Result<SignalMask> {
    let old = raw::change_mask(libc::SIG_BLOCK, raw::mask_of(signals));
    traced!(old.map(drop), "rt_sigprocmask(SIG_BLOCK, [{}])", Named(signals)).context("sigprocmask", "")?;
    old.context("sigprocmask", "").map(SignalMask)
}

impl SignalMask {
    /// Makes this the process's signal mask again.
    pub fn restore(&self) -> Result<()> {
        let done = raw::change_mask(libc::SIG_SETMASK, self.0).map(drop);
        traced!(done, "rt_sigprocmask(SIG_SETMASK)").context("sigprocmask", "")
    }
}

/// A signal's saved disposition; [`Disposition::restore`] puts it back.
#[derive(Clone, Copy)]
pub struct Disposition(Signal, libc::sigaction);

/// sigaction(2), which returns what it was. Not nix's: it takes no real-time signal.
///
/// # Safety
/// A handler in `new` must do no more than signal-safety(7) allows.
unsafe fn act(signal: Signal, new: &libc::sigaction) -> core::result::Result<libc::sigaction, Errno> {
    let mut old = libc::sigaction::from(SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty()));
    // SAFETY: `new` is initialised and `old` is valid for a write; of a handler the caller promises it.
    raw::checked(i64::from(unsafe { libc::sigaction(signal, new, &mut old) })).map(|_| old)
}

fn action(handler: SigHandler) -> libc::sigaction {
    SigAction::new(handler, SaFlags::empty(), SigSet::empty()).into()
}

/// Sets a signal to its default action and returns what it was. SIGCHLD needs it: with an
/// inherited SIG_IGN there would be no child to wait for.
pub fn reset_to_default(signal: Signal) -> Result<Disposition> {
    // SAFETY: there is no handler.
    let done = unsafe { act(signal, &action(SigHandler::SigDfl)) };
    let done = traced!(done, "rt_sigaction({}, SIG_DFL)", Named(&[signal])).context("sigaction", "");
    done.map(|old| Disposition(signal, old))
}

/// Installs a handler, without SA_RESTART: it interrupts a call that waits. It may do no more than signal-safety(7)
/// allows.
pub(crate) fn handle(signal: Signal, handler: extern "C" fn(Signal)) -> Result<()> {
    // SAFETY: the caller's handler is one.
    let done = unsafe { act(signal, &action(SigHandler::Handler(handler))) };
    traced!(done, "rt_sigaction({}, a handler)", Named(&[signal])).context("sigaction", "").map(drop)
}

impl Disposition {
    /// Makes this the signal's disposition again.
    pub fn restore(&self) -> Result<()> {
        // SAFETY: the action came from the kernel.
        let done = unsafe { act(self.0, &self.1) };
        traced!(done, "rt_sigaction({}, restored)", Named(&[self.0])).context("sigaction", "").map(drop)
    }
}

/// kill(2). Not nix's: it takes no real-time signal.
fn kill(pid: Pid, signal: Signal) -> core::result::Result<(), Errno> {
    // SAFETY: the call takes two integers.
    raw::checked(i64::from(unsafe { libc::kill(pid.0, signal) })).map(drop)
}

/// Sends a signal to a process: kill(2).
pub fn send(pid: Pid, signal: Signal) -> Result<()> {
    traced!(kill(pid, signal), "kill({pid}, {})", Named(&[signal])).context("kill", pid.to_string())
}

/// [`send`] to ourselves.
pub fn raise(signal: Signal) -> Result<()> {
    send(Pid(getpid().as_raw()), signal)
}

/// Dies of `signal`, as the program that we waited for did, so that a shell sees 128+N.
/// Returns if the signal does not end us.
pub fn die_of(signal: Signal) {
    // A core file of ours would tell nothing about the program's end, and could replace its core.
    let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // Not nix's: the C library's setrlimit sets it for all threads where prlimit64(2) is missing, and brings that code.
    // SAFETY: `limit` is initialised.
    let done = raw::checked(i64::from(unsafe { libc::prlimit(0, libc::RLIMIT_CORE, &limit, core::ptr::null_mut()) }));
    let _ = traced!(done, "prlimit64(0, RLIMIT_CORE, {{0, 0}}, NULL)");
    let _ = reset_to_default(signal);
    let _ = raw::change_mask(libc::SIG_UNBLOCK, raw::mask_of(&[signal]));
    let own = Pid(getpid().as_raw());
    if crate::trace::enabled() {
        // Written before the call, which mostly does not come back.
        crate::trace::line(format_args!("kill({own}, {})", Named(&[signal])), None);
    }
    let _ = kill(own, signal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_known_by_name_in_any_case_with_or_without_sig() {
        assert_eq!(number("TERM"), Some(15));
        assert_eq!(number("sigterm"), Some(15));
        assert_eq!(number("RTMIN+1"), Some(35));
        assert_eq!(number("SIGRTMAX-1"), Some(63));
        assert_eq!(number("RTMIN+31"), None);
        assert_eq!(number("9"), None);
        assert_eq!(number(""), None);
    }
}
