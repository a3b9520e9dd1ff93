//! --poll: changes of the kernel's table, as they come.

use super::cells::{Change, Row};
use super::fields::{ACTION, COLUMNS};
use super::matching::Matcher;
use super::options::{ACTIONS, Kind, Options, PollAction, TabFile};
use super::tables::{Filesystem, Tables, cant_read};
use cli::columns::{Form, Listing, Stream, Style};
use cli::{Failure, Invocation, Outcome, Output, text};
use linux::mount::table;
use linux::mount::watch::Watch;
use std::borrow::Cow;
use std::ffi::OsString;

/// A change of a file system: its index in the new table or, if it is gone, in the old one.
struct Found {
    action: PollAction,
    place: usize,
    /// Its place in the old table.
    old: Option<usize>,
}

/// Prints changes until --timeout passes without one, or after the first with --first-only.
pub fn watch(
    invocation: &Invocation<'_>,
    kind: Kind,
    options: &Options,
    fields: &[usize],
    output: &mut Output,
) -> Outcome {
    let path = match options.files.first() {
        None => OsString::from(table::SELF),
        Some(TabFile::Path(path)) => path.to_os_string(),
        Some(TabFile::Task(task)) => OsString::from(format!("/proc/{task}/mountinfo")),
    };
    let kind = if kind == Kind::Fstab { Kind::Mountinfo } else { kind };
    // Opened before the table is read, so that no change between the two is missed.
    let watch = Watch::open(&path);
    let mut old = Tables::read(invocation, kind, options)?;
    let watch = watch.map_err(|error| cant_read(&path, error.errno))?;
    let matcher = Matcher::new(options);
    let mut stream = Stream::First;
    loop {
        if !watch
            .wait(options.timeout.unwrap_or(-1))
            .map_err(|error| Failure::new(1, text!["poll() failed: ", error.errno]))?
        {
            return Ok(0);
        }
        let new = Tables::read(invocation, kind, options)?;
        let printed = {
            let (before, after) = (old.filesystems(invocation, options), new.filesystems(invocation, options));
            print(&before, &after, &matcher, fields, options, stream, output)
        };
        // Whoever reads the changes waits for them. What cannot be written is told at the end.
        if output.flush().is_err() || output.unwanted().is_some() {
            return Ok(0);
        }
        if printed {
            if options.first_only {
                return Ok(0);
            }
            stream = Stream::Further;
        }
        old = new;
    }
}

/// Prints the changes that are wanted. Whether there were any.
fn print(
    before: &[Filesystem<'_>],
    after: &[Filesystem<'_>],
    matcher: &Matcher<'_>,
    fields: &[usize],
    options: &Options,
    stream: Stream,
    output: &mut Output,
) -> bool {
    let swapped = matcher.can_swap().then(|| matcher.swapped());
    let (mut cells, mut parents) = (Vec::new(), Vec::new());
    for found in differences(before, after) {
        let table = if found.action == PollAction::Umount { before } else { after };
        let Some(filesystem) = table.get(found.place) else { continue };
        let is_asked = ACTIONS.iter().position(|(_, action)| *action == found.action);
        let is_asked = is_asked.is_some_and(|bit| options.poll.unwrap_or(0) & 1 << bit != 0);
        let is_wanted = |matcher: &Matcher<'_>| matcher.wants(filesystem, false);
        if !is_asked || !(is_wanted(matcher) || swapped.as_ref().is_some_and(is_wanted)) {
            continue;
        }
        let old = found.old.and_then(|old| before.get(old));
        let has_old_target = matches!(found.action, PollAction::Umount | PollAction::Move);
        let has_old_options = matches!(found.action, PollAction::Umount | PollAction::Remount);
        let change = Change {
            action: ACTIONS.iter().find(|(_, action)| *action == found.action).map_or("", |(name, _)| name),
            old_target: old.filter(|_| has_old_target).map(|old| old.target().into_owned()),
            old_options: old.filter(|_| has_old_options).and_then(Filesystem::options),
        };
        let mut row = Row::new(filesystem);
        row.change = Some(&change);
        for (index, field) in fields.iter().enumerate() {
            let mut cell = row.cell(*field, options);
            // The column is as wide as its longest word, whatever comes.
            if let Some(text) = cell.as_mut().filter(|_| *field == ACTION && options.form == Form::Aligned)
                && index + 1 < fields.len()
            {
                text.resize(10, b' ');
            }
            cells.push(cell);
        }
        parents.push(None);
        if options.first_only {
            break;
        }
    }
    let is_any = !parents.is_empty();
    if is_any {
        let columns = COLUMNS.chosen(fields);
        let listing = Listing { name: "filesystems", columns, cells, parents, tree: "" };
        listing.print(Style { stream, ..options.style() }, output);
    }
    is_any
}

/// What a mount is known by: mount point and source, and which of those that are alike it is.
type Name<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// Mounts by their names, those that are alike in their order.
fn by_name<'a>(table: &[Filesystem<'a>]) -> Vec<(Name<'a>, usize)> {
    let name = |(place, filesystem): (usize, &Filesystem<'a>)| ((filesystem.target(), filesystem.source()), place);
    let mut names: Vec<_> = table.iter().enumerate().map(name).collect();
    names.sort_unstable();
    names
}

/// The changes that made one table the other: those of what is there, then what is no more.
fn differences(before: &[Filesystem<'_>], after: &[Filesystem<'_>]) -> Vec<Found> {
    let (old_names, new_names) = (by_name(before), by_name(after));
    // For each place in a table its place in the other.
    let (mut of_new, mut of_old) = (vec![None; after.len()], vec![None; before.len()]);
    let (mut old, mut new) = (old_names.iter().peekable(), new_names.iter().peekable());
    while let (Some((old_name, old_place)), Some((new_name, new_place))) = (old.peek(), new.peek()) {
        match old_name.cmp(new_name) {
            core::cmp::Ordering::Less => drop(old.next()),
            core::cmp::Ordering::Greater => drop(new.next()),
            core::cmp::Ordering::Equal => {
                of_new.get_mut(*new_place).into_iter().for_each(|place| *place = Some(*old_place));
                of_old.get_mut(*old_place).into_iter().for_each(|place| *place = Some(*new_place));
                old.next();
                new.next();
            }
        }
    }
    // Those that have no other of the same name, by number: one that is there again was moved.
    let mut lost: Vec<(u32, usize)> = Vec::new();
    for (place, filesystem) in before.iter().enumerate() {
        if of_old.get(place) == Some(&None) {
            lost.push((filesystem.entry.id, place));
        }
    }
    lost.sort_unstable();
    let mut found = Vec::new();
    for (place, filesystem) in after.iter().enumerate() {
        let (action, old) = match of_new.get(place).copied().flatten() {
            Some(old) if before.get(old).is_some_and(|old| is_alike(old, filesystem)) => continue,
            Some(old) => (PollAction::Remount, Some(old)),
            None => {
                let same = lost.binary_search_by_key(&filesystem.entry.id, |(id, _)| *id).ok();
                let same = same.and_then(|same| lost.get(same)).map(|(_, place)| *place);
                match same.filter(|old| before.get(*old).is_some_and(|old| old.entry.source == filesystem.entry.source))
                {
                    Some(old) => {
                        of_old.get_mut(old).into_iter().for_each(|new| *new = Some(place));
                        (PollAction::Move, Some(old))
                    }
                    None => (PollAction::Mount, None),
                }
            }
        };
        found.push(Found { action, place, old });
    }
    for (place, new) in of_old.iter().enumerate() {
        if new.is_none() {
            found.push(Found { action: PollAction::Umount, place, old: Some(place) });
        }
    }
    found
}

/// Whether two mounts have the same options.
fn is_alike(one: &Filesystem<'_>, other: &Filesystem<'_>) -> bool {
    one.entry.options == other.entry.options && one.entry.super_options == other.entry.super_options
}
