//! Forks the child that runs the program: its signals, its end with its parent, and the options for both.

use cli::failure::{failed, named};
use cli::{Failure, Output};
use hints::{Step, explained};
use linux::Error;
use linux::process::{self, FORWARDED, Fork, Parent, Pid};
use linux::signal::{Disposition, Signal, SignalMask};
use std::ffi::OsStr;

/// What forking changes: the program gets the mask and the dispositions that we got, but for signals that are passed on.
#[derive(Default)]
pub struct Forking {
    /// How SIGCHLD was set before we changed it.
    sigchld: Option<Disposition>,
    /// In the child: the mask we were given.
    mask: Option<SignalMask>,
    /// In a parent whose child is to end with it: its side, kept until its own end. Without pidfds that is what
    /// the child sees.
    parent: Option<Parent>,
}

/// What a fork has made of us.
pub enum Forked {
    /// The parent of this child.
    Parent(Pid),
    /// The child, with its tie to the parent if there is to be one.
    Child(Option<Tie>),
}

/// A child's tie to its parent.
pub struct Tie {
    parent: Parent,
    signal: Signal,
}

impl Tie {
    /// Has the signal sent to us when the parent ends, which may have happened already. A change of user undoes
    /// it, so it comes after that.
    pub fn fasten(mut self) -> Result<(), Failure> {
        process::die_with_parent(self.signal).map_err(named("prctl failed"))?;
        let has_ended = self.parent.has_ended().map_err(named("poll parent pidfd failed"))?;
        if has_ended { Err(Failure::silent(1)) } else { Ok(()) }
    }
}

/// How to fork.
#[derive(Clone, Copy)]
pub struct How {
    /// The signals that the parent does not take while it waits; to be passed on they must be among them.
    pub blocked: &'static [Signal],
    /// The signal that the child gets when we end.
    pub kill_child: Option<Signal>,
}

/// How a command line asks for a fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkOptions {
    /// Pass SIGTERM and SIGINT on.
    pub forward_signals: bool,
    /// The signal that the child gets when we end.
    pub kill_child: Option<Signal>,
}

/// Blocked in a parent that passes signals on: those, and the one that tells of the child.
pub const FORWARDING: &[Signal] = &[FORWARDED[0], FORWARDED[1], linux::signal::SIGCHLD];

impl Forking {
    /// If SIGCHLD was inherited as ignored, the kernel would discard the child's status.
    pub fn expect_children(&mut self) -> Result<(), Failure> {
        if self.sigchld.is_none() {
            self.sigchld = Some(to_default(linux::signal::SIGCHLD)?);
        }
        Ok(())
    }

    /// Forks. Output is flushed before, or both processes would write it.
    pub fn fork(&mut self, how: How, output: &mut Output) -> Result<Forked, Failure> {
        self.expect_children()?;
        let mask = match how.blocked {
            [] => None,
            signals => {
                let mask = linux::signal::block(signals).map_err(named("sigprocmask block failed"))?;
                if signals == FORWARDING {
                    // What is passed on is meant to have an effect, also where it was ignored when we were started.
                    for signal in signals {
                        to_default(*signal)?;
                    }
                }
                Some(mask)
            }
        };
        let watched = how.kill_child.map(|_| Parent::watch()).transpose().map_err(named("pidfd_open failed"))?;
        // A failure is kept and reported by the last flush.
        let _ = output.flush();
        match process::fork().map_err(fork_failed)? {
            Fork::Child => {
                self.mask = mask;
                Ok(Forked::Child(watched.zip(how.kill_child).map(|(parent, signal)| Tie { parent, signal })))
            }
            Fork::Parent(child) => {
                self.parent = watched;
                Ok(Forked::Parent(child))
            }
        }
    }

    /// Gives the signals back; to be called before the exec.
    pub fn restore_signals(&mut self) -> Result<(), Failure> {
        if let Some(sigchld) = self.sigchld.take() {
            sigchld.restore().map_err(named("sigaction failed"))?;
        }
        if let Some(mask) = self.mask.take() {
            mask.restore().map_err(named("sigprocmask restore failed"))?;
        }
        Ok(())
    }
}

fn to_default(signal: Signal) -> Result<Disposition, Failure> {
    linux::signal::reset_to_default(signal).map_err(named("sigaction failed"))
}

/// fork(2) failed.
pub fn fork_failed(error: Error) -> Failure {
    explained(failed("fork failed", &error), Step::Fork, error.errno)
}

/// The argument of `--kill-child`: SIGKILL without one.
pub fn kill_signal(name: Option<&OsStr>) -> Result<Signal, Failure> {
    let Some(name) = name else { return Ok(linux::signal::SIGKILL) };
    let number = name.to_str().and_then(linux::signal::number);
    number.ok_or_else(|| cli::fail!(1, "unknown signal: ", name))
}
