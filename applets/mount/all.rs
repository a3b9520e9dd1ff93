//! mount -a: the file systems of fstab, in its order or at once.

use super::args::{Options, parse_options};
use super::errors::{FAILED, SOME, USAGE, no_mounts};
use super::perform::{Performed, perform};
use super::record::not_written;
use super::request::{Request, Settings};
use super::{fstab, source, target};
use cli::{Outcome, Output, text};
use linux::mount::fstab::{Fstab, FstabEntry};
use linux::mount::options::{self, Options as MountOptions};
use linux::mount::{table, utab};
use linux::process::{self, Fork, Status, Wait};
use linux::{Errno, directory};
use std::cell::{OnceCell, RefCell};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// How many mounts were tried, and how many failed.
#[derive(Default)]
struct Count {
    tried: usize,
    failed: usize,
}

impl Count {
    fn add(&mut self, ok: bool) {
        self.tried += 1;
        self.failed += usize::from(!ok);
    }

    fn status(&self) -> u8 {
        match self.failed {
            0 => 0,
            failed if failed == self.tried => FAILED,
            _ => SOME,
        }
    }
}

/// Mounts what -t and -O select. Not inlined: what a single mount does not need would be part of its stack.
#[inline(never)]
pub fn mount_all(settings: &Settings<'_>, output: &mut Output) -> Outcome {
    if settings.typed.options.has("remount") {
        return remount_all(settings, output);
    }
    hints::one_of_many();
    let table = fstab::read(settings)?;
    // Read once: two lines for the same place are both mounted. It may be the first of them that mounts /proc.
    let text = OnceCell::new();
    let mut mounted = None;
    let mut count = Count::default();
    let mut children: Vec<process::Pid> = Vec::new();
    if settings.typed.fork {
        // With an inherited SIG_IGN there would be no children to wait for.
        let _ = linux::signal::reset_to_default(linux::signal::SIGCHLD);
    }
    for entry in &table.entries {
        let own = MountOptions::parse(entry.options.as_deref().unwrap_or_default()).unwrap_or_default();
        let place = target::prefixed(&entry.target, settings.typed.target_prefix.as_deref());
        if is_skipped(settings, entry, &own) {
            say(settings, &entry.target, "ignored", output);
            continue;
        }
        if mounted.is_none() {
            mounted = match table::Table::read_or_list() {
                Err(error) if error.errno == Errno::ENOENT => None,
                read => {
                    let read = read.map_err(|error| no_mounts(USAGE, error))?;
                    Some(table::ByTarget::new(text.get_or_init(|| read)))
                }
            };
        }
        if mounted.as_ref().is_some_and(|mounted| is_mounted(mounted, entry, &own, &place)) {
            say(settings, &entry.target, "already mounted", output);
            continue;
        }
        if settings.typed.fork {
            // Flush before fork(2), or each child would write the buffered output again.
            let _ = output.flush();
            if let Some(child) = start(settings, entry, output) {
                children.push(child);
                say(settings, &entry.target, "mount successfully forked", output);
                continue;
            }
        }
        let done = mount_entry(settings, entry, output);
        report(settings, &entry.target, done, &mut count, output);
    }
    for child in children {
        count.add(matches!(process::wait(child, Wait::End), Ok(Status::Exited(0))));
    }
    Ok(count.status())
}

fn say(settings: &Settings<'_>, place: &OsStr, what: &str, output: &mut Output) {
    if settings.verbose {
        let mut line = place.as_bytes().to_vec();
        line.resize(line.len().max(25), b' ');
        output.print_line(text![line, ": ", what]);
    }
}

fn report(settings: &Settings<'_>, place: &OsStr, done: Performed, count: &mut Count, output: &mut Output) {
    match done {
        // Forgiven by nofail: no failure, and not mounted.
        Ok(None) => count.add(true),
        Ok(Some(status)) => {
            if status == 0 {
                say(settings, place, "successfully mounted", output);
            }
            count.add(status == 0);
        }
        Err(failure) => {
            // In the order in which things happened.
            let _ = output.flush();
            failure.print(settings.invocation);
            count.add(false);
        }
    }
}

fn mount_entry(settings: &Settings<'_>, entry: &FstabEntry, output: &mut Output) -> Performed {
    let own = parse_options(entry.options.as_deref().unwrap_or_default())?;
    let request = Request {
        source: Some(entry.written()),
        target: Some(entry.target.clone()),
        types: Some(entry.fstype.as_bytes().to_vec()),
        options: settings.typed.table_use.merge(own, settings.typed.options.clone()),
        without_table: true,
        ..Request::default()
    };
    perform(&Settings { verbose: false, ..*settings }, request, output)
}

/// -F: forks a child for the entry. `None`: that failed, and the entry is mounted in this process.
fn start(settings: &Settings<'_>, entry: &FstabEntry, output: &mut Output) -> Option<process::Pid> {
    // If SIGCHLD was inherited as ignored, the kernel would discard the child's status.
    linux::signal::reset_to_default(linux::signal::SIGCHLD).ok()?;
    match process::fork() {
        Ok(Fork::Parent(child)) => Some(child),
        Ok(Fork::Child) => {
            let done = mount_entry(settings, entry, output);
            let status = done.map(|status| status.unwrap_or(0)).unwrap_or_else(|failure| {
                failure.print(settings.invocation);
                failure.status
            });
            let _ = output.flush();
            process::exit_child(status)
        }
        Err(_) => None,
    }
}

fn is_skipped(settings: &Settings<'_>, entry: &FstabEntry, own: &MountOptions) -> bool {
    let is_root = settings.typed.target_prefix.is_none() && (entry.target == "/" || entry.target == "root");
    let no_auto = own.switch("auto", "noauto") == Some(false);
    entry.is_swap() || is_root || no_auto || !is_selected(settings.typed, &entry.fstype, own)
}

fn is_selected(wanted: &Options, fstype: &OsStr, own: &MountOptions) -> bool {
    wanted.types.as_ref().is_none_or(|types| options::type_matches(fstype, types.as_bytes()))
        && wanted.test_options.as_ref().is_none_or(|list| options::matches(own, list.as_bytes()))
}

/// Whether the entry's file system, or its directory, is already mounted at its target.
fn is_mounted(mounted: &table::ByTarget<'_>, entry: &FstabEntry, own: &MountOptions, place: &OsStr) -> bool {
    let place = directory::canonical_or_same(place);
    let mut here = mounted.on(&place).peekable();
    if here.peek().is_none() {
        return false;
    }
    let bind = own.has("bind") || own.has("rbind");
    let path = match linux::mount::probe::Tag::parse(&entry.source) {
        Some(tag) => tag.resolve().unwrap_or_default(),
        None if bind || source::is_path_type(entry.fstype.as_bytes()) => {
            directory::canonical_source(&entry.source).unwrap_or_else(|_| entry.source.clone())
        }
        None => entry.source.clone(),
    };
    here.any(|found| source::is_mounted(mounted, found, &path, own))
}

/// `-a -o remount`: every mounted file system that is selected.
fn remount_all(settings: &Settings<'_>, output: &mut Output) -> Outcome {
    let mounted = table::Table::read().map_err(|error| no_mounts(USAGE, error))?;
    let by_target = table::ByTarget::new(&mounted);
    let on = |target: &OsStr| by_target.on(target).last();
    let kept = utab::read();
    let kept = kept.index();
    let use_fstab = settings.typed.table_use.fstab;
    let lines = if use_fstab { fstab::read(settings)? } else { Fstab::default() };
    let lines = fstab::Lines::of(&lines);
    let unwritten = RefCell::new(Vec::new());
    let each = Settings { unwritten: Some(&unwritten), verbose: false, ..*settings };
    // Each time all of utab is written: a part of the mounts at a time.
    let part = (mounted.entries().count() / 8).max(32);
    let mut count = Count::default();
    for entry in mounted.entries() {
        let own = fstab::options_of(&entry, kept.find(&entry));
        let place = entry.target_path();
        if !is_selected(settings.typed, entry.fstype_text(), &own) {
            say(settings, &place, "ignored", output);
            continue;
        }
        let request =
            Request { target: Some(place.clone()), options: settings.typed.options.clone(), ..Request::default() };
        let request = Request { is_either: true, ..request };
        let request = match lines.find(&place) {
            Some(line) => {
                fstab::from_fstab(settings, request, line.clone(), &|target| Some(on(target)?.super_options.to_vec()))
            }
            None if settings.typed.table_use.mtab => {
                let canonical = directory::canonical(&place).ok();
                let top = canonical.and_then(|path| on(&path)).unwrap_or(&entry);
                let options = fstab::options_of(top, kept.find(top));
                Ok(fstab::from_mounted(settings, request.into_target(), top, options))
            }
            None => Ok(request.into_target()),
        };
        let done = request.and_then(|request| perform(&each, request, output));
        match done {
            Ok(Some(0)) => {
                say(settings, &place, "successfully remounted", output);
                count.add(true);
            }
            Ok(status) => count.add(status.is_none()),
            Err(failure) => {
                let _ = output.flush();
                failure.print(settings.invocation);
                count.add(false);
            }
        }
        let mut unwritten = unwritten.borrow_mut();
        let options = |new: &utab::UtabEntry| kept.find_mount(&new.target, new.id).map(|old| old.options.as_slice());
        if unwritten.last().is_some_and(|new| options(new).unwrap_or_default() == new.options) {
            unwritten.pop();
        }
        if unwritten.len() >= part {
            write(settings, core::mem::take(&mut unwritten), &mut count, output);
        }
    }
    write(settings, unwritten.take(), &mut count, output);
    Ok(count.status())
}

/// Writes to utab what remounts have changed. If that cannot be done none of them has succeeded.
fn write(settings: &Settings<'_>, mut changed: Vec<utab::UtabEntry>, count: &mut Count, output: &mut Output) {
    let Some(first) = changed.first() else { return };
    let (target, number) = (first.target.clone(), changed.len());
    if utab::update(&mut |table| table.set_all(core::mem::take(&mut changed))).is_err() {
        let _ = output.flush();
        not_written(&target).print(settings.invocation);
        count.failed += number;
    }
}
