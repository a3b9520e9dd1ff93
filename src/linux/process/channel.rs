//! A channel between a process and the child it forks: socketpair(2).

use crate::raw::above_standard;
use crate::{Errno, Result, error::Context};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use std::os::fd::{AsRawFd, OwnedFd};

/// One end. Messages keep their bounds, and a gone peer is seen at once.
pub struct Channel(OwnedFd);

/// Both ends, close-on-exec. After fork(2) each side drops the other's end.
///
/// ```
/// let (ours, theirs) = linux::process::channel()?;
/// ours.send(b"a message")?;
/// assert_eq!(theirs.receive(&mut [0; 16])?, Some(&b"a message"[..]));
/// drop(ours);
/// assert_eq!(theirs.receive(&mut [0; 16])?, None);
/// # Ok::<(), linux::Error>(())
/// ```
pub fn channel() -> Result<(Channel, Channel)> {
    let ends = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC);
    let above = |(ours, theirs)| Ok((Channel(above_standard(ours)?), Channel(above_standard(theirs)?)));
    ends.map_err(Errno::from).and_then(above).context("socketpair", "")
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
            match send(self.0.as_raw_fd(), message, MsgFlags::MSG_NOSIGNAL).map_err(Errno::from) {
                Err(Errno::EINTR) => {}
                sent => return sent.context("send", "").map(drop),
            }
        }
    }

    /// Waits for one message and returns as much as fits; `None` if the peer has closed its end.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>> {
        loop {
            match recv(self.0.as_raw_fd(), buffer, MsgFlags::empty()).map_err(Errno::from) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(None),
                Ok(length) => return Ok(buffer.get(..length)),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno).context("recv", ""),
            }
        }
    }
}
