//! What a command line asks for, before any table or the machine is looked at.

use super::{SYSTEM, bad_usage};
use cli::{Failure, text};
use linux::mount::foreign::Foreign;
use linux::options::Options as MountOptions;
use linux::utab;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// How everything is to be done, whatever is mounted.
#[derive(Clone)]
pub struct Settings {
    /// No mount is made, but everything else is.
    pub fake: bool,
    /// utab is left alone.
    pub no_mtab: bool,
    /// Successes are told.
    pub verbose: bool,
    /// No mount.TYPE program is called.
    pub internal_only: bool,
    /// mount.TYPE programs are told to tolerate unknown options.
    pub sloppy: bool,
    /// Paths are resolved before use.
    pub canonicalize: bool,
    /// Never fall back to read-only.
    pub read_write: bool,
    /// Not if the file system is there already.
    pub onlyonce: bool,
    /// Not if the superblock exists already.
    pub exclusive: bool,
    /// Below the mount that is on top.
    pub beneath: bool,
    /// Before every target.
    pub target_prefix: Option<OsString>,
    /// Tables to read in place of the default one.
    pub fstab: Vec<OsString>,
    /// How options from tables are used.
    pub table_use: TableUse,
    /// mount(2) is to be used although the kernel has better.
    pub old_api: bool,
    /// With -N: where we are.
    pub origin: Option<Rc<Foreign>>,
    /// What remounts change in utab, if many of them are to be written at once.
    pub unwritten: Option<Rc<RefCell<Vec<utab::Entry>>>>,
}

/// One mount to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What to mount.
    pub source: Option<OsString>,
    /// Where.
    pub target: Option<OsString>,
    /// The only operand, which the table tells the meaning of.
    pub either: Option<OsString>,
    /// The list of -t, or of a table.
    pub types: Option<Vec<u8>>,
    /// Whether a leading `no` turns the list around: on the command line it does, in a table it is part of a name.
    pub negatable: bool,
    /// Options in order.
    pub options: MountOptions,
    /// With a remount: options that come from a table and that the mount has already.
    pub present: MountOptions,
    /// No table is read: --bind, --move and the like.
    pub without_table: bool,
}

/// What becomes of the options in a table when there are some on the command line.
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
        self.mode = match mode.as_bytes() {
            b"ignore" => Mode::Ignore,
            b"append" => Mode::Append,
            b"prepend" => Mode::Prepend,
            b"replace" => Mode::Replace,
            _ => return Err(bad_usage()),
        };
        Ok(())
    }

    /// --options-source=LIST.
    pub fn set_source(&mut self, list: &OsStr) -> Result<(), Failure> {
        (self.fstab, self.mtab) = (false, false);
        for word in list.as_bytes().split(|&byte| byte == b',') {
            match word {
                b"fstab" => self.fstab = true,
                b"mtab" => self.mtab = true,
                b"disable" => (self.fstab, self.mtab) = (false, false),
                _ => return Err(bad_usage()),
            }
        }
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

impl Settings {
    /// The same, but successes are told by the caller.
    pub fn quiet(&self) -> Settings {
        Settings { verbose: false, ..self.clone() }
    }

    /// Whether utab is written at all.
    pub fn writes_utab(&self) -> bool {
        !self.no_mtab && !utab::path().is_empty()
    }
}

/// Enters the mount namespace of -N, a process or a file.
pub fn enter_namespace(wanted: Option<&OsStr>) -> Result<Option<Rc<Foreign>>, Failure> {
    let entered = wanted.map(Foreign::enter).transpose();
    entered.map(|foreign| foreign.map(Rc::new)).map_err(|error| {
        Failure::new(SYSTEM, text!["failed to set target namespace to ", error.object, ": ", error.errno])
    })
}
