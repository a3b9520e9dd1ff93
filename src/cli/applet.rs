//! The record that makes a command an applet, and one call of it.

use crate::called::{Called, Origin};
use crate::explain::Explanation;
use crate::{Failure, Outcome, Output, option::Specs};
use std::ffi::OsStr;

/// Explains a command line; `None` if it only prints something, such as its help.
pub type Explain = fn(&Invocation<'_>, &mut Output) -> Result<Option<Explanation>, Failure>;

/// A command.
pub struct Applet {
    /// Its name, as typed.
    pub name: &'static str,
    /// Where it belongs.
    pub directory: Directory,
    /// The section of its manual page.
    pub section: Section,
    /// Whose command it is.
    pub origin: Origin,
    /// One line that says what it does.
    pub summary: &'static str,
    /// What follows the name on a command line, one form a line.
    pub synopsis: &'static str,
    /// What `--help` says below the options; may be empty.
    pub notes: &'static str,
    /// The exit status of a wrong command line and of a failed write to standard output.
    pub usage_status: u8,
    /// The options, in the order of the documentation.
    pub options: &'static Specs,
    /// Carries the command out.
    pub run: fn(&Invocation<'_>, &mut Output) -> Outcome,
    /// Tells what that would do, and does nothing.
    pub explain: Explain,
}

/// Where a command belongs.
#[derive(Clone, Copy)]
pub enum Directory {
    /// Where everybody looks for commands.
    Bin,
    /// Where the administrator does.
    Sbin,
}

impl Directory {
    /// The path below the root.
    pub fn path(self) -> &'static str {
        match self {
            Directory::Bin => "usr/bin",
            Directory::Sbin => "usr/sbin",
        }
    }
}

/// A section of the manual.
#[derive(Clone, Copy)]
pub enum Section {
    /// Section 1.
    Commands,
    /// Section 8, of the administrator's commands.
    Administration,
}

impl Section {
    /// The section's number.
    pub fn number(self) -> &'static str {
        match self {
            Section::Commands => "1",
            Section::Administration => "8",
        }
    }
}

/// One call of an applet.
pub struct Invocation<'a> {
    /// The applet.
    pub applet: &'static Applet,
    /// The name it was called by.
    pub called: Called,
    /// What follows `argv[0]`. The texts are the kernel's own and stay until the process ends, so options and operands
    /// borrow them.
    pub args: &'a [&'static OsStr],
}

/// Messages ask for the name only.
impl<'a> core::ops::Deref for Invocation<'a> {
    type Target = Called;

    fn deref(&self) -> &Called {
        &self.called
    }
}

impl<'a> Invocation<'a> {
    /// A call of `applet` with this `argv[0]`, and what follows it.
    pub fn new(applet: &'static Applet, argv0: &'static OsStr, args: &'a [&'static OsStr]) -> Invocation<'a> {
        Invocation { applet, called: Called { argv0, origin: applet.origin }, args }
    }

    /// Runs the applet, prints what it leaves to print, and returns the exit status.
    pub fn run(&self) -> u8 {
        let mut output = Output::default();
        let outcome = (self.applet.run)(self, &mut output);
        let flushed = output.flush().err().or_else(|| output.unwanted().filter(|_| self.origin == Origin::Coreutils));
        match outcome {
            Err(failure) => {
                failure.print(self);
                failure.status
            }
            Ok(status) => match flushed {
                None => status,
                Some(errno) => {
                    crate::fail!(0, "write error: ", errno).print(self);
                    self.applet.usage_status
                }
            },
        }
    }
}
