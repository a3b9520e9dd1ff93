//! A thread of a walk and the directories that it is in: openat(2).

use super::entries::{self, Buffer, Kind};
use super::found::Found;
use super::pool::{Crew, Pool};
use super::xattr;
use crate::{Errno, stat};
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What all workers share and none changes.
pub(super) struct Job<'a> {
    pub(super) root: Arc<OwnedFd>,
    pub(super) root_path: &'a [u8],
    /// The only device to stay on.
    pub(super) device: Option<u64>,
    pub(super) everything: bool,
    pub(super) tell: &'a (dyn Fn(&[u8], Found) + Sync),
}

/// A directory to begin with: its parent, its name there, and its whole path.
pub(super) struct Start {
    pub(super) parent: Arc<OwnedFd>,
    pub(super) name: CString,
    pub(super) path: Vec<u8>,
}

/// A directory that a worker is in.
struct Frame {
    /// `None` if it was closed; everything in it has been read then.
    directory: Option<Arc<OwnedFd>>,
    /// The length of its path, with which the worker's path begins.
    path_length: usize,
    /// Entries that were read and are still to be visited, the next one last.
    pending: Vec<(Kind, CString)>,
    exhausted: bool,
    /// Device and inode, to know it again where it was closed and something in it is still to be visited.
    identity: Option<(u64, u64)>,
    /// Whether it was reported as unreadable.
    told: bool,
}

pub(super) struct Worker<'a> {
    job: &'a Job<'a>,
    pool: &'a Pool<Start>,
    frames: Vec<Frame>,
    path: Vec<u8>,
    buffer: Buffer,
    /// The directory left last, whose allocation the next one takes.
    left: Option<Arc<OwnedFd>>,
    /// How many levels below the last frame's directory that one is.
    left_below: usize,
    /// How many entries have been met.
    met: usize,
}

/// How many directories from where it began one worker keeps open. Deeper ones are read whole when they are entered, and
/// are closed once the worker is [`NEAR`] levels below them.
const KEPT_OPEN: usize = 16;
/// How many of the directories above it a worker keeps open at any depth: it may soon come back to them.
const NEAR: usize = 8;

impl<'a> Worker<'a> {
    pub(super) fn new(job: &'a Job<'a>, pool: &'a Pool<Start>) -> Worker<'a> {
        Worker {
            job,
            pool,
            frames: Vec::new(),
            path: Vec::new(),
            buffer: Buffer::new(),
            left: None,
            left_below: 0,
            met: 0,
        }
    }

    /// Walks from `start` to the end of its tree, but for what is given to others.
    pub(super) fn run(&mut self, start: Start, mut crew: Option<&mut Crew<'_, 'a, Start>>) {
        self.path.clear();
        self.path.extend_from_slice(&start.path);
        let directory = self.open(start.parent.as_fd(), &start.name);
        match directory {
            Some(directory) => self.enter(directory),
            None => return,
        }
        while let Some(frame) = self.frames.last_mut() {
            self.path.truncate(frame.path_length);
            if let Some((kind, name)) = frame.pending.pop() {
                // One of several: nobody can help with a chain of directories that have no other one beside them.
                let spare = kind == Kind::Directory && !frame.pending.is_empty() && !self.job.everything;
                if spare && self.pool.is_hungry() {
                    self.give(name);
                } else {
                    self.visit(kind, &name);
                }
            } else if frame.exhausted {
                self.leave();
            } else {
                self.read(false);
                if let Some(crew) = crew.as_deref_mut() {
                    crew.look(self.met);
                }
            }
        }
    }

    fn tell(&self, found: Found) {
        (self.job.tell)(&self.path, found);
    }

    fn push_name(&mut self, name: &CStr) {
        if self.path.last() != Some(&b'/') {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name.to_bytes());
    }

    /// Opens the directory that the worker's path names; reports one that cannot be opened.
    fn open(&self, parent: BorrowedFd<'_>, name: &CStr) -> Option<OwnedFd> {
        match entries::open_directory(parent, name) {
            Ok(directory) => {
                let device = || identity(&directory).map(|(device, _)| device);
                (self.job.device.is_none() || device() == self.job.device).then_some(directory)
            }
            // Gone, or no directory any more.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => None,
            Err(errno) => {
                self.tell(Found::Unreadable(errno));
                None
            }
        }
    }

    fn enter(&mut self, directory: OwnedFd) {
        let directory = match self.left.take() {
            // Not if a directory in it was given to another worker, who shares it.
            Some(mut left) => match Arc::get_mut(&mut left) {
                Some(place) => {
                    *place = directory;
                    left
                }
                None => Arc::new(directory),
            },
            None => Arc::new(directory),
        };
        self.frames.push(Frame {
            directory: Some(directory),
            path_length: self.path.len(),
            pending: Vec::new(),
            exhausted: false,
            identity: None,
            told: false,
        });
        if self.frames.len() > KEPT_OPEN || self.job.everything {
            self.read(true);
        }
        self.close_far();
    }

    /// Closes the directory that is no longer near.
    fn close_far(&mut self) {
        if let Some(far) = self.frames.len().checked_sub(NEAR + 2).filter(|far| *far >= KEPT_OPEN)
            && let Some(frame) = self.frames.get_mut(far)
            && let Some(directory) = frame.directory.take()
            && !frame.pending.is_empty()
        {
            frame.identity = identity(&directory);
        }
    }

    /// Leaves the last directory. One that is still open is kept as the one left last, from which those above it that were
    /// closed are reached.
    fn leave(&mut self) {
        match self.frames.pop().and_then(|frame| frame.directory) {
            Some(directory) => {
                self.left = Some(directory);
                self.left_below = 1;
            }
            None => self.left_below += 1,
        }
    }

    /// Reads one piece of the last directory, or all that is left of it.
    fn read(&mut self, all: bool) {
        self.read_some();
        while all && self.frames.last().is_some_and(|frame| !frame.exhausted) {
            self.read_some();
        }
        if let Some(frame) = self.frames.last_mut() {
            if self.job.everything {
                frame.pending.sort_unstable_by(|(_, a), (_, b)| b.cmp(a));
            } else {
                frame.pending.reverse();
            }
        }
    }

    /// Reads one piece of the last directory: looks at the files in it, keeps the directories.
    fn read_some(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(directory) = frame.directory.clone() else {
            frame.exhausted = true;
            return;
        };
        // Taken out of the worker, since its entries are borrowed while the worker changes.
        let mut buffer = core::mem::take(&mut self.buffer);
        match buffer.read(directory.as_fd()) {
            Ok(0) => frame.exhausted = true,
            Ok(_) => {
                for (kind, name) in buffer.entries() {
                    self.met += 1;
                    self.sort_out(&directory, kind, name);
                }
            }
            Err(errno) => {
                frame.exhausted = true;
                if errno != Errno::ENOENT {
                    self.tell_unreadable(errno);
                }
            }
        }
        self.buffer = buffer;
    }

    fn sort_out(&mut self, directory: &Arc<OwnedFd>, kind: Kind, name: &CStr) {
        let kind = match kind {
            Kind::Unknown => entries::kind_of(directory.as_fd(), name),
            known => known,
        };
        match kind {
            Kind::Regular if !self.job.everything => self.look_at(directory.as_fd(), name),
            Kind::Other | Kind::Unknown if !self.job.everything => {}
            kind => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.pending.push((kind, name.to_owned()));
                }
            }
        }
    }

    /// Leaves a directory to another worker.
    fn give(&mut self, name: CString) {
        let Some(parent) = self.directory() else { return };
        self.push_name(&name);
        self.pool.give(Start { parent, name, path: self.path.clone() });
    }

    fn visit(&mut self, kind: Kind, name: &CStr) {
        let Some(directory) = self.directory() else { return };
        match kind {
            Kind::Regular => self.look_at(directory.as_fd(), name),
            Kind::Directory => {
                self.push_name(name);
                if self.job.everything {
                    self.tell(Found::NotRegular);
                }
                let Some(child) = self.open(directory.as_fd(), name) else { return };
                self.enter(child);
            }
            Kind::Other | Kind::Unknown => {
                self.push_name(name);
                self.tell(Found::NotRegular);
            }
        }
    }

    /// The last frame's directory, opened anew if it was closed.
    fn directory(&mut self) -> Option<Arc<OwnedFd>> {
        let frame = self.frames.last()?;
        if let Some(directory) = frame.directory.clone() {
            return Some(directory);
        }
        let directory = match self.climb() {
            // Where a directory was moved meanwhile, `..` leads to another one.
            Some(directory) if frame.identity.is_some() && identity(&directory) == frame.identity => directory,
            _ => self.descend()?,
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.directory = Some(Arc::clone(&directory));
        }
        Some(directory)
    }

    /// Opens the last frame's directory by `..` from the one left last: as many steps as directories were left since then,
    /// where from the root it would be one for each level above, at each level.
    fn climb(&self) -> Option<Arc<OwnedFd>> {
        let mut directory = Arc::clone(self.left.as_ref()?);
        for _ in 0..self.left_below {
            directory = Arc::new(entries::open_directory(directory.as_fd(), c"..").ok()?);
        }
        Some(directory)
    }

    /// Opens the last frame's directory from the root of the walk, name by name, so that no symbolic link is followed.
    fn descend(&self) -> Option<Arc<OwnedFd>> {
        let below = self.path.get(self.job.root_path.len()..).unwrap_or_default();
        let mut directory = Arc::clone(&self.job.root);
        for name in below.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let name = CString::new(name).ok()?;
            directory = Arc::new(entries::open_directory(directory.as_fd(), &name).ok()?);
        }
        Some(directory)
    }

    /// Tells of the last directory, unless that was done before.
    fn tell_unreadable(&mut self, errno: Errno) {
        if let Some(frame) = self.frames.last_mut().filter(|frame| !frame.told) {
            frame.told = true;
            self.tell(Found::Unreadable(errno));
        }
    }

    fn look_at(&mut self, directory: BorrowedFd<'_>, name: &CStr) {
        let found = match xattr::get(directory.as_fd(), name) {
            Ok(found) => Found::Capabilities(found),
            Err(Errno::ENODATA | Errno::EOPNOTSUPP) if self.job.everything => Found::Nothing,
            // The file is gone, or became a symbolic link.
            Err(Errno::ENODATA | Errno::EOPNOTSUPP | Errno::ENOENT | Errno::ELOOP) => return,
            // The directory may be listed, but not searched.
            Err(Errno::EACCES) => return self.tell_unreadable(Errno::EACCES),
            Err(errno) => Found::Failed(errno),
        };
        let length = self.path.len();
        self.push_name(name);
        self.tell(found);
        self.path.truncate(length);
    }
}

/// The device and inode of a directory.
fn identity(directory: &OwnedFd) -> Option<(u64, u64)> {
    stat::of(directory.as_fd()).ok().map(|stat| stat.identity())
}
