//! User and group id maps of a user namespace: user_namespaces(7), newuidmap(1).

use crate::{Errno, Error, Result, file, namespace, number};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// One line of a map: `count` ids from `inner` inside are the ids from `outer` outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first id inside the namespace.
    pub inner: u32,
    /// The first id outside it.
    pub outer: u32,
    /// How many.
    pub count: u32,
}

/// Users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// uid_map.
    Users,
    /// gid_map.
    Groups,
}

impl Ids {
    /// The map's file name in /proc/PID.
    pub const fn file(self) -> &'static str {
        match self {
            Ids::Users => "uid_map",
            Ids::Groups => "gid_map",
        }
    }

    /// Where the ids are listed that a user may map.
    pub const fn subordinate(self) -> &'static str {
        match self {
            Ids::Users => "/etc/subuid",
            Ids::Groups => "/etc/subgid",
        }
    }

    /// The program that writes the map for a user who may not.
    pub const fn program(self) -> &'static str {
        match self {
            Ids::Users => "newuidmap",
            Ids::Groups => "newgidmap",
        }
    }
}

/// The kernel takes a map in one write of at most a page, in bytes.
pub const MAP_LIMIT: usize = 4096;

/// The text of a map.
///
/// ```
/// use linux::namespace::idmap::{Extent, text};
/// assert_eq!(text(&[Extent { inner: 0, outer: 1000, count: 1 }]), b"0 1000 1\n");
/// ```
pub fn text(map: &[Extent]) -> Vec<u8> {
    let mut text = Vec::new();
    for extent in map {
        text.extend_from_slice(format!("{} {} {}\n", extent.inner, extent.outer, extent.count).as_bytes());
    }
    text
}

/// Writes a map of the process `pid` (`self` for our own). The error's `call` is `open` or `write`.
pub fn write(pid: &str, ids: Ids, map: &[Extent]) -> Result<()> {
    namespace::write_file(format!("/proc/{pid}/{}", ids.file()), &text(map))
}

/// Writes `deny` or `allow` to /proc/self/setgroups, which every kernel since 3.19 has.
pub fn set_setgroups(allow: bool) -> Result<()> {
    namespace::write_file("/proc/self/setgroups", if allow { b"allow" } else { b"deny" })
}

/// The ids that our own user namespace maps, as extents that map each id to itself: /proc/self/uid_map.
pub fn all(ids: Ids) -> Result<Vec<Extent>> {
    let path = format!("/proc/self/{}", ids.file());
    let text = file::read_file(&path, MAP_LIMIT)?;
    let mut extents = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        extents.push(parse_line(line).ok_or_else(|| Error::new("read", &path, Errno::EINVAL))?);
    }
    Ok(extents)
}

/// Reads a line of uid_map. The outer ids are ignored, since the extents map each id to itself.
fn parse_line(line: &[u8]) -> Option<Extent> {
    let mut fields = line.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let mut number = || number::id(fields.next()?);
    let (inner, _, count) = (number()?, number()?, number()?);
    Some(Extent { inner, outer: inner, count })
}

/// Reads `INNER:OUTER:COUNT`, or the older `OUTER,INNER,COUNT`.
///
/// ```
/// use linux::namespace::idmap::{Extent, parse};
/// use std::ffi::OsStr;
/// let extent = Some(Extent { inner: 0, outer: 1000, count: 5 });
/// assert_eq!([parse(OsStr::new("0:1000:5")), parse(OsStr::new("1000,0,5"))], [extent, extent]);
/// ```
pub fn parse(spec: &OsStr) -> Option<Extent> {
    let fields = |separator| {
        let mut fields = spec.as_bytes().split(|byte| *byte == separator).map(number::id);
        let three = [fields.next()??, fields.next()??, fields.next()??];
        fields.next().is_none().then_some(three)
    };
    let (inner, outer, count) = match (fields(b':'), fields(b',')) {
        (Some([inner, outer, count]), _) => (inner, outer, count),
        (None, Some([outer, inner, count])) => (inner, outer, count),
        (None, None) => return None,
    };
    let fits = |start: u32| start.checked_add(count.checked_sub(1)?);
    Option::zip(fits(inner), fits(outer)).map(|_| Extent { inner, outer, count })
}

impl Extent {
    /// The range, one id longer if [`with_single`] would take an id from its inner side only: then no outer id is
    /// lost.
    pub fn with_room(self, single: Extent) -> Extent {
        let has = |start: u32, id: u32| id.checked_sub(start).is_some_and(|offset| offset < self.count);
        let moves = has(self.inner, single.inner) && !has(self.outer, single.outer);
        Extent { count: self.count.saturating_add(u32::from(moves)), ..self }
    }
}

/// Adds a single id to a map, as described in unshare(1). Its line comes first. Each range drops the id on the inner
/// and the outer side where it contains it, and the remaining ids of both sides are paired in order, so a range that
/// lost an id on one side only loses its last id on the other. No id is mapped that was not requested.
///
/// ```
/// use linux::namespace::idmap::{Extent, text, with_single};
/// let (root, range) = (Extent { inner: 0, outer: 1000, count: 1 }, Extent { inner: 0, outer: 5000, count: 3 });
/// assert_eq!(text(&with_single(root, &[range])), b"0 1000 1\n1 5000 2\n");
/// ```
pub fn with_single(single: Extent, ranges: &[Extent]) -> Vec<Extent> {
    let mut map = vec![single];
    for range in ranges {
        let hole = |start: u32, id: u32| id.checked_sub(start).filter(|offset| *offset < range.count);
        let (inner, outer) = (hole(range.inner, single.inner), hole(range.outer, single.outer));
        let count = range.count - u32::from(inner.is_some() || outer.is_some());
        // Positions count the remaining ids; a range is split at each dropped one.
        let mut cuts = [inner.unwrap_or(count).min(count), outer.unwrap_or(count).min(count), count];
        cuts.sort_unstable();
        let mut start = 0;
        for end in cuts {
            if end > start {
                let after = |hole: Option<u32>| u32::from(hole.is_some_and(|hole| start >= hole));
                map.push(Extent {
                    inner: range.inner + start + after(inner),
                    outer: range.outer + start + after(outer),
                    count: end - start,
                });
                start = end;
            }
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(inner: u32, outer: u32, count: u32) -> Extent {
        Extent { inner, outer, count }
    }

    #[test]
    fn a_mapping_has_two_orders() {
        assert_eq!(parse(OsStr::new("0:1000:5")), Some(extent(0, 1000, 5)));
        assert_eq!(parse(OsStr::new("1000,0,5")), Some(extent(0, 1000, 5)));
        assert_eq!(parse(OsStr::new("+0: 1000:+5")), Some(extent(0, 1000, 5)));
        for bad in ["", "0", "0:0", "0:0:0", "0:0:1:2", "0,0:1", "-1:0:1", "++1:0:1", "4294967296:0:1", "a:0:1"] {
            assert_eq!(parse(OsStr::new(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_hole_inside_drops_the_last_id_outside_and_no_inner_id_is_added() {
        assert_eq!(with_single(extent(0, 0, 1), &[extent(0, 1000, 5)]), [extent(0, 0, 1), extent(1, 1000, 4)]);
        assert_eq!(
            with_single(extent(2, 0, 1), &[extent(0, 1000, 5)]),
            [extent(2, 0, 1), extent(0, 1000, 2), extent(3, 1002, 2)]
        );
        assert_eq!(with_single(extent(4, 0, 1), &[extent(0, 1000, 5)]), [extent(4, 0, 1), extent(0, 1000, 4)]);
        assert_eq!(with_single(extent(0, 0, 1), &[extent(0, 1000, 1)]), [extent(0, 0, 1)]);
    }

    #[test]
    fn a_range_with_room_moves_up_and_loses_nothing() {
        let with = |single| with_single(single, &[extent(0, 1000, 5).with_room(single)]);
        assert_eq!(with(extent(2, 0, 1)), [extent(2, 0, 1), extent(0, 1000, 2), extent(3, 1002, 3)]);
        assert_eq!(
            with(extent(2, 1001, 1)),
            [extent(2, 1001, 1), extent(0, 1000, 1), extent(1, 1002, 1), extent(3, 1003, 2)]
        );
        assert_eq!(with(extent(9, 0, 1)), [extent(9, 0, 1), extent(0, 1000, 5)]);
    }

    #[test]
    fn a_hole_outside_drops_the_last_id_inside() {
        assert_eq!(
            with_single(extent(0, 3, 1), &[extent(100, 0, 10)]),
            [extent(0, 3, 1), extent(100, 0, 3), extent(103, 4, 6)]
        );
    }

    #[test]
    fn holes_on_both_sides_make_three_pieces() {
        assert_eq!(
            with_single(extent(2, 5, 1), &[extent(0, 0, 10)]),
            [extent(2, 5, 1), extent(0, 0, 2), extent(3, 2, 3), extent(6, 6, 4)]
        );
    }

    #[test]
    fn no_map_ever_names_an_id_twice() {
        for (inner, outer, start_inner, start_outer, count) in
            (0..7_u32).flat_map(|a| (0..7_u32).flat_map(move |b| (1..6_u32).map(move |n| (a, b, 2, 3, n))))
        {
            let map = with_single(extent(inner, outer, 1), &[extent(start_inner, start_outer, count)]);
            let ids = |side: fn(&Extent) -> u32| {
                let mut ids: Vec<u32> = map.iter().flat_map(|it| side(it)..side(it) + it.count).collect();
                ids.sort_unstable();
                ids
            };
            for ids in [ids(|it| it.inner), ids(|it| it.outer)] {
                let mut unique = ids.clone();
                unique.dedup();
                assert_eq!(ids, unique);
            }
        }
    }
}
