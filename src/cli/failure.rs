//! A command's failure: its exit status, the lines that the original prints, and our hints.

use crate::called::{Called, Origin};
use crate::text::{Piece, Value, disarm, join};
use core::sync::atomic::{AtomicU32, Ordering};
use linux::environment::variable;
use linux::index::hash;
use std::os::unix::ffi::OsStrExt;

/// How a command ends: its exit status, or a failure that is printed once, by `main`.
pub type Outcome = Result<u8, Failure>;

/// Why a command could not do what it was asked to. One pointer wide, since nearly every
/// function of an applet may return one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(Box<Report>);

/// The status and the texts of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The exit status.
    pub status: u8,
    /// What is printed on standard error, first.
    pub lines: Vec<Line>,
    /// What is printed below it as `hint:` lines, unless `CTRBOX_HINTS=never`.
    pub hints: Vec<Vec<u8>>,
}

/// One line on standard error, without its newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// With nothing before it.
    Plain(Vec<u8>),
    /// A text of our own in several lines.
    Text(Vec<u8>),
    /// After the command's name as its original writes it (see [`Origin`]).
    Named(Vec<u8>),
    /// After the whole `argv[0]`, as getopt(3) does.
    Argv0(Vec<u8>),
    /// `Try 'NAME --help' for more information.`
    TryHelp,
}

impl core::ops::Deref for Failure {
    type Target = Report;

    fn deref(&self) -> &Report {
        &self.0
    }
}

impl core::ops::DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Report {
        &mut self.0
    }
}

impl Failure {
    /// A failure that prints nothing.
    #[cold]
    #[inline(never)]
    pub fn silent(status: u8) -> Failure {
        Failure::with(status, Vec::new())
    }

    /// `NAME: TEXT`, the name as the original writes it.
    #[cold]
    #[inline(never)]
    pub fn new(status: u8, text: Vec<u8>) -> Failure {
        Failure::with(status, vec![Line::Named(text)])
    }

    /// A line with nothing before it.
    #[cold]
    #[inline(never)]
    pub fn plain(status: u8, text: Vec<u8>) -> Failure {
        Failure::with(status, vec![Line::Plain(text)])
    }

    /// Wrong usage: `NAME: TEXT` and the line that points to `--help`.
    #[cold]
    #[inline(never)]
    pub fn usage(status: u8, text: Vec<u8>) -> Failure {
        Failure::with(status, vec![Line::Named(text), Line::TryHelp])
    }

    /// What [`crate::fail!`] calls.
    #[cold]
    #[inline(never)]
    pub fn of(status: u8, template: &str, values: &[Value<'_>]) -> Failure {
        Failure::new(status, join(template, values))
    }

    /// [`Failure::of`], of wrong usage.
    #[cold]
    #[inline(never)]
    pub fn usage_of(status: u8, template: &str, values: &[Value<'_>]) -> Failure {
        Failure::usage(status, join(template, values))
    }

    /// [`Failure::of`], of a plain line.
    #[cold]
    #[inline(never)]
    pub fn plain_of(status: u8, template: &str, values: &[Value<'_>]) -> Failure {
        Failure::plain(status, join(template, values))
    }

    fn with(status: u8, lines: Vec<Line>) -> Failure {
        Failure(Box::new(Report { status, lines, hints: Vec::new() }))
    }

    /// Adds a line.
    #[cold]
    #[inline(never)]
    pub fn and(mut self, line: Line) -> Failure {
        self.lines.push(line);
        self
    }

    /// Adds a hint. Work it out only after the failure, and only if [`hints_wanted`]. Out of line, so that it is here
    /// that a text is dropped.
    #[cold]
    #[inline(never)]
    pub fn hint(self, text: impl Piece) -> Failure {
        self.hint_bytes(text.value())
    }

    /// Adds hints that are worked out already.
    pub fn with_hints(mut self, hints: Vec<Vec<u8>>) -> Failure {
        self.hints.extend(hints);
        self
    }

    #[cold]
    #[inline(never)]
    fn hint_bytes(mut self, text: Value<'_>) -> Failure {
        let mut hint = Vec::new();
        text.append(&mut hint);
        self.hints.push(hint);
        self
    }

    /// Writes the lines and hints to standard error.
    pub fn print(&self, called: &Called) {
        let mut text = Vec::new();
        for line in &self.lines {
            line.render(called, &mut text);
        }
        let lines = text.len();
        if hints_wanted() {
            for hint in &self.hints {
                add_hint(hint, &mut text);
            }
        }
        if text.len() > lines {
            // Many operands often fail for one reason: it is told below the first.
            let now = hash(text.get(lines..).unwrap_or_default());
            if LAST.swap(now, Ordering::Relaxed) == now {
                text.truncate(lines);
            }
        }
        write_error(&text);
    }
}

/// The hash of the hints that were printed last.
static LAST: AtomicU32 = AtomicU32::new(0);

impl Line {
    fn render(&self, called: &Called, text: &mut Vec<u8>) {
        let name = called.name();
        let start = text.len();
        match self {
            Line::Plain(line) => text.extend_from_slice(line),
            Line::Text(lines) => {
                text.extend_from_slice(lines);
                text.push(b'\n');
                return;
            }
            Line::Named(line) => {
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b": ");
                text.extend_from_slice(line);
            }
            Line::Argv0(line) => {
                text.extend_from_slice(called.argv0.as_bytes());
                text.extend_from_slice(b": ");
                text.extend_from_slice(line);
            }
            Line::TryHelp => {
                let name = if called.origin == Origin::Coreutils { called.argv0 } else { name };
                text.extend_from_slice(b"Try '");
                text.extend_from_slice(name.as_bytes());
                text.extend_from_slice(b" --help' for more information.");
            }
        }
        disarm(text, start);
        text.push(b'\n');
    }
}

/// A [`Failure`] with a status and a [`crate::text!`]: `fail!(1, "cannot open ", path)`. With `usage` before
/// the status it points to `--help`, with `plain` there is nothing before the text. One call, where the text alone is one.
#[macro_export]
macro_rules! fail {
    (usage $status:expr, $($piece:tt)*) => {
        $crate::text!(@ ($crate::Failure::usage_of, $status) [] [] $($piece)*)
    };
    (plain $status:expr, $($piece:tt)*) => {
        $crate::text!(@ ($crate::Failure::plain_of, $status) [] [] $($piece)*)
    };
    ($status:expr, $($piece:tt)*) => {
        $crate::text!(@ ($crate::Failure::of, $status) [] [] $($piece)*)
    };
}

/// Prints a hint if standard error is a terminal, for a command that succeeded: the output of scripts stays as it is.
pub fn hint_on_terminal(text: &str) {
    if linux::terminal::is_terminal(2) {
        hint(text.as_bytes());
    }
}

/// `WHAT: STRERROR` with status 1, for `map_err`.
pub fn named(what: &'static str) -> impl Fn(linux::Error) -> Failure {
    named_with(1, what)
}

/// `WHAT: STRERROR` with this status, for `map_err`.
pub fn named_with(status: u8, what: &'static str) -> impl Fn(linux::Error) -> Failure {
    move |error| of_step(status, what, error)
}

/// Out of line, and takes the error by value, so that not every caller has the code that drops it.
#[cold]
#[inline(never)]
fn of_step(status: u8, what: &str, error: linux::Error) -> Failure {
    Failure::new(status, crate::text![what, ": ", error.errno])
}

/// `WHAT: STRERROR` with status 1.
#[cold]
#[inline(never)]
pub fn failed(what: &str, error: &linux::Error) -> Failure {
    Failure::new(1, crate::text![what, ": ", error.errno])
}

/// Whether hints are printed; `CTRBOX_HINTS=never` turns them off.
pub fn hints_wanted() -> bool {
    variable("CTRBOX_HINTS").is_none_or(|value| value != "never")
}

/// Prints one line on standard error and goes on: a warning.
pub fn warn(called: &Called, line: &Line) {
    let mut text = Vec::new();
    line.render(called, &mut text);
    write_error(&text);
}

/// Prints a `hint:` line on standard error where the command has not failed and goes on.
pub fn hint(text: &[u8]) {
    if hints_wanted() {
        let mut line = Vec::new();
        add_hint(text, &mut line);
        write_error(&line);
    }
}

fn add_hint(hint: &[u8], text: &mut Vec<u8>) {
    text.extend_from_slice(b"hint: ");
    let start = text.len();
    text.extend_from_slice(hint);
    disarm(text, start);
    text.push(b'\n');
}

/// The only place that writes to standard error. If that fails, the error cannot be reported anywhere.
pub fn write_error(text: &[u8]) {
    let _ = linux::raw::write_all_to(2, text);
}
