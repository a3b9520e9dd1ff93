//! capsh: change and show the capabilities of a shell. libcap's capsh(1) is the reference.
//!
//! Arguments take effect from left to right, each in the state that the earlier ones left; the first failure ends the
//! command. There is no plan: each argument is a step.

mod descriptions;
mod identity;
mod launch;
mod options;
mod report;
mod session;
mod sets;

use cli::explain::{Explanation, NO_CALL};
use cli::option::{Argument, Spec};
use cli::{Applet, Directory, Failure, Invocation, Origin, Outcome, Output, Section, text};
use session::{Ended, Session};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "capsh",
    directory: Directory::Sbin,
    section: Section::Commands,
    origin: Origin::Libcap,
    summary: "change and show the capabilities of a shell",
    synopsis: "[args ...]",
    notes: "",
    usage_status: 1,
    options: &options::OPTIONS,
    run,
    explain,
};

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
        let Some((index, spec, value)) = find(argument) else { return not_known(&mut session, argument) };
        if value.is_none() && matches!(spec.argument, Argument::Required(_)) {
            return not_known(&mut session, argument);
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

/// Explains each argument. The arguments after -c belong to the shell and are not explained.
fn explain(invocation: &Invocation<'_>, _output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut explanation = Explanation::default();
    let mut rest = invocation.args;
    let mut shell = OsStr::new("/bin/bash");
    while let Some((argument, after)) = rest.split_first() {
        rest = after;
        let child = matches!(argument.as_bytes(), b"-+" | b"=+");
        if child {
            run::explain::fork(&mut explanation, false);
        }
        match argument.as_bytes() {
            b"--" | b"-+" | b"==" | b"=+" => {
                let program = if argument.as_bytes().starts_with(b"=") { OsStr::new("capsh") } else { shell };
                explanation.run(&[&[program], after].concat(), "");
                if after.first().is_some_and(|first| *first == "-c") {
                    explanation.tell("the shell reads the text after -c; it is not explained here", NO_CALL, &[]);
                }
                return Ok(Some(explanation));
            }
            _ => {}
        }
        let (_, spec, value) =
            find(argument).ok_or_else(|| cli::fail!(plain 1, "unrecognized command [", argument, "]"))?;
        let name = spec.name();
        match value {
            Some(value) if name == "shell" => shell = value,
            Some(value) => explanation.tell("{0}: {1}", call(name), &[&spec.help, &value]),
            None => explanation.tell("{0}", call(name), &[&spec.help]),
        }
    }
    Ok(Some(explanation.or_nothing()))
}

/// The system calls that carry options out: in each line the options, then the call.
const CALLS: &str = "\
drop\tprctl(PR_CAPBSET_DROP, ...)
addamb\tprctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ...)
delamb\tprctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, ...)
noamb\tprctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
caps inh\tcapset()
iab\tcapset(), prctl(PR_CAP_AMBIENT, ...), prctl(PR_CAPBSET_DROP, ...)
chroot\tchroot(), chdir(\"/\")
uid\tsetuid()
gid\tsetgid()
cap-uid\tprctl(PR_SET_KEEPCAPS, 1), setuid(), capset()
user\tsetgid(), setgroups(), prctl(PR_SET_KEEPCAPS, 1), setuid(), capset()
groups\tsetgroups()
keep\tprctl(PR_SET_KEEPCAPS, ...)
secbits\tprctl(PR_SET_SECUREBITS, ...)
mode\tcapset(), prctl(PR_SET_SECUREBITS, ...)
no-new-privs\tprctl(PR_SET_NO_NEW_PRIVS, 1)
forkfor\tfork()
killit\tkill(), waitpid()
print current\tcapget(), prctl(PR_CAPBSET_READ, ...)";

/// The system call that carries an option out.
fn call(option: &str) -> &'static str {
    for (options, call) in CALLS.split('\n').filter_map(|line| line.split_once('\t')) {
        if options.split(' ').any(|known| known == option) {
            return call;
        }
    }
    NO_CALL
}

/// Finds the option of an argument: its row and its value. Names cannot be abbreviated, and a value follows `=`.
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
        // Only a prefix is compared, as in libcap, since scripts may rely on it.
        let begins = long == b"noamb" && word.starts_with(long);
        let is_it = long == name && (takes_value || value.is_none());
        is_it || begins
    })?;
    Some((index, spec, value))
}

fn not_known(session: &mut Session<'_>, argument: &OsStr) -> Outcome {
    if argument.as_bytes().starts_with(b"--mode") {
        session.output.print(text!["unrecognized command [", argument, "]\n"]);
    }
    session.usage();
    Ok(1)
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
}
