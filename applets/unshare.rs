//! unshare: run a program with some namespaces of its own. unshare(1) of util-linux is the
//! reference; unshare(2) and namespaces(7) say what the kernel does.

mod explain;
mod options;
mod outside;
mod plan;
mod run;

use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "unshare",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::UtilLinux,
    summary: "Run a program with some namespaces unshared from the parent",
    synopsis: "[options] [<program> [<argument>...]]",
    notes: "Without a program it runs a login shell: $SHELL, the passwd entry's, or /bin/sh.",
    usage_status: 1,
    options: &options::OPTIONS.specs,
    run,
    explain,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    match plan(invocation, output)? {
        Some(plan) => run::carry_out(&plan, output),
        None => Ok(0),
    }
}

/// The plan of a command line; `None` if its help or version has been printed.
fn plan(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<plan::UnsharePlan>, Failure> {
    let mut options = options::Options::default();
    let Some(operands) = cli::parse(invocation, &options::OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(None);
    };
    plan::plan(options, &operands).map(Some)
}

/// The plan in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    Ok(plan(invocation, output)?.map(|plan| explain::explanation(&plan)))
}
