//! The mount table of a process, and looking mounts up in it: proc_pid_mountinfo(5).

mod tree;

pub use tree::{Tree, tree_backward};

use super::listmount;
use super::mountinfo::{Entry, unescape};
use crate::index::Index;
use crate::{Errno, Result, error::Context, file, raw};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The text of a mountinfo file.
pub struct Table(Vec<u8>);

/// Where our own table is.
pub const SELF: &str = "/proc/self/mountinfo";

/// Calls `each` with every entry of our own table, in the kernel's order, without keeping the table in memory.
pub fn for_each(each: &mut dyn FnMut(&Entry<'_>)) -> Result<()> {
    let path = OsStr::new(SELF);
    let file = file::open_read(path)?;
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            // A line that does not fit: there is no bound to the length of options.
            buffer.resize(filled * 2, 0);
        }
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let got = raw::read_some(file.as_fd(), room).context("read", path)?;
        filled += got;
        let mut rest = buffer.get(..filled).unwrap_or_default();
        while let Some(end) = raw::find_byte(b'\n', rest) {
            if let Some(entry) = rest.get(..end).and_then(Entry::parse) {
                each(&entry);
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        if got == 0 {
            return Ok(());
        }
        let left = rest.len();
        buffer.copy_within(filled - left..filled, 0);
        filled = left;
    }
}

impl Table {
    /// Reads our own table.
    ///
    /// ```
    /// use linux::mount::table::Table;
    /// use std::ffi::OsStr;
    /// let table = Table::read()?;
    /// assert!(table.find_target(OsStr::new("/proc")).is_some_and(|mount| mount.fstype == b"proc"));
    /// # Ok::<(), linux::Error>(())
    /// ```
    pub fn read() -> Result<Table> {
        Table::read_from(OsStr::new(SELF))
    }

    /// Reads our own table; where /proc is not mounted it is made of what statmount(2) tells (Linux 6.8).
    pub fn read_or_list() -> Result<Table> {
        match Table::read() {
            Err(error) if error.errno == Errno::ENOENT => {
                listmount::lines(None).map(|lines| Table(lines.text)).ok_or(error)
            }
            read => read,
        }
    }

    /// Reads the table at `path`.
    #[inline(never)]
    pub fn read_from(path: &OsStr) -> Result<Table> {
        let file = file::open_read(path)?;
        // The kernel hands out a page at a time, whatever room we offer.
        let mut text = Vec::with_capacity(16 * 1024);
        let mut chunk = [0_u8; 4096];
        loop {
            match raw::read_some(file.as_fd(), &mut chunk).context("read", path)? {
                0 => return Ok(Table(text)),
                got => text.extend_from_slice(chunk.get(..got).unwrap_or_default()),
            }
        }
    }

    /// A table of the given text.
    pub fn from_text(text: Vec<u8>) -> Table {
        Table(text)
    }

    /// The text.
    pub fn into_text(self) -> Vec<u8> {
        self.0
    }

    /// The mounts in the kernel's order. Malformed lines are left out.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.0.split(|&byte| byte == b'\n').filter_map(Entry::parse)
    }

    /// The mounts from the last to the first: a look-up takes the first match, since later mounts cover earlier ones.
    pub fn entries_backward(&self) -> impl Iterator<Item = Entry<'_>> {
        self.0.rsplit(|&byte| byte == b'\n').filter_map(Entry::parse)
    }

    /// The first mount that is wanted.
    pub fn find<'a>(&'a self, is_wanted: &dyn Fn(&Entry<'a>) -> bool) -> Option<Entry<'a>> {
        self.entries().find(is_wanted)
    }

    /// The last mount that is wanted.
    pub fn find_last<'a>(&'a self, is_wanted: &dyn Fn(&Entry<'a>) -> bool) -> Option<Entry<'a>> {
        self.entries_backward().find(is_wanted)
    }

    /// The last mount on `target`, a canonical path.
    pub fn find_target(&self, target: &OsStr) -> Option<Entry<'_>> {
        self.find_last(&|entry| entry.is_on(target))
    }

    /// The mount that holds a canonical path, and the path inside its file system.
    pub fn holder(&self, path: &OsStr) -> Option<(Entry<'_>, OsString)> {
        holder(&|target| self.find_target(target), path)
    }

    /// The mount with this number.
    pub fn find_id(&self, id: u32) -> Option<Entry<'_>> {
        self.find(&|entry| entry.id == id)
    }
}

/// The mounts of a table, to look many mount points up.
pub struct ByTarget<'a> {
    entries: Vec<Entry<'a>>,
    by_target: Index,
}

impl<'a> ByTarget<'a> {
    /// Sorts the mounts of a table.
    pub fn new(table: &'a Table) -> ByTarget<'a> {
        let entries: Vec<Entry<'a>> = table.entries().collect();
        let by_target = Index::of(entries.iter().map(|entry| unescape(entry.target)));
        ByTarget { entries, by_target }
    }

    /// The mounts on `target`, a canonical path, in the kernel's order.
    pub fn on(&self, target: &OsStr) -> impl Iterator<Item = &Entry<'a>> {
        let places = self.by_target.places(target.as_bytes());
        places.filter_map(|place| self.entries.get(place)).filter(move |entry| entry.is_on(target))
    }

    /// As [`Table::holder`].
    pub fn holder(&self, path: &OsStr) -> Option<(Entry<'a>, OsString)> {
        holder(&|target| self.on(target).last().copied(), path)
    }
}

/// [`Table::holder`]; `on` has the last mount on a path.
fn holder<'a>(on: &dyn Fn(&OsStr) -> Option<Entry<'a>>, path: &OsStr) -> Option<(Entry<'a>, OsString)> {
    let mut top = path.as_bytes();
    loop {
        let prefix = if top.is_empty() { OsStr::new("/") } else { OsStr::from_bytes(top) };
        if let Some(holder) = on(prefix) {
            let root = holder.root_path().into_vec();
            let root = root.strip_suffix(b"/").unwrap_or(&root);
            let below = path.as_bytes().get(top.len()..).filter(|below| *below != b"/").unwrap_or_default();
            let whole = [root, below].concat();
            return Some((holder, OsString::from_vec(if whole.is_empty() { b"/".to_vec() } else { whole })));
        }
        top = top.get(..top.iter().rposition(|&byte| byte == b'/')?).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mount_on_a_directory_is_found() {
        let table = Table::from_text(
            b"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /m rw - tmpfs b rw\n3 2 0:3 / /m rw - tmpfs c rw\n".to_vec(),
        );
        assert_eq!(table.find_target(OsStr::new("/m")).expect("found").id, 3);
        assert_eq!(table.entries().count(), 3);
        assert!(table.find_target(OsStr::new("/x")).is_none());
    }

    #[test]
    fn mounts_sorted_by_target_are_found_in_their_order() {
        let text =
            b"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /m\\040x rw - tmpfs b rw\n3 2 0:3 / /m\\040x rw - tmpfs c rw\n";
        let table = Table::from_text(text.to_vec());
        let sorted = ByTarget::new(&table);
        let ids = |path: &str| sorted.on(OsStr::new(path)).map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!((ids("/m x"), ids("/"), ids("/q")), (vec![2, 3], vec![1], vec![]));
    }

    #[test]
    fn a_path_is_on_the_mount_nearest_above_it() {
        let table = Table::from_text(b"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 /r /m rw - tmpfs b rw\n".to_vec());
        for (path, id, root) in
            [("/", 1, "/"), ("/x/y", 1, "/x/y"), ("/m", 2, "/r"), ("/m/z", 2, "/r/z"), ("/mm", 1, "/mm")]
        {
            let (holder, whole) = table.holder(OsStr::new(path)).expect("found");
            assert_eq!((holder.id, whole.as_os_str()), (id, OsStr::new(root)), "{path}");
        }
    }

    #[test]
    fn our_own_table_has_a_root() {
        let table = Table::read().expect("mountinfo");
        assert!(table.find_target(OsStr::new("/")).is_some());
    }
}
