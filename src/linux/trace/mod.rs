//! The trace: every system call that changes something, as it is made, in a line like strace(1)'s.
//!
//! `CTRBOX_TRACE=1` writes to standard error; any other value names a file that lines are appended to. Each line is one
//! write(2), so that the lines of several processes do not mix. From the first fork on each begins with its process's
//! number, also after an exec of another ctrbox. With tracing off the cost is one load.

#[macro_use]
mod show;

pub use show::{Descriptor, Directory, FlagNames, Flags, Optional, Quoted};

use crate::quiet::without_write_signals;
use crate::{Errno, raw};
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicI32, Ordering};
use nix::fcntl::OFlag;
use nix::unistd::{getpid, pipe2};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};

/// The descriptor lines go to; negative while tracing is off.
static OUTPUT: AtomicI32 = AtomicI32::new(-1);

/// Sends lines to this descriptor from here on; it stays open. `number` is the process number on them, 0 as long as there
/// is only one process.
pub(crate) fn start(output: OwnedFd, number: i32) {
    PID.store(number, Ordering::Relaxed);
    OUTPUT.store(output.into_raw_fd(), Ordering::Relaxed);
}

/// Our process number as lines show it; 0, and not shown, as long as there is only one process.
static PID: AtomicI32 = AtomicI32::new(0);

/// [`PID`], if it is shown.
pub(crate) fn number() -> Option<i32> {
    Some(PID.load(Ordering::Relaxed)).filter(|number| *number != 0)
}

/// Blocks a forked child until its parent has traced the fork, so that the trace keeps the order of the calls, and
/// gives the child its number: in a new PID namespace getpid(2) would return 1.
pub(crate) struct Fork(Option<(OwnedFd, OwnedFd)>);

impl Fork {
    /// Before the fork.
    pub(crate) fn prepare() -> Fork {
        Fork(if enabled() { pipe2(OFlag::O_CLOEXEC).ok() } else { None })
    }

    /// In the child.
    #[cold]
    pub(crate) fn child(self) {
        let mut number = [0; 4];
        let got = self.0.and_then(|(read, write)| {
            drop(write);
            raw::read_some(read.as_fd(), &mut number).ok()
        });
        let is_whole = got == Some(number.len());
        PID.store(if is_whole { i32::from_ne_bytes(number) } else { getpid().as_raw() }, Ordering::Relaxed);
    }

    /// In the parent, with the result, which is traced and returned.
    pub(crate) fn parent(self, forked: Result<i32, Errno>) -> Result<i32, Errno> {
        if enabled() {
            if forked.is_ok() && PID.load(Ordering::Relaxed) == 0 {
                PID.store(getpid().as_raw(), Ordering::Relaxed);
            }
            line(format_args!("fork()"), Some(&forked));
            if let (Some((_, write)), Ok(child)) = (&self.0, forked) {
                let _ = raw::write_once(write.as_fd(), &child.to_ne_bytes());
            }
        }
        forked
    }
}

/// Whether tracing is on.
#[inline]
pub fn enabled() -> bool {
    OUTPUT.load(Ordering::Relaxed) >= 0
}

/// The descriptor of the trace if it is not a standard one: code that closes descriptors must leave it open.
pub fn descriptor() -> Option<i32> {
    let fd = OUTPUT.load(Ordering::Relaxed);
    (fd > 2).then_some(fd)
}

/// How a call ended, as the right-hand side of a trace line.
pub trait Outcome {
    /// Writes `= 0`, `= 5`, or `= -1 EPERM (Operation not permitted)`.
    fn show(&self, line: &mut Line) -> fmt::Result;
}

impl<T: Value> Outcome for core::result::Result<T, Errno> {
    fn show(&self, line: &mut Line) -> fmt::Result {
        match self {
            Ok(value) => show_outcome(Ok(value.number()), line),
            Err(errno) => show_outcome(Err(*errno), line),
        }
    }
}

#[inline(never)]
fn show_outcome(outcome: Result<i64, Errno>, line: &mut Line) -> fmt::Result {
    match outcome {
        Ok(number) => write!(line, " = {number}"),
        Err(errno) => write!(line, " = -1 {errno:?} ({errno})"),
    }
}

/// A successful result, as the number the kernel returned.
pub trait Value {
    /// The number.
    fn number(&self) -> i64;
}

impl Value for () {
    fn number(&self) -> i64 {
        0
    }
}
impl Value for i32 {
    fn number(&self) -> i64 {
        i64::from(*self)
    }
}
impl Value for i64 {
    fn number(&self) -> i64 {
        *self
    }
}
impl Value for usize {
    fn number(&self) -> i64 {
        *self as i64
    }
}
impl Value for libc::sigaction {
    fn number(&self) -> i64 {
        0
    }
}
impl Value for OwnedFd {
    fn number(&self) -> i64 {
        i64::from(self.as_raw_fd())
    }
}
/// A line in a buffer of its own, without an allocation; what does not fit is cut.
pub struct Line {
    bytes: [u8; 2048],
    used: usize,
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // The last byte is kept for the newline.
        let room = self.bytes.len() - 1;
        for byte in text.bytes() {
            if self.used >= room {
                return Ok(());
            }
            if let Some(slot) = self.bytes.get_mut(self.used) {
                *slot = byte;
                self.used += 1;
            }
        }
        Ok(())
    }
}

/// Writes one line: the call, and its result if it has one yet (exec has not).
pub fn line(call: fmt::Arguments<'_>, outcome: Option<&dyn Outcome>) {
    let mut line = Line { bytes: [0; 2048], used: 0 };
    let pid = PID.load(Ordering::Relaxed);
    if pid != 0 {
        let _ = write!(line, "[pid {pid}] ");
    }
    let _ = line.write_fmt(call);
    if let Some(outcome) = outcome {
        let _ = outcome.show(&mut line);
    }
    if let Some(slot) = line.bytes.get_mut(line.used) {
        *slot = b'\n';
        line.used += 1;
    }
    if let Some(text) = line.bytes.get(..line.used) {
        // A failed write of the trace is ignored, and must neither change nor end the command.
        without_write_signals(&mut || {
            let _ = raw::write_all_to(OUTPUT.load(Ordering::Relaxed), text);
        });
    }
}

/// Makes a call and, when tracing, writes it: `traced!(RESULT, "setuid({})", uid)`.
macro_rules! traced {
    ($result:expr, $($call:tt)*) => {{
        let result = $result;
        if $crate::trace::enabled() {
            $crate::trace::line(format_args!($($call)*), Some(&result));
        }
        result
    }};
}
