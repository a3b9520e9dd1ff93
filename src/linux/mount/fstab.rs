//! The table of file systems: fstab(5).
//!
//! Fields are bytes with octal escapes undone. A malformed line is reported by its number and skipped.

use crate::mount::mountinfo::unescape;
use crate::{Errno, Result, error::Context, file, number};
use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The table that is read when none is named. If `LIBMOUNT_FSTAB` is empty, there is none.
pub fn default_path() -> OsString {
    crate::environment::trusted_variable("LIBMOUNT_FSTAB").unwrap_or_else(|| "/etc/fstab".into())
}

/// One line of fstab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FstabEntry {
    /// The device, directory or tag (`UUID=...`, without quotes around the value).
    pub source: OsString,
    /// The quotes around the value of a tag.
    pub quote: Option<u8>,
    /// The mount point, or `none`.
    pub target: OsString,
    /// The type, or a comma separated list of types.
    pub fstype: OsString,
    /// The options; `None` when the field is missing.
    pub options: Option<Vec<u8>>,
    /// Whether dump(8) takes it.
    pub freq: i32,
    /// The order of fsck(8).
    pub passno: i32,
}

/// The tables that were read, with the lines that could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fstab {
    /// Entries in order.
    pub entries: Vec<FstabEntry>,
    /// File and line number (from 1) of each line that was skipped.
    pub bad_lines: Vec<(OsString, usize)>,
}

impl FstabEntry {
    /// Whether it is swap space, which mount has nothing to do with.
    pub fn is_swap(&self) -> bool {
        self.fstype == "swap"
    }

    /// The source with the quotes that the line has.
    pub fn written(&self) -> OsString {
        let Some(quote) = self.quote else { return self.source.clone() };
        let mut bytes = self.source.as_bytes().to_vec();
        bytes.insert(bytes.iter().position(|&byte| byte == b'=').map_or(0, |equals| equals + 1), quote);
        bytes.push(quote);
        OsString::from_vec(bytes)
    }

    /// Parses one line that is neither blank nor a comment. `None` if it has fewer than three fields or a field that
    /// must be numeric is not.
    fn parse(line: &[u8]) -> Option<FstabEntry> {
        let mut fields = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|field| !field.is_empty());
        let text = |field: &[u8]| OsString::from_vec(unescape(field).into_owned());
        let (source, quote) = strip_quotes(text(fields.next()?));
        let target = text(fields.next()?);
        let fstype = text(fields.next()?);
        let options = fields.next().map(|field| unescape(field).into_owned());
        let freq = fields.next().map_or(Some(0), number)?;
        let passno = fields.next().map_or(Some(0), number)?;
        Some(FstabEntry { source, quote, target, fstype, options, freq, passno })
    }
}

/// `LABEL="x"` without the quotes, and these.
fn strip_quotes(source: OsString) -> (OsString, Option<u8>) {
    let bytes = source.as_bytes();
    let Some(equals) = bytes.iter().position(|&byte| byte == b'=') else { return (source, None) };
    let (tag, value) = bytes.split_at(equals + 1);
    match value {
        [quote @ (b'"' | b'\''), inner @ .., last] if last == quote && !inner.is_empty() && !tag.contains(&b'/') => {
            (OsString::from_vec([tag, inner].concat()), Some(*quote))
        }
        _ => (source, None),
    }
}

/// A number, of which 32 bits are kept.
fn number(text: &[u8]) -> Option<i32> {
    Some(number::signed(text)? as i32)
}

impl Fstab {
    /// Adds the lines of a file's text.
    ///
    /// ```
    /// use linux::mount::fstab::Fstab;
    /// use std::ffi::OsStr;
    /// let mut fstab = Fstab::default();
    /// fstab.add_text(b"# a comment\nLABEL=home /home ext4 ro 0 2\n", OsStr::new("fstab"));
    /// assert!(fstab.entries.iter().map(|entry| &entry.target).eq(["/home"]) && fstab.bad_lines.is_empty());
    /// ```
    pub fn add_text(&mut self, text: &[u8], name: &OsStr) {
        for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = line.trim_ascii_start();
            if line.is_empty() || line.first() == Some(&b'#') {
                continue;
            }
            // No path or option has a NUL.
            match FstabEntry::parse(line).filter(|_| !line.contains(&0)) {
                Some(entry) => self.entries.push(entry),
                None => self.bad_lines.push((name.to_os_string(), index + 1)),
            }
        }
    }

    /// Adds a file, or the files of a directory whose names end in `.fstab` and do not begin with a dot, in the order of
    /// strverscmp(3).
    pub fn add_path(&mut self, path: &OsStr) -> Result<()> {
        self.add_read(path, file::read_file(path, LIMIT))
    }

    /// [`Fstab::add_path`] of the default one. A pipe is a table only where somebody names it.
    pub fn add_default(&mut self) -> Result<()> {
        let path = default_path();
        self.add_read(&path, file::read_at_once(&path, LIMIT))
    }

    fn add_read(&mut self, path: &OsStr, read: Result<Vec<u8>>) -> Result<()> {
        match read {
            Ok(text) => {
                self.add_text(&text, path);
                Ok(())
            }
            Err(error) if error.errno == Errno::EISDIR => self.add_directory(path),
            Err(error) => Err(error),
        }
    }

    fn add_directory(&mut self, path: &OsStr) -> Result<()> {
        let directory = crate::directory::open_to_list(path)?;
        let mut names = crate::walk::names(directory.as_fd()).context("readdir", path)?;
        names.retain(|name| {
            let bytes = name.as_bytes();
            bytes.ends_with(b".fstab") && bytes.len() > b".fstab".len() && bytes.first() != Some(&b'.')
        });
        names.sort_unstable_by(|a, b| version_compare(a.as_bytes(), b.as_bytes()));
        for name in names {
            let Ok(file) = file::open_at(Some(directory.as_fd()), &name, file::AT_ONCE, 0) else { continue };
            // A directory named `*.fstab` cannot be read as a file; it is left out.
            let Ok(text) = file::read_to_end(file.as_fd(), LIMIT) else { continue };
            self.add_text(&text, &name);
        }
        Ok(())
    }
}

/// The size is limited in case a device or a pipe was given by mistake. No real fstab is that long.
const LIMIT: usize = 64 * 1024 * 1024;

/// Compares names that contain numbers as strverscmp(3) does: `a9` before `a10`, `a01` before `a1`.
fn version_compare(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    if common == a.len() && common == b.len() {
        return Ordering::Equal;
    }
    // The run of digits that the difference is in, or just behind.
    let before = a.get(..common).unwrap_or_default();
    let start = common - before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let run = |text: &[u8]| {
        let rest = text.get(start..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let next = |text: &[u8]| text.get(common).copied();
    let (run_a, run_b) = (run(a), run(b));
    let plain = next(a).cmp(&next(b));
    if run_a == 0 || run_b == 0 {
        return plain;
    }
    // Digits with leading zeros compare as a fraction, digit by digit; if one is the beginning of the other, the
    // longer comes first.
    let zeros = |text: &[u8]| text.get(start) == Some(&b'0');
    if zeros(a) || zeros(b) {
        let only_zeros = |text: &[u8]| text.get(start..common).unwrap_or_default().iter().all(|byte| *byte == b'0');
        let digit = |text: &[u8]| next(text).is_some_and(|byte| byte.is_ascii_digit());
        if only_zeros(a) && common > start {
            return match (digit(a), digit(b)) {
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                _ => plain,
            };
        }
        return plain;
    }
    run_a.cmp(&run_b).then(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> Fstab {
        let mut table = Fstab::default();
        table.add_text(text, OsStr::new("fstab"));
        table
    }

    #[test]
    fn six_fields_are_read_and_three_are_enough() {
        let read = table(b"# comment\n\n  UUID=ab\t/m\\040x ext4,xfs ro,noauto 1 2\r\n/dev/x none swap");
        assert_eq!(read.bad_lines, []);
        let first = FstabEntry {
            source: "UUID=ab".into(),
            quote: None,
            target: "/m x".into(),
            fstype: "ext4,xfs".into(),
            options: Some(b"ro,noauto".to_vec()),
            freq: 1,
            passno: 2,
        };
        assert_eq!(read.entries[0], first);
        assert!(read.entries[1].is_swap());
        assert_eq!(read.entries[1].options, None);
    }

    #[test]
    fn tags_lose_their_quotes_and_escapes() {
        let read = table(b"LABEL=\"x\\040y\" /m\\040x auto rw,a=\\054 1 2 trailing\n");
        let entry = &read.entries[0];
        assert_eq!((entry.source.as_os_str(), entry.target.as_os_str()), (OsStr::new("LABEL=x y"), OsStr::new("/m x")));
        assert_eq!((entry.freq, entry.passno), (1, 2));
        assert_eq!(entry.options.as_deref(), Some(&b"rw,a=,"[..]));
    }

    #[test]
    fn bad_lines_are_reported_by_number_and_the_rest_counts() {
        let read = table(b"a b c\nonly two\n\nx y z opts notanumber\nd e f o 1 z\ng h i o 1 2");
        assert_eq!(read.entries.len(), 2);
        assert_eq!(read.bad_lines.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [2, 4, 5]);
    }

    #[test]
    fn bytes_that_are_not_utf8_and_very_long_lines_are_entries() {
        let mut line = b"/dev/\xff /\xfe auto ".to_vec();
        line.resize(70_000, b'x');
        let read = table(&line);
        assert_eq!(read.entries[0].target.as_bytes(), b"/\xfe");
        assert!(read.entries[0].options.as_ref().expect("options").len() > 65_536);
    }

    #[test]
    fn names_with_numbers_are_in_the_order_of_strverscmp() {
        // The manual page's own example.
        let sorted: [&[u8]; 9] = [b"000", b"00", b"01", b"010", b"09", b"0", b"1", b"9", b"10"];
        for pair in sorted.windows(2) {
            assert_eq!(version_compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(version_compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(version_compare(b"a", b"b"), Ordering::Less);
        assert_eq!(version_compare(b"a9.fstab", b"a10.fstab"), Ordering::Less);
        assert_eq!(version_compare(b"a", b"a"), Ordering::Equal);
        assert_eq!(version_compare(b"a", b"a1"), Ordering::Less);
    }
}
