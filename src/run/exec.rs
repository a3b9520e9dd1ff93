//! Executes the program, the last step of several commands, and reports why that failed: execve(2).

use cli::{Failure, Output, text};
use hints::{Step, explained};
use linux::process::{ExecError, SearchPath, Variables};
use std::ffi::{OsStr, OsString};

/// A program to run in our place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The file, looked for along PATH unless it has a slash.
    pub file: &'static OsStr,
    /// Its arguments, `argv[0]` first.
    pub argv: Vec<&'static OsStr>,
    /// Its environment.
    pub environment: Variables,
    /// Whether PATH is searched.
    pub search: SearchPath,
}

impl Program {
    /// The command line `args`, or the login shell where it is empty. To be asked last: which shell
    /// that is depends on the user we have become and on the root we are in.
    pub fn or_shell(args: &[&'static OsStr], environment: Variables) -> Program {
        match Program::from_operands(args) {
            Some(program) => Program { environment, ..program },
            None => Program::login_shell(environment),
        }
    }

    /// The command line `args`, as a user typed it.
    pub fn from_operands(args: &[&'static OsStr]) -> Option<Program> {
        Some(Program {
            file: args.first()?,
            argv: args.to_vec(),
            environment: Variables::Inherited,
            search: SearchPath::Yes,
        })
    }

    /// The login shell if no program is given: `$SHELL`, else the shell in passwd of the real uid, else /bin/sh.
    /// `argv[0]` is `-` and the shell's last component.
    fn login_shell(environment: Variables) -> Program {
        let shell = environment
            .variable("SHELL")
            .filter(|shell| !shell.is_empty())
            .or_else(|| linux::accounts::passwd_by_uid(linux::credentials::real_uid()).map(|user| user.shell))
            .filter(|shell| !shell.is_empty())
            .map_or(OsStr::new("/bin/sh"), |shell| shell.leak());
        let mut argv0 = OsString::from("-");
        argv0.push(cli::called::last_component(shell));
        Program { file: shell, argv: vec![argv0.leak()], environment, search: SearchPath::No }
    }

    /// Executes it. Returns only on failure, with what was printed so far written out.
    pub fn exec(&self, output: &mut Output) -> ExecError {
        // A failed write is reported by the caller's last flush if the exec fails, too.
        let _ = output.flush();
        linux::process::exec(self.file, &self.argv, &self.environment, self.search)
    }
}

/// The wording of mount and umount for the program that was to do their work at `target`.
pub fn helper_failed(target: &OsStr, error: &ExecError) -> Failure {
    let failure = Failure::new(error.status(), text![target, ": failed to execute ", error.file, "."]);
    explained(failure, Step::Exec(error), error.errno)
}

/// util-linux's wording: `failed to execute X: strerror`, 127 or 126.
pub fn failed_to_execute(error: &ExecError) -> Failure {
    let failure = Failure::new(error.status(), text!["failed to execute ", error.file, ": ", error.errno]);
    explained(failure, Step::Exec(error), error.errno)
}
