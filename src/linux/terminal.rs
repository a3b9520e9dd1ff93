//! Terminals: isatty(3), ioctl_tty(2).

use crate::{ioctl, raw};
use std::os::fd::RawFd;

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

/// How wide a descriptor is, if it is a terminal; 80 columns if that does not say.
pub fn width_or_80(fd: RawFd) -> Option<usize> {
    is_terminal(fd).then(|| width(fd).unwrap_or(80))
}
