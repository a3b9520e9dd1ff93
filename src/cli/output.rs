//! Buffered standard output, which keeps a write error until it is reported: write(2).

use crate::text::{Piece, Value, disarm};
use linux::Errno;

/// Text that was printed and not yet written. Flush it before every fork and exec, or it would be written twice or never.
#[derive(Default)]
pub struct Output {
    buffer: Vec<u8>,
    failed: Option<Errno>,
    /// Nothing is written.
    is_held: bool,
}

impl Output {
    /// The size in bytes from which on the buffer is written.
    const FULL: usize = 64 * 1024;

    /// What `print` prints, as a text.
    pub fn text(print: &mut dyn FnMut(&mut Output)) -> Vec<u8> {
        let mut output = Output { is_held: true, ..Output::default() };
        print(&mut output);
        output.buffer
    }

    /// Adds text. Out of line, so that it is here that a text is dropped.
    #[inline(never)]
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

    /// Adds a line that programs read, too: [`Output::print_line`] on a terminal only.
    pub fn print_shown(&mut self, mut line: Vec<u8>) {
        if line.iter().any(|byte| !matches!(byte, b' '..=b'~')) && linux::terminal::is_terminal(1) {
            return self.print_line(line);
        }
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
        if self.buffer.len() >= Output::FULL && !self.is_held {
            // A failure is kept and reported by the flush at the end.
            let _ = self.flush();
        }
    }

    /// Writes what has been printed so far. The first failure is remembered and reported each time, unless it is that
    /// nobody wants the output: see [`Output::unwanted`].
    pub fn flush(&mut self) -> Result<(), Errno> {
        if self.failed.is_none() && !self.buffer.is_empty() {
            self.failed = linux::raw::write_all_to(1, &self.buffer).err();
        }
        self.buffer.clear();
        match self.failed {
            Some(errno) if self.unwanted().is_none() => Err(errno),
            _ => Ok(()),
        }
    }

    /// Why nothing was written, where the caller closed standard output or its reader is gone and SIGPIPE is ignored, as it is
    /// in a service of systemd. To util-linux and libcap that is no failure, to coreutils it is.
    pub fn unwanted(&self) -> Option<Errno> {
        self.failed.filter(|errno| matches!(*errno, Errno::EBADF | Errno::EPIPE))
    }
}
