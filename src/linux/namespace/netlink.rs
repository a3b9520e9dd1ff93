//! Asks netlink for the number by which our network namespace knows another one, e.g. as the peer of a link:
//! rtnetlink(7), RTM_GETNSID.

use crate::{Errno, Result, error::Context};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};
use std::os::fd::{AsRawFd, BorrowedFd};

const RTM_NEWNSID: u16 = 88;
const RTM_GETNSID: u16 = 90;
const NETNSA_NSID: u16 = 1;
const NETNSA_FD: u16 = 3;

/// The length of a request and of an answer: nlmsghdr, rtgenmsg with padding, and one attribute of four bytes.
const SIZE: usize = 28;
/// Where the message's kind, the attribute's and its value are.
const KIND_AT: usize = 4;
const ATTRIBUTE_AT: usize = 22;
const VALUE_AT: usize = 24;

/// The number that our network namespace has for another one; `None` if there is none.
pub fn namespace_id(namespace: BorrowedFd<'_>) -> Result<Option<u32>> {
    let protocol = SockProtocol::NetlinkRoute;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol);
    let socket = socket.map_err(Errno::from).context("socket", "netlink")?;
    let mut request = Vec::with_capacity(SIZE);
    request.extend_from_slice(&(SIZE as u32).to_ne_bytes());
    request.extend_from_slice(&RTM_GETNSID.to_ne_bytes());
    request.extend_from_slice(&(libc::NLM_F_REQUEST as u16).to_ne_bytes());
    // Sequence, port, address family.
    request.extend_from_slice(&[0; 12]);
    request.extend_from_slice(&8_u16.to_ne_bytes());
    request.extend_from_slice(&NETNSA_FD.to_ne_bytes());
    request.extend_from_slice(&namespace.as_raw_fd().to_ne_bytes());
    let sent = send(socket.as_raw_fd(), &request, MsgFlags::empty());
    sent.map_err(Errno::from).context("send", "netlink")?;
    // What does not fit is dropped.
    let mut answer = [0_u8; SIZE];
    recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty()).map_err(Errno::from).context("recv", "netlink")?;
    let short = |at: usize| answer.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes));
    let value = answer.get(VALUE_AT..).and_then(|rest| rest.first_chunk()).map(|bytes| i32::from_ne_bytes(*bytes));
    match value {
        Some(id) if short(KIND_AT) == Some(RTM_NEWNSID) && short(ATTRIBUTE_AT) == Some(NETNSA_NSID) => {
            Ok(u32::try_from(id).ok())
        }
        _ => Err(Errno::EOPNOTSUPP).context("recv", "netlink"),
    }
}
