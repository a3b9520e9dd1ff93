//! Paths without symbolic links: realpath(3), path_resolution(7), /proc/self/fd.

use crate::mount::statmount;
use crate::{Errno, Result, error::Context, file, link, raw, resolve, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

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
///
/// ```
/// let canonical = |path: &str| linux::directory::canonical_or_same(path.as_ref());
/// assert_eq!([canonical("/proc/."), canonical("/no/such/.")], ["/proc", "/no/such/."]);
/// ```
pub fn canonical_or_same(path: &OsStr) -> OsString {
    canonical(path).unwrap_or_else(|_| path.to_os_string())
}

/// As [`canonical`], with a descriptor (O_PATH) of the result. For an absolute path both come from one look-up.
///
/// The links of /proc may lead into another mount namespace, where the same path means another place: `EXDEV`.
///
/// A relative path may start in a working directory that a mount has covered since. The result is what is visible at
/// its absolute path, so that is opened as well, without following links (`ELOOP` for a new one). What is below the
/// working directory alone has no absolute path: it stays as it was given, which is how the kernel finds it.
///
/// ```
/// use std::os::fd::AsFd;
/// let (path, file) = linux::directory::canonical_and_open("/proc/../proc".as_ref())?;
/// assert_eq!((path, linux::directory::path_of(file?.as_fd())), ("/proc".into(), Some("/proc".into())));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn canonical_and_open(path: &OsStr) -> Result<(OsString, Result<OwnedFd>)> {
    let file = opened(path);
    let canonical = match file.as_ref().and_then(|file| path_of(file.as_fd())) {
        Some(canonical) => canonical,
        None => by_walking(path)?,
    };
    let is_absolute = path.as_bytes().starts_with(b"/");
    let file = match file {
        Some(file) if is_absolute && canonical == path => Ok(file),
        Some(file) if is_absolute => seen_at(&canonical, file.as_fd()).map(|()| file),
        file => match (resolve::open_without_links(None, &canonical), file) {
            (Err(Errno::ENOENT | Errno::ENOTDIR), Some(file)) => return Ok((path.to_os_string(), Ok(file))),
            (seen, _) => seen.context("open", &canonical),
        },
    };
    Ok((canonical, file))
}

/// [`canonical_and_open`] of a directory that was just made, and never what else is seen at its path. `None`: no /proc.
pub fn canonical_of_made(path: &OsStr, made: OwnedFd) -> Option<(OsString, Result<OwnedFd>)> {
    let found = path_of(made.as_fd())?;
    Some(match seen_at(&found, made.as_fd()) {
        Ok(()) => (found, Ok(made)),
        Err(error) if path.as_bytes().starts_with(b"/") => (found, Err(error)),
        Err(_) => (path.to_os_string(), Ok(made)),
    })
}

/// Whether a path leads to the mount that the descriptor is on. `EXDEV`: that belongs to no namespace or to another, or is
/// covered.
fn seen_at(path: &OsStr, file: BorrowedFd<'_>) -> Result<()> {
    let seen = resolve::open_without_links(None, path);
    let is_seen = seen.map(|seen| statmount::is_same_mount(seen.as_fd(), file));
    is_seen.and_then(|is_seen| if is_seen { Ok(()) } else { Err(Errno::EXDEV) }).context("open", path)
}

/// The path of [`canonical_and_open`], which must not lead into another mount namespace (`EXDEV`).
pub fn canonical_here(path: &OsStr) -> Result<OsString> {
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
///
/// ```
/// assert_eq!(linux::directory::mapped_name("/dev/null".into()), *"/dev/null");
/// ```
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
/// trigger an automount, or it is relative to a directory outside our root, as on a mount that was detached. There
/// [`path_of`] would be the path of something else in our root.
fn opened(path: &OsStr) -> Option<OwnedFd> {
    let bytes = path.as_bytes();
    if bytes.ends_with(b"/") || !bytes.starts_with(b"/") && working_directory().is_err() {
        return None;
    }
    file::open_at(None, path, libc::O_PATH, 0).ok()
}

/// The path that /proc/self/fd shows for a descriptor, of any length. `None` if it has none (a pipe), was deleted, or
/// cannot be read.
///
/// ```
/// let (reader, _) = std::io::pipe()?;
/// assert_eq!(linux::directory::path_of(std::os::fd::AsFd::as_fd(&reader)), None);
/// # Ok::<(), std::io::Error>(())
/// ```
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

/// A relative path with the working directory before it.
///
/// ```
/// use linux::directory::{absolute, current};
/// assert_eq!(absolute("/a/./b".as_ref()), *"/a/./b");
/// assert!(absolute("a".as_ref()).to_string_lossy().starts_with(&*current()?.to_string_lossy()));
/// # Ok::<(), linux::Error>(())
/// ```
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

/// The bytes of a path without double slashes and without one at its end.
///
/// ```
/// assert!(linux::directory::normal_bytes("//a//b/".as_ref()).eq(*b"/a/b"));
/// ```
pub fn normal_bytes(path: &OsStr) -> impl Iterator<Item = u8> {
    let bytes = path.as_bytes();
    let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
    let mut before = 0;
    bytes.iter().copied().take(end).filter(move |byte| core::mem::replace(&mut before, *byte) != b'/' || *byte != b'/')
}

/// As [`absolute`], without slashes that say nothing and without a leading `.`: links are not looked at.
///
/// ```
/// use linux::directory::{absolute_as_typed, current};
/// assert_eq!(absolute_as_typed("/a//b/".as_ref()), *"/a/b");
/// assert_eq!(absolute_as_typed(".".as_ref()), current()?);
/// assert_eq!(absolute_as_typed("./a".as_ref()), absolute_as_typed("a/".as_ref()));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn absolute_as_typed(path: &OsStr) -> OsString {
    let normal: Vec<u8> = normal_bytes(path).collect();
    let inner = if normal == b"." { b"" } else { normal.strip_prefix(b"./").unwrap_or(&normal) };
    let path = absolute(OsStr::from_bytes(inner));
    OsString::from_vec(normal_bytes(&path).collect())
}

/// The working directory's path.
pub fn current() -> Result<OsString> {
    canonical(OsStr::new("."))
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
