//! The program's start: arguments from the C entry point, and AT_SECURE.
//!
//! Rust's own start-up is left out: it makes 17 system calls and sets SIGPIPE
//! to ignored, which the program we exec would inherit.

use crate::{Errno, credentials, io, stat};
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::fd::AsFd;
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

/// Whether our environment may be of somebody with less privilege: getauxval(3), AT_SECURE. Either
/// our file gave privilege (see [`file_gives_privilege`]), or our caller's real and effective ids
/// differ, or a security module changed our domain.
pub fn is_secure_execution() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and has no preconditions.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Whether our executable is set-user-ID or set-group-ID, or has file capabilities. Where proc does
/// not show the file: whether the real user is not root, who alone has nothing to gain.
pub fn file_gives_privilege() -> bool {
    read_file_privilege().unwrap_or_else(|_| credentials::real_uid() != 0)
}

fn read_file_privilege() -> Result<bool, Errno> {
    const PROC: i64 = 0x9fa0;
    let open = |path: &str| io::open_at(None, OsStr::new(path), libc::O_PATH, 0);
    if stat::file_system(open("/proc/self")?.as_fd())? != PROC {
        return Err(Errno::ENOENT);
    }
    let executable = c"/proc/self/exe";
    let mode = stat::at(None, executable, 0)?.mode();
    // Without x for the group the bit is no set-group-ID: inode(7).
    if mode & libc::S_ISUID != 0 || mode & (libc::S_ISGID | libc::S_IXGRP) == libc::S_ISGID | libc::S_IXGRP {
        return Ok(true);
    }
    let name = crate::filecap::NAME;
    // SAFETY: both strings are NUL-terminated, and a length of 0 asks for the value's own.
    match io::checked(unsafe { libc::getxattr(executable.as_ptr(), name.as_ptr(), core::ptr::null_mut(), 0) } as i64) {
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(false),
        found => found.map(|_| true),
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
