//! Reads the tables (mountinfo, fstab(5), /proc/swaps, utab) and makes a file system of each line: findmnt(8).

use super::options::{Kind, Options, TabFile};
use cli::failure::{Line, hints_wanted, warn};
use cli::{Failure, Invocation, text};
use linux::mount;
use linux::mount::fstab::{Fstab, FstabEntry};
use linux::mount::listmount::{self, Lines};
use linux::mount::mountinfo::{Entry, unescape};
use linux::mount::options::names::Meaning;
use linux::mount::table::{self, Table};
use linux::mount::utab::{self, Utab};
use linux::process::{Pid, id};
use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A line of a table.
#[derive(Clone, Copy)]
pub struct Filesystem<'a> {
    /// The line of mountinfo; empty if it is from another table.
    pub entry: Entry<'a>,
    /// The line, if it is from another table.
    pub line: Option<&'a FstabEntry>,
    /// The mount's unique id, which is never reused, if the kernel was asked for it; else 0.
    pub unique: u64,
    /// The process or thread whose table it is.
    pub task: Option<Pid>,
    /// Options that utab keeps.
    pub kept: &'a [u8],
}

const NO_ENTRY: Entry<'static> = Entry {
    id: 0,
    parent: 0,
    device: (0, 0),
    root: b"",
    target: b"",
    options: b"",
    optional: b"",
    fstype: b"",
    source: b"",
    super_options: b"",
    plain: true,
};

impl<'a> Filesystem<'a> {
    /// The mount point.
    pub fn target(&self) -> Cow<'a, [u8]> {
        self.text(self.entry.target, |line| line.target.as_bytes())
    }

    /// The source, as it is written.
    pub fn source(&self) -> Cow<'a, [u8]> {
        if let Some(line) = self.line.filter(|line| line.quote.is_some()) {
            return Cow::Owned(line.written().into_encoded_bytes());
        }
        self.text(self.entry.source, |line| line.source.as_bytes())
    }

    /// The type.
    pub fn fstype(&self) -> Cow<'a, [u8]> {
        self.text(self.entry.fstype, |line| line.fstype.as_bytes())
    }

    /// The directory of the file system that is mounted.
    pub fn root(&self) -> Cow<'a, [u8]> {
        self.text(self.entry.root, |_| b"")
    }

    fn text(&self, own: &'a [u8], of_line: fn(&'a FstabEntry) -> &'a [u8]) -> Cow<'a, [u8]> {
        match self.line {
            Some(line) => Cow::Borrowed(of_line(line)),
            None if self.entry.plain => Cow::Borrowed(own),
            None => unescape(own),
        }
    }

    /// All options; `None` if a line has none.
    pub fn options(&self) -> Option<Vec<u8>> {
        if let Some(line) = self.line {
            return line.options.clone();
        }
        let mut text = self.entry.all_options();
        if !self.kept.is_empty() {
            text.push(b',');
            text.extend_from_slice(self.kept);
        }
        Some(text)
    }

    /// The options of the VFS, of the file system, or of mount itself: as the kernel tells them apart, or by name if the
    /// line is not the kernel's.
    pub fn part(&self, part: Part) -> Option<Vec<u8>> {
        match (self.line, part) {
            (None, Part::Vfs) => Some(unescape(self.entry.options).into_owned()),
            (None, Part::Filesystem) => Some(unescape(self.entry.super_options).into_owned()),
            (None, Part::User) => Some(self.kept.to_vec()),
            (Some(line), part) => named_part(line.options.as_deref().unwrap_or_default(), part),
        }
        .filter(|text| !text.is_empty())
    }
}

/// Whom options are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The VFS.
    Vfs,
    /// The file system.
    Filesystem,
    /// mount itself.
    User,
}

/// The options of a list that are for one part; `rw` and `ro` are for VFS and file system. `None` if the list is malformed.
fn named_part(list: &[u8], part: Part) -> Option<Vec<u8>> {
    let options = linux::mount::options::Options::parse(list).ok()?;
    let mut text = Vec::new();
    for option in &options.0 {
        let is_wanted = match option.meaning() {
            Meaning::Vfs(_) => part == Part::Vfs,
            Meaning::Userspace(_) => part == Part::User && option.name != b"defaults",
            Meaning::Filesystem => part == Part::Filesystem,
        };
        if is_wanted {
            option.append_to(&mut text);
        }
    }
    Some(text)
}

/// The flags of the VFS.
const VFS: [u64; 17] = [
    mount::MS_RDONLY,
    mount::MS_NOEXEC,
    mount::MS_NOSUID,
    mount::MS_NODEV,
    mount::MS_SYNCHRONOUS,
    mount::MS_DIRSYNC,
    mount::MS_REMOUNT,
    mount::MS_BIND,
    mount::MS_SILENT,
    mount::MS_MANDLOCK,
    mount::MS_NOATIME,
    mount::MS_I_VERSION,
    mount::MS_NODIRATIME,
    mount::MS_RELATIME,
    mount::MS_STRICTATIME,
    mount::MS_LAZYTIME,
    mount::MS_NOSYMFOLLOW,
];

/// What each of them is called if it is set, and if it is not; in one text, since a pointer to each would be relocated.
const VFS_NAMES: &str = "ro rw noexec exec nosuid suid nodev dev sync async dirsync  remount  bind,rbind  \
                           silent loud mand nomand noatime atime iversion noiversion nodiratime diratime \
                           relatime norelatime strictatime nostrictatime lazytime nolazytime nosymfollow symfollow";

/// Every option of the VFS, as it is set or not.
pub fn all_vfs(set: &[u8]) -> Vec<u8> {
    let mut options = linux::mount::options::Options::parse(set).unwrap_or_default();
    options.imply_user_flags();
    let flags = options.mount_flags();
    let mut text = Vec::new();
    let mut names = VFS_NAMES.split(' ');
    for flag in VFS {
        let [on, off] = [names.next(), names.next()].map(Option::unwrap_or_default);
        let name = if flags & flag != 0 { on } else { off };
        text.extend_from_slice(if text.is_empty() || name.is_empty() { b"" } else { b"," });
        text.extend_from_slice(name.as_bytes());
    }
    text
}

/// What was read.
pub struct Tables {
    files: Vec<(Vec<u8>, Option<Pid>)>,
    unique: Vec<u64>,
    fstab: Fstab,
    utab: Utab,
    /// Whether they come from the kernel, with ids that make a tree.
    pub is_kernel: bool,
    /// How many lines could not be read.
    pub bad_lines: Cell<usize>,
}

/// What a file's first line says that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Unknown,
    Mountinfo,
    Fstab,
    Swaps,
}

impl Tables {
    /// A table of mounts that were asked for one by one.
    pub fn of_lines(lines: Lines, utab: Utab) -> Tables {
        let files = vec![(lines.text, Some(id()))];
        Tables { files, unique: lines.unique, fstab: Fstab::default(), utab, is_kernel: true, bad_lines: Cell::new(0) }
    }

    /// Drops the unique ids, which mountinfo does not have.
    pub fn forget_unique(&mut self) {
        self.unique.clear();
    }

    /// Reads them.
    pub fn read(invocation: &Invocation<'_>, kind: Kind, options: &Options) -> Result<Tables, Failure> {
        let utab = if kind == Kind::Mtab { utab::read() } else { Utab::default() };
        if kind == Kind::Listmount && options.files.is_empty() {
            let lines = listmount::lines(None);
            let lines = lines.ok_or_else(|| cant_read(OsStr::new("listmount(2)"), linux::Errno::ENOSYS))?;
            return Ok(Tables::of_lines(lines, utab));
        }
        let (files, fstab) = (Vec::new(), Fstab::default());
        let mut tables = Tables { files, unique: Vec::new(), fstab, utab, is_kernel: false, bad_lines: Cell::new(0) };
        let mut format = if kind == Kind::Fstab { Format::Fstab } else { Format::Unknown };
        if options.files.is_empty() && kind == Kind::Fstab {
            tables.fstab.add_default().map_err(|error| cant_read(&error.object, error.errno))?;
        }
        if options.files.is_empty() && kind != Kind::Fstab {
            tables.add(OsStr::new(table::SELF), Some(id()), &mut Format::Mountinfo)?;
        }
        for file in &options.files {
            match *file {
                TabFile::Path(path) if kind == Kind::Fstab => tables.add_fstab(path)?,
                TabFile::Path(path) => tables.add(path, None, &mut format)?,
                TabFile::Task(task) => {
                    let path = OsString::from(format!("/proc/{task}/mountinfo"));
                    tables.add(&path, Some(task), &mut format)?;
                }
            }
        }
        for (file, line) in &tables.fstab.bad_lines {
            tell_bad_line(invocation, file, *line);
        }
        tables.bad_lines.set(tables.fstab.bad_lines.len());
        tables.is_kernel = format == Format::Mountinfo || options.files.is_empty() && kind != Kind::Fstab;
        Ok(tables)
    }

    fn add_fstab(&mut self, path: &OsStr) -> Result<(), Failure> {
        self.fstab.add_path(path).map_err(|error| cant_read(path, error.errno))
    }

    fn add(&mut self, path: &OsStr, task: Option<Pid>, format: &mut Format) -> Result<(), Failure> {
        let text = Table::read_from(path).map_err(|error| cant_read(path, error.errno))?.into_text();
        if *format == Format::Unknown {
            *format = guess(&text);
        }
        match format {
            Format::Unknown | Format::Mountinfo => self.files.push((text, task)),
            Format::Fstab => self.fstab.add_text(&text, path),
            Format::Swaps => self.add_swaps(&text),
        }
        Ok(())
    }

    fn add_swaps(&mut self, text: &[u8]) {
        for line in text.split(|byte| *byte == b'\n').skip(1) {
            let source = line.split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
            if !source.is_empty() {
                self.fstab.entries.push(FstabEntry {
                    source: OsStr::from_bytes(&unescape(source)).into(),
                    quote: None,
                    target: OsString::new(),
                    fstype: "swap".into(),
                    options: None,
                    freq: 0,
                    passno: 0,
                });
            }
        }
    }

    /// The file systems, in order.
    pub fn filesystems(&self, invocation: &Invocation<'_>, options: &Options) -> Vec<Filesystem<'_>> {
        let mut list = Vec::new();
        let kept = self.utab.index();
        for (index, (text, task)) in self.files.iter().enumerate() {
            for (number, line) in text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| is_line(line)) {
                let Some(entry) = parse(line) else {
                    let path = match options.files.get(index) {
                        Some(TabFile::Path(path)) => path.to_os_string(),
                        _ => OsString::from(format!("/proc/{}/mountinfo", task.unwrap_or_default())),
                    };
                    tell_bad_line(invocation, &path, number + 1);
                    self.bad_lines.set(self.bad_lines.get() + 1);
                    continue;
                };
                let unique = self.unique.get(list.len()).copied().unwrap_or(0);
                list.push(Filesystem { entry, line: None, unique, task: *task, kept: b"" });
            }
        }
        if kept.count() > 0 {
            for filesystem in &mut list {
                filesystem.kept = kept.find(&filesystem.entry).map_or(b"", |entry| &entry.options);
            }
        }
        if !options.all {
            list.retain(|filesystem| filesystem.task.is_none() || !is_ignored(&filesystem.entry));
        }
        for line in &self.fstab.entries {
            list.push(Filesystem { entry: NO_ENTRY, line: Some(line), unique: 0, task: None, kept: b"" });
        }
        list
    }
}

/// autofs mounts with the option `ignore` ask not to be listed.
fn is_ignored(entry: &Entry<'_>) -> bool {
    entry.fstype == b"autofs" && entry.super_options.split(|byte| *byte == b',').any(|word| word == b"ignore")
}

/// Whether a line is no comment, and not empty.
fn is_line(line: &[u8]) -> bool {
    !matches!(line.trim_ascii_start().first(), None | Some(b'#'))
}

/// A line of mountinfo that somebody may have written.
fn parse(line: &[u8]) -> Option<Entry<'_>> {
    let mut entry = Entry::parse(line.trim_ascii_start())?;
    // A blank or a tab ends the last field; what follows is ignored.
    if let Some(end) = entry.super_options.iter().position(|byte| matches!(byte, b' ' | b'\t')) {
        entry.super_options = entry.super_options.get(..end)?;
    }
    (!entry.fstype.is_empty() && !entry.super_options.is_empty()).then_some(entry)
}

fn guess(text: &[u8]) -> Format {
    match text.split(|byte| *byte == b'\n').find(|line| is_line(line)) {
        None => Format::Unknown,
        Some(line) if line.starts_with(b"Filename\t") => Format::Swaps,
        Some(line) => {
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let is_id = words.next().is_some_and(|word| cli::number::decimal(word).is_some());
            let is_mount = is_id && words.next().is_some_and(|word| word.first().is_some_and(u8::is_ascii_digit));
            if is_mount { Format::Mountinfo } else { Format::Fstab }
        }
    }
}

fn tell_bad_line(invocation: &Invocation<'_>, path: &OsStr, number: usize) {
    warn(invocation, &Line::Named(text![path, ": parse error at line ", number, " -- ignored"]));
}

/// The failure to read a table. For the kernel's the message names /proc/mounts, its older form.
pub fn cant_read(path: &OsStr, errno: linux::Errno) -> Failure {
    if path != table::SELF {
        return Failure::new(1, text!["can't read ", path, ": ", errno]);
    }
    let failure = Failure::new(1, text!["can't read /proc/mounts: ", errno]);
    if hints_wanted() { failure.hint("the kernel's table is in /proc: 'mount -t proc proc /proc'") } else { failure }
}
