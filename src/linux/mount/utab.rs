//! The userspace mount table, /run/mount/utab: what the kernel does not keep
//! of a mount (`x-` options, who mounted it, which helper unmounts it).
//!
//! Shared with util-linux: the same lines, the same lock, the same atomic
//! rewriting. libmount's manual, mount(8) "FILES", names the files.

use crate::mount::mountinfo::{self, unescape};
use crate::trace::Quoted;
use crate::{Errno, Result, error::Context, file, index, number, raw};
use core::fmt::Write as _;
use nix::fcntl::FlockArg;
use nix::sys::stat::futimens;
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where the table is, unless `LIBMOUNT_UTAB` names another file.
const DEFAULT: &str = "/run/mount/utab";
/// A table longer than this is not ours, in bytes.
const LIMIT: usize = 64 * 1024 * 1024;

/// One mount's line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The mount's number in mountinfo.
    pub id: Option<u64>,
    /// The number that is never used again.
    pub unique: Option<u64>,
    /// The source as mountinfo has it.
    pub source: OsString,
    /// The mount point.
    pub target: OsString,
    /// The root of the mount in its file system.
    pub root: OsString,
    /// What was bound.
    pub bind_source: Option<OsString>,
    /// Attributes, kept for other programs.
    pub attributes: Option<OsString>,
    /// Options that the kernel does not know.
    pub options: Vec<u8>,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Entries, oldest first.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// Parses one line; `None` if it names no target. Fields that are not known are skipped.
    pub fn parse(line: &[u8]) -> Option<Entry> {
        let mut entry = Entry::default();
        for word in line.split(|byte| matches!(byte, b' ' | b'\t')) {
            let Some(equals) = word.iter().position(|&byte| byte == b'=') else { continue };
            let (key, value) = word.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            let text = || OsString::from_vec(unescape(value).into_owned());
            match str::from_utf8(key).unwrap_or_default() {
                "ID" => entry.id = number::decimal(value),
                "UNIQID" => entry.unique = number::decimal(value),
                "SRC" => entry.source = text(),
                "TARGET" => entry.target = text(),
                "ROOT" => entry.root = text(),
                "BINDSRC" => entry.bind_source = Some(text()),
                "ATTRS" => entry.attributes = Some(text()),
                "OPTS" => entry.options = unescape(value).into_owned(),
                _ => {}
            }
        }
        (!entry.target.is_empty()).then_some(entry)
    }

    /// Appends the entry's line to `text`.
    pub fn append_to(&self, text: &mut Vec<u8>) {
        let start = text.len();
        let mut field = |key: &str, value: &[u8]| {
            if value.is_empty() {
                return;
            }
            if text.len() > start {
                text.push(b' ');
            }
            text.extend_from_slice(key.as_bytes());
            text.push(b'=');
            text.extend_from_slice(&mountinfo::escape(value));
        };
        let mut number = String::new();
        for (key, value) in [("ID", self.id), ("UNIQID", self.unique)] {
            if let Some(value) = value {
                number.clear();
                let _ = write!(number, "{value}");
                field(key, number.as_bytes());
            }
        }
        field("SRC", self.source.as_bytes());
        field("TARGET", self.target.as_bytes());
        field("ROOT", self.root.as_bytes());
        field("BINDSRC", self.bind_source.as_deref().map_or(b"", OsStr::as_bytes));
        field("ATTRS", self.attributes.as_deref().map_or(b"", OsStr::as_bytes));
        field("OPTS", &self.options);
        text.push(b'\n');
    }

    fn is_of(&self, mount: &mountinfo::Entry<'_>) -> bool {
        let same = |ours: &OsStr, theirs: &[u8]| ours.as_bytes() == &*unescape(theirs);
        same(&self.target, mount.target) && same(&self.root, mount.root) && same(&self.source, mount.source)
    }
}

impl Table {
    /// Parses the table's text.
    pub fn parse(text: &[u8]) -> Table {
        Table { entries: text.split(|&byte| byte == b'\n').filter_map(Entry::parse).collect() }
    }

    /// Reads the table; one that is missing or may not be read is empty.
    pub fn read() -> Table {
        Table::try_read().unwrap_or_default()
    }

    /// Reads the table; one that is missing is empty.
    pub fn try_read() -> Result<Table> {
        match read_text() {
            Ok(text) => Ok(Table::parse(&text)),
            Err(error) if error.errno == Errno::ENOENT => Ok(Table::default()),
            Err(error) => Err(error),
        }
    }

    /// The entry of a mount: by its number, else, of those without one, by root, target and source.
    pub fn find(&self, mount: &mountinfo::Entry<'_>) -> Option<&Entry> {
        let by_id = |entry: &&Entry| {
            entry.id == Some(u64::from(mount.id)) && entry.target.as_bytes() == &*unescape(mount.target)
        };
        let entries = || self.entries.iter().rev();
        entries().find(by_id).or_else(|| entries().find(|entry| entry.id.is_none() && entry.is_of(mount)))
    }

    /// Where the entry of the mount at `target` with this number is.
    fn position(&self, target: &OsStr, id: Option<u64>) -> Option<usize> {
        choose(id, &|accepts| self.entries.iter().rposition(|entry| accepts(entry.id) && entry.target == target))
    }

    /// The entry of the mount at `target` with this number, if that is known.
    pub fn find_mount(&self, target: &OsStr, id: Option<u64>) -> Option<&Entry> {
        self.entries.get(self.position(target, id)?)
    }

    fn find_mut(&mut self, target: &OsStr, id: Option<u64>) -> Option<&mut Entry> {
        let index = self.position(target, id)?;
        self.entries.get_mut(index)
    }

    /// The entries sorted by target, to look many mounts up.
    pub fn index(&self) -> Index<'_> {
        let mut by_target: Vec<&Entry> = self.entries.iter().collect();
        // Stable: of the entries of one target the last one still is the last.
        by_target.sort_by(|a, b| a.target.cmp(&b.target));
        Index(by_target)
    }

    fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for entry in &self.entries {
            entry.append_to(&mut text);
        }
        text
    }

    /// Takes the entry of a mount out. Whether there was one.
    pub fn remove(&mut self, target: &OsStr, id: Option<u64>) -> bool {
        match self.position(target, id) {
            Some(index) => {
                self.entries.remove(index);
                true
            }
            None => false,
        }
    }

    /// [`Table::remove`] for many mounts. Whether any had an entry.
    pub fn remove_all(&mut self, mounts: &[(OsString, Option<u64>)]) -> bool {
        let places = by_target(&self.entries);
        let mut stays = vec![true; self.entries.len()];
        for (target, id) in mounts {
            let found = find_last(&self.entries, &places, target, *id, &|place| stays.get(place) == Some(&true));
            if let Some(stays) = found.and_then(|place| stays.get_mut(place)) {
                *stays = false;
            }
        }
        let before = self.entries.len();
        let mut stays = stays.into_iter();
        self.entries.retain(|_| stays.next() == Some(true));
        self.entries.len() != before
    }

    /// Changes the options of the mount's entry, or adds it. No options: takes it out.
    pub fn set_options(&mut self, new: Entry) -> bool {
        if new.options.is_empty() {
            return self.remove(&new.target, new.id);
        }
        match self.find_mut(&new.target, new.id) {
            Some(entry) => entry.options = new.options,
            None => self.entries.push(new),
        }
        true
    }

    /// [`Table::set_options`] for many mounts. Whether anything changed.
    pub fn set_all(&mut self, mut new: Vec<Entry>) -> bool {
        let places = by_target(&self.entries);
        let (mut gone, mut changed) = (Vec::new(), false);
        new.retain_mut(|entry| {
            if entry.options.is_empty() {
                gone.push((core::mem::take(&mut entry.target), entry.id));
                return false;
            }
            let found = find_last(&self.entries, &places, &entry.target, entry.id, &|_| true);
            let Some(known) = found.and_then(|place| self.entries.get_mut(place)) else { return true };
            changed |= known.options != entry.options;
            known.options = core::mem::take(&mut entry.options);
            false
        });
        changed |= self.remove_all(&gone);
        // One that was set twice is added once.
        let places = by_target(&new);
        let last = |(place, entry): (usize, &Entry)| {
            find_last(&new, &places, &entry.target, entry.id, &|_| true) == Some(place)
        };
        let added: Vec<Entry> = new.iter().enumerate().filter(|at| last(*at)).map(|(_, entry)| entry.clone()).collect();
        changed |= !added.is_empty();
        self.entries.extend(added);
        changed
    }

    /// Adds to the entry that a mount.TYPE program wrote the options that it lacks; if it wrote none, the entry. Whether
    /// anything changed.
    pub fn complete(&mut self, entry: Entry) -> bool {
        let Some(known) = self.find_mut(&entry.target, entry.id) else {
            self.entries.push(entry);
            return true;
        };
        let mut changed = false;
        for option in entry.options.split(|&byte| byte == b',') {
            if known.options.split(|&byte| byte == b',').all(|there| there != option) {
                if !known.options.is_empty() {
                    known.options.push(b',');
                }
                known.options.extend_from_slice(option);
                changed = true;
            }
        }
        changed
    }

    /// A tree was moved: every target below `from` is now below `to`. Whether any was.
    pub fn move_tree(&mut self, from: &OsStr, to: &OsStr) -> bool {
        let mut changed = false;
        for entry in &mut self.entries {
            let Some(below) = entry.target.as_bytes().strip_prefix(from.as_bytes()) else { continue };
            if below.is_empty() || below.first() == Some(&b'/') {
                let moved = [to.as_bytes(), below].concat();
                entry.target = OsString::from_vec(moved);
                changed = true;
            }
        }
        changed
    }
}

/// Whether an entry with this number, or without any, is wanted.
type Accepts<'a> = &'a dyn Fn(Option<u64>) -> bool;

/// Which entry of a target is that of the mount with this number: one that has the number, else the last one without
/// any. If the mount's is not known, the target's last one. `last` finds the last one whose number is accepted.
fn choose(id: Option<u64>, last: &dyn Fn(Accepts<'_>) -> Option<usize>) -> Option<usize> {
    match id {
        Some(_) => last(&|own| own == id).or_else(|| last(&|own| own.is_none())),
        None => last(&|_| true),
    }
}

fn by_target(entries: &[Entry]) -> index::Index {
    let mut places = index::Index::default();
    entries.iter().for_each(|entry| places.add(entry.target.as_bytes()));
    places.sort();
    places
}

/// Where the entry of the mount at `target` with this number is, among those that `counts` takes.
fn find_last(
    entries: &[Entry],
    places: &index::Index,
    target: &OsStr,
    id: Option<u64>,
    counts: &dyn Fn(usize) -> bool,
) -> Option<usize> {
    choose(id, &|accepts| {
        let is = |place: usize| {
            entries.get(place).is_some_and(|entry| accepts(entry.id) && entry.target == target) && counts(place)
        };
        places.places(target.as_bytes()).rev().find(|place| is(*place))
    })
}

/// A [`Table`] sorted by target.
pub struct Index<'a>(Vec<&'a Entry>);

impl<'a> Index<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// As [`Table::find_mount`].
    pub fn find_mount(&self, target: &OsStr, id: Option<u64>) -> Option<&'a Entry> {
        let same = self.of(target);
        let place = choose(id, &|accepts| same.iter().rposition(|entry| accepts(entry.id)))?;
        same.get(place).copied()
    }

    /// The entries of a target, the oldest first.
    fn of(&self, target: &OsStr) -> &[&'a Entry] {
        let first = self.0.partition_point(|entry| entry.target.as_os_str() < target);
        let last = self.0.partition_point(|entry| entry.target.as_os_str() <= target);
        self.0.get(first..last).unwrap_or_default()
    }

    /// As [`Table::find`].
    pub fn find(&self, mount: &mountinfo::Entry<'_>) -> Option<&Entry> {
        if self.0.is_empty() {
            return None;
        }
        let target = unescape(mount.target);
        let same = || self.of(OsStr::from_bytes(&target)).iter().rev().copied();
        let by_id = |entry: &&Entry| entry.id == Some(u64::from(mount.id));
        same().find(by_id).or_else(|| same().find(|entry| entry.id.is_none() && entry.is_of(mount)))
    }
}

/// The table's path.
pub fn path() -> OsString {
    crate::environment::trusted_variable("LIBMOUNT_UTAB").unwrap_or_else(|| OsString::from(DEFAULT))
}

/// Whether the table has no lines: then unmounting and moving need not look at it.
pub fn is_empty() -> bool {
    match crate::stat::path(&path()) {
        Ok(stat) => stat.size() == 0,
        // What cannot be looked at may hold something.
        Err(error) => matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR),
    }
}

/// A file on a disk gives all that is asked for, so that a short answer is the last one. Each question is for more.
fn read_text() -> Result<Vec<u8>> {
    let path = path();
    let file = file::open_read(&path)?;
    let (mut text, mut filled, mut room) = (Vec::new(), 0, 2048);
    loop {
        text.resize(filled + room, 0);
        let got = raw::read_some(file.as_fd(), text.get_mut(filled..).unwrap_or_default()).context("read", &path)?;
        filled += got;
        if got < room || filled > LIMIT {
            text.truncate(filled.min(LIMIT));
            return Ok(text);
        }
        room = filled * 15;
    }
}

fn beside(suffix: &str) -> OsString {
    let mut path = path();
    path.push(suffix);
    path
}

/// Changes the table under its lock: it is read, `change` says whether it changed something, and a new file takes the
/// old one's place in one step. Where the table cannot be written at all (a read-only /run, no permission) nothing
/// happens and that is no error.
pub fn update(change: &mut dyn FnMut(&mut Table) -> bool) -> Result<()> {
    let path = path();
    let Some(_lock) = lock()? else { return Ok(()) };
    // A table that cannot be read must not be replaced by one without its entries.
    let mut table = Table::try_read()?;
    if !change(&mut table) {
        return Ok(());
    }
    replace(&path, &table.to_text())?;
    touch_event();
    Ok(())
}

/// Adds an entry. Many mounts in a row each add one, so the table is not read and written anew: the line is written
/// behind the others under the lock, at once and within a page, so that whoever reads meanwhile sees all of it or nothing.
pub fn add(entry: Entry) -> Result<()> {
    let path = path();
    let Some(lock) = lock()? else { return Ok(()) };
    let mut line = Vec::new();
    entry.append_to(&mut line);
    if append(&path, &line).context("write", &path)? {
        touch_event();
        return Ok(());
    }
    drop(lock);
    update(&mut |table| {
        table.entries.push(entry.clone());
        true
    })
}

/// Appends a line to a table that is there and whole. `false`: it must be written anew.
fn append(path: &OsStr, line: &[u8]) -> core::result::Result<bool, Errno> {
    const PAGE: usize = 4096;
    let flags = libc::O_RDWR | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let Ok(file) = file::open_at(None, path, flags, 0) else { return Ok(false) };
    let stat = crate::stat::of(file.as_fd())?;
    let size = stat.size() as usize;
    if !stat.is_regular() || size == 0 || size > LIMIT || line.len() > PAGE {
        return Ok(false);
    }
    let mut last = [0_u8];
    if nix::sys::uio::pread(&file, &mut last, size as i64 - 1)? != 1 || last != *b"\n" {
        return Ok(false);
    }
    let fd = file.as_raw_fd();
    let room = PAGE - size % PAGE;
    let write = |text: &[u8]| {
        traced!(raw::write_all(file.as_fd(), text).map(|()| text.len()), "write({fd}, {})", Quoted(text)).map(drop)
    };
    // Empty lines, which are none, fill the page when the line does not fit into it.
    let filled = if line.len() > room { write(&vec![b'\n'; room]) } else { Ok(()) };
    let done = filled.and_then(|()| write(line));
    if done.is_err() {
        // A part of a line must not stay.
        let _ = nix::unistd::ftruncate(&file, size as i64);
    }
    done.map(|()| true)
}

/// The lock, held until it is dropped, with signals held back so that nobody is left waiting for it.
struct Lock {
    _file: OwnedFd,
    mask: Option<crate::signal::SignalMask>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(mask) = self.mask {
            // The mask came from the kernel; if it is refused now there is nobody to tell.
            let _ = mask.restore();
        }
    }
}

/// `None`: the table is in a place that cannot be written.
fn lock() -> Result<Option<Lock>> {
    let path = beside(".lock");
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_NOFOLLOW;
    let mut opened = file::open_at(None, &path, flags, 0o600);
    if matches!(opened, Err(Errno::ENOENT))
        && let Some(slash) = path.as_bytes().iter().rposition(|&byte| byte == b'/')
        && let Some(directory) = path.as_bytes().get(..slash)
        && crate::directory::make(OsStr::from_bytes(directory), 0o755).is_ok()
    {
        opened = file::open_at(None, &path, flags, 0o600);
    }
    let file = match opened {
        Ok(file) => file,
        Err(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(errno) => return Err(crate::Error::new("open", path, errno)),
    };
    let mask = crate::signal::block(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGALRM]).ok();
    loop {
        // Not nix's Flock, which makes one more call when it is dropped: closing the file unlocks it.
        #[expect(deprecated)]
        let locked = nix::fcntl::flock(file.as_raw_fd(), FlockArg::LockExclusive);
        match locked.map_err(Errno::from) {
            Ok(()) => return Ok(Some(Lock { _file: file, mask })),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(crate::Error::new("flock", path, errno)),
        }
    }
}

/// Writes a file beside the table and renames it over it.
fn replace(path: &OsStr, text: &[u8]) -> Result<()> {
    let temporary = beside(&format!(".{}", nix::unistd::getpid()));
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    // One that a killed process with our number left is in the way; nobody else writes while we hold the lock.
    let open = || file::open_at(None, &temporary, flags, 0o644);
    let file = open().or_else(|errno| match errno {
        Errno::EEXIST => crate::link::unlink(&temporary).map_err(|error| error.errno).and_then(|()| open()),
        errno => Err(errno),
    });
    let file = file.context("open", &temporary)?;
    let write = || -> core::result::Result<(), Errno> {
        let fd = file.as_raw_fd();
        if !text.is_empty() {
            traced!(raw::write_all(file.as_fd(), text).map(|()| text.len()), "write({fd}, {})", Quoted(text))?;
        }
        let mode = nix::sys::stat::Mode::from_bits_retain(0o644);
        traced!(nix::sys::stat::fchmod(&file, mode).map_err(Errno::from), "fchmod({fd}, 0644)")?;
        if let Ok(old) = crate::stat::path(path) {
            let (uid, gid) = (old.uid(), old.gid());
            let done = fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            traced!(done.map_err(Errno::from), "fchown({fd}, {uid}, {gid})")?;
        }
        Ok(())
    };
    let done = write().context("write", path).and_then(|()| crate::link::rename(&temporary, path));
    if done.is_err() {
        let _ = crate::link::unlink(&temporary);
    }
    done
}

/// Tells watchers (libmount's monitor, systemd) that the table has changed.
fn touch_event() {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_NOFOLLOW;
    // Only a notice: the table itself is already right.
    let Ok(file) = file::open_at(None, &beside(".event"), flags, 0o644) else { return };
    let fd = file.as_raw_fd();
    let done = futimens(&file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW).map_err(Errno::from);
    let _ = traced!(done, "utimensat({fd}, NULL, [UTIME_NOW, UTIME_NOW], 0)");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str, options: &str) -> Entry {
        Entry {
            source: "/dev/x".into(),
            target: target.into(),
            root: "/".into(),
            options: options.into(),
            ..Entry::default()
        }
    }

    #[test]
    fn a_line_is_read_and_written_back() {
        let line = b"ID=12 UNIQID=2147483660 SRC=/dev/x TARGET=/a\\040b ROOT=/ BINDSRC=/q ATTRS=z OPTS=x-a=1,user\n";
        let entry = Entry::parse(line.trim_ascii_end()).expect("an entry");
        assert_eq!((entry.id, entry.target.as_os_str()), (Some(12), OsStr::new("/a b")));
        let mut text = Vec::new();
        entry.append_to(&mut text);
        assert_eq!(text, line);
    }

    #[test]
    fn unknown_fields_are_skipped_and_a_line_without_target_is_no_entry() {
        assert_eq!(Entry::parse(b"SRC=/dev/x OPTS=a"), None);
        assert_eq!(Entry::parse(b"NEW=1 TARGET=/m X").expect("an entry").target, "/m");
        assert_eq!(Entry::parse(b""), None);
    }

    #[test]
    fn the_number_finds_an_entry_before_the_paths_do() {
        let mut first = entry("/m", "x-first");
        first.id = Some(7);
        let table = Table { entries: vec![first, entry("/m", "x-second")] };
        let line = |id: u32| format!("{id} 1 0:1 / /m rw - ext4 /dev/x rw").into_bytes();
        let (seven, eight) = (line(7), line(8));
        let find = |line| table.find(&mountinfo::Entry::parse(line).expect("an entry")).expect("found").options.clone();
        assert_eq!(find(&seven), b"x-first");
        assert_eq!(find(&eight), b"x-second");
    }

    #[test]
    fn unmounting_takes_the_last_entry_of_a_target_out() {
        let mut table = Table { entries: vec![entry("/m", "x-1"), entry("/n", "x-2"), entry("/m", "x-3")] };
        assert!(table.remove(OsStr::new("/m"), None));
        assert_eq!(table.entries, [entry("/m", "x-1"), entry("/n", "x-2")]);
        assert!(!table.remove(OsStr::new("/q"), None));
    }

    #[test]
    fn of_two_mounts_on_a_target_the_entry_is_of_the_one_with_its_number() {
        let mut lower = entry("/m", "x-1");
        lower.id = Some(7);
        let mut table = Table { entries: vec![lower.clone()] };
        let upper = b"8 7 0:1 / /m rw - ext4 /dev/x rw";
        let upper = mountinfo::Entry::parse(upper).expect("an entry");
        assert_eq!((table.find(&upper), table.index().find(&upper)), (None, None));
        assert!(!table.remove(OsStr::new("/m"), Some(8)));
        assert!(table.set_options(Entry { id: Some(8), ..entry("/m", "x-2") }));
        assert_eq!(table.entries.len(), 2);
        assert!(table.remove(OsStr::new("/m"), Some(8)));
        assert_eq!(table.entries, [lower]);
    }

    #[test]
    fn many_mounts_take_out_what_each_alone_would() {
        let mut table = Table { entries: ["/m", "/n", "/m", "/o", "/m"].map(|target| entry(target, "x")).to_vec() };
        table.entries[0].id = Some(7);
        let gone = [("/m", None), ("/m", Some(7)), ("/o", Some(9)), ("/q", None)];
        let gone: Vec<_> = gone.into_iter().map(|(target, id)| (OsString::from(target), id)).collect();
        let mut alone = table.clone();
        for (target, id) in &gone {
            let _ = alone.remove(target, *id);
        }
        assert!(table.remove_all(&gone));
        assert_eq!(table, alone);
        assert!(!table.remove_all(&gone[2..]));
    }

    #[test]
    fn a_remount_changes_adds_or_takes_out() {
        let mut table = Table { entries: vec![entry("/m", "x-1")] };
        assert!(table.set_options(entry("/m", "x-2")));
        assert!(table.set_options(entry("/n", "x-3")));
        assert_eq!(table.entries, [entry("/m", "x-2"), entry("/n", "x-3")]);
        assert!(table.set_options(entry("/m", "")));
        assert_eq!(table.entries, [entry("/n", "x-3")]);
    }

    #[test]
    fn moving_a_tree_moves_what_is_below_it_and_nothing_else() {
        let mut table = Table { entries: vec![entry("/a", "x"), entry("/a/b", "x"), entry("/ab", "x")] };
        assert!(table.move_tree(OsStr::new("/a"), OsStr::new("/c")));
        let targets: Vec<_> = table.entries.iter().map(|entry| entry.target.to_string_lossy()).collect();
        assert_eq!(targets, ["/c", "/c/b", "/ab"]);
    }

    #[test]
    fn bytes_that_are_not_utf8_and_very_long_lines_survive() {
        let mut new = entry("/m", "");
        new.options = vec![b'x'; 70_000];
        new.target = OsString::from_vec(b"/\xff".to_vec());
        let mut text = Vec::new();
        new.append_to(&mut text);
        assert_eq!(Table::parse(&text).entries, [new]);
    }
}
