//! captree: show the capabilities of processes as a tree. libcap's captree(8) is the reference.
//!
//! The original is a Go program: its flags have one dash or two, take `=VALUE` or the next word, and end at the first
//! operand.

mod flags;
mod tree;

use cli::explain::{Explanation, NO_CALL};
use cli::failure::{hint, hints_wanted};
use cli::{Applet, Directory, Failure, Invocation, Origin, Outcome, Output, Section, fail, text};
use flags::{OPTIONS, Options};
use linux::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use tree::{Processes, Style};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "captree",
    directory: Directory::Bin,
    section: Section::Administration,
    origin: Origin::Libcap,
    summary: "display tree of process capabilities",
    synopsis: "[options] [pid|glob] ...",
    notes: "",
    usage_status: 2,
    options: &OPTIONS,
    explain,
    run,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let Some(options) = Options::parse(invocation)? else { return Ok(0) };
    let mut processes = Processes::read(options.proc).map_err(|errno| unreadable("open", options.proc, errno))?;
    let missing = match processes.choose(&options.targets) {
        Ok(missing) => missing,
        Err(pattern) => {
            output.print(text!["no process matched ", flags::quoted(pattern), "\n"]);
            return Ok(1);
        }
    };
    let style = Style {
        verbose: options.verbose,
        depth: options.depth,
        red: options.color && options.colour && linux::terminal::is_terminal(1),
    };
    processes.print(&style, output).map_err(|errno| unreadable("read", options.proc, errno))?;
    if processes.is_empty() && hints_wanted() {
        let _ = output.flush();
        hint(&text!["no process is seen in ", options.proc, ": 'mount -t proc proc /proc'"]);
    }
    for pid in &missing {
        output.print(text!["[PID ", *pid, " not found]\n"]);
    }
    Ok(if missing.is_empty() { 0 } else { 1 })
}

fn explain(invocation: &Invocation<'_>, _output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some(options) = Options::parse(invocation)? else { return Ok(None) };
    let mut explanation = Explanation::default();
    let proc = options.proc;
    explanation.tell("read the name and the parent of every process", "open(\"{0}/PID/status\")", &[&proc]);
    let words = "read the capabilities of each thread of those that are asked for";
    explanation.tell(words, "open(\"{0}/PID/task/TID/status\")", &[&proc]);
    explanation.tell("print them as a tree", NO_CALL, &[]);
    Ok(Some(explanation))
}

fn unreadable(call: &str, proc: &OsStr, errno: Errno) -> Failure {
    fail!(1, "unable to ", call, " ", flags::quoted(proc.as_bytes()), ": ", errno)
}
