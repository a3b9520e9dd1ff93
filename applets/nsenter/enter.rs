//! Entering namespaces in the order that works with the privilege there is.
//!
//! A caller with privilege over the other namespaces enters the user namespace last, which
//! takes that privilege away; one without enters it first, which gives it.

use cli::diagnosis::{Step, explained};
use cli::{Failure, text};
use linux::namespace::{self, Kind};
use linux::target::Target;
use linux::{Errno, Error};
use std::os::fd::{AsFd, OwnedFd};

/// The order in which single namespaces are entered; the user namespace has its own place.
const ORDER: [Kind; 7] = [Kind::Cgroup, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Pid, Kind::Mount, Kind::Time];

/// What is to be entered.
#[derive(Default)]
pub struct Entries {
    /// Namespaces that are open.
    pub opened: Vec<(Kind, OwnedFd)>,
    /// Kinds to take from the target.
    pub from_target: Vec<Kind>,
    /// Of those, the ones that nobody named: one that the kernel does not have is passed over, and so
    /// is one that we are in already and may not enter once more.
    pub unnamed: Vec<Kind>,
}

impl Entries {
    /// Whether a kind is among them.
    pub fn contain(&self, kind: Kind) -> bool {
        self.from_target.contains(&kind) || self.opened.iter().any(|(opened, _)| *opened == kind)
    }

    /// Enters them all.
    pub fn enter(mut self, target: Option<&Target>) -> Result<(), Failure> {
        let mut shared = Vec::new();
        if !self.enter_by_pidfd(target)? {
            self.open_from_target(target)?;
            // Looked at before anything is entered: inside there may be no proc, or another one.
            let unnamed = self.unnamed.iter().filter(|kind| self.from_target.contains(kind));
            shared = unnamed.filter_map(|kind| Some((*kind, namespace::own(*kind).ok()?))).collect();
        }
        // First what needs no new privilege; what is refused is tried again after the user namespace.
        self.opened.sort_unstable_by_key(|(kind, _)| ORDER.iter().position(|other| other == kind));
        let (user, others): (Vec<_>, Vec<_>) = self.opened.into_iter().partition(|(kind, _)| *kind == Kind::User);
        let left: Vec<_> =
            others.into_iter().filter(|(kind, fd)| namespace::setns(fd.as_fd(), kind.flag()).is_err()).collect();
        for (kind, fd) in user.into_iter().chain(left) {
            let is_ours = || {
                let own = shared.iter().find(|(shared, _)| *shared == kind).map(|(_, identity)| *identity);
                own.is_some() && own == linux::stat::of(fd.as_fd()).ok().map(|stat| stat.identity())
            };
            match namespace::setns(fd.as_fd(), kind.flag()) {
                Err(_) if is_ours() => {}
                done => done.map_err(|error| refused(kind, &error))?,
            }
        }
        Ok(())
    }

    /// Enters the target's namespaces in one call. `false` if that was not possible: then they
    /// are opened and entered one by one, which also shows the one that is refused.
    fn enter_by_pidfd(&mut self, target: Option<&Target>) -> Result<bool, Failure> {
        let Some(pidfd) = target.and_then(|target| target.pidfd.as_ref()) else {
            return Ok(self.from_target.is_empty());
        };
        let flags = self.from_target.iter().fold(0, |flags, kind| flags | kind.flag());
        if flags == 0 {
            return Ok(true);
        }
        let without_user = flags & !Kind::User.flag();
        // A user namespace given by file is what gives the privilege for the target's others.
        let user_is_opened = self.opened.iter().any(|(kind, _)| *kind == Kind::User);
        if without_user == 0 || namespace::setns(pidfd.as_fd(), without_user).is_ok() {
            self.from_target.retain(|kind| *kind == Kind::User);
            return Ok(self.from_target.is_empty());
        }
        if !user_is_opened && flags != without_user && namespace::setns(pidfd.as_fd(), flags).is_ok() {
            self.from_target.clear();
            return Ok(true);
        }
        Ok(false)
    }

    fn open_from_target(&mut self, target: Option<&Target>) -> Result<(), Failure> {
        let Some(target) = target else { return Ok(()) };
        for kind in namespace::KINDS.into_iter().filter(|kind| self.from_target.contains(kind)) {
            match target.namespace(kind) {
                Err(error) if error.errno == Errno::ENOENT && self.unnamed.contains(&kind) => {}
                Err(error) => {
                    let failure = Failure::new(1, text!["cannot open ", error.object, ": ", error.errno]);
                    return Err(explained(failure, Step::OpenNamespace, error.errno));
                }
                Ok(fd) => self.opened.push((kind, fd)),
            }
        }
        Ok(())
    }
}

fn refused(kind: Kind, error: &Error) -> Failure {
    let failure = Failure::new(1, text!["reassociate to namespace 'ns/", kind.file(), "' failed: ", error.errno]);
    explained(failure, Step::Enter(kind), error.errno)
}
