//! The options, as a struct and as the table that fills it.

use cli::{Opt, Table};
use std::ffi::OsStr;

/// chroot itself failed.
pub const FAILED: u8 = 125;

/// The options of a command line.
#[derive(Default, Debug)]
pub struct Options {
    pub groups: Option<&'static OsStr>,
    pub userspec: Option<&'static OsStr>,
    pub skip_chdir: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::value(None, "groups", "G_LIST", "supplementary groups, as g1,g2,..,gN", |options, list| {
        options.groups = Some(list);
        Ok(())
    }),
    Opt::value(None, "userspec", "USER:GROUP", "user and group to run as, by name or number", |options, spec| {
        options.userspec = Some(spec);
        Ok(())
    }),
    Opt::flag(None, "skip-chdir", "do not change the working directory to '/'", |options| {
        options.skip_chdir = true;
    }),
    Opt::help(None),
    Opt::version(None),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> = cli::table!(ROWS);
