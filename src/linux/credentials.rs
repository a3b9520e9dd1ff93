//! Process, user and group ids: credentials(7), setgroups(2), setgid(2), setuid(2).
//!
//! The ids are set by raw system calls, which affect only the calling thread; callers have no other threads. The C
//! library's functions synchronise all threads and would bring signal handlers, semaphores and their code.

use crate::raw::{self, NumberCall};
use crate::{Errno, Result, error::Context};
use core::fmt;
use nix::unistd::{getegid, geteuid, getgid, getresgid, getresuid, getuid};

/// A user number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Uid(pub u32);

/// A group number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Gid(pub u32);

/// A process number, as in pid_t.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Pid(pub i32);

impl Pid {
    /// What calls that take a process mean by 0: the one that calls.
    pub const SELF: Pid = Pid(0);
    /// The first process of a PID namespace.
    pub const INIT: Pid = Pid(1);

    /// A number that was read: `None` if it is larger than a process number can be.
    ///
    /// ```
    /// use linux::credentials::Pid;
    /// assert_eq!([Pid::new(7), Pid::new(1 << 31)], [Some(Pid(7)), None]);
    /// ```
    pub fn new(number: u64) -> Option<Pid> {
        i32::try_from(number).ok().map(Pid)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Uid {
    /// Root's number.
    pub const ROOT: Uid = Uid(0);

    /// Whether it is root's.
    #[inline]
    pub fn is_root(self) -> bool {
        self.0 == 0
    }
}

/// getuid(2).
pub fn real_uid() -> Uid {
    Uid(getuid().as_raw())
}

/// geteuid(2).
pub fn effective_uid() -> Uid {
    Uid(geteuid().as_raw())
}

/// getgid(2).
pub fn real_gid() -> Gid {
    Gid(getgid().as_raw())
}

/// getegid(2).
pub fn effective_gid() -> Gid {
    Gid(getegid().as_raw())
}

/// getgroups(2), however many there are.
pub fn groups() -> Result<Vec<Gid>> {
    let groups = nix::unistd::getgroups().map_err(Errno::from).context("getgroups", "")?;
    let mut numbers = Vec::with_capacity(groups.len());
    for group in groups {
        numbers.push(Gid(group.as_raw()));
    }
    Ok(numbers)
}

/// Groups in decimal, with commas between them.
///
/// ```
/// use linux::credentials::{Gid, list};
/// assert_eq!(list(&[Gid(0), Gid(100)]), "0, 100");
/// ```
pub fn list(groups: &[Gid]) -> String {
    let mut list = String::new();
    for group in groups {
        list.push_str(if list.is_empty() { "" } else { ", " });
        list.push_str(&group.0.to_string());
    }
    list
}

/// How many supplementary groups a process can have: NGROUPS_MAX of setgroups(2).
pub const MOST_GROUPS: usize = 65536;

/// setgroups(2): exactly these supplementary groups.
pub fn set_groups(groups: &[Gid]) -> Result<()> {
    // SAFETY: the slice is valid for reads of its length.
    let done = raw::checked(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) });
    traced!(done, "setgroups({}, [{}])", groups.len(), list(groups)).context("setgroups", "").map(drop)
}

/// setgid(2): all three group ids when privileged.
pub fn set_gid(gid: Gid) -> Result<()> {
    let done = NumberCall::SETGID.call([gid.0.into(), 0, 0]);
    traced!(done, "setgid({})", gid.0).context("setgid", gid.0.to_string()).map(drop)
}

/// setuid(2): all three user ids when privileged; leaving 0 empties the capability sets.
pub fn set_uid(uid: Uid) -> Result<()> {
    let done = NumberCall::SETUID.call([uid.0.into(), 0, 0]);
    traced!(done, "setuid({})", uid.0).context("setuid", uid.0.to_string()).map(drop)
}

/// Real, effective and saved user id: getresuid(2). The call cannot fail.
pub fn all_uids() -> [Uid; 3] {
    getresuid().map_or([Uid::ROOT; 3], |ids| [ids.real, ids.effective, ids.saved].map(|id| Uid(id.as_raw())))
}

/// Real, effective and saved group id: getresgid(2). The call cannot fail.
pub fn all_gids() -> [Gid; 3] {
    getresgid().map_or([Gid(0); 3], |ids| [ids.real, ids.effective, ids.saved].map(|id| Gid(id.as_raw())))
}

/// setresuid(2); the saved id becomes the effective one.
pub fn set_uids(real: Uid, effective: Uid) -> Result<()> {
    let done = NumberCall::SETRESUID.call([real.0.into(), effective.0.into(), effective.0.into()]);
    traced!(done, "setresuid({}, {}, {})", real.0, effective.0, effective.0).context("setresuid", "").map(drop)
}

/// setresgid(2); the saved id becomes the effective one.
pub fn set_gids(real: Gid, effective: Gid) -> Result<()> {
    let done = NumberCall::SETRESGID.call([real.0.into(), effective.0.into(), effective.0.into()]);
    traced!(done, "setresgid({}, {}, {})", real.0, effective.0, effective.0).context("setresgid", "").map(drop)
}
