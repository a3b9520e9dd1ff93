//! The options, as a struct and as the table that fills it.

use cli::option::{Argument, Spec, Store};
use cli::{Failure, Opt, Table, number, text};
use linux::Errno;
use linux::mount::probe;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Wrong usage, or what is none of the other failures.
pub const OTHER: u8 = 4;

/// How it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// `/dev/sda1: LABEL="data"`.
    #[default]
    Full,
    /// The values, one a line.
    Value,
    /// The names of the devices.
    Device,
    /// A table for people.
    List,
    /// As udev's rules import it.
    Udev,
    /// As a shell reads it.
    Export,
    /// As JSON.
    Json,
}

/// The options of a command line.
#[derive(Debug, Default)]
pub struct Options {
    pub cache: Option<&'static OsStr>,
    pub plain: bool,
    pub collect_garbage: bool,
    pub form: Form,
    pub list_types: bool,
    /// The tags to show; none means all.
    pub tags: Vec<&'static [u8]>,
    /// The tag to look for, and its value.
    pub token: Option<(&'static [u8], &'static [u8])>,
    pub only_first: bool,
    /// `--label` or `--uuid`: only the first device is wanted.
    pub evaluated: bool,
    pub probe: bool,
    pub info: bool,
    pub hint: Option<&'static OsStr>,
    pub size: u64,
    pub offset: u64,
    /// Only devices of one of these usages, or of none of them.
    usages: Option<List>,
    /// Only devices of one of these types, or of none of them.
    types: Option<List>,
    pub no_details: bool,
}

/// A list of names, which may be of those that are not wanted.
#[derive(Clone, Copy, Debug)]
struct List {
    names: &'static [u8],
    excludes: bool,
}

impl List {
    fn parse(list: &'static OsStr) -> List {
        let list = list.as_bytes();
        match list.strip_prefix(b"no") {
            Some(names) if !names.is_empty() => List { names, excludes: true },
            _ => List { names: list, excludes: false },
        }
    }

    /// Whether something with this name is wanted.
    fn wants(self, name: &str) -> bool {
        let is_listed = self.names.split(|byte| *byte == b',').any(|own| own == name.as_bytes());
        is_listed != self.excludes
    }
}

impl Options {
    /// Whether a type is to be found.
    pub fn wants(&self, fstype: &str) -> bool {
        match (self.usages, self.types) {
            (Some(usages), _) => usages.wants(probe::usage(fstype)),
            (None, Some(types)) => types.wants(fstype),
            (None, None) => true,
        }
    }

    /// Whether a tag is shown.
    pub fn shows(&self, tag: &[u8]) -> bool {
        self.tags.is_empty() || self.tags.contains(&tag)
    }

    fn evaluate(&mut self, name: &'static [u8], value: &'static OsStr) {
        self.token = Some((name, value.as_bytes()));
        self.evaluated = true;
    }
}

fn size(value: &OsStr, what: &str) -> Result<u64, Failure> {
    number::size(value.as_bytes())
        .map_err(|errno: Errno| Failure::new(OTHER, text!["invalid ", what, ": '", value, "': ", errno]))
}

const ROWS: &[Opt<Options>] = &[
    Opt::value(
        Some('c'),
        "cache-file",
        "file",
        "read from <file> instead of reading from the default\ncache file (-c /dev/null means no cache)",
        |o, file| {
            o.cache = Some(file);
            Ok(())
        },
    ),
    Opt::flag(Some('d'), "no-encoding", "don't encode non-printing characters", |o| o.plain = true),
    Opt::flag(Some('g'), "garbage-collect", "garbage collect the blkid cache", |o| o.collect_garbage = true),
    Opt::value(
        Some('o'),
        "output",
        "format",
        "output format; can be one of:\nvalue, device, export, json or full; (default: full)",
        |o, form| {
            o.form = match form.as_bytes() {
                b"full" => Form::Full,
                b"value" => Form::Value,
                b"device" => Form::Device,
                b"list" => Form::List,
                b"udev" => Form::Udev,
                b"export" => Form::Export,
                b"json" => Form::Json,
                _ => return Err(Failure::new(OTHER, text!["unsupported output format ", form])),
            };
            Ok(())
        },
    ),
    Opt::flag(Some('k'), "list-filesystems", "list all known filesystems/RAIDs and exit", |o| o.list_types = true),
    Opt::value(Some('s'), "match-tag", "tag", "show specified tag(s) (default show all tags)", |o, tag| {
        o.tags.push(tag.as_bytes());
        Ok(())
    }),
    Opt::value(Some('t'), "match-token", "token", "find device with a specific token (NAME=value pair)", |o, token| {
        if o.token.is_some() {
            return Err(Failure::usage(OTHER, text!["Can only search for one NAME=value pair"]));
        }
        o.token = Some(
            probe::name_and_value(token.as_bytes())
                .ok_or_else(|| Failure::usage(OTHER, text!["-t needs NAME=value pair"]))?,
        );
        Ok(())
    }),
    Opt::flag(Some('l'), "list-one", "look up only first device with token specified by -t", |o| o.only_first = true),
    Opt::value(Some('L'), "label", "label", "convert LABEL to device name", |o, label| {
        o.evaluate(b"LABEL", label);
        Ok(())
    }),
    Opt::value(Some('U'), "uuid", "uuid", "convert UUID to device name", |o, uuid| {
        o.evaluate(b"UUID", uuid);
        Ok(())
    }),
    Opt::flag(Some('p'), "probe", "low-level superblocks probing (bypass cache)", |o| o.probe = true),
    Opt::flag(Some('i'), "info", "gather information about I/O limits", |o| o.info = true),
    Opt::value(Some('H'), "hint", "value", "set hint for probing function", |o, hint| {
        o.hint = Some(hint);
        Ok(())
    }),
    Opt::value(Some('S'), "size", "size", "override device size", |o, value| {
        o.size = size(value, "size")?;
        Ok(())
    }),
    Opt::value(Some('O'), "offset", "offset", "probe at the given offset", |o, value| {
        o.offset = size(value, "offset")?;
        Ok(())
    }),
    Opt::value(Some('u'), "usages", "list", "filter by \"usage\" (e.g. -u filesystem,raid)", |o, list| {
        let usages = List::parse(list);
        let mut rest = usages.names;
        loop {
            let end = rest.iter().position(|byte| *byte == b',');
            let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            if !matches!(name, b"filesystem" | b"raid" | b"crypto" | b"other") {
                return Err(Failure::new(OTHER, text!["unknown keyword in -u <list> argument: '", rest, "'"]));
            }
            let Some(end) = end else { break };
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        o.usages = Some(usages);
        Ok(())
    }),
    Opt::value(Some('n'), "match-types", "list", "filter by filesystem type (e.g. -n vfat,ext3)", |o, list| {
        if matches!(list.as_bytes(), b"" | b"no") {
            return Err(Failure::new(OTHER, text!["invalid argument: ", list]));
        }
        o.types = Some(List::parse(list));
        Ok(())
    }),
    Opt::flag(Some('D'), "no-part-details", "don't print info from partition table", |o| o.no_details = true),
    Opt::value(Some('w'), "", "file", "does nothing: nowhere else is the cache written to", |_, _| Ok(())),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
    // The same by the letter that it had once.
    Opt {
        spec: Spec { short: Some('v'), long: "", argument: Argument::None, help: "display version" },
        store: Store::Version(""),
    },
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, "4 usages,match-types");
