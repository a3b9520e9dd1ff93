//! mount: attach a file system. mount(8) of util-linux is the reference.
//!
//! The command line becomes a [`request::Request`], which the tables may
//! complete; with what the machine shows it becomes a [`plan::Step`] list, and
//! [`carry`] does the steps, so that a mount appears whole or not at all.

mod all;
mod carry;
mod explain;
mod hooks;
mod idmap;
mod list;
mod message;
mod one;
mod plan;
mod request;
mod source;
mod table;
mod target;

use cli::explain::Story;
use cli::{Applet, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Parsed, Table, text};
use linux::options::{Malformed, Options as MountOptions};
use request::{Request, Settings, TableUse};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Wrong usage, or not permitted.
const USAGE: u8 = 1;
/// The system failed: memory, fork, a namespace, or a change after mounting.
const SYSTEM: u8 = 2;
/// utab could not be locked or written.
const UTAB: u8 = 16;
/// A mount failed.
const FAILED: u8 = 32;
/// Some mounts of -a failed.
const SOME: u8 = 64;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "mount",
    directory: "usr/bin",
    section: "8",
    origin: Origin::UtilLinux,
    summary: "Mount a filesystem",
    synopsis: &[
        "[-lhV]",
        "-a [options]",
        "[options] [--source] <source> | [--target] <directory>",
        "[options] <source> <directory>",
        "<operation> <mountpoint> [<target>]",
    ],
    notes: "Source:\n\
            \x20 LABEL=<label>, UUID=<uuid>, PARTLABEL=<label>, PARTUUID=<uuid>, ID=<id>\n\
            \x20                        a device by its filesystem's or partition's name\n\
            \x20 <device>               a device by path\n\
            \x20 <directory>            what is bound (see --bind, --rbind)\n\
            \x20 <file>                 a regular file, through a loop device",
    usage_status: USAGE,
    options: &OPTIONS.specs,
    run,
    explain,
};

/// What was typed.
#[derive(Default)]
struct Options {
    all: bool,
    fork: bool,
    fake: bool,
    no_mtab: bool,
    verbose: bool,
    internal_only: bool,
    sloppy: bool,
    show_labels: bool,
    no_canonicalize: bool,
    read_write: bool,
    onlyonce: bool,
    exclusive: bool,
    beneath: bool,
    options: MountOptions,
    test_options: Option<OsString>,
    types: Option<OsString>,
    /// The names of -L, -U and --source as they were given.
    source_kinds: Vec<&'static str>,
    source: Option<OsString>,
    target: Option<OsString>,
    target_prefix: Option<OsString>,
    fstab: Vec<OsString>,
    /// The names of --bind, --rbind and --move as they were given.
    operations: Vec<&'static str>,
    propagation: bool,
    namespace: Option<OsString>,
    id_maps: Vec<(char, OsString)>,
    table_use: TableUse,
}

impl Options {
    fn operation(&mut self, name: &'static str, word: &'static str) {
        if !self.operations.contains(&name) {
            self.operations.push(name);
        }
        self.options.push(word, None);
    }

    fn propagation(&mut self, word: &'static str) {
        self.propagation = true;
        self.options.push(word, None);
    }

    fn source(&mut self, kind: &'static str, source: OsString) {
        if !self.source_kinds.contains(&kind) {
            self.source_kinds.push(kind);
        }
        self.source = Some(source);
    }
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('a'), "all", "mount all filesystems mentioned in fstab", |o| o.all = true),
    Opt::flag(Some('c'), "no-canonicalize", "don't canonicalize paths", |o| o.no_canonicalize = true),
    Opt::flag(Some('f'), "fake", "dry run; skip the mount(2) syscall", |o| o.fake = true),
    Opt::flag(Some('F'), "fork", "fork off for each device (use with -a)", |o| o.fork = true),
    Opt::value(Some('T'), "fstab", "path", "alternative file to /etc/fstab", |o, path| {
        o.fstab.push(path.into());
        Ok(())
    }),
    Opt::flag(Some('i'), "internal-only", "don't call the mount.<type> helpers", |o| o.internal_only = true),
    Opt::flag(Some('l'), "show-labels", "show also filesystem labels", |o| o.show_labels = true),
    Opt::value(None, "map-groups", "inner:outer:count", "add the specified GID map to an ID-mapped mount", |o, map| {
        o.id_maps.push(('g', map.into()));
        Ok(())
    }),
    Opt::value(None, "map-users", "inner:outer:count", "add the specified UID map to an ID-mapped mount", |o, map| {
        o.id_maps.push(('u', map.into()));
        Ok(())
    }),
    Opt::maybe(Some('m'), "mkdir", "mode", "alias to '-o X-mount.mkdir[=<mode>]'", |o, mode| {
        let mode = mode.map(|mode| text!["\"", mode, "\""]);
        o.options.push("X-mount.mkdir", mode.as_deref());
        Ok(())
    }),
    Opt::flag(Some('n'), "no-mtab", "don't write to the userspace mount table", |o| o.no_mtab = true),
    Opt::value(None, "options-mode", "mode", "what to do with options loaded from fstab", |o, mode| {
        o.table_use.set_mode(mode)
    }),
    Opt::value(None, "options-source", "source", "mount options source", |o, source| o.table_use.set_source(source)),
    Opt::flag(None, "options-source-force", "force use of options from fstab/mtab", |o| {
        o.table_use.force = true;
    }),
    Opt::flag(None, "onlyonce", "check if filesystem is already mounted", |o| o.onlyonce = true),
    Opt::value(Some('o'), "options", "list", "comma-separated list of mount options", |o, list| {
        o.options.append(parse_options(list)?);
        Ok(())
    }),
    Opt::value(Some('O'), "test-opts", "list", "limit the set of filesystems (use with -a)", |o, list| {
        o.test_options = Some(list.into());
        Ok(())
    }),
    Opt::flag(Some('r'), "ro read-only", "mount the filesystem read-only (same as -o ro)", |o| {
        o.options.push("ro", None);
    }),
    Opt::value(Some('t'), "types", "list", "limit the set of filesystem types", |o, types| {
        o.types = Some(types.into());
        Ok(())
    }),
    Opt::value(None, "source", "source", "explicitly specifies source (path, label, uuid)", |o, source| {
        o.source("--source", source.into());
        Ok(())
    }),
    Opt::value(None, "target", "target", "explicitly specifies mountpoint", |o, target| {
        o.target = Some(target.into());
        Ok(())
    }),
    Opt::value(None, "target-prefix", "path", "specifies path used for all mountpoints", |o, prefix| {
        o.target_prefix = Some(prefix.into());
        Ok(())
    }),
    Opt::flag(Some('v'), "verbose", "say what is being done", |o| o.verbose = true),
    Opt::flag(Some('w'), "rw read-write", "mount the filesystem read-write (default)", |o| {
        o.read_write = true;
        o.options.push("rw", None);
    }),
    Opt::value(Some('N'), "namespace", "ns", "perform mount in another namespace", |o, namespace| {
        o.namespace = Some(namespace.into());
        Ok(())
    }),
    Opt::flag(Some('s'), "", "tolerate unknown options (passed to the mount.<type> helpers)", |o| o.sloppy = true),
    Opt::value(Some('L'), "label", "label", "synonym for LABEL=<label>", |o, label| {
        o.source("--label", OsString::from_vec(text!["LABEL=\"", label, "\""]));
        Ok(())
    }),
    Opt::value(Some('U'), "uuid", "uuid", "synonym for UUID=<uuid>", |o, uuid| {
        o.source("--uuid", OsString::from_vec(text!["UUID=\"", uuid, "\""]));
        Ok(())
    }),
    Opt::flag(Some('B'), "bind", "mount a subtree somewhere else (same as -o bind)", |o| o.operation("--bind", "bind")),
    Opt::flag(Some('M'), "move", "move a subtree to some other place", |o| o.operation("--move", "move")),
    Opt::flag(Some('R'), "rbind", "mount a subtree and all submounts somewhere else", |o| {
        o.operation("--rbind", "rbind");
    }),
    Opt::flag(None, "beneath", "mount beneath the topmost mount", |o| o.beneath = true),
    Opt::flag(None, "exclusive", "fail if the filesystem's superblock is in use already", |o| o.exclusive = true),
    Opt::flag(None, "make-shared", "mark a subtree as shared", |o| o.propagation("shared")),
    Opt::flag(None, "make-slave", "mark a subtree as slave", |o| o.propagation("slave")),
    Opt::flag(None, "make-private", "mark a subtree as private", |o| o.propagation("private")),
    Opt::flag(None, "make-unbindable", "mark a subtree as unbindable", |o| o.propagation("unbindable")),
    Opt::flag(None, "make-rshared", "recursively mark a whole subtree as shared", |o| o.propagation("rshared")),
    Opt::flag(None, "make-rslave", "recursively mark a whole subtree as slave", |o| o.propagation("rslave")),
    Opt::flag(None, "make-rprivate", "recursively mark a whole subtree as private", |o| o.propagation("rprivate")),
    Opt::flag(None, "make-runbindable", "recursively mark a whole subtree as unbindable", |o| {
        o.propagation("runbindable");
    }),
    Opt::help(Some('h')),
    Opt::version_with(Some('V'), cli::table::LIBMOUNT),
];

/// The rows, packed.
static OPTIONS: Table<Options> = cli::table!(ROWS);

/// The list of one -o.
fn parse_options(list: &OsStr) -> Result<MountOptions, Failure> {
    MountOptions::parse(list.as_bytes()).map_err(|error| match error {
        Malformed::NoName(item) => Failure::new(USAGE, text!["unsupported option format: ", item]),
        Malformed::OpenQuote => Failure::new(USAGE, text!["failed to parse mount options '", list, "'"]),
    })
}

fn bad_usage() -> Failure {
    Failure::usage(USAGE, text!["bad usage"])
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, operands) = match cli::table::parse(invocation, &OPTIONS, Order::Permuted, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, operands) => (options, operands),
    };
    let nothing_named = check(&options, &operands)?;
    if nothing_named && !options.all {
        let _entered = request::enter_namespace(options.namespace.as_deref())?;
        return list::list(&options, output);
    }
    if options.all {
        let settings = settings(&options)?;
        return all::mount_all(invocation, &settings, &options, output);
    }
    let request = request(&options, operands)?;
    let settings = settings(&options)?;
    one::mount(invocation, &settings, request, output)
}

/// Refuses what does not go together. Whether neither a source nor a target is named.
fn check(options: &Options, operands: &[OsString]) -> Result<bool, Failure> {
    exclusive(&options.operations)?;
    exclusive(&options.source_kinds)?;
    let nothing_named = operands.is_empty() && options.source.is_none() && options.target.is_none();
    let operation = !options.operations.is_empty();
    let wrong = if nothing_named && !options.all {
        operation || options.propagation || !options.options.0.is_empty()
    } else {
        let alone = options.types.is_none() && !options.all && options.source.is_none();
        (operation || options.options.has("move")) && !alone
    };
    if wrong { Err(bad_usage()) } else { Ok(nothing_named) }
}

/// The steps in words. A list of mounts, and -a, which depends on a table, have none.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Story>, Failure> {
    let (options, operands) = match cli::table::parse(invocation, &OPTIONS, Order::Permuted, output)? {
        Parsed::Done(_) => return Ok(None),
        Parsed::Run(options, operands) => (options, operands),
    };
    if check(&options, &operands)? || options.all {
        let mut story = Story::default();
        let (words, call) = if options.all {
            ("mount every line of fstab that is not mounted yet", "open(\"/etc/fstab\")")
        } else {
            ("list what is mounted", "open(\"/proc/self/mountinfo\")")
        };
        story.tell(words, call, &[]);
        return Ok(Some(story));
    }
    let request = request(&options, operands)?;
    explain::story(&request, &options).map(Some)
}

/// Refuses two options of which only one may be there.
fn exclusive(given: &[&str]) -> Result<(), Failure> {
    match given {
        [first, second, ..] => {
            Err(Failure::new(USAGE, text!["options ", first, " and ", second, " cannot be combined"]))
        }
        _ => Ok(()),
    }
}

fn settings(options: &Options) -> Result<Settings, Failure> {
    Ok(Settings {
        fake: options.fake,
        no_mtab: options.no_mtab,
        verbose: options.verbose,
        internal_only: options.internal_only,
        sloppy: options.sloppy,
        canonicalize: !options.no_canonicalize,
        read_write: options.read_write,
        onlyonce: options.onlyonce,
        exclusive: options.exclusive,
        beneath: options.beneath,
        target_prefix: options.target_prefix.clone(),
        fstab: options.fstab.clone(),
        table_use: options.table_use,
        old_api: linux::process::trusted_variable("LIBMOUNT_FORCE_MOUNT2").is_some_and(|value| value == "always"),
        origin: request::enter_namespace(options.namespace.as_deref())?,
        unwritten: None,
    })
}

/// The one mount that a command line without -a asks for.
fn request(options: &Options, operands: Vec<OsString>) -> Result<Request, Failure> {
    let mut list = options.options.clone();
    list.append(idmap::options(&options.id_maps)?);
    let mut request = Request {
        source: options.source.clone(),
        target: options.target.clone(),
        either: None,
        types: options.types.as_ref().map(|types| types.as_bytes().to_vec()),
        negatable: options.types.is_some(),
        options: list,
        present: MountOptions::default(),
        without_table: !options.operations.is_empty() || options.propagation || options.options.has("move"),
    };
    let mut operands = operands.into_iter();
    match (operands.next(), operands.next(), operands.next()) {
        (None, _, _) => {}
        (Some(only), None, _) => match (&request.source, &request.target) {
            (Some(_), Some(_)) => return Err(bad_usage()),
            (Some(_), None) => request.target = Some(only),
            (None, Some(_)) => request.source = Some(only),
            (None, None) if source::is_tag(&only) => request.source = Some(only),
            (None, None) => request.either = Some(only),
        },
        (Some(source), Some(target), None) if request.source.is_none() && request.target.is_none() => {
            request.source = Some(source);
            request.target = Some(target);
        }
        _ => return Err(bad_usage()),
    }
    Ok(request)
}
