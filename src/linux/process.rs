//! Processes: fork(2), waitpid(2), signals, and the one execve(2).
//!
//! A program starts with the signal mask, the dispositions and the descriptors
//! that we were given: whoever changes one of them here puts it back.

mod attend;
mod channel;
mod exec;
mod helper_child;
mod signal;

pub use attend::{ANY_TRACER, Attendance, FORWARDED, Parent, attend, death_signal, die_with_parent, set_tracer};
pub use channel::{Channel, channel};
pub use exec::{Argv, Environment, ExecError, SearchPath, exec};
pub use helper_child::with_helper_child;
pub(crate) use signal::without_write_signals;
pub use signal::{
    Disposition, Signal, SignalMask, block, die_of, raise, reset_to_default, send, signal_name, signal_number,
};

/// The signal numbers that applets name: signal(7).
pub mod signals {
    pub use libc::{SIGCHLD, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};
}

use crate::filtered::unless_filtered;
use crate::{Errno, Result, error::Context, io};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// A process number, as in pid_t.
pub type Pid = i32;

/// Which side of fork(2) we are on.
pub enum Fork {
    /// The parent, with the child's pid.
    Parent(Pid),
    /// The child.
    Child,
}

/// fork(2). The process has one thread, so the child may do anything.
pub fn fork() -> Result<Fork> {
    let told = crate::trace::Fork::prepare();
    // SAFETY: ctrbox has a single thread wherever it forks.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        if crate::trace::enabled() {
            told.child();
        }
        return Ok(Fork::Child);
    }
    let pid = told.parent(io::checked(i64::from(pid))).context("fork", "")?;
    Ok(Fork::Parent(pid as Pid))
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
        // SAFETY: `status` is valid for a write.
        let got = io::checked(i64::from(unsafe { libc::waitpid(pid, &mut status, options) }));
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

/// pidfd_open(2): a descriptor that means this process and no later one with its number.
pub fn pidfd_open(pid: Pid) -> Result<OwnedFd> {
    // SAFETY: the call takes two integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    traced!(io::owned(fd as i32), "pidfd_open({pid}, 0)")
        .map_err(|errno| unless_filtered(libc::SYS_pidfd_open, errno))
        .context("pidfd_open", pid.to_string())
}

/// Whether the process of a pidfd has ended (a pidfd becomes readable then).
pub fn has_ended(pidfd: BorrowedFd<'_>) -> Result<bool> {
    let mut poll = libc::pollfd { fd: pidfd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is one valid pollfd.
    let ready = io::checked(i64::from(unsafe { libc::poll(&mut poll, 1, 0) })).context("poll", "")?;
    Ok(ready > 0)
}

/// _exit(2): ends a child without running what the parent has still to do.
pub fn exit_child(status: u8) -> ! {
    // SAFETY: _exit takes an integer and does not return.
    unsafe { libc::_exit(i32::from(status)) }
}

/// Our own process number.
pub fn id() -> Pid {
    // SAFETY: getpid has no preconditions.
    unsafe { libc::getpid() }
}

/// Our parent's process number.
pub fn parent() -> Pid {
    // SAFETY: getppid has no preconditions.
    unsafe { libc::getppid() }
}

/// A variable of our environment that is set and not empty.
pub fn variable(name: &str) -> Option<OsString> {
    environment(name).filter(|value| !value.is_empty())
}

/// [`variable`], unless the environment may be of somebody with less privilege: secure_getenv(3).
pub fn trusted_variable(name: &str) -> Option<OsString> {
    if crate::start::is_secure_execution() { None } else { variable(name) }
}

/// A variable of our environment: getenv(3). The standard library's takes a lock, in a page that
/// nothing else at the start touches.
pub fn environment(name: impl AsRef<OsStr>) -> Option<OsString> {
    let name = io::cstring(name.as_ref()).ok()?;
    // SAFETY: `name` is NUL-terminated, and nothing in this program changes the environment.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    // SAFETY: what getenv returned is null or NUL-terminated.
    (!value.is_null()).then(|| OsStr::from_bytes(unsafe { core::ffi::CStr::from_ptr(value) }.to_bytes()).to_os_string())
}

/// Whether `path` may be executed by us: access(2), X_OK.
pub fn is_executable(path: &OsStr) -> bool {
    may(path, libc::X_OK)
}

/// Whether `path` may be written to by us: access(2), W_OK.
pub fn is_writable(path: &OsStr) -> bool {
    may(path, libc::W_OK)
}

/// Whether there is something at `path`: access(2), F_OK.
fn exists(path: &OsStr) -> bool {
    may(path, libc::F_OK)
}

fn may(path: &OsStr, mode: i32) -> bool {
    io::cstring(path).is_ok_and(|path| {
        // SAFETY: `path` is NUL-terminated.
        unsafe { libc::access(path.as_ptr(), mode) == 0 }
    })
}
