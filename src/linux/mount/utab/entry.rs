//! A line of utab: fields of the form `NAME=value`, escaped as in mountinfo.

use crate::mount::mountinfo::{self, unescape};
use crate::number;
use core::fmt::Write as _;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One mount's line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UtabEntry {
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

impl UtabEntry {
    /// Parses one line; `None` if it has no target. Unknown fields are skipped.
    pub fn parse(line: &[u8]) -> Option<UtabEntry> {
        let mut entry = UtabEntry::default();
        for word in line.split(|byte| matches!(byte, b' ' | b'\t')) {
            let Some(equals) = word.iter().position(|&byte| byte == b'=') else { continue };
            let (key, value) = word.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            let text = OsString::from_vec(unescape(value).into_owned());
            match str::from_utf8(key).unwrap_or_default() {
                "ID" => entry.id = number::decimal(value),
                "UNIQID" => entry.unique = number::decimal(value),
                "SRC" => entry.source = text,
                "TARGET" => entry.target = text,
                "ROOT" => entry.root = text,
                "BINDSRC" => entry.bind_source = Some(text),
                "ATTRS" => entry.attributes = Some(text),
                "OPTS" => entry.options = text.into_vec(),
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

    pub(super) fn is_of(&self, mount: &mountinfo::Entry<'_>) -> bool {
        let same = |ours: &OsStr, theirs: &[u8]| ours.as_bytes() == &*unescape(theirs);
        same(&self.target, mount.target) && same(&self.root, mount.root) && same(&self.source, mount.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_written_back() {
        let line = b"ID=12 UNIQID=2147483660 SRC=/dev/x TARGET=/a\\040b ROOT=/ BINDSRC=/q ATTRS=z OPTS=x-a=1,user\n";
        let entry = UtabEntry::parse(line.trim_ascii_end()).expect("an entry");
        assert_eq!((entry.id, entry.target.as_os_str()), (Some(12), OsStr::new("/a b")));
        let mut text = Vec::new();
        entry.append_to(&mut text);
        assert_eq!(text, line);
    }

    #[test]
    fn unknown_fields_are_skipped_and_a_line_without_target_is_no_entry() {
        assert_eq!(UtabEntry::parse(b"SRC=/dev/x OPTS=a"), None);
        assert_eq!(UtabEntry::parse(b"NEW=1 TARGET=/m X").expect("an entry").target, "/m");
        assert_eq!(UtabEntry::parse(b""), None);
    }
}
