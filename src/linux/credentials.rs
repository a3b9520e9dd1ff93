//! User and group ids of the process: credentials(7), setgroups(2), setgid(2), setuid(2).
//!
//! The ids are set by the bare calls, of this thread: who sets them has no other. The C library's
//! set them for all threads, which takes signals, semaphores and their code.

use crate::{Errno, Result, error::Context, io};

/// A user number.
pub type Uid = u32;
/// A group number.
pub type Gid = u32;

/// getuid(2).
pub fn real_uid() -> Uid {
    // SAFETY: no preconditions.
    unsafe { libc::getuid() }
}

/// geteuid(2).
pub fn effective_uid() -> Uid {
    // SAFETY: no preconditions.
    unsafe { libc::geteuid() }
}

/// getgid(2).
pub fn real_gid() -> Gid {
    // SAFETY: no preconditions.
    unsafe { libc::getgid() }
}

/// getegid(2).
pub fn effective_gid() -> Gid {
    // SAFETY: no preconditions.
    unsafe { libc::getegid() }
}

/// getgroups(2), however many there are.
pub fn groups() -> Result<Vec<Gid>> {
    loop {
        // SAFETY: with a size of 0 nothing is written and the number of groups is returned.
        let count =
            io::checked(i64::from(unsafe { libc::getgroups(0, core::ptr::null_mut()) })).context("getgroups", "")?;
        let mut groups = vec![0; count as usize];
        // SAFETY: the buffer holds as many groups as we say.
        match io::checked(i64::from(unsafe { libc::getgroups(count as i32, groups.as_mut_ptr()) })) {
            Ok(count) => {
                groups.truncate(count as usize);
                return Ok(groups);
            }
            // Another process cannot change them, but the pair of calls is not atomic.
            Err(Errno::EINVAL) => continue,
            Err(errno) => return Err(errno).context("getgroups", ""),
        }
    }
}

/// How many supplementary groups a process can have: NGROUPS_MAX of setgroups(2).
pub const MOST_GROUPS: usize = 65536;

/// setgroups(2): exactly these supplementary groups.
pub fn set_groups(groups: &[Gid]) -> Result<()> {
    // SAFETY: the slice is valid for reads of its length.
    let done = io::checked(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) });
    let list = || groups.iter().map(Gid::to_string).collect::<Vec<_>>().join(", ");
    traced!(done, "setgroups({}, [{}])", groups.len(), list()).context("setgroups", "").map(drop)
}

/// setgid(2): all three group ids when privileged.
pub fn set_gid(gid: Gid) -> Result<()> {
    // SAFETY: the call takes an integer.
    let done = io::checked(unsafe { libc::syscall(libc::SYS_setgid, gid) });
    traced!(done, "setgid({gid})").context("setgid", gid.to_string()).map(drop)
}

/// setuid(2): all three user ids when privileged; leaving 0 empties the capability sets.
pub fn set_uid(uid: Uid) -> Result<()> {
    // SAFETY: the call takes an integer.
    let done = io::checked(unsafe { libc::syscall(libc::SYS_setuid, uid) });
    traced!(done, "setuid({uid})").context("setuid", uid.to_string()).map(drop)
}

/// Real, effective and saved user id: getresuid(2).
pub fn all_uids() -> [Uid; 3] {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: the three places are valid for writes; the call cannot fail then.
    unsafe { libc::getresuid(&mut real, &mut effective, &mut saved) };
    [real, effective, saved]
}

/// Real, effective and saved group id: getresgid(2).
pub fn all_gids() -> [Gid; 3] {
    let [mut real, mut effective, mut saved] = [0; 3];
    // SAFETY: the three places are valid for writes; the call cannot fail then.
    unsafe { libc::getresgid(&mut real, &mut effective, &mut saved) };
    [real, effective, saved]
}

/// setresuid(2); the saved id becomes the effective one.
pub fn set_uids(real: Uid, effective: Uid) -> Result<()> {
    // SAFETY: the call takes integers.
    let done = io::checked(unsafe { libc::syscall(libc::SYS_setresuid, real, effective, effective) });
    traced!(done, "setresuid({real}, {effective}, {effective})").context("setresuid", "").map(drop)
}

/// setresgid(2); the saved id becomes the effective one.
pub fn set_gids(real: Gid, effective: Gid) -> Result<()> {
    // SAFETY: the call takes integers.
    let done = io::checked(unsafe { libc::syscall(libc::SYS_setresgid, real, effective, effective) });
    traced!(done, "setresgid({real}, {effective}, {effective})").context("setresgid", "").map(drop)
}
