//! Carries out a plan. The first step that fails ends it, and the program is not run.

use super::outside::Helper;
use super::plan::{self, UnsharePlan, UnshareStep};
use cli::failure::{failed, hints_wanted, named};
use cli::{Failure, Outcome, Output};
use hints::explained;
use linux::mount::Propagation;
use linux::namespace::idmap;
use linux::namespace::{self, Kind};
use linux::process::{self, FORWARDED, Forwarding, Status};
use linux::{Errno, Error, caps, credentials, directory, mount};
use run::exec::{Program, failed_to_execute};
use run::fork::{FORWARDING, ForkOptions, Forked, Forking, How, Tie};
use std::ffi::OsStr;

/// Carries the plan out. Returns in a parent with the child's status, and on failure.
pub fn carry_out(plan: &UnsharePlan, output: &mut Output) -> Outcome {
    let mut forking = Forking::default();
    let mut helper = match &plan.outside {
        Some(work) => {
            forking.expect_children()?;
            Some(Helper::start(work)?)
        }
        None => None,
    };
    let outcome = in_order(plan, &mut helper, &mut forking, output);
    if let Some(helper) = helper {
        // It has to undo what was done in vain, and whoever sees our end must find it undone.
        helper.finish();
    }
    outcome
}

fn in_order(
    plan: &UnsharePlan,
    helper: &mut Option<Helper<'_>>,
    forking: &mut Forking,
    output: &mut Output,
) -> Outcome {
    let keeps_mount = |work: &plan::Outside| work.files.iter().any(|(kind, _)| *kind == Kind::Mount);
    let outer = plan.outside.as_ref().filter(|work| keeps_mount(work)).and_then(|_| namespace::mount_id().ok());
    plan.making.iter().try_for_each(perform)?;
    if let Some(outer) = outer {
        // Before the fork, so that the child is in the same one.
        namespace::outnumber(outer).map_err(named("sched_setaffinity failed"))?;
    }
    if let Some(helper) = helper {
        helper.map()?;
    }
    plan.made.iter().try_for_each(perform)?;
    let mut tie = None;
    if let Some(how) = plan.fork {
        if plan.guards_parent {
            set_dumpable(false)?;
        }
        match fork(how, helper, forking, output)? {
            Here::Child(tied) => tie = tied,
            Here::Parent(status) => return Ok(status),
        }
        if plan.frees_child {
            set_dumpable(true)?;
        }
    }
    if let Some(helper) = helper {
        helper.keep()?;
    }
    plan.inside.iter().try_for_each(perform)?;
    if let Some(tie) = tie {
        tie.fasten()?;
    }
    forking.restore_signals()?;
    // After all that can fail: what it has bound stays from here on.
    if let Some(helper) = helper.take() {
        helper.release()?;
    }
    let program = Program::or_shell(&plan.operands, plan.environment.clone());
    Err(failed_to_execute(&program.exec(output)))
}

fn perform(step: &UnshareStep) -> Result<(), Failure> {
    match step {
        UnshareStep::BecomeOwner { uid, gid } => {
            let (uid, gid) = (*uid, *gid);
            credentials::set_groups(&[]).map_err(named("setgroups failed"))?;
            credentials::set_gid(gid).map_err(named("setgid failed"))?;
            credentials::set_uid(uid).map_err(named("setuid failed"))
        }
        UnshareStep::Unshare(kinds) => unshare(kinds),
        UnshareStep::Offset(clock, seconds) => namespace::set_clock_offset(*clock, *seconds).map_err(|error| {
            let what = if error.call == "open" { "failed to open " } else { "failed to write to " };
            cli::fail!(1, what, error.object, ": ", error.errno)
        }),
        UnshareStep::MapHere(ids, extent) => idmap::write("self", *ids, &[*extent]).map_err(map_failed),
        UnshareStep::Setgroups(allow) => idmap::set_setgroups(*allow).map_err(map_failed),
        UnshareStep::Propagate(propagation) => mount::propagation::set_recursive("/", *propagation).map_err(|error| {
            let failure = failed("cannot change root filesystem propagation", &error);
            explained(failure, hints::Step::Propagate, error.errno)
        }),
        UnshareStep::MakePrivate(path) => match mount::propagation::set_recursive(path, Propagation::Private) {
            // Nothing is mounted there.
            Err(error) if error.errno == Errno::EINVAL => Ok(()),
            done => done.map_err(|error| about("cannot change ", path, " filesystem propagation", &error)),
        },
        UnshareStep::Chroot(path) => directory::chroot(path).map_err(|error| {
            let failure = about("cannot change root directory to '", path, "'", &error);
            explained(failure, hints::Step::Chroot(path), error.errno)
        }),
        UnshareStep::Chdir(path) => {
            directory::chdir(path).map_err(|error| about("cannot change directory to ", path, "", &error))
        }
        UnshareStep::MountProc { directory: path, root } => mount::mount_proc(path).map_err(|error| {
            let failure = about("mount ", path, " failed", &error);
            let step = hints::Step::MountProc { directory: path, root: *root };
            explained(failure, step, error.errno)
        }),
        UnshareStep::MountBinfmt(path) => {
            mount::mount_binfmt_misc(path).map_err(|error| about("mount ", path, " failed", &error))
        }
        UnshareStep::Register { directory, definition } => {
            let mut path = directory.to_os_string();
            path.push("/register");
            namespace::write_file(&path, definition.as_encoded_bytes())
                .map_err(|error| about("write failed ", &path, "", &error))
        }
        UnshareStep::DropGroups => credentials::set_groups(&[]).map_err(named("setgroups failed")),
        UnshareStep::SetGid(gid) => credentials::set_gid(*gid).map_err(named("setgid() failed")),
        UnshareStep::SetUid(uid) => credentials::set_uid(*uid).map_err(named("setuid() failed")),
        UnshareStep::KeepPermitted => caps::set_keep_capabilities(1).map_err(named("prctl failed")),
        UnshareStep::KeepCapabilities => caps::keep_across_exec()
            .map_err(|error| named(if error.call == "prctl" { "prctl failed" } else { "capset failed" })(error)),
        UnshareStep::WarnOfPidWithoutFork => {
            cli::failure::hint_on_terminal(hints::PID_WITHOUT_FORK);
            Ok(())
        }
    }
}

fn set_dumpable(dumpable: bool) -> Result<(), Failure> {
    process::set_dumpable(dumpable).map_err(named("prctl failed"))
}

/// Where we are after a fork.
enum Here {
    Child(Option<Tie>),
    /// In the parent, when the child has ended with this status.
    Parent(u8),
}

fn fork(
    how: ForkOptions,
    helper: &mut Option<Helper<'_>>,
    forking: &mut Forking,
    output: &mut Output,
) -> Result<Here, Failure> {
    let blocked = if how.forward_signals { FORWARDING } else { &FORWARDED };
    match forking.fork(How { blocked, kill_child: how.kill_child }, output)? {
        Forked::Child(tie) => Ok(Here::Child(tie)),
        Forked::Parent(child) => {
            if let Some(helper) = helper.take() {
                // It ends when the child has hung up, too: at the exec.
                helper.finish();
            }
            let forwarding = Forwarding { forward_signals: how.forward_signals, job_control: false };
            match process::wait_forwarding(child, forwarding).map_err(named("waitpid failed"))? {
                Status::Exited(status) => Ok(Here::Parent(status)),
                Status::Signaled(signal) | Status::Stopped(signal) => {
                    linux::signal::die_of(signal);
                    Err(cli::fail!(1, "child exit failed"))
                }
            }
        }
    }
}

fn unshare(kinds: &[Kind]) -> Result<(), Failure> {
    let flags = kinds.iter().fold(0, |flags, kind| flags | kind.flag());
    namespace::unshare(flags).map_err(|error| {
        let refused = if hints_wanted() && kinds.len() > 1 { namespace::refused(kinds) } else { Vec::new() };
        let step = hints::Step::Unshare { kinds, refused: &refused };
        explained(failed("unshare failed", &error), step, error.errno)
    })
}

fn map_failed(error: Error) -> Failure {
    let what = if error.call == "open" { "cannot open " } else { "write failed " };
    let failure = cli::fail!(1, what, error.object, ": ", error.errno);
    explained(failure, hints::Step::Map, error.errno)
}

fn about(before: &str, path: &OsStr, after: &str, error: &Error) -> Failure {
    cli::fail!(1, before, path, after, ": ", error.errno)
}
