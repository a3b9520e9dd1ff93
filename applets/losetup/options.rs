//! What can be typed, its table, and the columns.

use cli::columns::{self, Column, Columns, Form, Shape};
use cli::{Failure, Opt, Table, fail};
use linux::mount::loopdev::LoopSpec;
use linux::number;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What is to be done, if not what the operands say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Show every device.
    All,
    /// Show those of a file.
    Associated(&'static OsStr),
    /// Look for a free one, and give it a file.
    Find,
    /// Detach some.
    Detach,
    /// Detach all.
    DetachAll,
    /// Remove some.
    Remove,
    /// Read the size of the file again.
    Capacity,
}

/// What was typed.
#[derive(Debug, Default)]
pub struct Options {
    pub action: Option<Doing>,
    /// What kind of device is wanted.
    pub wanted: LoopSpec,
    pub has_offset: bool,
    /// An option was given that only a new device can have.
    pub is_for_new: bool,
    pub no_overlap: bool,
    pub direct_io: Option<bool>,
    pub has_block_size: bool,
    pub show: bool,
    pub form: Form,
    list: bool,
    pub no_headings: bool,
    columns: Option<&'static OsStr>,
    all_columns: bool,
}

/// Options that exclude each other.
const EXCLUSIVE: &str = "all,set-capacity,detach,detach-all,find,associated,remove \
    list,set-capacity,detach,detach-all,find,remove output,set-capacity,detach,detach-all,find,remove json,raw";

impl Options {
    /// Whether devices are shown in columns.
    pub fn is_table(&self) -> bool {
        self.list || self.columns.is_some() || self.all_columns
    }

    /// Shows them in columns.
    pub fn list(&mut self) {
        self.list = true;
    }

    /// The columns to show.
    pub fn fields(&self) -> Result<Vec<usize>, Failure> {
        let default = "NAME,SIZELIMIT,OFFSET,AUTOCLEAR,RO,BACK-FILE,DIO,LOG-SEC";
        columns::fields(COLUMNS, self.columns, default, self.all_columns.then_some(|_| true))
    }
}

/// Every column, in the order of `--output-all`. A field is an index into it; see [`super::show`].
pub static COLUMNS: Columns = cli::columns!(&[
    Column::new("NAME", Shape::Left, 0),
    Column::new("AUTOCLEAR", Shape::Number, 0),
    Column::new("BACK-FILE", Shape::Long, 0),
    Column::new("BACK-INO", Shape::Number, 4),
    Column::new("BACK-MAJ:MIN", Shape::Right, 12),
    Column::new("BACK-MAJ", Shape::Left, 6),
    Column::new("BACK-MIN", Shape::Left, 6),
    Column::new("MAJ:MIN", Shape::Right, 0),
    Column::new("MAJ", Shape::Number, 0),
    Column::new("MIN", Shape::Number, 0),
    Column::new("OFFSET", Shape::Number, 5),
    Column::new("PARTSCAN", Shape::Number, 0),
    Column::new("REF", Shape::Left, 0),
    Column::new("RO", Shape::Number, 0),
    Column::new("SIZELIMIT", Shape::Number, 5),
    Column::new("DIO", Shape::Number, 0),
    Column::new("LOG-SEC", Shape::Number, 4),
]);

/// Reads a size; `what` is how messages call it.
fn size(text: &OsStr, what: &str) -> Result<u64, Failure> {
    number::size(text.as_bytes()).map_err(|errno| fail!(1, "failed to parse ", what, ": '", text, "': ", errno))
}

/// The option table, in the order of the documentation.
const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('a'), "all", "list all used devices", |o| o.action = Some(Doing::All)),
    Opt::flag(Some('d'), "detach", "detach one or more devices", |o| o.action = Some(Doing::Detach)),
    Opt::flag(Some('D'), "detach-all", "detach all used devices", |o| o.action = Some(Doing::DetachAll)),
    Opt::flag(Some('f'), "find", "find first unused device", |o| o.action = Some(Doing::Find)),
    Opt::flag(Some('c'), "set-capacity", "resize the device", |o| o.action = Some(Doing::Capacity)),
    Opt::value(Some('j'), "associated", "file", "list all devices associated with <file>", |o, file| {
        o.action = Some(Doing::Associated(file));
        Ok(())
    }),
    Opt::flag(Some('L'), "nooverlap", "avoid possible conflict between devices", |o| o.no_overlap = true),
    Opt::flag(None, "remove", "remove one or more devices", |o| o.action = Some(Doing::Remove)),
    Opt::value(Some('o'), "offset", "num", "start at offset <num> into file", |o, offset| {
        o.has_offset = true;
        o.wanted.offset = size(offset, "offset")?;
        Ok(())
    }),
    Opt::value(None, "sizelimit", "num", "device is limited to <num> bytes of the file", |o, limit| {
        o.wanted.sizelimit = size(limit, "size")?;
        Ok(())
    }),
    Opt::value(Some('b'), "sector-size", "num", "set the logical sector size to <num>", |o, sector| {
        let what = "logical block size";
        let out_of_range = |_| fail!(1, "failed to parse ", what, ": '", sector, "': ", linux::Errno::ERANGE);
        o.has_block_size = true;
        o.wanted.block_size = u32::try_from(size(sector, what)?).map_err(out_of_range)?;
        Ok(())
    }),
    Opt::flag(Some('P'), "partscan", "create a partitioned loop device", |o| {
        o.is_for_new = true;
        o.wanted.partscan = true;
    }),
    Opt::flag(Some('r'), "read-only", "set up a read-only loop device", |o| {
        o.is_for_new = true;
        o.wanted.read_only = true;
    }),
    Opt::maybe(None, "direct-io", "on|off", "open backing file with O_DIRECT", |o, switch| {
        let is_on = match switch.map_or(&b"on"[..], OsStr::as_bytes) {
            b"on" => true,
            b"off" => false,
            other => return Err(fail!(1, "unsupported argument: ", other)),
        };
        o.direct_io = Some(is_on);
        o.wanted.direct_io = is_on;
        Ok(())
    }),
    Opt::value(None, "loop-ref", "string", "loop device reference", |o, reference| {
        o.wanted.reference = (!reference.is_empty()).then(|| reference.to_os_string());
        Ok(())
    }),
    Opt::flag(None, "show", "print device name after setup (with -f)", |o| {
        o.is_for_new = true;
        o.show = true;
    }),
    Opt::flag(Some('J'), "json", "use JSON --list output format", |o| o.form = Form::Json),
    Opt::flag(Some('l'), "list", "list info about all or specified (default)", |o| o.list = true),
    Opt::flag(Some('n'), "noheadings", "don't print headings for --list output", |o| o.no_headings = true),
    Opt::value(Some('O'), "output", "cols", "specify columns to output for --list", |o, list| {
        o.columns = Some(list);
        Ok(())
    }),
    Opt::flag(None, "output-all", "output all columns", |o| o.all_columns = true),
    Opt::flag(None, "raw", "use raw --list output format", |o| o.form = Form::Raw),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS, EXCLUSIVE);
