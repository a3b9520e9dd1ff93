//! The record that makes a command an applet, and one call of it.

use crate::explain::Explain;
use crate::{Failure, Outcome, Output, packed::Specs, text};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whose command an applet stands in for; it decides how messages begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Messages begin with the last component of `argv[0]`.
    UtilLinux,
    /// Messages begin with its last component, too; usage and `Try` name `argv[0]` as it was given.
    Coreutils,
    /// Messages mostly have no name in front.
    Libcap,
    /// Ours alone; messages are as util-linux's.
    Ctrbox,
}

/// A command.
pub struct Applet {
    /// Its name, as typed.
    pub name: &'static str,
    /// Where it belongs below the root: `usr/bin` or `usr/sbin`.
    pub directory: &'static str,
    /// The section of its manual page: `1` for commands, `8` for the administrator's.
    pub section: &'static str,
    /// Whose command it is.
    pub origin: Origin,
    /// One line that says what it does.
    pub summary: &'static str,
    /// What follows the name on a command line, one form a line.
    pub synopsis: &'static [&'static str],
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

/// One call of an applet.
pub struct Invocation<'a> {
    /// The applet.
    pub applet: &'static Applet,
    /// `argv[0]`, whole.
    pub argv0: &'a OsStr,
    /// What follows it.
    pub args: &'a [&'a OsStr],
}

impl Invocation<'_> {
    /// The last component of `argv[0]`.
    pub fn name(&self) -> &OsStr {
        last_component(self.argv0)
    }

    /// Runs the applet, prints what it leaves to print, and returns the exit status.
    pub fn run(&self) -> u8 {
        let mut output = Output::default();
        let outcome = (self.applet.run)(self, &mut output);
        let flushed = output.flush();
        match outcome {
            Err(failure) => {
                failure.print(self);
                failure.status
            }
            Ok(status) => match flushed {
                Ok(()) => status,
                Err(errno) => {
                    Failure::new(0, text!["write error: ", errno]).print(self);
                    self.applet.usage_status
                }
            },
        }
    }
}

/// What follows the last slash.
pub fn last_component(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    let start = bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    OsStr::from_bytes(bytes.get(start..).unwrap_or_default())
}
