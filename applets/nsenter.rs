//! nsenter: run a program in the namespaces of other processes. nsenter(1) of util-linux is the
//! reference; setns(2) and namespaces(7) say what the kernel does.

mod enter;
mod options;
mod plan;
mod run;

use cli::{Applet, Invocation, Order, Origin, Outcome, Output, Parsed};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "nsenter",
    directory: "usr/bin",
    section: "1",
    origin: Origin::UtilLinux,
    summary: "Run a program with namespaces of other processes",
    synopsis: &["[options] [<program> [<argument>...]]"],
    notes: "Without a program it runs a login shell: $SHELL, the passwd entry's, or /bin/sh.",
    usage_status: 1,
    options: || cli::table::specs(options::OPTIONS),
    run,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, operands) = match cli::table::parse(invocation, options::OPTIONS, Order::UntilOperand, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, operands) => (options, operands),
    };
    run::carry_out(&plan::plan(options, &operands)?, output)
}
