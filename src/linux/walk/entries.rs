//! The entries of a directory: getdents64(2).

use crate::{Errno, file, raw, stat};
use core::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Regular,
    Directory,
    Other,
    /// The file system does not tell: see [`kind_of`].
    Unknown,
}

/// How much of a directory is read at a time, in bytes.
const SIZE: usize = 32 * 1024;

/// The buffer of getdents64(2), aligned as struct linux_dirent64 must be.
#[derive(Default)]
pub(super) struct Buffer {
    words: Vec<u64>,
    used: usize,
}

impl Buffer {
    pub(super) fn new() -> Buffer {
        Buffer { words: vec![0; SIZE / 8], used: 0 }
    }

    /// Reads the next piece. 0: there is no more.
    pub(super) fn read(&mut self, directory: BorrowedFd<'_>) -> Result<usize, Errno> {
        let size = self.words.len() * 8;
        // nix reads with readdir(3), an entry at a time.
        // SAFETY: the buffer is valid for writes of this size.
        let got = unsafe { libc::syscall(libc::SYS_getdents64, directory.as_raw_fd(), self.words.as_mut_ptr(), size) };
        self.used = 0;
        self.used = raw::checked(got)? as usize;
        Ok(self.used)
    }

    /// What was read, without `.` and `..`.
    pub(super) fn entries(&self) -> Entries<'_> {
        // SAFETY: the words are initialised, and any byte of them may be read.
        let bytes = unsafe { core::slice::from_raw_parts(self.words.as_ptr().cast::<u8>(), self.words.len() * 8) };
        Entries { rest: bytes.get(..self.used).unwrap_or_default() }
    }
}

/// The entries of one piece.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
}

/// struct linux_dirent64: inode (8 bytes), offset (8), length (2), type (1), name and NUL.
const LENGTH_AT: usize = 16;
const TYPE_AT: usize = 18;
const NAME_AT: usize = 19;

impl<'a> Iterator for Entries<'a> {
    type Item = (Kind, &'a CStr);

    fn next(&mut self) -> Option<(Kind, &'a CStr)> {
        loop {
            let length = self.rest.get(LENGTH_AT..)?.first_chunk()?;
            let length = usize::from(u16::from_ne_bytes(*length));
            let (entry, rest) = self.rest.split_at_checked(length)?;
            self.rest = rest;
            let name = CStr::from_bytes_until_nul(entry.get(NAME_AT..)?).ok()?;
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match *entry.get(TYPE_AT)? {
                libc::DT_REG => Kind::Regular,
                libc::DT_DIR => Kind::Directory,
                libc::DT_UNKNOWN => Kind::Unknown,
                _ => Kind::Other,
            };
            return Some((kind, name));
        }
    }
}

/// Opens a directory to list it; a symbolic link is `ELOOP` or `ENOTDIR`.
pub(super) fn open_directory(parent: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    file::open_name_at(Some(parent), name, flags, 0)
}

/// Asks what an entry is: fstatat(2).
pub(super) fn kind_of(directory: BorrowedFd<'_>, name: &CStr) -> Kind {
    match stat::at(Some(directory), name, libc::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) if stat.is_regular() => Kind::Regular,
        Ok(stat) if stat.is_directory() => Kind::Directory,
        Ok(_) => Kind::Other,
        Err(_) => Kind::Unknown,
    }
}
