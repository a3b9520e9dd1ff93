//! Requests of ioctl(2), each with the type of its argument: ioctl_nsfs(2), loop(4), ioctl_tty(2).
//!
//! nix makes one unsafe function of each request. Here the requests are a table, and two safe functions make them.

use crate::{Errno, raw};
use core::ffi::c_int;
use core::marker::PhantomData;
use libc::Ioctl;
use nix::{request_code_none, request_code_read, request_code_readwrite};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// A request that takes no address: at most a number.
#[derive(Clone, Copy)]
pub(crate) struct Number(Ioctl);

/// A request that reads or writes one `T`. Every bit pattern of `T` must be valid.
#[derive(Clone, Copy)]
pub(crate) struct On<T>(Ioctl, PhantomData<T>);

impl<T> On<T> {
    const fn new(request: Ioctl) -> On<T> {
        On(request, PhantomData)
    }
}

pub(crate) const NS_GET_USERNS: Number = Number(request_code_none!(0xb7, 1));
pub(crate) const NS_GET_PARENT: Number = Number(request_code_none!(0xb7, 2));
pub(crate) const NS_GET_NSTYPE: Number = Number(request_code_none!(0xb7, 3));
/// Writes a user number.
pub(crate) const NS_GET_OWNER_UID: On<u32> = On::new(request_code_none!(0xb7, 4));
/// Writes the id of a namespace.
pub(crate) const NS_GET_ID: On<u64> = On::new(request_code_read!(0xb7, 13, 8));
pub(crate) const SIOCGSKNS: Number = Number(0x894c);

/// Takes the backing file's descriptor.
pub(crate) const LOOP_SET_FD: Number = Number(0x4c00);
pub(crate) const LOOP_CLR_FD: Number = Number(0x4c01);
pub(crate) const LOOP_SET_STATUS64: On<LoopInfo> = On::new(0x4c04);
pub(crate) const LOOP_GET_STATUS64: On<LoopInfo> = On::new(0x4c05);
/// Reads the size of the backing file again.
pub(crate) const LOOP_SET_CAPACITY: Number = Number(0x4c07);
/// Takes 1 or 0.
pub(crate) const LOOP_SET_DIRECT_IO: Number = Number(0x4c08);
/// Takes a number of bytes.
pub(crate) const LOOP_SET_BLOCK_SIZE: Number = Number(0x4c09);
pub(crate) const LOOP_CONFIGURE: On<LoopConfig> = On::new(0x4c0a);
/// Each takes the number of a device.
pub(crate) const LOOP_CTL_ADD: Number = Number(0x4c80);
pub(crate) const LOOP_CTL_REMOVE: Number = Number(0x4c81);
pub(crate) const LOOP_CTL_GET_FREE: Number = Number(0x4c82);

/// Takes the number of a slot, INT_MAX for the present one.
pub(crate) const CDROM_DRIVE_STATUS: Number = Number(0x5326);
pub(crate) const BTRFS_IOC_TREE_SEARCH: On<BtrfsSearch> = On::new(request_code_readwrite!(0x94, 17, 4096));
/// Each returns a number, see <linux/fs.h>: logical sector size, alignment offset, minimum and optimal I/O size,
/// physical sector size, and the disk sequence number.
pub(crate) const BLKSSZGET: On<u32> = On::new(request_code_none!(0x12, 104));
pub(crate) const BLKALIGNOFF: On<u32> = On::new(request_code_none!(0x12, 122));
pub(crate) const BLKIOMIN: On<u32> = On::new(request_code_none!(0x12, 120));
pub(crate) const BLKIOOPT: On<u32> = On::new(request_code_none!(0x12, 121));
pub(crate) const BLKPBSZGET: On<u32> = On::new(request_code_none!(0x12, 123));
pub(crate) const BLKGETDISKSEQ: On<u64> = On::new(request_code_read!(0x12, 128, 8));
/// struct winsize.
pub(crate) const TIOCGWINSZ: On<[u16; 4]> = On::new(libc::TIOCGWINSZ);

/// struct loop_info64 of <linux/loop.h>.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct LoopInfo {
    pub lo_device: u64,
    pub lo_inode: u64,
    pub lo_rdevice: u64,
    pub lo_offset: u64,
    pub lo_sizelimit: u64,
    pub lo_number: u32,
    pub lo_encrypt_type: u32,
    pub lo_encrypt_key_size: u32,
    pub lo_flags: u32,
    pub lo_file_name: [u8; 64],
    pub lo_crypt_name: [u8; 64],
    pub lo_encrypt_key: [u8; 32],
    pub lo_init: [u64; 2],
}

impl LoopInfo {
    /// With nothing set.
    pub(crate) const NONE: LoopInfo = LoopInfo {
        lo_device: 0,
        lo_inode: 0,
        lo_rdevice: 0,
        lo_offset: 0,
        lo_sizelimit: 0,
        lo_number: 0,
        lo_encrypt_type: 0,
        lo_encrypt_key_size: 0,
        lo_flags: 0,
        lo_file_name: [0; 64],
        lo_crypt_name: [0; 64],
        lo_encrypt_key: [0; 32],
        lo_init: [0; 2],
    };
}

/// struct loop_config of <linux/loop.h>.
#[repr(C)]
pub(crate) struct LoopConfig {
    pub fd: u32,
    pub block_size: u32,
    pub info: LoopInfo,
    pub reserved: [u64; 8],
}

/// struct btrfs_ioctl_search_args of <linux/btrfs.h>: a search key of 104 bytes and the buffer for the results.
#[repr(C)]
pub(crate) struct BtrfsSearch {
    pub tree_id: u64,
    pub min_objectid: u64,
    pub max_objectid: u64,
    pub min_offset: u64,
    pub max_offset: u64,
    pub min_transid: u64,
    pub max_transid: u64,
    pub min_type: u32,
    pub max_type: u32,
    pub nr_items: u32,
    pub unused: [u32; 9],
    pub found: [u8; 3992],
}

/// Makes a request that takes a number; the answer is the kernel's.
pub(crate) fn number(fd: BorrowedFd<'_>, request: Number, argument: c_int) -> Result<c_int, Errno> {
    // SAFETY: no request of this type takes an address.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), request.0, libc::c_ulong::from(argument.cast_unsigned())) };
    if done < 0 { Err(Errno::last()) } else { Ok(done) }
}

/// [`number`] of a request that returns a new descriptor.
pub(crate) fn open(fd: BorrowedFd<'_>, request: Number) -> Result<OwnedFd, Errno> {
    number(fd, request, 0).and_then(raw::owned)
}

/// Makes a request about one `T`.
pub(crate) fn on<T>(fd: BorrowedFd<'_>, request: On<T>, about: &mut T) -> Result<(), Errno> {
    // SAFETY: the request reads or writes one `T` at most, which `about` is, and any bytes are a valid one.
    let done = unsafe { libc::ioctl(fd.as_raw_fd(), request.0, core::ptr::from_mut(about)) };
    if done < 0 { Err(Errno::last()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_long_as_the_kernels() {
        assert_eq!((size_of::<LoopInfo>(), size_of::<LoopConfig>(), size_of::<BtrfsSearch>()), (232, 304, 4096));
    }

    #[test]
    fn the_requests_have_the_kernels_numbers() {
        assert_eq!((NS_GET_USERNS.0, NS_GET_OWNER_UID.0), (0xb701, 0xb704));
        assert_eq!((NS_GET_ID.0 as u32, BTRFS_IOC_TREE_SEARCH.0 as u32), (0x8008_b70d, 0xd000_9411));
    }
}
