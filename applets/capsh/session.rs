//! What the options of one command line share: the session they act on, the type of an option's action, and failures.

use cli::option::{Argument, Spec};
use cli::text::push_all;
use cli::{Failure, Invocation, Output, add, number, text};
use hints::point_at;
use linux::caps::{self, TextError};
use linux::process::Pid;
use linux::signal::Disposition;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What `--` and `-+` run.
pub const SHELL: &str = "/bin/bash";

/// What an option gives back: nothing, or why it failed.
pub type StepResult = Result<(), Failure>;

/// What an option does.
#[derive(Clone, Copy)]
pub enum Action {
    /// It has no value.
    Do(fn(&mut Session<'_>) -> StepResult),
    /// It has one, after `=`.
    With(fn(&mut Session<'_>, &OsStr) -> StepResult),
    /// It may have one.
    Maybe(fn(&mut Session<'_>, Option<&OsStr>) -> StepResult),
    /// It ends the command: usage.
    Help,
    /// It ends the command: the licence.
    License,
}

/// Whether an option ends the command, and with which text.
#[derive(Clone, Copy, Default)]
pub enum Ended {
    #[default]
    No,
    Help,
    License,
}

impl Action {
    /// Carries the option out. `text` is its value, or empty if it has none.
    #[inline(always)]
    pub fn act(self, session: &mut Session<'_>, value: Option<&OsStr>, text: &OsStr) -> Result<Ended, Failure> {
        match self {
            Action::Do(act) => act(session)?,
            Action::With(act) => act(session, text)?,
            Action::Maybe(act) => act(session, value)?,
            Action::Help => return Ok(Ended::Help),
            Action::License => return Ok(Ended::License),
        }
        Ok(Ended::No)
    }
}

/// State passed from earlier arguments to later ones, beside that of the process.
pub struct Session<'a> {
    pub invocation: &'a Invocation<'a>,
    pub output: &'a mut Output,
    /// What `--shell` named.
    pub shell: Option<OsString>,
    /// No capability is raised to help an option.
    pub strict: bool,
    /// `--noenv` was given.
    pub keep_environment: bool,
    /// HOME and USER of the user that `--user` named.
    pub variables: Vec<(&'static str, OsString)>,
    /// The child of `--forkfor`.
    pub child: Option<Pid>,
    /// How SIGCHLD was set before that.
    pub sigchld: Option<Disposition>,
    /// `--quiet` was the first argument.
    pub quiet: bool,
}

impl Session<'_> {
    /// Says it when the kernel has more capabilities than we know names for.
    pub fn warn_of_unnamed(&mut self) {
        let last = caps::count().saturating_sub(1);
        if last >= caps::NAMED {
            self.output.print(text!["WARNING: libcap needs an update (cap=", last, " should have a name).\n"]);
        }
    }

    /// The usage, on standard output as libcap prints it.
    pub fn usage(&mut self) {
        let mut out = text!["usage: ", self.invocation.argv0, " [args ...]\n"];
        for spec in self.invocation.applet.options.iter() {
            push_usage(&spec, &mut out);
        }
        let shell = self.shell.as_deref().unwrap_or(OsStr::new(SHELL));
        add!(
            &mut out,
            "  ==                 run capsh again with the arguments that follow\n",
            "  =+                 the same in a child, and wait for it\n",
            "  --                 run ",
            shell,
            " with the arguments that follow\n",
            "  -+                 the same in a child, and wait for it\n",
            "                     (without -- [",
            self.invocation.argv0,
            "] will simply exit(0))\n"
        );
        self.output.print(out);
    }

    /// A failure that is printed on standard output, as libcap does for some.
    pub fn fail_on_stdout(&mut self, line: Vec<u8>) -> Failure {
        self.output.print(text![line, "\n"]);
        Failure::silent(1)
    }
}

/// Adds an option's line: its name in a column of its own, and its help.
fn push_usage(spec: &Spec, out: &mut Vec<u8>) {
    let mut name = String::from("--");
    name.push_str(spec.name());
    match spec.argument {
        Argument::Required(value) => push_all(&mut name, &["=", value]),
        Argument::Optional(value) | Argument::OptionalLong(value) => push_all(&mut name, &["[=", value, "]"]),
        Argument::None => {}
    }
    if let Some(letter) = spec.short {
        push_all(&mut name, &[", -", letter.encode_utf8(&mut [0; 4])]);
    }
    let pad = " ".repeat(19_usize.saturating_sub(name.len()).max(1));
    add!(out, "  ", name, pad, spec.help, "\n");
}

/// A failure with a line of its own on standard error.
#[cold]
#[inline(never)]
pub fn fail(line: Vec<u8>) -> Failure {
    Failure::plain(1, line)
}

/// `WHAT: STRERROR`.
#[cold]
#[inline(never)]
pub fn failed(what: &str, error: &linux::Error) -> Failure {
    fail(text![what, ": ", error.errno])
}

/// The failure to read a text: its words before and behind it, and where it is wrong.
#[cold]
#[inline(never)]
pub fn unreadable_text(before: &str, text: &OsStr, behind: &str, error: TextError) -> Failure {
    point_at(fail(text![before, text, behind]), text.as_bytes(), error)
}

/// A non-negative number of at most 32 bits: decimal, octal after 0, hexadecimal after 0x.
/// `what` is how the message names it, such as `--uid value`.
pub fn integer(what: &str, value: &OsStr) -> Result<u32, Failure> {
    number::natural(value.as_bytes(), 0)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| fail(text!["invalid ", what, ": want non-negative integer, got \"", value, "\""]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_no_sign_and_nothing_after_it_and_fits_in_32_bits() {
        let read = |text: &str| integer("--uid value", OsStr::new(text)).ok();
        assert_eq!(read("0x10"), Some(16));
        assert_eq!(read("4294967295"), Some(u32::MAX));
        for wrong in ["", "-1", "1x", "4294967296", "99999999999999999999"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
