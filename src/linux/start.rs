//! The program's start: arguments from the C entry point, and AT_SECURE.
//!
//! Rust's own start-up is left out: it makes 17 system calls and sets SIGPIPE
//! to ignored, which the program we exec would inherit.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// The arguments, argv[0] first. They live as long as the process.
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

/// Whether the kernel started us with more privilege than our caller has
/// (set-user-ID, set-group-ID or file capabilities): getauxval(3), AT_SECURE.
pub fn is_secure_execution() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
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
