//! --verify: whether the lines of a table can be mounted.

use super::choose::choose;
use super::options::{Kind, Options};
use super::tables::{Filesystem, Part, Tables};
use cli::failure::write_error;
use cli::{Invocation, Outcome, Output, add, text};
use linux::directory::canonical;
use linux::index::Index;
use linux::mount::filesystems::{is_network, is_pseudo, is_supported};
use linux::mount::probe::{self, Probed, Tag, TagKind, name_and_value};
use linux::{Errno, number, stat};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What was found.
struct Report<'a> {
    verbose: bool,
    errors: usize,
    warnings: usize,
    /// The target that is looked at, until something is said of it.
    target: Option<Cow<'a, [u8]>>,
    text: Vec<u8>,
}

impl Report<'_> {
    fn say(&mut self, mark: &str, line: Vec<u8>) {
        if let Some(target) = self.target.take() {
            self.text.extend_from_slice(&target);
            self.text.push(b'\n');
        }
        add!(&mut self.text, "   [", mark, "] ", line);
        self.text.push(b'\n');
    }

    fn fine(&mut self, line: Vec<u8>) {
        if self.verbose {
            self.say(" ", line);
        }
    }

    fn warn(&mut self, line: Vec<u8>) {
        self.warnings += 1;
        self.say("W", line);
    }

    fn error(&mut self, line: Vec<u8>) {
        self.errors += 1;
        self.say("E", line);
    }
}

/// Looks at each file system that is wanted.
pub fn verify(invocation: &Invocation<'_>, kind: Kind, options: &Options, output: &mut Output) -> Outcome {
    let tables = Tables::read(invocation, kind, options)?;
    let mut table = tables.filesystems(invocation, options);
    let mut report = Report { verbose: options.verbose, errors: 0, warnings: 0, target: None, text: Vec::new() };
    let is_everything = options.is_everything();
    let order = if is_everything { Order::of(&table, options) } else { Order::default() };
    let count = if options.first_only { 1 } else { table.len() };
    let mut places: Vec<usize> = (0..table.len().min(count)).collect();
    if !is_everything {
        places =
            choose(&mut table, Kind::Mtab, tables.is_kernel, options).rows.iter().map(|(place, _)| *place).collect();
    }
    for place in places {
        let Some(filesystem) = table.get(place) else { continue };
        report.target = Some(filesystem.target());
        order.check(place, &mut report);
        one(filesystem, options, &mut report);
    }
    output.print(&report.text);
    let (bad, errors, warnings) = (tables.bad_lines.get(), report.errors, report.warnings);
    if bad + errors + warnings == 0 {
        output.print("Success, no errors or warnings detected\n");
        return Ok(0);
    }
    let count = |count: usize, what: &str| text![count, " ", what, if count == 1 { "" } else { "s" }];
    let (bad_lines, errors_told) = (count(bad, "parse error"), count(errors, "error"));
    write_error(&text!["\n", bad_lines, ", ", errors_told, ", ", count(warnings, "warning"), "\n"]);
    Ok(u8::from(bad + errors > 0))
}

/// The targets of a table, to find those that come too late.
#[derive(Default)]
struct Order {
    targets: Vec<Vec<u8>>,
    by_target: Index,
}

impl Order {
    fn of(table: &[Filesystem<'_>], options: &Options) -> Order {
        let mut targets = Vec::with_capacity(table.len());
        for filesystem in table {
            let target = filesystem.target().into_owned();
            // A kernel's table has paths without links.
            let is_kept = options.as_typed || filesystem.line.is_none();
            let canonical = if is_kept { None } else { canonical(OsStr::from_bytes(&target)).ok() };
            targets.push(canonical.map_or(target, OsString::into_vec));
        }
        let by_target = Index::of(&targets);
        Order { targets, by_target }
    }

    /// Where a target is behind a place.
    fn behind(&self, target: &[u8], place: usize) -> impl Iterator<Item = usize> {
        let is_behind =
            move |other: &usize| *other > place && self.targets.get(*other).is_some_and(|own| own == target);
        self.by_target.places(target).filter(is_behind)
    }

    /// Says which targets behind one are the same, or above it.
    fn check(&self, place: usize, report: &mut Report<'_>) {
        let Some(target) = self.targets.get(place) else { return };
        // Each with whether it is above.
        let mut wrong: Vec<(usize, &[u8])> = self.behind(target, place).map(|behind| (behind, &[][..])).collect();
        let slashes = target.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
        for above in slashes.filter_map(|(slash, _)| target.get(..slash)) {
            wrong.extend(self.behind(above, place).map(|behind| (behind, above)));
        }
        wrong.sort_unstable();
        for (_, above) in wrong {
            match above {
                [] => report.warn(text!["target specified more than once"]),
                above => report.error(text!["wrong order: ", target, " specified before ", above]),
            }
        }
    }
}

fn one(filesystem: &Filesystem<'_>, options: &Options, report: &mut Report<'_>) {
    let list = filesystem.options().unwrap_or_default();
    let list = linux::mount::options::Options::parse(&list).unwrap_or_default();
    let (source, fstype) = (filesystem.source(), filesystem.fstype());
    let is_swap = *fstype == *b"swap";
    let is_bind = list.has("bind");
    if is_swap {
        let value = |name| list.get(name).and_then(|option| option.plain_value());
        if let Some(policy) = value("discard")
            && !matches!(policy.as_slice(), b"once" | b"pages")
        {
            report.error(text!["unsupported swaparea discard policy: ", policy]);
        }
        if value("pri").is_some_and(|priority| !is_priority(&priority)) {
            report.error(text!["failed to parse swaparea priority option"]);
        }
    } else {
        target(filesystem, options, list.has("noauto"), is_bind, report);
        for (part, name) in
            [(Part::Vfs, "VFS options: "), (Part::Filesystem, "FS options: "), (Part::User, "userspace options: ")]
        {
            if let Some(part) = filesystem.part(part) {
                report.fine(text![name, part]);
            }
        }
    }
    let is_checked = !is_pseudo(&fstype) && !is_network(&fstype);
    match device(&source, is_checked, list.has("noauto"), is_bind, report) {
        Some(device) if is_checked => type_of(&device, &fstype, report),
        Some(device) => report.fine(text!["do not check ", device, " FS type (pseudo/net)"]),
        None => {}
    }
    if *filesystem.target() == *b"/" && !matches!(&*fstype, b"xfs" | b"btrfs") {
        let passno = filesystem.line.map_or(0, |line| line.passno);
        if passno != 1 {
            report.warn(text!["recommended root FS passno is 1 (current is ", passno, ")"]);
        }
    }
}

/// Whether swapon(8) can read a priority.
fn is_priority(text: &[u8]) -> bool {
    number::signed(text).is_some_and(|value| i32::try_from(value).is_ok())
}

fn target(filesystem: &Filesystem<'_>, options: &Options, no_auto: bool, is_bind: bool, report: &mut Report<'_>) {
    let target = filesystem.target();
    let path = OsStr::from_bytes(&target);
    if !options.as_typed
        && let Ok(real) = canonical(path)
        && *real.as_bytes() != *target
    {
        report.warn(text!["non-canonical target path (real: ", real, ")"]);
    }
    match stat::path(path) {
        Err(error) if no_auto => report.warn(text!["unreachable target: ", error.errno]),
        Err(error) => report.error(text!["unreachable on boot required target: ", error.errno]),
        Ok(stat) if !stat.is_directory() && !is_bind => report.error(text!["target is not a directory"]),
        Ok(_) => report.fine(text!["target exists"]),
    }
}

/// The device to look at for its type, if the source leads to one. A tag is looked for whatever the type is.
fn device(source: &[u8], is_checked: bool, no_auto: bool, is_bind: bool, report: &mut Report<'_>) -> Option<OsString> {
    let mut path = OsStr::from_bytes(source).to_os_string();
    if let Some((name, value)) = name_and_value(source) {
        let Some(kind) = TagKind::parse(name) else {
            report.error(text!["unsupported source tag: ", source]);
            return Some(path);
        };
        let shown = text![name, "=", value];
        match (Tag { kind, value }).resolve() {
            Some(device) => path = device,
            None if no_auto => {
                report.warn(text!["unreachable: ", shown]);
                return None;
            }
            None => {
                report.error(text!["unreachable on boot required source: ", shown]);
                return None;
            }
        }
        report.fine(text![shown, " translated to ", path]);
    }
    if !is_checked {
        report.fine(text!["do not check ", path, " source (pseudo/net)"]);
        return Some(path);
    }
    match stat::path(&path) {
        Err(error) => report.warn(text!["unreachable source: ", path, ": ", error.errno]),
        Ok(_) if is_bind => report.fine(text!["source ", path, " exists"]),
        Ok(stat) if stat.is_directory() || stat.is_regular() => {
            report.warn(text!["non-bind mount source ", path, " is a directory or regular file"]);
        }
        Ok(stat) if !stat.is_block_device() => report.warn(text!["source ", path, " is not a block device"]),
        Ok(_) => report.fine(text!["source ", path, " exists"]),
    }
    Some(path)
}

fn type_of(device: &OsStr, fstype: &[u8], report: &mut Report<'_>) {
    let is_auto = fstype == b"auto";
    if !is_auto && fstype != b"swap" && !is_supported(fstype) {
        report.warn(text![fstype, " seems unsupported by the current kernel"]);
    }
    let found = match stat::path(device) {
        Err(error) => Err(error.errno.to_string()),
        Ok(stat) if !stat.is_block_device() && !stat.is_regular() => Err(Errno::EINVAL.to_string()),
        Ok(_) => match probe::device(device) {
            Err(error) => Err(error.errno.to_string()),
            Ok(Probed::One(found)) => Ok(found.fstype),
            Ok(_) => Err("reason unknown".to_string()),
        },
    };
    match found {
        Err(why) if is_auto => report.error(text!["cannot detect on-disk filesystem type (", why, ")"]),
        Err(why) => report.warn(text!["cannot detect on-disk filesystem type (", why, ")"]),
        Ok(found) if is_auto || found.as_bytes() == fstype => report.fine(text!["FS type is ", found]),
        Ok(found) => report.warn(text![fstype, " does not match with on-disk ", found]),
    }
}
