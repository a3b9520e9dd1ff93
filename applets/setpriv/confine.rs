//! Restrictions of the program that do not depend on its user: landlock(7) and a seccomp(2) filter. They also restrict
//! setpriv itself, so they are prepared first and applied last.

use super::options::Options;
use super::values::{EVERY, EVERY_FILE, REFUSED, Rule, RuleObject, listed};
use cli::{Failure, text};
use linux::{Errno, file, landlock, seccomp};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// The open ruleset and the filter's bytes, read while the files are still accessible with the caller's privilege.
#[derive(Default)]
pub struct Confinement {
    ruleset: Option<OwnedFd>,
    filter: Option<Vec<u8>>,
}

/// Opens and reads what the options name. Nothing is taken yet.
pub fn prepare(options: &Options) -> Result<Confinement, Failure> {
    let mut confinement = Confinement::default();
    if let Some(blocked) = options.blocked {
        confinement.ruleset = Some(ruleset(blocked, &options.rules)?);
    }
    if let Some(path) = &options.filter {
        confinement.filter = Some(filter(path)?);
    }
    Ok(confinement)
}

impl Confinement {
    /// Puts it on. Nothing but the exec may follow.
    pub fn enter(&self) -> Result<(), Failure> {
        if let Some(ruleset) = &self.ruleset {
            landlock::restrict_self(ruleset.as_fd()).map_err(|errno| failed("landlock_restrict_self failed", errno))?;
        }
        if let Some(filter) = &self.filter {
            seccomp::load(filter).map_err(|errno| failed("Could not load seccomp filter", errno))?;
        }
        Ok(())
    }
}

/// Those of the rights to execute a file and to read it that are blocked. A rule may name no others.
pub fn taken_from_exec(options: &Options) -> u64 {
    let blocked = options.blocked.unwrap_or_default();
    landlock::EXECUTE_FILE & if blocked & EVERY_FILE == 0 { blocked } else { landlock::FILES }
}

fn filter(path: &OsStr) -> Result<Vec<u8>, Failure> {
    // One instruction more than there may be, for the kernel to refuse.
    let read = file::read_file(path, (seccomp::MOST + 1) * seccomp::INSTRUCTION)
        .map_err(|error| cli::fail!(REFUSED, "cannot ", error.call, " ", path, ": ", error.errno))?;
    match read.len() % seccomp::INSTRUCTION {
        0 => Ok(read),
        _ => Err(cli::fail!(REFUSED, "invalid filter")),
    }
}

fn ruleset(blocked: u64, rules: &[Rule]) -> Result<OwnedFd, Failure> {
    let abi = landlock::abi().map_err(|errno| refused(errno, &[]))?;
    let known = landlock::known(abi);
    let mut handled = 0;
    for (every, rights) in EVERY {
        // Where the kernel has none of a kind, all that we know of it are asked for, and refused.
        let of_kind = if known & rights == 0 { rights } else { known & rights };
        handled |= if blocked & every == 0 { blocked & rights } else { named(of_kind) };
    }
    let ruleset = landlock::create(handled).map_err(|errno| match handled & !known {
        0 => refused(errno, &[]),
        unknown => refused(errno, &text!["this kernel's Landlock (ABI ", abi, ") has no ", listed(unknown)]),
    })?;
    for (allowed, place) in rules {
        let every = EVERY.iter().find(|(every, _)| allowed & every != 0);
        let allowed = every.map_or(*allowed, |(_, rights)| handled & rights);
        let added = match place {
            RuleObject::Port(port) => landlock::allow_port(ruleset.as_fd(), allowed, *port),
            RuleObject::Path(path) => {
                let place = file::open_path(path)
                    .map_err(|error| cli::fail!(1, "could not open file for landlock: ", path, ": ", error.errno))?;
                landlock::allow(ruleset.as_fd(), allowed, place.as_fd())
            }
        };
        added.map_err(|errno| {
            failed("adding landlock rule failed", errno)
                .hint("a rule may allow what --landlock-access blocks; make-*, remove-*, read-dir and refer are for directories")
        })?;
    }
    Ok(ruleset)
}

/// Those of the rights that have a name.
fn named(rights: u64) -> u64 {
    let mut found = 0;
    landlock::each(rights, &mut |right, _| found |= right);
    found
}

/// `WHAT: STRERROR`.
#[cold]
#[inline(never)]
pub fn failed(what: &str, errno: Errno) -> Failure {
    cli::fail!(REFUSED, what, ": ", errno)
}

#[cold]
fn refused(errno: Errno, otherwise: &[u8]) -> Failure {
    let failure = failed("landlock_create_ruleset failed", errno);
    let hint: &[u8] = match errno {
        Errno::ENOSYS => b"this kernel has no Landlock (CONFIG_SECURITY_LANDLOCK, since Linux 5.13)",
        Errno::EOPNOTSUPP => b"Landlock is not enabled: the kernel's parameter lsm= must name it",
        _ if otherwise.is_empty() => return failure,
        _ => otherwise,
    };
    failure.hint(hint)
}
