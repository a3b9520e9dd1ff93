//! losetup: set up and control loop devices. util-linux's losetup(8) is the reference; loop(4) says what they are.

mod options;
mod show;

use cli::explain::{Explanation, NO_CALL};
use cli::failure::{Line, hint, hints_wanted, warn};
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section, fail, text};
use linux::mount::loopdev::{self, Attached, LoopChange, LoopDevice, LoopSpec, Refused};
use linux::{Errno, directory, stat};
use options::{Doing, OPTIONS, Options};
use std::ffi::{OsStr, OsString};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "losetup",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Set up and control loop devices",
    synopsis: "[options] [<loopdev>]\n[options] -f | <loopdev> <file>",
    notes: "Columns: NAME AUTOCLEAR BACK-FILE BACK-INO BACK-MAJ:MIN BACK-MAJ BACK-MIN MAJ:MIN MAJ MIN OFFSET PARTSCAN REF RO \
        SIZELIMIT DIO LOG-SEC.",
    usage_status: 1,
    options: &OPTIONS.specs,
    explain,
    run,
};

/// What is to be done, with what it is about.
enum Plan {
    /// Print the path of a free device.
    Find,
    /// Attach a file.
    Attach(OsString),
    /// Show these devices.
    Show(Shown),
    /// Detach these, or all.
    Detach(Option<Vec<OsString>>),
    /// Remove these.
    Remove(Vec<OsString>),
    /// Change one, in this order.
    Change(OsString, Vec<LoopChange>),
}

/// Which devices are shown.
enum Shown {
    All,
    One(OsString),
    Of(&'static OsStr),
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let Some((options, plan)) = planned(invocation, output)? else { return Ok(0) };
    match plan {
        Plan::Find => {
            let path = loopdev::free_device().map_err(|error| none_free(error.errno))?;
            output.print_line(show::name(&LoopDevice::at(&path)));
            Ok(0)
        }
        Plan::Attach(file) => attach(invocation, &options, &file, output),
        Plan::Show(shown) => show(&options, &shown, output),
        Plan::Detach(devices) => {
            let devices = devices.unwrap_or_else(loopdev::devices);
            each(invocation, &devices, ": detach failed: ", loopdev::detach)
        }
        Plan::Remove(devices) => each(invocation, &devices, ": remove failed: ", loopdev::remove),
        Plan::Change(device, changes) => {
            for change in changes {
                let what = match change {
                    LoopChange::Capacity => ": set capacity failed: ",
                    LoopChange::DirectIo(_) => ": set direct io failed: ",
                    LoopChange::BlockSize(_) => ": set logical block size failed: ",
                };
                loopdev::change(&device, change).map_err(|error| failed(&device, &device, what, error.errno))?;
            }
            Ok(0)
        }
    }
}

/// What was typed, and what it means; `None` if the help was asked for.
fn planned(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<(Options, Plan)>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    options.wanted.stays = true;
    options.wanted.may_overlap = !options.no_overlap;
    let plan = plan(&mut options, &operands, invocation.args.len())?;
    let is_attached = matches!(plan, Plan::Attach(_));
    let is_changed = options.action.is_none() && matches!(plan, Plan::Change(..));
    let is_for_new = options.is_for_new || options.wanted.sizelimit != 0 || options.wanted.direct_io && !is_changed;
    if is_for_new && !is_attached {
        let text = "the options --{sizelimit,partscan,read-only,show} are allowed during loop device setup only";
        return Err(fail!(1, text));
    }
    if options.has_offset && !is_attached && !matches!(plan, Plan::Show(Shown::Of(_))) {
        return Err(fail!(1, "the option --offset is not allowed in this context"));
    }
    // Wrong columns are refused whether or not they are shown.
    options.fields()?;
    Ok(Some((options, plan)))
}

fn plan(options: &mut Options, operands: &[&'static OsStr], words: usize) -> Result<Plan, Failure> {
    let none = || fail!(1, "no loop device specified");
    let paths = || {
        let mut paths = Vec::new();
        for operand in operands {
            paths.push(loopdev::named(operand));
        }
        if paths.is_empty() { Err(none()) } else { Ok(paths) }
    };
    match options.action {
        Some(Doing::All) => return Ok(Plan::Show(Shown::All)),
        Some(Doing::Associated(file)) => return Ok(Plan::Show(Shown::Of(file))),
        Some(Doing::Detach) => return Ok(Plan::Detach(Some(paths()?))),
        Some(Doing::DetachAll) => return Ok(Plan::Detach(None)),
        Some(Doing::Remove) => return Ok(Plan::Remove(paths()?)),
        Some(Doing::Capacity) => {
            let device = operands.first().ok_or_else(none)?;
            return Ok(Plan::Change(loopdev::named(device), vec![LoopChange::Capacity]));
        }
        Some(Doing::Find) => {
            return match operands {
                [] => Ok(Plan::Find),
                [file] => Ok(Plan::Attach(file.to_os_string())),
                _ => Err(fail!(1, "unexpected arguments")),
            };
        }
        None => {}
    }
    // The form of a table says that one is wanted, if it is all that is said.
    let says_form = words == 1 && options.form != cli::columns::Form::Aligned;
    match operands {
        [] if words == 0 || says_form || options.is_table() => {
            options.list();
            Ok(Plan::Show(Shown::All))
        }
        [] => Err(none()),
        [device] => {
            let mut changes: Vec<LoopChange> = options.direct_io.map(LoopChange::DirectIo).into_iter().collect();
            if options.has_block_size {
                changes.push(LoopChange::BlockSize(options.wanted.block_size));
            }
            let device = loopdev::named(device);
            Ok(if changes.is_empty() { Plan::Show(Shown::One(device)) } else { Plan::Change(device, changes) })
        }
        [device, file, ..] => {
            options.wanted.device = Some(loopdev::named(device));
            Ok(Plan::Attach(file.to_os_string()))
        }
    }
}

/// Does it to each device, and goes on where it fails.
fn each(
    invocation: &Invocation<'_>,
    devices: &[OsString],
    what: &str,
    act: fn(&OsStr) -> linux::Result<()>,
) -> Outcome {
    let mut status = 0;
    for device in devices {
        if let Err(error) = act(device) {
            failed(device, device, what, error.errno).print(invocation);
            status = 1;
        }
    }
    Ok(status)
}

/// `OBJECT WHAT ERROR`, and whether the device has lost its node.
fn failed(object: &OsStr, device: &OsStr, what: &str, errno: Errno) -> Failure {
    let failure = fail!(1, object, what, errno);
    let device = LoopDevice::at(device);
    match device.numbers {
        Some((major, minor)) if device.is_lost => failure.and(Line::Named(text![
            "device node ",
            &device.path,
            " (",
            major,
            ":",
            minor,
            ") is lost. You may use mknod(1) to recover it."
        ])),
        _ => failure,
    }
}

/// The device that is named, or one that is free. That there is none is told before what is wrong with the file.
fn named_or_free(wanted: &LoopSpec) -> Result<OsString, Failure> {
    let free = || loopdev::free_device().map_err(|error| none_free(error.errno));
    wanted.device.clone().map_or_else(free, Ok)
}

fn none_free(errno: Errno) -> Failure {
    fail!(1, "cannot find an unused loop device: ", errno)
}

const SET_UP: &str = ": failed to set up loop device: ";

fn attach(invocation: &Invocation<'_>, options: &Options, file: &OsStr, output: &mut Output) -> Outcome {
    if file.is_empty() {
        let device = named_or_free(&options.wanted)?;
        return Err(failed(file, &device, ": failed to use backing file: ", Errno::EINVAL));
    }
    let wanted = &options.wanted;
    if let Some(device) = &wanted.device
        && stat::path(device).is_err()
    {
        // Opening it says what is wrong.
        let _ = loopdev::add(device);
    }
    let attached = loopdev::attach(file, wanted).map_err(|refused| unattached(wanted, file, refused))?;
    if !attached.is_new {
        is_as_wanted(wanted, &attached, file)?;
        if attached.autoclear {
            let why = |errno| failed(file, &attached.path, SET_UP, errno);
            loopdev::keep(&attached).map_err(why)?;
        }
    }
    warn_of_size(invocation, wanted, file);
    if wanted.direct_io && hints_wanted() && !LoopDevice::at(&attached.path).direct_io() {
        hint(&text!["the kernel cannot use ", file, " with direct I/O at this offset: it goes through the page cache"]);
    }
    if options.show {
        output.print_line(text![attached.path]);
    }
    Ok(0)
}

/// Refuses a device that is there already and does not have what was asked for.
fn is_as_wanted(wanted: &LoopSpec, attached: &Attached, file: &OsStr) -> Result<(), Failure> {
    let device = LoopDevice::at(&attached.path);
    if attached.read_only && !wanted.read_only {
        return Err(fail!(1, file, ": overlapping read-only loop device exists"));
    }
    let has_sectors = wanted.block_size == 0 || device.sector_size() == Some(wanted.block_size.into());
    let is_alike = attached.read_only == wanted.read_only && has_sectors && (device.partscan() || !wanted.partscan);
    if is_alike { Ok(()) } else { Err(overlapping(file)) }
}

fn overlapping(file: &OsStr) -> Failure {
    fail!(1, file, ": overlapping loop device exists")
}

fn unattached(wanted: &LoopSpec, file: &OsStr, refused: Refused) -> Failure {
    if let Refused::Failed(error) = &refused
        && error.object == loopdev::CONTROL
    {
        return none_free(error.errno);
    }
    let device = match named_or_free(wanted) {
        Ok(device) => device,
        Err(failure) => return failure,
    };
    let error = match refused {
        Refused::Overlap => return overlapping(file),
        Refused::Failed(error) => error,
    };
    let is_of_device = wanted.device.is_some() && matches!(error.call, "open" | "open device");
    let failure = failed(if is_of_device { &device } else { file }, &device, SET_UP, error.errno);
    match LoopDevice::at(&device).file() {
        Some(other) if error.errno == Errno::EBUSY && hints_wanted() => {
            failure.hint(text!["it has the file ", other, "; 'losetup --find' takes a device that has none"])
        }
        _ => failure,
    }
}

/// Warns of a device that nothing fits on, or not all of the file.
fn warn_of_size(invocation: &Invocation<'_>, wanted: &LoopSpec, file: &OsStr) {
    let Some(stat) = stat::path(file).ok().filter(|stat| stat.is_regular()) else { return };
    let rest = stat.size().saturating_sub(wanted.offset);
    let size = if wanted.sizelimit == 0 { rest } else { rest.min(wanted.sizelimit) };
    let why = if size < 512 {
        "is smaller than 512 bytes; the loop device may be useless or invisible for system tools."
    } else if size % 512 != 0 {
        "does not end on a 512-byte sector boundary; the remaining end of the file will be ignored."
    } else {
        return;
    };
    warn(invocation, &Line::Named(text![file, ": Warning: file ", why]));
}

fn show(options: &Options, shown: &Shown, output: &mut Output) -> Outcome {
    let mut devices = match shown {
        Shown::All => loopdev::devices(),
        Shown::One(device) => vec![device.clone()],
        Shown::Of(file) => of_file(file),
    };
    if options.has_offset {
        let offset = Some(options.wanted.offset);
        devices = loopdev::chosen(devices, &|path| LoopDevice::at(path).offset() == offset);
    }
    if options.is_table() {
        show::table(&devices, options, output)?;
        return Ok(0);
    }
    for device in &devices {
        if !show::line(device, output) && matches!(shown, Shown::One(_)) {
            return Err(fail!(1, device, ": ", Errno::ENOENT));
        }
    }
    Ok(0)
}

/// The devices that have a file, by its inode; of devices that do not tell us, by its path.
fn of_file(file: &OsStr) -> Vec<OsString> {
    let identity = stat::path(file).map(|stat| stat.identity()).ok();
    let path = directory::canonical(file).ok();
    loopdev::chosen(loopdev::devices(), &|device| {
        let device = LoopDevice::at(device);
        match (device.identity(), identity) {
            (Some(own), Some(identity)) => own == identity,
            _ => device.file() == path,
        }
    })
}

fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some((options, plan)) = planned(invocation, output)? else { return Ok(None) };
    let mut explanation = Explanation::default();
    let mut tell = |words: &str, call: &str, what: &OsStr| explanation.tell(words, call, &[&what]);
    match &plan {
        Plan::Find => tell("ask for a device that has no file", "ioctl(FD, LOOP_CTL_GET_FREE)", OsStr::new("")),
        Plan::Attach(file) => {
            if options.no_overlap {
                tell(
                    "take the device that has this part of {0}, if there is one",
                    "ioctl(FD, LOOP_GET_STATUS64)",
                    file,
                );
            }
            match &options.wanted.device {
                None => tell("ask for a device that has no file", "ioctl(FD, LOOP_CTL_GET_FREE)", file),
                Some(device) => tell("make {0} if it is missing", "ioctl(FD, LOOP_CTL_ADD)", device),
            }
            tell("give it {0} in one step, with all that was asked for", "ioctl(FD, LOOP_CONFIGURE)", file);
            if options.wanted.device.is_none() {
                tell("if another process was faster, ask again", "ioctl(FD, LOOP_CTL_GET_FREE)", file);
            }
        }
        Plan::Show(_) => {
            tell("find the devices that have a file", "open(\"/sys/block\")", OsStr::new(""));
            tell("print what was found", NO_CALL, OsStr::new(""));
        }
        Plan::Detach(None) => {
            tell("detach every device, if there is one", "ioctl(FD, LOOP_CLR_FD)", OsStr::new(""));
        }
        Plan::Detach(Some(devices)) => {
            devices.iter().for_each(|device| {
                tell("detach {0}; if it is in use, that is done with its last user", "ioctl(FD, LOOP_CLR_FD)", device);
            });
        }
        Plan::Remove(devices) => {
            devices.iter().for_each(|device| tell("remove {0}", "ioctl(FD, LOOP_CTL_REMOVE)", device));
        }
        Plan::Change(device, changes) => {
            for change in changes {
                match change {
                    LoopChange::Capacity => tell("give {0} its file's size", "ioctl(FD, LOOP_SET_CAPACITY)", device),
                    LoopChange::DirectIo(_) => tell(
                        "use the file of {0} past the page cache, or through it",
                        "ioctl(FD, LOOP_SET_DIRECT_IO)",
                        device,
                    ),
                    LoopChange::BlockSize(_) => {
                        tell("set the sector size of {0}", "ioctl(FD, LOOP_SET_BLOCK_SIZE)", device)
                    }
                }
            }
        }
    }
    Ok(Some(explanation))
}
