//! A directory of a file system that is not attached anywhere, for X-mount.subdir.
//!
//! open_tree(2) takes it from the detached mount since Linux 6.15. Before, the
//! mount is attached where only a child of ours sees it.

use super::api::{OPEN_TREE_CLONE, move_mount, open_tree};
use super::{Propagation, set_propagation_recursive};
use crate::namespace::{self, Kind};
use crate::{Errno, Result, process};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// The directory `path`, relative, of the detached tree, as a tree of its own.
pub fn of_tree(tree: BorrowedFd<'_>, path: &OsStr) -> Result<OwnedFd> {
    match open_tree(Some(tree), path, OPEN_TREE_CLONE) {
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
    open_tree(Some(tree), path, OPEN_TREE_CLONE)
}
