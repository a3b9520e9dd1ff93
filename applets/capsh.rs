//! capsh: change and show the capabilities of a shell. libcap's capsh(1) is the reference.
//!
//! Arguments are acted on from left to right, each in the state that the earlier ones left;
//! the first that fails ends the command. There is no plan: every argument is its own step.

mod descriptions;
mod identity;
mod launch;
mod options;
mod report;
mod sets;

use cli::explain::{Explanation, NO_CALL};
use cli::option::{Argument, Spec};
use cli::{Applet, Failure, Invocation, Origin, Outcome, Output, number, text};
use linux::caps;
use linux::process::Pid;
use linux::signal::Disposition;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "capsh",
    directory: "usr/sbin",
    section: "1",
    origin: Origin::Libcap,
    summary: "change and show the capabilities of a shell",
    synopsis: &["[args ...]"],
    notes: "",
    usage_status: 1,
    options: &options::OPTIONS,
    run,
    explain,
};

/// What an option gives back: nothing, or why it failed.
type Step = Result<(), Failure>;

/// What an option does.
#[derive(Clone, Copy)]
enum Action {
    /// It has no value.
    Do(fn(&mut Session<'_>) -> Step),
    /// It has one, after `=`.
    With(fn(&mut Session<'_>, &OsStr) -> Step),
    /// It may have one.
    Maybe(fn(&mut Session<'_>, Option<&OsStr>) -> Step),
    /// It ends the command: usage.
    Help,
    /// It ends the command: the licence.
    License,
}

/// Whether an option ends the command, and with which text.
#[derive(Clone, Copy, Default)]
enum Ended {
    #[default]
    No,
    Help,
    License,
}

impl Action {
    #[inline(always)]
    fn act(self, session: &mut Session<'_>, value: Option<&OsStr>) -> Result<Ended, Failure> {
        match self {
            Action::Do(act) => act(session)?,
            Action::With(act) => act(session, value.unwrap_or_default())?,
            Action::Maybe(act) => act(session, value)?,
            Action::Help => return Ok(Ended::Help),
            Action::License => return Ok(Ended::License),
        }
        Ok(Ended::No)
    }
}

/// What earlier arguments leave for later ones, beside the state of the process itself.
struct Session<'a> {
    invocation: &'a Invocation<'a>,
    output: &'a mut Output,
    /// What `--shell` named.
    shell: Option<OsString>,
    /// No capability is raised to help an option.
    strict: bool,
    /// `--noenv` was given.
    keep_environment: bool,
    /// HOME and USER of the user that `--user` named.
    variables: Vec<(&'static str, OsString)>,
    /// The child of `--forkfor`.
    child: Option<Pid>,
    /// How SIGCHLD was set before that.
    sigchld: Option<Disposition>,
    /// `--quiet` was the first argument.
    quiet: bool,
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let quiet = invocation.args.first().is_some_and(|first| *first == "--quiet");
    let mut session = Session {
        invocation,
        output,
        shell: None,
        strict: false,
        keep_environment: false,
        variables: Vec::new(),
        child: None,
        sigchld: None,
        quiet,
    };
    if !quiet {
        session.warn_of_unnamed();
    }
    let mut rest = invocation.args;
    while let Some((argument, after)) = rest.split_first() {
        rest = after;
        match argument.as_bytes() {
            b"--" => return session.exec_shell(after),
            b"-+" => return session.launch_shell(after),
            b"==" => return session.exec_self(after),
            b"=+" => return session.launch_self(after),
            _ => {}
        }
        let Some((index, spec, value)) = find(argument) else { return session.not_known(argument) };
        if value.is_none() && matches!(spec.argument, Argument::Required(_)) {
            return session.not_known(argument);
        }
        match options::act_on(&mut session, index, value)? {
            Ended::No => {}
            Ended::Help => {
                session.usage();
                return Ok(0);
            }
            Ended::License => {
                session.output.print(cli::capability::license(invocation));
                return Ok(0);
            }
        }
    }
    Ok(0)
}

/// Each argument in words. What a shell is told with -c is the shell's to read.
fn explain(invocation: &Invocation<'_>, _output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut explanation = Explanation::default();
    let mut rest = invocation.args;
    let mut shell = OsString::from("/bin/bash");
    while let Some((argument, after)) = rest.split_first() {
        rest = after;
        let child = matches!(argument.as_bytes(), b"-+" | b"=+");
        if child {
            run::explain::fork(&mut explanation, false);
        }
        match argument.as_bytes() {
            b"--" | b"-+" | b"==" | b"=+" => {
                let program = if argument.as_bytes().starts_with(b"=") { OsString::from("capsh") } else { shell };
                let words: Vec<OsString> =
                    [program].into_iter().chain(after.iter().map(|word| word.to_os_string())).collect();
                explanation.run(&words, "");
                if after.first().is_some_and(|first| *first == "-c") {
                    explanation.tell("the shell reads the text after -c; it is not explained here", NO_CALL, &[]);
                }
                return Ok(Some(explanation));
            }
            _ => {}
        }
        let (_, spec, value) =
            find(argument).ok_or_else(|| Failure::plain(1, text!["unrecognized command [", argument, "]"]))?;
        let name = spec.name();
        match value {
            Some(value) if name == "shell" => shell = value.to_os_string(),
            Some(value) => explanation.tell("{0}: {1}", call(name), &[&spec.help, &value]),
            None => explanation.tell("{0}", call(name), &[&spec.help]),
        }
    }
    Ok(Some(explanation.or_nothing()))
}

/// The system call that carries an option out.
fn call(option: &str) -> &'static str {
    match option {
        "drop" => "prctl(PR_CAPBSET_DROP, ...)",
        "addamb" => "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ...)",
        "delamb" => "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, ...)",
        "noamb" => "prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)",
        "caps" | "inh" => "capset()",
        "iab" => "capset(), prctl(PR_CAP_AMBIENT, ...), prctl(PR_CAPBSET_DROP, ...)",
        "chroot" => "chroot(), chdir(\"/\")",
        "uid" => "setuid()",
        "gid" => "setgid()",
        "cap-uid" => "prctl(PR_SET_KEEPCAPS, 1), setuid(), capset()",
        "user" => "setgid(), setgroups(), prctl(PR_SET_KEEPCAPS, 1), setuid(), capset()",
        "groups" => "setgroups()",
        "keep" => "prctl(PR_SET_KEEPCAPS, ...)",
        "secbits" => "prctl(PR_SET_SECUREBITS, ...)",
        "mode" => "capset(), prctl(PR_SET_SECUREBITS, ...)",
        "no-new-privs" => "prctl(PR_SET_NO_NEW_PRIVS, 1)",
        "forkfor" => "fork()",
        "killit" => "kill(), waitpid()",
        "print" | "current" => "capget(), prctl(PR_CAPBSET_READ, ...)",
        _ => NO_CALL,
    }
}

/// The option that an argument names, by its row, and its value. Names are whole, and values follow `=`.
fn find(argument: &OsStr) -> Option<(usize, Spec, Option<&OsStr>)> {
    let bytes = argument.as_bytes();
    if bytes == b"-h" {
        return find(OsStr::new("--help"));
    }
    let word = bytes.strip_prefix(b"--")?;
    let equals = word.iter().position(|byte| *byte == b'=');
    let (name, value) = match equals.and_then(|at| word.split_at_checked(at)) {
        Some((name, value)) => (name, value.get(1..).map(OsStr::from_bytes)),
        None => (word, None),
    };
    let (index, spec) = options::OPTIONS.iter().enumerate().find(|(_, spec)| {
        let long = spec.name().as_bytes();
        let takes_value = spec.argument != Argument::None;
        // libcap looks only at how this one begins, and scripts may have come to rely on it.
        let begins = long == b"noamb" && word.starts_with(long);
        let is_it = long == name && (takes_value || value.is_none());
        is_it || begins
    })?;
    Some((index, spec, value))
}

impl Session<'_> {
    /// Says it when the kernel has more capabilities than we know names for.
    fn warn_of_unnamed(&mut self) {
        let last = caps::count().saturating_sub(1);
        if last >= caps::NAMED {
            self.output.print(text!["WARNING: libcap needs an update (cap=", last, " should have a name).\n"]);
        }
    }

    fn not_known(&mut self, argument: &OsStr) -> Outcome {
        if argument.as_bytes().starts_with(b"--mode") {
            self.output.print(text!["unrecognized command [", argument, "]\n"]);
        }
        self.usage();
        Ok(1)
    }

    /// The usage, on standard output as libcap prints it.
    fn usage(&mut self) {
        let mut out = text!["usage: ", self.invocation.argv0, " [args ...]\n"];
        for spec in options::OPTIONS.iter() {
            options::push_usage(&spec, &mut out);
        }
        let shell = self.shell.as_deref().unwrap_or(OsStr::new(launch::SHELL));
        out.extend_from_slice(&text![
            "  ==                 run capsh again with the arguments that follow\n",
            "  =+                 the same in a child, and wait for it\n",
            "  --                 run ",
            shell,
            " with the arguments that follow\n",
            "  -+                 the same in a child, and wait for it\n",
            "                     (without -- [",
            self.invocation.argv0,
            "] will simply exit(0))\n"
        ]);
        self.output.print(out);
    }

    /// A failure that is told on standard output, as libcap tells some of them.
    fn fail_on_stdout(&mut self, line: Vec<u8>) -> Failure {
        self.output.print(text![line, "\n"]);
        Failure::silent(1)
    }
}

/// A failure with a line of its own on standard error.
fn fail(line: Vec<u8>) -> Failure {
    Failure::plain(1, line)
}

/// `WHAT: STRERROR`.
fn failed(what: &str, error: &linux::Error) -> Failure {
    fail(text![what, ": ", error.errno])
}

/// A non-negative number of at most 32 bits: decimal, octal after 0, hexadecimal after 0x.
/// `what` is how the message names it, such as `--uid value`.
fn integer(what: &str, value: &OsStr) -> Result<u32, Failure> {
    let bytes = value.as_bytes();
    number::read(bytes, 0)
        .filter(|read| read.length == bytes.len() && !read.negative)
        .and_then(|read| u32::try_from(read.value?).ok())
        .ok_or_else(|| fail(text!["invalid ", what, ": want non-negative integer, got \"", value, "\""]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_by_their_whole_names_and_values_follow_an_equals_sign() {
        let name = |argument: &'static str| find(OsStr::new(argument)).map(|(_, spec, value)| (spec.name(), value));
        assert_eq!(name("--drop=all"), Some(("drop", Some(OsStr::new("all")))));
        assert_eq!(name("--caps="), Some(("caps", Some(OsStr::new("")))));
        assert_eq!(name("--caps=a=b"), Some(("caps", Some(OsStr::new("a=b")))));
        assert_eq!(name("--mode").map(|found| found.0), Some("mode"));
        assert_eq!(name("--modes").map(|found| found.0), Some("modes"));
        assert_eq!(name("-h").map(|found| found.0), Some("help"));
        assert_eq!(name("--dro=all"), None);
        assert_eq!(name("--print=x"), None);
        assert_eq!(name("print"), None);
    }

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
