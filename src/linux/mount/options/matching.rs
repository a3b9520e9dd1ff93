//! The filters of mount -O and mount -t, mount(8): lists in which a word may be negated.

use super::Options;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whether the options `have` satisfy the comma-separated list of mount -O. Each word must be there, with its value if
/// that is not empty; one that begins with `no` must be absent; `+no...` means the word itself.
///
/// ```
/// use linux::mount::options::{Options, matches};
/// let have = Options::parse(b"noauto,ro").expect("a list");
/// assert!(matches(&have, b"ro") && !matches(&have, b"ro,noro"));
/// ```
pub fn matches(have: &Options, wanted: &[u8]) -> bool {
    wanted.split(|&byte| byte == b',').filter(|item| !item.is_empty()).all(|item| {
        let (item, absent) = match item {
            [b'+', rest @ ..] => (rest, false),
            [b'n', b'o', rest @ ..] => (rest, true),
            plain => (plain, false),
        };
        let (name, value) = match item.iter().position(|&byte| byte == b'=') {
            Some(end) => (item.get(..end).unwrap_or_default(), item.get(end + 1..).filter(|value| !value.is_empty())),
            None => (item, None),
        };
        let found = have.0.iter().any(|option| {
            option.name == name && (value.is_none_or(|value| option.plain_value().is_some_and(|have| have == value)))
        });
        found != absent
    })
}

/// Whether a file system type is in the comma-separated list of mount -t. A leading `no` negates the whole list, in
/// which each type may then have its own `no`.
///
/// ```
/// use linux::mount::options::type_matches;
/// use std::ffi::OsStr;
/// assert!(type_matches(OsStr::new("ext4"), b"xfs,ext4"));
/// assert!(!type_matches(OsStr::new("ext4"), b"noext4,xfs"));
/// ```
pub fn type_matches(fstype: &OsStr, list: &[u8]) -> bool {
    let fstype = fstype.as_bytes();
    // `none` is a type.
    if fstype == list {
        return true;
    }
    let without_no = list.strip_prefix(b"no");
    let negated = without_no.is_some();
    let list = without_no.unwrap_or(list);
    for item in list.split(|&byte| byte == b',') {
        let without = item.strip_prefix(b"no").is_some_and(|item| item.eq_ignore_ascii_case(fstype));
        if without || item.eq_ignore_ascii_case(fstype) {
            return !negated && !without;
        }
    }
    negated
}
