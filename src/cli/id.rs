//! Numbers, users and groups as arguments of options, which several commands read alike.

use crate::{Failure, number};
use linux::accounts;
use linux::credentials::{Gid, Pid, Uid};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Reads a whole number within bounds. `what` is how messages call it.
pub fn whole(text: &OsStr, what: &str, least: u64, most: u64) -> Result<u64, Failure> {
    let wrong = |more: &str| crate::fail!(1, "invalid ", what, " argument: '", text, "'", more);
    let read = number::whole(text.as_bytes(), 10).ok_or_else(|| wrong(""))?;
    let value = read.value.filter(|value| !read.negative && (least..=most).contains(value));
    value.ok_or_else(|| wrong(": Numerical result out of range"))
}

/// Reads a process number that is at least `least`. `what` is how messages call it.
pub fn pid(text: &OsStr, what: &str, least: u64) -> Result<Pid, Failure> {
    whole(text, what, least, i32::MAX as u64).map(|pid| Pid(pid as i32))
}

/// A user by number, else by a name of /etc/passwd.
pub fn user(text: &OsStr) -> Option<Uid> {
    number::id(text.as_bytes()).map(Uid).or_else(|| accounts::passwd_by_name(text).map(|user| user.uid))
}

/// A group by number, else by a name of /etc/group.
pub fn group(text: &OsStr) -> Option<Gid> {
    number::id(text.as_bytes()).map(Gid).or_else(|| accounts::group_by_name(text).map(|group| group.gid))
}

/// What setresuid(2), chown(2) and their like read as "leave this id as it is": it is nobody's.
const UNCHANGED: u32 = u32::MAX;

/// A user by a name of /etc/passwd, else by number: what is all digits may be a name. Not the one that stands for no change.
pub fn user_by_name(text: &OsStr) -> Option<Uid> {
    let login = Some(text).filter(|name| !name.is_empty()).and_then(accounts::passwd_by_name);
    let uid = login.map(|user| user.uid).or_else(|| number::id(text.as_bytes()).map(Uid));
    uid.filter(|uid| uid.0 != UNCHANGED)
}

/// A group by a name of /etc/group, else by number, likewise.
pub fn group_by_name(text: &OsStr) -> Option<Gid> {
    let named = Some(text).filter(|name| !name.is_empty()).and_then(accounts::group_by_name);
    let gid = named.map(|group| group.gid).or_else(|| number::id(text.as_bytes()).map(Gid));
    gid.filter(|gid| gid.0 != UNCHANGED)
}

/// An unknown user or group; `what` is how the message calls it. A number that is too large is reported as such.
#[cold]
pub fn unknown(value: &OsStr, what: &str) -> Failure {
    let is_number = number::whole(value.as_bytes(), 10).is_some();
    let why = if is_number { ": Numerical result out of range" } else { "" };
    crate::fail!(1, "failed to parse ", what, ": '", value, "'", why)
}
