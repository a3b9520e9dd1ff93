//! The trace: every system call that matters, one a line, as it is made.
//!
//! `CTRBOX_TRACE=1` writes to standard error, any other value names a file
//! that is appended to. Each line is one write(2), so the lines of a forked
//! child do not mix with its parent's, and each has its process's number from
//! the first fork on, also in a program of ours that one of them becomes. With
//! tracing off the cost is one load.

use crate::Errno;
use crate::process::Environment;
use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicI32, Ordering};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The descriptor lines go to; negative while tracing is off.
static OUTPUT: AtomicI32 = AtomicI32::new(-1);

/// Reads `CTRBOX_TRACE` and opens the file it names. A file that cannot be
/// opened leaves tracing off: the trace never changes what a command does. So does a file that
/// somebody with less privilege may have named.
pub fn start() {
    let Some(value) = crate::process::environment("CTRBOX_TRACE") else { return };
    let output = match value.as_bytes() {
        b"" | b"0" => return,
        b"1" => crate::io::above_standard(2),
        _ if crate::start::is_secure_execution() => return,
        path => crate::io::append(OsStr::from_bytes(path))
            // Where a standard descriptor is closed, ours must not take its place.
            .and_then(|file| crate::io::above_standard(file.as_raw_fd())),
    };
    if let Ok(output) = output {
        OUTPUT.store(output.into_raw_fd(), Ordering::Relaxed);
        PID.store(number_from_before(), Ordering::Relaxed);
    }
}

/// Says to a program of ours that a traced process becomes or starts that there is more than one process, and which
/// one it is: `NUMBER:OWN`, the number on the lines and the process's own in its PID namespace.
const NUMBER: &str = "CTRBOX_TRACE_PID";

/// The number that this process had before it became our program. A program between may have started others, to which
/// the variable does not apply: those have the number that they know themselves.
fn number_from_before() -> i32 {
    let Some(value) = crate::process::environment(NUMBER) else { return 0 };
    let own = crate::process::id();
    let mut numbers = value.as_bytes().split(|byte| *byte == b':').map(crate::number::decimal);
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(number), Some(who)) if who == own as u64 => number as i32,
        _ => own,
    }
}

/// The environment for the program that this process becomes, if there was a fork and the program may trace, too.
pub(crate) fn number_for_program(environment: &Environment) -> Option<Environment> {
    let number = PID.load(Ordering::Relaxed);
    let told = number != 0 && environment.variable("CTRBOX_TRACE").is_some();
    told.then(|| environment.with(&[(NUMBER, format!("{number}:{}", crate::process::id()).into())]))
}

/// Our process number, shown on each line since there was another process; 0 before.
static PID: AtomicI32 = AtomicI32::new(0);

/// Holds a forked child back until its parent has told of the fork, so that the trace is in the order of the calls, and
/// gives it its number: in a PID namespace of its own it would call itself 1.
pub(crate) struct Fork(Option<(OwnedFd, OwnedFd)>);

impl Fork {
    /// Before the fork.
    pub(crate) fn prepare() -> Fork {
        let mut ends = [-1; 2];
        // SAFETY: `ends` is valid for two descriptors.
        let made = enabled() && unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } == 0;
        let ends = made.then(|| (crate::io::owned(ends[0]), crate::io::owned(ends[1])));
        Fork(ends.and_then(|(read, write)| read.ok().zip(write.ok())))
    }

    /// In the child.
    #[cold]
    pub(crate) fn child(self) {
        let mut number = [0; 4];
        let got = self.0.and_then(|(read, write)| {
            drop(write);
            crate::io::read_some(read.as_fd(), &mut number).ok()
        });
        let is_whole = got == Some(number.len());
        PID.store(if is_whole { i32::from_ne_bytes(number) } else { crate::process::id() }, Ordering::Relaxed);
    }

    /// In the parent, with the result, which is told.
    pub(crate) fn parent(self, forked: Result<i64, Errno>) -> Result<i64, Errno> {
        if enabled() {
            if forked.is_ok() && PID.load(Ordering::Relaxed) == 0 {
                PID.store(crate::process::id(), Ordering::Relaxed);
            }
            line(format_args!("fork()"), Some(&forked));
            if let (Some((_, write)), Ok(child)) = (&self.0, forked) {
                let _ = crate::io::write_once(write.as_raw_fd(), &(child as i32).to_ne_bytes());
            }
        }
        forked
    }
}

/// Whether lines are written.
#[inline]
pub fn enabled() -> bool {
    OUTPUT.load(Ordering::Relaxed) >= 0
}

/// The descriptor of the trace, where one is open; who closes descriptors must spare it.
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
            Ok(value) => write!(line, " = {}", value.number()),
            Err(errno) => write!(line, " = -1 {errno:?} ({errno})"),
        }
    }
}

impl<T: Value> Outcome for nix::Result<T> {
    fn show(&self, line: &mut Line) -> fmt::Result {
        match self {
            Ok(value) => write!(line, " = {}", value.number()),
            Err(errno) => {
                let errno = Errno::from(*errno);
                write!(line, " = -1 {errno:?} ({errno})")
            }
        }
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
impl Value for OwnedFd {
    fn number(&self) -> i64 {
        i64::from(self.as_raw_fd())
    }
}
impl Value for nix::unistd::Pid {
    fn number(&self) -> i64 {
        i64::from(self.as_raw())
    }
}

/// One line being put together, without an allocation; what does not fit is cut.
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
        // A trace that cannot be written must not change what the command does, nor end it.
        crate::process::without_write_signals(|| {
            let _ = crate::io::write_all_to(OUTPUT.load(Ordering::Relaxed), text);
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

/// Bits shown by name, `CLONE_NEWNS|CLONE_NEWPID`; unnamed ones in hexadecimal.
pub struct Flags<'a>(pub u64, pub &'a [(u64, &'static str)]);

impl fmt::Display for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        let mut first = true;
        for (bits, name) in self.1 {
            if *bits != 0 && left & bits == *bits {
                if !first {
                    f.write_char('|')?;
                }
                f.write_str(name)?;
                first = false;
                left &= !bits;
            }
        }
        if left != 0 || first {
            if !first {
                f.write_char('|')?;
            }
            if left == 0 {
                f.write_char('0')?;
            } else {
                write!(f, "{left:#x}")?;
            }
        }
        Ok(())
    }
}

/// Bytes as strace shows them: in double quotes, unprintable ones escaped.
pub struct Quoted<'a>(pub &'a [u8]);

impl<'a> Quoted<'a> {
    /// A path or name.
    pub fn new(text: &'a (impl AsRef<OsStr> + ?Sized)) -> Quoted<'a> {
        Quoted(text.as_ref().as_bytes())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        escape(self.0, f)?;
        f.write_char('"')
    }
}

fn escape(text: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for &byte in text {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\t' => f.write_str("\\t")?,
            0x20..=0x7e => f.write_char(char::from(byte))?,
            _ => write!(f, "\\{byte:o}")?,
        }
    }
    Ok(())
}

/// A descriptor with its path, as `strace -y` shows it: `3</mnt>`.
pub struct Descriptor<'a>(pub i32, pub &'a OsStr);

impl fmt::Display for Descriptor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<", self.0)?;
        escape(self.1.as_bytes(), f)?;
        f.write_char('>')
    }
}

/// A directory that a path starts in, as strace shows it: its number, or `AT_FDCWD`.
pub struct At(pub i32);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == libc::AT_FDCWD { f.write_str("AT_FDCWD") } else { self.0.fmt(f) }
    }
}

/// A string argument that may be absent: quoted, or `NULL`.
pub struct Optional<'a>(pub Option<&'a OsStr>);

impl fmt::Display for Optional<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => Quoted::new(text).fmt(f),
            None => f.write_str("NULL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_shown_by_name_and_the_rest_in_hexadecimal() {
        let names = [(1, "A"), (4, "C")];
        assert_eq!(Flags(5, &names).to_string(), "A|C");
        assert_eq!(Flags(0, &names).to_string(), "0");
        assert_eq!(Flags(9, &names).to_string(), "A|0x8");
        assert_eq!(Flags(8, &names).to_string(), "0x8");
    }

    #[test]
    fn bytes_are_quoted_as_strace_does() {
        assert_eq!(Quoted(b"a \"b\"\n\xff").to_string(), "\"a \\\"b\\\"\\n\\377\"");
    }
}
