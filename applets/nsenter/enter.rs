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
    pub fn enter(mut self) -> Result<(), Failure> {
        let Some((target, kinds)) = self.target.take() else {
            return one_by_one(self.opened, &[]).map_err(|(_, failure)| failure);
        };
        match self.enter_from(target, kinds) {
            // The original enters by the pidfd alone, and does not say which was refused.
            Err((Some(errno), failure)) => {
                let failure =
                    cli::fail!(1, "reassociate to namespaces failed: ", errno).with_hints(failure.hints.clone());
                Err(failure)
            }
            Err((None, failure)) => Err(failure),
            Ok(()) => Ok(()),
        }
    }

    /// Enters the target's in one call if that can be, and else one by one. An error is told beside what the
    /// one call said.
    fn enter_from(self, target: &ProcFd, mut kinds: Vec<Kind>) -> Result<(), (Option<Errno>, Failure)> {
        let user_is_opened = self.has_opened(Kind::User);
        let mut said = enter_by_pidfd(target, &mut kinds, user_is_opened);
        let mut rest = self.opened;
        let mut ours = Vec::new();
        if said.is_some() || !kinds.is_empty() {
            let told = |failure| (said, failure);
            if said == Some(Errno::ESRCH) {
                return Err(told(Failure::silent(1).hint("the process has ended")));
            }
            ours = leave_out_missing(target, &mut kinds, &self.unnamed).map_err(told)?;
            if target.pidfd.is_some() {
                // To enter our own mount namespace once more moves to its root directory, so it is left out last.
                for last in [Some(Kind::Mount), None] {
                    let asked = kinds.len();
                    kinds.retain(|kind| Some(*kind) == last || !ours.contains(kind));
                    if kinds.len() < asked && !kinds.is_empty() {
                        said = enter_by_pidfd(target, &mut kinds, user_is_opened);
                    }
                }
            }
            for kind in kinds {
                rest.push((kind, target.namespace(kind).map_err(|error| (said, cannot_open(error)))?));
            }
        }
        // Before Linux 5.8 setns(2) knows no pidfd, and refuses it before it looks at any namespace.
        one_by_one(rest, &ours)
            .map_err(|(errno, failure)| (said.filter(|said| *said != Errno::EINVAL || errno == Errno::EINVAL), failure))
    }
}

/// Enters open namespaces: first what needs no new privilege; what is refused is tried again after the user namespace.
/// To enter one of `ours` once more only moves to its root directory, and may be refused.
fn one_by_one(mut all: Vec<(Kind, OwnedFd)>, ours: &[Kind]) -> Result<(), (Errno, Failure)> {
    all.sort_unstable_by_key(|(kind, _)| ORDER.iter().position(|other| other == kind));
    let (user, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(kind, _)| *kind == Kind::User);
    let left: Vec<_> =
        others.into_iter().filter(|(kind, fd)| namespace::setns(fd.as_fd(), kind.flag()).is_err()).collect();
    for (kind, fd) in user.into_iter().chain(left) {
        if let Err(error) = namespace::setns(fd.as_fd(), kind.flag())
            && !ours.contains(&kind)
        {
            return Err((error.errno, refused(kind, fd.as_fd(), &error)));
        }
    }
    Ok(())
}

/// Leaves out of `kinds` those of `unnamed` that the kernel does not have, and returns those that we are in already.
fn leave_out_missing(target: &ProcFd, kinds: &mut Vec<Kind>, unnamed: &[Kind]) -> Result<Vec<Kind>, Failure> {
    let mut ours = Vec::new();
    for kind in unnamed {
        if !target.has_kind(*kind).map_err(cannot_open)? {
            kinds.retain(|other| other != kind);
            continue;
        }
        let theirs = target.identity(*kind).map_err(cannot_open)?;
        if namespace::own_for_children(*kind).is_ok_and(|own| own == theirs) {
            ours.push(*kind);
        }
    }
    Ok(ours)
}

/// Enters the target's namespaces in one call, or, where a user namespace given by file is what gives the
/// privilege, all but the user namespace. Leaves in `kinds` what has not been entered, and returns why not,
/// unless there is no pidfd.
fn enter_by_pidfd(target: &ProcFd, kinds: &mut Vec<Kind>, user_is_opened: bool) -> Option<Errno> {
    let flags = kinds.iter().fold(0, |flags, kind| flags | kind.flag());
    let pidfd = target.pidfd.as_ref().filter(|_| flags != 0)?;
    let without_user = flags & !Kind::User.flag();
    let mut done = Ok(());
    if without_user != 0 {
        done = namespace::setns(pidfd.as_fd(), without_user);
    }
    if done.is_ok() {
        kinds.retain(|kind| *kind == Kind::User);
    }
    if !user_is_opened && !kinds.is_empty() && flags != without_user {
        let rest = if done.is_ok() { Kind::User.flag() } else { flags };
        done = namespace::setns(pidfd.as_fd(), rest);
        if done.is_ok() {
            kinds.clear();
        }
    }
    done.err().map(|error| error.errno)
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
