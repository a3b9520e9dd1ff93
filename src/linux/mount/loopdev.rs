//! Loop devices: a regular file as a block device, loop(4).
//!
//! Devices are set up with autoclear: the kernel detaches them with their last user, so a process that is killed
//! leaves none behind.

use crate::ioctl::{self, LoopConfig, LoopInfo};
use crate::trace::{FlagNames, Flags};
use crate::{Errno, Error, Result, error::Context, file, number, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

const LO_FLAGS_READ_ONLY: u32 = 1;
const LO_FLAGS_AUTOCLEAR: u32 = 4;

/// The part of a file that is wanted as a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoopSpec {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes; 0: to the end.
    pub sizelimit: u64,
    /// Not to be written.
    pub read_only: bool,
    /// This device and no other.
    pub device: Option<OsString>,
}

/// A device that is set up, kept open so that it does not clear itself.
pub struct Attached {
    /// Its path.
    pub path: OsString,
    /// Whether we set it up, or found it as it was wanted.
    pub is_new: bool,
    /// Whether it clears itself when nobody uses it.
    pub autoclear: bool,
    /// Whether it cannot be written.
    pub read_only: bool,
    /// Keeps it in use.
    pub fd: OwnedFd,
}

/// Why there is no device.
#[derive(Debug)]
pub enum Refused {
    /// Another device has an overlapping part of the same file: both would write over each other, so it is refused.
    Overlap,
    /// A call failed.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused::Failed(error)
    }
}

/// Attaches a part of `file` to a loop device, or finds the device that already has exactly this part.
pub fn attach(file: &OsStr, wanted: &LoopSpec) -> core::result::Result<Attached, Refused> {
    let (backing, read_only) = open_backing(file, wanted.read_only)?;
    let identity = stat::of(backing.as_fd()).context("fstat", file)?.identity();
    if let Some(found) = reuse(identity, wanted)? {
        return Ok(found);
    }
    let mut config = config(&backing, file, wanted, read_only);
    if let Some(path) = &wanted.device {
        let device = open_device(path, read_only)?;
        return Ok(set_up(&device, &mut config).map(|()| new(path.clone(), device, read_only))?);
    }
    // Another process may take the free device first: then ask for another.
    for _ in 0..64 {
        let path = free_device()?;
        let device = open_device(&path, read_only)?;
        match set_up(&device, &mut config) {
            Ok(()) => return Ok(new(path, device, read_only)),
            Err(error) if error.errno == Errno::EBUSY => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new("LOOP_CONFIGURE", file, Errno::EBUSY).into())
}

fn new(path: OsString, fd: OwnedFd, read_only: bool) -> Attached {
    Attached { path, is_new: true, autoclear: true, read_only, fd }
}

fn open_backing(file: &OsStr, read_only: bool) -> Result<(OwnedFd, bool)> {
    if !read_only {
        match file::open_at(None, file, libc::O_RDWR, 0) {
            Ok(fd) => return Ok((fd, false)),
            Err(Errno::EACCES | Errno::EROFS | Errno::EPERM | Errno::ETXTBSY) => {}
            Err(errno) => return Err(Error::new("open", file, errno)),
        }
    }
    Ok((file::open_at(None, file, libc::O_RDONLY, 0).context("open", file)?, true))
}

fn open_device(path: &OsStr, read_only: bool) -> Result<OwnedFd> {
    let flags = if read_only { libc::O_RDONLY } else { libc::O_RDWR };
    file::open_at(None, path, flags, 0).context("open", path)
}

fn config(backing: &OwnedFd, file: &OsStr, wanted: &LoopSpec, read_only: bool) -> LoopConfig {
    let mut name = [0; 64];
    let absolute = crate::directory::canonical(file).unwrap_or_else(|_| file.to_os_string());
    // The last byte stays NUL.
    for (to, from) in name.iter_mut().take(63).zip(absolute.as_bytes()) {
        *to = *from;
    }
    let info = LoopInfo {
        lo_offset: wanted.offset,
        lo_sizelimit: wanted.sizelimit,
        lo_flags: LO_FLAGS_AUTOCLEAR | if read_only { LO_FLAGS_READ_ONLY } else { 0 },
        lo_file_name: name,
        ..LoopInfo::NONE
    };
    LoopConfig { fd: backing.as_raw_fd().cast_unsigned(), block_size: 0, info, reserved: [0; 8] }
}

static FLAG_NAMES: FlagNames =
    FlagNames { bits: &[LO_FLAGS_READ_ONLY, LO_FLAGS_AUTOCLEAR], names: "READ_ONLY\nAUTOCLEAR\n" };

fn set_up(device: &OwnedFd, config: &mut LoopConfig) -> Result<()> {
    let fd = device.as_fd();
    let (offset, sizelimit, flags) = (config.info.lo_offset, config.info.lo_sizelimit, config.info.lo_flags);
    let done = traced!(
        ioctl::on(fd, ioctl::LOOP_CONFIGURE, config),
        "ioctl({}, LOOP_CONFIGURE, {{offset={offset}, sizelimit={sizelimit}, flags={}}})",
        fd.as_raw_fd(),
        Flags(u64::from(flags), &FLAG_NAMES)
    );
    match done {
        // Before Linux 5.8 it takes two steps.
        Err(Errno::EINVAL | Errno::ENOTTY) => {}
        other => return other.context("LOOP_CONFIGURE", ""),
    }
    let done = ioctl::number(fd, ioctl::LOOP_SET_FD, config.fd.cast_signed());
    traced!(done, "ioctl({}, LOOP_SET_FD, {})", fd.as_raw_fd(), config.fd).context("LOOP_SET_FD", "")?;
    let done = ioctl::on(fd, ioctl::LOOP_SET_STATUS64, &mut config.info);
    let done = traced!(done, "ioctl({}, LOOP_SET_STATUS64)", fd.as_raw_fd());
    if done.is_err() {
        let _ = clear(fd);
    }
    done.context("LOOP_SET_STATUS64", "")
}

fn clear(device: BorrowedFd<'_>) -> core::result::Result<i32, Errno> {
    let done = ioctl::number(device, ioctl::LOOP_CLR_FD, 0);
    traced!(done, "ioctl({}, LOOP_CLR_FD)", device.as_raw_fd())
}

fn free_device() -> Result<OsString> {
    let path = OsStr::new("/dev/loop-control");
    let control = file::open_at(None, path, libc::O_RDWR, 0).context("open", path)?;
    let number = ioctl::number(control.as_fd(), ioctl::LOOP_CTL_GET_FREE, 0);
    let number = traced!(number, "ioctl({}, LOOP_CTL_GET_FREE)", control.as_raw_fd());
    number.context("LOOP_CTL_GET_FREE", path).map(|number| OsString::from(format!("/dev/loop{number}")))
}

fn status(device: BorrowedFd<'_>) -> core::result::Result<LoopInfo, Errno> {
    let mut info = LoopInfo::NONE;
    ioctl::on(device, ioctl::LOOP_GET_STATUS64, &mut info).map(|()| info)
}

/// The loop devices that have a file, by path.
fn devices() -> Vec<OsString> {
    let mut found = Vec::new();
    let Ok(directory) = crate::directory::open_to_list(OsStr::new("/sys/block")) else { return found };
    for name in crate::walk::names(directory.as_fd()).unwrap_or_default() {
        if name.as_bytes().starts_with(b"loop") && backing_file(&name).is_some() {
            found.push(OsString::from_vec([b"/dev/", name.as_bytes()].concat()));
        }
    }
    found.sort_unstable();
    found
}

/// The backing file as /sys shows it, for `loop0`.
fn backing_file(name: &OsStr) -> Option<OsString> {
    attribute(name, "backing_file").map(OsString::from_vec)
}

fn attribute(name: &OsStr, attribute: &str) -> Option<Vec<u8>> {
    let path = [b"/sys/block/", name.as_bytes(), b"/loop/", attribute.as_bytes()].concat();
    let mut text = file::read_file(OsStr::from_bytes(&path), 1 << 16).ok()?;
    if text.last() == Some(&b'\n') {
        text.pop();
    }
    Some(text)
}

/// The device that has the wanted part of the file already.
fn reuse(identity: (u64, u64), wanted: &LoopSpec) -> core::result::Result<Option<Attached>, Refused> {
    for path in devices() {
        let Ok(fd) = open_device(&path, true) else { continue };
        // From here on it is in use and does not go away.
        let Ok(info) = status(fd.as_fd()) else { continue };
        if (info.lo_device, info.lo_inode) != identity {
            continue;
        }
        // If a device was named, that device must be set up: one that already has this part of the file is a conflict,
        // not a device to reuse.
        if (info.lo_offset, info.lo_sizelimit) == (wanted.offset, wanted.sizelimit) && wanted.device.is_none() {
            let autoclear = info.lo_flags & LO_FLAGS_AUTOCLEAR != 0;
            let read_only = info.lo_flags & LO_FLAGS_READ_ONLY != 0;
            return Ok(Some(Attached { path, is_new: false, autoclear, read_only, fd }));
        }
        if overlap((info.lo_offset, info.lo_sizelimit), (wanted.offset, wanted.sizelimit)) {
            return Err(Refused::Overlap);
        }
    }
    Ok(None)
}

/// Whether two parts of a file, each an offset and a length, overlap. Length 0 means to the end of the file.
fn overlap(a: (u64, u64), b: (u64, u64)) -> bool {
    let end = |(offset, length): (u64, u64)| if length == 0 { u64::MAX } else { offset.saturating_add(length) };
    a.0 < end(b) && b.0 < end(a)
}

/// A loop device and the file behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backing {
    /// The file, as /sys shows it.
    pub file: OsString,
    /// Where the device begins in it.
    pub offset: u64,
    /// Whether the device clears itself.
    pub autoclear: bool,
}

/// The backing file of `/dev/loopN`; `None` if it is no loop device or has none.
pub fn backing(device: &OsStr) -> Option<Backing> {
    let name = device.as_bytes().strip_prefix(b"/dev/")?;
    if !name.starts_with(b"loop") || name.contains(&b'/') {
        return None;
    }
    let name = OsStr::from_bytes(name);
    Some(Backing {
        file: backing_file(name)?,
        offset: attribute(name, "offset").and_then(|text| number::decimal(&text)).unwrap_or(0),
        autoclear: attribute(name, "autoclear").as_deref() == Some(b"1"),
    })
}

/// Whether `device` is a loop device of the file with this device and inode, at this offset. Names are not compared,
/// since a file may have several.
pub fn is_of(device: &OsStr, file: (u64, u64), offset: u64) -> bool {
    if !device.as_bytes().starts_with(b"/dev/loop") {
        return false;
    }
    let info = open_device(device, true).ok().and_then(|fd| status(fd.as_fd()).ok());
    info.is_some_and(|info| (info.lo_device, info.lo_inode) == file && info.lo_offset == offset)
}

/// The devices whose file is this one, at whatever offset.
pub fn devices_of(file: &OsStr) -> Vec<OsString> {
    let Ok(wanted) = stat::path(file) else { return Vec::new() };
    let mut of_file = Vec::new();
    for path in devices() {
        let info = open_device(&path, true).ok().and_then(|fd| status(fd.as_fd()).ok());
        if info.is_some_and(|info| (info.lo_device, info.lo_inode) == wanted.identity()) {
            of_file.push(path);
        }
    }
    of_file
}

/// Detaches a device: LOOP_CLR_FD. If it is in use, the kernel detaches it with its last user.
pub fn detach(device: &OsStr) -> Result<()> {
    let fd = open_device(device, true)?;
    clear(fd.as_fd()).context("LOOP_CLR_FD", device).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_file_overlap_where_they_have_a_byte_in_common() {
        assert!(overlap((0, 0), (4096, 10)));
        assert!(overlap((0, 10), (9, 0)));
        assert!(!overlap((0, 10), (10, 0)));
        assert!(!overlap((20, 5), (0, 20)));
        assert!(overlap((20, 5), (0, 21)));
        assert!(!overlap((u64::MAX, 5), (0, 1)));
    }

    #[test]
    fn what_is_no_loop_device_has_no_backing_file() {
        assert_eq!(backing(OsStr::new("/dev/null")), None);
        assert_eq!(backing(OsStr::new("/dev/loop-control")), None);
        assert_eq!(backing(OsStr::new("/etc/passwd")), None);
    }
}
