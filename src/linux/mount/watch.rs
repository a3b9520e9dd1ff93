//! Waiting for a change of a mount table: proc_pid_mountinfo(5), poll(2).

use crate::{Errno, Result, error::Context, file};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// A mount table that is watched.
pub struct Watch(OwnedFd);

impl Watch {
    /// Watches the table at `path`: what changes from now on is told.
    pub fn open(path: &OsStr) -> Result<Watch> {
        file::open_read(path).map(Watch)
    }

    /// Waits for a change, at most this many milliseconds, or without limit if negative. Returns whether there was
    /// one.
    pub fn wait(&self, milliseconds: i32) -> Result<bool> {
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::NONE);
        loop {
            let mut files = [PollFd::new(self.0.as_fd(), PollFlags::POLLPRI)];
            match poll(&mut files, timeout).map_err(Errno::from) {
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("poll", ""),
                Ok(count) => return Ok(count > 0),
            }
        }
    }
}
