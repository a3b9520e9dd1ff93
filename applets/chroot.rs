//! chroot: run a command with another root directory. GNU coreutils' manual is the reference.
//!
//! Names of users and groups are looked up in the account files of both roots, outside before
//! chroot(2) and inside after it. Where the two know a name under different numbers, the inside
//! one counts throughout: the program runs as the user of the root that it runs in.

mod explain;
mod userspec;

use cli::explain::Explanation;
use cli::failure::{Line, warn};
use cli::{Applet, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Table, quote, text};
use hints::{Step, explained};
use linux::process::{Argv, SearchPath, Variables};
use linux::{credentials, directory};
use run::exec::Program;
use std::ffi::{OsStr, OsString};
use userspec::{Identity, Outside, Wanted};

/// chroot itself failed.
const FAILED: u8 = 125;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "chroot",
    directory: "usr/sbin",
    section: "8",
    origin: Origin::Coreutils,
    summary: "Run COMMAND with root directory set to NEWROOT",
    synopsis: &["[OPTION]... NEWROOT [COMMAND [ARG]...]"],
    notes: "If no command is given, run '\"$SHELL\" -i' (default: '/bin/sh -i').\n\n\
            Exit status:\n\
            \x20 125  chroot itself failed\n\
            \x20 126  COMMAND was found but could not be run\n\
            \x20 127  COMMAND was not found\n\
            \x20 -    the exit status of COMMAND otherwise",
    usage_status: FAILED,
    options: &OPTIONS.specs,
    run,
    explain,
};

/// What was typed.
#[derive(Default, Debug)]
struct Options {
    groups: Option<&'static OsStr>,
    userspec: Option<&'static OsStr>,
    skip_chdir: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::value(None, "groups", "G_LIST", "supplementary groups, as g1,g2,..,gN", |options, list| {
        options.groups = Some(list);
        Ok(())
    }),
    Opt::value(None, "userspec", "USER:GROUP", "user and group to run as, by name or number", |options, spec| {
        options.userspec = Some(spec);
        Ok(())
    }),
    Opt::flag(None, "skip-chdir", "do not change the working directory to '/'", |options| {
        options.skip_chdir = true;
    }),
    Opt::help(None),
    Opt::version(None),
];

/// The rows, packed.
static OPTIONS: Table<Options> = cli::table!(ROWS);

/// What will be done, in order.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    new_root: OsString,
    /// Whether names are looked up in the old root first: some are wanted. Where it is the new one, too,
    /// that changes nothing, so nobody asks, and the new root's path is resolved once.
    looks_outside: bool,
    /// Whether the working directory moves, too. If not, the new root was found to be the old one.
    chdir: bool,
    wanted: Wanted,
    program: Program,
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    let plan = plan(options, &operands)?;
    carry_out(&plan, invocation, output)
}

/// The plan in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(None);
    };
    Ok(Some(explain::explanation(&plan(options, &operands)?)))
}

fn plan(options: Options, operands: &[OsString]) -> Result<Plan, Failure> {
    let (new_root, command) = operands.split_first().ok_or_else(|| Failure::usage(FAILED, text!["missing operand"]))?;
    let wanted = Wanted { userspec: options.userspec, groups: options.groups };
    if options.skip_chdir && !directory::canonical(new_root).is_ok_and(|path| path == "/") {
        return Err(Failure::usage(
            FAILED,
            text!["option --skip-chdir only permitted if NEWROOT is old ", quote::shell(OsStr::new("/"))],
        ));
    }
    Ok(Plan {
        new_root: new_root.clone(),
        looks_outside: wanted.userspec.is_some() || wanted.groups.is_some(),
        chdir: !options.skip_chdir,
        wanted,
        program: Program::from_operands(command).unwrap_or_else(interactive_shell),
    })
}

/// `$SHELL -i`; an empty `$SHELL` is taken as it is, as GNU does.
fn interactive_shell() -> Program {
    let shell = linux::environment::value("SHELL").unwrap_or_else(|| OsString::from("/bin/sh"));
    Program {
        argv: Argv(vec![shell.clone(), OsString::from("-i")]),
        file: shell,
        environment: Variables::Inherited,
        search: SearchPath::Yes,
    }
}

fn carry_out(plan: &Plan, invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let outside = if plan.looks_outside { userspec::look_up_outside(&plan.wanted) } else { Outside::default() };
    // What is "/" now could be another directory when its path is resolved again.
    let new_root = if plan.chdir { plan.new_root.as_os_str() } else { OsStr::new("/") };
    directory::chroot(new_root).map_err(|error| {
        let text = text!["cannot change root directory to ", quote::shell(&plan.new_root), ": ", error.errno];
        explained(Failure::new(FAILED, text), Step::Chroot(&plan.new_root), error.errno)
    })?;
    if plan.chdir {
        directory::chdir(OsStr::new("/"))
            .map_err(|error| Failure::new(FAILED, text!["cannot chdir to root directory: ", error.errno]))?;
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
    let failed = |what: &'static str| move |error: linux::Error| Failure::new(FAILED, text![what, ": ", error.errno]);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_plan_names_the_root_and_the_program() {
        let plan = plan(Options::default(), &words(&["/tmp", "ls", "-l"])).unwrap();
        assert_eq!((plan.looks_outside, plan.chdir), (false, true));
        assert_eq!(plan.program.argv, Argv(words(&["ls", "-l"])));
    }

    #[test]
    fn skip_chdir_is_refused_for_another_root_before_anything_is_done() {
        let options = || Options { skip_chdir: true, ..Options::default() };
        assert_eq!(plan(options(), &words(&["/tmp"])).unwrap_err().status, FAILED);
        assert!(plan(options(), &words(&["/usr/.."])).is_ok());
    }
}
