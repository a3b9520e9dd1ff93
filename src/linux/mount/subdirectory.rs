//! Opens a directory of a file system that is not attached anywhere, for X-mount.subdir: open_tree(2), mount(8).
//!
//! The image may be hostile, so its symbolic links are not followed, and no path leads out of the tree. Since Linux
//! 6.15 open_tree(2) takes the directory from the detached mount. On older kernels a child attaches the mount in a
//! private mount namespace.

use super::api::{AT_EMPTY_PATH, OPEN_TREE_CLONE, move_mount, open_tree};
use super::{MNT_DETACH, MS_BIND, MS_PRIVATE, Propagation, UMOUNT_NOFOLLOW, mount2, propagation, umount2};
use crate::error::Context;
use crate::namespace::{self, Kind};
use crate::{Errno, Error, Result, directory, file, process, raw, resolve};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The directory `path` below the root `tree`, as a detached tree of its own.
pub fn of_tree(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    match beneath(tree, path) {
        Err(error) if error.errno == Errno::EINVAL => {}
        done => return done,
    }
    process::with_helper_child(
        "open_tree",
        || attached(tree, path).map(|directory| (directory.as_raw_fd(), directory)),
        |child, number| namespace::descriptor_of(process::pidfd_open(child)?.as_fd(), number),
    )
}

/// In the child: attaches the tree on the root of a private mount namespace, where its directories can be opened.
fn attached(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    namespace::unshare(Kind::Mount.flag())?;
    propagation::set_recursive("/", Propagation::Private)?;
    move_mount(tree, None, OsStr::new("/"), 0)?;
    beneath(tree, path)
}

/// Resolves the path once, from the tree's descriptor, and clones what was found by its own descriptor.
fn beneath(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    let directory = find_beneath(tree, path)?;
    open_tree(Some(directory.as_fd()), OsStr::new(""), OPEN_TREE_CLONE | AT_EMPTY_PATH)
        .map_err(|error| Error::new(error.call, path, error.errno))
}

fn find_beneath(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    let bytes = path.as_bytes();
    let relative = bytes.get(bytes.iter().take_while(|byte| **byte == b'/').count()..).unwrap_or_default();
    let whole = if relative.is_empty() { b"." } else { relative };
    resolve::open_without_links(Some(tree), OsStr::from_bytes(whole)).context("open_tree", path)
}

/// As [`of_tree`], by mount(2) alone: mounts the file system on a private directory below /run/mount, which only root
/// can search and whose propagation is private, binds its directory `path` to `target`, and removes the rest.
pub fn by_mount2(
    source: Option<&OsStr>,
    target: &OsStr,
    fstype: &OsStr,
    flags: u64,
    data: Option<&OsStr>,
    path: &OsStr,
) -> Result<()> {
    let place = Place::make()?;
    let here = place.0.as_os_str();
    mount2(source, here, Some(fstype), flags, data)?;
    let root = file::open_path(here)?;
    let found = find_beneath(root.as_fd(), path)?;
    let found = raw::path_of_descriptor(found.as_fd());
    mount2(Some(&found), target, None, MS_BIND, None)
}

/// A directory on a private mount. Dropping it removes it with everything that is mounted on it.
struct Place(OsString);

impl Place {
    fn make() -> Result<Place> {
        let path = OsString::from(format!("/run/mount/subdir.{}", process::id()));
        directory::make_all(OsStr::new("/run/mount"), 0o755, &mut Vec::new()).context("mkdir", "/run/mount")?;
        directory::make(&path, 0o700)?;
        let place = Place(path);
        mount2(Some(&place.0), &place.0, None, MS_BIND, None)?;
        mount2(Some(OsStr::new("none")), &place.0, None, MS_PRIVATE, None)?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The file system, and the mount below it.
        while umount2(&self.0, MNT_DETACH | UMOUNT_NOFOLLOW).is_ok() {}
        let _ = directory::remove(&self.0);
    }
}
