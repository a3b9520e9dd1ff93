//! setpriv: run a program with other privileges. util-linux's setpriv(1) is the reference;
//! capabilities(7) says what the kernel does.

mod dump;
mod options;
mod run;

use cli::{Applet, Failure, Invocation, Order, Origin, Outcome, Output, Parsed, text};
use linux::capability;

/// A privilege could not be set.
const REFUSED: u8 = 127;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "setpriv",
    directory: "usr/bin",
    section: "1",
    origin: Origin::UtilLinux,
    summary: "Run a program with different privilege settings",
    synopsis: &["[options] <program> [<argument>...]"],
    notes: " This tool can be dangerous.  Read the manpage, and be careful.",
    usage_status: 1,
    options: &options::OPTIONS.specs,
    run,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, operands) = match cli::table::parse(invocation, &options::OPTIONS, Order::UntilOperand, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, operands) => (options, operands),
    };
    let wrong = |line: &str| Err(Failure::new(1, text![line]));
    if options.dump > 0 {
        if options.given != options.dump || !operands.is_empty() {
            return wrong("--dump is incompatible with all other options");
        }
        dump::print(options.dump, output)?;
        return Ok(0);
    }
    if options.list_caps {
        if options.given != 1 || !operands.is_empty() {
            return wrong("--list-caps must be specified alone");
        }
        for capability in 0..capability::count() {
            output.print(text![options::capability_name(capability), "\n"]);
        }
        return Ok(0);
    }
    let Some(program) = cli::exec::Program::from_operands(&operands) else {
        return wrong("No program specified");
    };
    options.check()?;
    run::carry_out(&options, program, output)
}
