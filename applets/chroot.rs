//! chroot: run a command with another root directory. GNU coreutils' manual is the reference.
//!
//! Names of users and groups are looked up twice: in the old root's account files before chroot(2), in the new root's
//! after it. If both know a name with different numbers, the new root's number is used, since the program runs there.

mod explain;
mod options;
mod plan;
mod userspec;

use cli::explain::Explanation;
use cli::failure::{Line, named_with, warn};
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section, quote, text};
use hints::{Step, explained};
use linux::{credentials, directory};
use options::{FAILED, OPTIONS, Options};
use plan::ChrootPlan;
use std::ffi::OsStr;
use userspec::{Identity, OutsideIds};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "chroot",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::Coreutils,
    summary: "Run COMMAND with root directory set to NEWROOT",
    synopsis: "[OPTION]... NEWROOT [COMMAND [ARG]...]",
    notes: "If no command is given, run '\"$SHELL\" -i' (default: '/bin/sh -i').\n\n\
            Exit status:\n\
            \x20 125  chroot itself failed\n\
            \x20 126  COMMAND was found but could not be run\n\
            \x20 127  COMMAND was not found\n\
            \x20 -    the exit status of COMMAND otherwise",
    usage_status: FAILED,
    options: &options::OPTIONS.specs,
    run,
    explain,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    let plan = plan::plan(options, &operands)?;
    carry_out(&plan, invocation, output)
}

/// The plan in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(None);
    };
    Ok(Some(explain::explanation(&plan::plan(options, &operands)?)))
}

fn carry_out(plan: &ChrootPlan, invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let outside = if plan.looks_outside { userspec::look_up_outside(&plan.wanted) } else { OutsideIds::default() };
    // If the new root was found to be the old one, use "/": resolved again, its path could lead to another directory.
    let new_root = if plan.chdir { plan.new_root } else { OsStr::new("/") };
    directory::chroot(new_root).map_err(|error| {
        let text = text!["cannot change root directory to ", quote::shell(plan.new_root), ": ", error.errno];
        explained(Failure::new(FAILED, text), Step::Chroot(plan.new_root), error.errno)
    })?;
    if plan.chdir {
        directory::chdir(OsStr::new("/"))
            .map_err(|error| cli::fail!(FAILED, "cannot chdir to root directory: ", error.errno))?;
    }
    let identity = userspec::look_up_inside(&plan.wanted, outside)?;
    if let Some(warning) = &identity.warning {
        warn(invocation, &Line::Named(warning.clone()));
    }
    become_user(&identity)?;
    let error = plan.program.exec(output);
    let text = text!["failed to run command ", quote::locale(&error.file), ": ", error.errno];
    Err(explained(Failure::new(error.status(), text), Step::Exec(&error), error.errno))
}

fn become_user(identity: &Identity) -> Result<(), Failure> {
    let failed = |what: &'static str| named_with(FAILED, what);
    if let Some(groups) = &identity.groups {
        credentials::set_groups(groups).map_err(|error| {
            let failure = failed("failed to set supplemental groups")(error);
            match groups.len() > credentials::MOST_GROUPS {
                true => failure.hint(text!["a process has at most ", credentials::MOST_GROUPS, " groups"]),
                false => failure,
            }
        })?;
    }
    if let Some(gid) = identity.gid {
        credentials::set_gid(gid).map_err(failed("failed to set group-ID"))?;
    }
    if let Some(uid) = identity.uid {
        credentials::set_uid(uid).map_err(failed("failed to set user-ID"))?;
    }
    Ok(())
}
