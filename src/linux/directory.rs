//! Directories: the process's root and working one, and making them: chroot(2), chdir(2), fchdir(2), mkdir(2).

use crate::credentials::{Gid, Uid};
use crate::mount::statmount;
use crate::trace::{Directory, Quoted};
use crate::{Errno, Result, error::Context, file, link, raw, resolve, stat};
use nix::fcntl::AtFlags;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat, mkdirat};
use nix::unistd::{self, UnlinkatFlags, fchownat, unlinkat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// chroot(2). The working directory stays where it is.
pub fn chroot(path: &OsStr) -> Result<()> {
    let done = raw::cstring(path).and_then(|path| nix::unistd::chroot(path.as_c_str()).map_err(Errno::from));
    traced!(done, "chroot({})", Quoted::new(path)).context("chroot", path)
}

/// chdir(2).
pub fn chdir(path: &OsStr) -> Result<()> {
    let done = raw::cstring(path).and_then(|path| nix::unistd::chdir(path.as_c_str()).map_err(Errno::from));
    traced!(done, "chdir({})", Quoted::new(path)).context("chdir", path)
}

/// fchdir(2).
pub fn fchdir(directory: BorrowedFd<'_>) -> Result<()> {
    let done = nix::unistd::fchdir(directory).map_err(Errno::from);
    traced!(done, "fchdir({})", directory.as_raw_fd()).context("fchdir", "")
}

/// Opens a directory by path only (O_PATH), to come back to it.
pub fn open(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_PATH | libc::O_DIRECTORY, 0).context("open", path)
}

/// Opens whatever a path leads to by path only (O_PATH).
pub fn open_path(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_PATH, 0).context("open", path)
}

/// Opens a directory to read its names.
pub fn open_to_list(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY, 0).context("open", path)
}

/// The path with every symbolic link, `.` and `..` resolved, as realpath(3) has it.
///
/// ```
/// use std::ffi::OsStr;
/// assert_eq!(linux::directory::canonical(OsStr::new("/proc/.././proc"))?, *"/proc");
/// # Ok::<(), linux::Error>(())
/// ```
pub fn canonical(path: &OsStr) -> Result<OsString> {
    opened(path).and_then(|file| path_of(file.as_fd())).map_or_else(|| by_walking(path), Ok)
}

/// [`canonical`], or the path itself if it leads nowhere.
pub fn canonical_or_same(path: &OsStr) -> OsString {
    canonical(path).unwrap_or_else(|_| path.to_os_string())
}

/// As [`canonical`], with a descriptor (O_PATH) of the result. For an absolute path both come from one look-up.
///
/// The links of /proc may lead into another mount namespace, where the same path means another place: `EXDEV`.
///
/// A relative path may start in a working directory that a mount has covered since. The result is what is visible at
/// its absolute path, so that is opened as well, without following links (`ELOOP` for a new one).
pub fn canonical_and_open(path: &OsStr) -> Result<(OsString, Result<OwnedFd>)> {
    let file = opened(path);
    let canonical = match file.as_ref().and_then(|file| path_of(file.as_fd())) {
        Some(canonical) => canonical,
        None => by_walking(path)?,
    };
    let file = match file.filter(|_| path.as_bytes().starts_with(b"/")) {
        Some(file) if canonical == path => Ok(file),
        Some(file) => seen_at(&canonical, file),
        None => resolve::open_without_links(None, &canonical).context("open", &canonical),
    };
    Ok((canonical, file))
}

/// The descriptor, provided that its path leads to the mount that it is on. Otherwise `EXDEV`: its mount belongs to
/// another namespace or is covered.
pub fn seen_at(path: &OsStr, file: OwnedFd) -> Result<OwnedFd> {
    let seen = resolve::open_without_links(None, path);
    let is_seen = seen.map(|seen| statmount::is_same_mount(seen.as_fd(), file.as_fd()));
    is_seen.and_then(|is_seen| if is_seen { Ok(file) } else { Err(Errno::EXDEV) }).context("open", path)
}

/// [`canonical`] of an absolute path, which must not lead into another mount namespace (`EXDEV`, see
/// [`canonical_and_open`]).
pub fn canonical_here(path: &OsStr) -> Result<OsString> {
    if !path.as_bytes().starts_with(b"/") {
        return canonical(path);
    }
    match canonical_and_open(path)? {
        (_, Err(error)) if error.errno == Errno::EXDEV => Err(error),
        (canonical, _) => Ok(canonical),
    }
}

/// As [`canonical`], for a source: a device-mapper device is shown by the name that its owner gave it.
pub fn canonical_source(path: &OsStr) -> Result<OsString> {
    canonical(path).map(mapped_name)
}

/// The /dev/mapper name of a path that may be a device-mapper device.
pub fn mapped_name(path: OsString) -> OsString {
    mapped(&path).unwrap_or(path)
}

/// `/dev/mapper/NAME` for `/dev/dm-N`.
fn mapped(path: &OsStr) -> Option<OsString> {
    let number = path.as_bytes().strip_prefix(b"/dev/dm-")?;
    let file = [b"/sys/block/dm-", number, b"/dm/name"].concat();
    let name = file::read_file(OsStr::from_bytes(&file), 4096).ok()?;
    let name = OsString::from_vec([b"/dev/mapper/", name.trim_ascii_end()].concat());
    stat::path(&name).is_ok_and(|stat| stat.is_block_device()).then_some(name)
}

/// A descriptor of what a path leads to. `None`: it cannot be opened, or it ends in a slash, so that opening it could
/// trigger an automount.
fn opened(path: &OsStr) -> Option<OwnedFd> {
    if path.as_bytes().ends_with(b"/") {
        return None;
    }
    file::open_at(None, path, libc::O_PATH, 0).ok()
}

/// The path that /proc/self/fd shows for a descriptor, of any length. `None` if it has none (a pipe), was deleted, or
/// cannot be read.
pub fn path_of(file: BorrowedFd<'_>) -> Option<OsString> {
    let found = link::read(&raw::path_of_descriptor(file)).ok()?;
    let is_path = found.as_bytes().starts_with(b"/") && !found.as_bytes().ends_with(b" (deleted)");
    is_path.then_some(found)
}

fn by_walking(path: &OsStr) -> Result<OsString> {
    resolved(path.as_bytes()).map(OsString::from_vec).context("realpath", path)
}

/// realpath(3), of our own: musl's brings malloc with it.
fn resolved(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    // Without the slash of the root, and so empty for it.
    let mut done = if path.starts_with(b"/") { Vec::new() } else { working_directory()? };
    let mut rest = path.to_vec();
    let mut links = 0;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let after = rest.split_off(end);
        let name = core::mem::replace(&mut rest, after.get(1..).unwrap_or_default().to_vec());
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => {
                done.truncate(done.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let parent = done.len();
        done.push(b'/');
        done.extend_from_slice(&name);
        // A component before a slash must be a directory: with the slash, the kernel checks that of what is no link.
        let mut link = link_of(&done);
        if link == Err(Errno::EINVAL) && !after.is_empty() {
            link = link_of(&[&done, b"/".as_slice()].concat());
        }
        match link {
            Err(Errno::EINVAL) => {}
            Err(errno) => return Err(errno),
            Ok(_) if links == LINKS => return Err(Errno::ELOOP),
            Ok(mut target) => {
                links += 1;
                done.truncate(if target.starts_with(b"/") { 0 } else { parent });
                target.extend_from_slice(&after);
                rest = target;
            }
        }
    }
    if done.is_empty() {
        done.push(b'/');
    }
    Ok(done)
}

/// How many symbolic links are followed, as in the kernel: path_resolution(7).
const LINKS: usize = 40;

fn link_of(path: &[u8]) -> core::result::Result<Vec<u8>, Errno> {
    link::read(OsStr::from_bytes(path)).map(OsString::into_vec).map_err(|error| error.errno)
}

/// getcwd(2), without the slash of the root. A working directory outside our root has no path.
fn working_directory() -> core::result::Result<Vec<u8>, Errno> {
    let path = nix::unistd::getcwd()?.into_os_string().into_vec();
    match path.as_slice() {
        b"/" => Ok(Vec::new()),
        [b'/', ..] => Ok(path),
        _ => Err(Errno::ENOENT),
    }
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

/// A relative path with the working directory before it.
pub fn absolute(path: &OsStr) -> OsString {
    if path.as_bytes().starts_with(b"/") {
        return path.to_os_string();
    }
    let Ok(mut absolute) = current() else { return path.to_os_string() };
    if absolute != "/" {
        absolute.push("/");
    }
    absolute.push(path);
    absolute
}

/// The working directory's path.
pub fn current() -> Result<OsString> {
    canonical(OsStr::new("."))
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
pub fn join(directory: &OsStr, name: &str) -> OsString {
    let mut path = directory.to_os_string();
    if !matches!(directory.as_bytes(), [] | [.., b'/']) {
        path.push("/");
    }
    path.push(name);
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_is_resolved_as_the_c_library_does() {
        let top = std::env::temp_dir().join(format!("ctrbox-resolved-{}", std::process::id()));
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/file"), "").unwrap();
        symlink("../a/b", top.join("a/relative")).unwrap();
        symlink(top.join("a"), top.join("absolute")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        symlink("missing", top.join("dangling")).unwrap();
        symlink("a/file", top.join("to-file")).unwrap();
        let names = [
            "",
            "a",
            "a/",
            "a//b/./..",
            "a/relative",
            "a/relative/..",
            "absolute/b/",
            "loop",
            "dangling",
            "missing",
            "missing/..",
            "a/file",
            "a/file/",
            "a/file/.",
            "a/file/..",
            "a/file/x",
            "to-file",
            "to-file/",
            "to-file/..",
            "a/b/../../../../../../../../..",
            "..",
            "a/relative/../file",
        ];
        for name in names {
            let path = top.join(name);
            let theirs = fs::canonicalize(&path).map_err(|error| Errno(error.raw_os_error().unwrap_or(0)));
            let ours = by_walking(path.as_os_str()).map_err(|error| error.errno);
            assert_eq!(ours, theirs.map(|path| path.into_os_string()), "{name}");
        }
        for relative in [".", "..", "./.", "Cargo.toml", "../../", "/", "//", "/..", "/proc/self", "/dev/fd"] {
            let ours = by_walking(OsStr::new(relative)).map_err(|error| error.errno);
            let theirs = fs::canonicalize(relative).map_err(|error| Errno(error.raw_os_error().unwrap_or(0)));
            assert_eq!(ours, theirs.map(|path| path.into_os_string()), "{relative}");
        }
        assert_eq!(by_walking(OsStr::new("")).map_err(|error| error.errno), Err(Errno::ENOENT));
        fs::remove_dir_all(top).unwrap();
    }
}
