//! Directories: the process's root and working one, and making them: chroot(2), chdir(2), fchdir(2), mkdir(2).

mod canonical;

pub use canonical::{
    absolute, absolute_as_typed, canonical, canonical_and_open, canonical_here, canonical_of_made, canonical_or_same,
    canonical_source, current, mapped_name, normal_bytes, path_of,
};

use crate::credentials::{Gid, Uid};
use crate::trace::{Directory, Quoted};
use crate::{Errno, Result, error::Context, file, raw};
use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat, mkdirat};
use nix::unistd::{self, UnlinkatFlags, fchownat, unlinkat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// chroot(2). The working directory stays where it is.
pub fn chroot(path: &OsStr) -> Result<()> {
    let done = raw::cstring(path).and_then(|path| nix::unistd::chroot(path.as_c_str()).map_err(Errno::from));
    traced!(done, "chroot({})", Quoted::new(path)).context("chroot", path)
}

/// chdir(2).
///
/// ```
/// linux::directory::chdir("/proc/self/..".as_ref())?;
/// assert_eq!(linux::directory::current()?, *"/proc");
/// # Ok::<(), linux::Error>(())
/// ```
pub fn chdir(path: &OsStr) -> Result<()> {
    let done = raw::cstring(path).and_then(|path| nix::unistd::chdir(path.as_c_str()).map_err(Errno::from));
    traced!(done, "chdir({})", Quoted::new(path)).context("chdir", path)
}

/// fchdir(2).
///
/// ```
/// use linux::directory::{chdir, current, fchdir, open};
/// use std::os::fd::AsFd;
/// let before = (open(".".as_ref())?, current()?);
/// chdir("/".as_ref())?;
/// fchdir(before.0.as_fd())?;
/// assert_eq!(current()?, before.1);
/// # Ok::<(), linux::Error>(())
/// ```
pub fn fchdir(directory: BorrowedFd<'_>) -> Result<()> {
    let done = nix::unistd::fchdir(directory).map_err(Errno::from);
    traced!(done, "fchdir({})", directory.as_raw_fd()).context("fchdir", "")
}

/// Opens a directory by path only (O_PATH), to come back to it.
pub fn open(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_PATH | libc::O_DIRECTORY, 0).context("open", path)
}

/// Opens a directory to read its names.
///
/// ```
/// use std::os::fd::AsFd;
/// let proc = linux::directory::open_to_list("/proc".as_ref())?;
/// assert!(linux::walk::names(proc.as_fd()).is_ok_and(|names| names.iter().any(|name| name == "self")));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn open_to_list(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).context("open", path)
}

/// mkdir(2).
pub fn make(path: &OsStr, mode: u32) -> Result<()> {
    make_in(None, path, mode).context("mkdir", path)
}

fn make_in(parent: Option<BorrowedFd<'_>>, path: &OsStr, mode: u32) -> core::result::Result<(), Errno> {
    let (name, at) = (raw::cstring(path)?, raw::from_directory(parent));
    let done = mkdirat(at, name.as_c_str(), Mode::from_bits_retain(mode)).map_err(Errno::from);
    traced!(done, "mkdirat({}, {}, {mode:#o})", Directory(at.as_raw_fd()), Quoted::new(path))
}

/// A directory that was made, to be taken away again.
pub struct Made {
    parent: OwnedFd,
    name: OsString,
}

impl Made {
    /// unlinkat(2) with AT_REMOVEDIR, from the directory that it was made in.
    pub fn remove(&self) -> Result<()> {
        remove_in(Some(self.parent.as_fd()), &self.name).context("rmdir", &self.name)
    }
}

/// mkdir -p: makes a directory and its parents, each relative to the descriptor of the one above it, so that a rename
/// or a link put in the way meanwhile leads nowhere else. Links that existed before are followed; new directories are
/// opened without following links. Those made are added to `made`, outermost first, also on failure. Gives an O_PATH.
///
/// ```
/// use linux::directory::{make_all, remove};
/// let top = std::env::temp_dir().join(format!("ctrbox-make-all-{}", std::process::id()));
/// let mut made = Vec::new();
/// assert!(make_all(top.join("a").as_os_str(), 0o755, &mut made).is_ok());
/// assert_eq!((made.len(), top.join("a").is_dir()), (2, true));
/// for directory in made.iter().rev() {
///     directory.remove()?;
/// }
/// assert_eq!(remove(top.as_os_str()).map_err(|error| error.errno), Err(linux::Errno::ENOENT));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn make_all(path: &OsStr, mode: u32, made: &mut Vec<Made>) -> core::result::Result<OwnedFd, Errno> {
    const FLAGS: i32 = libc::O_PATH | libc::O_DIRECTORY;
    let start = if path.as_bytes().starts_with(b"/") { "/" } else { "." };
    let mut here = file::open_at(None, OsStr::new(start), FLAGS, 0)?;
    for name in path.as_bytes().split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        let name = OsStr::from_bytes(name);
        let next = match file::open_at(Some(here.as_fd()), name, FLAGS, 0) {
            Err(Errno::ENOENT) => {
                let done = make_in(Some(here.as_fd()), name, mode);
                let next = match done {
                    Ok(()) | Err(Errno::EEXIST) => file::open_at(Some(here.as_fd()), name, FLAGS | libc::O_NOFOLLOW, 0),
                    Err(errno) => Err(errno),
                };
                if done.is_ok() {
                    made.push(Made { parent: here, name: name.to_os_string() });
                }
                next?
            }
            next => next?,
        };
        here = next;
    }
    Ok(here)
}

/// rmdir(2), which nix has as unlinkat(2) with AT_REMOVEDIR.
pub fn remove(path: &OsStr) -> Result<()> {
    remove_in(None, path).context("rmdir", path)
}

fn remove_in(parent: Option<BorrowedFd<'_>>, path: &OsStr) -> core::result::Result<(), Errno> {
    let (name, at) = (raw::cstring(path)?, raw::from_directory(parent));
    let done = unlinkat(at, name.as_c_str(), UnlinkatFlags::RemoveDir).map_err(Errno::from);
    traced!(done, "unlinkat({}, {}, AT_REMOVEDIR)", Directory(at.as_raw_fd()), Quoted::new(path))
}

/// Changes the owner, the group or both of what a descriptor stands for: fchownat(2) with AT_EMPTY_PATH.
pub fn set_owner(file: BorrowedFd<'_>, uid: Option<Uid>, gid: Option<Gid>) -> Result<()> {
    let fd = file.as_raw_fd();
    let (uid, gid) = (uid.map(|uid| uid.0), gid.map(|gid| gid.0));
    let done =
        fchownat(file, c"", uid.map(unistd::Uid::from_raw), gid.map(unistd::Gid::from_raw), AtFlags::AT_EMPTY_PATH);
    let [uid, gid] = [uid, gid].map(|id| id.map_or(-1, i64::from));
    traced!(done.map_err(Errno::from), "fchownat({fd}, \"\", {uid}, {gid}, AT_EMPTY_PATH)").context("fchownat", "")
}

/// Changes the mode of the file behind a descriptor, also of an O_PATH one, which fchmod(2) refuses.
pub fn set_mode(file: BorrowedFd<'_>, mode: u32) -> Result<()> {
    // A directory is what `.` in it is, and needs no /proc.
    match change_mode(Some(file), OsStr::new("."), mode) {
        Err(Errno::ENOTDIR) => change_mode(None, &raw::path_of_descriptor(file), mode).context("chmod", ""),
        done => done.context("chmod", ""),
    }
}

fn change_mode(directory: Option<BorrowedFd<'_>>, path: &OsStr, mode: u32) -> core::result::Result<(), Errno> {
    let (name, at) = (raw::cstring(path)?, raw::from_directory(directory));
    let done = fchmodat(at, name.as_c_str(), Mode::from_bits_retain(mode), FchmodatFlags::FollowSymlink);
    let shown = Directory(at.as_raw_fd());
    traced!(done.map_err(Errno::from), "fchmodat({shown}, {}, {mode:#o})", Quoted::new(path))
}

/// The directory that a path names something in, as it is written; `None` of `/` and of nothing.
///
/// ```
/// use linux::directory::parent;
/// use std::ffi::OsStr;
/// assert_eq!(parent(OsStr::new("/mnt/data/")), Some(OsStr::new("/mnt")));
/// assert_eq!(parent(OsStr::new("data")), Some(OsStr::new("")));
/// assert_eq!(parent(OsStr::new("/")), None);
/// ```
pub fn parent(path: &OsStr) -> Option<&OsStr> {
    let without = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let bytes = path.as_bytes();
    let name_end = without(bytes);
    let name_start = bytes.get(..name_end)?.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let above = bytes.get(..name_start)?;
    // The slash of the root itself stays.
    let end = without(above).max(above.len().min(1));
    (name_end > 0).then(|| OsStr::from_bytes(above.get(..end).unwrap_or_default()))
}

/// A name below a directory, with one slash between them.
///
/// ```
/// use linux::directory::join;
/// assert_eq!([join("/".as_ref(), "a"), join("b".as_ref(), "a"), join("".as_ref(), "a")], ["/a", "b/a", "a"]);
/// ```
pub fn join(directory: &OsStr, name: &str) -> OsString {
    let mut path = directory.to_os_string();
    if !matches!(directory.as_bytes(), [] | [.., b'/']) {
        path.push("/");
    }
    path.push(name);
    path
}
