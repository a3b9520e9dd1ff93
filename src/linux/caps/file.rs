//! File capabilities: the extended attribute `security.capability`, capabilities(7).
//!
//! A file is opened once, as O_PATH and without following a symbolic link. Checks and changes all use that descriptor,
//! so that the file that was checked is the file that is changed.

use crate::caps::{CapSet, Sets};
use crate::stat::{self, Stat};
use crate::trace::Quoted;
use crate::{Errno, raw, xattr};
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};

/// The largest value of any revision, in bytes.
const LARGEST: usize = 24;
/// Room for a value when it is read.
pub(crate) const LONGEST: usize = 64;
const REVISION_1: u32 = 0x0100_0000;
const REVISION_2: u32 = 0x0200_0000;
const REVISION_3: u32 = 0x0300_0000;
const REVISION_MASK: u32 = 0xff00_0000;
const EFFECTIVE: u32 = 1;

/// What a file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCapabilities {
    /// The permitted and inheritable sets. The effective set is their union or empty, since the file has one bit for
    /// it.
    pub sets: Sets,
    /// The rootid: the uid, as our user namespace maps it, of the root in whose user namespaces the capabilities
    /// count. 0: in ours.
    pub rootid: u32,
}

/// Reads the attribute's value, in revision 1, 2 or 3. `EINVAL` if revision and length do not agree.
///
/// ```
/// use linux::Errno;
/// use linux::caps::file::{FileCapabilities, decode, encode};
/// let file = FileCapabilities { rootid: 1000, ..FileCapabilities::default() };
/// assert_eq!(decode(&encode(&file)?), Ok(file));
/// assert_eq!(decode(b"no such thing"), Err(Errno::EINVAL));
/// # Ok::<(), Errno>(())
/// ```
pub fn decode(value: &[u8]) -> Result<FileCapabilities, Errno> {
    let word = |index: usize| {
        let bytes = value.get(index * 4..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let set = |low: usize, high: Option<usize>| {
        let high = high.map_or(Some(0), word)?;
        Some(CapSet(u64::from(word(low)?) | u64::from(high) << 32))
    };
    let magic = word(0).ok_or(Errno::EINVAL)?;
    let (permitted, inheritable, rootid) = match (magic & REVISION_MASK, value.len()) {
        (REVISION_1, 12) => (set(1, None), set(2, None), Some(0)),
        (REVISION_2, 20) => (set(1, Some(3)), set(2, Some(4)), Some(0)),
        (REVISION_3, 24) => (set(1, Some(3)), set(2, Some(4)), word(5)),
        _ => return Err(Errno::EINVAL),
    };
    let (Some(permitted), Some(inheritable), Some(rootid)) = (permitted, inheritable, rootid) else {
        return Err(Errno::EINVAL);
    };
    let effective = if magic & EFFECTIVE != 0 { permitted | inheritable } else { CapSet::EMPTY };
    Ok(FileCapabilities { sets: Sets { effective, permitted, inheritable }, rootid })
}

/// Encodes the attribute's value: revision 2, or 3 for a rootid other than 0.
///
/// `EINVAL` if only some of the permitted and inheritable capabilities are effective, since the file has one effective
/// bit for all. Effective capabilities that are neither permitted nor inheritable are dropped.
pub fn encode(file: &FileCapabilities) -> Result<Vec<u8>, Errno> {
    let Sets { effective, permitted, inheritable } = file.sets;
    if !effective.is_empty() && !((permitted | inheritable) & !effective).is_empty() {
        return Err(Errno::EINVAL);
    }
    let revision = if file.rootid == 0 { REVISION_2 } else { REVISION_3 };
    let magic = revision | if !effective.is_empty() { EFFECTIVE } else { 0 };
    let mut value = Vec::with_capacity(LARGEST);
    let (permitted, inheritable) = (permitted.0, inheritable.0);
    for word in [magic, permitted as u32, inheritable as u32, (permitted >> 32) as u32, (inheritable >> 32) as u32] {
        value.extend_from_slice(&word.to_le_bytes());
    }
    if file.rootid != 0 {
        value.extend_from_slice(&file.rootid.to_le_bytes());
    }
    Ok(value)
}

/// Reads the capabilities at a path, without following a symbolic link. Errors: those of lgetxattr(2), with `ENODATA`
/// and `EOPNOTSUPP` as in [`File::get`]. Only for printing: before a change the path may lead to another file.
pub fn at(path: &OsStr) -> Result<FileCapabilities, Errno> {
    let mut value = [0; LONGEST];
    decode_read(xattr::get_of_link(&raw::cstring(path)?, &mut value), &value)
}

/// Decodes a value of the length that was read.
pub(crate) fn decode_read(got: Result<usize, Errno>, value: &[u8; LONGEST]) -> Result<FileCapabilities, Errno> {
    match got {
        Ok(length) => decode(value.get(..length).unwrap_or_default()),
        // Longer than any revision.
        Err(Errno::ERANGE) => Err(Errno::EINVAL),
        Err(errno) => Err(errno),
    }
}

/// A file opened by path only.
pub struct File {
    fd: OwnedFd,
    path: OsString,
    stat: Stat,
}

impl File {
    /// Opens a file, or the symbolic link itself: the errors of openat(2).
    pub fn open(path: &OsStr) -> Result<File, Errno> {
        File::open_with(path, libc::O_NOFOLLOW)
    }

    /// Opens a file, following a symbolic link.
    pub fn open_target(path: &OsStr) -> Result<File, Errno> {
        File::open_with(path, 0)
    }

    fn open_with(path: &OsStr, flags: i32) -> Result<File, Errno> {
        let fd = crate::file::open_at(None, path, libc::O_PATH | flags, 0)?;
        let stat = stat::of(fd.as_fd())?;
        Ok(File { fd, path: path.to_os_string(), stat })
    }

    /// Whether it is a regular file; nothing else can have capabilities.
    pub fn is_regular(&self) -> bool {
        self.stat.is_regular()
    }

    /// Reads its capabilities. `ENODATA`: it has none. `EOPNOTSUPP`: the file system cannot store any.
    pub fn get(&self) -> Result<FileCapabilities, Errno> {
        let mut value = [0; LONGEST];
        let got = match xattr::get(&self.inode()?, &mut value) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => xattr::get_of_open(self.readable()?.as_fd(), &mut value),
            got => got,
        };
        decode_read(got, &value)
    }

    /// Replaces its capabilities by these. Needs CAP_SETFCAP. `EINVAL`: it is not a regular file, or [`encode`]
    /// refuses them.
    pub fn set(&self, file: &FileCapabilities) -> Result<(), Errno> {
        if !self.stat.is_regular() {
            return Err(Errno::EINVAL);
        }
        let value = encode(file)?;
        let done = match xattr::set(&self.inode()?, &value) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => {
                self.readable().and_then(|readable| xattr::set_on_open(readable.as_fd(), &value))
            }
            done => done,
        };
        traced!(
            done,
            "setxattr({}, \"security.capability\", \"{}\" rootid={}, {}, 0)",
            Quoted::new(&self.path),
            crate::caps::print(&file.sets, crate::caps::count()),
            file.rootid,
            value.len()
        )
    }

    /// Removes its capabilities. `ENODATA`: it has none. `EINVAL`: it is not a regular file.
    pub fn remove(&self) -> Result<(), Errno> {
        if !self.stat.is_regular() {
            return Err(Errno::EINVAL);
        }
        let done = match xattr::remove(&self.inode()?) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => {
                self.readable().and_then(|readable| xattr::remove_from_open(readable.as_fd()))
            }
            done => done,
        };
        traced!(done, "removexattr({}, \"security.capability\")", Quoted::new(&self.path))
    }

    /// The path of the descriptor in /proc/self/fd, which leads to the open inode even if the file was renamed: the
    /// calls that take a descriptor refuse an O_PATH one. Without a proc (`ENOENT`, `ENOTDIR`) use [`File::readable`].
    fn inode(&self) -> Result<CString, Errno> {
        raw::cstring(&raw::path_of_descriptor(self.fd.as_fd()))
    }

    /// The same inode, opened to read; `ESTALE` if another file has taken its name.
    fn readable(&self) -> Result<OwnedFd, Errno> {
        if !self.stat.is_regular() {
            return Err(Errno::ENODATA);
        }
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
        let fd = crate::file::open_at(None, &self.path, flags, 0)?;
        if stat::of(fd.as_fd())?.identity() != self.stat.identity() {
            return Err(Errno::ESTALE);
        }
        Ok(fd)
    }

    /// The type of its file system, as statfs(2) numbers them (`f_type`).
    pub fn file_system(&self) -> Result<i64, Errno> {
        stat::file_system(self.fd.as_fd())
    }

    /// Whether its mount is nosuid, which makes execve(2) ignore file capabilities.
    pub fn is_on_nosuid(&self) -> Result<bool, Errno> {
        Ok(stat::mount_flags(self.fd.as_fd())? & libc::ST_NOSUID != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(effective: u64, permitted: u64, inheritable: u64, rootid: u32) -> FileCapabilities {
        let sets =
            Sets { effective: CapSet(effective), permitted: CapSet(permitted), inheritable: CapSet(inheritable) };
        FileCapabilities { sets, rootid }
    }

    #[test]
    fn the_value_is_what_the_kernel_stores() {
        let syslog = 1 << 34;
        let value = encode(&file(1 | syslog, 1 | syslog, 0, 0)).unwrap();
        let words: Vec<u32> = value.chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        assert_eq!(words, [0x0200_0001, 1, 0, 4, 0]);
        assert_eq!(encode(&file(0, 1, 0, 1000)).unwrap().len(), 24);
        assert_eq!(encode(&file(0, 0, 0, 0)).unwrap().len(), 20);
    }

    #[test]
    fn some_but_not_all_effective_cannot_be_stored() {
        assert_eq!(encode(&file(1, 3, 0, 0)), Err(Errno::EINVAL));
        assert_eq!(encode(&file(1, 1, 2, 0)), Err(Errno::EINVAL));
        assert!(encode(&file(3, 1, 0, 0)).is_ok());
        assert!(encode(&file(0, 3, 0, 0)).is_ok());
    }

    #[test]
    fn revision_and_length_must_agree() {
        let revision_1: Vec<u8> = [0x0100_0001_u32, 5, 2].iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(decode(&revision_1), Ok(file(7, 5, 2, 0)));
        let revision_3 = encode(&file(1, 1, 0, 70_000)).unwrap();
        assert_eq!(decode(&revision_3), Ok(file(1, 1, 0, 70_000)));
        for length in 0..revision_3.len() {
            assert_eq!(decode(&revision_3[..length]), Err(Errno::EINVAL));
        }
        assert_eq!(decode(&[0; 20]), Err(Errno::EINVAL));
    }

    #[test]
    fn what_is_stored_reads_back() {
        let mut seed = 3_u64;
        for _ in 0..5_000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (permitted, inheritable) = (seed, seed.rotate_left(23) & seed.rotate_left(7));
            for effective in [0, permitted | inheritable] {
                let original = file(effective, permitted, inheritable, seed as u32 & 3);
                assert_eq!(decode(&encode(&original).unwrap()), Ok(original));
            }
        }
    }
}
