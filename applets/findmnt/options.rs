//! What can be typed, its table, and the columns.

use super::fields::{COLUMNS, is_of_poll};
use cli::columns::filter::{Filter, Given};
use cli::columns::{self, Form, Style};
use cli::{Failure, Opt, Table, id, number, text};
use linux::process::Pid;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Which table is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The kernel's, by mountinfo.
    #[default]
    Mountinfo,
    /// The kernel's, by listmount(2).
    Listmount,
    /// The kernel's, with the options that utab keeps.
    Mtab,
    /// fstab.
    Fstab,
}

/// A file that is read in place of the table's own.
#[derive(Clone, Copy, Debug)]
pub enum TabFile {
    /// This one.
    Path(&'static OsStr),
    /// The mountinfo of a thread.
    Task(Pid),
}

/// What --poll tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollAction {
    Mount,
    Umount,
    Move,
    Remount,
}

/// Each with its name.
pub const ACTIONS: [(&str, PollAction); 4] = [
    ("mount", PollAction::Mount),
    ("umount", PollAction::Umount),
    ("remount", PollAction::Remount),
    ("move", PollAction::Move),
];

/// What was typed.
#[derive(Debug, Default)]
pub struct Options {
    pub kind: Option<Kind>,
    pub files: Vec<TabFile>,
    pub form: Form,
    pub list: bool,
    pub tree: bool,
    pub all: bool,
    pub ascii: bool,
    pub bytes: bool,
    pub as_typed: bool,
    pub canonicalize: bool,
    pub evaluate: bool,
    pub df: bool,
    inodes: bool,
    pub backward: bool,
    pub first_only: bool,
    pub invert: bool,
    pub id: Option<u64>,
    pub unique: Option<u64>,
    pub links: Option<bool>,
    pub list_columns: bool,
    pub no_headings: bool,
    columns: Option<&'static OsStr>,
    all_columns: bool,
    /// With --poll: bit n for the nth of [`ACTIONS`].
    pub poll: Option<u8>,
    pub timeout: Option<i32>,
    pub filter: Given,
    pub real: bool,
    pub pseudo: bool,
    pub shadowed: bool,
    pub submounts: bool,
    pub source: Option<&'static OsStr>,
    pub device: Option<(u32, u32)>,
    pub target: Option<&'static OsStr>,
    /// The target may be below a mount point.
    pub is_below: bool,
    /// What is a source may not be meant as a target.
    pub no_swap: bool,
    pub types: Option<&'static OsStr>,
    pub options: Option<&'static OsStr>,
    pub uniq: bool,
    pub no_truncate: bool,
    pub no_root: bool,
    pub vfs_all: bool,
    pub verbose: bool,
    pub verify: bool,
    pub shell: bool,
}

/// Options that exclude each other.
const EXCLUSIVE: &str = "nocanonicalize,canonicalize nocanonicalize,evaluate json,pairs,raw,verify \
    pairs,list,raw,verify mountpoint,target task,k,mtab,fstab poll,verify poll,fstab filter,poll real,pseudo";

impl Options {
    /// How the table is printed.
    pub fn style(&self) -> Style {
        Style {
            form: self.form,
            no_headings: self.no_headings,
            width: linux::terminal::width_or_80(1),
            cut: !self.no_truncate,
            ascii: self.ascii,
            shell: self.shell,
            bytes: self.bytes,
            links: self.links == Some(true),
            ..Style::default()
        }
    }

    /// Takes what was given as a source: numbers of a device, or its name.
    pub fn set_source(&mut self, source: &'static OsStr) {
        let numbers = source.to_str().and_then(|text| text.split_once(':')).and_then(|(major, minor)| {
            let number = |text: &str| number::decimal(text.as_bytes()).and_then(|number| u32::try_from(number).ok());
            number(major).zip(number(minor))
        });
        match numbers {
            Some(device) => self.device = Some(device),
            None => self.source = Some(source),
        }
    }

    /// Whether every file system is meant.
    pub fn is_everything(&self) -> bool {
        let by_name = self.source.is_some() || self.target.is_some() || self.device.is_some();
        let by_kind = self.types.is_some() || self.options.is_some() || self.id.is_some() || self.unique.is_some();
        !(by_name || by_kind || (self.df || self.real || self.pseudo) && !self.all)
    }

    /// The fields to show.
    pub fn fields(&self) -> Result<Vec<usize>, Failure> {
        let default = match self {
            Options { inodes: true, .. } => "SOURCE,FSTYPE,INO.TOTAL,INO.USED,INO.AVAIL,INO.USE%,TARGET",
            Options { df: true, .. } => "SOURCE,FSTYPE,SIZE,USED,AVAIL,USE%,TARGET",
            Options { poll: Some(_), .. } => "ACTION,TARGET,SOURCE,FSTYPE,OPTIONS",
            _ => "TARGET,SOURCE,FSTYPE,OPTIONS",
        };
        let all = self.all_columns.then_some((|field| !is_of_poll(field)) as fn(usize) -> bool);
        columns::fields(COLUMNS, self.columns, default, all)
    }
}

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::value(Some('F'), "tab-file", "path", "alternative file for -s, -m or -k options", |o, path| {
        o.files.push(TabFile::Path(path));
        Ok(())
    }),
    Opt::flag_checked(
        Some('m'),
        "mtab",
        "search in table of mounted filesystems (includes user space mount options)",
        |o| {
            o.kind = Some(Kind::Mtab);
            o.list = true;
            Ok(())
        },
    ),
    Opt::flag(Some('k'), "", "an alias for '--kernel=mountinfo'", |o| o.kind = Some(Kind::Mountinfo)),
    Opt::maybe(
        None,
        "kernel",
        "method",
        "search in kernel mount table (default behavior): mountinfo or listmount",
        |o, method| {
            o.kind = Some(match method.map_or(&b"mountinfo"[..], OsStr::as_bytes) {
                b"mountinfo" => Kind::Mountinfo,
                b"listmount" => Kind::Listmount,
                _ => return Err(Failure::new(1, text!["invalid --kernel argument"])),
            });
            Ok(())
        },
    ),
    Opt::value(Some('N'), "task", "tid", "use alternative namespace (/proc/<tid>/mountinfo file)", |o, task| {
        let tid = id::pid(task, "TID", 0)?;
        o.kind = Some(Kind::Mountinfo);
        o.files.push(TabFile::Task(tid));
        Ok(())
    }),
    Opt::maybe(Some('p'), "poll", "list", "monitor changes in table of mounted filesystems", |o, list| {
        let (mut actions, mut rest) = (0, list.map_or(&[][..], OsStr::as_bytes));
        for name in rest.split(|byte| *byte == b',') {
            let found = ACTIONS.iter().position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
            match found {
                Some(place) => actions |= 1 << place,
                None if list.is_none() => actions = 15,
                None => return Err(Failure::new(1, text!["unknown action: ", rest])),
            }
            rest = rest.get(name.len() + 1..).unwrap_or_default();
        }
        o.poll = Some(actions);
        Ok(())
    }),
    Opt::flag(Some('s'), "fstab", "search in static table of filesystems", |o| {
        o.kind = Some(Kind::Fstab);
        o.list = true;
    }),
    Opt::flag(Some('A'), "all", "disable all built-in filters, print all filesystems", |o| o.all = true),
    Opt::value(Some('d'), "direction", "word", "direction of search, 'forward' or 'backward'", |o, word| {
        o.backward = match word.as_bytes() {
            b"forward" => false,
            b"backward" => true,
            _ => return Err(Failure::new(1, text!["unknown direction '", word, "'"])),
        };
        Ok(())
    }),
    Opt::flag(Some('f'), "first-only", "print the first found filesystem only", |o| o.first_only = true),
    Opt::flag(Some('i'), "invert", "invert the sense of matching", |o| o.invert = true),
    Opt::value(None, "id", "num", "filter by mount node ID", |o, number| {
        o.id = Some(id::whole(number, "id", 0, i32::MAX as u64)?);
        Ok(())
    }),
    Opt::value(None, "uniq-id", "num", "filter by mount node 64-bit ID (requires --kernel=listmount)", |o, number| {
        o.unique = Some(id::whole(number, "uniq-id", 0, u64::MAX)?);
        Ok(())
    }),
    Opt::flag(None, "pseudo", "print only pseudo-filesystems", |o| o.pseudo = true),
    Opt::value(Some('Q'), "filter", "expr", "apply display filter", |o, expression| {
        o.filter = Filter::given(expression, COLUMNS)?;
        Ok(())
    }),
    Opt::value(Some('M'), "mountpoint", "dir", "the mountpoint directory", |o, directory| {
        o.target = Some(directory);
        o.no_swap = true;
        Ok(())
    }),
    Opt::flag(None, "shadowed", "print only filesystems over-mounted by another filesystem", |o| o.shadowed = true),
    Opt::flag(Some('R'), "submounts", "print all submounts for the matching filesystems", |o| o.submounts = true),
    Opt::flag(None, "real", "print only real filesystems", |o| o.real = true),
    Opt::value(
        Some('S'),
        "source",
        "string",
        "the device to mount (by name, maj:min, LABEL=, UUID=, PARTUUID=, PARTLABEL=)",
        |o, source| {
            o.set_source(source);
            o.no_swap = true;
            Ok(())
        },
    ),
    Opt::value(Some('T'), "target", "path", "the path to the filesystem to use", |o, path| {
        o.target = Some(path);
        o.is_below = true;
        o.no_swap = true;
        Ok(())
    }),
    Opt::value(Some('t'), "types", "list", "limit the set of filesystems by FS types", |o, list| {
        o.types = Some(list);
        Ok(())
    }),
    Opt::flag(Some('U'), "uniq", "ignore filesystems with duplicate target", |o| o.uniq = true),
    Opt::flag(Some('a'), "ascii", "use ASCII chars for tree formatting", |o| o.ascii = true),
    Opt::flag(Some('b'), "bytes", "print sizes in bytes rather than in human readable format", |o| o.bytes = true),
    Opt::flag(Some('C'), "nocanonicalize", "don't canonicalize when comparing paths", |o| o.as_typed = true),
    Opt::flag(Some('c'), "canonicalize", "canonicalize printed paths", |o| o.canonicalize = true),
    Opt::flag(Some('D'), "df", "imitate the output of df(1)", |o| o.df = true),
    Opt::flag(Some('e'), "evaluate", "convert tags (LABEL,UUID,PARTUUID,PARTLABEL) to device names", |o| {
        o.evaluate = true
    }),
    Opt::maybe(None, "hyperlink", "when", "print paths as hyperlinks (always|never|auto)", |o, when| {
        o.links = Some(match when.map_or(&b"auto"[..], OsStr::as_bytes) {
            b"always" => true,
            b"never" => false,
            b"auto" => linux::terminal::is_terminal(1),
            other => return Err(Failure::new(1, text!["invalid argument of --hyperlink: ", other])),
        });
        Ok(())
    }),
    Opt::flag(Some('I'), "dfi", "imitate the output of df(1) with -i option", |o| {
        o.df = true;
        o.inodes = true;
    }),
    Opt::flag(Some('J'), "json", "use JSON output format", |o| o.form = Form::Json),
    Opt::flag(Some('l'), "list", "use list format output", |o| o.list = true),
    Opt::flag(Some('n'), "noheadings", "don't print column headings", |o| o.no_headings = true),
    Opt::value(Some('O'), "options", "list", "limit the set of filesystems by mount options", |o, list| {
        o.options = Some(list);
        Ok(())
    }),
    Opt::value(Some('o'), "output", "list", "output columns (see --list-columns)", |o, list| {
        o.columns = Some(list);
        Ok(())
    }),
    Opt::flag(None, "output-all", "output all available columns", |o| o.all_columns = true),
    Opt::flag(Some('P'), "pairs", "use key=\"value\" output format", |o| o.form = Form::Pairs),
    Opt::flag(Some('r'), "raw", "use raw output format", |o| o.form = Form::Raw),
    Opt::flag(None, "tree", "enable tree format output if possible", |o| o.tree = true),
    Opt::flag(Some('u'), "notruncate", "don't truncate text in columns", |o| o.no_truncate = true),
    Opt::flag(Some('v'), "nofsroot", "don't print [/dir] for bind or btrfs mounts", |o| o.no_root = true),
    Opt::value(Some('w'), "timeout", "num", "upper limit in milliseconds that --poll will block", |o, number| {
        let read = cli::number::whole(number.as_bytes(), 10);
        let more = if read.is_some() { ": Numerical result out of range" } else { "" };
        let value = cli::number::signed(number.as_bytes()).and_then(|value| i32::try_from(value).ok());
        o.timeout = Some(value.ok_or_else(|| Failure::new(1, text!["invalid timeout: '", number, "'", more]))?);
        Ok(())
    }),
    Opt::flag(Some('y'), "shell", "use column names to be usable as shell variable identifiers", |o| o.shell = true),
    Opt::flag(Some('x'), "verify", "verify mount table content (default is fstab)", |o| o.verify = true),
    Opt::flag(None, "verbose", "print more details", |o| o.verbose = true),
    Opt::flag(None, "vfs-all", "print all VFS options", |o| o.vfs_all = true),
    Opt::flag(Some('H'), "list-columns", "list the available columns", |o| o.list_columns = true),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, EXCLUSIVE);
