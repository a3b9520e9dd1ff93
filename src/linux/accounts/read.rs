//! Reads account files line by line, also those of a root that somebody else made: openat2(2).

use crate::{Errno, file, raw, resolve};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// The most bytes that are read of a file: somebody else's root may hold an endless one.
const LIMIT: usize = 256 * 1024 * 1024;
/// The longest line, in bytes, that is read as an account. Longer ones are skipped.
const LONGEST: usize = 1024 * 1024;

/// Calls `row` with each line of an account file that may be an entry, until `row` returns that it needs no more.
pub(super) fn each(path: &str, row: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Errno> {
    let file = open(path)?;
    // A root made by somebody else may have a pipe or a device in its place, of which nothing is read.
    if !crate::stat::of(file.as_fd())?.is_regular() {
        return Ok(());
    }
    let mut lines = Lines::default();
    // One page: most account files fit in it, and each further page of the buffer would cost a page fault.
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

/// Opens an account file. A pipe in its place keeps nobody waiting.
fn open(path: &str) -> Result<OwnedFd, Errno> {
    match resolve::open_without_magic_links(OsStr::new(path), file::AT_ONCE) {
        // A kernel before 5.6, or a filter that does not know the call.
        Err(Errno::ENOSYS) => file::open_at(None, OsStr::new(path), file::AT_ONCE, 0),
        // A link that is not followed counts as a missing account file. Numeric ids still work.
        Err(Errno::ELOOP) => Err(Errno::ENOENT),
        opened => opened,
    }
}

/// Assembles lines from the pieces that are read.
#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not been read yet.
    begun: Vec<u8>,
    /// Whether that line is too long already, so that its rest is skipped.
    too_long: bool,
}

impl Lines {
    /// Calls `row` with the lines that `piece` completes. Returns whether `row` wants more.
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
            if !self.too_long && is_entry(line.trim_ascii_start()) && !row(line) {
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
            assert_eq!(seen, [b"a".to_vec(), b"  c:d".to_vec(), b"last".to_vec()], "{size}");
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
