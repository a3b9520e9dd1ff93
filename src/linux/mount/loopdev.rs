//! Loop devices: a regular file as a block device, loop(4).
//!
//! Devices are set up with autoclear: the kernel detaches them with their last user, so a process that is killed
//! leaves none behind.

mod calls;
mod control;
mod device;

pub use calls::LoopChange;
pub use control::{CONTROL, add, change, chosen, detach, devices, devices_of, free_device, named, remove};
pub use device::LoopDevice;

use calls::{LO_FLAGS_AUTOCLEAR, LO_FLAGS_DIRECT_IO, LO_FLAGS_PARTSCAN, LO_FLAGS_READ_ONLY};
use calls::{changed, clear, number_of, open_device, patiently, status};

use crate::ioctl::{self, LoopConfig, LoopInfo};
use crate::trace::{FlagNames, Flags};
use crate::{Errno, Error, Result, error::Context, file, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The part of a file that is wanted as a device, and what kind of device.
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
    /// It is there until somebody detaches it.
    pub stays: bool,
    /// Other devices may have the same part of the file.
    pub may_overlap: bool,
    /// The kernel looks for partitions on it.
    pub partscan: bool,
    /// Past the page cache, if the file can be used so.
    pub direct_io: bool,
    /// The size of its sectors, in bytes; 0: as the kernel likes.
    pub block_size: u32,
    /// What it is called, in place of the file's path.
    pub reference: Option<OsString>,
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
    let (backing, read_only) = open_backing(file, wanted)?;
    if !wanted.may_overlap {
        let identity = stat::of(backing.as_fd()).context("fstat", file)?.identity();
        if let Some(found) = reuse(identity, wanted)? {
            return Ok(found);
        }
    }
    let mut config = config(&backing, file, wanted, read_only);
    let new = |path, fd| Attached { path, is_new: true, autoclear: !wanted.stays, read_only, fd };
    if let Some(path) = &wanted.device {
        let device = open_device(path, read_only)?;
        return Ok(set_up(&device, &mut config).map(|()| new(path.clone(), device))?);
    }
    // Another process may take the free device first: then ask for another.
    for _ in 0..256 {
        let path = free_device()?;
        let device = open_device(&path, read_only)?;
        match set_up(&device, &mut config) {
            Ok(()) => return Ok(new(path, device)),
            Err(error) if error.errno == Errno::EBUSY => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::new("LOOP_CONFIGURE", file, Errno::EBUSY).into())
}

/// Keeps a device that was found until somebody detaches it.
pub fn keep(found: &Attached) -> core::result::Result<(), Errno> {
    let mut info = status(found.fd.as_fd())?;
    info.lo_flags &= !LO_FLAGS_AUTOCLEAR;
    set_status(found.fd.as_fd(), &mut info)
}

fn set_status(fd: BorrowedFd<'_>, info: &mut LoopInfo) -> core::result::Result<(), Errno> {
    let done = patiently(&mut || ioctl::on(fd, ioctl::LOOP_SET_STATUS64, info));
    traced!(done, "ioctl({}, LOOP_SET_STATUS64)", fd.as_raw_fd())
}

fn open_backing(file: &OsStr, wanted: &LoopSpec) -> Result<(OwnedFd, bool)> {
    let direct = if wanted.direct_io { libc::O_DIRECT } else { 0 };
    if !wanted.read_only {
        match file::open_at(None, file, libc::O_RDWR | direct, 0) {
            Ok(fd) => return Ok((fd, false)),
            Err(Errno::EACCES | Errno::EROFS | Errno::EPERM | Errno::ETXTBSY) => {}
            Err(errno) => return Err(Error::new("open", file, errno)),
        }
    }
    Ok((file::open_at(None, file, libc::O_RDONLY | direct, 0).context("open", file)?, true))
}

fn config(backing: &OwnedFd, file: &OsStr, wanted: &LoopSpec, read_only: bool) -> LoopConfig {
    let mut name = [0; 64];
    let absolute = || crate::directory::canonical(file).unwrap_or_else(|_| file.to_os_string());
    let called = wanted.reference.clone().unwrap_or_else(absolute);
    // The last byte stays NUL.
    for (to, from) in name.iter_mut().take(63).zip(called.as_bytes()) {
        *to = *from;
    }
    let flag = |is_set: bool, flag: u32| if is_set { flag } else { 0 };
    let info = LoopInfo {
        lo_offset: wanted.offset,
        lo_sizelimit: wanted.sizelimit,
        lo_flags: flag(!wanted.stays, LO_FLAGS_AUTOCLEAR)
            | flag(read_only, LO_FLAGS_READ_ONLY)
            | flag(wanted.partscan, LO_FLAGS_PARTSCAN)
            | flag(wanted.direct_io, LO_FLAGS_DIRECT_IO),
        lo_file_name: name,
        ..LoopInfo::NONE
    };
    LoopConfig { fd: backing.as_raw_fd().cast_unsigned(), block_size: wanted.block_size, info, reserved: [0; 8] }
}

static FLAG_NAMES: FlagNames = FlagNames {
    bits: &[LO_FLAGS_READ_ONLY, LO_FLAGS_AUTOCLEAR, LO_FLAGS_PARTSCAN, LO_FLAGS_DIRECT_IO],
    names: "READ_ONLY\nAUTOCLEAR\nPARTSCAN\nDIRECT_IO\n",
};

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
        Err(Errno::EINVAL | Errno::ENOTTY) if !knows_configure(fd, config) => {}
        other => return other.context("LOOP_CONFIGURE", ""),
    }
    // Before Linux 5.8 it takes several steps.
    let done = ioctl::number(fd, ioctl::LOOP_SET_FD, config.fd.cast_signed());
    traced!(done, "ioctl({}, LOOP_SET_FD, {})", fd.as_raw_fd(), config.fd).context("LOOP_SET_FD", "")?;
    let done = finish(fd, config);
    if done.is_err() {
        let _ = clear(fd);
    }
    done.context("LOOP_SET_STATUS64", "")
}

/// Whether the kernel has LOOP_CONFIGURE, and what it refused is what was asked for. One that has it looks for the
/// file first, and there is none with this number; one that has not looks at nothing.
fn knows_configure(device: BorrowedFd<'_>, config: &LoopConfig) -> bool {
    let mut nothing = LoopConfig { fd: u32::MAX, block_size: 0, info: config.info, reserved: [0; 8] };
    ioctl::on(device, ioctl::LOOP_CONFIGURE, &mut nothing) == Err(Errno::EBADF)
}

/// What comes behind LOOP_SET_FD.
fn finish(fd: BorrowedFd<'_>, config: &mut LoopConfig) -> core::result::Result<(), Errno> {
    set_status(fd, &mut config.info)?;
    if config.block_size != 0 {
        changed(fd, LoopChange::BlockSize(config.block_size))?;
    }
    if config.info.lo_flags & LO_FLAGS_DIRECT_IO != 0 {
        let _ = changed(fd, LoopChange::DirectIo(true));
    }
    Ok(())
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
    /// Whether the device clears itself.
    pub autoclear: bool,
}

/// The backing file of `/dev/loopN`; `None` if it is no loop device or has none.
pub fn backing(device: &OsStr) -> Option<Backing> {
    number_of(device)?;
    let device = LoopDevice::at(device);
    Some(Backing { file: device.file()?, autoclear: device.autoclear() })
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
