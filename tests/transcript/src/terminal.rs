//! A terminal with a bash in it, by a pseudo-terminal.
//!
//! Waiting for an output needs no clock: every shell, also one inside a changed root or behind sudo, marks its
//! prompt and the start and end of an output with the semantic prompt sequences that terminals use (OSC 133).
//! They come from two variables in the environment, so the commands are typed exactly as printed, and any
//! bash from 4.4 on will do, whatever its start-up files say.

use crate::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::unistd::{read, write};
use regex::Regex;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

const PROMPT_START: &str = "\x1b]133;A\x07";
const PROMPT_END: &str = "\x1b]133;B\x07";
const OUTPUT_START: &str = "\x1b]133;C\x07";
const OUTPUT_END: &str = "\x1b]133;D\x07";

/// bash prints it when a command has been read.
const PS0: &str = r"\e]133;C\a";
/// bash runs it before each prompt.
const PROMPT_COMMAND: &str = concat!(
    r#"printf '\033]133;D\a'; "#,
    r#"case $PS1 in *133*) ;; *) PS1="\[\e]133;A\a\]$PS1\[\e]133;B\a\]" ;; esac"#
);

/// The variables that sudo must keep for this to work.
pub const ENVIRONMENT: [&str; 2] = ["PS0", "PROMPT_COMMAND"];

/// How long a command may take before it is taken to hang: compiling with a cold cache is the slowest.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Whose terminal it is.
pub struct Account<'a> {
    /// The user and group number.
    pub id: u32,
    /// The name.
    pub name: &'a str,
    /// The home directory.
    pub home: &'a Path,
    /// PATH.
    pub path: &'a str,
}

/// A terminal.
pub struct Terminal {
    /// The end that a terminal emulator would hold.
    master: OwnedFd,
    /// What was read and not yet taken.
    read: Vec<u8>,
    controls: Regex,
    /// The prompt that is shown, without the blank at its end.
    pub prompt: String,
    shell: Child,
}

impl Terminal {
    /// Starts a user's bash in a new terminal of 80 columns and 24 lines, and waits for its prompt.
    pub fn open(account: &Account, variables: &[(&str, &str)]) -> Result<Terminal> {
        use std::os::unix::process::CommandExt;
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None)?;
        // The user's own, as login(1) makes it.
        let slave = pty.slave.as_fd();
        nix::unistd::fchown(slave, Some(account.id.into()), None)?;
        let shell = Command::new("setsid")
            .args(["--ctty", "/bin/bash"])
            .stdin(slave.try_clone_to_owned()?)
            .stdout(slave.try_clone_to_owned()?)
            .stderr(slave.try_clone_to_owned()?)
            .env_clear()
            .envs([("HOME", account.home.as_os_str()), ("PATH", account.path.as_ref())])
            .envs([("USER", account.name), ("LOGNAME", account.name), ("SHELL", "/bin/bash")])
            .envs([("TERM", "xterm"), ("LC_ALL", "C"), ("PS0", PS0), ("PROMPT_COMMAND", PROMPT_COMMAND)])
            .envs(variables.iter().copied())
            .current_dir(account.home)
            .uid(account.id)
            .gid(account.id)
            .spawn()
            .map_err(|error| format!("setsid: {error}"))?;
        let controls = Regex::new("\x1b\\[[0-9;?]*[A-Za-z]|\r|\x07")?;
        let mut terminal = Terminal { master: pty.master, read: Vec::new(), controls, prompt: String::new(), shell };
        terminal.wait()?;
        Ok(terminal)
    }

    /// The process number of its shell.
    pub fn shell(&self) -> u32 {
        self.shell.id()
    }

    /// Types a command and Enter, and waits for the next prompt. Gives the lines that were printed in between.
    pub fn enter(&mut self, command: &str) -> Result<Vec<String>> {
        let line = format!("{command}\n");
        let mut rest = line.as_bytes();
        while !rest.is_empty() {
            let written = write(&self.master, rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        self.wait()
    }

    /// What is printed up to the next prompt's end, which is taken away.
    fn read_to_prompt(&mut self) -> Result<String> {
        let started = Instant::now();
        loop {
            let found = self.read.windows(PROMPT_END.len()).position(|window| window == PROMPT_END.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + PROMPT_END.len());
                let mut shown = std::mem::replace(&mut self.read, rest);
                shown.truncate(at);
                return Ok(String::from_utf8_lossy(&shown).into_owned());
            }
            let left = PollTimeout::try_from(TIMEOUT.saturating_sub(started.elapsed()))?;
            let mut polled = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
            let ready = poll(&mut polled, left)?;
            let mut buffer = [0; 4096];
            // A terminal whose last process is gone gives EIO.
            let count = match ready {
                0 => 0,
                _ => match read(&self.master, &mut buffer) {
                    Err(Errno::EIO) => 0,
                    count => count?,
                },
            };
            if count == 0 {
                let what = if ready == 0 { "no prompt came" } else { "the shell has ended" };
                return Err(format!("{what}; shown so far: {:?}", String::from_utf8_lossy(&self.read)).into());
            }
            self.read.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
    }

    fn wait(&mut self) -> Result<Vec<String>> {
        let shown = self.read_to_prompt()?;
        let (shown, prompt) = shown.rsplit_once(PROMPT_START).unwrap_or((&shown, ""));
        self.prompt = self.controls.replace_all(prompt, "").trim_end().to_string();
        // A shell that is too old to mark the start echoes the command on a line of its own.
        let output = shown.split_once(OUTPUT_START).or_else(|| shown.split_once('\n')).map_or("", |(_, after)| after);
        let output = output.rsplit_once(OUTPUT_END).map_or(output, |(before, _)| before);
        Ok(self.controls.replace_all(output, "").lines().map(without_tabs).collect())
    }
}

/// A line as a terminal shows it: tabs are blanks up to the next column that is a multiple of eight.
fn without_tabs(line: &str) -> String {
    let mut shown = String::new();
    let mut column = 0;
    for character in line.trim_end().chars() {
        let width = if character == '\t' { 8 - column % 8 } else { 1 };
        column += width;
        match character {
            '\t' => shown.extend(std::iter::repeat_n(' ', width)),
            character => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_goes_to_the_next_eighth_column() {
        assert_eq!(without_tabs("a\tb\t\t c  "), "a       b                c");
        assert_eq!(without_tabs("12345678\tb"), "12345678        b");
    }
}
