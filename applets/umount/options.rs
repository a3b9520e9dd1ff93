//! What can be typed, its table, and what every unmount of a command line is given.

use cli::{Failure, Invocation, Opt, Output, Table};
use linux::Errno;
use linux::mount::other_namespace::OtherMountNs;
use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};

/// Wrong usage, or not permitted.
pub const USAGE: u8 = 1;
/// The system failed.
pub const SYSTEM: u8 = 2;
/// utab could not be locked or written.
pub const UTAB: u8 = 16;
/// With -R: the table cannot be read.
pub const UNREAD: u8 = 4;
/// An unmount failed.
pub const FAILED: u8 = 32;

/// The options of a command line.
#[derive(Default)]
pub struct Options {
    pub all: bool,
    pub all_targets: bool,
    pub no_canonicalize: bool,
    pub detach_loop: bool,
    pub fake: bool,
    pub force: bool,
    pub graceful: bool,
    pub internal_only: bool,
    pub no_mtab: bool,
    pub lazy: bool,
    pub test_options: Option<OsString>,
    pub recursive: bool,
    pub read_only: bool,
    pub types: Option<OsString>,
    pub verbose: bool,
    pub quiet: bool,
    pub namespace: Option<OsString>,
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('a'), "all", "unmount all filesystems", |o| o.all = true),
    Opt::flag(
        Some('A'),
        "all-targets",
        "unmount all mountpoints for the given device in the\ncurrent namespace",
        |o| o.all_targets = true,
    ),
    Opt::flag(Some('c'), "no-canonicalize", "don't canonicalize paths", |o| o.no_canonicalize = true),
    Opt::flag(Some('d'), "detach-loop", "if mounted loop device, also free this loop device", |o| {
        o.detach_loop = true;
    }),
    Opt::flag(None, "fake", "dry run; skip the umount(2) syscall", |o| o.fake = true),
    Opt::flag(Some('f'), "force", "force unmount (in case of an unreachable NFS system)", |o| o.force = true),
    Opt::flag(Some('g'), "graceful", "succeed if there is nothing to unmount", |o| o.graceful = true),
    Opt::flag(Some('i'), "internal-only", "don't call the umount.<type> helpers", |o| o.internal_only = true),
    Opt::flag(Some('n'), "no-mtab", "don't write to the userspace mount table", |o| o.no_mtab = true),
    Opt::flag(Some('l'), "lazy", "detach the filesystem now, clean up things later", |o| o.lazy = true),
    Opt::value(Some('O'), "test-opts", "list", "limit the set of filesystems (use with -a)", |o, list| {
        o.test_options = Some(list.into());
        Ok(())
    }),
    Opt::flag(Some('R'), "recursive", "recursively unmount a target with all its children", |o| {
        o.recursive = true;
    }),
    Opt::flag(Some('r'), "read-only", "in case unmounting fails, try to remount read-only", |o| {
        o.read_only = true;
    }),
    Opt::value(Some('t'), "types", "list", "limit the set of filesystem types (use with -a)", |o, types| {
        o.types = Some(types.into());
        Ok(())
    }),
    Opt::flag(Some('v'), "verbose", "say what is being done", |o| o.verbose = true),
    Opt::flag(Some('q'), "quiet", "suppress 'not mounted' error messages", |o| o.quiet = true),
    Opt::value(Some('N'), "namespace", "ns", "perform umount in another namespace", |o, namespace| {
        o.namespace = Some(namespace.into());
        Ok(())
    }),
    Opt::help(Some('h')),
    Opt::version_with(Some('V'), cli::help::LIBMOUNT),
];

/// The rows, packed.
pub static OPTIONS: Table<Options> =
    cli::table!(ROWS, "all,all-targets all,recursive read-only,recursive recursive,types");

/// How everything is unmounted.
pub struct Unmounting<'a> {
    pub invocation: &'a Invocation<'a>,
    pub options: Options,
    pub origin: Option<OtherMountNs>,
    /// Where mounts were busy.
    pub busy: RefCell<Vec<OsString>>,
    /// Whether the rules for an ordinary user hold: a path is resolved first, and what is not found is not mounted.
    pub restricted: Cell<bool>,
}

impl Options {
    /// Whether an ordinary user may say all this; else it is tried as by root.
    pub fn is_for_users(&self) -> bool {
        let is_listed = self.all | self.all_targets | self.recursive;
        !(is_listed | self.force | self.read_only | self.no_mtab | self.fake)
            && self.types.is_none()
            && self.test_options.is_none()
    }
}

impl Unmounting<'_> {
    /// Prints a failure in the order in which things happened, and gives its status.
    pub fn report(&self, failure: &Failure, output: &mut Output) -> u8 {
        let _ = output.flush();
        failure.print(self.invocation);
        failure.status
    }
}

/// What the original did not try, or could not.
pub fn failed(status: u8, operand: &OsStr, what: &str, errno: Errno) -> Failure {
    cli::fail!(status, operand, ": ", what, " failed: ", errno, ".")
}

/// Refuses too few or too many operands.
pub fn check(options: &Options, operands: &[&'static OsStr]) -> Result<(), Failure> {
    match options.all {
        true if !operands.is_empty() => Err(cli::fail!(usage USAGE, "unexpected number of arguments")),
        false if operands.is_empty() => Err(cli::fail!(usage USAGE, "bad usage")),
        _ => Ok(()),
    }
}
