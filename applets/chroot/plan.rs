//! From what was typed to the plan. Making a plan touches nothing.

use super::options::{FAILED, Options};
use super::userspec::AskedIds;
use cli::{Failure, quote};
use linux::directory;
use linux::process::{SearchPath, Variables};
use run::exec::Program;
use std::ffi::OsStr;

/// What will be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct ChrootPlan {
    pub new_root: &'static OsStr,
    /// Whether to look names up in the old root first. Not needed if the old root is the new one, but finding out
    /// would resolve the new root's path a second time.
    pub looks_outside: bool,
    /// Whether to change the working directory, too. False only if the new root was found to be the old one.
    pub chdir: bool,
    pub wanted: AskedIds,
    pub program: Program,
}

/// The plan of a command line.
pub fn plan(options: Options, operands: &[&'static OsStr]) -> Result<ChrootPlan, Failure> {
    let (new_root, command) = operands.split_first().ok_or_else(|| cli::fail!(usage FAILED, "missing operand"))?;
    let wanted = AskedIds { userspec: options.userspec, groups: options.groups };
    if options.skip_chdir && !directory::canonical(new_root).is_ok_and(|path| path == "/") {
        return Err(
            cli::fail!(usage FAILED, "option --skip-chdir only permitted if NEWROOT is old ", quote::shell(OsStr::new("/"))),
        );
    }
    Ok(ChrootPlan {
        new_root,
        looks_outside: wanted.userspec.is_some() || wanted.groups.is_some(),
        chdir: !options.skip_chdir,
        wanted,
        program: Program::from_operands(command).unwrap_or_else(interactive_shell),
    })
}

/// `$SHELL -i`; an empty `$SHELL` is taken as it is, as GNU does.
fn interactive_shell() -> Program {
    let shell = linux::environment::value("SHELL").map_or(OsStr::new("/bin/sh"), |shell| shell.leak());
    Program {
        argv: vec![shell, OsStr::new("-i")],
        file: shell,
        environment: Variables::Inherited,
        search: SearchPath::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&'static str]) -> Vec<&'static OsStr> {
        words.iter().map(|word| OsStr::new(*word)).collect()
    }

    #[test]
    fn a_plan_names_the_root_and_the_program() {
        let plan = plan(Options::default(), &words(&["/tmp", "ls", "-l"])).unwrap();
        assert_eq!((plan.looks_outside, plan.chdir), (false, true));
        assert_eq!(plan.program.argv, words(&["ls", "-l"]));
    }

    #[test]
    fn skip_chdir_is_refused_for_another_root_before_anything_is_done() {
        let options = || Options { skip_chdir: true, ..Options::default() };
        assert_eq!(plan(options(), &words(&["/tmp"])).unwrap_err().status, FAILED);
        assert!(plan(options(), &words(&["/usr/.."])).is_ok());
    }
}
