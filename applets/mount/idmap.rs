//! ID-mapped mounts: the specs of --map-users and X-mount.idmap, and a user
//! namespace that holds the maps. mount(8), mount_setattr(2).

use super::args::bad_usage;
use cli::{Failure, text};
use linux::mount::options::Options as MountOptions;
use linux::namespace::Kind;
use linux::namespace::idmap::{self, Extent, Ids};
use linux::{Errno, Error, namespace, process};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Adds the option that --map-users and --map-groups stand for.
pub fn add_option(maps: &[(char, OsString)], options: &mut MountOptions) -> Result<(), Failure> {
    let mut value: Vec<u8> = Vec::new();
    let is_path = |map: &OsString| map.as_bytes().first() == Some(&b'/');
    if maps.iter().any(|(_, map)| is_path(map)) {
        // A namespace file has both maps already.
        let [(_, path)] = maps else { return Err(bad_usage()) };
        value.extend_from_slice(path.as_bytes());
    } else {
        for (kind, map) in maps {
            if !value.is_empty() {
                value.push(b' ');
            }
            value.extend_from_slice(&[*kind as u8, b':']);
            value.extend_from_slice(map.as_bytes());
        }
    }
    if !maps.is_empty() {
        options.push("X-mount.idmap", Some(&text!["\"", value, "\""]));
    }
    Ok(())
}

/// A user namespace with the maps of an X-mount.idmap value: a list of `[u:|g:|b:]ID-MOUNT:ID-HOST:RANGE`, or the path
/// of a namespace file.
pub fn namespace(value: &OsStr) -> linux::Result<OwnedFd> {
    if value.as_bytes().first() == Some(&b'/') {
        return namespace::open(value);
    }
    let (users, groups) = parse(value.as_bytes()).ok_or_else(|| Error::new("idmap", value, Errno::EINVAL))?;
    made(&users, &groups)
}

/// What is wrong with a value of X-mount.idmap, as the original's errno says it; `None` if it is a map, or the path of a
/// user namespace.
pub fn wrong(value: &[u8]) -> Option<Errno> {
    if value.starts_with(b"/") {
        let file = namespace::open(OsStr::from_bytes(value));
        return match file.and_then(|file| namespace::kind(file.as_fd())) {
            Ok(Kind::User) => None,
            Ok(_) => Some(Errno::EINVAL),
            Err(error) => Some(error.errno),
        };
    }
    match parse(value) {
        Some((users, groups)) if is_map(&users) && is_map(&groups) => None,
        None if !has_numbers(value) => Some(Errno::ENOENT),
        _ => Some(Errno::EINVAL),
    }
}

/// Whether each word of a value that is no map has three numbers all the same, one of which is none that an id or a range
/// can have.
fn has_numbers(value: &[u8]) -> bool {
    words(value).all(|(_, spec)| {
        let mut numbers = spec.split(|&byte| byte == b':');
        (0..3).all(|_| numbers.next().is_some_and(|number| linux::number::signed(number).is_some()))
    })
}

/// The words of a list, each with the letter that says what it maps, and what follows that.
fn words(list: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let words = list.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    words.map(|word| match word {
        [kind @ (b'u' | b'g' | b'b'), b':', spec @ ..] => (*kind, spec),
        spec => (b'b', spec),
    })
}

/// The maps of users and of groups.
fn parse(list: &[u8]) -> Option<(Vec<Extent>, Vec<Extent>)> {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for (kind, spec) in words(list) {
        let mut numbers = spec.split(|&byte| byte == b':').map(cli::number::id);
        let (inner, outer, count) = (numbers.next()??, numbers.next()??, numbers.next()??);
        if numbers.next().is_some() || count == 0 || inner == u32::MAX || outer == u32::MAX {
            return None;
        }
        let extent = Extent { inner, outer, count };
        if kind != b'g' {
            users.push(extent);
        }
        if kind != b'u' {
            groups.push(extent);
        }
    }
    (!users.is_empty() || !groups.is_empty()).then_some((users, groups))
}

/// How many ranges the kernel takes: user_namespaces(7).
const MOST: usize = 340;

/// Whether the kernel takes it for a map: no id is in it twice, on either side.
fn is_map(extents: &[Extent]) -> bool {
    if extents.len() > MOST {
        return false;
    }
    let ends = |first: u32, count: u32| (u64::from(first), u64::from(first) + u64::from(count));
    let meet = |a: (u64, u64), b: (u64, u64)| a.0 < b.1 && b.0 < a.1;
    extents.iter().enumerate().all(|(at, one)| {
        extents.iter().take(at).all(|other| {
            !meet(ends(one.inner, one.count), ends(other.inner, other.count))
                && !meet(ends(one.outer, one.count), ends(other.outer, other.count))
        })
    })
}

/// A child makes the user namespace and lives until we have written its maps and opened it.
fn made(users: &[Extent], groups: &[Extent]) -> linux::Result<OwnedFd> {
    process::with_helper_child(
        "unshare",
        || namespace::unshare(namespace::Kind::User.flag()).map(|()| (0, ())),
        |child, _| {
            // If a map is missing, the kernel refuses the namespace when it is used.
            for (ids, map) in [(Ids::Users, users), (Ids::Groups, groups)] {
                if !map.is_empty() {
                    idmap::write(&child.to_string(), ids, map)?;
                }
            }
            namespace::open(namespace::path(child, "user"))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_without_a_letter_is_for_both() {
        let (users, groups) = parse(b"0:1000:1 u:5:6:7").unwrap();
        assert_eq!(users.len(), 2);
        assert_eq!(groups, [Extent { inner: 0, outer: 1000, count: 1 }]);
        for bad in ["", "1:2", "1:2:0", "x:1:2:3", "1:2:3:4"] {
            assert!(parse(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn options_become_one_value_and_a_path_stands_alone() {
        let maps = [('u', OsString::from("0:1:2")), ('g', OsString::from("3:4:5"))];
        let option = |maps: &[(char, OsString)]| {
            let mut options = MountOptions::default();
            add_option(maps, &mut options).map(|()| options.to_text())
        };
        assert_eq!(option(&maps).unwrap(), b"X-mount.idmap=\"u:0:1:2 g:3:4:5\"");
        assert!(option(&[('u', "/x".into()), ('g', "3:4:5".into())]).is_err());
        assert_eq!(option(&[('u', "/x".into())]).unwrap(), b"X-mount.idmap=\"/x\"");
    }
}
