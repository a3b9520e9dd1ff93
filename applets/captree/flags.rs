//! The command line, by the rules of Go's package flag.

use cli::failure::{Line, warn};
use cli::option::{Argument, Row, Spec, Specs};
use cli::{Failure, Invocation, add, columns::json_string, text};
use linux::number;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const fn row(long: &'static str, argument: Argument, help: &'static str) -> Row<()> {
    Row { spec: Spec { short: None, long, argument, help }, store: () }
}

const ROWS: &[Row<()>] = &[
    row("color", Argument::None, "color targeted PIDs on tty in red (default true)"),
    row("colour", Argument::None, "colour targeted PIDs on tty in red (default true)"),
    row("depth", Argument::Required("int"), "how many processes deep (0=all)"),
    row("proc", Argument::Required("string"), "root of proc filesystem (default \"/proc\")"),
    row("verbose", Argument::None, "display empty capabilities"),
];

/// The rows, packed.
pub static OPTIONS: Specs = cli::specs!(ROWS);

/// What a command line asks for.
pub struct Options<'a> {
    pub color: bool,
    pub colour: bool,
    /// How many processes are shown one below the other; 0 and less is all.
    pub depth: i64,
    /// Where the proc file system is.
    pub proc: &'a OsStr,
    pub verbose: bool,
    /// Process numbers and patterns of names.
    pub targets: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Parses the command line. `None`: help was requested and has been printed.
    pub fn parse(invocation: &Invocation<'a>) -> Result<Option<Options<'a>>, Failure> {
        let wrong = |message: Vec<u8>| Failure::silent(2).and(Line::Plain(message)).and(Line::Text(usage(invocation)));
        let mut options = Options {
            color: true,
            colour: true,
            depth: 0,
            proc: OsStr::new("/proc"),
            verbose: false,
            targets: Vec::new(),
        };
        let mut args = invocation.args.iter();
        while let [first, ..] = args.as_slice() {
            let word = first.as_bytes();
            let Some(flag) = word.strip_prefix(b"-").filter(|flag| !flag.is_empty()) else { break };
            args.next();
            if flag == b"-" {
                break;
            }
            let flag = flag.strip_prefix(b"-").unwrap_or(flag);
            if matches!(flag.first(), None | Some(b'-' | b'=')) {
                return Err(wrong(text!["bad flag syntax: ", word]));
            }
            let end = flag.iter().position(|byte| *byte == b'=').unwrap_or(flag.len());
            let (name, value) = flag.split_at(end);
            let mut value = value.strip_prefix(b"=");
            let switch = match name {
                b"color" => Some(&mut options.color),
                b"colour" => Some(&mut options.colour),
                b"verbose" => Some(&mut options.verbose),
                b"depth" | b"proc" => None,
                b"h" | b"help" => {
                    warn(invocation, &Line::Text(usage(invocation)));
                    return Ok(None);
                }
                _ => return Err(wrong(text!["flag provided but not defined: -", name])),
            };
            if let Some(switch) = switch {
                *switch = match value {
                    None | Some(b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True") => true,
                    Some(b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False") => false,
                    Some(value) => {
                        let value = quoted(value);
                        return Err(wrong(text!["invalid boolean value ", value, " for -", name, ": parse error"]));
                    }
                };
                continue;
            }
            if value.is_none() {
                value = args.next().map(|word| word.as_bytes());
            }
            let Some(value) = value else { return Err(wrong(text!["flag needs an argument: -", name])) };
            if name == b"proc" {
                options.proc = OsStr::from_bytes(value);
                continue;
            }
            options.depth =
                depth(value).map_err(|why| wrong(text!["invalid value ", quoted(value), " for flag -depth: ", why]))?;
        }
        for word in args {
            options.targets.push(word.as_bytes());
        }
        if options.targets.is_empty() {
            options.targets.push(b"1");
        }
        Ok(Some(options))
    }
}

/// A whole number, decimal, octal or hexadecimal by its prefix, or the reason why it is invalid.
fn depth(text: &[u8]) -> Result<i64, &'static str> {
    let begins = text.first().is_some_and(|byte| !number::is_space(*byte));
    let read = number::whole(text, 0).filter(|_| begins).ok_or("parse error")?;
    let value = read.value.and_then(|value| i64::try_from(value).ok()).ok_or("value out of range")?;
    Ok(if read.negative { -value } else { value })
}

/// A text in double quotes.
pub fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    json_string(text, &mut out);
    out
}

fn usage(invocation: &Invocation<'_>) -> Vec<u8> {
    let mut out = text!["Usage: ", invocation.argv0, " [options] [pid|glob] ...\nOptions:"];
    for spec in OPTIONS.iter() {
        let (blank, value) = match spec.argument {
            Argument::Required(value) => (" ", value),
            _ => ("", ""),
        };
        add!(&mut out, "\n  -", spec.long, blank, value, "\n    \t", spec.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_is_a_whole_number() {
        assert_eq!([depth(b"2"), depth(b"0x10"), depth(b"-1"), depth(b"+3")], [Ok(2), Ok(16), Ok(-1), Ok(3)]);
        for wrong in [b"".as_slice(), b"x", b"1x", b" 1", b"-"] {
            assert_eq!(depth(wrong), Err("parse error"));
        }
        assert_eq!(depth(b"9223372036854775808"), Err("value out of range"));
    }
}
