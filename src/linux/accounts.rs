//! Users and groups from their files: passwd(5), group(5), subuid(5). NSS is never asked: it would load shared
//! modules, which a static binary must not do, least of all those of a foreign root.
//!
//! After chroot(2) these functions read the new root's files. No symbolic link can lead out of it, and the links of a
//! proc that is mounted in it are not followed.

mod line;
mod read;

pub use line::{Group, GroupLine, Range, User, UserLine, malformed_field, parse_group, parse_range, parse_user};

use crate::credentials::{Gid, MOST_GROUPS, Uid};
use crate::index::Index;
use crate::{Errno, error::Context};
use read::each;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The user with this name.
pub fn passwd_by_name(name: &OsStr) -> Option<User> {
    find_user(Some(name), Uid::ROOT).ok()?
}

/// The first user with this number.
pub fn passwd_by_uid(uid: Uid) -> Option<User> {
    find_user(None, uid).ok()?
}

/// As [`passwd_by_uid`], for callers that must tell "no such user" from "the file cannot be read".
pub fn look_up_uid(uid: Uid) -> crate::Result<Option<User>> {
    match find_user(None, uid) {
        Err(Errno::ENOENT) => Ok(None),
        found => found.context("open", PASSWD),
    }
}

/// The group with this name.
pub fn group_by_name(name: &OsStr) -> Option<Group> {
    find_group(Some(name), Gid(0))
}

/// The group ids of these names, in the names' order, and the error that ended the reading of the group file before its
/// end: any of the groups without an id may be behind it. Reads the file once; one that is missing has no groups.
pub fn gids_by_name(names: &[&[u8]]) -> (Vec<Option<Gid>>, Option<Errno>) {
    let index = Index::of(names);
    let mut gids = vec![None; names.len()];
    let mut missing = names.len();
    let read = each("/etc/group", &mut |line| {
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
    (gids, read.err().filter(|errno| *errno != Errno::ENOENT))
}

/// The first group with this number.
pub fn group_by_gid(gid: Gid) -> Option<Group> {
    find_group(None, gid)
}

/// The groups a login of `name` gets, as getgrouplist(3): `gid` first, then every group that lists the user, up to one
/// more than a process may have, so that the caller sees the excess. A missing group file gives only `gid`. An
/// unreadable one is an error: a group may be what denies its members a file.
pub fn groups_of(name: &OsStr, gid: Gid) -> crate::Result<Vec<Gid>> {
    const PATH: &str = "/etc/group";
    let mut groups = vec![gid];
    let read = each(PATH, &mut |line| {
        if let Some(group) = parse_group(line)
            && group.has_member(name.as_bytes())
        {
            groups.push(group.gid);
            if groups.len() > 2 * MOST_GROUPS {
                // Duplicates are removed each time the list has reached twice the limit, so memory stays bounded
                // however often a group file repeats a number.
                remove_repetitions(&mut groups);
                return groups.len() <= MOST_GROUPS;
            }
        }
        true
    });
    remove_repetitions(&mut groups);
    groups.truncate(MOST_GROUPS + 1);
    match read {
        Ok(()) | Err(Errno::ENOENT) => Ok(groups),
        Err(errno) => Err(crate::Error::new("open", PATH, errno)),
    }
}

/// Removes duplicates and keeps the first occurrence of each number.
fn remove_repetitions(numbers: &mut Vec<Gid>) {
    // A radix sort of the indices by number, byte by byte: it takes linear time and is stable, so the first occurrence
    // of a number comes first.
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    let mut sorted = places.clone();
    for shift in [0, 8, 16, 24] {
        let byte = |number: u32| (number >> shift) as usize & 0xff;
        // For each value of this byte, the index at which its first number goes.
        let mut next = [0; 256];
        for number in numbers.iter() {
            if let Some(count) = next.get_mut(byte(number.0)) {
                *count += 1;
            }
        }
        let mut before = 0;
        for next in &mut next {
            before += std::mem::replace(next, before);
        }
        for place in &places {
            if let Some(number) = numbers.get(*place)
                && let Some(next) = next.get_mut(byte(number.0))
                && let Some(slot) = sorted.get_mut(*next)
            {
                *slot = *place;
                *next += 1;
            }
        }
        std::mem::swap(&mut places, &mut sorted);
    }
    let mut last = None;
    let mut is_first = vec![false; numbers.len()];
    for place in places {
        let number = numbers.get(place).copied();
        if let Some(first) = is_first.get_mut(place) {
            *first = number != last;
        }
        last = number;
    }
    let mut is_first = is_first.iter();
    numbers.retain(|_| is_first.next() == Some(&true));
}

/// Why a user's ranges in /etc/subuid or /etc/subgid are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRanges {
    /// The file cannot be read.
    Unread(Errno),
    /// The user's first line has this in place of a number, or as the count of a range that cannot be.
    Malformed(OsString),
}

/// The ranges of /etc/subuid or /etc/subgid that belong to a user, by name or by number.
pub fn subordinate_ids(path: &str, name: Option<&OsStr>, uid: Uid) -> Result<Vec<Range>, NoRanges> {
    let mut ranges = Vec::new();
    let mut malformed = None;
    let done = each(path, &mut |line| {
        let owner = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if name.is_some_and(|name| name.as_bytes() == owner) || line::number(owner) == Some(uid.0) {
            match malformed_field(line) {
                Some(field) if ranges.is_empty() => malformed = Some(OsStr::from_bytes(field).to_os_string()),
                _ => ranges.extend(parse_range(line)),
            }
        }
        malformed.is_none()
    });
    done.map_err(NoRanges::Unread)?;
    malformed.map_or(Ok(ranges), |field| Err(NoRanges::Malformed(field)))
}

/// The first id that neither /etc/subuid nor /etc/subgid gives to anybody, nor any behind it; at least 100000.
pub fn free_subordinate_id() -> u32 {
    let mut free = 100_000;
    for path in ["/etc/subuid", "/etc/subgid"] {
        // A file that cannot be read is taken for one that gives nothing.
        let _ = each(path, &mut |line| {
            if let Some(range) = parse_range(line) {
                free = free.max(range.start.saturating_add(range.count));
            }
            true
        });
    }
    free
}

const PASSWD: &str = "/etc/passwd";

/// The first user with this name or, without one, with this number.
fn find_user(name: Option<&OsStr>, uid: Uid) -> Result<Option<User>, Errno> {
    let mut found = None;
    each(PASSWD, &mut |line| {
        if let Some(user) = parse_user(line)
            && name.map_or(user.uid == uid, |name| user.name == name.as_bytes())
        {
            found = Some(user.to_user());
        }
        found.is_none()
    })?;
    Ok(found)
}

/// As [`find_user`], for groups. An unreadable group file counts as one without groups.
fn find_group(name: Option<&OsStr>, gid: Gid) -> Option<Group> {
    let mut found = None;
    let _ = each("/etc/group", &mut |line| {
        if let Some(group) = parse_group(line)
            && name.map_or(group.gid == gid, |name| group.name == name.as_bytes())
        {
            found = Some(group.to_group());
        }
        found.is_none()
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_number_the_first_stays_in_its_place() {
        let mut numbers = [7, 3, 7, u32::MAX, 3, 0, 7].map(Gid).to_vec();
        remove_repetitions(&mut numbers);
        assert_eq!(numbers, [7, 3, u32::MAX, 0].map(Gid));
    }
}
