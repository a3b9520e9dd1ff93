//! One mount by its number, without reading the whole table: statx(2) for the
//! number, statmount(2) and listmount(2) (Linux 6.8) for the rest.

use super::api::{AT_EMPTY_PATH, At};
use crate::filtered::unless_filtered;
use crate::{Errno, Result, error::Context, file, mount, raw};
use core::ffi::c_long;
use core::mem::MaybeUninit;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

const SYS_STATMOUNT: c_long = 457;
const SYS_LISTMOUNT: c_long = 458;

const STATX_MNT_ID: u32 = 0x1000;
const STATX_MNT_ID_UNIQUE: u32 = 0x4000;
const STATX_ATTR_MOUNT_ROOT: u64 = 0x2000;

pub(super) const STATMOUNT_SB_BASIC: u64 = 0x1;
pub(super) const STATMOUNT_MNT_BASIC: u64 = 0x2;
pub(super) const STATMOUNT_MNT_ROOT: u64 = 0x8;
pub(super) const STATMOUNT_MNT_POINT: u64 = 0x10;
pub(super) const STATMOUNT_FS_TYPE: u64 = 0x20;
pub(super) const STATMOUNT_MNT_OPTS: u64 = 0x80;
pub(super) const STATMOUNT_FS_SUBTYPE: u64 = 0x100;
pub(super) const STATMOUNT_SB_SOURCE: u64 = 0x200;

/// The numbers of the mount that a path is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountId {
    /// The number in mountinfo, which the kernel reuses after an unmount; 0 if the kernel does not report it.
    pub id: u64,
    /// The unique number, which is never reused (Linux 6.8); 0 if the kernel does not report it.
    pub unique: u64,
    /// Whether the path is the root of that mount; `None` if the kernel does not report it (before Linux 5.8).
    pub is_root: Option<bool>,
}

/// The mount that `path` is on, with both numbers: statx(2), two calls because the kernel gives one at a time.
/// `flags` are AT_ bits; automounts are not triggered.
pub fn mount_id(at: At<'_>, path: &OsStr, flags: u64) -> Result<MountId> {
    let mut found = mountinfo_id(at, path, flags)?;
    found.unique = unique_id(at, path, flags)?.unique;
    Ok(found)
}

/// [`mount_id`] without the number in mountinfo: one statx(2).
pub fn unique_id(at: At<'_>, path: &OsStr, flags: u64) -> Result<MountId> {
    let found = statx(at, path, flags, STATX_MNT_ID_UNIQUE).context("statx", path)?;
    let unique = if found.stx_mask & STATX_MNT_ID_UNIQUE != 0 { found.stx_mnt_id } else { 0 };
    Ok(MountId { id: 0, unique, is_root: is_root(&found) })
}

fn is_root(found: &libc::statx) -> Option<bool> {
    let is_told = found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT != 0;
    is_told.then_some(found.stx_attributes & STATX_ATTR_MOUNT_ROOT != 0)
}

/// [`mount_id`] without the unique number: one statx(2).
pub fn mountinfo_id(at: At<'_>, path: &OsStr, flags: u64) -> Result<MountId> {
    let old = statx(at, path, flags, STATX_MNT_ID).context("statx", path)?;
    let mut found = MountId { id: 0, unique: 0, is_root: is_root(&old) };
    if old.stx_mask & STATX_MNT_ID != 0 {
        found.id = old.stx_mnt_id;
    }
    Ok(found)
}

/// The number in mountinfo of the mount that a descriptor is on; before Linux 5.8 from /proc.
pub fn id_of(file: BorrowedFd<'_>) -> Result<u64> {
    let found = mountinfo_id(Some(file), OsStr::new(""), AT_EMPTY_PATH).map_or(0, |found| found.id);
    if found != 0 {
        return Ok(found);
    }
    let text = file::read_file(format!("/proc/self/fdinfo/{}", file.as_raw_fd()), 4096)?;
    let mut lines = text.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"mnt_id:"));
    let id = lines.next().and_then(|id| crate::number::in_base(id.trim_ascii(), 10));
    id.ok_or_else(|| crate::Error::new("statx", "", Errno::ENOSYS))
}

/// Whether two descriptors are on the same mount, in any namespace. If the kernel reports no mount numbers, whether
/// they are on the same file system.
pub fn is_same_mount(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> bool {
    match (id_of(one), id_of(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => match (crate::stat::of(one), crate::stat::of(other)) {
            (Ok(one), Ok(other)) => one.identity().0 == other.identity().0,
            _ => false,
        },
    }
}

fn statx(at: At<'_>, path: &OsStr, flags: u64, mask: u32) -> core::result::Result<libc::statx, Errno> {
    let path = raw::cstring(path)?;
    let at = at.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd());
    let flags = flags as i32 | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
    let mut buffer = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: `path` is NUL-terminated, `buffer` is valid for a write of a struct statx.
    let done = unsafe { libc::syscall(libc::SYS_statx, at, path.as_ptr(), flags, mask, buffer.as_mut_ptr()) };
    raw::checked(done).map_err(|errno| unless_filtered(libc::SYS_statx, errno))?;
    // SAFETY: the buffer was zeroed and all zero is a valid struct statx.
    Ok(unsafe { buffer.assume_init() })
}

/// struct mnt_id_req of <linux/mount.h>, its first version.
#[repr(C)]
struct Request {
    size: u32,
    spare: u32,
    mnt_id: u64,
    param: u64,
}

const REQUEST_SIZE: u32 = 24;

/// The fixed part of struct statmount, 512 bytes; strings follow it.
const HEADER: usize = 512;
pub(super) const OFFSET_MNT_OPTS: usize = 4;
pub(super) const OFFSET_MASK: usize = 8;
pub(super) const OFFSET_SB_FLAGS: usize = 32;
pub(super) const OFFSET_FS_TYPE: usize = 36;
pub(super) const OFFSET_MNT_ID_OLD: usize = 56;
pub(super) const OFFSET_MNT_ROOT: usize = 104;
pub(super) const OFFSET_MNT_POINT: usize = 108;
pub(super) const OFFSET_FS_SUBTYPE: usize = 120;
pub(super) const OFFSET_SB_SOURCE: usize = 124;

/// The file system type of a mount, `TYPE` or `TYPE.SUBTYPE`, and its number in mountinfo. ENOSYS before Linux 6.8.
pub fn type_and_id(unique: u64) -> Result<(OsString, u64)> {
    const MASK: u64 = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_FS_TYPE | STATMOUNT_FS_SUBTYPE;
    let buffer = ask(unique, MASK, 512)?;
    let mut name = string_at(&buffer, OFFSET_FS_TYPE);
    if number(&buffer, OFFSET_MASK, 8) & STATMOUNT_FS_SUBTYPE != 0 {
        let subtype = string_at(&buffer, OFFSET_FS_SUBTYPE);
        if !subtype.is_empty() {
            name.push(b'.');
            name.extend_from_slice(&subtype);
        }
    }
    Ok((OsString::from_vec(name), number(&buffer, OFFSET_MNT_ID_OLD, 4)))
}

/// The mount point of a mount, seen from our root. ENOSYS before Linux 6.8; `ENOENT` if it is not in our mount
/// namespace.
pub fn mount_point(unique: u64) -> Result<OsString> {
    // A path is at most PATH_MAX long.
    Ok(OsString::from_vec(string_at(&ask(unique, STATMOUNT_MNT_POINT, 4096)?, OFFSET_MNT_POINT)))
}

/// The root of a mount in its file system, and its source, as in mountinfo. `None` if the kernel does not report both
/// (before Linux 6.13).
pub fn root_and_source(unique: u64) -> Option<(OsString, OsString)> {
    const BOTH: u64 = STATMOUNT_MNT_ROOT | STATMOUNT_SB_SOURCE;
    let buffer = ask(unique, BOTH, 8192).ok()?;
    let [root, source] = [OFFSET_MNT_ROOT, OFFSET_SB_SOURCE].map(|field| OsString::from_vec(string_at(&buffer, field)));
    (number(&buffer, OFFSET_MASK, 8) & BOTH == BOTH && !root.is_empty() && !source.is_empty()).then_some((root, source))
}

/// The options of the file system that a descriptor is on, as in mountinfo. `None` if the kernel does not report them
/// (before Linux 6.11), or if it has flags only.
pub fn super_options(file: BorrowedFd<'_>) -> Option<Vec<u8>> {
    let unique = mount_id(Some(file), OsStr::new(""), AT_EMPTY_PATH).ok()?.unique;
    let buffer = ask(unique, STATMOUNT_SB_BASIC | STATMOUNT_MNT_OPTS, 4096).ok()?;
    if number(&buffer, OFFSET_MASK, 8) & STATMOUNT_MNT_OPTS == 0 {
        return None;
    }
    let mut text = Vec::new();
    append_super_flags(&buffer, &mut text);
    text.push(b',');
    text.extend_from_slice(&string_at(&buffer, OFFSET_MNT_OPTS));
    Some(text)
}

/// Appends the flags of the file system as mountinfo has them: `rw,sync`.
pub(super) fn append_super_flags(buffer: &[u8], text: &mut Vec<u8>) {
    const FLAGS: [(u64, u64); 4] = [
        (mount::MS_SYNCHRONOUS, mount::MS_SYNCHRONOUS),
        (mount::MS_DIRSYNC, mount::MS_DIRSYNC),
        (mount::MS_MANDLOCK, mount::MS_MANDLOCK),
        (mount::MS_LAZYTIME, mount::MS_LAZYTIME),
    ];
    append_options(number(buffer, OFFSET_SB_FLAGS, 4), mount::MS_RDONLY, &FLAGS, "sync dirsync mand lazytime", text);
}

/// Appends whether it is read-only, and the names of what is set: of which bits which.
pub(super) fn append_options(flags: u64, read_only: u64, told: &[(u64, u64)], names: &str, text: &mut Vec<u8>) {
    text.extend_from_slice(if flags & read_only == 0 { b"rw" } else { b"ro" });
    for ((bits, set), name) in told.iter().zip(names.split(' ')) {
        if flags & bits == *set {
            text.push(b',');
            text.extend_from_slice(name.as_bytes());
        }
    }
}

/// Calls statmount(2) for the header, and `room` bytes for the strings requested.
fn ask(unique: u64, mask: u64, room: usize) -> Result<Vec<u8>> {
    let mut buffer = vec![0_u8; HEADER + room];
    ask_into(unique, mask, &mut buffer).context("statmount", "").map(|()| buffer)
}

/// statmount(2) into a buffer that is used again.
pub(super) fn ask_into(unique: u64, mask: u64, buffer: &mut [u8]) -> core::result::Result<(), Errno> {
    let request = Request { size: REQUEST_SIZE, spare: 0, mnt_id: unique, param: mask };
    let pointer: *const Request = &request;
    // SAFETY: `request` is valid for reads, `buffer` for writes of its length.
    let done = unsafe { libc::syscall(SYS_STATMOUNT, pointer, buffer.as_mut_ptr(), buffer.len(), 0) };
    raw::checked(done).map(drop).map_err(|errno| unless_filtered(SYS_STATMOUNT, errno))
}

/// A little field of the header, as the machine orders bytes.
pub(super) fn number(buffer: &[u8], offset: usize, size: usize) -> u64 {
    let mut value = [0_u8; 8];
    let field = buffer.get(offset..offset + size).unwrap_or_default();
    if cfg!(target_endian = "little") {
        for (to, from) in value.iter_mut().zip(field) {
            *to = *from;
        }
        return u64::from_le_bytes(value);
    }
    for (to, from) in value.iter_mut().rev().zip(field.iter().rev()) {
        *to = *from;
    }
    u64::from_be_bytes(value)
}

fn string_at(buffer: &[u8], field: usize) -> Vec<u8> {
    text_at(buffer, field).to_vec()
}

/// The string that a field of the header leads to.
pub(super) fn text_at(buffer: &[u8], field: usize) -> &[u8] {
    let start = HEADER + number(buffer, field, 4) as usize;
    let text = buffer.get(start..).unwrap_or_default();
    text.get(..raw::find_byte(0, text).unwrap_or(text.len())).unwrap_or_default()
}

/// The unique numbers of every mount below `parent`, at any depth, oldest first: listmount(2).
/// ENOSYS before Linux 6.8.
pub fn list_below(parent: u64) -> Result<Vec<u64>> {
    let mut found: Vec<u64> = Vec::new();
    let mut chunk = [0_u64; 512];
    loop {
        let last = found.last().copied().unwrap_or(0);
        let request = Request { size: REQUEST_SIZE, spare: 0, mnt_id: parent, param: last };
        let pointer: *const Request = &request;
        // SAFETY: `request` is valid for reads, `chunk` for writes of its length.
        let got = unsafe { libc::syscall(SYS_LISTMOUNT, pointer, chunk.as_mut_ptr(), chunk.len(), 0) };
        let got =
            raw::checked(got).map_err(|errno| unless_filtered(SYS_LISTMOUNT, errno)).context("listmount", "")? as usize;
        found.extend_from_slice(chunk.get(..got).unwrap_or_default());
        if got < chunk.len() {
            return Ok(found);
        }
    }
}

/// The mounts of our mount namespace by their numbers in mountinfo, to check one at a time whether it still exists.
pub struct Mounts(Vec<(u32, usize)>);

impl Mounts {
    /// Those that are there now. ENOSYS before Linux 6.8.
    pub fn now() -> Result<Mounts> {
        // LSMT_ROOT: below the root of the namespace.
        let mut mounts = Vec::new();
        for unique in list_below(u64::MAX)? {
            if let Ok(buffer) = ask(unique, STATMOUNT_MNT_BASIC, 0) {
                mounts.push((number(&buffer, OFFSET_MNT_ID_OLD, 4) as u32, unique as usize));
            }
        }
        mounts.sort_unstable();
        Ok(Mounts(mounts))
    }

    /// Whether the mount with this number was there then, and is still.
    pub fn has(&self, id: u32) -> bool {
        let found = self.0.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|place| self.0.get(place));
        // Whatever else is wrong, only ENOENT says that it is gone.
        found.is_some_and(|(_, unique)| !ask(*unique as u64, 0, 0).is_err_and(|error| error.errno == Errno::ENOENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_a_mount_of_type_proc() {
        let found = mount_id(None, OsStr::new("/proc"), 0).expect("statx");
        assert_ne!(found.is_root, Some(false));
        if found.unique == 0 {
            return;
        }
        match type_and_id(found.unique) {
            Ok(told) => assert_eq!(told, (OsString::from("proc"), found.id)),
            Err(error) => assert_eq!(error.errno, Errno::ENOSYS),
        }
    }

    #[test]
    fn a_mounts_root_and_source_are_those_of_the_table() {
        let found = mount_id(None, OsStr::new("/proc"), 0).expect("statx");
        let table = crate::mount::table::Table::read().expect("mountinfo");
        let entry = table.find_id(found.id as u32).expect("an entry");
        if let Some((root, source)) = root_and_source(found.unique) {
            assert_eq!((root, source), (entry.root_path(), entry.source_text()));
        }
    }

    #[test]
    fn a_file_of_proc_is_on_the_mount_at_proc() {
        let found = mount_id(None, OsStr::new("/proc/self/status"), 0).expect("statx");
        match mount_point(found.unique) {
            Ok(path) => assert_eq!(path, "/proc"),
            Err(error) => assert_eq!(error.errno, Errno::ENOSYS),
        }
    }

    #[test]
    fn the_mounts_below_the_root_include_proc() {
        let root = mount_id(None, OsStr::new("/"), 0).expect("statx").unique;
        let proc = mount_id(None, OsStr::new("/proc"), 0).expect("statx").unique;
        if root != 0
            && let Ok(list) = list_below(root)
        {
            assert!(list.contains(&proc));
        }
    }

    #[test]
    fn a_mount_is_there_by_its_number_in_the_table() {
        let proc = mount_id(None, OsStr::new("/proc"), 0).expect("statx").id as u32;
        match Mounts::now() {
            Ok(mounts) => assert!(mounts.has(proc) && !mounts.has(u32::MAX)),
            Err(error) => assert_eq!(error.errno, Errno::ENOSYS),
        }
    }
}
