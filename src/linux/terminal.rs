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

/// How wide a descriptor is by its terminal; where that does not say, as a serial console, or is none, by COLUMNS.
pub fn width_or_columns(fd: RawFd) -> Option<usize> {
    let said = || number::decimal(environment::variable("COLUMNS")?.as_bytes());
    width(fd).or_else(|| said().and_then(|columns| u16::try_from(columns).ok()).filter(|it| *it > 0).map(usize::from))
}

/// How wide a descriptor is, if it is a terminal; where nothing says it, 80.
pub fn width_or_80(fd: RawFd) -> Option<usize> {
    is_terminal(fd).then(|| width_or_columns(fd).unwrap_or(80))
}
