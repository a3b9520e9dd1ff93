//! The program's start: arguments from the C entry point, and the trace.
//!
//! Rust's own start-up is left out: it makes 17 system calls and sets SIGPIPE
//! to ignored, which the program we exec would inherit.

use crate::{environment, file, number, raw, secure, trace};
use nix::unistd::getpid;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// The arguments, `argv[0]` first. They live as long as the process.
///
/// # Safety
/// `argc` and `argv` must be what the C start-up code handed to `main`.
pub unsafe fn arguments(argc: c_int, argv: *const *const c_char) -> Vec<&'static OsStr> {
    let count = usize::try_from(argc).unwrap_or(0);
    let mut arguments = Vec::with_capacity(count);
    for index in 0..count {
        // SAFETY: the caller promises `argc` readable pointers at `argv`.
        let argument = unsafe { *argv.add(index) };
        if argument.is_null() {
            break;
        }
        // SAFETY: the kernel ends each argument with NUL and keeps it for the life of the process.
        let text = unsafe { CStr::from_ptr(argument) };
        arguments.push(OsStr::from_bytes(text.to_bytes()));
    }
    arguments
}

/// Opens what `CTRBOX_TRACE` names, `1` for standard error, and starts the trace. A file that cannot be opened leaves
/// tracing off: the trace never changes what a command does. So does a file that somebody with less privilege may have
/// named.
pub fn trace() {
    let Some(name) = environment::value("CTRBOX_TRACE") else { return };
    let output = match name.as_bytes() {
        b"" | b"0" => return,
        b"1" => raw::duplicate(raw::known_by_number(2)).ok(),
        _ if secure::is_secure_execution() => return,
        _ => file::append(&name).ok(),
    };
    if let Some(output) = output {
        trace::start(output, number_from_before());
    }
}

/// The variable that tells a ctrbox started by a traced one by which number the trace calls it: `NUMBER:OWN`. OWN is its
/// process number in its PID namespace, by which it sees that the variable is meant for it.
pub(crate) const NUMBER: &str = "CTRBOX_TRACE_PID";

/// The number by which the trace calls this process: the one in [`NUMBER`] if the variable was set for this process, else
/// its own. Another program in between may have handed the variable on to its children.
fn number_from_before() -> i32 {
    let Some(value) = environment::value(NUMBER) else { return 0 };
    let own = getpid().as_raw();
    let mut numbers = value.as_bytes().split(|byte| *byte == b':').map(number::decimal);
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(number), Some(who)) if who == own as u64 => number as i32,
        _ => own,
    }
}

/// Defines the C `main` that calls `$main(&[&OsStr]) -> u8` and returns its exit status.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        /// The C entry point.
        #[unsafe(no_mangle)]
        extern "C" fn main(argc: ::core::ffi::c_int, argv: *const *const ::core::ffi::c_char) -> ::core::ffi::c_int {
            // SAFETY: the C start-up code calls this with the process's own arguments.
            let arguments = unsafe { $crate::start::arguments(argc, argv) };
            ::core::ffi::c_int::from($main(&arguments))
        }
    };
}
