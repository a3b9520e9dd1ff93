//! lsns: list namespaces. util-linux's lsns(8) is the reference; ioctl_nsfs(2) reports how they are related.
//!
//! It changes nothing. Everything comes from one walk over /proc and the mount table.

mod options;
mod rows;
mod survey;

use cli::columns::{self, Listing, Style};
use cli::explain::{Explanation, NO_CALL};
use cli::failure::{hint_on_terminal, hints_wanted};
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section};
use linux::Errno;
use linux::namespace::Kind;
use options::{COLUMNS, OPTIONS, Options, Tree};
use survey::{Filter, Survey};

/// The mount table cannot be read: /proc is not mounted.
const NO_TABLE: u8 = 32;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "lsns",
    directory: Directory::Bin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "List system namespaces",
    synopsis: "[options] [<namespace>]",
    notes: "",
    usage_status: 1,
    options: &OPTIONS.specs,
    explain,
    run,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(0);
    };
    if options.list_columns {
        columns::describe::describe("lsns-columns", COLUMNS, options.form, output);
        return Ok(0);
    }
    let one = match operands.first() {
        None => None,
        Some(operand) => Some(cli::id::whole(operand, "namespace", 0, u64::MAX)?),
    };
    if one.is_some() && options.task.is_some() {
        return Err(cli::fail!(1, "--task is mutually exclusive with <namespace>"));
    }
    let fields = options.fields(match one {
        Some(_) => "PID,PPID,USER,COMMAND",
        None if options.kinds & Kind::Net.flag() != 0 => "NS,TYPE,NPROCS,PID,USER,NETNSID,NSFS,COMMAND",
        None => "NS,TYPE,NPROCS,PID,USER,COMMAND",
    })?;
    let columns = COLUMNS.chosen(&fields);
    let shows = |name: &str| columns.iter().any(|column| column.name() == name);
    let related = options.tree.is_some_and(|tree| tree != Tree::Processes);
    let filter = columns::filter::Filter::known(&options.filter)?;
    let is_filtered = filter.is_some();
    let survey = Survey::make(&Filter {
        kinds: options.kinds,
        one,
        task: options.task,
        relations: related || is_filtered || shows("PNS") || shows("ONS"),
        interpolated: related && one.is_none(),
        net_id: is_filtered || shows("NETNSID"),
    });
    let survey = survey.map_err(|error| unreadable(&error))?;
    let (cells, parents) = rows::make(&survey, &options, one, &fields, filter)?;
    let tree = match one {
        None if related => "NS",
        _ if related || options.is_flat(one.is_some()) => "",
        _ => "COMMAND",
    };
    Listing { name: "namespaces", columns, cells, parents, tree }.print(style(&options), output);
    if survey.unreadable {
        hint_on_terminal(
            "processes that may not be traced from here, and their namespaces, are not shown: it takes CAP_SYS_PTRACE",
        );
    }
    Ok(0)
}

fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    if cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)?.is_none() {
        return Ok(None);
    }
    let mut explanation = Explanation::default();
    if !options.list_columns {
        explanation.tell("find the namespaces that are mounted", "open(\"/proc/self/mountinfo\")", &[]);
        explanation.tell("and those that processes are in", "stat(\"/proc/PID/ns/*\")", &[]);
        explanation.tell("or hold open", "stat(\"/proc/PID/fd/*\")", &[]);
        explanation.tell("ask for their parents and owners, if that is wanted", "ioctl(FD, NS_GET_PARENT)", &[]);
    }
    explanation.tell("print what was found", NO_CALL, &[]);
    Ok(Some(explanation))
}

fn unreadable(error: &linux::Error) -> Failure {
    let status = if error.object == linux::mount::table::SELF { NO_TABLE } else { 1 };
    let failure = cli::fail!(status, "failed to parse ", error.object, ": ", error.errno);
    if hints_wanted() && error.errno == Errno::ENOENT {
        return failure.hint("namespaces are found in /proc: 'mount -t proc proc /proc'");
    }
    failure
}

fn style(options: &Options) -> Style {
    Style {
        form: options.form,
        no_headings: options.no_headings,
        one_line: options.no_wrap,
        width: linux::terminal::width_or_80(1),
        cut: !options.no_truncate,
        ..Style::default()
    }
}
