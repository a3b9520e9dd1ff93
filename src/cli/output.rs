//! Standard output, buffered, with its write errors kept until they can be reported.

use crate::text::{Piece, Value, disarm};
use linux::Errno;

/// What has been printed and not yet written. Call [`Output::flush`] before every exec and fork.
#[derive(Default)]
pub struct Output {
    buffer: Vec<u8>,
    failed: Option<Errno>,
}

impl Output {
    /// Written when the buffer has grown past this, in bytes.
    const FULL: usize = 64 * 1024;

    /// Adds text.
    pub fn print(&mut self, text: impl Piece) {
        self.add(text.value());
    }

    /// Adds a line with names that somebody else may have chosen, for people to read: see [`disarm`].
    #[inline(never)]
    pub fn print_line(&mut self, mut line: Vec<u8>) {
        disarm(&mut line, 0);
        line.push(b'\n');
        self.print(line);
    }

    #[inline(never)]
    fn add(&mut self, value: Value<'_>) {
        self.print_with(&mut |buffer| value.append(buffer));
    }

    /// Adds what `append` adds to the end of the buffer; what is in it already stays.
    pub fn print_with(&mut self, append: &mut dyn FnMut(&mut Vec<u8>)) {
        append(&mut self.buffer);
        if self.buffer.len() >= Output::FULL {
            // A failure is kept and reported by the flush at the end.
            let _ = self.flush();
        }
    }

    /// Writes what has been printed so far. The first failure is remembered and reported each time.
    pub fn flush(&mut self) -> Result<(), Errno> {
        if self.failed.is_none() && !self.buffer.is_empty() {
            self.failed = linux::raw::write_all_to(1, &self.buffer).err();
        }
        self.buffer.clear();
        self.failed.map_or(Ok(()), Err)
    }
}
