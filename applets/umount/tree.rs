//! The unmounts that read the mount table once for all: -R, -A and -a of umount(8).

use super::find::{self, Found};
use super::one::{self, Known};
use super::options::{FAILED, UNREAD, USAGE, Unmounting, failed};
use cli::{Failure, Outcome, Output, text};
use linux::mount::options::{self, Options as MountOptions};
use linux::mount::statmount;
use linux::mount::{mountinfo, table, utab};
use linux::{Errno, credentials};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The types that -a leaves mounted when no types are given.
const LEFT_ALONE: &[u8] = b"noproc,nodevfs,nodevpts,nosysfs,norpc_pipefs,nonfsd,noselinuxfs";

/// The table, and the status if it cannot be read.
fn read(status: u8) -> Result<table::Table, Failure> {
    table::Table::read().map_err(|error| unread(status, error.errno))
}

fn unread(status: u8, errno: Errno) -> Failure {
    cli::fail!(status, "failed to parse ", table::SELF, ": ", errno)
}

/// The path to look for in the table, where paths are canonical. With -c the operand's last part stays as it is.
fn canonical(settings: &Unmounting<'_>, operand: &OsStr) -> std::ffi::OsString {
    find::canonical(operand, !settings.options.no_canonicalize)
}

/// -R DIR: unmounts every mount on DIR or below it. The first failure ends it.
pub fn unmount_tree(settings: &Unmounting<'_>, operand: &OsStr, output: &mut Output) -> Outcome {
    let table = read(UNREAD)?;
    let path = canonical(settings, operand);
    let entries: Vec<_> = table.entries().collect();
    let Some(lowest) = lowest_on(&entries, &path) else { return nothing(settings, operand) };
    with_utab(settings, &mut |known| {
        let tree = table::Tree::new(&entries);
        unmount_below(settings, &tree, lowest, &[], known, output)
    })
}

/// utab, and whether it could be read; it is empty if not.
fn read_utab() -> (utab::Utab, bool) {
    utab::try_read().map_or_else(|_| (utab::Utab::default(), false), |table| (table, true))
}

/// Runs many unmounts with utab read once. However they end, the entries of what was unmounted are removed from it.
pub fn with_utab(settings: &Unmounting<'_>, unmount: &mut dyn FnMut(&mut Known<'_>) -> Outcome) -> Outcome {
    let (kept, is_read) = read_utab();
    let kept = kept.index();
    let mut known = Known::of(&kept, is_read);
    let outcome = unmount(&mut known);
    match (outcome, known.finish()) {
        (Ok(0), Err(refused)) => refused.outcome(settings),
        (outcome, _) => outcome,
    }
}

/// The number of the lowest mount that is stacked on a directory.
fn lowest_on(entries: &[mountinfo::Entry<'_>], path: &OsStr) -> Option<u32> {
    let mut stacked = Vec::new();
    for entry in entries {
        if entry.is_on(path) {
            stacked.push(*entry);
        }
    }
    let last = stacked.last()?.id;
    let tree = table::Tree::new(&stacked);
    let is_lowest = |entry: &&mountinfo::Entry<'_>| entry.id == entry.parent || tree.get(entry.parent).is_none();
    let mut stacks = stacked.iter().filter(is_lowest);
    let (first, second) = (stacks.next(), stacks.next());
    if let (Some(lowest), None) = (first, second) {
        return Some(lowest.id);
    }
    // A mount over a directory above hides another stack on the same path: the kernel knows which one is seen.
    let seen = statmount::mountinfo_id(None, path, 0).ok().and_then(|ids| u32::try_from(ids.id).ok());
    let mut lowest = tree.get(seen.unwrap_or(last)).map_or(last, |entry| entry.id);
    for _ in &stacked {
        match tree.get(lowest).and_then(|entry| tree.get(entry.parent)).filter(|parent| parent.id != lowest) {
            Some(parent) => lowest = parent.id,
            None => break,
        }
    }
    Some(lowest)
}

/// The failure for an operand that is not mounted.
fn nothing(settings: &Unmounting<'_>, operand: &OsStr) -> Outcome {
    if settings.options.graceful && credentials::effective_uid().is_root() {
        return Ok(0);
    }
    if settings.options.quiet {
        return Ok(USAGE);
    }
    let what = if linux::stat::path(operand).is_ok() { ": not mounted" } else { ": not found" };
    Err(cli::fail!(USAGE, operand, what))
}

fn unmount_below(
    settings: &Unmounting<'_>,
    tree: &table::Tree<'_, '_>,
    top: u32,
    gone: &[bool],
    known: &mut Known<'_>,
    output: &mut Output,
) -> Outcome {
    let order = tree.backward(top, gone).map_err(|errno| unread(USAGE, errno))?;
    let parent = order.last().and_then(|entry| tree.get(entry.parent));
    let is_shared = |entry: &mountinfo::Entry<'_>| entry.group("shared:").is_some();
    let spreads = order.iter().any(is_shared) || parent.is_some_and(is_shared);
    // With -f and -l the mounts are not looked at, since a server may hang.
    let options = &settings.options;
    let asks = spreads && !options.fake && !options.force && !options.lazy && is_open(&order);
    for entry in &order {
        let found = Found::of(entry);
        if asks && is_gone(entry.id, &found.target) {
            continue;
        }
        match one::unmount_found(settings, &found, known, output) {
            Ok(0) => {}
            Ok(status) => return Ok(status),
            // It is gone already, so it is no failure.
            Err(_) if !known.is_there(entry.id) => {}
            Err(refused) => return refused.outcome(settings),
        }
    }
    Ok(0)
}

/// Whether the path of the lowest of these mounts leads to one of them: else something above covers them all, and none
/// of them is gone because its path leads elsewhere.
fn is_open(order: &[mountinfo::Entry<'_>]) -> bool {
    let Some(lowest) = order.last() else { return true };
    match statmount::mountinfo_id(None, &lowest.target_path(), 0) {
        Ok(ids) => ids.id == 0 || order.iter().any(|entry| u64::from(entry.id) == ids.id),
        Err(error) => error.errno != Errno::ENOENT,
    }
}

/// Whether a mount is gone because the unmount of a peer propagated to it: its path then leads to another mount. Mounts
/// over it cannot be the reason, since they were unmounted first.
fn is_gone(id: u32, target: &OsStr) -> bool {
    match statmount::mountinfo_id(None, target, 0) {
        // 0: the kernel does not say.
        Ok(ids) => ids.id != 0 && ids.id != u64::from(id),
        Err(error) => error.errno == Errno::ENOENT,
    }
}

/// Whether a mount's path leads to it, asked of the kernel without reading the table.
fn is_seen(entry: &mountinfo::Entry<'_>) -> bool {
    statmount::mountinfo_id(None, &entry.target_path(), 0).is_ok_and(|ids| ids.id == u64::from(entry.id))
}

/// -A: unmounts every mount of the file system that the operand names, the last first; with -R also the mounts below
/// them.
pub fn unmount_all_targets(settings: &Unmounting<'_>, operand: &OsStr, output: &mut Output) -> Outcome {
    let table = read(FAILED)?;
    let path = canonical(settings, operand);
    let entries: Vec<_> = table.entries().collect();
    let wanted = entries.iter().rev().find(|entry| entry.is_on(&path));
    let wanted = wanted.or_else(|| {
        let device = find::device(operand)?;
        entries.iter().rev().find(|entry| entry.is_from(&device))
    });
    let Some(wanted) = wanted else { return nothing(settings, operand) };
    // By its path the mount over it would be unmounted.
    if entries.iter().rev().find(|entry| entry.target == wanted.target).is_some_and(|top| top.id != wanted.id) {
        return Err(failed(USAGE, operand, "operation", Errno::EINVAL));
    }
    let device = wanted.device;
    let tree = table::Tree::new(&entries);
    // The mounts that are gone with their trees, so that a tree inside another one is not unmounted twice.
    let mut gone = vec![false; entries.len()];
    with_utab(settings, &mut |known| {
        for (place, entry) in entries.iter().enumerate().rev().filter(|(_, entry)| entry.device == device) {
            let outcome = if settings.options.recursive {
                let hangs = settings.options.force || settings.options.lazy;
                if (hangs || !is_seen(entry)) && !known.is_there(entry.id) {
                    continue;
                }
                let outcome = unmount_below(settings, &tree, entry.id, &gone, known, output)?;
                if let Some(gone) = gone.get_mut(place) {
                    *gone = outcome == 0 && !settings.options.fake;
                }
                outcome
            } else {
                let found = Found::of(entry);
                match one::unmount_found(settings, &found, known, output) {
                    Ok(status) => status,
                    Err(_) if !known.is_there(entry.id) => 0,
                    Err(refused) => refused.outcome(settings)?,
                }
            };
            if outcome != 0 {
                return Ok(outcome);
            }
        }
        Ok(0)
    })
}

/// -a: tries every mount that -t and -O select, the last first, and combines the exit statuses.
pub fn unmount_all(settings: &Unmounting<'_>, output: &mut Output) -> Outcome {
    let options = &settings.options;
    let table = read(USAGE)?;
    let (kept, is_read) = read_utab();
    let kept = kept.index();
    let types = options.types.as_ref().map_or(LEFT_ALONE, |types| types.as_bytes());
    let mut known = Known::of(&kept, is_read);
    let mut status = 0;
    for entry in table.entries_backward() {
        let target = entry.target_path();
        if !options::type_matches(entry.fstype_text(), types) || !has_options(settings, &entry, &kept) {
            say(settings, &target, "ignored", output);
            continue;
        }
        match one::unmount_found(settings, &Found::of(&entry), &mut known, output) {
            Ok(0) => say(settings, &target, "successfully unmounted", output),
            Ok(failed) => status |= failed,
            Err(refused) => match refused.outcome(settings) {
                Ok(failed) => status |= failed,
                Err(failure) => status |= settings.report(&failure, output),
            },
        }
    }
    if let Err(refused) = known.finish() {
        status |= settings.report(&refused.failure, output);
    }
    Ok(status)
}

fn has_options(settings: &Unmounting<'_>, entry: &mountinfo::Entry<'_>, kept: &utab::UtabIndex<'_>) -> bool {
    let Some(list) = &settings.options.test_options else { return true };
    let mut text = entry.all_options();
    if let Some(more) = kept.find(entry) {
        text.push(b',');
        text.extend_from_slice(&more.options);
    }
    MountOptions::parse(&text).is_ok_and(|own| options::matches(&own, list.as_bytes()))
}

fn say(settings: &Unmounting<'_>, target: &OsStr, what: &str, output: &mut Output) {
    if settings.options.verbose {
        let mut line = target.as_bytes().to_vec();
        line.resize(line.len().max(25), b' ');
        output.print_line(text![line, ": ", what]);
    }
}
