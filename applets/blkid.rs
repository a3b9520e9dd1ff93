//! blkid: print the type, label, UUID and other values of block devices, and find devices by them. util-linux's
//! blkid(8) is the reference.

mod list;
mod options;
mod print;

use cli::explain::{Explanation, NO_CALL};
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section, text};
use linux::mount::probe::{self, Cache, Device, Disk, Probed, Superblock, Tag, TagKind};
use linux::{Errno, directory, number, stat};
use options::{Form, OPTIONS, OTHER, Options};
use print::Printer;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Nothing was found.
const NOTHING: u8 = 2;
/// Signatures contradict each other.
const AMBIVALENT: u8 = 8;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "blkid",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Tell what is on block devices",
    synopsis: "-L <label> | -U <uuid>\n\
        [-c <file>] [-dgl] [-o <format>] [-s <tag>] [-t <token>] [<dev> ...]\n\
        -p [-s <tag>] [-O <offset>] [-S <size>] [-o <format>] <dev> ...\n\
        -i [-s <tag>] [-o <format>] <dev> ...",
    notes: "<size> and <offset> may have a suffix: KiB, MiB, GiB, TiB, PiB or EiB (where \"iB\" is optional).",
    usage_status: 1,
    options: &OPTIONS.specs,
    explain,
    run,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let devices = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)?;
    if options.evaluated && !options.probe && !options.info {
        options.form = Form::Device;
    }
    let outcome = devices.map_or(Ok(0), |devices| tell(&options, &devices, output));
    output.flush().map_err(|errno| Failure::new(OTHER, text!["write error: ", errno]))?;
    outcome
}

fn tell(options: &Options, devices: &[&'static OsStr], output: &mut Output) -> Outcome {
    if options.list_types {
        for name in probe::types() {
            output.print(text![name, "\n"]);
        }
        return Ok(0);
    }
    // What is missing or can be no device is skipped; if that is all, the exit status says so.
    let mut found = devices.to_vec();
    found.retain(|name| stat::path(name).is_ok_and(|stat| stat.is_block_device() || stat.is_regular()));
    if found.is_empty() && !devices.is_empty() {
        return Ok(NOTHING);
    }
    if options.collect_garbage {
        collect_garbage(Cache::load(options.cache));
        return Ok(0);
    }
    let is_low = options.probe || options.info;
    let wrong = if is_low && options.form == Form::List {
        "The low-level probing mode does not support 'list' output format"
    } else if is_low && found.is_empty() {
        "The low-level probing mode requires a device"
    } else if options.only_first && options.token.is_none() {
        "The lookup option requires a search type specified using -t"
    } else {
        return if is_low { low_level(options, &found, output) } else { known(options, &found, output) };
    };
    Err(Failure::new(OTHER, text![wrong]))
}

/// Forgets the devices that are gone.
fn collect_garbage(mut cache: Cache) {
    for name in cache.names() {
        if stat::path(&name).is_err() {
            cache.remove(&name);
        }
    }
    let _ = cache.save();
}

/// Looks at devices as they are.
fn low_level(options: &Options, devices: &[&'static OsStr], output: &mut Output) -> Outcome {
    let session = session(options)?;
    let mut printer = Printer::new(options, output);
    let mut outcome = Ok(NOTHING);
    for name in devices {
        outcome = match open(options, name) {
            Err(errno) => Err(Failure::new(NOTHING, text!["error: ", name, ": ", errno])),
            Ok(device) => probe_one(options, name, &device, session, &mut printer),
        };
        if !matches!(outcome, Ok(0)) {
            break;
        }
    }
    printer.end();
    outcome
}

/// Where the hint says that the last session of a disc begins.
fn session(options: &Options) -> Result<u64, Failure> {
    let Some(value) = options.hint.and_then(|hint| hint.as_bytes().strip_prefix(b"session_offset=")) else {
        return Ok(0);
    };
    number::natural(value, 10)
        .ok_or_else(|| Failure::new(NOTHING, text!["Failed to use probing hint: session_offset=", value]))
}

/// Opens a device, if the part of it that is asked for is there.
fn open(options: &Options, name: &OsStr) -> Result<Device, Errno> {
    let device = Device::open(name).map_err(|error| error.errno)?;
    match options.offset.checked_add(options.size) {
        Some(end) if options.size == 0 || end <= device.size => Ok(device),
        _ => Err(Errno::EINVAL),
    }
}

fn probe_one(options: &Options, name: &OsStr, device: &Device, session: u64, printer: &mut Printer<'_>) -> Outcome {
    let read = |offset: u64, buffer: &mut [u8]| device.read(options.offset.saturating_add(offset), buffer);
    let size = if options.size == 0 { device.size.saturating_sub(options.offset) } else { options.size };
    let mut disk = Disk::new(&read, size);
    disk.session = session;
    disk.sector = device.sector();
    let mut told = Superblock::default();
    let mut table = Superblock::default();
    if options.probe {
        let mut probed = Probed::of(probe::search(&disk, &|fstype| options.wants(fstype)));
        table = probe::table(&disk, &mut probed);
        match probed {
            Probed::Ambiguous(all) if options.form == Form::Udev => {
                printer.ambivalent(&all);
                return Ok(AMBIVALENT);
            }
            Probed::Ambiguous(_) => {
                let why =
                    "ambivalent result (probably more filesystems on the device, use wipefs(8) to see more details)";
                return Err(Failure::new(AMBIVALENT, text![name, ": ", why]));
            }
            Probed::One(found) => {
                told = found;
                told.add("TYPE", told.fstype.as_bytes());
                told.add("USAGE", probe::usage(told.fstype).as_bytes());
            }
            Probed::Nothing => {}
        }
    }
    if options.info {
        let before = told.values.len();
        device.topology(&mut told);
        // Of what is no block device nothing else is told, either.
        if told.values.len() == before {
            return Ok(NOTHING);
        }
    }
    if options.probe {
        told.values.append(&mut table.values);
        if !options.no_details {
            device.partition(&mut told);
        }
    }
    if told.values.is_empty() {
        return Ok(NOTHING);
    }
    printer.device(name, &told, true);
    Ok(0)
}

/// Tells what is known of devices: what the low-level mode finds, without what only it tells.
fn known(options: &Options, devices: &[&'static OsStr], output: &mut Output) -> Outcome {
    // To look up a label is what other programs do, too, by the cache that all have.
    let mut cache = Cache::load(options.cache.filter(|_| !options.evaluated));
    let is_named = !devices.is_empty() && !options.evaluated;
    if options.evaluated
        && let Some((name, value)) = options.token
        && let Some(device) = TagKind::parse(name).and_then(|kind| Tag { kind, value }.linked())
    {
        // Udev's link is believed, unless the device is known to have something else by now.
        let is_other = matches!(probe::device(&device), Ok(Probed::One(found)) if !has(&found, name, value));
        if !is_other {
            output.print(text![device, "\n"]);
            return Ok(0);
        }
    }
    let only_first = options.evaluated || options.only_first;
    let devices = if is_named {
        devices.iter().map(OsString::from).collect()
    } else {
        let mut names = cache.names();
        for device in probe::block_devices() {
            if !names.contains(&device) {
                names.push(device);
            }
        }
        if only_first { probe::preferred(names) } else { names }
    };
    if options.form == Form::List {
        list::headings(output);
    }
    let mut printer = Printer::new(options, output);
    let mut status = NOTHING;
    for name in devices {
        let Some(told) = look(&name, &mut cache) else { continue };
        if !options.token.is_none_or(|(tag, value)| has(&told, tag, value)) {
            continue;
        }
        status = 0;
        printer.device(&name, &told, false);
        if only_first {
            break;
        }
    }
    printer.end();
    // Others may do without it, and so may we.
    let _ = cache.save();
    Ok(status)
}

fn has(told: &Superblock, wanted: &[u8], value: &[u8]) -> bool {
    told.values.iter().any(|(tag, own)| tag.as_bytes() == wanted && own == value)
}

/// The values of a device's superblock, if it has any. Of a device that may not be read, those in the cache, or none: it
/// is there all the same.
fn look(name: &OsStr, cache: &mut Cache) -> Option<Superblock> {
    let path = directory::mapped_name(directory::canonical_or_same(name));
    let device = match Device::open(name) {
        Ok(device) => device,
        Err(error) => {
            let number = stat::path(name).map(|stat| stat.device());
            if let ("open", Errno::EACCES | Errno::EPERM, Ok(number)) = (error.call, error.errno, number) {
                return Some(cache.find(&path, number).cloned().unwrap_or_default());
            }
            cache.remove(&path);
            return None;
        }
    };
    let mut told = Superblock::default();
    if device.is_empty_drive() {
        return None;
    }
    let read = |offset: u64, buffer: &mut [u8]| device.read(offset, buffer);
    let mut disk = Disk::new(&read, device.size);
    disk.sector = device.sector();
    let mut probed = probe::probe(&disk);
    let mut table = probe::table(&disk, &mut probed);
    if let Probed::One(found) = probed {
        told = found;
        told.values.retain(|(tag, _)| {
            !matches!(*tag, "VERSION" | "ENDIANNESS" | "FSSIZE" | "FSBLOCKSIZE" | "FSLASTBLOCK")
                && !tag.ends_with("_ID")
        });
        told.add("TYPE", told.fstype.as_bytes());
        told.fstype = "";
    }
    told.values.append(&mut table.values);
    let mut partition = Superblock::default();
    device.partition(&mut partition);
    for (own, tag) in [("PART_ENTRY_NAME", "PARTLABEL"), ("PART_ENTRY_UUID", "PARTUUID")] {
        if let Some(value) = partition.value(own) {
            told.add(tag, value);
        }
    }
    match told.value("TYPE") {
        Some(_) => cache.set(path, device.stat.device(), &told),
        None => cache.remove(&path),
    }
    (!told.values.is_empty()).then_some(told)
}

fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(devices) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    let mut explanation = Explanation::default();
    if devices.is_empty() && !options.list_types {
        explanation.tell("find the block devices", "open(\"/proc/partitions\")", &[]);
    }
    for device in &devices {
        explanation.tell("read where {0} may have a superblock", "pread(open(\"{0}\"))", &[device]);
    }
    explanation.tell("print what was found", NO_CALL, &[]);
    Ok(Some(explanation))
}
