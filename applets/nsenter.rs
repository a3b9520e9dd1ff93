//! nsenter: run a program in the namespaces of other processes. nsenter(1) of util-linux is the
//! reference; setns(2) and namespaces(7) say what the kernel does.

mod enter;
mod explain;
mod options;
mod plan;
mod run;

use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "nsenter",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::UtilLinux,
    summary: "Run a program with namespaces of other processes",
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
fn plan(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<plan::NsenterPlan>, Failure> {
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
