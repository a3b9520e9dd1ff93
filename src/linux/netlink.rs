//! What only netlink tells: the number that our network namespace gives another one, by which its
//! links name their peers (rtnetlink(7), RTM_GETNSID).

use crate::{Errno, Result, error::Context, io};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

const RTM_NEWNSID: u16 = 88;
const RTM_GETNSID: u16 = 90;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;

/// A request or an answer about one number: nlmsghdr, rtgenmsg, and one attribute of four bytes.
#[repr(C)]
#[derive(Default)]
struct Message {
    length: u32,
    kind: u16,
    flags: u16,
    sequence: u32,
    port: u32,
    /// The address family, and what pads it.
    family: u32,
    attribute_length: u16,
    attribute: u16,
    value: i32,
}

/// The number of a network namespace as ours calls it; `None` if it has none.
pub fn namespace_id(namespace: BorrowedFd<'_>) -> Result<Option<u32>> {
    // SAFETY: the call takes integers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE) };
    let socket = io::owned(socket).context("socket", "netlink")?;
    const SIZE: usize = size_of::<Message>();
    let request = Message {
        length: SIZE as u32,
        kind: RTM_GETNSID,
        flags: libc::NLM_F_REQUEST as u16,
        attribute_length: 8,
        attribute: NETNSA_FD,
        value: namespace.as_raw_fd(),
        ..Message::default()
    };
    // SAFETY: the message is valid for reads of its size.
    let sent = unsafe { libc::send(socket.as_fd().as_raw_fd(), (&raw const request).cast(), SIZE, 0) };
    io::checked(sent as i64).context("send", "netlink")?;
    let mut answer = Message::default();
    // SAFETY: the message is valid for writes of its size, and any bytes are one; what does not fit is dropped.
    let got = unsafe { libc::recv(socket.as_fd().as_raw_fd(), (&raw mut answer).cast(), SIZE, 0) };
    io::checked(got as i64).context("recv", "netlink")?;
    if answer.kind != RTM_NEWNSID || answer.attribute != NETNSA_NSID {
        return Err(Errno::EOPNOTSUPP).context("recv", "netlink");
    }
    Ok(u32::try_from(answer.value).ok())
}
