//! The requests of a loop device, and its name.

use crate::ioctl::{self, LoopInfo};
use crate::{Errno, Result, error::Context, file, number};
use std::ffi::OsStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

pub(super) const LO_FLAGS_READ_ONLY: u32 = 1;
pub(super) const LO_FLAGS_AUTOCLEAR: u32 = 4;
pub(super) const LO_FLAGS_PARTSCAN: u32 = 8;
pub(super) const LO_FLAGS_DIRECT_IO: u32 = 16;

/// What can be changed of a device that has a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopChange {
    /// Its size is that of the file again.
    Capacity,
    /// The file is read and written past the page cache, or through it.
    DirectIo(bool),
    /// The size of its sectors, in bytes.
    BlockSize(u32),
}

/// The number of `/dev/loopN`.
pub fn number_of(path: &OsStr) -> Option<i32> {
    let digits = path.as_bytes().strip_prefix(b"/dev/loop")?;
    number::decimal(digits).and_then(|number| i32::try_from(number).ok())
}

/// Opens a device.
pub(super) fn open_device(path: &OsStr, read_only: bool) -> Result<OwnedFd> {
    let flags = if read_only { libc::O_RDONLY } else { libc::O_RDWR };
    file::open_at(None, path, flags, 0).context("open device", path)
}

/// Tries again for a while what the kernel refuses as long as it writes pages back.
pub(super) fn patiently(call: &mut dyn FnMut() -> core::result::Result<(), Errno>) -> core::result::Result<(), Errno> {
    for _ in 0..16 {
        match call() {
            Err(Errno::EAGAIN) => std::thread::sleep(core::time::Duration::from_millis(100)),
            other => return other,
        }
    }
    call()
}

/// Changes a device.
pub(super) fn changed(fd: BorrowedFd<'_>, change: LoopChange) -> core::result::Result<(), Errno> {
    let (request, name, argument) = match change {
        LoopChange::Capacity => (ioctl::LOOP_SET_CAPACITY, "LOOP_SET_CAPACITY", 0),
        LoopChange::DirectIo(is_on) => (ioctl::LOOP_SET_DIRECT_IO, "LOOP_SET_DIRECT_IO", i32::from(is_on)),
        LoopChange::BlockSize(size) => (ioctl::LOOP_SET_BLOCK_SIZE, "LOOP_SET_BLOCK_SIZE", size.cast_signed()),
    };
    let done = patiently(&mut || ioctl::number(fd, request, argument).map(drop));
    traced!(done, "ioctl({}, {name}, {argument})", fd.as_raw_fd())
}

/// LOOP_CLR_FD.
pub(super) fn clear(device: BorrowedFd<'_>) -> core::result::Result<i32, Errno> {
    let done = ioctl::number(device, ioctl::LOOP_CLR_FD, 0);
    traced!(done, "ioctl({}, LOOP_CLR_FD)", device.as_raw_fd())
}

/// LOOP_GET_STATUS64.
pub(super) fn status(device: BorrowedFd<'_>) -> core::result::Result<LoopInfo, Errno> {
    let mut info = LoopInfo::NONE;
    ioctl::on(device, ioctl::LOOP_GET_STATUS64, &mut info).map(|()| info)
}
