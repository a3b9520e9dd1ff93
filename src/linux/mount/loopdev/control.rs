//! Which loop devices there are, and making and removing them: /dev/loop-control, since Linux 3.1.

use super::calls::{LoopChange, changed, clear, number_of, open_device, status};
use super::device::LoopDevice;
use crate::ioctl::{self, Number};
use crate::{Errno, Result, directory, error::Context, file, stat, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

/// The node that devices are asked of.
pub const CONTROL: &str = "/dev/loop-control";

/// The paths of what is in a directory and named like a loop device, in its order.
fn listed(directory: &str) -> Option<Vec<OsString>> {
    let directory = directory::open_to_list(OsStr::new(directory)).ok()?;
    let mut paths = Vec::new();
    for name in walk::names(directory.as_fd()).ok()? {
        let mut path = OsString::from("/dev/");
        path.push(name);
        if number_of(&path).is_some() {
            paths.push(path);
        }
    }
    Some(paths)
}

/// The nodes of loop devices, by their names.
fn nodes() -> Vec<OsString> {
    let mut nodes = listed("/dev").unwrap_or_default();
    nodes.sort_unstable();
    nodes
}

/// The loop devices that have a file, by path, in the order that the kernel lists them.
pub fn devices() -> Vec<OsString> {
    let found = match listed("/sys/block") {
        Some(found) if !found.is_empty() => found,
        _ => nodes(),
    };
    chosen(found, &is_used)
}

/// Those of the devices that are meant. Here, and not where they are chosen, for the sake of the program's size.
pub fn chosen(devices: Vec<OsString>, is_meant: &dyn Fn(&OsStr) -> bool) -> Vec<OsString> {
    let mut chosen = Vec::new();
    for path in devices {
        if is_meant(&path) {
            chosen.push(path);
        }
    }
    chosen
}

/// Whether a device has a file: as /sys says, else as the device does.
fn is_used(path: &OsStr) -> bool {
    LoopDevice::at(path).file().is_some()
}

/// The path of a device: a name is one in /dev.
///
/// ```
/// use linux::mount::loopdev::named;
/// assert_eq!([named("loop3".as_ref()), named("/dev/loop3".as_ref())], ["/dev/loop3", "/dev/loop3"]);
/// ```
pub fn named(name: &OsStr) -> OsString {
    if name.as_bytes().first() == Some(&b'/') {
        return name.to_os_string();
    }
    let mut path = OsString::from("/dev/");
    path.push(name);
    path
}

/// Asks /dev/loop-control.
fn control(request: Number, name: &'static str, argument: i32) -> Result<i32> {
    let path = OsStr::new(CONTROL);
    let control = file::open_at(None, path, libc::O_RDWR, 0).context("open", path)?;
    let done = ioctl::number(control.as_fd(), request, argument);
    let fd = control.as_raw_fd();
    let done = match name {
        "LOOP_CTL_GET_FREE" => traced!(done, "ioctl({fd}, LOOP_CTL_GET_FREE)"),
        _ => traced!(done, "ioctl({fd}, {name}, {argument})"),
    };
    done.context(name, path)
}

/// The first device that has no file. It is free until somebody takes it: who sets it up must be ready to ask again.
pub fn free_device() -> Result<OsString> {
    match control(ioctl::LOOP_CTL_GET_FREE, "LOOP_CTL_GET_FREE", 0) {
        Ok(number) => Ok(OsString::from(format!("/dev/loop{number}"))),
        // Where somebody gave us a few nodes and not the one to ask.
        Err(error) if error.errno == Errno::ENOENT => nodes().into_iter().find(|path| !is_used(path)).ok_or(error),
        Err(error) => Err(error),
    }
}

/// The number of a device that need not be there, by whatever path leads to /dev.
fn number_in_dev(path: &OsStr) -> Option<i32> {
    let slash = path.as_bytes().iter().rposition(|byte| *byte == b'/')?;
    let (directory, name) = path.as_bytes().split_at_checked(slash)?;
    let mut path = directory::canonical(OsStr::from_bytes(directory)).ok()?;
    path.push(OsStr::from_bytes(name));
    number_of(&path)
}

/// Makes a device of that name, if it is that of a loop device and there is none.
pub fn add(path: &OsStr) -> Result<()> {
    match number_in_dev(path) {
        Some(number) => control(ioctl::LOOP_CTL_ADD, "LOOP_CTL_ADD", number).map(drop),
        None => Ok(()),
    }
}

/// Removes a device that is not in use.
pub fn remove(path: &OsStr) -> Result<()> {
    let number = number_in_dev(path).ok_or(Errno::EINVAL).context("LOOP_CTL_REMOVE", path)?;
    control(ioctl::LOOP_CTL_REMOVE, "LOOP_CTL_REMOVE", number).map(drop)
}

/// Detaches a device: LOOP_CLR_FD. If it is in use, the kernel detaches it with its last user.
pub fn detach(device: &OsStr) -> Result<()> {
    let fd = open_device(device, true)?;
    clear(fd.as_fd()).context("LOOP_CLR_FD", device).map(drop)
}

/// Changes a device.
pub fn change(device: &OsStr, change: LoopChange) -> Result<()> {
    let fd = open_device(device, true)?;
    changed(fd.as_fd(), change).context("ioctl", device)
}

/// The devices whose file is this one, at whatever offset.
pub fn devices_of(file: &OsStr) -> Vec<OsString> {
    let identity = stat::path(file).map(|stat| stat.identity());
    chosen(devices(), &|path| {
        let info = open_device(path, true).ok().and_then(|fd| status(fd.as_fd()).ok());
        info.is_some_and(|info| identity.as_ref() == Ok(&(info.lo_device, info.lo_inode)))
    })
}
