//! Carrying a plan out. The first step that fails ends it, and the program is not run.

use super::outside::{self, Helper};
use super::plan::{self, Step};
use cli::diagnosis;
use cli::exec::{Program, failed_to_execute};
use cli::failure::hints_wanted;
use cli::{Failure, Outcome, Output, text};
use linux::mount::Propagation;
use linux::namespace::{self, Kind};
use linux::process::{self, Attendance, Disposition, FORWARDED, Fork, SignalMask, Status, signals};
use linux::{Errno, Error, capability, credentials, directory, idmap, mount};
use std::ffi::OsString;

/// What the steps leave for later ones.
#[derive(Default)]
struct Progress {
    helper: Option<Helper>,
    /// How SIGCHLD was set before we changed it.
    sigchld: Option<Disposition>,
    /// In the child: the mask we were given.
    mask: Option<SignalMask>,
    /// In the child: the parent as it was before the fork.
    parent: Option<process::Parent>,
}

/// Carries the steps out. Returns in a parent with the child's status, and on failure.
pub fn carry_out(steps: &[Step], output: &mut Output) -> Outcome {
    let mut progress = Progress::default();
    let outcome = in_order(steps, &mut progress, output);
    if let Some(helper) = progress.helper.take() {
        // It has to undo what was done in vain, and whoever sees our end must find it undone.
        helper.finish();
    }
    outcome
}

fn in_order(steps: &[Step], progress: &mut Progress, output: &mut Output) -> Outcome {
    for step in steps {
        match step {
            Step::Fork(how) => {
                if let Some(status) = fork(*how, progress, output)? {
                    return Ok(status);
                }
            }
            step => perform(step, progress, output)?,
        }
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
        Step::Keep => progress.helper.as_ref().map_or(Ok(()), Helper::keep),
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
        Step::KeepCapabilities => capability::keep_across_exec().map_err(|error| {
            named(if error.call == "prctl" { "prctl failed" } else { "capset failed" })(error)
        }),
        Step::DieWithParent(signal) => {
            process::die_with_parent(*signal).map_err(named("prctl failed"))?;
            let ended = progress.parent.as_mut().map_or(Ok(false), process::Parent::has_ended);
            if ended.map_err(named("poll parent pidfd failed"))? { Err(Failure::silent(1)) } else { Ok(()) }
        }
        Step::WarnOfPidWithoutFork => {
            cli::failure::hint_on_terminal(diagnosis::PID_WITHOUT_FORK);
            Ok(())
        }
        Step::Exec { operands, environment } => {
            progress.restore_signals()?;
            // After all that can fail: what it has bound stays from here on.
            if let Some(helper) = progress.helper.take() {
                helper.release()?;
            }
            let program = Program::or_shell(operands, environment.clone());
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
fn fork(how: plan::Fork, progress: &mut Progress, output: &mut Output) -> Result<Option<u8>, Failure> {
    progress.expect_children()?;
    let blocked = [FORWARDED.as_slice(), &[signals::SIGCHLD]].concat();
    let blocked = if how.forward_signals { blocked.as_slice() } else { FORWARDED.as_slice() };
    let mask = process::block(blocked).map_err(named("sigprocmask block failed"))?;
    let parent = if how.dies_with_parent {
        Some(process::Parent::watch().map_err(named("pidfd_open failed"))?)
    } else {
        None
    };
    // What is buffered would be written by both.
    let _ = output.flush();
    match process::fork().map_err(outside::fork_failed)? {
        Fork::Child => {
            progress.mask = Some(mask);
            progress.parent = parent;
            Ok(None)
        }
        Fork::Parent(child) => {
            if let Some(helper) = progress.helper.take() {
                // It ends when the child has hung up, too: at the exec.
                helper.finish();
            }
            let attendance = Attendance { forward_signals: how.forward_signals, job_control: false };
            match process::attend(child, attendance).map_err(named("waitpid failed"))? {
                Status::Exited(status) => Ok(Some(status)),
                Status::Signaled(signal) | Status::Stopped(signal) => {
                    process::die_of(signal);
                    Err(Failure::new(1, text!["child exit failed"]))
                }
            }
        }
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
