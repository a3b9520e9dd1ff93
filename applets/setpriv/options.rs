//! The options, as a struct and as the table that fills it.

use super::values::{
    Changes, Groups, Rule, access, capabilities, group, rule, securebits, supplementary, tracer, user,
};
use cli::{Failure, Opt, Table};
use linux::caps::CapSet;
use linux::credentials::{Gid, Uid};
use linux::process::Pid;
use linux::signal::Signal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The options of a command line.
#[derive(Debug, Default)]
pub struct Options {
    /// How many options were given.
    pub given: u32,
    /// How often `--dump` was.
    pub dump: u32,
    pub list_caps: bool,
    pub no_new_privs: bool,
    pub ruid: Option<Uid>,
    pub euid: Option<Uid>,
    pub rgid: Option<Gid>,
    pub egid: Option<Gid>,
    pub groups: Option<Groups>,
    pub inheritable: Option<Changes<CapSet>>,
    pub ambient: Option<Changes<CapSet>>,
    pub bounding: Option<Changes<CapSet>>,
    pub securebits: Option<Changes<u64>>,
    /// `None`: as it happens. `Some(None)`: as it was. 0: none.
    pub death_signal: Option<Option<Signal>>,
    pub selinux: Option<&'static OsStr>,
    pub apparmor: Option<&'static OsStr>,
    pub reset_env: bool,
    /// Who may trace the program: a process, [`linux::process::NO_TRACER`] or [`linux::process::ANY_TRACER`].
    pub tracer: Option<Pid>,
    /// The rights that Landlock takes.
    pub blocked: Option<u64>,
    pub rules: Vec<Rule>,
    /// The file of a seccomp filter.
    pub filter: Option<&'static OsStr>,
}

impl Options {
    /// Checks combinations of options.
    pub fn check(&self) -> Result<(), Failure> {
        if (self.rgid.is_some() || self.egid.is_some()) && self.groups.is_none() {
            let line = "--[re]gid requires --keep-groups, --clear-groups, --init-groups, or --groups";
            return Err(cli::fail!(1, line));
        }
        if self.groups == Some(Groups::Init) && self.ruid.is_none() {
            return Err(cli::fail!(1, "--init-groups requires --ruid or --reuid"));
        }
        // A rule without --landlock-access restricts nothing: refuse it.
        if !self.rules.is_empty() && self.blocked.is_none() {
            return Err(cli::fail!(1, "--landlock-rule requires --landlock-access"));
        }
        Ok(())
    }

    /// Whether no exec gives privilege from here on. Filters and Landlock are only for programs that this holds for.
    pub fn gains_nothing(&self) -> bool {
        self.no_new_privs || self.blocked.is_some() || self.filter.is_some()
    }
}

/// Stores what may be given only once.
fn once<T>(given: &mut u32, place: &mut Option<T>, value: T, name: &str) -> Result<(), Failure> {
    *given += 1;
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(cli::fail!(1, "duplicate ", name)),
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
            true => Err(cli::fail!(1, "duplicate --no-new-privs option")),
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
    Opt::value(None, "rgid", "gid|group", "set real gid", |o, id| {
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
    Opt::flag_checked(None, "clear-groups", "clear supplementary groups", |o| {
        once(&mut o.given, &mut o.groups, Groups::Clear, "--clear-groups option")
    }),
    Opt::flag_checked(None, "keep-groups", "keep supplementary groups", |o| {
        once(&mut o.given, &mut o.groups, Groups::Keep, "--keep-groups option")
    }),
    Opt::flag_checked(None, "init-groups", "initialize supplementary groups", |o| {
        once(&mut o.given, &mut o.groups, Groups::Init, "--init-groups option")
    }),
    Opt::value(None, "groups", "group,...", "set supplementary groups by GID or name", |o, list| {
        // A second one is reported before a wrong value.
        once(&mut o.given, &mut o.groups, Groups::These(Vec::new()), "--groups option")?;
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
                Some(found.ok_or_else(|| cli::fail!(1, "unknown signal: ", name))?)
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
pub static OPTIONS: Table<Options> = cli::table!(ROWS, "clear-groups,keep-groups,init-groups,groups");
