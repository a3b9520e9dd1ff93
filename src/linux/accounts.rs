//! Users and groups from their files: passwd(5), group(5), subuid(5). Never NSS: a static
//! binary must not load modules, least of all those of a foreign root.
//!
//! Inside a new root these read that root's files. No symbolic link leads out of it: the process
//! has been chrooted by then, and the links of a proc mounted in it are not followed.

use crate::index::Index;
use crate::{Errno, file, number, raw, resolve};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// How much of a file is read, in bytes: a root made by somebody else may have one without end.
const LIMIT: usize = 256 * 1024 * 1024;
/// The longest line that may be an account, in bytes; longer ones are passed over.
const LONGEST: usize = 1024 * 1024;

/// A user that was looked up.
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

/// A group that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's name.
    pub name: OsString,
    /// Its number.
    pub gid: u32,
}

/// A line of passwd(5), as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLine<'a> {
    /// The login name, not empty.
    pub name: &'a [u8],
    /// The user number.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
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
    pub gid: u32,
    members: &'a [u8],
}

impl UserLine<'_> {
    fn to_user(self) -> User {
        let [name, home, shell] = [self.name, self.home, self.shell].map(owned);
        User { name, uid: self.uid, gid: self.gid, home, shell }
    }
}

impl GroupLine<'_> {
    /// Whether it is a supplementary group of this user: one of the names between commas, with blanks around it.
    pub fn has_member(&self, name: &[u8]) -> bool {
        let Some(first) = name.first().filter(|_| !name.contains(&b',') && name.trim_ascii() == name) else {
            return false;
        };
        let is_end = |next: Option<&u8>| matches!(next, None | Some(b','));
        let mut start = 0;
        while let Some(found) = self.members.get(start..).and_then(|rest| raw::find_byte(*first, rest)) {
            let (before, rest) = self.members.split_at_checked(start + found).unwrap_or_default();
            if is_end(before.trim_ascii_end().last())
                && rest.strip_prefix(name).is_some_and(|after| is_end(after.trim_ascii_start().first()))
            {
                return true;
            }
            start += found + 1;
        }
        false
    }

    fn to_group(self) -> Group {
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

/// The user with this name.
pub fn passwd_by_name(name: &OsStr) -> Option<User> {
    find_user(&|user| user.name == name.as_bytes())
}

/// The first user with this number.
pub fn passwd_by_uid(uid: u32) -> Option<User> {
    find_user(&|user| user.uid == uid)
}

/// [`passwd_by_uid`] where it matters whether there is no such user, or the file cannot be read.
pub fn look_up_uid(uid: u32) -> crate::Result<Option<User>> {
    const PATH: &str = "/etc/passwd";
    let mut found = None;
    let read = each(PATH, &mut |line| {
        found = parse_user(line).filter(|user| user.uid == uid).map(UserLine::to_user);
        found.is_none()
    });
    match read {
        Ok(()) | Err(Errno::ENOENT) => Ok(found),
        Err(errno) => Err(crate::Error::new("open", PATH, errno)),
    }
}

/// The group with this name.
pub fn group_by_name(name: &OsStr) -> Option<Group> {
    find_group(&|group| group.name == name.as_bytes())
}

/// The numbers of the groups with these names, from one reading of the group file, in the names' order.
pub fn gids_by_name(names: &[&[u8]]) -> Vec<Option<u32>> {
    let mut index = Index::default();
    names.iter().for_each(|name| index.add(name));
    index.sort();
    let mut gids = vec![None; names.len()];
    let mut missing = names.len();
    // Of a file that cannot be read no group is known.
    let _ = each("/etc/group", &mut |line| {
        if let Some(group) = parse_group(line) {
            for place in index.places(group.name).filter(|place| names.get(*place) == Some(&group.name)) {
                // The first group with a name is the one.
                if let Some(gid) = gids.get_mut(place).filter(|gid| gid.is_none()) {
                    *gid = Some(group.gid);
                    missing -= 1;
                }
            }
        }
        missing > 0
    });
    gids
}

/// The first group with this number.
pub fn group_by_gid(gid: u32) -> Option<Group> {
    find_group(&|group| group.gid == gid)
}

/// The groups a login of `name` has: `gid` first, then those that list the user, as
/// getgrouplist(3) does, and no more once they are more than a process may have. Without a group
/// file there are no others; one that cannot be read is an error, since a group may be what denies
/// its members a file.
pub fn groups_of(name: &OsStr, gid: u32) -> crate::Result<Vec<u32>> {
    const PATH: &str = "/etc/group";
    let mut groups = vec![gid];
    let mut next_look = 1024;
    let read = each(PATH, &mut |line| {
        if let Some(group) = parse_group(line)
            && group.has_member(name.as_bytes())
        {
            groups.push(group.gid);
            if groups.len() == next_look {
                // Repetitions take no memory, and looking for them is little beside reading.
                remove_repetitions(&mut groups);
                next_look = 2 * groups.len().max(512);
            }
        }
        // Some of twice as many may be repetitions that have not been looked for.
        groups.len() <= 2 * crate::credentials::MOST_GROUPS
    });
    remove_repetitions(&mut groups);
    groups.truncate(crate::credentials::MOST_GROUPS + 1);
    match read {
        Ok(()) | Err(Errno::ENOENT) => Ok(groups),
        Err(errno) => Err(crate::Error::new("open", PATH, errno)),
    }
}

/// Leaves of each number the first.
fn remove_repetitions(numbers: &mut Vec<u32>) {
    let mut sorted: Vec<(u32, usize)> = numbers.iter().enumerate().map(|(index, number)| (*number, index)).collect();
    sorted.sort_unstable();
    let mut last = None;
    let mut first_places = vec![false; numbers.len()];
    for (number, index) in sorted {
        if last != Some(number)
            && let Some(place) = first_places.get_mut(index)
        {
            *place = true;
        }
        last = Some(number);
    }
    let mut places = first_places.into_iter();
    numbers.retain(|_| places.next() == Some(true));
}

/// The ranges of /etc/subuid or /etc/subgid that belong to a user, by name or by number.
pub fn subordinate_ids(path: &str, name: Option<&OsStr>, uid: u32) -> crate::Result<Vec<Range>> {
    let number = OsString::from(uid.to_string());
    let mut ranges = Vec::new();
    let done = each(path, &mut |line| {
        ranges.extend(parse_range(line).filter(|range| Some(range.owner.as_os_str()) == name || range.owner == number));
        true
    });
    done.map_err(|errno| crate::Error::new("open", path, errno))?;
    Ok(ranges)
}

fn find_user(is_wanted: &dyn Fn(&UserLine<'_>) -> bool) -> Option<User> {
    let mut found = None;
    let _ = each("/etc/passwd", &mut |line| {
        found = parse_user(line).filter(is_wanted).map(UserLine::to_user);
        found.is_none()
    });
    found
}

fn find_group(is_wanted: &dyn Fn(&GroupLine<'_>) -> bool) -> Option<Group> {
    let mut found = None;
    let _ = each("/etc/group", &mut |line| {
        found = parse_group(line).filter(is_wanted).map(GroupLine::to_group);
        found.is_none()
    });
    found
}

/// Shows each line of an account file that may be an entry, until `row` says that it has seen enough.
fn each(path: &str, row: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Errno> {
    let file = open(path)?;
    let mut lines = Lines::default();
    // One page: most of these files fit, and each page of a larger buffer would be a fault.
    let mut chunk = [0; 4096];
    let mut total = 0;
    while total < LIMIT {
        let got = raw::read_some(file.as_fd(), &mut chunk)?;
        if got == 0 {
            break;
        }
        total += got;
        if !lines.take(chunk.get(..got).unwrap_or_default(), row) {
            return Ok(());
        }
    }
    lines.take(b"\n", row);
    Ok(())
}

/// Opens an account file, which must be a regular one: a root made by somebody else may have
/// a pipe or a device in its place.
fn open(path: &str) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match resolve::open_without_magic_links(OsStr::new(path), flags) {
        // A kernel before 5.6, or a filter that does not know the call.
        Err(Errno::ENOSYS) => file::open_at(None, OsStr::new(path), flags, 0)?,
        // What stands there is no account file, so there is none: numbers still work.
        Err(Errno::ELOOP) => return Err(Errno::ENOENT),
        opened => opened?,
    };
    if crate::stat::of(file.as_fd())?.is_regular() { Ok(file) } else { Err(Errno::ENOENT) }
}

/// Puts lines together from the pieces that are read.
#[derive(Default)]
struct Lines {
    /// The beginning of the line that is not complete yet.
    begun: Vec<u8>,
    /// It is too long already.
    too_long: bool,
}

impl Lines {
    /// Shows the lines that `piece` completes. Returns whether more are wanted.
    fn take(&mut self, piece: &[u8], row: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let mut rest = piece;
        loop {
            let end = raw::find_byte(b'\n', rest);
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let is_whole = end.is_some() && self.begun.is_empty();
            self.too_long |= self.begun.len() + part.len() > LONGEST;
            if !self.too_long && !is_whole {
                self.begun.extend_from_slice(part);
            }
            let Some(end) = end else { return true };
            let line = if is_whole { part } else { &self.begun };
            if !self.too_long && is_entry(line) && !row(line.trim_ascii_start()) {
                return false;
            }
            self.begun.clear();
            self.too_long = false;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
}

/// Whether a line is neither empty nor a comment. A plus or minus sign begins an entry of a network service.
fn is_entry(line: &[u8]) -> bool {
    !matches!(line.trim_ascii_start().first(), None | Some(b'#' | b'+' | b'-'))
}

/// Reads one line of passwd(5); `None` if it is malformed.
pub fn parse_user(line: &[u8]) -> Option<UserLine<'_>> {
    let mut fields = line.split(|byte| *byte == b':');
    let name = fields.next().filter(|name| !name.is_empty())?;
    fields.next()?;
    let uid = number(fields.next()?)?;
    let gid = number(fields.next()?)?;
    fields.next();
    let home = fields.next().unwrap_or_default();
    let shell = fields.next().unwrap_or_default();
    Some(UserLine { name, uid, gid, home, shell })
}

/// Reads one line of group(5); `None` if it is malformed.
pub fn parse_group(line: &[u8]) -> Option<GroupLine<'_>> {
    let mut rest = Some(line);
    let name = field(&mut rest).filter(|name| !name.is_empty())?;
    field(&mut rest)?;
    let gid = number(field(&mut rest)?)?;
    Some(GroupLine { name, gid, members: field(&mut rest).unwrap_or_default() })
}

/// Cuts off the first field of what is left of a line. A group may have thousands of members.
fn field<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let text = (*rest)?;
    let end = raw::find_byte(b':', text);
    *rest = end.and_then(|end| text.get(end + 1..));
    text.get(..end.unwrap_or(text.len()))
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
    number::decimal(field.trim_ascii()).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_needs_a_name_and_two_numbers() {
        let user = parse_user(b"ann:x:1000:100:Ann,,,:/home/ann:/bin/sh").unwrap();
        assert_eq!((user.uid, user.gid, user.shell), (1000, 100, &b"/bin/sh"[..]));
        assert_eq!(parse_user(b"ann:x:1000"), None);
        assert_eq!(parse_user(b"ann:x:abc:100:::"), None);
        assert_eq!(parse_user(b":x:1:1:::"), None);
        assert!(parse_user(b"caf\xe9:x:1:1").is_some(), "names are bytes");
    }

    #[test]
    fn lines_are_put_together_whatever_the_pieces_are() {
        let text = b"a\n\n# b\n  c:d\n+e\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen: Vec<Vec<u8>> = Vec::new();
            let mut row = |line: &[u8]| {
                seen.push(line.to_vec());
                true
            };
            for piece in text.chunks(size).chain([b"\n".as_slice()]) {
                assert!(lines.take(piece, &mut row));
            }
            assert_eq!(seen, [b"a".to_vec(), b"c:d".to_vec(), b"last".to_vec()], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_takes_no_memory() {
        let mut lines = Lines::default();
        let mut seen = 0;
        let mut row = |line: &[u8]| {
            assert_eq!(line, b"x");
            seen += 1;
            true
        };
        for _ in 0..100 {
            lines.take(&vec![b'y'; LONGEST / 10], &mut row);
            assert!(lines.begun.len() <= LONGEST);
        }
        lines.take(b"\nx\n", &mut row);
        assert_eq!(seen, 1);
    }

    #[test]
    fn a_group_lists_its_members() {
        let group = parse_group(b"disk:x:6:ann,bob,").unwrap();
        assert!(group.has_member(b"ann") && group.has_member(b"bob"));
        for other in ["", "an", "nn", "annb", "ann,bob", "b", "ob", "bob "] {
            assert!(!group.has_member(other.as_bytes()), "{other}");
        }
        assert_eq!(parse_group(b"disk:x:-1:"), None);
    }

    #[test]
    fn of_each_number_the_first_stays_in_its_place() {
        let mut numbers = vec![7, 3, 7, u32::MAX, 3, 0, 7];
        remove_repetitions(&mut numbers);
        assert_eq!(numbers, [7, 3, u32::MAX, 0]);
    }

    #[test]
    fn a_range_that_does_not_fit_in_32_bits_is_no_range() {
        assert_eq!(parse_range(b"ann:100000:65536").map(|range| range.start), Some(100_000));
        assert_eq!(parse_range(b"ann:4294967295:2"), None);
        assert_eq!(parse_range(b"ann:1:0"), None);
    }
}
