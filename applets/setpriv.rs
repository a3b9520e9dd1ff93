//! setpriv: run a program with other privileges. util-linux's setpriv(1) is the reference;
//! capabilities(7) says what the kernel does.

mod confine;
mod dump;
mod explain;
mod options;
mod run;
mod values;

use ::run::exec::Program;
use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section, text};
use linux::caps::{self, CapSet};
use std::ffi::OsStr;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "setpriv",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::UtilLinux,
    summary: "Run a program with different privilege settings",
    synopsis: "[options] <program> [<argument>...]",
    notes: " This tool can be dangerous.  Read the manpage, and be careful.",
    usage_status: 1,
    options: &options::OPTIONS.specs,
    run,
    explain,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = options::Options::default();
    let Some(operands) = cli::parse(invocation, &options::OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    let Some(program) = program(&options, &operands)? else {
        if options.dump > 0 {
            dump::print(options.dump, invocation, output);
            return Ok(0);
        }
        for capability in CapSet::first(caps::count()).members() {
            output.print(text![values::capability_name(capability), "\n"]);
        }
        return Ok(0);
    };
    run::carry_out(&options, program, output)
}

/// The steps in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = options::Options::default();
    let Some(operands) = cli::parse(invocation, &options::OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(None);
    };
    if program(&options, &operands)?.is_some() {
        return Ok(Some(explain::explanation(&options, &operands)));
    }
    let mut explanation = Explanation::default();
    if options.dump > 0 {
        explanation.tell(
            "print the ids and capabilities of this process",
            "getresuid(), getgroups(), capget(), prctl(...)",
            &[],
        );
    } else {
        explanation.tell(
            "print the names of the capabilities that this kernel has",
            "prctl(PR_CAPBSET_READ, ...)",
            &[],
        );
    }
    Ok(Some(explanation))
}

/// The program to run; `None` with an option that prints.
fn program(options: &options::Options, operands: &[&'static OsStr]) -> Result<Option<Program>, Failure> {
    let wrong = |line: &str| Err(cli::fail!(1, line));
    if options.dump > 0 {
        if options.given != options.dump || !operands.is_empty() {
            return wrong("--dump is incompatible with all other options");
        }
        return Ok(None);
    }
    if options.list_caps {
        if options.given != 1 || !operands.is_empty() {
            return wrong("--list-caps must be specified alone");
        }
        return Ok(None);
    }
    let Some(program) = Program::from_operands(operands) else {
        return wrong("No program specified");
    };
    options.check()?;
    Ok(Some(program))
}
