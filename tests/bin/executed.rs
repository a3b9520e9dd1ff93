//! Runs a command and writes down which of some files are executed meanwhile, by whomever, as the kernel tells it
//! (fanotify(7)): no wrapper stands between, and no environment has to reach the programs.
//!
//! `executed LOG FILE... -- COMMAND...`: a line of LOG is the last component of the path by which a FILE was executed.
//! Several links to one file are told apart. Ends with the command's status.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("executed: {error}");
            ExitCode::from(125)
        }
    }
}

fn run(arguments: &[OsString]) -> Result<u8, Box<dyn Error>> {
    let usage = "usage: executed LOG FILE... -- COMMAND...";
    let (log, rest) = arguments.split_first().ok_or(usage)?;
    let end = rest.iter().position(|argument| argument == "--").ok_or(usage)?;
    let (files, command) = rest.split_at(end);
    let (program, words) = command.get(1..).and_then(<[OsString]>::split_first).ok_or(usage)?;

    let flags = InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC | InitFlags::FAN_NONBLOCK;
    // Nothing that was executed may be missing because much else was.
    let flags = flags | InitFlags::FAN_UNLIMITED_QUEUE;
    let watch = Fanotify::init(flags, EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC)?;
    let here = File::open(".")?;
    for file in files {
        watch.mark(MarkFlags::FAN_MARK_ADD, MaskFlags::FAN_OPEN_EXEC, &here, Some(file.as_os_str()))?;
    }
    let mut log = File::create(log)?;
    let mut child = Command::new(program).args(words).spawn()?;
    loop {
        // The child's end is seen before the last events are read, so that none is left.
        let ended = child.try_wait()?;
        poll(&mut [PollFd::new(watch.as_fd(), PollFlags::POLLIN)], PollTimeout::from(100_u8))?;
        write_names(&watch, &mut log)?;
        if let Some(status) = ended {
            let number = status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(125);
            return Ok(u8::try_from(number)?);
        }
    }
}

/// Writes the names of what was executed since the last call.
fn write_names(watch: &Fanotify, log: &mut File) -> Result<(), Box<dyn Error>> {
    loop {
        let events = match watch.read_events() {
            Ok(events) => events,
            Err(nix::errno::Errno::EAGAIN) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for event in &events {
            let Some(descriptor) = event.fd() else { continue };
            let path = fs::read_link(format!("/proc/self/fd/{}", descriptor.as_raw_fd()))?;
            if let Some(name) = path.file_name() {
                log.write_all(&[name.as_bytes(), b"\n"].concat())?;
            }
        }
    }
}
