//! Lines of passwd(5), group(5) and subuid(5).

use crate::credentials::{Gid, Uid};
use crate::{number, raw};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A user that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: OsString,
    /// The user number.
    pub uid: Uid,
    /// The primary group.
    pub gid: Gid,
    /// The home directory.
    pub home: OsString,
    /// The login shell; may be empty.
    pub shell: OsString,
}

/// A group that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: OsString,
    /// Its number.
    pub gid: Gid,
}

/// A line of passwd(5), as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLine<'a> {
    /// The login name, not empty.
    pub name: &'a [u8],
    /// The user number.
    pub uid: Uid,
    /// The primary group.
    pub gid: Gid,
    /// The home directory.
    pub home: &'a [u8],
    /// The login shell; may be empty.
    pub shell: &'a [u8],
}

/// A line of group(5), as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLine<'a> {
    /// The group's name, not empty.
    pub name: &'a [u8],
    /// Its number.
    pub gid: Gid,
    members: &'a [u8],
}

impl UserLine<'_> {
    pub(super) fn to_user(self) -> User {
        let [name, home, shell] = [self.name, self.home, self.shell].map(owned);
        User { name, uid: self.uid, gid: self.gid, home, shell }
    }
}

impl GroupLine<'_> {
    /// Whether the group's member list names this user. Names are separated by commas; blanks before them do not
    /// count, those behind them are of the name.
    pub fn has_member(&self, name: &[u8]) -> bool {
        let [first, ..] = name else { return false };
        let is_end = |next: Option<&u8>| matches!(next, None | Some(b','));
        let mut start = 0;
        while let Some(found) = self.members.get(start..).and_then(|rest| raw::find_byte(*first, rest)) {
            let (before, rest) = self.members.split_at_checked(start + found).unwrap_or_default();
            if is_end(before.trim_ascii_end().last())
                && rest.strip_prefix(name).is_some_and(|after| is_end(after.first()))
            {
                // A name that contains a comma, or begins with a blank, cannot be written in the list and has no groups.
                return raw::find_byte(b',', name).is_none() && !first.is_ascii_whitespace();
            }
            start += found + 1;
        }
        false
    }

    pub(super) fn to_group(self) -> Group {
        Group { name: owned(self.name), gid: self.gid }
    }
}

fn owned(text: &[u8]) -> OsString {
    OsStr::from_bytes(text).to_os_string()
}

/// A line of subuid(5): `count` ids from `start` that `owner` may map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// A user's name or number.
    pub owner: OsString,
    /// The first id.
    pub start: u32,
    /// How many.
    pub count: u32,
}

/// Reads one line of passwd(5); `None` if it is malformed.
///
/// ```
/// use linux::accounts::parse_user;
/// use linux::credentials::Uid;
/// let user = parse_user(b"ann:x:1000:100::/home/ann:/bin/sh").expect("a user");
/// assert_eq!((user.name, user.uid), (&b"ann"[..], Uid(1000)));
/// assert!(parse_user(b"# a comment").is_none());
/// ```
pub fn parse_user(line: &[u8]) -> Option<UserLine<'_>> {
    // The last one is all the rest, as in glibc.
    let mut fields = line.trim_ascii_start().splitn(7, |byte| *byte == b':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    fields.next()?;
    let uid = Uid(number(fields.next()?)?);
    let gid = Gid(number(fields.next()?)?);
    fields.next();
    let home = fields.next().unwrap_or_default();
    let shell = fields.next().unwrap_or_default();
    Some(UserLine { name, uid, gid, home, shell })
}

/// Reads one line of group(5); `None` if it is malformed.
///
/// ```
/// let group = linux::accounts::parse_group(b"disk:x:6:ann,bob").expect("a group");
/// assert!(group.has_member(b"bob") && !group.has_member(b"bo"));
/// ```
pub fn parse_group(line: &[u8]) -> Option<GroupLine<'_>> {
    let mut rest = Some(line.trim_ascii_start());
    let name = field(&mut rest).filter(|name| !name.is_empty())?;
    field(&mut rest)?;
    let gid = Gid(number(field(&mut rest)?)?);
    // All the rest, as in glibc: a colon is part of a member's name.
    Some(GroupLine { name, gid, members: rest.unwrap_or_default() })
}

/// Cuts off the first field of the rest of a line. A loop: fields are so short that a call of memchr(3) costs more.
fn field<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let text = (*rest)?;
    let end = text.iter().position(|byte| *byte == b':');
    *rest = end.and_then(|end| text.get(end + 1..));
    text.get(..end.unwrap_or(text.len()))
}

/// Reads one line of subuid(5); `None` if it is malformed or empty.
///
/// ```
/// let range = linux::accounts::parse_range(b"ann:100000:65536").expect("a range");
/// assert_eq!((range.start, range.count), (100_000, 65_536));
/// ```
pub fn parse_range(line: &[u8]) -> Option<Range> {
    let mut fields = line.split(|byte| *byte == b':');
    let owner = text(fields.next()?)?;
    let start = number(fields.next()?)?;
    let count = number(fields.next()?)?;
    fits(start, count).then_some(Range { owner, start, count })
}

/// Whether there are so many ids from this one on, and at least one.
fn fits(start: u32, count: u32) -> bool {
    count > 0 && start.checked_add(count - 1).is_some()
}

/// What is wrong with the range in a line of subuid(5): the field that is no number, or the count of a range that is
/// empty or does not fit in 32 bits. A line without two colons is no line of that file.
///
/// ```
/// use linux::accounts::malformed_field;
/// assert_eq!(malformed_field(b"ann:100000:many"), Some(b"many".as_slice()));
/// assert_eq!(malformed_field(b"ann:100000:65536:"), Some(b"65536:".as_slice()));
/// assert_eq!(malformed_field(b"ann:100000:0"), Some(b"0".as_slice()));
/// assert_eq!([malformed_field(b"ann:100000:65536"), malformed_field(b"ann:100000")], [None; 2]);
/// ```
pub fn malformed_field(line: &[u8]) -> Option<&[u8]> {
    let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
    let (first, second) = (fields.next()?, fields.next()?);
    match (number(first), number(second)) {
        (None, _) => Some(first),
        (Some(start), Some(count)) if fits(start, count) => None,
        _ => Some(second),
    }
}

fn text(field: &[u8]) -> Option<OsString> {
    (!field.is_empty()).then(|| OsStr::from_bytes(field).to_os_string())
}

pub(super) fn number(field: &[u8]) -> Option<u32> {
    // As strtoul(3): blanks and a sign before it, nothing behind it. Mostly there are digits only.
    u32::try_from(number::decimal(field).or_else(|| number::natural(field, 10))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_needs_a_name_and_two_numbers() {
        let user = parse_user(b"ann:x:1000:100:Ann,,,:/home/ann:/bin/sh").unwrap();
        assert_eq!((user.uid, user.gid, user.shell), (Uid(1000), Gid(100), &b"/bin/sh"[..]));
        assert_eq!(parse_user(b"ann:x:1000"), None);
        assert_eq!(parse_user(b"ann:x:abc:100:::"), None);
        assert_eq!(parse_user(b":x:1:1:::"), None);
        assert!(parse_user(b"caf\xe9:x:1:1").is_some(), "names are bytes");
    }

    #[test]
    fn a_group_lists_its_members() {
        let group = parse_group(b"disk:x:6:ann,bob,").unwrap();
        assert!(group.has_member(b"ann") && group.has_member(b"bob"));
        for other in ["", "an", "nn", "annb", "ann,bob", "b", "ob", "bob "] {
            assert!(!group.has_member(other.as_bytes()), "{other}");
        }
        let group = parse_group(b"disk:x: +6:ann , bob\r").unwrap();
        assert_eq!(
            [&b"ann"[..], b"ann ", b"bob", b"bob\r"].map(|name| group.has_member(name)),
            [false, true, false, true]
        );
        assert_eq!(parse_group(b"disk:x:6 :ann"), None);
        assert_eq!(parse_group(b"disk:x:-1:"), None);
    }

    #[test]
    fn a_range_that_does_not_fit_in_32_bits_is_no_range() {
        assert_eq!(parse_range(b"ann:100000:65536").map(|range| range.start), Some(100_000));
        assert_eq!(parse_range(b"ann:4294967295:2"), None);
        assert_eq!(parse_range(b"ann:1:0"), None);
    }
}
