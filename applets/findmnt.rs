//! findmnt: find a file system. util-linux's findmnt(8) is the reference; proc_pid_mountinfo(5), statmount(2) and
//! fstab(5) say what is in the tables. It only reads.

mod cells;
mod choose;
mod fields;
mod matching;
mod options;
mod poll;
mod tables;
mod verify;

use cells::Row;
use choose::Chosen;
use cli::columns::filter::{Filter, wrong_filter};
use cli::columns::{self, Listing};
use cli::explain::{Explanation, NO_CALL};
use cli::failure::{Line, warn};
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section, text};
use fields::{COLUMNS, is_of_poll};
use options::{Kind, OPTIONS, Options};
use tables::Tables;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "findmnt",
    directory: Directory::Bin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Find a (mounted) filesystem",
    synopsis: "[options]\n\
        [options] <device> | <mountpoint>\n\
        [options] <device> <mountpoint>\n\
        [options] [--source <device>] [--target <path> | --mountpoint <dir>]",
    notes: "",
    usage_status: 1,
    options: &OPTIONS.specs,
    explain,
    run,
};

/// There is nothing to show.
const NOTHING: u8 = 1;

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let Some(options) = given(invocation, output)? else { return Ok(0) };
    if options.list_columns {
        columns::describe::describe("findmnt-columns", COLUMNS, options.form, output);
        return Ok(0);
    }
    let kind = options.kind.unwrap_or(if options.verify { Kind::Fstab } else { Kind::Mountinfo });
    let mut fields = options.fields()?;
    if options.poll.is_some() {
        return poll::watch(invocation, kind, &options, &fields, output);
    }
    if options.verify {
        return verify::verify(invocation, kind, &options, output);
    }
    leave_out_of_poll(invocation, &mut fields);
    let filter = Filter::known(&options.filter)?;
    let tables = choose::looked_up(kind, &options).map_or_else(|| Tables::read(invocation, kind, &options), Ok);
    let tables = tables?;
    let mut filesystems = tables.filesystems(invocation, &options);
    let chosen = choose::choose(&mut filesystems, kind, tables.is_kernel, &options);
    let mut list = Vec::with_capacity(chosen.rows.len());
    let Chosen { rows, is_tree, may_be_empty } = chosen;
    // For each row its place in the list, if the filter leaves it.
    let mut places: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    let (mut cells, mut parents) = (Vec::with_capacity(rows.len() * fields.len()), Vec::with_capacity(rows.len()));
    for (place, parent) in rows {
        let Some(filesystem) = filesystems.get(place) else { continue };
        let mut row = Row::new(filesystem);
        let above = parent.and_then(|parent| places.get(parent).copied().flatten());
        if let Some(filter) = filter
            && !filter.accepts(&mut |field| row.cell(field, &options)).map_err(wrong_filter)?
        {
            places.push(above.filter(|_| is_tree));
            continue;
        }
        // The first one that the filter leaves, and what is on it.
        if options.first_only && filter.is_some() && above.is_none() && !list.is_empty() {
            break;
        }
        places.push(Some(list.len()));
        list.push(place);
        parents.push(above);
        cells.extend(fields.iter().map(|field| row.cell(*field, &options)));
    }
    if list.is_empty() && !may_be_empty {
        return Ok(NOTHING);
    }
    let columns = COLUMNS.chosen(&fields);
    let tree = if is_tree { "TARGET" } else { "" };
    if !columns.is_empty() {
        Listing { name: "filesystems", columns, cells, parents, tree }.print(options.style(), output);
    }
    Ok(0)
}

/// What was typed; `None` if the help was asked for.
fn given(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Options>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    if options.list_columns {
        return Ok(Some(options));
    }
    let wrong = |text: &str| Err(Failure::new(1, text.into()));
    if options.kind == Some(Kind::Listmount) && !options.files.is_empty() {
        return wrong("options --kernel=listmount and --tab-file or --task can't be used together");
    }
    if options.poll.is_some() && options.files.len() > 1 {
        return wrong("--poll accepts only one file, but more specified by --tab-file");
    }
    if !operands.is_empty() && (options.source.is_some() || options.target.is_some()) {
        return wrong(
            "options --target and --source can't be used together with command line element that is not an option",
        );
    }
    let mut operands = operands.into_iter();
    if let Some(source) = operands.next() {
        options.set_source(source);
    }
    options.target = operands.next().or(options.target);
    if options.submounts && options.is_everything() {
        options.submounts = false;
    }
    Ok(Some(options))
}

/// Leaves out, with a warning, the fields that only --poll fills.
fn leave_out_of_poll(invocation: &Invocation<'_>, fields: &mut Vec<usize>) {
    let first = fields.iter().position(|field| is_of_poll(*field));
    if let Some(first) = first
        && let Some(column) = fields.get(first).and_then(|field| COLUMNS.get(*field))
    {
        let line = text![column.name(), " column is requested, but --poll is not enabled"];
        warn(invocation, &Line::Named(line));
        // As in theirs, what comes behind it is left out, too.
        fields.truncate(first);
    }
}

fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some(options) = given(invocation, output)? else { return Ok(None) };
    let mut explanation = Explanation::default();
    if options.list_columns {
        explanation.tell("print the columns", NO_CALL, &[]);
        return Ok(Some(explanation));
    }
    match options.kind {
        Some(Kind::Fstab) => explanation.tell("read the table of file systems", "open(\"/etc/fstab\")", &[]),
        None if options.verify => explanation.tell("read the table of file systems", "open(\"/etc/fstab\")", &[]),
        Some(Kind::Listmount) => explanation.tell("ask for each mount", "listmount(...), statmount(...)", &[]),
        _ => explanation.tell("read the table of mounts", "open(\"/proc/self/mountinfo\")", &[]),
    }
    if options.poll.is_some() {
        explanation.tell("wait for it to change, again and again", "poll(FD, POLLPRI)", &[]);
    }
    if options.verify {
        explanation.tell("look at each source and target", "stat(2)", &[]);
    }
    explanation.tell("print what was found", NO_CALL, &[]);
    Ok(Some(explanation))
}
