//! Waits for the child that runs the program and forwards signals to it meanwhile: sigtimedwait(2), waitpid(2).

use super::{Pid, Status, Wait, wait, wait_once};
use crate::raw::{self, NumberPrctl};
use crate::signal::{self, Named, Signal, send};
use crate::{Errno, Result, error::Context};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering};
use nix::sys::signal::SigSet;
use std::os::fd::{AsFd, OwnedFd};

/// What the parent does beside waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// SIGTERM and SIGINT sent to the parent are forwarded to the child. The caller must have blocked them and
    /// SIGCHLD.
    pub forward_signals: bool,
    /// When the child stops, the parent stops too; when the parent is continued, it continues the child.
    pub job_control: bool,
}

/// The signals that [`Forwarding::forward_signals`] passes on.
pub const FORWARDED: [Signal; 2] = [libc::SIGTERM, libc::SIGINT];

/// Whether SIGCONT has arrived since this flag was last cleared.
static CONTINUED: AtomicBool = AtomicBool::new(false);

extern "C" fn note_continued(_: Signal) {
    CONTINUED.store(true, Ordering::Relaxed);
}

/// Waits until the child ends.
pub fn wait_forwarding(child: Pid, how: Forwarding) -> Result<Status> {
    if how.job_control {
        // Without SA_RESTART, so that the wait is interrupted.
        signal::handle(libc::SIGCONT, note_continued)?;
    }
    loop {
        if how.forward_signals {
            forward_until_change(child, how)?;
        }
        if !how.job_control {
            return wait(child, Wait::End);
        }
        match wait_once(child, Wait::Stops)? {
            Some(Status::Stopped(_)) => {
                // A terminal stops both processes and a shell continues both, in either order. If SIGCONT has already
                // arrived, the child stopped together with us and only needs to be continued.
                if !CONTINUED.swap(false, Ordering::Relaxed) {
                    // SIGSTOP, whatever stopped the child: SIGTSTP could be ignored or caught.
                    signal::raise(libc::SIGSTOP)?;
                    CONTINUED.store(false, Ordering::Relaxed);
                }
                send(child, libc::SIGCONT)?;
            }
            Some(ended) => return Ok(ended),
            None => forget_unless_changed(child, how)?,
        }
    }
}

/// Whether the child has something to be waited for, which is left to be.
fn has_changed(child: Pid, how: Forwarding) -> Result<bool> {
    let stops = if how.job_control { libc::WSTOPPED } else { 0 };
    let mut info: MaybeUninit<libc::siginfo_t> = MaybeUninit::zeroed();
    // Not nix's: a child that died of a real-time signal is EINVAL there.
    // SAFETY: `info` is valid for a write; WNOWAIT leaves the child to be waited for.
    let asked = raw::checked(i64::from(unsafe {
        libc::waitid(
            libc::P_PID,
            child.0 as libc::id_t,
            info.as_mut_ptr(),
            libc::WEXITED | stops | libc::WNOHANG | libc::WNOWAIT,
        )
    }));
    asked.context("waitid", child.to_string())?;
    // SAFETY: it was zeroed, and the call fills it or leaves it so.
    Ok(unsafe { info.assume_init().si_pid() } != 0)
}

/// Clears the flag while the child is running: an earlier SIGCONT must not be taken for the answer to a later stop.
fn forget_unless_changed(child: Pid, how: Forwarding) -> Result<()> {
    if !has_changed(child, how)? {
        CONTINUED.store(false, Ordering::Relaxed);
    }
    Ok(())
}

/// Passes signals on until the child has something to be waited for.
fn forward_until_change(child: Pid, how: Forwarding) -> Result<()> {
    use nix::sys::signal::Signal::{SIGCHLD, SIGINT, SIGTERM};
    let set = SigSet::from_iter([SIGTERM, SIGINT, SIGCHLD]);
    // Checked before each wait for a signal, since one SIGCHLD may stand for several changes.
    while !has_changed(child, how)? {
        CONTINUED.store(false, Ordering::Relaxed);
        // Not nix's, nor musl's: they go on waiting when a handler has run.
        // SAFETY: the set is initialised and as long as is said; no information and no limit of time are given.
        let got = raw::checked(unsafe {
            let none = core::ptr::null::<u8>();
            libc::syscall(libc::SYS_rt_sigtimedwait, core::ptr::from_ref(set.as_ref()), none, none, size_of::<u64>())
        });
        match got.map(|signal| signal as Signal) {
            Ok(libc::SIGCHLD) => {}
            Ok(signal) => match send(child, signal) {
                // It has just ended.
                Err(error) if error.errno == Errno::ESRCH => {}
                sent => sent?,
            },
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).context("rt_sigtimedwait", ""),
        }
    }
    Ok(())
}

/// The parent as a child will see it: by a pidfd, or on a kernel before 5.3, or where a filter denies
/// them, by the other end of a channel, which is closed when the parent ends.
pub struct Parent {
    watched: OwnedFd,
    /// The parent's end, until the child closes its copy.
    held: Option<OwnedFd>,
}

impl Parent {
    /// Prepares it, before the fork. The parent keeps what it gets until it has waited for the child.
    pub fn watch() -> Result<Parent> {
        match super::pidfd_open(super::id()) {
            Err(error) if error.errno == Errno::ENOSYS => {
                let (ours, childs) = super::channel()?;
                Ok(Parent { watched: childs.into(), held: Some(ours.into()) })
            }
            opened => Ok(Parent { watched: opened?, held: None }),
        }
    }

    /// In the child: whether it has ended.
    pub fn has_ended(&mut self) -> Result<bool> {
        self.held = None;
        super::has_ended(self.watched.as_fd())
    }
}

/// Has the kernel send us `signal` when our parent ends: PR_SET_PDEATHSIG. A change of user
/// clears it, so it is asked for after that.
pub fn die_with_parent(signal: Signal) -> Result<()> {
    let done = NumberPrctl::SET_PDEATHSIG.call([signal as u64, 0]);
    traced!(done, "prctl(PR_SET_PDEATHSIG, {})", Named(&[signal])).context("prctl", "").map(drop)
}

/// The signal that [`die_with_parent`] has asked for, 0 for none: PR_GET_PDEATHSIG.
pub fn death_signal() -> Result<Signal> {
    let mut signal = 0;
    // Not nix's: a real-time signal is EINVAL there.
    // SAFETY: the operation writes one int.
    let done = raw::checked(i64::from(unsafe { libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut signal) }));
    done.context("prctl", "").map(|_| signal)
}

/// Whether we can be traced, and our descriptors and memory looked at, by whoever has no privilege over the user namespace
/// in which we were started: PR_SET_DUMPABLE. An exec permits it again.
pub fn set_dumpable(dumpable: bool) -> Result<()> {
    let done = nix::sys::prctl::set_dumpable(dumpable).map_err(Errno::from);
    traced!(done, "prctl(PR_SET_DUMPABLE, {})", u8::from(dumpable)).context("prctl", "")
}

/// The argument of [`set_tracer`] that lets anybody trace us: PR_SET_PTRACER_ANY.
pub const ANY_TRACER: Pid = Pid(-1);
/// The argument of [`set_tracer`] that lets only ancestors trace us again.
pub const NO_TRACER: Pid = Pid(0);

/// Lets a process trace us where Yama restricts that to ancestors: PR_SET_PTRACER. `EINVAL`
/// if there is no such process, or no Yama.
pub fn set_tracer(tracer: Pid) -> core::result::Result<(), Errno> {
    let done = NumberPrctl::SET_PTRACER.call([tracer.0 as u64, 0]);
    traced!(done, "prctl(PR_SET_PTRACER, {tracer})").map(drop)
}
