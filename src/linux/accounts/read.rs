//! Reading account files line by line, whoever made them: openat2(2).

use crate::{Errno, file, raw, resolve};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// How much of a file is read, in bytes: a root made by somebody else may have one without end.
const LIMIT: usize = 256 * 1024 * 1024;
/// The longest line that may be an account, in bytes; longer ones are passed over.
const LONGEST: usize = 1024 * 1024;

/// Shows each line of an account file that may be an entry, until `row` says that it has seen enough.
pub(super) fn each(path: &str, row: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Errno> {
    let file = open(path)?;
    let mut lines = Lines::default();
    // One page: most of these files fit, and each page of a larger buffer would be a fault.
    let mut chunk = [0; 4096];
    let mut total = 0;
    while total < LIMIT {
        let got = raw::read_some(file.as_fd(), &mut chunk)?;
        if got == 0 {
            break;
        }
        total += got;
        if !lines.take(chunk.get(..got).unwrap_or_default(), row) {
            return Ok(());
        }
    }
    lines.take(b"\n", row);
    Ok(())
}

/// Opens an account file, which must be a regular one: a root made by somebody else may have
/// a pipe or a device in its place.
fn open(path: &str) -> Result<OwnedFd, Errno> {
    let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match resolve::open_without_magic_links(OsStr::new(path), flags) {
        // A kernel before 5.6, or a filter that does not know the call.
        Err(Errno::ENOSYS) => file::open_at(None, OsStr::new(path), flags, 0)?,
        // What stands there is no account file, so there is none: numbers still work.
        Err(Errno::ELOOP) => return Err(Errno::ENOENT),
        opened => opened?,
    };
    if crate::stat::of(file.as_fd())?.is_regular() { Ok(file) } else { Err(Errno::ENOENT) }
}

/// Puts lines together from the pieces that are read.
#[derive(Default)]
struct Lines {
    /// The beginning of the line that is not complete yet.
    begun: Vec<u8>,
    /// It is too long already.
    too_long: bool,
}

impl Lines {
    /// Shows the lines that `piece` completes. Returns whether more are wanted.
    fn take(&mut self, piece: &[u8], row: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let mut rest = piece;
        loop {
            let end = raw::find_byte(b'\n', rest);
            let part = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let is_whole = end.is_some() && self.begun.is_empty();
            self.too_long |= self.begun.len() + part.len() > LONGEST;
            if !self.too_long && !is_whole {
                self.begun.extend_from_slice(part);
            }
            let Some(end) = end else { return true };
            let line = if is_whole { part } else { &self.begun };
            let line = line.trim_ascii_start();
            if !self.too_long && is_entry(line) && !row(line) {
                return false;
            }
            self.begun.clear();
            self.too_long = false;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }
}

/// Whether a line without white space before it is neither empty nor a comment. A plus or minus sign begins an entry of
/// a network service.
fn is_entry(line: &[u8]) -> bool {
    !matches!(line.first(), None | Some(b'#' | b'+' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_whatever_the_pieces_are() {
        let text = b"a\n\n# b\n  c:d\n+e\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            let mut seen: Vec<Vec<u8>> = Vec::new();
            let mut row = |line: &[u8]| {
                seen.push(line.to_vec());
                true
            };
            for piece in text.chunks(size).chain([b"\n".as_slice()]) {
                assert!(lines.take(piece, &mut row));
            }
            assert_eq!(seen, [b"a".to_vec(), b"c:d".to_vec(), b"last".to_vec()], "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over_and_takes_no_memory() {
        let mut lines = Lines::default();
        let mut seen = 0;
        let mut row = |line: &[u8]| {
            assert_eq!(line, b"x");
            seen += 1;
            true
        };
        for _ in 0..100 {
            lines.take(&vec![b'y'; LONGEST / 10], &mut row);
            assert!(lines.begun.len() <= LONGEST);
        }
        lines.take(b"\nx\n", &mut row);
        assert_eq!(seen, 1);
    }
}
