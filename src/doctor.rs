//! `ctrbox doctor`: what this machine lets its caller do, and why not. It reads, and changes nothing.

use cli::columns::json_string;
use cli::diagnosis::doctor::{Finding, Verdict, examine};
use cli::diagnosis::{Facts, Here};
use cli::{Applet, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Parsed, Table, text};
use std::ffi::OsStr;

pub static DOCTOR: Applet = Applet {
    name: "ctrbox doctor",
    directory: "",
    section: "1",
    origin: Origin::UtilLinux,
    summary: "Tell what this machine lets you do, and why not",
    synopsis: &["[--json]"],
    notes: "It reads only, and needs no privilege. What is found changes nothing in its exit status, 0.",
    usage_status: 1,
    options: &OPTIONS.specs,
    run,
    explain: |_, _| Ok(None),
};

#[derive(Default)]
struct Options {
    json: bool,
}

const ROWS: &[Opt<Options>] =
    &[Opt::flag(None, "json", "print it as JSON", |options| options.json = true), Opt::help(Some('h'))];

static OPTIONS: Table<Options> = cli::table!(ROWS);

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, operands) = match cli::table::parse(invocation, &OPTIONS, Order::UntilOperand, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, operands) => (options, operands),
    };
    if let Some(operand) = operands.first() {
        return Err(Failure::usage(1, text!["unexpected argument '", operand, "'"]));
    }
    let release = Here.file(OsStr::new("/proc/sys/kernel/osrelease")).unwrap_or_default();
    let (release, uid) = (release.trim_ascii(), linux::credentials::effective_uid());
    let findings = examine(&Here);
    if options.json {
        print_json(release, uid, &findings, output);
        return Ok(0);
    }
    output.print_line(text!["Linux ", release, ", as user ", uid]);
    for finding in findings {
        output.print_line(text![pad(finding.verdict), finding.name, ": ", finding.says]);
        for advice in finding.advice {
            output.print_line(text!["         > ", advice]);
        }
    }
    Ok(0)
}

/// The word, in a column of its own.
fn pad(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Yes => "yes      ",
        Verdict::Partly => "partly   ",
        Verdict::No => "no       ",
    }
}

fn print_json(release: &[u8], uid: u32, findings: &[Finding], output: &mut Output) {
    let string = |text: &[u8]| {
        let mut quoted = Vec::new();
        json_string(text, &mut quoted);
        quoted
    };
    output.print(text!["{\n   \"kernel\": ", string(release), ",\n   \"user\": ", uid, ",\n   \"findings\": [\n"]);
    for (index, finding) in findings.iter().enumerate() {
        output.print(text![
            if index > 0 { ",\n" } else { "" },
            "      {\n         \"name\": \"",
            finding.name,
            "\",\n         \"verdict\": \"",
            pad(finding.verdict).trim_end(),
            "\",\n         \"why\": ",
            string(&finding.says),
            ",\n         \"do\": ["
        ]);
        for (index, advice) in finding.advice.iter().enumerate() {
            output.print(text![if index > 0 { ", " } else { "" }, string(advice)]);
        }
        output.print("]\n      }");
    }
    output.print("\n   ]\n}\n");
}
