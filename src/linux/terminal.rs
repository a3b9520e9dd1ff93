//! Terminals: isatty(3), ioctl_tty(2).

use crate::{environment, ioctl, number, raw};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

/// Whether a descriptor is a terminal.
pub fn is_terminal(fd: RawFd) -> bool {
    nix::unistd::isatty(raw::known_by_number(fd)) == Ok(true)
}

/// How many columns the terminal behind a descriptor has, if it is one and says so: TIOCGWINSZ.
pub fn width(fd: RawFd) -> Option<usize> {
    let mut size = [0_u16; 4];
    ioctl::on(raw::known_by_number(fd), ioctl::TIOCGWINSZ, &mut size).ok()?;
    // struct winsize: rows, columns, and pixels.
    let [_, columns, ..] = size;
    (columns > 0).then(|| usize::from(columns))
}

/// How wide a descriptor is, if it is a terminal; where that does not say, as a serial console, what COLUMNS says, or 80.
pub fn width_or_80(fd: RawFd) -> Option<usize> {
    let said = || number::decimal(environment::variable("COLUMNS")?.as_bytes()).filter(|columns| *columns > 0);
    is_terminal(fd).then(|| width(fd).or_else(|| usize::try_from(said()?).ok()).unwrap_or(80))
}
