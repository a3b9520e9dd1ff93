//! getpcaps: show the capabilities of processes. libcap's getpcaps(8) is the reference.
//!
//! Arguments are acted on from left to right; an option only affects the PIDs after it.

use cli::capability::{print, print_with_iab};
use cli::explain::{Explanation, NO_CALL};
use cli::failure::{Line, warn, write_error};
use cli::option::{Argument, Row, Spec, Specs};
use cli::text::push_all;
use cli::{Applet, Directory, Failure, Invocation, Origin, Outcome, Output, Section, number, text};
use linux::Errno;
use linux::caps::{self, Iab};
use linux::process::Pid;
use std::os::unix::ffi::OsStrExt;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "getpcaps",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::Libcap,
    summary: "displays the capabilities on the queried process(es)",
    synopsis: "[opts] <pid> [<pid> ...]",
    notes: "",
    usage_status: 1,
    options: &OPTIONS,
    run,
    explain,
};

const fn option(short: Option<char>, long: &'static str, help: &'static str) -> Row<()> {
    Row { spec: Spec { short, long, argument: Argument::None, help }, store: () }
}

const ROWS: &[Row<()>] = &[
    option(Some('h'), "help usage", "display this message."),
    option(None, "verbose", "use a more verbose output format."),
    option(None, "ugly legacy", "use the archaic legacy output format."),
    option(None, "iab", "show IAB of process too."),
    option(None, "license", "display license info"),
];

/// The rows, packed.
static OPTIONS: Specs = cli::specs!(ROWS);

/// How a process is shown.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Style {
    #[default]
    Plain,
    Verbose,
    /// The only one up to libcap 2.30, on standard error.
    Legacy,
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    if invocation.args.is_empty() {
        return Err(Failure::silent(1).and(Line::Text(usage(invocation))));
    }
    let mut style = Style::default();
    let mut iab = false;
    let mut status = 0;
    for argument in invocation.args {
        match argument.to_str().unwrap_or_default() {
            "--help" | "-h" | "--usage" => {
                warn(invocation, &Line::Text(usage(invocation)));
                return Ok(0);
            }
            "--license" => {
                output.print(cli::capability::license(invocation));
                return Ok(0);
            }
            "--verbose" => style = Style::Verbose,
            "--ugly" | "--legacy" => style = Style::Legacy,
            "--iab" => iab = true,
            _ => {
                if let Err(message) = show(argument.as_bytes(), style, iab, output) {
                    // In the order in which things were met, where both go to one place.
                    let _ = output.flush();
                    warn(invocation, &Line::Plain(message));
                    status = 1;
                }
            }
        }
    }
    Ok(status)
}

/// The explanation: what is read of each process.
fn explain(invocation: &Invocation<'_>, _output: &mut Output) -> Result<Option<Explanation>, Failure> {
    if invocation.args.is_empty() {
        return Err(Failure::silent(1).and(Line::Text(usage(invocation))));
    }
    let mut explanation = Explanation::default();
    let mut iab = false;
    for argument in invocation.args {
        match argument.to_str().unwrap_or_default() {
            "--help" | "-h" | "--usage" | "--license" => {
                explanation.tell("print what {0} asks for", NO_CALL, &[argument]);
                break;
            }
            "--verbose" | "--ugly" | "--legacy" => {}
            "--iab" => iab = true,
            _ => {
                explanation.tell("print the capability sets of process {0}", "capget({0})", &[argument]);
                if iab {
                    let words = "and its inheritable, ambient and bounding set";
                    explanation.tell(words, "open(\"/proc/{0}/status\")", &[argument]);
                }
            }
        }
    }
    Ok(Some(explanation.or_nothing()))
}

fn usage(invocation: &Invocation<'_>) -> Vec<u8> {
    let mut out = text![
        cli::help::usage_line(invocation),
        "\n\n  This program displays the capabilities on the queried process(es).\n",
        "  The capabilities are displayed in the cap_from_text(3) format.\n\n",
        "  Optional arguments:"
    ];
    for spec in OPTIONS.iter() {
        let mut names = String::new();
        for name in spec.names() {
            let before = if names.is_empty() { "--" } else { " or --" };
            push_all(&mut names, &[before, name]);
        }
        if let Some(letter) = spec.short {
            push_all(&mut names, &[" or -", letter.encode_utf8(&mut [0; 4])]);
        }
        out.extend_from_slice(format!("\n     {names:<21} {}", spec.help).as_bytes());
    }
    out
}

fn show(text: &[u8], style: Style, with_iab: bool, output: &mut Output) -> Result<(), Vec<u8>> {
    let pid = parse_pid(text).map_err(|errno| text!["Cannot parse pid ", text, ": (", errno, ")"])?;
    let sets =
        caps::get(pid).map_err(|error| text!["Failed to get cap's for process ", text, ": (", error.errno, ")"])?;
    if with_iab {
        let whole = style != Style::Plain;
        let iab = if pid == Pid::SELF { Iab::of_self() } else { Iab::of_process(pid) };
        let iab = iab.map_err(|_| text![text, ": no IAB value for ", text])?;
        output.print(text![text, ":", print_with_iab(&sets, &iab, whole), "\n"]);
        return Ok(());
    }
    let shown = print(&sets);
    match style {
        Style::Plain => output.print(text![text, ": ", shown, "\n"]),
        Style::Verbose => output.print(text!["Capabilities for '", text, "': ", shown, "\n"]),
        Style::Legacy => {
            let _ = output.flush();
            write_error(&text!["Capabilities for `", text, "': ", shown, "\n"]);
        }
    }
    Ok(())
}

/// A process number as strtol(3) with base 10 reads it, and nothing after it; 0 is ourselves.
fn parse_pid(text: &[u8]) -> Result<Pid, Errno> {
    let read = number::whole(text, 10).ok_or(Errno::EINVAL)?;
    let value = read.value.filter(|value| i64::try_from(*value).is_ok()).ok_or(Errno::ERANGE)?;
    Pid::new(value).filter(|pid| !read.negative || pid.0 == 0).ok_or(Errno::EOVERFLOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_a_whole_decimal_number_that_the_kernel_can_have() {
        assert_eq!(parse_pid(b" 12"), Ok(Pid(12)));
        assert_eq!(parse_pid(b"0"), Ok(Pid(0)));
        assert_eq!(parse_pid(b""), Err(Errno::EINVAL));
        assert_eq!(parse_pid(b"1x"), Err(Errno::EINVAL));
        assert_eq!(parse_pid(b"-1"), Err(Errno::EOVERFLOW));
        assert_eq!(parse_pid(b"2147483648"), Err(Errno::EOVERFLOW));
        assert_eq!(parse_pid(b"9223372036854775808"), Err(Errno::ERANGE));
    }
}
