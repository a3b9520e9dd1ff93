//! The command line: its options, and what of them does not go together.

use super::errors::USAGE;
use cli::{Failure, Opt, Table, text};
use linux::mount::options::{Malformed, Options as MountOptions};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The options of a command line.
#[derive(Default)]
pub struct Options {
    pub all: bool,
    pub fork: bool,
    pub fake: bool,
    pub no_mtab: bool,
    pub verbose: bool,
    pub internal_only: bool,
    pub sloppy: bool,
    pub show_labels: bool,
    pub no_canonicalize: bool,
    pub read_write: bool,
    pub onlyonce: bool,
    pub exclusive: bool,
    pub beneath: bool,
    pub options: MountOptions,
    pub test_options: Option<OsString>,
    pub types: Option<OsString>,
    pub source: Option<OsString>,
    pub target: Option<OsString>,
    pub target_prefix: Option<OsString>,
    pub fstab: Vec<OsString>,
    /// Whether --bind, --rbind or --move was given.
    pub operation: bool,
    pub propagation: bool,
    pub namespace: Option<OsString>,
    pub id_maps: Vec<(char, OsString)>,
    pub table_use: TableUse,
}

impl Options {
    fn operation(&mut self, word: &'static str) {
        self.operation = true;
        self.options.push(word, None);
    }

    fn propagation(&mut self, word: &'static str) {
        self.propagation = true;
        self.options.push(word, None);
    }

    /// Refuses what does not go together. Whether neither a source nor a target is named.
    pub fn check(&self, operands: &[&'static OsStr]) -> Result<bool, Failure> {
        let nothing_named = operands.is_empty() && self.source.is_none() && self.target.is_none();
        let wrong = if nothing_named && !self.all {
            self.operation || self.propagation || !self.options.0.is_empty() || !self.id_maps.is_empty()
        } else {
            let alone = self.types.is_none() && !self.all && self.source.is_none();
            (self.operation || self.options.has("move")) && !alone
        };
        if wrong { Err(bad_usage()) } else { Ok(nothing_named) }
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
        // -m=0700 is taken for what it is meant to be.
        let mode = mode.map(|mode| text!["\"", mode.as_bytes().strip_prefix(b"=").unwrap_or(mode.as_bytes()), "\""]);
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
        o.options.append(parse_options(list.as_bytes())?);
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
        o.source = Some(source.into());
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
        o.source = Some(OsString::from_vec(text!["LABEL=\"", label, "\""]));
        Ok(())
    }),
    Opt::value(Some('U'), "uuid", "uuid", "synonym for UUID=<uuid>", |o, uuid| {
        o.source = Some(OsString::from_vec(text!["UUID=\"", uuid, "\""]));
        Ok(())
    }),
    Opt::flag(Some('B'), "bind", "mount a subtree somewhere else (same as -o bind)", |o| o.operation("bind")),
    Opt::flag(Some('M'), "move", "move a subtree to some other place", |o| o.operation("move")),
    Opt::flag(Some('R'), "rbind", "mount a subtree and all submounts somewhere else", |o| {
        o.operation("rbind");
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
    Opt::version_with(Some('V'), cli::help::LIBMOUNT),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, "bind,move,rbind label,uuid,source");

/// The list of one -o.
pub fn parse_options(list: &[u8]) -> Result<MountOptions, Failure> {
    MountOptions::parse(list).map_err(|error| match error {
        Malformed::NoName => cli::fail!(USAGE, "unsupported option format: ", list),
        Malformed::OpenQuote => cli::fail!(USAGE, "failed to parse mount options '", list, "'"),
    })
}

pub fn bad_usage() -> Failure {
    cli::fail!(usage USAGE, "bad usage")
}

/// How the options in a table are combined with those on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are not used.
    Ignore,
    /// They come behind.
    Append,
    /// They come before, so that the command line wins.
    #[default]
    Prepend,
    /// They replace the command line's.
    Replace,
}

/// Which tables options may come from, and what becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableUse {
    /// --options-mode.
    pub mode: Mode,
    /// fstab counts.
    pub fstab: bool,
    /// The mounted file systems count.
    pub mtab: bool,
    /// Also when source and target are given.
    pub force: bool,
}

impl Default for TableUse {
    fn default() -> TableUse {
        TableUse { mode: Mode::default(), fstab: true, mtab: true, force: false }
    }
}

impl TableUse {
    /// --options-mode=MODE.
    pub fn set_mode(&mut self, mode: &OsStr) -> Result<(), Failure> {
        self.mode = match mode.to_str().unwrap_or_default() {
            "ignore" => Mode::Ignore,
            "append" => Mode::Append,
            "prepend" => Mode::Prepend,
            "replace" => Mode::Replace,
            _ => return Err(bad_usage()),
        };
        Ok(())
    }

    /// --options-source=LIST.
    pub fn set_source(&mut self, list: &OsStr) -> Result<(), Failure> {
        if list.is_empty() {
            return Ok(());
        }
        let (mut fstab, mut mtab, mut disable) = (false, false, false);
        for word in list.as_bytes().split(|&byte| byte == b',') {
            match word {
                b"fstab" => fstab = true,
                b"mtab" => mtab = true,
                b"disable" => disable = true,
                _ => return Err(bad_usage()),
            }
        }
        (self.fstab, self.mtab) = (fstab && !disable, mtab && !disable);
        Ok(())
    }

    /// Puts a table's options together with those of the command line.
    pub fn merge(&self, table: MountOptions, given: MountOptions) -> MountOptions {
        match self.mode {
            Mode::Ignore => given,
            Mode::Replace => table,
            Mode::Append => {
                let mut all = given;
                all.append(table);
                all
            }
            Mode::Prepend => {
                let mut all = table;
                all.append(given);
                all
            }
        }
    }
}
