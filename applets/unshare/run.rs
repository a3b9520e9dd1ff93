//! Carrying a plan out. The first step that fails ends it, and the program is not run.

use super::outside::{self, Helper};
use super::plan::{self, Keeper, Step};
use cli::diagnosis;
use cli::exec::failed_to_execute;
use cli::failure::hints_wanted;
use cli::{Failure, Outcome, Output, text};
use linux::mount::Propagation;
use linux::namespace::{self, Kind};
use linux::process::{self, Attendance, Channel, Disposition, FORWARDED, Fork, Pid, SignalMask, Status, signals};
use linux::{Errno, Error, credentials, directory, idmap, mount};
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};

/// What the steps leave for later ones.
#[derive(Default)]
struct Progress {
    helper: Option<Helper>,
    /// How SIGCHLD was set before we changed it.
    sigchld: Option<Disposition>,
    /// In the child: the mask we were given.
    mask: Option<SignalMask>,
    /// In the child: the parent as it was before the fork.
    parent: Option<OwnedFd>,
    /// Until the namespaces are kept: the files, and the child's end of the channel to its parent.
    waits_for_parent: Option<Channel>,
}

/// Carries the steps out. Returns in a parent with the child's status, and on failure.
pub fn carry_out(steps: &[Step], output: &mut Output) -> Outcome {
    let mut progress = Progress::default();
    let mut steps = steps.iter().peekable();
    while let Some(step) = steps.next() {
        if let Step::Fork(how) = *step {
            let keeper = match steps.peek() {
                Some(Step::Keep(keeper)) => Some(keeper),
                _ => None,
            };
            if let Some(outcome) = fork(how, keeper, &mut progress, output)? {
                return Ok(outcome);
            }
            continue;
        }
        perform(step, &mut progress, output)?;
    }
    Ok(0)
}

fn perform(step: &Step, progress: &mut Progress, output: &mut Output) -> Result<(), Failure> {
    match step {
        Step::StayOutside(work) => {
            progress.expect_children()?;
            progress.helper = Some(Helper::start(work)?);
            Ok(())
        }
        Step::BecomeOwner { uid, gid } => {
            let (uid, gid) = (*uid, *gid);
            credentials::set_groups(&[]).map_err(named("setgroups failed"))?;
            credentials::set_gid(gid).map_err(named("setgid failed"))?;
            credentials::set_uid(uid).map_err(named("setuid failed"))
        }
        Step::Unshare(kinds) => unshare(kinds),
        Step::MapFromOutside => progress.helper.as_ref().map_or(Ok(()), Helper::map),
        Step::Offset(clock, seconds) => namespace::set_clock_offset(*clock, *seconds).map_err(|error| {
            let what = if error.call == "open" { "failed to open " } else { "failed to write to " };
            Failure::new(1, text![what, error.object, ": ", error.errno])
        }),
        Step::Fork(_) => Ok(()),
        Step::Keep(keeper) => match progress.waits_for_parent.take() {
            Some(parent) => wait_until_kept(&parent),
            None => keep(keeper, process::id(), progress),
        },
        Step::MapHere(ids, extent) => idmap::write("self", *ids, &[*extent]).map_err(map_failed),
        Step::Setgroups(allow) => idmap::set_setgroups(*allow).map_err(map_failed),
        Step::Propagate(propagation) => mount::set_propagation_recursive("/", *propagation)
            .map_err(named("cannot change root filesystem propagation")),
        Step::MakePrivate(path) => match mount::set_propagation_recursive(path, Propagation::Private) {
            // Nothing is mounted there.
            Err(error) if error.errno == Errno::EINVAL => Ok(()),
            done => done.map_err(|error| about("cannot change ", path, " filesystem propagation", &error)),
        },
        Step::Chroot(path) => directory::chroot(path)
            .map_err(|error| about("cannot change root directory to '", path, "'", &error)),
        Step::Chdir(path) => {
            directory::chdir(path).map_err(|error| about("cannot change directory to ", path, "", &error))
        }
        Step::MountProc(path) => {
            mount::mount_proc(path).map_err(|error| {
                let hints = diagnosis::hints(diagnosis::Step::MountProc(path), error.errno);
                about("mount ", path, " failed", &error).with_hints(hints)
            })
        }
        Step::MountBinfmt(path) => {
            mount::mount_binfmt_misc(path).map_err(|error| about("mount ", path, " failed", &error))
        }
        Step::Register { directory, definition } => {
            let mut path = directory.clone();
            path.push("/register");
            namespace::write_file(&path, definition.as_encoded_bytes())
                .map_err(|error| about("write failed ", &path, "", &error))
        }
        Step::DropGroups => credentials::set_groups(&[]).map_err(named("setgroups failed")),
        Step::SetGid(gid) => credentials::set_gid(*gid).map_err(named("setgid failed")),
        Step::SetUid(uid) => credentials::set_uid(*uid).map_err(named("setuid failed")),
        Step::KeepCapabilities => keep_capabilities(),
        Step::DieWithParent(signal) => {
            process::die_with_parent(*signal).map_err(named("prctl failed"))?;
            match &progress.parent {
                Some(parent) if process::has_ended(parent.as_fd()).map_err(named("poll parent pidfd failed"))? => {
                    Err(Failure::silent(1))
                }
                _ => Ok(()),
            }
        }
        Step::WarnOfPidWithoutFork => {
            cli::failure::hint_on_terminal(diagnosis::PID_WITHOUT_FORK);
            Ok(())
        }
        Step::Exec(program) => {
            if let Some(helper) = progress.helper.take() {
                helper.finish();
            }
            progress.restore_signals()?;
            Err(failed_to_execute(&program.exec(output)))
        }
    }
}

impl Progress {
    /// With SIGCHLD ignored, as it may have been inherited, there would be no status to wait for.
    fn expect_children(&mut self) -> Result<(), Failure> {
        if self.sigchld.is_none() {
            self.sigchld =
                Some(process::reset_to_default(signals::SIGCHLD).map_err(named("sigaction failed"))?);
        }
        Ok(())
    }

    /// The program gets the mask and the dispositions that we got.
    fn restore_signals(&mut self) -> Result<(), Failure> {
        if let Some(sigchld) = self.sigchld.take() {
            sigchld.restore().map_err(named("sigaction failed"))?;
        }
        if let Some(mask) = self.mask.take() {
            mask.restore().map_err(named("sigprocmask restore failed"))?;
        }
        Ok(())
    }
}

/// Forks. `None` in the child; in the parent the child's exit status, when it has ended.
fn fork(
    how: plan::Fork,
    keeper: Option<&Keeper>,
    progress: &mut Progress,
    output: &mut Output,
) -> Result<Option<u8>, Failure> {
    progress.expect_children()?;
    let blocked = [FORWARDED.as_slice(), &[signals::SIGCHLD]].concat();
    let blocked = if how.forward_signals { blocked.as_slice() } else { FORWARDED.as_slice() };
    let mask = process::block(blocked).map_err(named("sigprocmask block failed"))?;
    let parent = if how.dies_with_parent {
        Some(process::pidfd_open(process::id()).map_err(named("pidfd_open failed"))?)
    } else {
        None
    };
    let channel = match &keeper {
        Some(_) => Some(process::channel().map_err(named("socketpair failed"))?),
        None => None,
    };
    // What is buffered would be written by both.
    let _ = output.flush();
    match process::fork().map_err(outside::fork_failed)? {
        Fork::Child => {
            // The process outside ends when the last of us hangs up, and only the parent waits for it.
            progress.helper = None;
            progress.mask = Some(mask);
            progress.parent = parent;
            progress.waits_for_parent = channel.map(|(_, theirs)| theirs);
            Ok(None)
        }
        Fork::Parent(child) => {
            let kept = keeper.map_or(Ok(()), |keeper| keep(keeper, process::id(), progress));
            if let (Ok(()), Some((ours, _))) = (&kept, &channel) {
                // A child that is gone already is noticed by the wait.
                let _ = ours.send(b"k");
            }
            drop(channel);
            if let Some(helper) = progress.helper.take() {
                helper.finish();
            }
            let attendance = Attendance { forward_signals: how.forward_signals, job_control: false };
            let status = process::attend(child, attendance).map_err(named("waitpid failed"));
            kept?;
            match status? {
                Status::Exited(status) => Ok(Some(status)),
                Status::Signaled(signal) | Status::Stopped(signal) => {
                    process::die_of(signal);
                    Err(Failure::new(1, text!["child exit failed"]))
                }
            }
        }
    }
}

/// In the child: the program starts only after its namespaces are on their files.
fn wait_until_kept(parent: &Channel) -> Result<(), Failure> {
    let mut word = [0];
    match parent.receive(&mut word) {
        Ok(Some(_)) => Ok(()),
        // The parent says why.
        _ => Err(Failure::silent(1)),
    }
}

fn keep(keeper: &Keeper, pid: Pid, progress: &Progress) -> Result<(), Failure> {
    match keeper {
        Keeper::Here(files, forks) => outside::keep(pid, files, *forks),
        Keeper::Outside => progress.helper.as_ref().map_or(Ok(()), Helper::keep),
    }
}

fn unshare(kinds: &[Kind]) -> Result<(), Failure> {
    let flags = kinds.iter().fold(0, |flags, kind| flags | kind.flag());
    namespace::unshare(flags).map_err(|error| {
        let refused = if hints_wanted() && kinds.len() > 1 { namespace::refused(kinds) } else { Vec::new() };
        let step = diagnosis::Step::Unshare { kinds, refused: &refused };
        failed("unshare failed", &error).with_hints(diagnosis::hints(step, error.errno))
    })
}

fn map_failed(error: Error) -> Failure {
    let what = if error.call == "open" { "cannot open " } else { "write failed " };
    Failure::new(1, text![what, error.object, ": ", error.errno])
        .with_hints(diagnosis::hints(diagnosis::Step::Map, error.errno))
}

/// Lets the capabilities in the new user namespace survive the exec, whatever the uid is.
fn keep_capabilities() -> Result<(), Failure> {
    Err(Failure::new(1, text!["not yet"]))
}

fn named(what: &'static str) -> impl Fn(Error) -> Failure {
    move |error| failed(what, &error)
}

#[cold]
#[inline(never)]
fn failed(what: &str, error: &Error) -> Failure {
    Failure::new(1, text![what, ": ", error.errno])
}

fn about(before: &str, path: &OsString, after: &str, error: &Error) -> Failure {
    Failure::new(1, text![before, path, after, ": ", error.errno])
}
