//! `ctrbox doctor`: what this machine lets its caller do, and why not. It reads, and changes nothing.

use cli::columns::json_string;
use cli::text::{disarm, fill};
use cli::{Applet, Directory, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table};
use hints::Here;
use hints::doctor::{Verdict, examine};

pub static DOCTOR: Applet = Applet {
    name: "ctrbox doctor",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::Ctrbox,
    summary: "Tell what this machine lets you do, and why not",
    synopsis: "[--json]",
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
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    if let Some(operand) = operands.first() {
        return Err(cli::fail!(usage 1, "unexpected argument '", operand, "'"));
    }
    let (release, uid) = (linux::system::release(), linux::credentials::effective_uid());
    let findings = examine(&Here);
    let (head, entry, end) = if options.json {
        (
            "{\n   \"kernel\": {0},\n   \"user\": {1},\n   \"findings\": [",
            "{0}\n      {\n         \"name\": \"{1}\",\n         \"verdict\": \"{2}\",\n         \"why\": {3},\n         \"do\": {4}\n      }",
            "\n   ]\n}\n",
        )
    } else {
        ("Linux {0}, as user {1}\n", "{2}{1}: {3}\n", "")
    };
    let shown = |text: &[u8]| {
        let mut shown = Vec::new();
        if options.json {
            json_string(text, &mut shown);
        } else {
            shown.extend_from_slice(text);
            disarm(&mut shown, 0);
        }
        shown
    };
    output.print(fill(head, &[&shown(release.as_encoded_bytes()), &uid]));
    for (index, finding) in findings.iter().enumerate() {
        let separator = if index > 0 { "," } else { "" };
        let verdict = match finding.verdict {
            Verdict::Yes => "yes      ",
            Verdict::Partly => "partly   ",
            Verdict::No => "no       ",
        };
        let verdict = if options.json { verdict.trim_end() } else { verdict };
        output
            .print(fill(entry, &[&separator, &finding.name, &verdict, &shown(&finding.says), &shown(&finding.advice)]));
        if !options.json && !finding.advice.is_empty() {
            output.print(fill("         > {0}\n", &[&shown(&finding.advice)]));
        }
    }
    output.print(end);
    Ok(0)
}
