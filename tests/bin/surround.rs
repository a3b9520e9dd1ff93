//! Starts a command in surroundings that a shell cannot make; see `tests/hostile`.
//!
//! `surround argv0 TEXT FILE ARGUMENT...` executes FILE under that name, `surround argc0 FILE` with no
//! arguments at all, not even a name. `surround ignoring SIGNAL COMMAND...` starts COMMAND with a signal
//! ignored. `surround denying ERROR CALL,CALL... COMMAND...` starts it under a seccomp filter that answers
//! these system calls with an error, `surround emulating VERSION ERROR COMMAND...` under one that takes away what came
//! after that version of Linux. `surround limited RESOURCE VALUE COMMAND...` sets a resource limit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use tests::emulation::{self, Emulation};
use tests::fault::call_number;

fn main() {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // Rust's start has ignored it, and the command would inherit that.
    // SAFETY: the call takes two integers.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    let text = |at: usize| arguments[at].to_str().expect("UTF-8");
    match text(0) {
        "argv0" => execute(&arguments[2], std::iter::once(&arguments[1]).chain(&arguments[3..])),
        "argc0" => execute(&arguments[1], std::iter::empty()),
        "ignoring" => {
            // SAFETY: the call takes two integers.
            unsafe { libc::signal(text(1).parse().unwrap(), libc::SIG_IGN) };
            execute(&arguments[2], &arguments[2..]);
        }
        "denying" => {
            let errno = match text(1) {
                "ENOSYS" => libc::ENOSYS,
                "EPERM" => libc::EPERM,
                _ => unreachable!("no such error"),
            };
            let calls = text(2).split(',').map(|name| call_number(name).expect("a system call"));
            emulation::install(emulation::denying(errno, calls)).expect("a filter can be installed");
            execute(&arguments[3], &arguments[3..]);
        }
        "emulating" => {
            let emulation = Emulation { kernel: text(1).parse().unwrap(), answer: text(2).parse().unwrap() };
            emulation::install(emulation.filter()).expect("a filter can be installed");
            execute(&arguments[3], &arguments[3..]);
        }
        "limited" => {
            let resource = match text(1) {
                "nofile" => libc::RLIMIT_NOFILE,
                "nproc" => libc::RLIMIT_NPROC,
                "as" => libc::RLIMIT_AS,
                "fsize" => libc::RLIMIT_FSIZE,
                "stack" => libc::RLIMIT_STACK,
                _ => unreachable!("no such resource"),
            };
            let value = text(2).parse().unwrap();
            let command = Command::new(&arguments[3], &arguments[3..]);
            // SAFETY: the structure is initialised.
            assert_eq!(unsafe { libc::setrlimit(resource, &libc::rlimit { rlim_cur: value, rlim_max: value }) }, 0);
            command.execute();
        }
        _ => unreachable!("no such surroundings"),
    }
}

struct Command {
    file: CString,
    words: Vec<CString>,
}

impl Command {
    fn new<'a>(file: &OsString, words: impl IntoIterator<Item = &'a OsString>) -> Command {
        let word = |word: &OsString| CString::new(word.as_bytes()).unwrap();
        Command { file: word(file), words: words.into_iter().map(word).collect() }
    }

    fn execute(self) {
        let mut pointers: Vec<*const libc::c_char> = self.words.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        // SAFETY: the strings and the array, which ends with a null pointer, live until the call returns.
        unsafe {
            libc::execvp(self.file.as_ptr(), pointers.as_ptr());
            libc::_exit(125);
        }
    }
}

fn execute<'a>(file: &OsString, words: impl IntoIterator<Item = &'a OsString>) {
    Command::new(file, words).execute();
}
