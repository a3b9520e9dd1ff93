//! A channel between a process and the child it forks: socketpair(2).

use crate::{Errno, Result, error::Context, io};
use std::os::fd::{AsRawFd, OwnedFd};

/// One end. Messages keep their bounds, and a gone peer is seen at once.
pub struct Channel(OwnedFd);

const KIND: i32 = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;

/// Both ends, close-on-exec; each side drops the end that is not its own after fork(2).
pub fn channel() -> Result<(Channel, Channel)> {
    let mut ends = [-1; 2];
    // SAFETY: `ends` is valid for two descriptors.
    let done = unsafe { libc::syscall(libc::SYS_socketpair, libc::AF_UNIX, KIND, 0, ends.as_mut_ptr()) };
    io::checked(done).context("socketpair", "")?;
    let [ours, theirs] = ends;
    Ok((Channel(io::owned(ours).context("socketpair", "")?), Channel(io::owned(theirs).context("socketpair", "")?)))
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> OwnedFd {
        channel.0
    }
}

impl Channel {
    /// Sends one message. A gone peer is EPIPE, without the signal.
    pub fn send(&self, message: &[u8]) -> Result<()> {
        loop {
            // SAFETY: the message is valid for reads of its length.
            let sent =
                unsafe { libc::send(self.0.as_raw_fd(), message.as_ptr().cast(), message.len(), libc::MSG_NOSIGNAL) };
            match io::checked(sent as i64) {
                Err(Errno::EINTR) => {}
                sent => return sent.context("send", "").map(drop),
            }
        }
    }

    /// Waits for one message and returns what fits of it; `None` if the peer is gone.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
        loop {
            // SAFETY: the buffer is valid for writes of its length.
            let got = unsafe { libc::recv(self.0.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
            match io::checked(got as i64) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(None),
                Ok(length) => return Ok(buffer.get(..length as usize)),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("recv", ""),
            }
        }
    }
}
