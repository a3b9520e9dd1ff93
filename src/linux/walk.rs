//! Walking a tree of files for their capabilities: getdents64(2), openat(2), getxattrat(2).
//!
//! Files are opened relative to open directories and without following symbolic links, so that a link that is put in
//! place during the walk leads nowhere. One thread begins, and others join it once many entries have been met. Results
//! come in no order; [`order`] is for sorting them.

mod clock;
mod entries;
mod found;
mod pool;
mod remove;
mod worker;
mod xattr;

use crate::{Errno, file, stat, thread};
use core::cmp::Ordering;
use entries::Buffer;
pub use found::Found;
use pool::{Crew, Pool};
pub use remove::remove_below;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use worker::{Job, Start, Worker};

/// What is walked and what is told of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// Whether to skip directories on other file systems than the root of the walk.
    pub one_file_system: bool,
    /// Whether to report everything, sorted, also files without capabilities. Uses one thread.
    pub everything: bool,
}

/// The order of a depth-first walk that takes each directory's entries sorted by name: a
/// separator comes before any byte of a name.
///
/// ```
/// let mut paths = [&b"a-b"[..], b"a/b", b"a"];
/// paths.sort_by(|a, b| linux::walk::order(a, b));
/// assert_eq!(paths, [&b"a"[..], b"a/b", b"a-b"]);
/// ```
pub fn order(a: &[u8], b: &[u8]) -> Ordering {
    let key = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    a.iter().map(key).cmp(b.iter().map(key))
}

/// The names in a directory, in the file system's order, without `.` and `..`.
pub fn names(directory: BorrowedFd<'_>) -> Result<Vec<OsString>, Errno> {
    let mut names = Vec::new();
    each_name(directory, &mut |name| {
        names.push(name.to_os_string());
        true
    })?;
    Ok(names)
}

/// [`names`], one after another until `wants_more` says no: a large directory is not read whole first.
pub fn each_name(directory: BorrowedFd<'_>, wants_more: &mut dyn FnMut(&OsStr) -> bool) -> Result<(), Errno> {
    let mut buffer = Buffer::new();
    while buffer.read(directory)? > 0 {
        for (_, name) in buffer.entries() {
            if !wants_more(OsStr::from_bytes(name.to_bytes())) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Opens a directory to walk it: `ENOTDIR` or `ELOOP` for anything else, a symbolic link too.
pub fn open(path: &OsStr) -> Result<OwnedFd, Errno> {
    file::open_at(None, path, libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_NONBLOCK, 0)
}

/// Walks the tree below the directory `root`; `path` is how it is called. `tell` is called from
/// several threads.
///
/// ```
/// use linux::walk::{Walk, open, walk};
/// use std::ffi::OsStr;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let met = AtomicUsize::new(0);
/// let everything = Walk { everything: true, ..Walk::default() };
/// walk(open(OsStr::new("."))?, b".", everything, &|_path, _found| {
///     met.fetch_add(1, Ordering::Relaxed);
/// });
/// assert!(met.into_inner() > 0);
/// # Ok::<(), linux::Errno>(())
/// ```
pub fn walk(root: OwnedFd, path: &[u8], walk: Walk, tell: &(dyn Fn(&[u8], Found) + Sync)) {
    let root = Arc::new(root);
    let device = if walk.one_file_system { stat::of(root.as_fd()).ok().map(|stat| stat.identity().0) } else { None };
    let job = Job { root: Arc::clone(&root), root_path: path, device, everything: walk.everything, tell };
    let pool = Pool::new();
    let start = Start { parent: root, name: c".".to_owned(), path: path.to_vec() };
    let help = || {
        let mut worker = Worker::new(&job, &pool);
        pool.leave_when_done(|start| worker.run(start, None));
    };
    thread::scope(|team| {
        let mut worker = Worker::new(&job, &pool);
        let mut crew = Crew::new(team, &pool, &help);
        worker.run(start, if walk.everything { None } else { Some(&mut crew) });
        pool.leave_when_done(|start| worker.run(start, None));
    });
}

#[cfg(test)]
mod tests;
