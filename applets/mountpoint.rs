//! mountpoint: ask whether a file or directory is a mount point. util-linux's mountpoint(1) is the
//! reference. The kernel is asked about the path itself (statx(2)); the mount table is not read.

use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, text};
use linux::mount::api::AT_SYMLINK_NOFOLLOW;
use linux::mount::statmount;
use linux::mount::table;
use linux::stat::{self, Stat};
use linux::{Errno, directory};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Wrong usage, or the path cannot be looked at.
const FAILED: u8 = 1;
/// It is no mount point, or no block device.
const NO: u8 = 32;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "mountpoint",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::UtilLinux,
    summary: "Check whether a directory or file is a mountpoint",
    synopsis: "[-qd] /path/to/directory\n\
        -x /dev/device",
    notes: "",
    usage_status: FAILED,
    options: &OPTIONS.specs,
    run,
    explain,
};

/// The options of a command line.
#[derive(Default)]
struct Options {
    quiet: bool,
    nofollow: bool,
    fs_devno: bool,
    devno: bool,
    show: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('q'), "quiet", "quiet mode - don't print anything", |o| o.quiet = true),
    Opt::flag(None, "nofollow", "do not follow symlink", |o| o.nofollow = true),
    Opt::flag(Some('d'), "fs-devno", "print maj:min device number of the filesystem", |o| o.fs_devno = true),
    Opt::flag(Some('x'), "devno", "print maj:min device number of the block device", |o| o.devno = true),
    Opt::flag(None, "show", "print mountpoint for given path", |o| o.show = true),
    Opt::help(Some('h')),
    Opt::version(Some('V')),
];

/// The rows, packed.
static OPTIONS: Table<Options> = cli::table!(ROWS);

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(0);
    };
    let path = only(&options, &operands)?;
    let stat = if options.nofollow { stat::link(path) } else { stat::path(path) };
    let stat = stat.map_err(|error| match options.quiet {
        true => Failure::silent(FAILED),
        false => cli::fail!(FAILED, path, ": ", error.errno),
    })?;
    if options.devno {
        if !stat.is_block_device() {
            return Err(match options.quiet {
                true => Failure::silent(NO),
                false => cli::fail!(NO, path, ": not a block device"),
            });
        }
        print_numbers(stat.device(), output);
        return Ok(0);
    }
    // As in the original, to print it is what was asked for: --quiet and --fs-devno do not matter.
    if options.show && !(options.nofollow && stat.is_symlink()) {
        let Some(found) = mount_point(path) else {
            return Err(cli::fail!(FAILED, "--show is not supported on this system")
                .hint("neither statmount(2) nor /proc/self/mountinfo knows the mount that it is on"));
        };
        output.print_shown(text![found]);
        return Ok(0);
    }
    let is_it = is_mount_point(path, &stat, options.nofollow).map_err(|errno| cli::fail!(FAILED, path, ": ", errno))?;
    if is_it && options.fs_devno {
        print_numbers(stat.identity().0, output);
    } else if !options.quiet {
        output.print_shown(text![path, if is_it { " is a mountpoint" } else { " is not a mountpoint" }]);
    }
    Ok(if is_it { 0 } else { NO })
}

/// What is asked, in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    let path = only(&options, &operands)?;
    let mut explanation = Explanation::default();
    if options.devno {
        explanation.tell("print the numbers of the block device {0}", "stat(\"{0}\")", &[&path]);
        return Ok(Some(explanation));
    }
    if options.show {
        let call = "statx(\"{0}\", STATX_MNT_ID_UNIQUE), statmount(...)";
        explanation.tell("print the mount point of the mount that {0} is on", call, &[&path]);
        return Ok(Some(explanation));
    }
    explanation.tell(
        "ask the kernel whether {0} is the root of a mount",
        "statx(\"{0}\", STATX_ATTR_MOUNT_ROOT)",
        &[&path],
    );
    if options.fs_devno {
        explanation.tell("if it is, print the device number of its file system", "stat(\"{0}\")", &[&path]);
    }
    Ok(Some(explanation))
}

/// The one operand.
fn only(options: &Options, operands: &[&'static OsStr]) -> Result<&'static OsStr, Failure> {
    let [path] = operands else { return Err(cli::fail!(usage FAILED, "bad usage")) };
    if options.nofollow && options.devno {
        return Err(cli::fail!(FAILED, "--devno and --nofollow are mutually exclusive"));
    }
    Ok(path)
}

fn is_mount_point(path: &OsStr, stat: &Stat, nofollow: bool) -> Result<bool, Errno> {
    if nofollow && stat.is_symlink() {
        return Ok(false);
    }
    let flags = if nofollow { AT_SYMLINK_NOFOLLOW } else { 0 };
    let told = match statmount::mountinfo_id(None, path, flags) {
        Ok(id) => id.is_root,
        // No statx(2), or a filter that has not heard of it.
        Err(error) if error.errno == Errno::ENOSYS => None,
        Err(error) => return Err(error.errno),
    };
    match told {
        // A working directory that has no path is on a mount that was detached.
        Some(is_root) => Ok(is_root && (path.as_bytes().starts_with(b"/") || directory::canonical(path).is_ok())),
        // A kernel before Linux 5.8 does not tell; its table does.
        None => {
            let path = directory::canonical(path).map_err(|error| error.errno)?;
            Ok(table::Table::read().map_err(|error| error.errno)?.find_target(&path).is_some())
        }
    }
}

/// The number of the mount that `path` is on gives its mount point by statmount(2); before Linux 6.8 the mount table
/// is read.
fn mount_point(path: &OsStr) -> Option<OsString> {
    let mount = statmount::mount_id(None, path, 0).ok()?;
    statmount::mount_point(mount.unique).ok().or_else(|| {
        let table = table::Table::read().ok()?;
        Some(table.find_id(u32::try_from(mount.id).ok()?)?.target_path())
    })
}

fn print_numbers(device: u64, output: &mut Output) {
    let (major, minor) = stat::numbers(device);
    output.print(text![major, ":", minor, "\n"]);
}
