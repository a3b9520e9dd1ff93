//! Processes: fork(2), waitpid(2), pidfd_open(2), and the only execve(2).
//!
//! The program must start with the signal mask, dispositions and descriptors that we were given, so every function
//! here that changes one restores it.

mod channel;
mod exec;
mod forward;
mod helper_child;

pub use crate::credentials::Pid;
pub use channel::{Channel, channel};
pub use exec::{ExecError, SearchPath, Variables, exec};
pub use forward::{
    ANY_TRACER, FORWARDED, Forwarding, NO_TRACER, Parent, death_signal, die_with_parent, set_dumpable, set_tracer,
    wait_forwarding,
};
pub use helper_child::with_helper_child;

use crate::filtered::unless_filtered;
use crate::raw::{self, NumberCall};
use crate::{Errno, Result, error::Context, trace};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{AccessFlags, ForkResult, access};
use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Which side of fork(2) we are on.
pub enum Fork {
    /// The parent, with the child's pid.
    Parent(Pid),
    /// The child.
    Child,
}

/// fork(2). The process has one thread, so the child may do anything.
pub fn fork() -> Result<Fork> {
    let told = trace::Fork::prepare();
    // SAFETY: ctrbox has a single thread wherever it forks.
    let forked = unsafe { nix::unistd::fork() };
    let child = match forked {
        Ok(ForkResult::Child) => {
            if trace::enabled() {
                told.child();
            }
            return Ok(Fork::Child);
        }
        Ok(ForkResult::Parent { child }) => Ok(child.as_raw()),
        Err(errno) => Err(errno.into()),
    };
    told.parent(child).context("fork", "").map(|child| Fork::Parent(Pid(child)))
}

/// How a child changed: waitpid(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It exited with this status.
    Exited(u8),
    /// It died of this signal.
    Signaled(i32),
    /// It was stopped by this signal (only with [`Wait::Stops`]).
    Stopped(i32),
}

/// What to wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Only the child's end.
    End,
    /// Its end, or its being stopped (WUNTRACED).
    Stops,
}

/// waitpid(2) for one child, repeated when a signal interrupts it.
///
/// ```
/// use linux::process::{Fork, Status, Wait, exit_child, fork, wait};
/// let child = match fork()? {
///     Fork::Child => exit_child(7),
///     Fork::Parent(child) => child,
/// };
/// assert_eq!(wait(child, Wait::End)?, Status::Exited(7));
/// # Ok::<(), linux::Error>(())
/// ```
pub fn wait(pid: Pid, what: Wait) -> Result<Status> {
    loop {
        if let Some(status) = wait_once(pid, what)? {
            return Ok(status);
        }
    }
}

/// waitpid(2) for one child. `None` if a signal has interrupted it.
fn wait_once(pid: Pid, what: Wait) -> Result<Option<Status>> {
    let options = if what == Wait::Stops { libc::WUNTRACED } else { 0 };
    loop {
        let mut status = 0;
        // Not nix's: a child that died of a real-time signal is EINVAL there.
        // SAFETY: `status` is valid for a write.
        let got = raw::checked(i64::from(unsafe { libc::waitpid(pid.0, &mut status, options) }));
        match got {
            Err(Errno::EINTR) => return Ok(None),
            Err(errno) => {
                return traced!(Err::<i64, Errno>(errno), "waitpid({pid})")
                    .context("waitpid", pid.to_string())
                    .map(|_| None);
            }
            Ok(_) => {}
        }
        let (status, how, number) = if libc::WIFEXITED(status) {
            let code = libc::WEXITSTATUS(status);
            (Status::Exited(code as u8), "Exited", code)
        } else if libc::WIFSIGNALED(status) {
            let signal = libc::WTERMSIG(status);
            (Status::Signaled(signal), "Signaled", signal)
        } else if libc::WIFSTOPPED(status) {
            let signal = libc::WSTOPSIG(status);
            (Status::Stopped(signal), "Stopped", signal)
        } else {
            continue;
        };
        traced!(got, "waitpid({pid}, {how}({number}))").context("waitpid", "")?;
        return Ok(Some(status));
    }
}

/// pidfd_open(2): a descriptor for this process, which never refers to a later one with the same number.
pub fn pidfd_open(pid: Pid) -> Result<OwnedFd> {
    traced!(NumberCall::PIDFD_OPEN.open([i64::from(pid.0), 0, 0]), "pidfd_open({pid}, 0)")
        .map_err(|errno| unless_filtered(libc::SYS_pidfd_open, errno))
        .context("pidfd_open", pid.to_string())
}

/// Whether the process of a pidfd has ended (a pidfd becomes readable then).
pub fn has_ended(pidfd: BorrowedFd<'_>) -> Result<bool> {
    let ready = poll(&mut [PollFd::new(pidfd, PollFlags::POLLIN)], PollTimeout::ZERO).map_err(Errno::from);
    ready.context("poll", "").map(|ready| ready > 0)
}

/// _exit(2): ends a child without the parent's exit handlers and buffers.
pub fn exit_child(status: u8) -> ! {
    // nix has none, and the standard library's runs what was registered with atexit(3).
    // SAFETY: _exit takes an integer and does not return.
    unsafe { libc::_exit(i32::from(status)) }
}

/// Our own process number.
pub fn id() -> Pid {
    Pid(nix::unistd::getpid().as_raw())
}

/// Our parent's process number.
pub fn parent() -> Pid {
    Pid(nix::unistd::getppid().as_raw())
}

/// Whether `path` may be executed by us: access(2), X_OK.
///
/// ```
/// use linux::process::is_executable;
/// use std::ffi::OsStr;
/// assert!(is_executable(OsStr::new("/proc/self/exe")));
/// assert!(!is_executable(OsStr::new("/proc/version")));
/// ```
pub fn is_executable(path: &OsStr) -> bool {
    may(path, AccessFlags::X_OK)
}

/// Whether `path` may be written to by us: access(2), W_OK.
pub fn is_writable(path: &OsStr) -> bool {
    may(path, AccessFlags::W_OK)
}

/// Whether nothing exists at `path`: access(2), F_OK. False on any error but ENOENT or ENOTDIR, since something may be
/// there.
///
/// ```
/// use linux::process::is_missing;
/// use std::ffi::OsStr;
/// assert!(is_missing(OsStr::new("/proc/nowhere")) && !is_missing(OsStr::new("/proc")));
/// ```
pub fn is_missing(path: &OsStr) -> bool {
    let looked = raw::cstring(path).map(|path| access(path.as_c_str(), AccessFlags::F_OK));
    matches!(looked, Ok(Err(nix::Error::ENOENT | nix::Error::ENOTDIR)))
}

fn may(path: &OsStr, mode: AccessFlags) -> bool {
    raw::cstring(path).is_ok_and(|path| access(path.as_c_str(), mode).is_ok())
}
