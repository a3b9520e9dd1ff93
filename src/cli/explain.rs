//! `ctrbox explain`: a command's steps in words, each with its system call. Nothing is done.

use crate::text::{Piece, fill};
use crate::{Output, text};
use std::ffi::OsStr;

/// What a command would do.
#[derive(Default)]
pub struct Explanation {
    /// Words and call of each step, in order.
    pub steps: Vec<(Vec<u8>, Vec<u8>)>,
    /// The command line it ends with, if it runs a program.
    pub program: Vec<&'static OsStr>,
}

/// Instead of a call, of a step that makes none.
pub const NO_CALL: &str = "no system call";

impl Explanation {
    /// Adds a step: words and call, in which `{0}` to `{9}` stand for the pieces.
    #[cold]
    #[inline(never)]
    pub fn tell(&mut self, words: &str, call: &str, pieces: &[&dyn Piece]) {
        self.steps.push((fill(words, pieces), fill(call, pieces)));
    }

    /// With one step that says so, if there are none.
    pub fn or_nothing(mut self) -> Explanation {
        if self.steps.is_empty() {
            self.tell("do nothing", NO_CALL, &[]);
        }
        self
    }

    /// Adds the last step: running a program, or the shell that `otherwise` names.
    pub fn run(&mut self, program: &[&'static OsStr], otherwise: &str) {
        let mut line = Vec::new();
        for word in program {
            line.extend_from_slice(if line.is_empty() { b"" } else { b" " });
            word.value().append(&mut line);
        }
        if program.is_empty() {
            line.extend_from_slice(otherwise.as_bytes());
        }
        self.tell("run {0} in place of this command", "execve(2)", &[&line]);
        self.program = program.to_vec();
    }

    /// Prints it under the command's name.
    pub fn print(&self, name: &OsStr, output: &mut Output) {
        output.print_line(text![name, ":"]);
        for (index, (words, call)) in self.steps.iter().enumerate() {
            let number = index + 1;
            let pad = if number < 10 { "  " } else { " " };
            output.print_line(text![pad, number, ". ", words]);
            output.print_line(text!["       ", call]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_stand_where_the_template_says_and_other_braces_stay() {
        assert_eq!(fill("a {1} b {0} {1}", &[&1_u32, &"two"]), b"a two b 1 two");
        assert_eq!(fill("{x} {0", &[&1_u32]), b"{x} {0");
        assert_eq!(fill("{0}", &[&"{1}", &"no"]), b"{1}");
        assert_eq!(fill("{5}", &[]), b"{5}");
    }
}
