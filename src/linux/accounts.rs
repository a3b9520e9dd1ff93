//! Users and groups from their files: passwd(5), group(5), subuid(5). Never NSS: a static
//! binary must not load modules, least of all those of a foreign root.
//!
//! Inside a new root these read that root's files, and no symbolic link leads out of it,
//! because the process has been chrooted by then.

use crate::{Errno, io};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An account is a line; a file larger than this is not an account file.
const LIMIT: usize = 256 * 1024 * 1024;

/// A line of passwd(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: OsString,
    /// The user number.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The home directory.
    pub home: OsString,
    /// The login shell; may be empty.
    pub shell: OsString,
}

/// A line of group(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: OsString,
    /// Its number.
    pub gid: u32,
    /// The users it is a supplementary group of.
    pub members: Vec<OsString>,
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

/// The user with this name.
pub fn passwd_by_name(name: &OsStr) -> Option<User> {
    find("/etc/passwd", |line| parse_user(line).filter(|user| user.name == name))
}

/// The first user with this number.
pub fn passwd_by_uid(uid: u32) -> Option<User> {
    find("/etc/passwd", |line| parse_user(line).filter(|user| user.uid == uid))
}

/// The group with this name.
pub fn group_by_name(name: &OsStr) -> Option<Group> {
    find("/etc/group", |line| parse_group(line).filter(|group| group.name == name))
}

/// The first group with this number.
pub fn group_by_gid(gid: u32) -> Option<Group> {
    find("/etc/group", |line| parse_group(line).filter(|group| group.gid == gid))
}

/// The groups a login of `name` has: `gid` first, then those that list the user, as
/// getgrouplist(3) does, without a limit.
pub fn groups_of(name: &OsStr, gid: u32) -> Vec<u32> {
    let mut groups = vec![gid];
    for line in lines(&read("/etc/group").unwrap_or_default()) {
        if let Some(group) = parse_group(line)
            && group.members.iter().any(|member| member == name)
            && !groups.contains(&group.gid)
        {
            groups.push(group.gid);
        }
    }
    groups
}

/// The ranges of /etc/subuid or /etc/subgid that belong to a user, by name or by number.
pub fn subordinate_ids(path: &str, name: Option<&OsStr>, uid: u32) -> crate::Result<Vec<Range>> {
    let text = read(path).map_err(|errno| crate::Error::new("open", path, errno))?;
    let number = OsString::from(uid.to_string());
    Ok(lines(&text)
        .filter_map(parse_range)
        .filter(|range| Some(range.owner.as_os_str()) == name || range.owner == number)
        .collect())
}

fn find<T>(path: &str, row: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
    lines(&read(path).ok()?).find_map(row)
}

/// Reads an account file, which must be a regular one: a root made by somebody else may have
/// a pipe or a device in its place.
fn read(path: &str) -> Result<Vec<u8>, Errno> {
    let file = io::open_at(None, OsStr::new(path), libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY, 0)?;
    if !crate::stat::of(file.as_fd())?.is_regular() {
        return Err(Errno::EINVAL);
    }
    io::read_to_end(file.as_fd(), LIMIT)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(|line| line.trim_ascii_start())
        // A plus or minus sign begins an entry of a network service.
        .filter(|line| !matches!(line.first(), None | Some(b'#' | b'+' | b'-')))
}

/// Reads one line of passwd(5); `None` if it is malformed.
pub fn parse_user(line: &[u8]) -> Option<User> {
    let mut fields = line.split(|byte| *byte == b':');
    let name = text(fields.next()?)?;
    fields.next()?;
    let uid = number(fields.next()?)?;
    let gid = number(fields.next()?)?;
    fields.next();
    let home = fields.next().unwrap_or_default();
    let shell = fields.next().unwrap_or_default();
    Some(User { name, uid, gid, home: OsString::from_vec(home.to_vec()), shell: OsString::from_vec(shell.to_vec()) })
}

/// Reads one line of group(5); `None` if it is malformed.
pub fn parse_group(line: &[u8]) -> Option<Group> {
    let mut fields = line.split(|byte| *byte == b':');
    let name = text(fields.next()?)?;
    fields.next()?;
    let gid = number(fields.next()?)?;
    let members = fields.next().unwrap_or_default();
    let members = members.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter_map(text).collect();
    Some(Group { name, gid, members })
}

/// Reads one line of subuid(5); `None` if it is malformed or empty.
pub fn parse_range(line: &[u8]) -> Option<Range> {
    let mut fields = line.split(|byte| *byte == b':');
    let owner = text(fields.next()?)?;
    let start = number(fields.next()?)?;
    let count = number(fields.next()?)?;
    (count > 0 && start.checked_add(count - 1).is_some()).then_some(Range { owner, start, count })
}

fn text(field: &[u8]) -> Option<OsString> {
    (!field.is_empty()).then(|| OsStr::from_bytes(field).to_os_string())
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.trim_ascii().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_needs_a_name_and_two_numbers() {
        let user = parse_user(b"ann:x:1000:100:Ann,,,:/home/ann:/bin/sh").unwrap();
        assert_eq!((user.uid, user.gid, user.shell.as_bytes()), (1000, 100, &b"/bin/sh"[..]));
        assert_eq!(parse_user(b"ann:x:1000"), None);
        assert_eq!(parse_user(b"ann:x:abc:100:::"), None);
        assert_eq!(parse_user(b":x:1:1:::"), None);
        assert!(parse_user(b"caf\xe9:x:1:1").is_some(), "names are bytes");
    }

    #[test]
    fn a_group_lists_its_members() {
        let group = parse_group(b"disk:x:6:ann,bob,").unwrap();
        assert_eq!(group.members, ["ann", "bob"]);
        assert_eq!(parse_group(b"disk:x:-1:"), None);
    }

    #[test]
    fn a_range_that_does_not_fit_in_32_bits_is_no_range() {
        assert_eq!(parse_range(b"ann:100000:65536").map(|range| range.start), Some(100_000));
        assert_eq!(parse_range(b"ann:4294967295:2"), None);
        assert_eq!(parse_range(b"ann:1:0"), None);
    }
}
