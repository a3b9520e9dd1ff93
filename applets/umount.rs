//! umount: detach file systems. umount(8) of util-linux is the reference.
//!
//! A directory is unmounted without reading the mount table, unless an option
//! or an entry of utab asks for what only the table tells.

mod explain;
mod find;
mod one;
mod tree;

use cli::explain::Explanation;
use cli::{Applet, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Table, text};
use hints::{Step, hints, one_of_many};
use linux::Errno;
use linux::mount::other_namespace::OtherMountNs;
use std::cell::RefCell;
use std::ffi::OsString;

/// Wrong usage, or not permitted.
const USAGE: u8 = 1;
/// The system failed.
const SYSTEM: u8 = 2;
/// utab could not be locked or written.
const UTAB: u8 = 16;
/// An unmount failed.
const FAILED: u8 = 32;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "umount",
    directory: "usr/bin",
    section: "8",
    origin: Origin::UtilLinux,
    summary: "Unmount filesystems",
    synopsis: &["[-hV]", "-a [options]", "[options] <source> | <directory>"],
    notes: "",
    usage_status: USAGE,
    options: &OPTIONS.specs,
    run,
    explain,
};

/// What was typed.
#[derive(Default)]
struct Options {
    /// Those that do not go together with others, in order.
    exclusive: Vec<&'static str>,
    all: bool,
    all_targets: bool,
    no_canonicalize: bool,
    detach_loop: bool,
    fake: bool,
    force: bool,
    graceful: bool,
    internal_only: bool,
    no_mtab: bool,
    lazy: bool,
    test_options: Option<OsString>,
    recursive: bool,
    read_only: bool,
    types: Option<OsString>,
    verbose: bool,
    quiet: bool,
    namespace: Option<OsString>,
}

impl Options {
    fn exclusive(&mut self, name: &'static str) -> bool {
        self.exclusive.push(name);
        true
    }
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('a'), "all", "unmount all filesystems", |o| o.all = o.exclusive("--all")),
    Opt::flag(
        Some('A'),
        "all-targets",
        "unmount all mountpoints for the given device in the\ncurrent namespace",
        |o| o.all_targets = o.exclusive("--all-targets"),
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
        o.recursive = o.exclusive("--recursive");
    }),
    Opt::flag(Some('r'), "read-only", "in case unmounting fails, try to remount read-only", |o| {
        o.read_only = o.exclusive("--read-only");
    }),
    Opt::value(Some('t'), "types", "list", "limit the set of filesystem types (use with -a)", |o, types| {
        o.exclusive("--types");
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
static OPTIONS: Table<Options> = cli::table!(ROWS);

/// How everything is unmounted.
struct Settings<'a> {
    invocation: &'a Invocation<'a>,
    options: Options,
    origin: Option<OtherMountNs>,
    /// Where mounts were busy.
    busy: RefCell<Vec<OsString>>,
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(0);
    };
    check(&options, &operands)?;
    let origin = options.namespace.as_deref().map(OtherMountNs::enter).transpose().map_err(|error| {
        Failure::new(SYSTEM, text!["failed to set target namespace to ", error.object, ": ", error.errno])
    })?;
    let settings = Settings { invocation, options, origin, busy: RefCell::default() };
    let outcome = if settings.options.all {
        one_of_many();
        tree::unmount_all(&settings, output)
    } else {
        Ok(unmount_each(&settings, &operands, output))
    };
    let busy = settings.busy.borrow();
    if !busy.is_empty() {
        let _ = output.flush();
        if busy.len() > 1 {
            one_of_many();
        }
        hints(Step::Busy(&busy), Errno::EBUSY).iter().for_each(|hint| cli::failure::hint(hint));
    }
    outcome
}

fn unmount_each(settings: &Settings<'_>, operands: &[OsString], output: &mut Output) -> u8 {
    let mut status: u8 = 0;
    for operand in operands {
        let outcome = if settings.options.all_targets {
            tree::unmount_all_targets(settings, operand, output)
        } else if settings.options.recursive {
            tree::unmount_tree(settings, operand, output)
        } else {
            tree::with_utab(settings, &mut |known| one::unmount(settings, operand, known, output))
        };
        let one = outcome.unwrap_or_else(|failure| {
            // In the order in which things happened.
            let _ = output.flush();
            failure.print(settings.invocation);
            failure.status
        });
        status = status.saturating_add(one);
    }
    status
}

/// The steps in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    check(&options, &operands)?;
    Ok(Some(explain::explanation(&options, &operands)))
}

/// Refuses options of which only one may be there, and too few or too many operands.
fn check(options: &Options, operands: &[OsString]) -> Result<(), Failure> {
    const PAIRS: [(&str, &str); 4] = [
        ("--all", "--all-targets"),
        ("--all", "--recursive"),
        ("--read-only", "--recursive"),
        ("--recursive", "--types"),
    ];
    let given = &options.exclusive;
    let clash = given.iter().enumerate().find_map(|(place, second)| {
        PAIRS.iter().find_map(|(one, other)| {
            let first = if second == one { other } else { one };
            let is_pair = second == one || second == other;
            (is_pair && given.iter().take(place).any(|name| name == first)).then_some((first, second))
        })
    });
    match clash {
        Some((first, second)) => {
            let text = text!["options ", first, " and ", second, " cannot be combined"];
            Err(Failure::new(USAGE, text))
        }
        None if options.all && !operands.is_empty() => {
            Err(Failure::usage(USAGE, text!["unexpected number of arguments"]))
        }
        None if !options.all && operands.is_empty() => Err(Failure::usage(USAGE, text!["bad usage"])),
        None => Ok(()),
    }
}
