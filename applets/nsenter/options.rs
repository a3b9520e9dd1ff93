//! The options, as a struct and as the table that fills it.

use cli::{Failure, Opt, Table, id, number, text};
use linux::credentials::{Gid, Uid};
use linux::namespace::Kind;
use linux::process::Pid;
use linux::signal::Signal;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The options of a command line.
#[derive(Debug, Default)]
pub struct Options {
    pub target: Option<TargetProcess>,
    pub all: bool,
    /// The kinds asked for, and where from.
    pub namespaces: Vec<(Kind, NamespaceSource)>,
    pub net_socket: Option<i32>,
    pub user_parent: bool,
    pub uid: Option<Id<Uid>>,
    pub gid: Option<Id<Gid>>,
    pub preserve_credentials: bool,
    pub keep_caps: bool,
    pub root: Option<Place>,
    pub wd: Option<Place>,
    /// `--wdns`, and its directory; without one nothing is changed.
    pub wdns: Option<Option<&'static OsStr>>,
    pub environment: bool,
    pub no_fork: bool,
    pub join_cgroup: bool,
    pub kill_child: Option<Signal>,
    pub forward_signals: bool,
}

/// `--target PID[:INODE]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetProcess {
    pub pid: Pid,
    /// The inode that pidfs must give the process.
    pub inode: Option<u64>,
}

/// Where a namespace is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamespaceSource {
    /// The target process.
    Target,
    /// A file.
    File(&'static OsStr),
    /// The kernel's 64-bit namespace id.
    Id(u64),
}

/// A user or group to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id<T> {
    /// This one.
    Number(T),
    /// The target's.
    Follow,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The target's own.
    Target,
    /// This path, from where we are now.
    Path(&'static OsStr),
}

impl Options {
    fn namespace(&mut self, kind: Kind, value: Option<&'static OsStr>) -> Result<(), Failure> {
        let source = match value.map(without_equals) {
            None => NamespaceSource::Target,
            Some(value) => match value.as_bytes().strip_prefix(b":") {
                Some(id) => NamespaceSource::Id(number::unsigned(id).ok_or_else(|| {
                    cli::fail!(1, "failed to parse nsid: ", OsStr::from_bytes(id))
                        .hint(text!["for a file of that name write ./", value])
                })?),
                None => NamespaceSource::File(value),
            },
        };
        self.namespaces.retain(|(other, _)| *other != kind);
        self.namespaces.push((kind, source));
        Ok(())
    }
}

/// A short option's argument may be attached with an equals sign.
fn without_equals(value: &OsStr) -> &OsStr {
    OsStr::from_bytes(value.as_bytes().strip_prefix(b"=").unwrap_or(value.as_bytes()))
}

fn place(value: Option<&'static OsStr>) -> Option<Place> {
    Some(value.map_or(Place::Target, Place::Path))
}

fn target(value: &OsStr) -> Result<TargetProcess, Failure> {
    let bad = |reason: &str| cli::fail!(1, "invalid PID argument").hint(text!["'", value, "': ", reason]);
    let mut parts = value.as_bytes().splitn(2, |byte| *byte == b':');
    let text = parts.next().unwrap_or_default();
    let read = number::whole(text, 10).ok_or_else(|| bad("Invalid argument"))?;
    let pid = read.value.filter(|_| !read.negative).and_then(Pid::new).filter(|pid| pid.0 > 0);
    let inode = parts.next().map(|inode| number::unsigned(inode).ok_or_else(|| bad("Invalid argument"))).transpose()?;
    Ok(TargetProcess { pid: pid.ok_or_else(|| bad("Numerical result out of range"))?, inode })
}

/// Whose id is taken: that of a name or number, unless the target is to be followed, which no later option takes back.
fn choose<T>(chosen: &mut Option<Id<T>>, value: &OsStr, what: &str, found: Option<T>) -> Result<(), Failure> {
    match found {
        _ if value == "follow" => *chosen = Some(Id::Follow),
        None => return Err(id::unknown(value, what)),
        Some(_) if matches!(chosen, Some(Id::Follow)) => {}
        Some(found) => *chosen = Some(Id::Number(found)),
    }
    Ok(())
}

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('a'), "all", "enter all namespaces", |options| options.all = true),
    Opt::value(Some('t'), "target", "pid[:inode]", "target process to get namespaces from", |options, value| {
        options.target = Some(target(value)?);
        Ok(())
    }),
    Opt::maybe(Some('m'), "mount", "file|:nsid", "enter mount namespace", |options, value| {
        options.namespace(Kind::Mount, value)
    }),
    Opt::maybe(Some('u'), "uts", "file|:nsid", "enter UTS namespace (hostname etc)", |options, value| {
        options.namespace(Kind::Uts, value)
    }),
    Opt::maybe(Some('i'), "ipc", "file|:nsid", "enter System V IPC namespace", |options, value| {
        options.namespace(Kind::Ipc, value)
    }),
    Opt::maybe(Some('n'), "net", "file|:nsid", "enter network namespace", |options, value| {
        options.namespace(Kind::Net, value)
    }),
    Opt::value(
        Some('N'),
        "net-socket",
        "fd",
        "enter the network namespace of the target's socket <fd>",
        |options, value| {
            let fd = number::unsigned(value.as_bytes()).and_then(|fd| i32::try_from(fd).ok());
            options.net_socket =
                Some(fd.ok_or_else(|| cli::fail!(1, "failed to parse file descriptor: '", value, "'"))?);
            Ok(())
        },
    ),
    Opt::maybe(Some('p'), "pid", "file|:nsid", "enter pid namespace", |options, value| {
        options.namespace(Kind::Pid, value)
    }),
    Opt::maybe(Some('C'), "cgroup", "file|:nsid", "enter cgroup namespace", |options, value| {
        options.namespace(Kind::Cgroup, value)
    }),
    Opt::maybe(Some('U'), "user", "file|:nsid", "enter user namespace", |options, value| {
        options.namespace(Kind::User, value)
    }),
    Opt::flag(None, "user-parent", "enter parent user namespace", |options| options.user_parent = true),
    Opt::maybe(Some('T'), "time", "file|:nsid", "enter time namespace", |options, value| {
        options.namespace(Kind::Time, value)
    }),
    Opt::value(Some('S'), "setuid", "uid|follow", "set uid in entered namespace", |options, value| {
        choose(&mut options.uid, value, "uid", id::user(value))
    }),
    Opt::value(Some('G'), "setgid", "gid|follow", "set gid in entered namespace", |options, value| {
        choose(&mut options.gid, value, "gid", id::group(value))
    }),
    Opt::flag(None, "preserve-credentials", "do not touch uids or gids", |options| options.preserve_credentials = true),
    Opt::flag(None, "keep-caps", "retain capabilities granted in user namespaces", |options| options.keep_caps = true),
    Opt::maybe(Some('r'), "root", "dir", "set the root directory", |options, value| {
        options.root = place(value);
        Ok(())
    }),
    Opt::maybe(Some('w'), "wd", "dir", "set the working directory", |options, value| {
        options.wd = place(value.map(without_equals));
        Ok(())
    }),
    Opt::maybe(Some('W'), "wdns", "dir", "set the working directory in namespace", |options, value| {
        options.wdns = Some(value.map(without_equals));
        Ok(())
    }),
    Opt::flag(Some('e'), "env", "inherit environment variables from target process", |options| {
        options.environment = true
    }),
    Opt::flag(Some('F'), "no-fork", "do not fork before exec'ing <program>", |options| options.no_fork = true),
    Opt::flag(Some('c'), "join-cgroup", "join the cgroup of the target process", |options| options.join_cgroup = true),
    Opt::maybe(
        None,
        "kill-child",
        "signame",
        "when dying, kill the forked child; defaults to SIGKILL",
        |options, name| {
            options.kill_child = Some(run::fork::kill_signal(name)?);
            Ok(())
        },
    ),
    Opt::flag(None, "forward-signals", "forward SIGTERM and SIGINT to the forked child", |options| {
        options.forward_signals = true
    }),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, "wd,wdns");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_positive_number_with_an_inode_or_without() {
        let parse = |text: &str| target(OsStr::new(text)).ok();
        assert_eq!(parse("5"), Some(TargetProcess { pid: Pid(5), inode: None }));
        assert_eq!(parse("5:77"), Some(TargetProcess { pid: Pid(5), inode: Some(77) }));
        for bad in ["0", "-5", "abc", "5x", "", "5:", "5:x", "2147483648"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_namespace_comes_from_the_target_a_file_or_an_id() {
        let source = |value: Option<&'static str>| {
            let mut options = Options::default();
            options.namespace(Kind::Net, value.map(OsStr::new)).ok()?;
            options.namespaces.pop().map(|(_, source)| source)
        };
        assert_eq!(source(None), Some(NamespaceSource::Target));
        assert_eq!(source(Some("/run/x")), Some(NamespaceSource::File(OsStr::new("/run/x"))));
        assert_eq!(source(Some("=/run/x")), Some(NamespaceSource::File(OsStr::new("/run/x"))));
        assert_eq!(source(Some(":7")), Some(NamespaceSource::Id(7)));
        assert_eq!(source(Some(":x")), None);
        assert_eq!(source(Some("./:x")), Some(NamespaceSource::File(OsStr::new("./:x"))));
    }
}
