//! Command lines by an option table.
//!
//! The rules are getopt_long(3)'s: unique abbreviations of long options, clustered short
//! options, attached optional arguments, `--`, and its wording of errors. lexopt splits the
//! arguments; the table says what they mean. A row only validates and stores.

use crate::help::{help, usage_line, version};
use crate::option::{Argument, Met, Spec, Specs, Table};
use crate::{Failure, Invocation, Origin, Output, add, failure::Line, text};
use linux::environment::variable;
use std::ffi::{OsStr, OsString};

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
) -> Result<Option<Vec<&'static OsStr>>, Failure> {
    let mut rules = Rules { specs: &table.specs, exclusive: table.exclusive, met: Vec::new() };
    parse_rows(invocation, &mut rules, &mut |index, value| (table.store)(options, index, value), order, output)
}

/// Stores what a row's option says, by the row's number and the option's value.
type Store<'a> = &'a mut dyn FnMut(usize, Option<&'static OsStr>) -> Result<Met, Failure>;

/// Gives each option to its row and returns the operands; `None` if the help or the version has been printed.
fn parse_rows(
    invocation: &Invocation<'_>,
    rules: &mut Rules,
    store: Store<'_>,
    order: Order,
    output: &mut Output,
) -> Result<Option<Vec<&'static OsStr>>, Failure> {
    let until_operand = order == Order::UntilOperand || variable("POSIXLY_CORRECT").is_some();
    let mut operands = Vec::new();
    let mut rest = invocation.args;
    while let [argument, following @ ..] = rest {
        match argument.as_encoded_bytes() {
            b"--" => {
                rest = following;
                break;
            }
            [b'-', _, ..] => match parse_argument(invocation, rest, rules, store, output)? {
                Some(behind) => rest = behind,
                None => return Ok(None),
            },
            _ if until_operand => break,
            _ => {
                operands.push(*argument);
                rest = following;
            }
        }
    }
    operands.extend_from_slice(rest);
    Ok(Some(operands))
}

/// Gives the options of the first argument to their rows and returns the arguments behind these options and their
/// values; `None` if the help or the version has been printed.
fn parse_argument<'a>(
    invocation: &Invocation<'a>,
    arguments: &'a [&'static OsStr],
    rules: &mut Rules,
    store: Store<'_>,
    output: &mut Output,
) -> Result<Option<&'a [&'static OsStr]>, Failure> {
    let usage = Usage { invocation };
    let specs = rules.specs;
    // Of what follows, an option takes one argument at most.
    let pair = arguments.get(..2).unwrap_or(arguments);
    let mut parser = lexopt::Parser::from_args(pair);
    parser.set_short_equals(false);
    loop {
        let found = match parser.next() {
            Ok(Some(lexopt::Arg::Short(letter))) => Found::Short(letter),
            Ok(Some(lexopt::Arg::Long(name))) => Found::Long(name.to_string()),
            // Only of `--name=value` whose value nobody took; every arm below takes it. Its own words would bring
            // the tables of Unicode into the program, to quote the value.
            _ => return Err(usage.getopt(text!["unexpected value of an option"])),
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
        rules.meet(spec, invocation)?;
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
        if let Some(behind) = parser.try_raw_args() {
            let behind = behind.as_slice().len();
            return Ok(arguments.get(pair.len() - behind..));
        }
    }
}

/// What a table says of its options, and which of those that exclude others have been met.
struct Rules {
    specs: &'static Specs,
    exclusive: &'static str,
    met: Vec<Spec>,
}

impl Rules {
    /// Refuses an option that cannot be combined with one that came before.
    fn meet(&mut self, spec: Spec, invocation: &Invocation<'_>) -> Result<(), Failure> {
        for group in self.exclusive.split_ascii_whitespace().filter(|group| spec.is_one_of(group)) {
            if let Some(first) = self.met.iter().find(|met| **met != spec && met.is_one_of(group)) {
                let text = text!["options ", called(first), " and ", called(&spec), " cannot be combined"];
                let status = self.exclusive.bytes().next().filter(u8::is_ascii_digit).map(|digit| digit - b'0');
                return Err(Failure::new(status.unwrap_or(invocation.applet.usage_status), text));
            }
            if !self.met.contains(&spec) {
                self.met.push(spec);
            }
        }
        Ok(())
    }
}

/// How messages call an option.
fn called(spec: &Spec) -> String {
    match (spec.name(), spec.short) {
        ("", Some(letter)) => ['-', letter].iter().collect(),
        (name, _) => ["--", name].concat(),
    }
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
                    add!(&mut line, " '--", name, "'");
                }
                self.getopt(line)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::option::Row;

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
}
