//! What can be typed, and its table.

use super::confine::listed;
use cli::{Failure, Opt, Table, id, number, text};
use linux::process::{ANY_TRACER, Pid};
use linux::signal::Signal;
use linux::{caps, landlock};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Which supplementary groups the program gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    Keep,
    Clear,
    Init,
    These(Vec<u32>),
}

impl Groups {
    fn option(&self) -> &'static str {
        match self {
            Groups::Keep => "--keep-groups",
            Groups::Clear => "--clear-groups",
            Groups::Init => "--init-groups",
            Groups::These(_) => "--groups",
        }
    }
}

/// Members that a set gains and loses, in the order in which they were named.
pub type Changes = Vec<(bool, u64)>;

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
pub enum Place {
    /// At a path and below.
    Path(&'static OsStr),
    /// At a TCP port.
    Port(u16),
}

/// Rights, and where they are allowed.
pub type Rule = (u64, Place);

/// What was typed.
#[derive(Debug, Default)]
pub struct Options {
    /// How many options were given.
    pub given: u32,
    /// How often `--dump` was.
    pub dump: u32,
    pub list_caps: bool,
    pub no_new_privs: bool,
    pub ruid: Option<u32>,
    pub euid: Option<u32>,
    pub rgid: Option<u32>,
    pub egid: Option<u32>,
    pub groups: Option<Groups>,
    pub inheritable: Option<Changes>,
    pub ambient: Option<Changes>,
    pub bounding: Option<Changes>,
    pub securebits: Option<Changes>,
    /// `None`: as it happens. `Some(None)`: as it was. 0: none.
    pub death_signal: Option<Option<Signal>>,
    pub selinux: Option<&'static OsStr>,
    pub apparmor: Option<&'static OsStr>,
    pub reset_env: bool,
    /// Who may trace the program: a process, 0 for none, or [`ANY_TRACER`].
    pub tracer: Option<i64>,
    /// The rights that Landlock takes.
    pub blocked: Option<u64>,
    pub rules: Vec<Rule>,
    /// The file of a seccomp filter.
    pub filter: Option<&'static OsStr>,
}

impl Options {
    /// What one option cannot see by itself.
    pub fn check(&self) -> Result<(), Failure> {
        if (self.rgid.is_some() || self.egid.is_some()) && self.groups.is_none() {
            let line = "--[re]gid requires --keep-groups, --clear-groups, --init-groups, or --groups";
            return Err(Failure::new(1, text![line]));
        }
        if self.groups == Some(Groups::Init) && self.ruid.is_none() {
            return Err(Failure::new(1, text!["--init-groups requires --ruid or --reuid"]));
        }
        // Alone a rule would confine nothing, and whoever wrote it believes that it does.
        if !self.rules.is_empty() && self.blocked.is_none() {
            return Err(Failure::new(1, text!["--landlock-rule requires --landlock-access"]));
        }
        Ok(())
    }

    /// Whether no exec gives privilege from here on. Filters and Landlock are only for programs that this holds for.
    pub fn gains_nothing(&self) -> bool {
        self.no_new_privs || self.blocked.is_some() || self.filter.is_some()
    }

    /// Takes one of the four options that say which groups the program gets.
    fn groups(&mut self, groups: Groups) -> Result<(), Failure> {
        self.given += 1;
        let name = groups.option();
        match self.groups.replace(groups).map(|given| given.option()) {
            None => Ok(()),
            Some(given) if given == name => Err(Failure::new(1, text!["duplicate ", name, " option"])),
            Some(given) => Err(Failure::new(1, text!["options ", given, " and ", name, " cannot be combined"])),
        }
    }
}

/// Stores what may be given only once.
fn once<T>(given: &mut u32, place: &mut Option<T>, value: T, name: &str) -> Result<(), Failure> {
    *given += 1;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Failure::new(1, text!["duplicate ", name])),
    }
}

fn user(value: &OsStr, what: &str) -> Result<u32, Failure> {
    id::user(value).ok_or_else(|| unreadable(value, what))
}

fn group(value: &OsStr, what: &str) -> Result<u32, Failure> {
    id::group(value).ok_or_else(|| unreadable(value, what))
}

fn unreadable(value: &OsStr, what: &str) -> Failure {
    Failure::new(1, text!["failed to parse ", what, ": '", value, "'"])
}

fn supplementary(list: &OsStr) -> Result<Vec<u32>, Failure> {
    let mut groups = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b',') {
        let item = OsStr::from_bytes(item);
        let found = group(item, "");
        groups.push(found.map_err(|_| Failure::new(1, text!["Invalid supplementary group id: '", item, "'"]))?);
    }
    Ok(groups)
}

/// `+x,-y`, where `member` reads a name.
fn changes(list: &OsStr, what: &str, member: fn(&[u8]) -> Result<u64, Failure>) -> Result<Changes, Failure> {
    let mut changes = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b',') {
        changes.push(match item.split_first() {
            Some((b'+', name)) => (true, member(name)?),
            Some((b'-', name)) => (false, member(name)?),
            _ => return Err(Failure::new(1, text!["bad ", what, " string"])),
        });
    }
    Ok(changes)
}

fn capabilities(list: &OsStr) -> Result<Changes, Failure> {
    changes(list, "capability", |name| {
        if name == b"all" {
            return Ok(caps::all(caps::count()));
        }
        let full = [b"cap_", name].concat();
        let numbered = name.strip_prefix(b"cap_").and_then(number::decimal).and_then(|it| u8::try_from(it).ok());
        let found = caps::find(&full).or(numbered).filter(|it| *it < caps::count());
        found.map(caps::bit).ok_or_else(|| Failure::new(1, text!["unknown capability \"", name, "\""]))
    })
}

/// The name of a capability as setpriv writes it: without `cap_`.
pub fn capability_name(number: u8) -> String {
    let name = caps::name(number);
    match name.strip_prefix("cap_") {
        Some(short) => short.to_string(),
        None => format!("cap_{name}"),
    }
}

/// The securebits by number; `keep_caps` is not ours to change, since execve(2) clears it.
pub const SECUREBITS: [&str; 6] =
    ["noroot", "noroot_locked", "no_setuid_fixup", "no_setuid_fixup_locked", "keep_caps", "keep_caps_locked"];

const KEEP_CAPS: u64 = 1 << 4;

fn securebits(list: &OsStr) -> Result<Changes, Failure> {
    let found = changes(list, "securebits", |name| {
        if name == b"all" {
            return Ok(u64::from(u32::MAX) & !KEEP_CAPS);
        }
        match SECUREBITS.iter().position(|known| known.as_bytes() == name).map(|bit| 1 << bit) {
            Some(KEEP_CAPS) => Err(Failure::new(1, text!["adjusting keep_caps does not make sense"])),
            Some(bit) => Ok(bit),
            None => Err(Failure::new(1, text!["unrecognized securebit"])),
        }
    })?;
    if found.iter().any(|(gains, bits)| *gains && *bits >> SECUREBITS.len() != 0) {
        return Err(Failure::new(1, text!["+all securebits is not allowed"]));
    }
    Ok(found)
}

/// A set after changes.
pub fn changed(set: u64, changes: &Changes) -> u64 {
    changes.iter().fold(set, |set, (gains, members)| if *gains { set | members } else { set & !members })
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
            return Some(Err(Failure::new(1, text!["could not parse landlock ", kind, " access: ", list])
                .hint(text!["the rights are ", listed(all)])));
        }
        rights |= found;
    }
    Some(Ok(rights))
}

/// `fs`, `net` or `scope`, each also with `:right,right`.
fn access(value: &OsStr) -> Result<u64, Failure> {
    let text = value.as_bytes();
    let (kind, list) = match text.iter().position(|byte| *byte == b':') {
        None => (text, &[][..]),
        Some(colon) => (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default()),
    };
    rights(kind, list).unwrap_or_else(|| Err(Failure::new(1, text!["invalid landlock access: ", value])))
}

/// `path-beneath:right,right:PATH` or `net-port:right,right:PORT`.
fn rule(value: &'static OsStr) -> Result<Rule, Failure> {
    let invalid = || Failure::new(1, text!["invalid landlock rule: ", value]);
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
            b"net" => Place::Port(id::whole(place, "port", 0, u16::MAX.into())? as u16),
            _ => Place::Path(place),
        },
    ))
}

fn tracer(value: &OsStr) -> Result<i64, Failure> {
    match value.as_bytes() {
        b"any" => Ok(ANY_TRACER),
        b"none" => Ok(0),
        _ => id::whole(value, "PID", 1, Pid::MAX as u64).map(|pid| pid as i64),
    }
}

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('d'), "dump", "show current state (and do not exec)", |o| {
        o.given += 1;
        o.dump += 1;
    }),
    Opt::flag_checked(None, "no-new-privs nnp", "disallow granting new privileges", |o| {
        o.given += 1;
        match core::mem::replace(&mut o.no_new_privs, true) {
            false => Ok(()),
            true => Err(Failure::new(1, text!["duplicate --no-new-privs option"])),
        }
    }),
    Opt::value(None, "ambient-caps", "caps,...", "set ambient capabilities", |o, list| {
        once(&mut o.given, &mut o.ambient, capabilities(list)?, "--ambient-caps option")
    }),
    Opt::value(None, "inh-caps", "caps,...", "set inheritable capabilities", |o, list| {
        once(&mut o.given, &mut o.inheritable, capabilities(list)?, "--inh-caps option")
    }),
    Opt::value(None, "bounding-set", "caps", "set capability bounding set", |o, list| {
        once(&mut o.given, &mut o.bounding, capabilities(list)?, "--bounding-set option")
    }),
    Opt::flag(None, "list-caps", "list all capabilities", |o| {
        o.given += 1;
        o.list_caps = true;
    }),
    Opt::value(None, "ruid", "uid|user", "set real uid", |o, id| {
        once(&mut o.given, &mut o.ruid, user(id, "ruid")?, "ruid")
    }),
    Opt::value(None, "euid", "uid|user", "set effective uid", |o, id| {
        once(&mut o.given, &mut o.euid, user(id, "euid")?, "euid")
    }),
    Opt::value(None, "rgid", "gid|user", "set real gid", |o, id| {
        once(&mut o.given, &mut o.rgid, group(id, "rgid")?, "rgid")
    }),
    Opt::value(None, "egid", "gid|group", "set effective gid", |o, id| {
        once(&mut o.given, &mut o.egid, group(id, "egid")?, "egid")
    }),
    Opt::value(None, "reuid", "uid|user", "set real and effective uid", |o, id| {
        let id = user(id, "reuid")?;
        once(&mut o.given, &mut o.ruid, id, "ruid or euid")?;
        once(&mut 0, &mut o.euid, id, "ruid or euid")
    }),
    Opt::value(None, "regid", "gid|group", "set real and effective gid", |o, id| {
        let id = group(id, "regid")?;
        once(&mut o.given, &mut o.rgid, id, "rgid or egid")?;
        once(&mut 0, &mut o.egid, id, "rgid or egid")
    }),
    Opt::flag_checked(None, "clear-groups", "clear supplementary groups", |o| o.groups(Groups::Clear)),
    Opt::flag_checked(None, "keep-groups", "keep supplementary groups", |o| o.groups(Groups::Keep)),
    Opt::flag_checked(None, "init-groups", "initialize supplementary groups", |o| o.groups(Groups::Init)),
    Opt::value(None, "groups", "group,...", "set supplementary groups by GID or name", |o, list| {
        // What excludes it is said before what is wrong with it.
        o.groups(Groups::These(Vec::new()))?;
        o.groups = Some(Groups::These(supplementary(list)?));
        Ok(())
    }),
    Opt::value(None, "securebits", "bits", "set securebits", |o, list| {
        once(&mut o.given, &mut o.securebits, securebits(list)?, "--securebits option")
    }),
    Opt::value(None, "pdeathsig", "keep|clear|signame", "set or clear parent death signal", |o, name| {
        let signal = match name.as_bytes() {
            b"keep" => None,
            b"clear" => Some(0),
            _ => {
                let found = name.to_str().and_then(linux::signal::number);
                Some(found.ok_or_else(|| Failure::new(1, text!["unknown signal: ", name]))?)
            }
        };
        once(&mut o.given, &mut o.death_signal, signal, "--keep-pdeathsig option")
    }),
    Opt::value(None, "ptracer", "pid|any|none", "allow ptracing from the given process", |o, value| {
        once(&mut o.given, &mut o.tracer, tracer(value)?, "--ptracer option")
    }),
    Opt::value(None, "selinux-label", "label", "set SELinux label", |o, label| {
        once(&mut o.given, &mut o.selinux, label, "--selinux-label option")
    }),
    Opt::value(None, "apparmor-profile", "pr", "set AppArmor profile", |o, profile| {
        once(&mut o.given, &mut o.apparmor, profile, "--apparmor-profile option")
    }),
    Opt::value(None, "landlock-access", "access", "block fs, net or scope, or only fs:<right>,...", |o, value| {
        o.given += 1;
        o.blocked = Some(o.blocked.unwrap_or_default() | access(value)?);
        Ok(())
    }),
    Opt::value(
        None,
        "landlock-rule",
        "rule",
        "allow path-beneath:<right>,...:<path>\nor net-port:<right>,...:<port>",
        |o, value| {
            o.given += 1;
            o.rules.push(rule(value)?);
            Ok(())
        },
    ),
    Opt::value(None, "seccomp-filter", "file", "load seccomp filter from file", |o, file| {
        once(&mut o.given, &mut o.filter, file, "--seccomp-filter option")
    }),
    Opt::flag(None, "reset-env", "clear all environment and initialize\nHOME, SHELL, USER, LOGNAME and PATH", |o| {
        o.given += 1;
        o.reset_env = true;
    }),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_from_left_to_right() {
        let changes = capabilities(OsStr::new("-all,+chown,+kill,-chown")).unwrap();
        assert_eq!(changed(u64::MAX >> 23, &changes), 1 << 5);
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
        assert_eq!(read("path-beneath::a:b"), Some((EVERY_FILE, Place::Path(OsStr::new("a:b")))));
        assert_eq!(read("net-port:connect-send-udp:80"), Some((1 << 35, Place::Port(80))));
        assert_eq!(read("net-port::0"), Some((EVERY_PORT, Place::Port(0))));
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
