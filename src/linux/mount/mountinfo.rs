//! Parses a line of the mount table: /proc/PID/mountinfo, proc_pid_mountinfo(5).
//!
//! The only parser of that format. An entry borrows its fields from the text as bytes. The kernel's octal escapes
//! (`\040`) are undone only when a caller asks for the plain text.

mod fields;

use crate::number;
use fields::Fields;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One mount. Text fields are still escaped as the kernel wrote them; see [`unescape`].
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
    /// Whether the line is printable ASCII without a backslash, so that nothing needs to be unescaped, and nothing can
    /// act on a terminal.
    pub plain: bool,
}

impl<'a> Entry<'a> {
    /// Parses one line; `None` if it is not one.
    ///
    /// ```
    /// use linux::mount::mountinfo::Entry;
    /// use std::ffi::OsStr;
    /// let mount = Entry::parse(b"36 35 98:0 / /mnt\\040a rw shared:1 - ext4 /dev/sda1 rw").expect("a line");
    /// assert!(mount.is_on(OsStr::new("/mnt a")) && mount.group("shared:") == Some(1));
    /// ```
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

    /// The number of its peer group (`kind` is `shared:`) or of its master's peer group (`master:`).
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

    /// The options of the mount and of the file system joined: `rw,nosuid,relatime,size=4k`. Begins with ro if either
    /// is read-only, else rw. Unescaped.
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

/// Whether a list of options, of a mount or of its file system, says that it is read-only.
///
/// ```
/// use linux::mount::mountinfo::is_read_only;
/// assert!(is_read_only(b"ro,relatime") && !is_read_only(b"rw,errors=remount-ro"));
/// ```
pub fn is_read_only(list: &[u8]) -> bool {
    without_access(list).0
}

/// Splits a list of options into whether it is read-only and the rest. The kernel writes rw or ro first and nowhere
/// else; the rest is empty or begins with a comma.
fn without_access(list: &[u8]) -> (bool, &[u8]) {
    match list {
        [b'r', access @ (b'o' | b'w'), rest @ ..] if matches!(rest, [] | [b',', ..]) => (*access == b'o', rest),
        _ => (false, list),
    }
}

/// The number at the beginning of a line, and the text after the byte that ends it.
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
            && let [a @ b'0'..=b'7', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] = tail
        {
            // The highest bit of a number above \377 is lost.
            plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = after;
            continue;
        }
        plain.push(*first);
        rest = tail;
    }
    Cow::Owned(plain)
}

/// Whether `escaped` is `plain` with some bytes escaped. Which bytes the kernel escapes depends on the field and its
/// version: it escapes `#` in a source but not in a path.
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
    fn escapes_are_undone_and_made() {
        assert_eq!(&*unescape(b"a\\040b\\134\\011"), b"a b\\\t");
        assert_eq!(&*unescape(b"a\\04"), b"a\\04");
        assert_eq!(&*unescape(b"\\501\\777"), b"A\xff");
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
}
