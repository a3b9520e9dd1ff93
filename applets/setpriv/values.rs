//! The values of options: capabilities, securebits, users and groups, rights and rules of landlock(7).

use cli::{Failure, id, number, text};
use linux::caps::{self, Cap, CapSet};
use linux::credentials::{Gid, Uid};
use linux::landlock;
use linux::process::{ANY_TRACER, NO_TRACER, Pid};
use std::ffi::OsStr;
use std::ops::{BitAnd, BitOr, Not};
use std::os::unix::ffi::OsStrExt;

/// A privilege could not be set.
pub const REFUSED: u8 = 127;

/// Which supplementary groups the program gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Those that we have.
    Keep,
    /// None.
    Clear,
    /// Those that a login of the user has.
    Init,
    /// Exactly these.
    These(Vec<Gid>),
}

/// The members to add to a set and to remove from it, in the given order.
pub type Changes<Set> = Vec<(bool, Set)>;

/// Stands for every right to files that the kernel knows, and in a rule for every one that is blocked.
pub const EVERY_FILE: u64 = 1 << 63;
/// The same of TCP ports.
pub const EVERY_PORT: u64 = 1 << 62;
/// The same of what is kept inside.
pub const EVERY_SCOPE: u64 = 1 << 61;
/// All that stand for every one of a kind, with the rights of that kind.
pub const EVERY: [(u64, u64); 3] =
    [(EVERY_FILE, landlock::FILES), (EVERY_PORT, landlock::PORTS), (EVERY_SCOPE, landlock::SCOPES)];

/// Where a rule allows what is blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleObject {
    /// At a path and below.
    Path(&'static OsStr),
    /// At a TCP port.
    Port(u16),
}

/// Rights, and where they are allowed.
pub type Rule = (u64, RuleObject);

/// A user by name or number; `what` is how a message calls it.
pub fn user(value: &OsStr, what: &str) -> Result<Uid, Failure> {
    id::user_by_name(value).ok_or_else(|| unreadable(value, what))
}

/// A group, likewise.
pub fn group(value: &OsStr, what: &str) -> Result<Gid, Failure> {
    id::group_by_name(value).ok_or_else(|| unreadable(value, what))
}

fn unreadable(value: &OsStr, what: &str) -> Failure {
    cli::fail!(1, "failed to parse ", what, ": '", value, "'")
}

/// `group,group`.
pub fn supplementary(list: &OsStr) -> Result<Vec<Gid>, Failure> {
    let mut groups = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b',') {
        let item = OsStr::from_bytes(item);
        let found = group(item, "");
        groups.push(found.map_err(|_| cli::fail!(1, "Invalid supplementary group id: '", item, "'"))?);
    }
    Ok(groups)
}

/// `+x,-y`, where `member` reads a name.
fn changes<Set>(list: &OsStr, what: &str, member: fn(&[u8]) -> Result<Set, Failure>) -> Result<Changes<Set>, Failure> {
    let mut changes = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b',') {
        changes.push(match item.split_first() {
            Some((b'+', name)) => (true, member(name)?),
            Some((b'-', name)) => (false, member(name)?),
            _ => return Err(cli::fail!(1, "bad ", what, " string").hint("before each name comes + or -")),
        });
    }
    Ok(changes)
}

/// `+name,-name`: names without `cap_`, `cap_N` by number, or `all`. An older kernel need not have what has a name.
pub fn capabilities(list: &OsStr) -> Result<Changes<CapSet>, Failure> {
    changes(list, "capability", |name| {
        if name == b"all" {
            return Ok(CapSet::first(caps::count()));
        }
        let full = [b"cap_", name].concat();
        let numbered =
            name.strip_prefix(b"cap_").and_then(number::decimal).and_then(|it| u8::try_from(it).ok()).map(Cap);
        let found = caps::find(&full).or(numbered).filter(|it| it.0 < caps::count().max(caps::NAMED));
        found.map(CapSet::of).ok_or_else(|| {
            let failure = cli::fail!(1, "unknown capability \"", name, "\"");
            match name.strip_prefix(b"cap_").filter(|_| caps::find(name).is_some()) {
                Some(name) => failure.hint(text!["setpriv calls it ", name]),
                None => failure,
            }
        })
    })
}

/// The name of a capability as setpriv writes it: without `cap_`.
pub fn capability_name(number: Cap) -> String {
    let name = caps::name(number);
    match name.strip_prefix("cap_") {
        Some(short) => short.to_string(),
        None => format!("cap_{name}"),
    }
}

/// The securebits by number. `keep_caps` cannot be set, since execve(2) clears it.
pub const SECUREBITS: &str = "noroot noroot_locked no_setuid_fixup no_setuid_fixup_locked keep_caps keep_caps_locked";

/// How many have names.
pub const SECUREBITS_COUNT: u32 = 6;

const KEEP_CAPS: u64 = 1 << 4;

/// `+bit,-bit`: the names of capabilities(7) in lower case, or `all`.
pub fn securebits(list: &OsStr) -> Result<Changes<u64>, Failure> {
    let found = changes(list, "securebits", |name| {
        if name == b"all" {
            return Ok(u64::from(u32::MAX) & !KEEP_CAPS);
        }
        match SECUREBITS.split(' ').position(|known| known.as_bytes() == name).map(|bit| 1 << bit) {
            Some(KEEP_CAPS) => Err(cli::fail!(1, "adjusting keep_caps does not make sense")),
            Some(bit) => Ok(bit),
            None => Err(cli::fail!(1, "unrecognized securebit")),
        }
    })?;
    if found.iter().any(|(gains, bits)| *gains && *bits >> SECUREBITS_COUNT != 0) {
        return Err(cli::fail!(1, "+all securebits is not allowed"));
    }
    Ok(found)
}

/// A set after changes.
pub fn changed<Set: Copy + BitOr<Output = Set> + BitAnd<Output = Set> + Not<Output = Set>>(
    set: Set,
    changes: &Changes<Set>,
) -> Set {
    changes.iter().fold(set, |set, (gains, members)| if *gains { set | *members } else { set & !*members })
}

/// `right,right` of one kind, each by its name, and those to files also by the beginning of one; all of them if there is
/// nothing.
fn rights(kind: &[u8], list: &[u8]) -> Option<Result<u64, Failure>> {
    let all = landlock::kind(kind)?;
    if list.is_empty() {
        return EVERY.iter().find(|(_, rights)| *rights == all).map(|(every, _)| Ok(*every));
    }
    let mut rights = 0;
    for item in list.split(|byte| *byte == b',') {
        let mut found = 0_u64;
        landlock::each(all, &mut |right, name| {
            let is_meant = name == item || all == landlock::FILES && name.starts_with(item);
            found |= if is_meant { right } else { 0 };
        });
        if !found.is_power_of_two() {
            return Some(Err(cli::fail!(1, "could not parse landlock ", kind, " access: ", list)
                .hint(text!["the rights are ", listed(all)])));
        }
        rights |= found;
    }
    Some(Ok(rights))
}

/// `fs`, `net` or `scope`, each also with `:right,right`.
pub fn access(value: &OsStr) -> Result<u64, Failure> {
    let text = value.as_bytes();
    let (kind, list) = match text.iter().position(|byte| *byte == b':') {
        None => (text, &[][..]),
        Some(colon) => (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default()),
    };
    rights(kind, list).unwrap_or_else(|| Err(cli::fail!(1, "invalid landlock access: ", value)))
}

/// `path-beneath:right,right:PATH` or `net-port:right,right:PORT`.
pub fn rule(value: &'static OsStr) -> Result<Rule, Failure> {
    let invalid = || cli::fail!(1, "invalid landlock rule: ", value);
    let mut parts = value.as_bytes().splitn(3, |byte| *byte == b':');
    let (Some(what), Some(list), Some(place)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(invalid());
    };
    let kind: &[u8] = match what {
        b"path-beneath" => b"fs",
        b"net-port" => b"net",
        _ => return Err(invalid()),
    };
    let allowed = rights(kind, list).ok_or_else(invalid)??;
    let place = OsStr::from_bytes(place);
    Ok((
        allowed,
        match kind {
            b"net" => RuleObject::Port(id::whole(place, "port", 0, u16::MAX.into())? as u16),
            _ => RuleObject::Path(place),
        },
    ))
}

/// `any`, `none`, or a process.
pub fn tracer(value: &OsStr) -> Result<Pid, Failure> {
    match value.as_bytes() {
        b"any" => Ok(ANY_TRACER),
        b"none" => Ok(NO_TRACER),
        _ => id::pid(value, "PID", 1),
    }
}

/// `execute,read-file`.
pub fn listed(rights: u64) -> Vec<u8> {
    let mut list = Vec::new();
    let mut add = |name: &[u8]| {
        if !list.is_empty() {
            list.push(b',');
        }
        list.extend_from_slice(name);
    };
    for ((every, _), name) in EVERY.into_iter().zip(["all to files", "all to ports", "every scope"]) {
        if rights & every != 0 {
            add(name.as_bytes());
        }
    }
    landlock::each(rights, &mut |_, name| add(name));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_from_left_to_right() {
        let changes = capabilities(OsStr::new("-all,+chown,+kill,-chown")).unwrap();
        assert_eq!(changed(CapSet(u64::MAX >> 23), &changes), CapSet(1 << 5));
        assert!(capabilities(OsStr::new("chown")).is_err() && capabilities(OsStr::new("")).is_err());
        assert!(capabilities(OsStr::new("+cap_chown")).is_err());
    }

    #[test]
    fn rights_are_named_whole_and_those_to_files_by_a_beginning_that_is_no_others() {
        let access = |text: &str| access(OsStr::new(text)).ok();
        assert_eq!(access("fs:execute,ioctl-dev"), Some(1 | 1 << 15));
        assert_eq!((access("fs"), access("fs:"), access("fs:w")), (Some(EVERY_FILE), Some(EVERY_FILE), Some(2)));
        assert_eq!((access("net:bind-tcp,connect-tcp"), access("net")), (Some(0b11 << 32), Some(EVERY_PORT)));
        assert_eq!((access("scope:signal"), access("scope")), (Some(1 << 41), Some(EVERY_SCOPE)));
        for wrong in [
            "",
            "f",
            "fsx",
            "nets",
            "fs:read",
            "fs:,execute",
            "fs:execute,",
            "fs:executed",
            "fs:Execute",
            "net:signal",
            "net:bind",
        ] {
            assert_eq!(access(wrong), None, "{wrong}");
        }
        let read = |text: &'static str| rule(OsStr::new(text)).ok();
        assert_eq!(read("path-beneath::a:b"), Some((EVERY_FILE, RuleObject::Path(OsStr::new("a:b")))));
        assert_eq!(read("net-port:connect-send-udp:80"), Some((1 << 35, RuleObject::Port(80))));
        assert_eq!(read("net-port::0"), Some((EVERY_PORT, RuleObject::Port(0))));
        for wrong in [
            "",
            "path-beneath",
            "path-beneath:",
            "path-beneath:execute",
            "path:execute:/",
            "fs:execute:/",
            "net:bind-tcp:1",
            "net-port:bind-tcp",
            "net-port:bind-tcp:",
            "net-port:bind-tcp:65536",
            "net-port:bind-tcp:http",
            "net-port:execute:1",
            "scope:signal:1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keep_caps_cannot_be_adjusted() {
        assert!(securebits(OsStr::new("+keep_caps")).is_err());
        assert!(securebits(OsStr::new("+all")).is_err());
        assert_eq!(changed(0b11_1111, &securebits(OsStr::new("-all,+noroot")).unwrap()), KEEP_CAPS | 1);
    }
}
