//! The keys of `--step`.

use crate::Result;
use nix::sys::termios::{self, LocalFlags, SetArg};
use std::io::Read;

/// What a reader wants at a step.
pub enum Key {
    On,
    Back,
    Again,
    Quit,
}

/// Asks for a key: at a terminal without Enter, else the first letter of a line. An input at its end goes on.
pub fn key(question: &str) -> Result<Key> {
    let mut input = std::io::stdin();
    let saved = termios::tcgetattr(&input).ok();
    if let Some(saved) = &saved {
        let mut raw = saved.clone();
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        termios::tcsetattr(&input, SetArg::TCSADRAIN, &raw)?;
    }
    eprint!("{question}");
    let key = loop {
        let mut byte = [0];
        break match (input.read(&mut byte)?, byte) {
            (0, _) | (_, [b'\n' | b' ']) => Key::On,
            (_, [b'b']) => Key::Back,
            (_, [b'a']) => Key::Again,
            (_, [b'q']) => Key::Quit,
            _ => continue,
        };
    };
    match &saved {
        Some(saved) => {
            termios::tcsetattr(&input, SetArg::TCSADRAIN, saved)?;
            eprint!("\r\x1b[K");
        }
        None => {
            eprintln!();
            if !matches!(key, Key::On) {
                input.read_line(&mut String::new())?;
            }
        }
    }
    Ok(key)
}
