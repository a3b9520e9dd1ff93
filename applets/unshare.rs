//! unshare: run a program with some namespaces of its own. unshare(1) of util-linux is the
//! reference; unshare(2) and namespaces(7) say what the kernel does.

mod options;
mod outside;
mod plan;
mod run;

use cli::{Applet, Invocation, Order, Origin, Outcome, Output, Parsed};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "unshare",
    directory: "usr/bin",
    section: "1",
    origin: Origin::UtilLinux,
    summary: "Run a program with some namespaces unshared from the parent",
    synopsis: &["[options] [<program> [<argument>...]]"],
    notes: "Without a program it runs a login shell: $SHELL, the passwd entry's, or /bin/sh.",
    usage_status: 1,
    options: || cli::table::specs(options::OPTIONS),
    run: |invocation, output| run(invocation, output),
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, operands) = match cli::table::parse(invocation, options::OPTIONS, Order::UntilOperand, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, operands) => (options, operands),
    };
    run::carry_out(&plan::plan(options, &operands)?, output)
}
