//! The mount table of the kernel: /proc/PID/mountinfo, proc_pid_mountinfo(5).
//!
//! The one parser of it. Fields are bytes; an entry borrows from the text, and
//! the kernel's octal escapes (`\040`) are undone only where somebody looks.

use crate::index::Index;
use crate::{Errno, Result, error::Context, file, number, raw};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The text of a mountinfo file.
pub struct Table(Vec<u8>);

/// Where our own table is.
pub const SELF: &str = "/proc/self/mountinfo";

/// One mount. Text fields are as the kernel wrote them, escaped; [`unescape`] undoes that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The mount's number; used again after the mount is gone.
    pub id: u32,
    /// The number of the mount it is on; the table may lack it (the root's).
    pub parent: u32,
    /// Device number of the file system, major and minor.
    pub device: (u32, u32),
    /// The directory of the file system that is the root of the mount, escaped.
    pub root: &'a [u8],
    /// The mount point, relative to the process's root, escaped.
    pub target: &'a [u8],
    /// Options of the mount: `rw,nosuid`.
    pub options: &'a [u8],
    /// Optional fields, separated by blanks: `shared:1 master:2`.
    pub optional: &'a [u8],
    /// The file system type, with its subtype after a dot.
    pub fstype: &'a [u8],
    /// The source, escaped.
    pub source: &'a [u8],
    /// Options of the file system: `rw,size=4k`, escaped.
    pub super_options: &'a [u8],
    /// Whether the line is printable ASCII without a backslash: there is nothing to unescape in it, and nothing that a
    /// terminal would obey.
    pub plain: bool,
}

/// Hands every entry of our own table to `each`, in the kernel's order, without keeping the table.
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
    pub fn read() -> Result<Table> {
        Table::read_from(OsStr::new(SELF))
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

    /// The mounts in the kernel's order. Lines that are no entries are left out.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.0.split(|&byte| byte == b'\n').filter_map(Entry::parse)
    }

    /// The mounts, the last one first, which is the order to look things up in: later mounts hide earlier ones.
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

    /// The mount that a canonical path is on, and what the path is in its file system.
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
        let mut by_target = Index::default();
        entries.iter().for_each(|entry| by_target.add(&unescape(entry.target)));
        by_target.sort();
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

impl<'a> Entry<'a> {
    /// Parses one line; `None` if it is not one.
    pub fn parse(line: &'a [u8]) -> Option<Entry<'a>> {
        let (id, rest) = number_until(line, b' ')?;
        let (parent, rest) = number_until(rest, b' ')?;
        let (major, rest) = number_until(rest, b':')?;
        let (minor, line) = number_until(rest, b' ')?;
        let device = (major, minor);
        let mut fields = Fields::new(line);
        let root = fields.next()?;
        let target = fields.next()?;
        let options = fields.next()?;
        // Optional fields, none or more, end with a lone dash.
        let optional_start = fields.start;
        let mut optional_end = optional_start;
        while fields.next()? != b"-" {
            optional_end = fields.start - 1;
        }
        let optional = line.get(optional_start..optional_end)?;
        let fstype = fields.next()?;
        // A source may be the empty string: two blanks follow each other then.
        let source = fields.next()?;
        let super_options = line.get(fields.start..).unwrap_or_default();
        let plain = fields.is_plain();
        Some(Entry { id, parent, device, root, target, options, optional, fstype, source, super_options, plain })
    }

    /// Whether this path is its mount point.
    pub fn is_on(&self, path: &OsStr) -> bool {
        is_escaped(self.target, path.as_bytes())
    }

    /// Whether this text is its source.
    pub fn is_from(&self, source: &OsStr) -> bool {
        is_escaped(self.source, source.as_bytes())
    }

    /// The mount point without escapes.
    pub fn target_path(&self) -> OsString {
        OsString::from_vec(unescape(self.target).into_owned())
    }

    /// The number of its peer group (`kind` is `shared:`) or of the one it follows (`master:`).
    pub fn group(&self, kind: &str) -> Option<u32> {
        self.optional.split(|byte| *byte == b' ').find_map(|word| {
            number::decimal(word.strip_prefix(kind.as_bytes())?).and_then(|number| u32::try_from(number).ok())
        })
    }

    /// The source without escapes.
    pub fn source_text(&self) -> OsString {
        OsString::from_vec(unescape(self.source).into_owned())
    }

    /// The root of the mount in its file system, without escapes.
    pub fn root_path(&self) -> OsString {
        OsString::from_vec(unescape(self.root).into_owned())
    }

    /// The type as text.
    pub fn fstype_text(&self) -> &'a OsStr {
        OsStr::from_bytes(self.fstype)
    }

    /// Options of the mount and of the file system as one string that begins with rw, or with ro if either of them is
    /// read-only: `rw,nosuid,relatime,size=4k`. Without escapes.
    pub fn all_options(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.options.len() + self.super_options.len() + 1);
        self.append_options(&mut text);
        text
    }

    /// Appends [`Entry::all_options`] to `text`.
    pub fn append_options(&self, text: &mut Vec<u8>) {
        let (read_only, own) = without_access(self.options);
        let (super_read_only, super_options) = without_access(self.super_options);
        text.extend_from_slice(if read_only || super_read_only { b"ro" } else { b"rw" });
        for list in [own, super_options] {
            if !matches!(list, [] | [b',', ..]) {
                text.push(b',');
            }
            if self.plain {
                text.extend_from_slice(list);
            } else {
                text.extend_from_slice(&unescape(list));
            }
        }
    }
}

/// Whether a list of options is read-only, and what comes after the rw or ro that both lists begin with, and have nowhere
/// else: a comma and the others, or nothing.
fn without_access(list: &[u8]) -> (bool, &[u8]) {
    match list {
        [b'r', access @ (b'o' | b'w'), rest @ ..] if matches!(rest, [] | [b',', ..]) => (*access == b'o', rest),
        _ => (false, list),
    }
}

/// The fields of a line, which single blanks separate. Eight bytes are looked at at a time: twenty thousand mounts are
/// two megabytes.
struct Fields<'a> {
    line: &'a [u8],
    /// Where the next field starts.
    start: usize,
    /// Where the eight bytes are that are being looked at.
    at: usize,
    /// The top bit of each of them that is a blank and has not been used.
    blanks: u64,
    /// Has a top bit if one of the bytes so far is special.
    special: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

// These few instructions are called for every eight bytes: a call to them would be most of their time.

/// The top bit of each byte that is `byte`.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    !(((difference & !TOPS) + !TOPS) | difference | !TOPS)
}

/// The eight bytes at `at`; behind the end there are letters.
#[inline(always)]
fn word_at(line: &[u8], at: usize) -> u64 {
    let rest = line.get(at..).unwrap_or_default();
    u64::from_le_bytes(rest.first_chunk().copied().unwrap_or_else(|| last_word(rest)))
}

#[inline(never)]
fn last_word(rest: &[u8]) -> [u8; 8] {
    let mut word = [b'x'; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    word
}

/// Has a top bit if a byte is a backslash, a control character or not ASCII. What is carried from byte to byte comes from
/// such a one.
#[inline(always)]
const fn special(word: u64) -> u64 {
    let from_backslash = word ^ (ONES * b'\\' as u64);
    word | word.wrapping_sub(ONES * b' ' as u64)
        | word.wrapping_add(ONES)
        | (from_backslash.wrapping_sub(ONES) & !from_backslash)
}

impl<'a> Fields<'a> {
    fn new(line: &'a [u8]) -> Fields<'a> {
        let word = word_at(line, 0);
        Fields { line, start: 0, at: 0, blanks: equal(word, b' '), special: special(word) }
    }

    #[inline(always)]
    fn look_at(&mut self, at: usize) {
        let word = word_at(self.line, at);
        self.at = at;
        self.blanks = equal(word, b' ');
        self.special |= special(word);
    }

    /// Whether no byte of the line is special: then there is nothing to unescape or to hide.
    fn is_plain(&mut self) -> bool {
        while self.at + 8 < self.line.len() {
            self.look_at(self.at + 8);
        }
        self.special & TOPS == 0
    }

    /// The text to the next blank; `None` at the end of the line.
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.start;
        while self.blanks == 0 {
            if self.at + 8 >= self.line.len() {
                self.start = self.line.len();
                return self.line.get(start..).filter(|rest| !rest.is_empty());
            }
            self.look_at(self.at + 8);
        }
        let end = self.at + self.blanks.trailing_zeros() as usize / 8;
        self.blanks &= self.blanks - 1;
        self.start = end + 1;
        self.line.get(start..end)
    }
}

/// The number that a line begins with, and what is behind the byte that ends it.
fn number_until(line: &[u8], end: u8) -> Option<(u32, &[u8])> {
    let mut value = 0_u64;
    let mut rest = line;
    while let [byte, after @ ..] = rest {
        if *byte == end {
            // A u32 has at most ten digits, which cannot overflow a u64.
            let length = line.len() - rest.len();
            return Some((u32::try_from(value).ok().filter(|_| (1..=10).contains(&length))?, after));
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit(*byte)?));
        rest = after;
    }
    None
}

fn digit(byte: u8) -> Option<u8> {
    Some(byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
}

/// Undoes octal escapes: `\040` is a blank. What is no escape stays as it is.
///
/// ```
/// assert_eq!(&*linux::mount::mountinfo::unescape(br"/my\040disk"), b"/my disk");
/// ```
pub fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        if *first == b'\\'
            && let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = tail
        {
            plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
            continue;
        }
        plain.push(*first);
        rest = tail;
    }
    Cow::Owned(plain)
}

/// Whether `escaped` is `plain` with some bytes escaped. Which ones they are depends on the field and the kernel: `#` is
/// escaped in a source and not in a path.
fn is_escaped(escaped: &[u8], plain: &[u8]) -> bool {
    match escaped.len().cmp(&plain.len()) {
        Ordering::Less => false,
        Ordering::Equal => escaped == plain && !plain.contains(&b'\\'),
        Ordering::Greater => *unescape(escaped) == *plain,
    }
}

/// Escapes as the kernel does it in mountinfo's paths, and libmount in utab: blank, tab, newline and backslash.
///
/// ```
/// assert_eq!(&*linux::mount::mountinfo::escape(b"/my disk"), br"/my\040disk");
/// ```
pub fn escape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|byte| needs_escape(*byte)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = Vec::with_capacity(text.len() + 8);
    for &byte in text {
        if needs_escape(byte) {
            escaped.extend_from_slice(&[b'\\', b'0' + (byte >> 6), b'0' + (byte >> 3 & 7), b'0' + (byte & 7)]);
        } else {
            escaped.push(byte);
        }
    }
    Cow::Owned(escaped)
}

fn needs_escape(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\\')
}

/// Mounts sorted by number and by parent, to look many trees up.
pub struct Tree<'t, 'a> {
    entries: &'t [Entry<'a>],
    by_id: Vec<(u32, usize)>,
    by_parent: Vec<(u32, usize)>,
}

impl<'t, 'a> Tree<'t, 'a> {
    /// Sorts them.
    pub fn new(entries: &'t [Entry<'a>]) -> Tree<'t, 'a> {
        let mut by_id: Vec<(u32, usize)> = Vec::with_capacity(entries.len());
        let mut by_parent: Vec<(u32, usize)> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            by_id.push((entry.id, index));
            if entry.parent != entry.id {
                by_parent.push((entry.parent, index));
            }
        }
        by_id.sort_unstable();
        by_parent.sort_unstable();
        Tree { entries, by_id, by_parent }
    }

    /// The mount with this number.
    pub fn get(&self, id: u32) -> Option<&Entry<'a>> {
        self.entries.get(self.place(id)?)
    }

    /// Its place among the entries.
    fn place(&self, id: u32) -> Option<usize> {
        let found = self.by_id.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.by_id.get(found).map(|(_, place)| *place)
    }

    /// [`tree_backward`], without the mounts that are `gone`, by place, and what was on them.
    pub fn backward(&self, top: u32, gone: &[bool]) -> core::result::Result<Vec<Entry<'a>>, Errno> {
        backward(self, top, gone)
    }
}

/// The mounts of the tree whose root is the mount `top`, in the order to unmount them: what lies over another is before
/// it, later mounts before earlier ones, `top` itself last. ENOENT: there is no such mount.
pub fn tree_backward<'a>(entries: &[Entry<'a>], top: u32) -> core::result::Result<Vec<Entry<'a>>, Errno> {
    Tree::new(entries).backward(top, &[])
}

fn backward<'a>(tree: &Tree<'_, 'a>, top: u32, gone: &[bool]) -> core::result::Result<Vec<Entry<'a>>, Errno> {
    let Tree { entries, by_parent, .. } = tree;
    let root = tree.place(top).ok_or(Errno::ENOENT)?;
    // Parents before children, earlier before later; reversed, each comes after everything that lies on it.
    let mut order = Vec::new();
    let mut waiting = vec![root];
    while let Some(index) = waiting.pop() {
        let Some(entry) = entries.get(index) else { continue };
        order.push(*entry);
        if order.len() > entries.len() {
            return Err(Errno::EINVAL);
        }
        let first = by_parent.partition_point(|(parent, _)| *parent < entry.id);
        let children = by_parent.get(first..).unwrap_or_default();
        let children = children.iter().take_while(|(parent, _)| *parent == entry.id).map(|(_, index)| *index);
        let start = waiting.len();
        waiting.extend(children.filter(|index| gone.get(*index) != Some(&true)));
        if let Some(new) = waiting.get_mut(start..) {
            // What is on the mount's own root hides it and its other children: unmounted first, so visited last.
            new.sort_by_key(|index| {
                let over = entries.get(*index).is_some_and(|child| child.target == entry.target);
                (!over, core::cmp::Reverse(*index))
            });
        }
    }
    order.reverse();
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_eleven_parts_with_optional_fields_between() {
        let line = b"36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue";
        let entry = Entry::parse(line).expect("an entry");
        assert_eq!((entry.id, entry.parent, entry.device), (36, 35, (98, 0)));
        assert_eq!(entry.root, b"/mnt1");
        assert_eq!(entry.target_path(), "/mnt 2");
        assert_eq!(entry.optional, b"master:1 shared:7");
        assert_eq!((entry.fstype, entry.source), (&b"ext3"[..], &b"/dev/root"[..]));
        assert_eq!(entry.all_options(), b"rw,noatime,errors=continue");
    }

    #[test]
    fn a_line_without_optional_fields_and_with_an_empty_source_is_an_entry() {
        let entry = Entry::parse(b"1 1 0:2 / / rw - tmpfs  ro,size=1k").expect("an entry");
        assert_eq!(entry.optional, b"");
        assert_eq!(entry.source, b"");
        assert_eq!(entry.all_options(), b"ro,size=1k");
    }

    #[test]
    fn lines_that_are_cut_are_no_entries() {
        let line = b"36 35 98:0 / /mnt rw - ext3 /dev/root rw";
        assert!(Entry::parse(line).is_some());
        for length in 0..b"36 35 98:0 / /mnt rw - ext3 ".len() {
            assert_eq!(Entry::parse(&line[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_line_is_plain_if_there_is_nothing_to_unescape_or_to_hide() {
        for (line, plain) in [
            (&b"abc def"[..], true),
            (b"abcdefgh\\040", false),
            (b"12345678\x01", false),
            (b"\x7f", false),
            // U+009B, which a terminal takes for ESC [.
            (b"123456789\xc2\x9b", false),
        ] {
            assert_eq!(Fields::new(line).is_plain(), plain, "{line:?}");
        }
    }

    #[test]
    fn every_field_is_found_wherever_it_ends() {
        for length in 0..20 {
            let line = ["x".repeat(length), "y".repeat(length), String::new(), "z".to_string()].join(" ");
            let mut fields = Fields::new(line.as_bytes());
            for part in line.split(' ') {
                assert_eq!(fields.next(), Some(part.as_bytes()), "{line}");
            }
            assert_eq!(fields.next(), None);
        }
    }

    #[test]
    fn escapes_are_undone_and_made() {
        assert_eq!(&*unescape(b"a\\040b\\134\\011"), b"a b\\\t");
        assert_eq!(&*unescape(b"a\\04"), b"a\\04");
        assert_eq!(&*unescape(b"\\777"), b"\\777");
        assert_eq!(&*escape(b"a b\\"), b"a\\040b\\134");
        assert_eq!(&*unescape(&escape(b"\xff #\n")), b"\xff #\n");
    }

    #[test]
    fn a_mount_is_found_by_its_path_and_its_source_whatever_is_escaped_in_them() {
        let entry = Entry::parse(b"1 0 0:1 / /a#\\040b rw - tmpfs c\\043d rw").expect("an entry");
        assert!(entry.is_on(OsStr::new("/a# b")) && entry.is_from(OsStr::new("c#d")));
        assert!(!entry.is_on(OsStr::new("/a#\\040b")) && !entry.is_from(OsStr::new("c\\043d")));
        assert!(!entry.is_on(OsStr::new("/a# c")) && !entry.is_from(OsStr::new("c")));
        let other = Entry::parse(b"1 0 0:1 / /\\134043 rw - tmpfs # rw").expect("an entry");
        assert!(other.is_on(OsStr::new("/\\043")) && other.is_from(OsStr::new("#")));
    }

    #[test]
    fn bytes_that_are_not_utf8_and_very_long_lines_are_entries() {
        let mut line = b"36 35 98:0 / /\xff\xfe rw - ext3 /dev/root rw,x=".to_vec();
        line.resize(70_000, b'y');
        let entry = Entry::parse(&line).expect("an entry");
        assert_eq!(entry.target, b"/\xff\xfe");
        assert!(entry.super_options.len() > 65_536);
    }

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
    fn a_tree_is_unmounted_from_its_leaves_and_from_the_top_of_each_stack() {
        let table = Table::from_text(
            b"1 0 0:1 / / rw - ext4 r rw\n2 1 0:2 / /m rw - tmpfs a rw\n3 2 0:3 / /m/x rw - tmpfs b rw\n\
              4 2 0:4 / /m/y rw - tmpfs c rw\n5 3 0:5 / /m/x rw - tmpfs d rw\n6 2 0:6 / /m rw - tmpfs e rw\n"
                .to_vec(),
        );
        let entries: Vec<_> = table.entries().collect();
        let order: Vec<u32> = tree_backward(&entries, 2).expect("a tree").iter().map(|entry| entry.id).collect();
        assert_eq!(order, [6, 4, 5, 3, 2]);
        assert_eq!(tree_backward(&entries, 9), Err(Errno::ENOENT));
    }

    #[test]
    fn a_table_that_goes_in_a_circle_is_refused() {
        let table = Table::from_text(b"1 2 0:1 / /a rw - ext4 r rw\n2 1 0:2 / /b rw - tmpfs a rw\n".to_vec());
        let entries: Vec<_> = table.entries().collect();
        assert_eq!(tree_backward(&entries, 1), Err(Errno::EINVAL));
    }

    #[test]
    fn our_own_table_has_a_root() {
        let table = Table::read().expect("mountinfo");
        assert!(table.find_target(OsStr::new("/")).is_some());
    }
}
