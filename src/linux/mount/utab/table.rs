//! The lines of utab: finding the entry of a mount, and changing entries.

use super::entry::UtabEntry;
use crate::index;
use crate::mount::mountinfo::{self, unescape};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Utab {
    /// Entries, oldest first.
    pub entries: Vec<UtabEntry>,
}

impl Utab {
    /// Parses the table's text.
    ///
    /// ```
    /// use linux::mount::utab::Utab;
    /// use std::ffi::OsStr;
    /// let utab = Utab::parse(b"SRC=/dev/sda TARGET=/mnt ROOT=/ OPTS=uhelper=udisks2\n");
    /// assert!(utab.find_mount(OsStr::new("/mnt"), None).is_some());
    /// ```
    pub fn parse(text: &[u8]) -> Utab {
        Utab { entries: text.split(|&byte| byte == b'\n').filter_map(UtabEntry::parse).collect() }
    }

    /// The entry of a mount: the one with its number, else one without a number that has its root, target and source.
    pub fn find(&self, mount: &mountinfo::Entry<'_>) -> Option<&UtabEntry> {
        find(&self.entries, mount, &mut (0..self.entries.len()).rev())
    }

    /// Where the entry of the mount at `target` with this number is.
    fn position(&self, target: &OsStr, id: Option<u64>) -> Option<usize> {
        let places = &mut (0..self.entries.len()).rev();
        choose(&self.entries, target, id, places)
    }

    /// The entry of the mount at `target` with this number, if that is known.
    pub fn find_mount(&self, target: &OsStr, id: Option<u64>) -> Option<&UtabEntry> {
        self.entries.get(self.position(target, id)?)
    }

    fn find_mut(&mut self, target: &OsStr, id: Option<u64>) -> Option<&mut UtabEntry> {
        let index = self.position(target, id)?;
        self.entries.get_mut(index)
    }

    /// The entries sorted by target, to look many mounts up.
    pub fn index(&self) -> UtabIndex<'_> {
        UtabIndex { entries: &self.entries, places: by_target(&self.entries) }
    }

    pub(super) fn to_text(&self) -> Vec<u8> {
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

    /// [`Utab::remove`] for many mounts. Whether any had an entry.
    pub fn remove_all(&mut self, mounts: &[(OsString, Option<u64>)]) -> bool {
        let places = by_target(&self.entries);
        let mut stays = vec![true; self.entries.len()];
        for (target, id) in mounts {
            let here = &mut places.places(target.as_bytes()).rev().filter(|place| stays.get(*place) == Some(&true));
            let found = choose(&self.entries, target, *id, here);
            if let Some(stays) = found.and_then(|place| stays.get_mut(place)) {
                *stays = false;
            }
        }
        let before = self.entries.len();
        let mut stays = stays.into_iter();
        self.entries.retain(|_| stays.next() == Some(true));
        self.entries.len() != before
    }

    /// Changes the options of a mount's entry, or adds an entry. Without options the entry is removed.
    pub fn set_options(&mut self, new: UtabEntry) -> bool {
        if new.options.is_empty() {
            return self.remove(&new.target, new.id);
        }
        match self.find_mut(&new.target, new.id) {
            Some(entry) => entry.options = new.options,
            None => self.entries.push(new),
        }
        true
    }

    /// [`Utab::set_options`] for many mounts. Whether anything changed.
    pub fn set_all(&mut self, mut new: Vec<UtabEntry>) -> bool {
        let places = by_target(&self.entries);
        let (mut gone, mut changed) = (Vec::new(), false);
        new.retain_mut(|entry| {
            if entry.options.is_empty() {
                gone.push((core::mem::take(&mut entry.target), entry.id));
                return false;
            }
            let found = find_last(&self.entries, &places, &entry.target, entry.id);
            let Some(known) = found.and_then(|place| self.entries.get_mut(place)) else { return true };
            changed |= known.options != entry.options;
            known.options = core::mem::take(&mut entry.options);
            false
        });
        changed |= self.remove_all(&gone);
        // One that was set twice is added once.
        let places = by_target(&new);
        for (place, entry) in new.iter().enumerate() {
            if find_last(&new, &places, &entry.target, entry.id) == Some(place) {
                self.entries.push(entry.clone());
                changed = true;
            }
        }
        changed
    }

    /// Adds options that the entry of a mount.TYPE program lacks, or the entry if the program wrote none. Returns
    /// whether the table changed.
    pub fn complete(&mut self, entry: UtabEntry) -> bool {
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

    /// After a move of a tree: replaces `from` by `to` in every target at or below it. Returns whether any changed.
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

/// Which entry at `target` belongs to the mount with this number: the last with that number, else the last without
/// one. If the mount's number is unknown, the last entry at the target. `places` gives the entries' indices backwards.
fn choose(
    entries: &[UtabEntry],
    target: &OsStr,
    id: Option<u64>,
    places: &mut dyn Iterator<Item = usize>,
) -> Option<usize> {
    let mut without = None;
    for place in places {
        let Some(entry) = entries.get(place).filter(|entry| entry.target == target) else { continue };
        if id.is_none() || entry.id == id {
            return Some(place);
        }
        if entry.id.is_none() && without.is_none() {
            without = Some(place);
        }
    }
    without
}

/// [`Utab::find`] among the entries whose indices `places` gives, backwards.
fn find<'a>(
    entries: &'a [UtabEntry],
    mount: &mountinfo::Entry<'_>,
    places: &mut dyn Iterator<Item = usize>,
) -> Option<&'a UtabEntry> {
    let mut without = None;
    for place in places {
        let Some(entry) = entries.get(place).filter(|entry| entry.target.as_bytes() == &*unescape(mount.target)) else {
            continue;
        };
        if entry.id == Some(u64::from(mount.id)) {
            return Some(entry);
        }
        if without.is_none() && entry.id.is_none() && entry.is_of(mount) {
            without = Some(entry);
        }
    }
    without
}

fn by_target(entries: &[UtabEntry]) -> index::Index {
    index::Index::of(entries.iter().map(|entry| entry.target.as_bytes()))
}

fn find_last(entries: &[UtabEntry], places: &index::Index, target: &OsStr, id: Option<u64>) -> Option<usize> {
    choose(entries, target, id, &mut places.places(target.as_bytes()).rev())
}

/// A [`Utab`] sorted by target.
pub struct UtabIndex<'a> {
    entries: &'a [UtabEntry],
    places: index::Index,
}

impl<'a> UtabIndex<'a> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// As [`Utab::find_mount`].
    pub fn find_mount(&self, target: &OsStr, id: Option<u64>) -> Option<&'a UtabEntry> {
        self.entries.get(find_last(self.entries, &self.places, target, id)?)
    }

    /// As [`Utab::find`].
    pub fn find(&self, mount: &mountinfo::Entry<'_>) -> Option<&'a UtabEntry> {
        if self.entries.is_empty() {
            return None;
        }
        find(self.entries, mount, &mut self.places.places(&unescape(mount.target)).rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(target: &str, options: &str) -> UtabEntry {
        UtabEntry {
            source: "/dev/x".into(),
            target: target.into(),
            root: "/".into(),
            options: options.into(),
            ..UtabEntry::default()
        }
    }

    #[test]
    fn the_number_finds_an_entry_before_the_paths_do() {
        let mut first = entry("/m", "x-first");
        first.id = Some(7);
        let table = Utab { entries: vec![first, entry("/m", "x-second")] };
        let line = |id: u32| format!("{id} 1 0:1 / /m rw - ext4 /dev/x rw").into_bytes();
        let (seven, eight) = (line(7), line(8));
        let find = |line| table.find(&mountinfo::Entry::parse(line).expect("an entry")).expect("found").options.clone();
        assert_eq!(find(&seven), b"x-first");
        assert_eq!(find(&eight), b"x-second");
    }

    #[test]
    fn unmounting_takes_the_last_entry_of_a_target_out() {
        let mut table = Utab { entries: vec![entry("/m", "x-1"), entry("/n", "x-2"), entry("/m", "x-3")] };
        assert!(table.remove(OsStr::new("/m"), None));
        assert_eq!(table.entries, [entry("/m", "x-1"), entry("/n", "x-2")]);
        assert!(!table.remove(OsStr::new("/q"), None));
    }

    #[test]
    fn of_two_mounts_on_a_target_the_entry_is_of_the_one_with_its_number() {
        let mut lower = entry("/m", "x-1");
        lower.id = Some(7);
        let mut table = Utab { entries: vec![lower.clone()] };
        let upper = b"8 7 0:1 / /m rw - ext4 /dev/x rw";
        let upper = mountinfo::Entry::parse(upper).expect("an entry");
        assert_eq!((table.find(&upper), table.index().find(&upper)), (None, None));
        assert!(!table.remove(OsStr::new("/m"), Some(8)));
        assert!(table.set_options(UtabEntry { id: Some(8), ..entry("/m", "x-2") }));
        assert_eq!(table.entries.len(), 2);
        assert!(table.remove(OsStr::new("/m"), Some(8)));
        assert_eq!(table.entries, [lower]);
    }

    #[test]
    fn many_mounts_take_out_what_each_alone_would() {
        let mut table = Utab { entries: ["/m", "/n", "/m", "/o", "/m"].map(|target| entry(target, "x")).to_vec() };
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
        let mut table = Utab { entries: vec![entry("/m", "x-1")] };
        assert!(table.set_options(entry("/m", "x-2")));
        assert!(table.set_options(entry("/n", "x-3")));
        assert_eq!(table.entries, [entry("/m", "x-2"), entry("/n", "x-3")]);
        assert!(table.set_options(entry("/m", "")));
        assert_eq!(table.entries, [entry("/n", "x-3")]);
    }

    #[test]
    fn moving_a_tree_moves_what_is_below_it_and_nothing_else() {
        let mut table = Utab { entries: vec![entry("/a", "x"), entry("/a/b", "x"), entry("/ab", "x")] };
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
        assert_eq!(Utab::parse(&text).entries, [new]);
    }
}
