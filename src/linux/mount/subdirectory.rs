//! A directory of a file system that is not attached anywhere, for X-mount.subdir.
//!
//! The image may be somebody else's: its symbolic links are not followed, and nothing leads out of the tree. open_tree(2)
//! takes the directory from the detached mount since Linux 6.15. Before, the mount is attached where only a child of
//! ours sees it.

use super::api::{AT_EMPTY_PATH, OPEN_TREE_CLONE, move_mount, open_tree};
use super::{Propagation, set_propagation_recursive};
use crate::error::Context;
use crate::namespace::{self, Kind};
use crate::{Errno, Error, Result, io, process};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The directory `path`, relative, of the tree that `tree` is the root of, as a tree of its own.
pub fn of_tree(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    match beneath(tree, path) {
        Err(error) if error.errno == Errno::EINVAL => {}
        done => return done,
    }
    process::lend(
        "open_tree",
        || attached(tree, path).map(|directory| (directory.as_raw_fd(), directory)),
        |child, number| namespace::descriptor_of(process::pidfd_open(child)?.as_fd(), number),
    )
}

/// In the child: the tree lies over the root of a namespace of its own, in which its directories can be opened.
fn attached(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    namespace::unshare(Kind::Mount.flag())?;
    set_propagation_recursive("/", Propagation::Private)?;
    move_mount(tree, None, OsStr::new("/"), 0)?;
    beneath(tree, path)
}

/// Looked up once, from the tree's own descriptor; what was found is copied by its descriptor.
fn beneath(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    let whole = if path.is_empty() { OsStr::new(".") } else { path };
    let directory = io::open_without_links(Some(tree), whole).context("open_tree", path)?;
    open_tree(Some(directory.as_fd()), OsStr::new(""), OPEN_TREE_CLONE | AT_EMPTY_PATH)
        .map_err(|error| Error::new(error.call, path, error.errno))
}
