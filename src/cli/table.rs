//! The option table: one definition from which the parser and `--help` come.
//!
//! The rules are getopt_long(3)'s: unique abbreviations of long options, clustered short
//! options, attached optional arguments, `--`, and its wording of errors. lexopt splits the
//! arguments; the table says what they mean. A row only validates and stores.

pub use crate::packed::Specs;

use crate::{Failure, Invocation, Origin, Output, failure::Line, text};
use linux::environment::variable;
use std::ffi::{OsStr, OsString};

/// What can be said about an option without its code: its names, its argument, its help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The one-letter name.
    pub short: Option<char>,
    /// The long names, separated by spaces; the first is the one that is documented. May be empty.
    pub long: &'static str,
    /// Whether it takes an argument, and how the help calls that.
    pub argument: Argument,
    /// What it does, in one line of the help.
    pub help: &'static str,
}

impl Spec {
    /// The long names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.long.split_terminator(' ')
    }

    /// The long name that is documented, or nothing.
    pub fn name(&self) -> &'static str {
        self.names().next().unwrap_or_default()
    }
}

/// Whether an option takes an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// It takes none.
    None,
    /// It must have one.
    Required(&'static str),
    /// It may have one, which must then be attached: `-mFILE`, `--mount=FILE`.
    Optional(&'static str),
    /// Only the long form may have one, as in unshare: `--mount=FILE`, but `-m`.
    OptionalLong(&'static str),
}

/// A row of an option table.
pub struct Row<S> {
    /// Names and help.
    pub spec: Spec,
    /// What is done when it is met.
    pub store: S,
}

/// One option of an applet whose options are stored in an `O`.
pub type Opt<O> = Row<Store<O>>;

/// The table of such an applet.
#[derive(Debug)]
pub struct Table<O: 'static> {
    /// What can be said about the rows.
    pub specs: Specs,
    /// Does what the row with this index does.
    pub store: fn(&mut O, usize, Option<&'static OsStr>) -> Result<Met, Failure>,
}

/// What an option that was met asks for.
#[derive(Clone, Copy, Debug, Default)]
pub enum Met {
    /// Nothing more: it is stored.
    #[default]
    Stored,
    /// The help.
    Help,
    /// The version, with these features.
    Version(&'static str),
}

/// What is done with an option that was given. Its argument lives as long as the process.
#[derive(Debug)]
pub enum Store<O: 'static> {
    /// It takes no argument.
    Flag(fn(&mut O)),
    /// It takes no argument, and what it stands for may be found wrong.
    CheckedFlag(fn(&mut O) -> Result<(), Failure>),
    /// It has an argument.
    Value(fn(&mut O, &'static OsStr) -> Result<(), Failure>),
    /// It may have an argument.
    Maybe(fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>),
    /// Print the help and end.
    Help,
    /// Print the version, with this list of features if it is not empty, and end.
    Version(&'static str),
}

impl<O> Clone for Store<O> {
    fn clone(&self) -> Store<O> {
        *self
    }
}

impl<O> Copy for Store<O> {}

impl<O> Store<O> {
    /// Does it.
    #[inline(always)]
    pub fn apply(self, options: &mut O, value: Option<&'static OsStr>) -> Result<Met, Failure> {
        match self {
            Store::Flag(store) => store(options),
            Store::CheckedFlag(store) => store(options)?,
            Store::Value(store) => store(options, value.unwrap_or_default())?,
            Store::Maybe(store) => store(options, value)?,
            Store::Help => return Ok(Met::Help),
            Store::Version(features) => return Ok(Met::Version(features)),
        }
        Ok(Met::Stored)
    }
}

impl<O> Opt<O> {
    /// An option without an argument.
    pub const fn flag(short: Option<char>, long: &'static str, help: &'static str, store: fn(&mut O)) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::None, help }, store: Store::Flag(store) }
    }

    /// An option without an argument, whose storing may fail.
    pub const fn flag_checked(
        short: Option<char>,
        long: &'static str,
        help: &'static str,
        store: fn(&mut O) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::None, help }, store: Store::CheckedFlag(store) }
    }

    /// An option with an argument.
    pub const fn value(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, &'static OsStr) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::Required(argument), help }, store: Store::Value(store) }
    }

    /// An option that may have an argument.
    pub const fn maybe(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::Optional(argument), help }, store: Store::Maybe(store) }
    }

    /// An option whose long form may have an argument.
    pub const fn maybe_long(
        short: Option<char>,
        long: &'static str,
        argument: &'static str,
        help: &'static str,
        store: fn(&mut O, Option<&'static OsStr>) -> Result<(), Failure>,
    ) -> Opt<O> {
        Opt { spec: Spec { short, long, argument: Argument::OptionalLong(argument), help }, store: Store::Maybe(store) }
    }

    /// `--help`, also as `short`.
    pub const fn help(short: Option<char>) -> Opt<O> {
        let spec = Spec { short, long: "help", argument: Argument::None, help: "display this help" };
        Opt { spec, store: Store::Help }
    }

    /// `--version`, also as `short`.
    pub const fn version(short: Option<char>) -> Opt<O> {
        let spec = Spec { short, long: "version", argument: Argument::None, help: "display version" };
        Opt { spec, store: Store::Version("") }
    }

    /// [`Opt::version`] that lists features behind the version.
    pub const fn version_with(short: Option<char>, features: &'static str) -> Opt<O> {
        Opt { store: Store::Version(features), ..Opt::version(short) }
    }
}

/// Where options end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// At the first operand: what follows belongs to the program that is run.
    UntilOperand,
    /// Nowhere: operands and options may be mixed, unless POSIXLY_CORRECT is set.
    Permuted,
}

/// Parses a command line by a table: stores what its options say and returns the operands; `None` if `--help` or
/// `--version` has been answered.
pub fn parse<O>(
    invocation: &Invocation<'_>,
    table: &'static Table<O>,
    order: Order,
    options: &mut O,
    output: &mut Output,
) -> Result<Option<Vec<OsString>>, Failure> {
    parse_rows(invocation, &table.specs, &mut |index, value| (table.store)(options, index, value), order, output)
}

/// Gives each option to its row and returns the operands; `None` if the help or the version has been printed.
fn parse_rows(
    invocation: &Invocation<'_>,
    specs: &Specs,
    store: &mut dyn FnMut(usize, Option<&'static OsStr>) -> Result<Met, Failure>,
    order: Order,
    output: &mut Output,
) -> Result<Option<Vec<OsString>>, Failure> {
    let until_operand = order == Order::UntilOperand || variable("POSIXLY_CORRECT").is_some();
    let mut operands = Vec::new();
    let mut parser = lexopt::Parser::from_args(invocation.args.iter().map(|argument| argument.to_os_string()));
    parser.set_short_equals(false);
    let usage = Usage { invocation };
    loop {
        let found = match parser.next() {
            Ok(None) => break,
            Ok(Some(lexopt::Arg::Value(operand))) => {
                operands.push(operand);
                if until_operand {
                    operands.extend(parser.raw_args().into_iter().flatten());
                    break;
                }
                continue;
            }
            Ok(Some(lexopt::Arg::Short(letter))) => Found::Short(letter),
            Ok(Some(lexopt::Arg::Long(name))) => Found::Long(name.to_string()),
            // Only of `--name=value` whose value nobody took; every arm below takes it. Its own words would bring
            // the tables of Unicode into the program, to quote the value.
            Err(_) => return Err(usage.getopt(text!["unexpected value of an option"])),
        };
        let (index, spec) = match &found {
            Found::Short(letter) => find_short(specs, *letter).ok_or_else(|| usage.invalid_letter(*letter, specs))?,
            Found::Long(name) => {
                find_long(specs, name).map_err(|error| usage.long(error, name, parser.optional_value()))?
            }
        };
        let name = spec.name();
        let value = match (spec.argument, &found) {
            (Argument::None, Found::Long(_)) if parser.optional_value().is_some() => {
                return Err(usage.getopt(text!["option '--", name, "' doesn't allow an argument"]));
            }
            (Argument::None, _) | (Argument::OptionalLong(_), Found::Short(_)) => None,
            (Argument::Optional(_) | Argument::OptionalLong(_), _) => parser.optional_value(),
            (Argument::Required(_), _) => Some(parser.value().map_err(|_| match &found {
                Found::Short(letter) => {
                    usage.getopt(text!["option requires an argument -- '", letter.to_string(), "'"])
                }
                Found::Long(_) => usage.getopt(text!["option '--", name, "' requires an argument"]),
            })?),
        };
        // What was typed is kept until the process ends, so that options need no copies of it.
        match store(index, value.map(|value| &*value.leak()))? {
            Met::Help => {
                output.print(help(invocation));
                return Ok(None);
            }
            Met::Version(features) => {
                output.print(version(invocation, features));
                return Ok(None);
            }
            Met::Stored => {}
        }
    }
    Ok(Some(operands))
}

enum Found {
    Short(char),
    Long(String),
}

/// Why a long option was not found.
#[derive(Debug, PartialEq, Eq)]
enum NotFound {
    Unknown,
    Ambiguous(Vec<&'static str>),
}

/// The row that has a letter.
fn find_short(specs: &Specs, letter: char) -> Option<(usize, Spec)> {
    specs.iter().enumerate().find(|(_, spec)| spec.short == Some(letter))
}

/// The row that `typed` names, whole or as an abbreviation that only one row has.
fn find_long(specs: &Specs, typed: &str) -> Result<(usize, Spec), NotFound> {
    let mut rows = Vec::new();
    let mut names = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        for name in spec.names() {
            if name == typed {
                return Ok((index, spec));
            }
            if name.starts_with(typed) {
                names.push(name);
                if rows.last().is_none_or(|(last, _)| *last != index) {
                    rows.push((index, spec));
                }
            }
        }
    }
    match rows.as_slice() {
        [] => Err(NotFound::Unknown),
        [row] => Ok(*row),
        _ => Err(NotFound::Ambiguous(names)),
    }
}

/// Wrong usage, in getopt's words and with the applet's exit status.
struct Usage<'a> {
    invocation: &'a Invocation<'a>,
}

impl Usage<'_> {
    fn getopt(&self, text: Vec<u8>) -> Failure {
        let applet = self.invocation.applet;
        let failure = Failure::silent(applet.usage_status).and(Line::Argv0(text));
        match applet.origin {
            Origin::Libcap => failure.and(Line::Plain(usage_line(self.invocation))),
            _ => failure.and(Line::TryHelp),
        }
    }

    /// An unknown letter may have been meant as part of a file: `-m/run/ns`.
    fn invalid_letter(&self, letter: char, specs: &Specs) -> Failure {
        let failure = self.getopt(text!["invalid option -- '", letter.to_string(), "'"]);
        for cluster in self.invocation.args.iter().filter_map(|argument| argument.to_str()?.strip_prefix('-')) {
            let Some(first) = cluster.chars().next() else { continue };
            if let Some((_, spec)) = find_short(specs, first)
                && matches!(spec.argument, Argument::OptionalLong(_))
                && cluster.chars().any(|other| other == letter)
            {
                let file = cluster.get(first.len_utf8()..).unwrap_or_default().trim_start_matches('=');
                let name = spec.name();
                return failure.hint(text!["-", first.to_string(), " takes no argument; write --", name, "=", file]);
            }
        }
        failure
    }

    fn long(&self, error: NotFound, typed: &str, value: Option<OsString>) -> Failure {
        let typed = match value {
            Some(value) => text!["--", typed, "=", value],
            None => text!["--", typed],
        };
        match error {
            NotFound::Unknown => self.getopt(text!["unrecognized option '", typed, "'"]),
            NotFound::Ambiguous(names) => {
                let mut line = text!["option '", typed, "' is ambiguous; possibilities:"];
                for name in names {
                    line.extend_from_slice(&text![" '--", name, "'"]);
                }
                self.getopt(line)
            }
        }
    }
}

/// `usage: NAME SYNOPSIS`, as libcap's tools begin theirs.
pub fn usage_line(invocation: &Invocation<'_>) -> Vec<u8> {
    let synopsis = invocation.applet.synopsis.first().copied().unwrap_or_default();
    text!["usage: ", invocation.name(), " ", synopsis]
}

/// The text of `--help`.
pub fn help(invocation: &Invocation<'_>) -> Vec<u8> {
    let applet = invocation.applet;
    let is_gnu = applet.origin == Origin::Coreutils;
    let (mut out, name) = match is_gnu {
        true => (text!["Usage:"], invocation.argv0),
        false => (text!["\nUsage:\n"], invocation.name()),
    };
    for form in applet.synopsis {
        out.extend_from_slice(&text![" ", name, " ", form, "\n"]);
    }
    out.extend_from_slice(&text![if is_gnu { "" } else { "\n" }, applet.summary, ".\n"]);
    let specs = applet.options;
    if !specs.is_empty() {
        out.extend_from_slice(b"\nOptions:\n");
        let has_short = specs.iter().any(|spec| spec.short.is_some());
        let names: Vec<String> = specs.iter().map(|spec| option_names(&spec, has_short)).collect();
        let width = names.iter().map(String::len).filter(|length| *length <= 30).max().unwrap_or(0);
        for (spec, names) in specs.iter().zip(&names) {
            let mut lines = spec.help.lines();
            let first = lines.next().unwrap_or_default();
            if names.len() > width {
                out.extend_from_slice(format!(" {names}\n {:width$}  {first}\n", "").as_bytes());
            } else {
                out.extend_from_slice(format!(" {names:width$}  {first}\n").as_bytes());
            }
            for line in lines {
                out.extend_from_slice(format!(" {:width$}  {line}\n", "").as_bytes());
            }
        }
    }
    if !applet.notes.is_empty() {
        out.extend_from_slice(&text!["\n", applet.notes, "\n"]);
    }
    out
}

/// `-m, --mount[=FILE]`, aligned as if every option had a letter where `has_short`.
pub(crate) fn option_names(spec: &Spec, has_short: bool) -> String {
    let mut out = String::new();
    match spec.short {
        Some(letter) => {
            out.push('-');
            out.push(letter);
        }
        None if has_short => out.push_str("    "),
        None => {}
    }
    for (index, name) in spec.names().enumerate() {
        if index > 0 || spec.short.is_some() {
            out.push_str(", ");
        }
        out.push_str("--");
        out.push_str(name);
    }
    match spec.argument {
        Argument::None => {}
        Argument::Required(value) => {
            out.push_str(if spec.long.is_empty() { " " } else { "=" });
            out.push_str(value);
        }
        Argument::Optional(value) | Argument::OptionalLong(value) => {
            out.push_str(if spec.long.is_empty() { "[" } else { "[=" });
            out.push_str(value);
            out.push(']');
        }
    }
    out
}

/// The version of util-linux whose behaviour ours is held to.
macro_rules! util_linux {
    () => {
        "2.42"
    };
}
/// The newest originals that ours is held against: `scripts/originals` has them.
const HELD_AGAINST: &str = concat!("util-linux ", util_linux!(), ", libcap 2.78, coreutils 9.10");
/// What the `--version` of mount and umount says they can do; scripts look for `fd-based`.
pub const LIBMOUNT: &str =
    concat!("libmount ", util_linux!(), ": btrfs, namespaces, idmapping, fd-based-mount, statmount, statx");
/// The version of ctrbox.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The text of `--version`: the original's shape, since scripts read its fields, with ours named.
fn version(invocation: &Invocation<'_>, features: &str) -> Vec<u8> {
    let name = invocation.name();
    match invocation.applet.origin {
        Origin::UtilLinux => {
            let mut line = text![name, concat!(" from util-linux ", util_linux!())];
            if !features.is_empty() {
                line.extend_from_slice(&text![" (", features, ")"]);
            }
            line.extend_from_slice(&text![" (ctrbox ", VERSION, ")\n"]);
            line
        }
        Origin::Coreutils | Origin::Libcap => text![name, " (ctrbox) ", VERSION, "\n"],
        Origin::Ctrbox => {
            text![name, " ", VERSION, "\n", invocation.applet.summary, "\nHeld against ", HELD_AGAINST, "\n"]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn spec(short: Option<char>, long: &'static str) -> Row<()> {
        Row { spec: Spec { short, long, argument: Argument::None, help: "x" }, store: () }
    }

    const ROWS: &[Row<()>] = &[spec(Some('f'), "fork"), spec(None, "forward-signals"), spec(Some('r'), "ro read-only")];
    static TABLE: Specs = crate::specs!(ROWS);

    #[test]
    fn a_long_option_may_be_abbreviated_as_long_as_one_row_remains() {
        let find = |typed| find_long(&TABLE, typed).map(|(index, _)| index);
        assert_eq!(find("fork"), Ok(0));
        assert_eq!(find("forw"), Ok(1));
        assert_eq!(find("r"), Ok(2), "two names of one row are no ambiguity");
        assert_eq!(find("fo"), Err(NotFound::Ambiguous(vec!["fork", "forward-signals"])));
        assert_eq!(find("x"), Err(NotFound::Unknown));
    }

    #[test]
    fn the_help_shows_how_an_argument_is_attached() {
        let spec = |short, long, argument| option_names(&Spec { short, long, argument, help: "" }, true);
        assert_eq!(spec(Some('m'), "mount", Argument::OptionalLong("FILE")), "-m, --mount[=FILE]");
        assert_eq!(spec(None, "map-user", Argument::Required("UID")), "    --map-user=UID");
        assert_eq!(spec(Some('n'), "", Argument::Required("ID")), "-n ID");
    }
}
