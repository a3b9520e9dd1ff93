//! A file's type, owner and identity, and the size of its file system: stat(2), statvfs(3).

use crate::credentials::{Gid, Uid};
use crate::{Errno, Result, error::Context, raw};
use nix::fcntl::AtFlags;
use std::ffi::{CStr, OsStr};
use std::os::fd::BorrowedFd;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!(
    "ctrbox is for x86_64 and aarch64: elsewhere the kernel's struct stat is not laid out as the C library's"
);

/// The answer of stat(2).
#[derive(Clone, Copy)]
pub struct Stat(libc::stat);

impl Stat {
    /// Whether it is a regular file.
    pub fn is_regular(&self) -> bool {
        self.0.st_mode & libc::S_IFMT == libc::S_IFREG
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.0.st_mode & libc::S_IFMT == libc::S_IFDIR
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.0.st_mode & libc::S_IFMT == libc::S_IFLNK
    }

    /// Whether it is a socket.
    pub fn is_socket(&self) -> bool {
        self.0.st_mode & libc::S_IFMT == libc::S_IFSOCK
    }

    /// Whether it is a block device.
    pub fn is_block_device(&self) -> bool {
        self.0.st_mode & libc::S_IFMT == libc::S_IFBLK
    }

    /// Device and inode: two names with the same pair are the same file.
    pub fn identity(&self) -> (u64, u64) {
        (self.0.st_dev, self.0.st_ino)
    }

    /// For a device node, the device it stands for.
    pub fn device(&self) -> u64 {
        self.0.st_rdev
    }

    /// The inode number.
    pub fn inode(&self) -> u64 {
        self.0.st_ino
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.0.st_size as u64
    }

    /// Permission bits, with set-user-ID, set-group-ID and sticky.
    pub fn mode(&self) -> u32 {
        self.0.st_mode & 0o7777
    }

    /// The owner.
    pub fn uid(&self) -> Uid {
        Uid(self.0.st_uid)
    }

    /// The owning group.
    pub fn gid(&self) -> Gid {
        Gid(self.0.st_gid)
    }
}

/// The major and minor number of a device.
///
/// ```
/// use std::ffi::OsStr;
/// let null = linux::stat::path(OsStr::new("/dev/null"))?;
/// assert_eq!(linux::stat::numbers(null.device()), (1, 3));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn numbers(device: u64) -> (u32, u32) {
    (libc::major(device), libc::minor(device))
}

/// fstat(2).
pub fn of(fd: BorrowedFd<'_>) -> core::result::Result<Stat, Errno> {
    nix::sys::stat::fstat(fd).map(Stat).map_err(Errno::from)
}

/// The type of the file system that a file is on, as statfs(2) numbers them (`f_type`).
pub fn file_system(fd: BorrowedFd<'_>) -> core::result::Result<i64, Errno> {
    let answer = nix::sys::statfs::fstatfs(fd)?;
    #[allow(clippy::unnecessary_cast)] // musl's number is unsigned.
    Ok(answer.filesystem_type().0 as i64)
}

/// The ST_* flags of the mount that a file is on: fstatvfs(3).
pub fn mount_flags(fd: BorrowedFd<'_>) -> core::result::Result<u64, Errno> {
    Ok(nix::sys::statvfs::fstatvfs(fd)?.flags().bits())
}

/// What a file system has room for, as statvfs(3) counts it.
pub struct Room {
    /// The size of a block, in bytes.
    pub unit: u64,
    /// All blocks, the free ones, and those of them that users other than root may take.
    pub blocks: [u64; 3],
    /// All inodes, the free ones, and those of them that users other than root may take.
    pub inodes: [u64; 3],
}

/// The room of the file system at `path`: statvfs(3).
///
/// ```
/// assert!(linux::stat::room(std::ffi::OsStr::new("/"))?.unit > 0);
/// # Ok::<(), linux::Error>(())
/// ```
#[allow(clippy::unnecessary_cast, clippy::useless_conversion)] // The C libraries' types differ.
pub fn room(path: &OsStr) -> Result<Room> {
    let path = raw::cstring(path).context("statvfs", path)?;
    let told = nix::sys::statvfs::statvfs(path.as_c_str()).map_err(Errno::from).context("statvfs", "")?;
    Ok(Room {
        unit: told.fragment_size() as u64,
        blocks: [told.blocks(), told.blocks_free(), told.blocks_available()].map(u64::from),
        inodes: [told.files(), told.files_free(), told.files_available()].map(u64::from),
    })
}

/// stat(2): symbolic links are followed.
///
/// ```
/// use std::ffi::OsStr;
/// assert!(linux::stat::path(OsStr::new("/"))?.is_directory());
/// assert!(linux::stat::link(OsStr::new("/proc/self"))?.is_symlink());
/// # Ok::<(), linux::Error>(())
/// ```
pub fn path(path: &OsStr) -> Result<Stat> {
    by_name(None, path, 0).context("stat", path)
}

/// lstat(2): a symbolic link itself.
pub fn link(path: &OsStr) -> Result<Stat> {
    by_name(None, path, libc::AT_SYMLINK_NOFOLLOW).context("lstat", path)
}

/// fstatat(2) from a directory: symbolic links are followed.
pub fn below(directory: BorrowedFd<'_>, path: &OsStr) -> core::result::Result<Stat, Errno> {
    by_name(Some(directory), path, 0)
}

/// [`below`] of a symbolic link itself.
pub fn link_below(directory: BorrowedFd<'_>, path: &OsStr) -> core::result::Result<Stat, Errno> {
    by_name(Some(directory), path, libc::AT_SYMLINK_NOFOLLOW)
}

fn by_name(directory: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32) -> core::result::Result<Stat, Errno> {
    at(directory, &raw::cstring(path)?, flags)
}

/// fstatat(2).
pub(crate) fn at(directory: Option<BorrowedFd<'_>>, path: &CStr, flags: i32) -> core::result::Result<Stat, Errno> {
    let flags = AtFlags::from_bits_retain(flags);
    nix::sys::stat::fstatat(raw::from_directory(directory), path, flags).map(Stat).map_err(Errno::from)
}
