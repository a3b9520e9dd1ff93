//! Tags in place of a device's path: `LABEL=data`, `UUID=...`, fstab(5).

use super::field::{LOWER, push_hex};
use super::{Cache, Probed, Tag, TagKind, device, tagged_devices};
use crate::directory::canonical_source;
use crate::stat;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

impl<'a> Tag<'a> {
    /// Reads `NAME=value` or `NAME="value"`.
    ///
    /// ```
    /// use linux::mount::probe::Tag;
    /// use std::ffi::OsStr;
    /// let tag = Tag::parse(OsStr::new("LABEL=home")).expect("a tag");
    /// assert_eq!((tag.kind.name(), tag.value), ("LABEL", &b"home"[..]));
    /// assert!(Tag::parse(OsStr::new("/dev/sda")).is_none());
    /// ```
    pub fn parse(source: &'a OsStr) -> Option<Tag<'a>> {
        let (name, value) = name_and_value(source.as_bytes())?;
        Some(Tag { kind: TagKind::parse(name)?, value })
    }

    /// The device with a tag: udev's link, else the first match among the devices, else a file.
    pub fn resolve(self) -> Option<OsString> {
        if let Some(device) = self.linked() {
            return Some(device);
        }
        let Some(device) = tagged_devices(self.kind, self.value).next() else { return self.file() };
        Some(canonical_source(&device).unwrap_or(device))
    }

    /// The file with a tag, among those that blkid has looked at.
    fn file(self) -> Option<OsString> {
        for name in Cache::load(None).names() {
            if stat::path(&name).is_ok_and(|stat| stat.is_regular())
                && let Ok(Probed::One(found)) = device(&name)
                && found.has(self)
            {
                return Some(name);
            }
        }
        None
    }

    /// The device that udev's link leads to.
    pub fn linked(self) -> Option<OsString> {
        let link = [self.kind.directory().as_bytes(), &encode(self.value)].concat();
        let device = canonical_source(OsStr::from_bytes(&link)).ok()?;
        stat::path(&device).is_ok_and(|stat| stat.is_block_device()).then_some(device)
    }
}

/// Divides `NAME=value`. A value in quotes ends at the last one; without a value, or with one quote alone, it is no tag.
///
/// ```
/// use linux::mount::probe::name_and_value;
/// assert_eq!(name_and_value(b"LABEL='my disk'"), Some((&b"LABEL"[..], &b"my disk"[..])));
/// assert_eq!([name_and_value(b"LABEL="), name_and_value(b"LABEL='my disk")], [None, None]);
/// ```
pub fn name_and_value(tag: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = tag.iter().position(|byte| *byte == b'=')?;
    let value = match tag.get(equals + 1..)? {
        [quote @ (b'"' | b'\''), quoted @ ..] => quoted.get(..quoted.iter().rposition(|byte| byte == quote)?)?,
        plain => plain,
    };
    if value.is_empty() { None } else { Some((tag.get(..equals)?, value)) }
}

/// A tag's value as udev writes it in a link's name: characters unsafe in file names become `\xHH`.
///
/// ```
/// assert_eq!(linux::mount::probe::encode(b"my disk"), b"my\\x20disk");
/// ```
pub fn encode(value: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(value.len());
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            let safe = character.is_ascii_alphanumeric()
                || matches!(character, '#' | '+' | '-' | '.' | ':' | '=' | '@' | '_')
                || !character.is_ascii();
            if safe {
                name.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                push_escape(character as u8, &mut name);
            }
        }
        for byte in chunk.invalid() {
            push_escape(*byte, &mut name);
        }
    }
    name
}

fn push_escape(byte: u8, name: &mut Vec<u8>) {
    name.extend_from_slice(b"\\x");
    push_hex(&[byte], &[], LOWER, name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_known_name_and_a_value() {
        assert_eq!(Tag::parse(OsStr::new("LABEL=\"a b\"")).unwrap().value, b"a b");
        assert_eq!(Tag::parse(OsStr::new("UUID=1")).unwrap().kind, TagKind::Uuid);
        assert!(Tag::parse(OsStr::new("label=1")).is_none());
        assert!(Tag::parse(OsStr::new("/dev/LABEL=1")).is_none());
        assert_eq!(Tag::parse(OsStr::new("LABEL='a'b'c")).unwrap().value, b"a'b");
        assert!(
            ["LABEL=", "LABEL=\"", "LABEL=\"a", "LABEL=''b"].iter().all(|text| Tag::parse(OsStr::new(text)).is_none())
        );
    }

    #[test]
    fn a_links_name_is_encoded_as_udev_does() {
        assert_eq!(encode(b"a b/c\xff"), b"a\\x20b\\x2fc\\xff");
        assert_eq!(encode("\u{e4}.#".as_bytes()), "\u{e4}.#".as_bytes());
    }
}
