//! `--userspec` and `--groups`: which user and groups a new root's program gets.

use super::options::FAILED;
use cli::{Failure, failure::Line, number, quote, text};
use linux::Errno;
use linux::accounts;
use linux::credentials::{Gid, Uid};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What was asked for, as typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AskedIds {
    /// USER:GROUP.
    pub userspec: Option<&'static OsStr>,
    /// A list of groups.
    pub groups: Option<&'static OsStr>,
}

impl AskedIds {
    /// The user whose line of the account file tells what was not said: a group, or the groups.
    fn unnamed(&self, spec: &Spec) -> Option<Uid> {
        spec.uid.filter(|_| self.groups.is_none() || spec.gid.is_none())
    }
}

/// What the old root knows.
#[derive(Debug, Default)]
pub struct OutsideIds {
    uid: Option<Uid>,
    gid: Option<Gid>,
    /// Whether the user has a line in the account file.
    is_user: bool,
    /// For each item of the list of groups.
    groups: Vec<Option<Gid>>,
}

/// Ids found, all optional: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub uid: Option<Uid>,
    pub gid: Option<Gid>,
    /// Supplementary groups.
    pub groups: Option<Vec<Gid>>,
    /// What is to be said although it worked.
    pub warning: Option<Vec<u8>>,
}

/// A parsed `--userspec`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spec {
    uid: Option<Uid>,
    gid: Option<Gid>,
    warning: bool,
}

/// Looks names up in the old root, before chroot(2). Failures are ignored, since the new root may know the names.
pub fn look_up_outside(wanted: &AskedIds) -> OutsideIds {
    let spec = wanted.userspec.and_then(|text| parse(text).ok()).unwrap_or_default();
    let user = wanted.unnamed(&spec).and_then(accounts::passwd_by_uid);
    let gid = spec.gid.or(user.as_ref().map(|user| user.gid));
    let groups = wanted.groups.map(|list| listed_groups(list).0);
    OutsideIds { uid: spec.uid, gid, is_user: user.is_some(), groups: groups.unwrap_or_default() }
}

/// Looks names up in the new root. Results from the old root are used where the new one knows nothing: for a group of
/// a list, and for the primary group of a user whose uid both roots agree on. The user's other groups in the old root
/// are not used, since their numbers mean nothing in the new one, and the user's name may be another user's there.
pub fn look_up_inside(wanted: &AskedIds, outside: OutsideIds) -> Result<Identity, Failure> {
    let spec = match wanted.userspec {
        Some(text) => parse(text).map_err(|problem| problem.failure(text))?,
        None => Spec::default(),
    };
    // Unlike GNU: if the old root had another uid for the name, its primary group belongs to another user and is not
    // used.
    let outside = if outside.uid == spec.uid { outside } else { OutsideIds { gid: None, is_user: false, ..outside } };
    let needs_user = wanted.unnamed(&spec);
    let user = match needs_user.map(accounts::look_up_uid) {
        // The new root's passwd cannot be read, so the user's groups are unknown: refuse.
        Some(Err(error)) => return Err(unreadable(&error)),
        found => found.and_then(Result::ok).flatten(),
    };
    let gid = spec.gid.or(user.as_ref().map(|user| user.gid)).or(outside.gid);
    if let (Some(uid), None) = (needs_user, gid) {
        return Err(cli::fail!(FAILED, "no group specified for unknown uid: ", uid));
    }
    let groups = match wanted.groups {
        Some(list) if !list.is_empty() => Some(parse_groups(list, &outside.groups)?),
        // An empty list means none.
        Some(_) => Some(Vec::new()),
        None => match (&user, gid) {
            (Some(user), Some(gid)) => Some(accounts::groups_of(&user.name, gid).map_err(|error| unreadable(&error))?),
            (None, Some(gid)) if outside.is_user => Some(vec![gid]),
            _ if spec.uid.is_some() => Some(Vec::new()),
            _ => None,
        },
    };
    let warning = spec.warning.then(|| text!["warning: '.' should be ':'"]);
    Ok(Identity { uid: spec.uid, gid, groups, warning })
}

/// Why a `--userspec` is wrong.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    User,
    Group,
    Spec,
}

impl Problem {
    /// GNU's words do not say which name is meant; the hint does.
    fn failure(&self, spec: &OsStr) -> Failure {
        let (line, place) = match self {
            Problem::User => ("invalid user", "names no user of the new root's /etc/passwd and is no number"),
            Problem::Group => ("invalid group", "names no group of the new root's /etc/group and is no number"),
            Problem::Spec => ("invalid spec", "is not USER, USER:GROUP or :GROUP"),
        };
        cli::fail!(FAILED, line).hint(text!["--userspec=", spec, " ", place])
    }
}

/// Reads USER:GROUP with the account files of the root we are in.
fn parse(spec: &OsStr) -> Result<Spec, Problem> {
    let bytes = spec.as_bytes();
    let trimmed = bytes.strip_suffix(b":").unwrap_or(bytes);
    if let Some(colon) = trimmed.iter().position(|byte| *byte == b':') {
        return split(trimmed, colon);
    }
    let whole = split(trimmed, trimmed.len());
    if let (Err(Problem::User), Some(dot)) = (&whole, trimmed.iter().position(|byte| *byte == b'.'))
        && let Ok(spec) = split(trimmed, dot)
    {
        return Ok(Spec { warning: true, ..spec });
    }
    whole
}

/// Splits at the separator at `at` (or the end): the user before it, the group after it.
fn split(spec: &[u8], at: usize) -> Result<Spec, Problem> {
    let (user, group) = spec.split_at_checked(at).unwrap_or_default();
    let (has_separator, group) = match group.split_first() {
        Some((_, group)) => (true, group),
        None => (false, group),
    };
    let login = by_name(user).filter(|name| !name.is_empty()).and_then(accounts::passwd_by_name);
    let uid = match (&login, user) {
        (Some(login), _) => Some(login.uid),
        (None, b"") => None,
        // Only a name can stand before a separator with nothing behind it.
        (None, _) if has_separator && group.is_empty() => return Err(Problem::Spec),
        (None, number_text) => Some(Uid(id_number(number_text).ok_or(Problem::User)?)),
    };
    let gid = match group {
        b"" => login.filter(|_| has_separator).map(|login| login.gid),
        name => Some(group_id(name).ok_or(Problem::Group)?),
    };
    Ok(Spec { uid, gid, warning: false })
}

fn group_id(text: &[u8]) -> Option<Gid> {
    by_name(text).and_then(accounts::group_by_name).map(|group| group.gid).or_else(|| id_number(text).map(Gid))
}

/// The text as a name, unless a plus sign says that it is a number.
fn by_name(text: &[u8]) -> Option<&OsStr> {
    (text.first() != Some(&b'+')).then(|| OsStr::from_bytes(text))
}

/// A decimal number, after optional white space and one plus sign.
fn number(text: &[u8]) -> Option<u32> {
    u32::try_from(number::natural(text, 10)?).ok()
}

/// A number that can be an id: (uid_t)-1 is none.
fn id_number(text: &[u8]) -> Option<u32> {
    number(text).filter(|id| *id != u32::MAX)
}

/// The items of a list of groups.
fn items(list: &OsStr) -> impl Iterator<Item = &[u8]> {
    list.as_bytes().split(|byte| *byte == b',').filter(|item| !item.is_empty())
}

/// The group ids of a list, by the group file of the current root, and why it could not be read to its end.
fn listed_groups(list: &OsStr) -> (Vec<Option<Gid>>, Option<Errno>) {
    // No group has an empty name.
    let mut names: Vec<&[u8]> = Vec::new();
    for item in items(list) {
        names.push(by_name(item).unwrap_or_default().as_bytes());
    }
    let (mut gids, unread) = accounts::gids_by_name(&names);
    for (gid, item) in gids.iter_mut().zip(items(list)) {
        *gid = gid.or_else(|| number(item).map(Gid));
    }
    (gids, unread)
}

/// An account file of the new root that is there and cannot be read.
#[cold]
fn unreadable(error: &linux::Error) -> Failure {
    cli::fail!(FAILED, "failed to get supplemental groups: ", error.errno)
        .hint(text![error.object, " of the new root cannot be read"])
}

/// The group ids of a list, by the group file of the current root, else as found `outside`.
fn parse_groups(list: &OsStr, outside: &[Option<Gid>]) -> Result<Vec<Gid>, Failure> {
    let mut groups = Vec::new();
    let mut failure = Failure::silent(FAILED);
    let (gids, unread) = listed_groups(list);
    // The new root may have another number for the name than the old one.
    if let Some(errno) = unread.filter(|_| gids.contains(&None)) {
        return Err(unreadable(&linux::Error::new("open", "/etc/group", errno)));
    }
    for (index, (item, gid)) in items(list).zip(gids).enumerate() {
        match gid.or_else(|| outside.get(index).copied().flatten()) {
            Some(gid) => groups.push(gid),
            None => {
                let text = text!["invalid group ", quote::locale(OsStr::from_bytes(item))];
                failure = failure.and(Line::Named(text));
            }
        }
    }
    if !failure.lines.is_empty() {
        return Err(failure);
    }
    if groups.is_empty() {
        return Err(cli::fail!(FAILED, "invalid group list ", quote::locale(list)));
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Result<Spec, Problem> {
        parse(OsStr::new(text))
    }

    #[test]
    fn a_userspec_has_a_user_a_group_both_or_neither() {
        let is = |uid: Option<u32>, gid: Option<u32>| Ok(Spec { uid: uid.map(Uid), gid: gid.map(Gid), warning: false });
        assert_eq!(spec("+5:+6"), is(Some(5), Some(6)));
        assert_eq!(spec("+5"), is(Some(5), None));
        assert_eq!(spec("+5:"), is(Some(5), None));
        assert_eq!(spec(":+6"), is(None, Some(6)));
        assert_eq!(spec(""), is(None, None));
        assert_eq!(spec(":"), is(None, None));
        assert_eq!(spec("0::"), Err(Problem::Spec));
    }

    #[test]
    fn a_number_is_decimal_and_whole() {
        assert_eq!(spec("+0x1"), Err(Problem::User));
        assert_eq!(spec("+5x"), Err(Problem::User));
        assert_eq!(spec("+4294967295"), Err(Problem::User));
        assert_eq!(spec("++5"), Err(Problem::User));
        assert_eq!(spec("+4294967294").unwrap().uid, Some(Uid(u32::MAX - 1)));
    }

    #[test]
    fn a_dot_may_stand_for_the_colon_with_a_warning() {
        assert_eq!(spec("+5.+6"), Ok(Spec { uid: Some(Uid(5)), gid: Some(Gid(6)), warning: true }));
    }
}
