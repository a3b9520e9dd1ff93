//! Completes a partial command line from fstab(5) and the mounted file systems.

use super::args::parse_options;
use super::errors::USAGE;
use super::request::{Request, Settings};
use super::source;
use cli::failure::{Line, warn};
use cli::{Failure, text};
use linux::Errno;
use linux::directory;
use linux::index::Index;
use linux::mount::options::Options as MountOptions;
use linux::mount::probe::{NamedDevice, Tag};
use linux::mount::{fstab, mountinfo, table, utab};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Reads fstab: the files of -T, else `LIBMOUNT_FSTAB`, else the default one. Malformed lines are reported.
pub fn read(settings: &Settings<'_>) -> Result<fstab::Fstab, Failure> {
    if let Some(lines) = settings.lines {
        return Ok(lines.clone());
    }
    let mut table = fstab::Fstab::default();
    for path in &settings.typed.fstab {
        table.add_path(path).map_err(|_| cli::fail!(USAGE, path, ": failed to parse"))?;
    }
    if settings.typed.fstab.is_empty() {
        // A missing table is an empty one. Of all that is in one that cannot be read nothing would be mounted; whoever
        // asks for less than all can do without it.
        let is_needed = settings.typed.all && !settings.typed.options.has("remount");
        match table.add_default() {
            Err(error) if is_needed && error.errno != Errno::ENOENT => {
                return Err(cli::fail!(USAGE, error.object, ": failed to parse: ", error.errno));
            }
            _ => {}
        }
    }
    for (file, line) in &table.bad_lines {
        warn(settings.invocation, &Line::Named(text![file, ": parse error at line ", *line, " -- ignored"]));
    }
    Ok(table)
}

/// Refuses unreadable files of -T, even where the command needs nothing from them.
pub fn check(settings: &Settings<'_>) -> Result<(), Failure> {
    if settings.typed.fstab.is_empty() { Ok(()) } else { read(settings).map(drop) }
}

/// Completes a request that names only a source or only a target.
pub fn complete(settings: &Settings<'_>, request: Request) -> Result<Request, Failure> {
    let pair = request.source.is_some() && request.target.is_some();
    // Swap space is refused whatever a table says of it.
    let is_swap = request.negatable && request.types.as_deref() == Some(b"swap");
    if request.without_table || is_swap || pair && !settings.typed.table_use.force {
        check(settings)?;
        let is_nothing = request.source.as_deref() == Some(OsStr::new("none"));
        if request.source.is_some() && request.target.is_none() && !is_nothing {
            return Err(not_found(&request));
        }
        return Ok(request.into_target());
    }
    from_tables(settings, request)
}

/// The request that fstab, or for a remount the mounted file systems, complete. Not inlined, as
/// [`super::all::mount_all`].
#[inline(never)]
fn from_tables(settings: &Settings<'_>, request: Request) -> Result<Request, Failure> {
    let remount = request.options.has("remount");
    let pair = request.source.is_some() && request.target.is_some();
    let mut found = None;
    if settings.typed.table_use.fstab {
        let table = read(settings)?;
        found = find(&table, &request, settings.typed.no_canonicalize).cloned();
    }
    if let Some(line) = found {
        return from_fstab(settings, request, line, &|target| {
            Some(table::Table::read().ok()?.find_target(target)?.super_options.to_vec())
        });
    }
    if remount && settings.typed.table_use.mtab {
        let missing = not_found(&request);
        let request = from_mounts(settings, request);
        return if request.target.is_some() { Ok(request) } else { Err(missing) };
    }
    // --options-source-force asks for a line, where a table is asked.
    if remount && request.target.is_some() || pair && !settings.typed.table_use.fstab && !settings.typed.table_use.mtab
    {
        return Ok(request.into_target());
    }
    Err(not_found(&request))
}

/// A request completed by a line of fstab. `has` knows the options of the file system that is mounted on a path.
pub fn from_fstab(
    settings: &Settings<'_>,
    mut request: Request,
    entry: fstab::FstabEntry,
    has: &dyn Fn(&OsStr) -> Option<Vec<u8>>,
) -> Result<Request, Failure> {
    let remount = request.options.has("remount");
    let mut options = parse_options(entry.options.as_deref().unwrap_or_default())?;
    let is_bind = options.has("bind") || options.has("rbind");
    if remount {
        options.remove("bind");
        options.remove("rbind");
    }
    if core::mem::take(&mut request.is_either) {
        (request.source, request.target) = (None, None);
    }
    request.source.get_or_insert(entry.written());
    let target = request.target.get_or_insert(entry.target);
    if remount && !is_bind {
        let has = has(&directory::canonical_here(target).unwrap_or_else(|_| target.clone()));
        request.present = present(&has.unwrap_or_default(), &options, &request.options);
    }
    request.options = settings.typed.table_use.merge(options, request.options);
    if remount && is_bind {
        // Remount a bind of fstab as a mount only, since other mounts share its file system.
        request.options.push("bind", None);
    }
    // A list of types, or of those not to try, is for a line that leaves the type open.
    if request.types.is_none() || request.has_type_list() && entry.fstype != "auto" {
        request.types = Some(entry.fstype.into_vec());
        request.negatable = false;
    }
    Ok(request)
}

fn not_found(request: &Request) -> Failure {
    let table = fstab::default_path();
    let text = match (&request.source, &request.target) {
        (Some(_), Some(target)) if !request.is_named => text![target, ": can't find in ", table, "."],
        (Some(source), None) if !request.is_either => {
            text![source, ": can't find mount source ", source, " in ", table, "."]
        }
        (_, Some(target)) if !request.is_either => text![target, ": can't find mount point in ", table, "."],
        (Some(name), _) | (None, Some(name)) => text![name, ": can't find in ", table, "."],
        (None, None) => text!["no mount source specified"],
    };
    Failure::new(USAGE, text)
}

/// A remount without an entry in fstab takes source, type and options from the mount itself: the last one on the target,
/// else the last one of that source.
fn from_mounts(settings: &Settings<'_>, mut request: Request) -> Request {
    request.is_either = false;
    let target = request.target.as_ref();
    let Some(name) = target.or(request.source.as_ref()) else { return request };
    let path = source::resolve(name, false, b"auto", true).unwrap_or_else(|_| name.clone());
    let Ok(mounted) = table::Table::read() else { return request };
    let by_target = target.and_then(|_| mounted.find_target(&path));
    let by_source = || mounted.find_last(&|entry| entry.is_from(name) || entry.is_from(&path));
    let Some(entry) = by_target.or_else(by_source) else { return request };
    let kept = utab::read();
    let options = options_of(&entry, kept.find(&entry));
    from_mounted(settings, request, &entry, options)
}

/// The options of a mount, with what utab keeps of it.
pub fn options_of(entry: &mountinfo::Entry<'_>, kept: Option<&utab::UtabEntry>) -> MountOptions {
    let mut text = entry.all_options();
    if let Some(kept) = kept {
        text.push(b',');
        text.extend_from_slice(&kept.options);
    }
    MountOptions::parse(&text).unwrap_or_default()
}

/// A request for a target, completed by the mount that is there.
pub fn from_mounted(
    settings: &Settings<'_>,
    mut request: Request,
    entry: &mountinfo::Entry<'_>,
    mut options: MountOptions,
) -> Request {
    let asked = (request.options.read_only_mount(), request.options.read_only());
    if matches!(asked, (Some(_), None) | (None, Some(_))) {
        // What is said of the file system, or of the mount, leaves the other one as it is.
        options.0.retain(|option| !option.is_access());
        for (list, layer) in [(entry.super_options, b"fs".as_slice()), (entry.options, b"vfs")] {
            options.push(if mountinfo::is_read_only(list) { "ro" } else { "rw" }, Some(layer));
        }
    }
    request.present = not_asked(&options, &request.options);
    request.options = settings.typed.table_use.merge(options, request.options);
    request.source.get_or_insert_with(|| entry.source_text());
    request.target = Some(entry.target_path());
    request.types.get_or_insert(entry.fstype.to_vec());
    request
}

/// The options in fstab that the file system already has and that are not given again on the command line.
fn present(has: &[u8], options: &MountOptions, asked: &MountOptions) -> MountOptions {
    let has = MountOptions::parse(&mountinfo::unescape(has)).unwrap_or_default();
    let mut present = MountOptions::default();
    for option in not_asked(options, asked).0 {
        if has.0.iter().any(|other| other.name == option.name && other.plain_value() == option.plain_value()) {
            present.0.push(option);
        }
    }
    present
}

fn not_asked(options: &MountOptions, asked: &MountOptions) -> MountOptions {
    let mut rest = MountOptions::default();
    for option in &options.0 {
        if !asked.0.contains(option) {
            rest.0.push(option.clone());
        }
    }
    rest
}

/// The first entry that the request means. With `raw`, -c, no link is followed to it.
fn find<'a>(table: &'a fstab::Fstab, request: &Request, raw: bool) -> Option<&'a fstab::FstabEntry> {
    let by_source = |source: &OsStr| by_source(table, source, raw);
    let by_target = |target: &OsStr| by_target(table, target, raw);
    match (&request.source, &request.target) {
        (None, Some(either)) if request.is_either => by_target(either).or_else(|| by_source(either)),
        (Some(source), Some(target)) => {
            table.entries.iter().find(|entry| is_target(entry, target) && is_source(entry, source))
        }
        (Some(source), None) => by_source(source),
        (None, Some(target)) => by_target(target),
        (None, None) => None,
    }
}

/// The lines of fstab by what they name, to look many mount points up.
pub struct Lines<'a> {
    names: Vec<(OsString, &'a fstab::FstabEntry)>,
    by_name: Index,
}

impl<'a> Lines<'a> {
    /// The order in which [`find`] prefers matches: targets before sources, paths as typed before resolved ones.
    pub fn of(table: &'a fstab::Fstab) -> Lines<'a> {
        let resolved = |source: &OsStr| match Tag::parse(source) {
            Some(tag) => tag.linked(),
            None if source.as_bytes().first() == Some(&b'/') => directory::canonical_source(source).ok(),
            None => None,
        };
        let written = |name: &OsStr| Some(OsString::from_vec(normal(name)));
        let mut names = Vec::new();
        let mut add = |name_of: &dyn Fn(&fstab::FstabEntry) -> Option<OsString>| {
            names.extend(table.entries.iter().filter_map(|entry| Some((name_of(entry)?, entry))));
        };
        add(&|entry| written(&entry.target));
        add(&|entry| directory::canonical(&entry.target).ok().filter(|_| entry.target != "none"));
        add(&|entry| written(&entry.source).filter(|_| !source::is_tag(&entry.source)));
        add(&|entry| resolved(&entry.source));
        let by_name = Index::of(names.iter().map(|(name, _)| name.as_bytes()));
        Lines { names, by_name }
    }

    /// The line that a mount point means.
    pub fn find(&self, place: &OsStr) -> Option<&'a fstab::FstabEntry> {
        let first = |name: &[u8]| {
            self.by_name.places(name).find(|at| self.names.get(*at).is_some_and(|(own, _)| own.as_bytes() == name))
        };
        let resolved = directory::canonical(place).ok().and_then(|path| first(path.as_bytes()));
        let found = first(&normal(place)).into_iter().chain(resolved).min()?;
        self.names.get(found).map(|(_, entry)| *entry)
    }
}

fn by_target<'a>(table: &'a fstab::Fstab, target: &OsStr, raw: bool) -> Option<&'a fstab::FstabEntry> {
    let below = target.as_bytes().strip_prefix(b"./").unwrap_or(target.as_bytes());
    let absolute = directory::absolute(OsStr::from_bytes(below));
    let canonical = if raw { None } else { directory::canonical(target).ok() };
    let equals = |name: &OsStr| table.entries.iter().find(|entry| is_same_path(&entry.target, name));
    equals(target).or_else(|| equals(&absolute)).or_else(|| {
        let canonical = canonical?;
        equals(&canonical).or_else(|| {
            table.entries.iter().find(|entry| {
                entry.target != "none"
                    && !entry.is_swap()
                    && directory::canonical(&entry.target).is_ok_and(|path| path == canonical)
            })
        })
    })
}

fn is_target(entry: &fstab::FstabEntry, target: &OsStr) -> bool {
    let canonical = |path: &OsStr| directory::canonical(path).unwrap_or_else(|_| directory::absolute(path));
    is_same_path(&entry.target, target) || canonical(&entry.target) == canonical(target)
}

fn by_source<'a>(table: &'a fstab::Fstab, source: &OsStr, raw: bool) -> Option<&'a fstab::FstabEntry> {
    let written = table.entries.iter().find(|entry| is_written(entry, source));
    if raw && !source::is_tag(source) {
        return written;
    }
    written.or_else(|| {
        // The device may be in the table by another of its names.
        let device = NamedDevice::of(source)?;
        table.entries.iter().find(|entry| is_device(entry, &device))
    })
}

/// Whether the entry has this source as typed, apart from quotes around a tag's value and redundant slashes in a path.
fn is_written(entry: &fstab::FstabEntry, source: &OsStr) -> bool {
    match (Tag::parse(&entry.source), Tag::parse(source)) {
        (None, None) => is_same_path(&entry.source, source),
        (own, wanted) => own == wanted,
    }
}

fn is_source(entry: &fstab::FstabEntry, source: &OsStr) -> bool {
    is_written(entry, source) || NamedDevice::of(source).is_some_and(|device| is_device(entry, &device))
}

/// Whether the entry's source is the device, or the directory, by any of its names. `tmpfs` of a tmpfs is no path.
fn is_device(entry: &fstab::FstabEntry, device: &NamedDevice) -> bool {
    device.is(&entry.source) || source::is_path_type(entry.fstype.as_bytes()) && device.is_at(&entry.source)
}

/// A path without double slashes and without one at its end.
fn normal(path: &OsStr) -> Vec<u8> {
    directory::normal_bytes(path).collect()
}

/// Whether two paths are equal apart from redundant slashes. Compared without building them, since most paths of a
/// long table differ in their first bytes.
fn is_same_path(a: &OsStr, b: &OsStr) -> bool {
    directory::normal_bytes(a).eq(directory::normal_bytes(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> fstab::Fstab {
        let mut table = fstab::Fstab::default();
        table.add_text(text.as_bytes(), OsStr::new("fstab"));
        table
    }

    fn either(name: &str) -> Request {
        Request { target: Some(name.into()), is_either: true, ..Request::default() }
    }

    #[test]
    fn one_operand_is_a_target_before_it_is_a_source() {
        let table = table("/a /b x\n/b /c y\n");
        assert_eq!(find(&table, &either("/b"), false).map(|entry| entry.fstype.as_os_str()), Some(OsStr::new("x")));
        assert_eq!(find(&table, &either("/a"), false).map(|entry| entry.fstype.as_os_str()), Some(OsStr::new("x")));
        assert_eq!(find(&table, &either("/q"), false), None);
    }

    #[test]
    fn slashes_too_many_do_not_matter() {
        let table = table("/dev/s none swap\n/a /b/c x\n");
        assert!(find(&table, &either("//b//c/"), false).is_some());
        assert!(find(&table, &either("/dev/s"), false).is_some());
        for (path, short) in [("/", "/"), ("//", "/"), ("", ""), ("//a///b//", "/a/b"), ("a/", "a")] {
            assert_eq!(normal(OsStr::new(path)), short.as_bytes());
            assert!(is_same_path(OsStr::new(path), OsStr::new(short)));
        }
        assert!(!is_same_path(OsStr::new("/a"), OsStr::new("/a/b")));
    }

    #[test]
    fn many_mount_points_find_the_lines_that_each_would_find() {
        let table = table("/b /a x\n/dev /q/ y\ntmpfs /proc/ z\n/proc none swap\n/dev /b w\n/nowhere none v\nq /q u\n");
        let lines = Lines::of(&table);
        for place in ["/a", "/b", "/dev", "/proc", "/q", "//q", "/nowhere", "none", "/none", "/usr"] {
            assert_eq!(lines.find(OsStr::new(place)), find(&table, &either(place), false), "{place}");
        }
    }

    #[test]
    fn a_tag_finds_the_entry_with_the_same_tag() {
        let table = table("LABEL=x /b y\nUUID=\"1\" /c z\n");
        let source = |name: &str| Request { source: Some(name.into()), ..Request::default() };
        assert!(find(&table, &source("LABEL=\"x\""), false).is_some());
        assert!(find(&table, &source("UUID=1"), false).is_some());
        assert!(find(&table, &source("UUID=x"), false).is_none());
    }
}
