//! Enters namespaces in an order that the caller's privilege allows: setns(2), user_namespaces(7).
//!
//! Entering a user namespace replaces the caller's privilege. A caller with privilege over the other namespaces enters
//! the user namespace last; one without it enters the user namespace first, to gain it.

use cli::{Failure, text};
use hints::{Step, explained};
use linux::namespace::{self, Kind};
use linux::procfd::ProcFd;
use linux::{Errno, Error};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The order in which single namespaces are entered; the user namespace has its own place.
const ORDER: [Kind; 7] = [Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Pid, Kind::Mount, Kind::Time];

/// What is to be entered.
pub struct Entries<'a> {
    /// Namespaces that are open.
    pub opened: Vec<(Kind, OwnedFd)>,
    /// The process that others are taken from, and their kinds.
    pub target: Option<(&'a ProcFd, Vec<Kind>)>,
    /// Of those, the ones that nobody named: one that the kernel does not have is left out, and so is one
    /// that we are in already and may not enter once more.
    pub unnamed: Vec<Kind>,
}

impl Entries<'_> {
    /// Whether a kind is among them.
    pub fn contain(&self, kind: Kind) -> bool {
        self.target.as_ref().is_some_and(|(_, kinds)| kinds.contains(&kind)) || self.has_opened(kind)
    }

    fn has_opened(&self, kind: Kind) -> bool {
        self.opened.iter().any(|(opened, _)| *opened == kind)
    }

    /// Enters them all.
    pub fn enter(self) -> Result<(), Failure> {
        let user_is_opened = self.has_opened(Kind::User);
        let Some((target, kinds)) = self.target else {
            return one_by_one(self.opened, &[]).map_err(|(_, failure)| failure);
        };
        let mut entering = Entering { target, left: kinds, ours: Vec::new(), user_is_opened, refused: None };
        entering.enter(self.opened, &self.unnamed).map_err(|failure| match entering.refused {
            // The original enters by the pidfd alone, and does not say which namespace was refused.
            Some(errno) => cli::fail!(1, "reassociate to namespaces failed: ", errno).with_hints(failure.hints.clone()),
            None => failure,
        })
    }
}

/// What one call with the pidfd asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// All that is left.
    All,
    /// Without those that we are in already, which the kernel may refuse, but with the mount namespace: to enter our own
    /// once more moves to its root directory.
    NotOursButMount,
    /// Without any that we are in already.
    NotOurs,
}

/// They are made in this order until nothing is left; what is left then is entered one by one.
const ATTEMPTS: [Attempt; 3] = [Attempt::All, Attempt::NotOursButMount, Attempt::NotOurs];

/// The namespaces of a process while they are entered.
struct Entering<'a> {
    target: &'a ProcFd,
    /// Those still to be entered.
    left: Vec<Kind>,
    /// Those that nobody named and that we are in already. Only looked for after a refusal.
    ours: Vec<Kind>,
    /// A user namespace given by file is what gives the privilege, so that it is not entered by the pidfd.
    user_is_opened: bool,
    /// Why the last call with the pidfd was refused.
    refused: Option<Errno>,
}

impl Entering<'_> {
    fn enter(&mut self, mut opened: Vec<(Kind, OwnedFd)>, unnamed: &[Kind]) -> Result<(), Failure> {
        for attempt in ATTEMPTS {
            if self.prepare(attempt, unnamed)? {
                self.enter_by_pidfd(&mut opened);
            }
            if self.left.is_empty() {
                break;
            }
        }
        for kind in &self.left {
            opened.push((*kind, self.target.namespace(*kind).map_err(cannot_open)?));
        }
        one_by_one(opened, &self.ours).map_err(|(errno, failure)| {
            // Before Linux 5.8 setns(2) knows no pidfd, and refuses it before it looks at any namespace.
            if self.refused == Some(Errno::EINVAL) && errno != Errno::EINVAL {
                self.refused = None;
            }
            failure
        })
    }

    /// Takes out of what is left what the attempt does without. Whether it is to be made: not if it would ask for what
    /// was refused already.
    fn prepare(&mut self, attempt: Attempt, unnamed: &[Kind]) -> Result<bool, Failure> {
        match attempt {
            Attempt::All => return Ok(true),
            Attempt::NotOursButMount => match self.refused {
                // Refused for what was asked, or the order: in another way it may be done.
                None | Some(Errno::EPERM | Errno::EINVAL | Errno::ENOSYS | Errno::EUSERS) => self.look_at(unnamed)?,
                Some(Errno::ESRCH) => return Err(Failure::silent(1).hint("the process has ended")),
                Some(_) => return Err(Failure::silent(1)),
            },
            Attempt::NotOurs => {}
        }
        if self.target.pidfd.is_none() {
            return Ok(false);
        }
        let asked = self.left.len();
        let keeps_mount = attempt == Attempt::NotOursButMount;
        self.left.retain(|kind| keeps_mount && *kind == Kind::Mount || !self.ours.contains(kind));
        Ok(self.left.len() < asked && !self.left.is_empty())
    }

    /// Leaves out those of `unnamed` that the kernel does not have, and finds those that we are in already.
    fn look_at(&mut self, unnamed: &[Kind]) -> Result<(), Failure> {
        for kind in unnamed {
            if !self.target.has_kind(*kind).map_err(cannot_open)? {
                self.left.retain(|other| other != kind);
                continue;
            }
            let theirs = self.target.identity(*kind).map_err(cannot_open)?;
            if namespace::own_for_children(*kind).is_ok_and(|own| own == theirs) {
                self.ours.push(*kind);
            }
        }
        Ok(())
    }

    /// Enters what is left in one call; a user namespace last, in a call of its own, if the others can be entered
    /// without the privilege that it gives, and together with them if not. What of `opened` the caller's privilege is good
    /// for comes before it: from within, a namespace of the outside may not be entered.
    fn enter_by_pidfd(&mut self, opened: &mut Vec<(Kind, OwnedFd)>) {
        let flags = self.left.iter().fold(0, |flags, kind| flags | kind.flag());
        let Some(pidfd) = self.target.pidfd.as_ref().filter(|_| flags != 0) else { return };
        let without_user = flags & !Kind::User.flag();
        let mut done = Ok(());
        if without_user != 0 {
            done = namespace::setns(pidfd.as_fd(), without_user);
        }
        if done.is_ok() {
            self.left.retain(|kind| *kind == Kind::User);
        }
        if !self.user_is_opened && !self.left.is_empty() && flags != without_user {
            let rest = if done.is_ok() {
                keep_refused(opened);
                Kind::User.flag()
            } else {
                flags
            };
            done = namespace::setns(pidfd.as_fd(), rest);
            if done.is_ok() {
                self.left.clear();
            }
        }
        self.refused = done.err().map(|error| error.errno);
    }
}

/// Enters those that may be entered, and keeps the others.
fn keep_refused(opened: &mut Vec<(Kind, OwnedFd)>) {
    opened.retain(|(kind, fd)| namespace::setns(fd.as_fd(), kind.flag()).is_err());
}

/// Enters open namespaces: first what needs no new privilege; what is refused is tried again after the user namespace.
/// To enter one of `ours` once more only moves to its root directory, and may be refused.
fn one_by_one(mut all: Vec<(Kind, OwnedFd)>, ours: &[Kind]) -> Result<(), (Errno, Failure)> {
    all.sort_unstable_by_key(|(kind, _)| ORDER.iter().position(|other| other == kind));
    let (user, mut others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(kind, _)| *kind == Kind::User);
    keep_refused(&mut others);
    for (kind, fd) in user.into_iter().chain(others) {
        if let Err(error) = namespace::setns(fd.as_fd(), kind.flag())
            && !ours.contains(&kind)
        {
            return Err((error.errno, refused(kind, fd.as_fd(), &error)));
        }
    }
    Ok(())
}

/// A namespace of the target, or one given by file, could not be opened.
#[cold]
#[inline(never)]
pub fn cannot_open(error: Error) -> Failure {
    let failure = cli::fail!(1, "cannot open ", error.object, ": ", error.errno);
    explained(failure, Step::OpenNamespace, error.errno)
}

fn refused(kind: Kind, namespace: BorrowedFd<'_>, error: &Error) -> Failure {
    let text = text!["reassociate to namespace 'ns/", kind.file(), "' failed: ", error.errno];
    let step = Step::Enter { kind, found: namespace::kind(namespace).ok() };
    explained(Failure::new(1, text), step, error.errno)
}
