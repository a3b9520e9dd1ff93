//! The options, as a struct and as the table that fills it.

use cli::{Failure, Opt, Table, id, number, text};
use linux::accounts::{self, NoRanges};
use linux::credentials::{Gid, Uid};
use linux::credentials::{effective_gid, effective_uid, real_uid};
use linux::mount::Propagation;
use linux::namespace::Kind;
use linux::namespace::idmap::{self, Extent, Ids};
use linux::process::Variables;
use linux::signal::Signal;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// The options of a command line.
#[derive(Debug, Default)]
pub struct Options {
    /// The kinds asked for.
    pub kinds: Vec<Kind>,
    /// Files that namespaces are to be kept on.
    pub files: Vec<(Kind, &'static OsStr)>,
    pub fork: bool,
    pub forward_signals: bool,
    pub kill_child: Option<Signal>,
    pub mount_proc: Option<&'static OsStr>,
    pub mount_binfmt: Option<&'static OsStr>,
    pub load_interp: Option<&'static OsStr>,
    /// `None`: nothing was said, so private. `Some(None)`: unchanged.
    pub propagation: Option<Option<Propagation>>,
    pub root: Option<&'static OsStr>,
    pub wd: Option<&'static OsStr>,
    pub uid: Option<Uid>,
    pub gid: Option<Gid>,
    /// The ids inside to which our effective ids are mapped.
    pub map_user: Option<u32>,
    pub map_group: Option<u32>,
    pub user_ranges: Vec<Extent>,
    pub group_ranges: Vec<Extent>,
    /// The ranges of `auto`, which make room for our own id.
    pub auto_users: Vec<Extent>,
    pub auto_groups: Vec<Extent>,
    pub owner: Option<(Uid, Gid)>,
    pub setgroups: Option<bool>,
    pub keep_caps: bool,
    pub monotonic: Option<i64>,
    pub boottime: Option<i64>,
    pub environment: Variables,
}

impl Options {
    /// Asks for a kind of namespace.
    pub fn want(&mut self, kind: Kind) {
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
        }
    }

    /// Whether a kind was asked for.
    pub fn wants(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    fn want_file(&mut self, kind: Kind, file: Option<&'static OsStr>) -> Result<(), Failure> {
        self.want(kind);
        if let Some(file) = file {
            self.files.retain(|(other, _)| *other != kind);
            self.files.push((kind, file));
        }
        Ok(())
    }

    fn mount_proc_at(&mut self, directory: Option<&'static OsStr>) {
        self.want(Kind::Mount);
        self.mount_proc = Some(directory.unwrap_or(OsStr::new("/proc")));
    }

    fn mount_binfmt_at(&mut self, directory: Option<&'static OsStr>) {
        self.want(Kind::Mount);
        self.want(Kind::User);
        if directory.is_none() && self.mount_proc.is_none() {
            self.mount_proc_at(None);
        }
        self.mount_binfmt = Some(directory.unwrap_or(OsStr::new("/proc/sys/fs/binfmt_misc")));
    }

    fn ranges(&mut self, ids: Ids, spec: &OsStr) -> Result<(), Failure> {
        self.want(Kind::User);
        let found = match spec.as_bytes() {
            b"auto" => {
                let auto = if ids == Ids::Users { &mut self.auto_users } else { &mut self.auto_groups };
                auto.push(Extent { inner: 0, ..subordinate(ids)? });
                return Ok(());
            }
            b"subids" => vec![subordinate(ids)?],
            b"all" => {
                idmap::all(ids).map_err(|error| cli::fail!(1, "could not open '", error.object, "': ", error.errno))?
            }
            _ => vec![idmap::parse(spec).ok_or_else(|| {
                cli::fail!(1, "invalid mapping '", spec, "'")
                    .hint("a mapping is INNER:OUTER:COUNT, whose COUNT is 1 or more, or auto, subids or all")
            })?],
        };
        match ids {
            Ids::Users => self.user_ranges.extend(found),
            Ids::Groups => self.group_ranges.extend(found),
        }
        Ok(())
    }

    fn whitelist(&mut self, names: &OsStr) {
        let mut kept = match std::mem::take(&mut self.environment) {
            Variables::Inherited => Vec::new(),
            Variables::Exactly(kept) => kept,
        };
        for name in names.as_bytes().split(|byte| *byte == b',').filter(|name| !name.is_empty()) {
            let name = OsStr::from_bytes(name);
            if let Some(value) = linux::environment::value(name) {
                let mut entry = name.to_os_string();
                entry.push("=");
                kept.retain(|other: &OsString| !other.as_bytes().starts_with(entry.as_bytes()));
                entry.push(value);
                kept.push(entry);
            }
        }
        self.environment = Variables::Exactly(kept);
    }
}

/// The first range that a file gives to our user. /etc/subgid, too, is keyed by the user.
fn subordinate(ids: Ids) -> Result<Extent, Failure> {
    let uid = real_uid();
    let path = ids.subordinate();
    let user = accounts::passwd_by_uid(uid);
    let ranges =
        accounts::subordinate_ids(path, user.as_ref().map(|user| user.name.as_os_str()), uid).map_err(|error| {
            match error {
                NoRanges::Malformed(field) => cli::fail!(1, "failed to parse subid map: '", field, "'").hint(text![
                    "it is in the user's first line in ",
                    path,
                    ", which is USER:FIRST:COUNT"
                ]),
                NoRanges::Unread(errno) => cli::fail!(1, "could not open '", path, "': ", errno),
            }
        })?;
    match (ranges.first(), user) {
        (Some(range), _) => Ok(Extent { inner: range.start, outer: range.start, count: range.count }),
        (None, Some(user)) => {
            let text = text!["no line matching user \"", user.name, "\" in ", path];
            Err(Failure::new(1, text).hint(hints::more_ids(&user.name, &hints::Here)))
        }
        (None, None) => Err(cli::fail!(1, "you (user ", uid, ") don't exist.")),
    }
}

/// The largest number is no id: it means none.
fn map_id(value: &OsStr, what: &str, found: Option<u32>) -> Result<u32, Failure> {
    found.filter(|id| *id != u32::MAX).ok_or_else(|| cli::fail!(1, "failed to parse ", what, " '", value, "'"))
}

fn seconds(value: &OsStr, what: &str) -> Result<i64, Failure> {
    let bytes = value.as_bytes();
    number::signed(bytes).ok_or_else(|| {
        let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let why = if is_number { ": Numerical result out of range" } else { "" };
        cli::fail!(1, "failed to parse ", what, " offset: '", value, "'", why)
    })
}

fn owner(value: &OsStr) -> Result<(Uid, Gid), Failure> {
    let mut ids = value.as_bytes().split(|byte| *byte == b':').map(number::id);
    match (ids.next(), ids.next(), ids.next()) {
        (Some(Some(uid)), Some(Some(gid)), None) => Ok((Uid(uid), Gid(gid))),
        _ => Err(cli::fail!(1, "failed to parse owner '", value, "'").hint("an owner is UID:GID, both numbers")),
    }
}

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::maybe_long(Some('m'), "mount", "file", "unshare mounts namespace", |options, file| {
        options.want_file(Kind::Mount, file)
    }),
    Opt::maybe_long(Some('u'), "uts", "file", "unshare UTS namespace (hostname etc)", |options, file| {
        options.want_file(Kind::Uts, file)
    }),
    Opt::maybe_long(Some('i'), "ipc", "file", "unshare System V IPC namespace", |options, file| {
        options.want_file(Kind::Ipc, file)
    }),
    Opt::maybe_long(Some('n'), "net", "file", "unshare network namespace", |options, file| {
        options.want_file(Kind::Net, file)
    }),
    Opt::maybe_long(Some('p'), "pid", "file", "unshare pid namespace", |options, file| {
        options.want_file(Kind::Pid, file)
    }),
    Opt::maybe_long(Some('U'), "user", "file", "unshare user namespace", |options, file| {
        options.want_file(Kind::User, file)
    }),
    Opt::maybe_long(Some('C'), "cgroup", "file", "unshare cgroup namespace", |options, file| {
        options.want_file(Kind::Cgroup, file)
    }),
    Opt::maybe_long(Some('T'), "time", "file", "unshare time namespace", |options, file| {
        options.want_file(Kind::Time, file)
    }),
    Opt::flag(Some('f'), "fork", "fork before launching <program>", |options| options.fork = true),
    Opt::flag(None, "forward-signals", "forward SIGTERM and SIGINT to the child (implies --fork)", |options| {
        options.fork = true;
        options.forward_signals = true;
    }),
    Opt::maybe(
        None,
        "kill-child",
        "signame",
        "when dying, kill the forked child (implies --fork);\ndefaults to SIGKILL",
        |options, name| {
            options.fork = true;
            options.kill_child = Some(run::fork::kill_signal(name)?);
            Ok(())
        },
    ),
    Opt::maybe(None, "mount-proc", "dir", "mount proc filesystem first (implies --mount)", |options, directory| {
        options.mount_proc_at(directory);
        Ok(())
    }),
    Opt::maybe(
        None,
        "mount-binfmt",
        "dir",
        "mount binfmt filesystem first (implies --user and --mount)",
        |options, directory| {
            options.mount_binfmt_at(directory);
            Ok(())
        },
    ),
    Opt::value(
        Some('l'),
        "load-interp",
        "string",
        "load binfmt definition in the namespace\n(implies --mount-binfmt)",
        |options, definition| {
            if options.mount_binfmt.is_none() {
                options.mount_binfmt_at(None);
            }
            options.load_interp = Some(definition);
            Ok(())
        },
    ),
    Opt::value(
        None,
        "propagation",
        "slave|shared|private|unchanged",
        "modify mount propagation in mount namespace",
        |options, mode| {
            options.propagation = Some(match mode.to_str().unwrap_or_default() {
                "private" => Some(Propagation::Private),
                "shared" => Some(Propagation::Shared),
                "slave" => Some(Propagation::Slave),
                "unchanged" => None,
                _ => return Err(cli::fail!(1, "unsupported propagation mode: ", mode)),
            });
            Ok(())
        },
    ),
    Opt::value(Some('R'), "root", "dir", "run the command with root directory set to <dir>", |options, directory| {
        options.root = Some(directory);
        Ok(())
    }),
    Opt::value(Some('w'), "wd", "dir", "change working directory to <dir>", |options, directory| {
        options.wd = Some(directory);
        Ok(())
    }),
    Opt::value(Some('S'), "setuid", "uid", "set uid in entered namespace", |options, uid| {
        options.uid = Some(id::user(uid).ok_or_else(|| id::unknown(uid, "uid"))?);
        Ok(())
    }),
    Opt::value(Some('G'), "setgid", "gid", "set gid in entered namespace", |options, gid| {
        options.gid = Some(id::group(gid).ok_or_else(|| id::unknown(gid, "gid"))?);
        Ok(())
    }),
    Opt::value(None, "map-user", "uid|name", "map current user to uid (implies --user)", |options, user| {
        options.want(Kind::User);
        options.map_user = Some(map_id(user, "uid", id::user(user).map(|uid| uid.0))?);
        Ok(())
    }),
    Opt::value(None, "map-group", "gid|name", "map current group to gid (implies --user)", |options, group| {
        options.want(Kind::User);
        options.map_group = Some(map_id(group, "gid", id::group(group).map(|gid| gid.0))?);
        Ok(())
    }),
    Opt::flag(Some('r'), "map-root-user", "map current user to root (implies --user)", |options| {
        options.want(Kind::User);
        options.map_user = Some(0);
        options.map_group = Some(0);
    }),
    Opt::flag(Some('c'), "map-current-user", "map current user to itself (implies --user)", |options| {
        options.want(Kind::User);
        options.map_user = Some(effective_uid().0);
        options.map_group = Some(effective_gid().0);
    }),
    Opt::flag_checked(None, "map-auto", "map users and groups automatically (implies --user)", |options| {
        options.ranges(Ids::Users, OsStr::new("auto"))?;
        options.ranges(Ids::Groups, OsStr::new("auto"))
    }),
    Opt::flag_checked(
        None,
        "map-subids",
        "map the ids of /etc/subuid and /etc/subgid to themselves\n(implies --user)",
        |options| {
            options.ranges(Ids::Users, OsStr::new("subids"))?;
            options.ranges(Ids::Groups, OsStr::new("subids"))
        },
    ),
    Opt::value(
        None,
        "map-users",
        "inner:outer:count|auto|subids|all",
        "map count users from outer to inner (implies --user)",
        |options, spec| options.ranges(Ids::Users, spec),
    ),
    Opt::value(
        None,
        "map-groups",
        "inner:outer:count|auto|subids|all",
        "map count groups from outer to inner (implies --user)",
        |options, spec| options.ranges(Ids::Groups, spec),
    ),
    Opt::value(None, "owner", "uid:gid", "set the owner of the user namespace (implies --user)", |options, ids| {
        options.want(Kind::User);
        options.owner = Some(owner(ids)?);
        Ok(())
    }),
    Opt::value(None, "setgroups", "allow|deny", "control the setgroups syscall in user namespaces", |options, word| {
        options.setgroups = Some(match word.as_bytes() {
            b"allow" => true,
            b"deny" => false,
            _ => return Err(cli::fail!(1, "unsupported --setgroups argument '", word, "'")),
        });
        Ok(())
    }),
    Opt::flag(None, "keep-caps", "retain capabilities granted in user namespaces", |options| options.keep_caps = true),
    Opt::value(
        None,
        "monotonic",
        "offset",
        "set clock monotonic offset (seconds) in time namespaces",
        |options, offset| {
            options.monotonic = Some(seconds(offset, "monotonic")?);
            Ok(())
        },
    ),
    Opt::value(
        None,
        "boottime",
        "offset",
        "set clock boottime offset (seconds) in time namespaces",
        |options, offset| {
            options.boottime = Some(seconds(offset, "boottime")?);
            Ok(())
        },
    ),
    Opt::flag(None, "clear-env", "clear all environment variables", |options| options.whitelist(OsStr::new(""))),
    Opt::value(
        None,
        "whitelist-env",
        "names",
        "clear all environment variables but these,\nseparated by commas",
        |options, names| {
            options.whitelist(names);
            Ok(())
        },
    ),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS);
