//! Carrying a plan out. The first step that fails ends it, and the program is not run.

use super::enter::Entries;
use super::options::{Id, Place, Source};
use super::plan::{Become, Step};
use cli::child::{FORWARDING, Forking, How};
use cli::diagnosis::{self, explained};
use cli::exec::{Program, failed_to_execute};
use cli::failure::named;
use cli::{Failure, Outcome, Output, text};
use linux::namespace::{self, Kind};
use linux::process::{self, Attendance, Environment, Status};
use linux::target::{Target, change_root, open_directory};
use linux::{Errno, Error, capability, cgroup, credentials, directory};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// What the steps leave for later ones.
#[derive(Default)]
struct Progress {
    target: Option<Target>,
    entries: Entries,
    root: Option<OwnedFd>,
    working_directory: Option<OwnedFd>,
    cgroups: Vec<OwnedFd>,
    environment: Environment,
    /// Whether a user, and whether a PID namespace is entered.
    user: bool,
    pid: bool,
    /// Whether dropping the groups failed before we entered; it must then succeed after.
    groups_refused: bool,
    forking: Forking,
}

/// Carries the steps out. Returns in a parent with the child's status, and on failure.
pub fn carry_out(steps: &[Step], output: &mut Output) -> Outcome {
    let mut progress = Progress::default();
    let preserve = steps.iter().any(|step| matches!(step, Step::Become(Become { preserve: true, .. })));
    for step in steps {
        match step {
            Step::Fork { forward_signals, dies_with_parent } if progress.pid => {
                if let Some(status) = fork(*forward_signals, *dies_with_parent, &mut progress, output)? {
                    return Ok(status);
                }
            }
            Step::Enter { from_target, all } => enter(from_target, *all, preserve, &mut progress)?,
            step => perform(step, &mut progress, output)?,
        }
    }
    Ok(0)
}

fn perform(step: &Step, progress: &mut Progress, output: &mut Output) -> Result<(), Failure> {
    match step {
        Step::Pin { target: wanted, first } => {
            let target = Target::open(wanted.pid).map_err(|error| no_process(wanted.pid, first, &error))?;
            if let Some(inode) = wanted.inode
                && target.inode() != Some(inode)
            {
                let text = text!["process ", wanted.pid, " is not the one with inode ", inode];
                return Err(Failure::new(1, text).hint("the number belongs to another process by now"));
            }
            progress.target = Some(target);
            Ok(())
        }
        Step::Open(kind, source) => open(*kind, source, progress),
        Step::OpenUserParent => open_user_parent(progress),
        Step::OpenSocketNamespace(fd) => open_socket_namespace(*fd, progress),
        Step::OpenRoot(place) => {
            progress.root = Some(open_place(place, "root", progress)?);
            Ok(())
        }
        Step::OpenWorkingDirectory(place) => {
            progress.working_directory = Some(open_place(place, "cwd", progress)?);
            Ok(())
        }
        Step::ReadEnvironment => {
            let text = progress.target()?.read("environ", usize::MAX).map_err(cannot_open)?;
            progress.environment = Environment::Exactly(environment(&text));
            Ok(())
        }
        Step::OpenCgroups => {
            progress.cgroups = cgroup::open_procs(progress.target()?).map_err(cannot_open)?;
            Ok(())
        }
        Step::Enter { .. } | Step::Fork { .. } => Ok(()),
        Step::KeepWorkingDirectory => {
            progress.working_directory =
                Some(open_directory(OsStr::new(".")).map_err(named("cannot open current working directory"))?);
            Ok(())
        }
        Step::ChangeRoot => match progress.root.take() {
            Some(root) => change_root(root.as_fd()).map_err(|error| {
                let what = match error.call {
                    "fchdir" => "change directory by root file descriptor failed",
                    "chroot" => "chroot failed",
                    _ => "cannot change directory to /",
                };
                named(what)(error)
            }),
            None => Ok(()),
        },
        Step::OpenInside(path) => {
            progress.working_directory =
                Some(open_directory(path).map_err(named("cannot open current working directory"))?);
            Ok(())
        }
        Step::ChangeDirectory => match progress.working_directory.take() {
            Some(place) => directory::fchdir(place.as_fd())
                .map_err(named("change directory by working directory file descriptor failed")),
            None => Ok(()),
        },
        Step::JoinCgroups => progress
            .cgroups
            .drain(..)
            .try_for_each(|procs| cgroup::join(&procs))
            .map_err(named("write cgroup.procs failed")),
        Step::Become(whom) => become_user(*whom, progress),
        Step::KeepCapabilities if progress.user => capability::keep_across_exec()
            .map_err(|error| named(if error.call == "prctl" { "prctl failed" } else { "capset failed" })(error)),
        Step::KeepCapabilities => Ok(()),
        Step::DieWithParent(signal) => progress.forking.die_with_parent(*signal),
        Step::Exec(operands) => {
            progress.forking.restore_signals()?;
            let program = Program::or_shell(operands, std::mem::take(&mut progress.environment));
            Err(failed_to_execute(&program.exec(output)))
        }
    }
}

impl Progress {
    fn target(&self) -> Result<&Target, Failure> {
        self.target.as_ref().ok_or_else(|| Failure::new(1, text!["no target PID specified"]))
    }
}

fn open(kind: Kind, source: &Source, progress: &mut Progress) -> Result<(), Failure> {
    let fd = match source {
        Source::File(path) => namespace::open(path).map_err(cannot_open_namespace)?,
        Source::Id(id) => namespace::open_by_id(*id).map_err(|error| {
            let failure = Failure::new(1, text!["cannot open namespace ", id, ": ", error.errno]);
            explained(failure, diagnosis::Step::OpenById, error.errno)
        })?,
        Source::Target => return Ok(()),
    };
    progress.entries.opened.push((kind, fd));
    Ok(())
}

/// The parent of the user namespace given by file, else of the target's; without either, the
/// owner of the first namespace that is given.
fn open_user_parent(progress: &mut Progress) -> Result<(), Failure> {
    let failed = |error: Error| Failure::new(1, text!["cannot get parent user namespace: ", error.errno]);
    let opened = &progress.entries.opened;
    let user = opened.iter().find(|(kind, _)| *kind == Kind::User);
    let parent = match (user, &progress.target, opened.first()) {
        (Some((_, user)), _, _) => namespace::parent(user.as_fd()),
        (None, Some(target), _) => target.namespace(Kind::User).and_then(|user| namespace::parent(user.as_fd())),
        (None, None, Some((_, other))) => namespace::owner(other.as_fd()),
        (None, None, None) => return Err(Failure::new(1, text!["no target PID specified"])),
    };
    let parent = parent.map_err(failed)?;
    progress.entries.opened.retain(|(kind, _)| *kind != Kind::User);
    progress.entries.opened.push((Kind::User, parent));
    Ok(())
}

fn open_socket_namespace(fd: i32, progress: &mut Progress) -> Result<(), Failure> {
    let socket = progress
        .target()?
        .descriptor(fd)
        .map_err(|error| Failure::new(1, text!["unable to get target process's socket ", fd, ": ", error.errno]))?;
    let net = namespace::of_socket(socket.as_fd()).map_err(|error| {
        let failure = Failure::new(1, text!["cannot get network namespace of socket ", fd, ": ", error.errno]);
        explained(failure, diagnosis::Step::OfSocket, error.errno)
    })?;
    progress.entries.opened.retain(|(kind, _)| *kind != Kind::Net);
    progress.entries.opened.push((Kind::Net, net));
    Ok(())
}

fn open_place(place: &Place, name: &str, progress: &Progress) -> Result<OwnedFd, Failure> {
    match place {
        Place::Target => progress.target()?.directory(name).map_err(cannot_open),
        Place::Path(path) => open_directory(path).map_err(cannot_open),
    }
}

fn enter(from_target: &[Kind], all: bool, preserve: bool, progress: &mut Progress) -> Result<(), Failure> {
    let mut entries = std::mem::take(&mut progress.entries);
    entries.from_target = from_target.to_vec();
    if all {
        let target = progress.target()?;
        for kind in namespace::KINDS.into_iter().filter(|kind| !entries.contain(*kind)).collect::<Vec<_>>() {
            // One's own user namespace cannot be entered again; the others can, by who may.
            if kind != Kind::User || may_enter_user(target) {
                entries.from_target.push(kind);
                entries.unnamed.push(kind);
            }
        }
    }
    if let Some(target) = progress.target.as_ref().filter(|target| target.pid == 1)
        && !entries.from_target.is_empty()
        && linux::io::is_terminal(2)
        && entries.from_target.iter().all(|kind| target.shares(*kind) == Some(true))
    {
        cli::failure::hint_on_terminal(diagnosis::SHARES_EVERYTHING);
    }
    progress.user = entries.contain(Kind::User);
    progress.pid = entries.contain(Kind::Pid);
    if progress.user && !preserve {
        // Outside we may be permitted what inside is denied.
        progress.groups_refused = credentials::set_groups(&[]).is_err();
    }
    entries.enter(progress.target.as_ref())
}

/// Whether a process has a user namespace that is not ours.
fn may_enter_user(target: &Target) -> bool {
    match (target.identity(Kind::User), namespace::own(Kind::User)) {
        (Err(error), _) => error.errno != Errno::ENOENT,
        (Ok(theirs), own) => own.ok() != Some(theirs),
    }
}

/// Forks. `None` in the child; in the parent the child's exit status, when it has ended.
fn fork(
    forward_signals: bool,
    dies_with_parent: bool,
    progress: &mut Progress,
    output: &mut Output,
) -> Result<Option<u8>, Failure> {
    let blocked = if forward_signals { FORWARDING } else { &[] };
    match progress.forking.fork(How { blocked, dies_with_parent }, output)? {
        None => Ok(None),
        Some(child) => {
            let attendance = Attendance { forward_signals, job_control: true };
            match process::attend(child, attendance).map_err(named("waitpid failed"))? {
                Status::Exited(status) => Ok(Some(status)),
                Status::Signaled(signal) | Status::Stopped(signal) => {
                    process::die_of(signal);
                    Ok(Some(1))
                }
            }
        }
    }
}

fn become_user(whom: Become, progress: &Progress) -> Result<(), Failure> {
    let by_default = (progress.user && !whom.preserve).then_some(Id::Number(0));
    let owner = || {
        progress.target()?.owner().map_err(|error| Failure::new(1, text!["can not get process stat: ", error.errno]))
    };
    let gid = match whom.gid.or(by_default) {
        Some(Id::Number(gid)) => Some(gid),
        Some(Id::Follow) => Some(owner()?.1),
        None => None,
    };
    let uid = match whom.uid.or(by_default) {
        Some(Id::Number(uid)) => Some(uid),
        Some(Id::Follow) => Some(owner()?.0),
        None => None,
    };
    if let Some(gid) = gid {
        match credentials::set_groups(&[]) {
            // They were dropped before we entered a namespace that denies it.
            Err(_) if progress.user && !whom.preserve && !progress.groups_refused => {}
            done => done.map_err(named("setgroups failed"))?,
        }
        credentials::set_gid(gid).map_err(named("setgid failed"))?;
    }
    if let Some(uid) = uid {
        credentials::set_uid(uid).map_err(named("setuid failed"))?;
    }
    Ok(())
}

/// The entries of /proc/PID/environ; the first of a name counts.
fn environment(text: &[u8]) -> Vec<OsString> {
    let name_of = |entry: &'_ [u8]| entry.iter().position(|byte| *byte == b'=');
    let entries: Vec<&[u8]> = text.split(|byte| *byte == 0).filter(|entry| name_of(entry).is_some()).collect();
    let mut named: Vec<(&[u8], usize)> =
        entries.iter().enumerate().filter_map(|(index, entry)| Some((entry.get(..name_of(entry)?)?, index))).collect();
    named.sort_unstable();
    named.dedup_by_key(|(name, _)| *name);
    named.sort_unstable_by_key(|(_, index)| *index);
    let kept = named.iter().filter_map(|(_, index)| entries.get(*index));
    kept.map(|entry| OsStr::from_bytes(entry).to_os_string()).collect()
}

fn no_process(pid: i32, first: &str, error: &Error) -> Failure {
    let failure = Failure::new(1, text!["cannot open /proc/", pid, "/ns/", first, ": ", error.errno]);
    explained(failure, diagnosis::Step::FindProcess(pid), error.errno)
}

fn cannot_open_namespace(error: Error) -> Failure {
    let errno = error.errno;
    explained(cannot_open(error), diagnosis::Step::OpenNamespace, errno)
}

fn cannot_open(error: Error) -> Failure {
    Failure::new(1, text!["cannot open ", error.object, ": ", error.errno])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_variables_of_a_name_the_first_counts() {
        assert_eq!(
            environment(b"B=1\0A=2\0B=3\0junk\0B\xff=\0"),
            [OsStr::new("B=1"), OsStr::new("A=2"), OsStr::from_bytes(b"B\xff=")]
        );
    }
}
