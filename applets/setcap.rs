//! setcap: set, remove and compare capabilities of files. libcap's setcap(8) is the reference.
//!
//! Arguments are pairs of a text and a file, processed from left to right. Options may stand before any pair and apply
//! from there on.

use cli::capability::{parse, print};
use cli::explain::{Explanation, NO_CALL};
use cli::failure::{Line, hint, hints_wanted, warn};
use cli::option::{Argument, Row, Spec, Specs};
use cli::text::push_all;
use cli::{Applet, Directory, Failure, Invocation, Origin, Outcome, Output, Section, add, number, text};
use hints::point_at;
use hints::{Step, explained};
use linux::Errno;
use linux::caps::file::{File, FileCapabilities};
use linux::caps::{self, Cap, Sets};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "setcap",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::Libcap,
    summary: "set the capabilities of files",
    synopsis: "[--license] [-f] [-h] [-n <rootid>] [-q] [-v] (-r|-|<caps>) <filename> [ ... (-r|-|<capsN>) <filenameN> ]",
    notes: "",
    usage_status: 1,
    options: &OPTIONS,
    run,
    explain,
};

const fn option(short: char, argument: Argument, help: &'static str) -> Row<()> {
    Row { spec: Spec { short: Some(short), long: "", argument, help }, store: () }
}

const ROWS: &[Row<()>] = &[
    option('f', Argument::None, "go on where a file has none to remove, or its effective ones are not all or nothing"),
    option('h', Argument::None, "this message and exit status 0"),
    option('n', Argument::Required("<rootid>"), "for the user namespaces whose root is this user (not 0)"),
    option('q', Argument::None, "quietly"),
    option('r', Argument::None, "remove the capabilities of the file"),
    option('v', Argument::None, "compare the file with the text; change nothing"),
    Row {
        spec: Spec { short: None, long: "license", argument: Argument::None, help: "display the license info" },
        store: (),
    },
];

/// The rows, packed.
static OPTIONS: Specs = cli::specs!(ROWS);

/// The longest text that is read from standard input, in bytes.
const INPUT: usize = 64 * 1024;

/// What the options so far have said.
#[derive(Default)]
struct Session {
    force: bool,
    quiet: bool,
    verify: bool,
    rootid: u32,
    /// CAP_SETFCAP has been raised.
    raised: bool,
}

/// What a file is to get.
#[derive(Clone, Copy)]
enum Wanted {
    /// `-r`.
    Nothing,
    Sets(Sets),
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    if invocation.args.is_empty() {
        return Err(Failure::silent(1).and(Line::Text(usage(invocation))));
    }
    let mut session = Session::default();
    let mut rest = invocation.args.iter().copied();
    while let Some(argument) = session.next(&mut rest)? {
        let wanted = match argument.as_bytes() {
            b"--license" => {
                output.print(cli::capability::license(invocation));
                return Ok(0);
            }
            b"-h" => {
                warn(invocation, &Line::Text(usage(invocation)));
                return Ok(0);
            }
            b"-r" => Wanted::Nothing,
            b"-" => {
                let text = session.standard_input(invocation)?;
                read_text(&text, invocation, output)?
            }
            text => read_text(text, invocation, output)?,
        };
        let path = rest.next().ok_or_else(|| Failure::silent(1).and(Line::Text(usage(invocation))))?;
        if session.verify {
            session.compare(wanted, path, output)?;
        } else {
            session.change(wanted, path, invocation)?;
        }
    }
    Ok(0)
}

/// What becomes of each file, in words. Standard input is not read.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    if invocation.args.is_empty() {
        return Err(Failure::silent(1).and(Line::Text(usage(invocation))));
    }
    let mut explanation = Explanation::default();
    let mut session = Session::default();
    let mut rest = invocation.args.iter().copied();
    while let Some(argument) = session.next(&mut rest)? {
        let wanted = match argument.as_bytes() {
            b"--license" | b"-h" => {
                explanation.tell("print what {0} asks for", NO_CALL, &[&argument]);
                break;
            }
            b"-r" => None,
            b"-" => Some(text!["what standard input says"]),
            text => {
                let wanted = read_text(text, invocation, output)?;
                session.check(wanted, invocation)?;
                Some(text.to_vec())
            }
        };
        let path = rest.next().ok_or_else(|| Failure::silent(1).and(Line::Text(usage(invocation))))?;
        if session.verify {
            let wanted = wanted.unwrap_or_else(|| text!["none"]);
            explanation.tell(
                "compare the capabilities of {0} with {1}",
                "getxattr(\"{0}\", \"security.capability\")",
                &[&path, &wanted],
            );
            continue;
        }
        if !session.raised {
            explanation.tell("make cap_setfcap effective if it is not", "capset()", &[]);
            session.raised = true;
        }
        let Some(wanted) = wanted else {
            let call = "removexattr(\"{0}\", \"security.capability\")";
            explanation.tell("take the capabilities of {0} away", call, &[&path]);
            continue;
        };
        let whom = match session.rootid {
            0 => Vec::new(),
            rootid => text![", in the user namespaces whose root is user ", rootid],
        };
        let call = "setxattr(\"{0}\", \"security.capability\", ...)";
        explanation.tell("give whoever executes {0} the capabilities {1}{2}", call, &[&path, &wanted, &whom]);
    }
    Ok(Some(explanation.or_nothing()))
}

fn usage(invocation: &Invocation<'_>) -> Vec<u8> {
    let mut out = text![
        cli::help::usage_line(invocation),
        "\n\n Note <filename> must be a regular (non-symlink) file.\n",
        " -           read capability text from stdin\n",
        " <capsN>     cap_from_text(3) formatted file capability\n",
        " [ Note: capsh --suggest=\"something...\" might help you pick. ]\n"
    ];
    for spec in OPTIONS.iter() {
        let mut name = match spec.short {
            Some(letter) => format!("-{letter}"),
            None => format!("--{}", spec.name()),
        };
        if let Argument::Required(value) = spec.argument {
            push_all(&mut name, &[" ", value]);
        }
        let pad = " ".repeat(12_usize.saturating_sub(name.len()).max(1));
        add!(&mut out, " ", name, pad, spec.help, "\n");
    }
    out.pop();
    out
}

/// A uid from 1 to 4294967295: decimal, octal after 0, hexadecimal after 0x.
fn rootid(value: &OsStr) -> Result<u32, Failure> {
    number::natural(value.as_bytes(), 0)
        .and_then(|uid| u32::try_from(uid).ok())
        .filter(|uid| *uid != 0)
        .ok_or_else(|| cli::fail!(plain 1, "bad ns rootid: want positive integer, got \"", value, "\""))
}

fn read_text(text: &[u8], invocation: &Invocation<'_>, output: &mut Output) -> Result<Wanted, Failure> {
    if text.iter().all(|byte| number::is_space(*byte)) {
        return Err(cli::fail!(plain 1, "empty space is an invalid capability, did you mean -r?"));
    }
    parse(text).map(Wanted::Sets).map_err(|error| {
        output.print_shown(text!["argument: ", text]);
        let failure = cli::fail!(plain 1, "fatal error: Invalid argument").and(Line::Text(usage(invocation)));
        match text {
            b"--help" => failure.hint("setcap has -h for that"),
            _ => point_at(failure, text, error),
        }
    })
}

impl Session {
    /// The next argument that is no option which holds for what follows.
    fn next<'a>(&mut self, rest: &mut impl Iterator<Item = &'a OsStr>) -> Result<Option<&'a OsStr>, Failure> {
        while let Some(argument) = rest.next() {
            match argument.as_bytes() {
                b"-f" => self.force = true,
                b"-q" => self.quiet = true,
                b"-v" => self.verify = true,
                b"-n" => {
                    let value = rest
                        .next()
                        .ok_or_else(|| cli::fail!(plain 1, "usage: .. -n <rootid> .. - rootid!=0 file caps"))?;
                    self.rootid = rootid(value)?;
                }
                _ => return Ok(Some(argument)),
            }
        }
        Ok(None)
    }

    /// Refuses what no file can hold; with `-f` it is only said.
    fn check(&self, wanted: Wanted, invocation: &Invocation<'_>) -> Result<(), Failure> {
        let Wanted::Sets(sets) = wanted else { return Ok(()) };
        if is_all_or_nothing(&sets) || self.verify {
            return Ok(());
        }
        let line = text![
            "Error: under Linux, effective file capabilities must either be empty, or\n",
            "       exactly match the union of selected permitted and inheritable bits."
        ];
        let failure = Failure::silent(1).and(Line::Text(line));
        if !self.force {
            return Err(failure);
        }
        failure.print(invocation);
        Ok(())
    }

    /// Reads standard input to its end or, on a terminal, to an empty line. Not inlined: its buffer would be part of
    /// each start's stack.
    #[inline(never)]
    fn standard_input(&self, invocation: &Invocation<'_>) -> Result<Vec<u8>, Failure> {
        if !self.quiet {
            warn(invocation, &Line::Plain(text!["Please enter caps for file [empty line to end]:"]));
        }
        let mut text = Vec::new();
        let mut piece = [0; 4096];
        while text.len() < INPUT {
            // What was read before an error is no whole text, so that nothing is set by it.
            let got = linux::raw::read_standard_input(&mut piece).map_err(|errno| {
                let aborting = Line::Text(b"\n[Error - aborting]".to_vec());
                Failure::silent(1).and(aborting).hint(text!["standard input: ", errno])
            })?;
            let read = piece.get(..got).unwrap_or_default();
            if matches!(read.first(), None | Some(b'\n')) {
                break;
            }
            text.extend_from_slice(read);
        }
        if text.len() >= INPUT {
            return Err(
                cli::fail!(plain 1, "fatal error: the text on standard input is longer than ", INPUT, " bytes"),
            );
        }
        if text.is_empty() { Err(Failure::silent(1).and(Line::Text(usage(invocation)))) } else { Ok(text) }
    }

    fn compare(&self, wanted: Wanted, path: &OsStr, output: &mut Output) -> Result<(), Failure> {
        let got = File::open_target(path).and_then(|file| file.get()).unwrap_or_default();
        let wanted = match wanted {
            Wanted::Nothing => Sets::default(),
            Wanted::Sets(sets) => sets,
        };
        let mut differences = String::new();
        for (letter, differs) in [
            ("p", got.sets.permitted != wanted.permitted),
            ("i", got.sets.inheritable != wanted.inheritable),
            ("e", got.sets.effective != wanted.effective),
        ] {
            differences.push_str(if differs { letter } else { "" });
        }
        let other_root = got.rootid != self.rootid;
        let same = differences.is_empty() && !other_root;
        if !self.quiet {
            let mut line = Vec::new();
            if other_root {
                add!(&mut line, "nsowner[got=", got.rootid, ", want=", self.rootid, "],");
            }
            if same {
                add!(&mut line, path, ": OK");
            } else {
                add!(&mut line, path, " differs in [", differences, "]");
            }
            output.print_shown(line);
        }
        if same { Ok(()) } else { Err(Failure::silent(1)) }
    }

    fn change(&mut self, wanted: Wanted, path: &OsStr, invocation: &Invocation<'_>) -> Result<(), Failure> {
        if !self.raised {
            caps::raise(Cap::SETFCAP).map_err(|error| {
                let line = text!["unable to set CAP_SETFCAP effective capability: ", error.errno];
                explained(Failure::plain(1, line), Step::Raise(Cap::SETFCAP), error.errno)
            })?;
            self.raised = true;
        }
        self.check(wanted, invocation)?;
        let file = File::open(path).map_err(|errno| failed(path, errno))?;
        let refused = |errno| explained(failed(path, errno), Step::SetCapability { path, rootid: self.rootid }, errno);
        let hinting = hints_wanted() && !self.quiet;
        let before = if hinting { file.get().ok() } else { None };
        match wanted {
            Wanted::Nothing => match file.remove() {
                Err(Errno::ENODATA) => {
                    let failure = cli::fail!(plain 1, "File '", path, "' has no capability to remove");
                    if !self.force {
                        return Err(failure);
                    }
                    failure.print(invocation);
                    Ok(())
                }
                done => done.map_err(refused),
            },
            Wanted::Sets(sets) => {
                let wanted = FileCapabilities { sets, rootid: self.rootid };
                file.set(&wanted).map_err(refused)?;
                if hinting {
                    tell_what_to_know(path, &file, before, &wanted);
                }
                Ok(())
            }
        }
    }
}

/// Whether a file can hold them: it has one effective bit for all.
fn is_all_or_nothing(sets: &Sets) -> bool {
    sets.effective.is_empty() || sets.effective == sets.permitted | sets.inheritable
}

fn failed(path: &OsStr, errno: Errno) -> Failure {
    match errno {
        Errno::EINVAL => cli::fail!(plain 1, "Invalid file '", path, "' for capability operation"),
        _ => cli::fail!(plain 1, "Failed to set capabilities on file '", path, "': ", errno),
    }
}

/// Hints after a success: which capabilities the file had before, and whether the new ones will take effect.
fn tell_what_to_know(path: &OsStr, file: &File, before: Option<FileCapabilities>, now: &FileCapabilities) {
    if let Some(before) = before.filter(|before| before != now && before.sets != Sets::default()) {
        hint(&text!["'", path, "' had other capabilities, which are replaced: ", print(&before.sets)]);
    }
    if file.is_on_nosuid() == Ok(true) {
        hint(&text!["'", path, "' is on a nosuid mount, where exec ignores its capabilities"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linux::caps::CapSet;

    #[test]
    fn a_rootid_is_a_uid_other_than_0() {
        let read = |text: &str| rootid(OsStr::new(text)).ok();
        assert_eq!(read("1000"), Some(1000));
        assert_eq!(read("0x10"), Some(16));
        for wrong in ["0", "", "-5", "5x", "4294967296"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn effective_is_all_or_nothing_over_every_capability() {
        let sets = |effective, permitted, inheritable| Sets {
            effective: CapSet(effective),
            permitted: CapSet(permitted),
            inheritable: CapSet(inheritable),
        };
        assert!(is_all_or_nothing(&sets(0, 5, 2)));
        assert!(is_all_or_nothing(&sets(7, 5, 2)));
        assert!(!is_all_or_nothing(&sets(1, 3, 0)));
        assert!(!is_all_or_nothing(&sets(2, 3, 0)));
        assert!(!is_all_or_nothing(&sets(3, 1, 0)));
    }
}
