//! Runs a command and makes one of its system calls fail, as `strace -f -e inject=CALL:error=E:when=N`
//! does, but of one process only: a child's first call is reached, too, where its parent's first
//! would have ended it before the fork.
//!
//! `inject run LOG FAULT COMMAND...`: FAULT is `PROCESS:NUMBER:N:ERRNO` or `-`. A process is `0`, its
//! second child `0.2`, and so on; only what the tested program does is counted and made to fail, up
//! to its exec of another program. What that program is in, as /proc shows it from outside at the
//! very moment of the exec, goes to LOG. `inject snapshot` prints what a command could have left
//! behind in the working directory, in the mount table, in /run/mount and among the processes. Both
//! look at `$PROC`, if that is set, in place of a /proc that the command takes away. Called `probe` it stands for the program that a command runs.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

mod snapshot;
#[cfg(target_arch = "x86_64")]
mod state;
#[cfg(target_arch = "x86_64")]
mod tracer;

use std::ffi::OsString;
use std::path::Path;

/// What /proc does not show.
fn probe() -> u8 {
    // SAFETY: these operations take no pointers.
    let (bits, signal) = unsafe {
        let mut signal = 0;
        libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal);
        (libc::prctl(libc::PR_GET_SECUREBITS), signal)
    };
    println!("ran with securebits {bits:#x}, parent-death signal {signal}");
    0
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let called = arguments.first().map(|name| Path::new(name).file_name().unwrap_or_default().to_os_string());
    if called.is_some_and(|name| name == "probe") {
        return probe().into();
    }
    match arguments.get(1).and_then(|verb| verb.to_str()) {
        #[cfg(target_arch = "x86_64")]
        Some("run") => {
            let fault = arguments[3].to_str().and_then(tests::fault::Fault::parse);
            tracer::run(&arguments[2], fault, &arguments[4..]).into()
        }
        Some("snapshot") => {
            print!("{}", snapshot::snapshot());
            0.into()
        }
        _ => 2.into(),
    }
}
