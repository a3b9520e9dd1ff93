//! `ctrbox explain`: a command's steps in words, each with its system call. Nothing is done.

use crate::text;
use crate::{Failure, Invocation, Output};
use std::ffi::OsString;

/// What a command would do.
#[derive(Default)]
pub struct Story {
    /// Words and call of each step, in order.
    pub steps: Vec<(Vec<u8>, Vec<u8>)>,
    /// The command line it ends with, if it runs a program.
    pub program: Vec<OsString>,
}

/// Tells the story of a command line; `None` if it only prints something, such as its help.
pub type Explain = fn(&Invocation<'_>, &mut Output) -> Result<Option<Story>, Failure>;

impl Story {
    /// Adds a step.
    pub fn step(&mut self, words: Vec<u8>, call: Vec<u8>) {
        self.steps.push((words, call));
    }

    /// Adds the last step: running a program, or the shell that `otherwise` names.
    pub fn run(&mut self, program: &[OsString], otherwise: &str) {
        let mut words = text!["run "];
        match program {
            [] => words.extend_from_slice(otherwise.as_bytes()),
            program => {
                for (index, word) in program.iter().enumerate() {
                    words.extend_from_slice(&text![if index > 0 { " " } else { "" }, word]);
                }
            }
        }
        words.extend_from_slice(b" in place of this command");
        self.step(words, text!["execve(2)"]);
        self.program = program.to_vec();
    }

    /// Prints it under the command's name.
    pub fn print(&self, name: &OsString, output: &mut Output) {
        output.print(text![name, ":\n"]);
        for (index, (words, call)) in self.steps.iter().enumerate() {
            output.print(format!("{:3}. ", index + 1));
            output.print(text![words, "\n       ", call, "\n"]);
        }
    }
}

/// The steps that several commands share.
pub mod steps {
    use super::Story;
    use crate::text;
    use linux::namespace::{CLONE_FLAGS, Kind};
    use linux::trace::Flags;
    use std::ffi::OsStr;

    /// Kinds as words and as CLONE_NEW* flags.
    pub fn kinds(kinds: &[Kind]) -> (Vec<u8>, String) {
        let mut words = Vec::new();
        for (index, kind) in kinds.iter().enumerate() {
            let separator = match index {
                0 => "",
                last if last + 1 == kinds.len() => " and ",
                _ => ", ",
            };
            words.extend_from_slice(&text![separator, word(*kind)]);
        }
        let flags = kinds.iter().fold(0, |flags, kind| flags | kind.flag());
        (words, Flags(u64::from(flags as u32), CLONE_FLAGS).to_string())
    }

    /// What a kind of namespace is called in a sentence.
    pub fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::Mount => "mount",
            Kind::Uts => "host name (UTS)",
            Kind::Ipc => "IPC",
            Kind::Net => "network",
            Kind::Pid => "PID",
            Kind::User => "user",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// chroot(2).
    pub fn chroot(story: &mut Story, directory: &OsStr) {
        story.step(
            text!["make ", directory, " the root directory: paths begin there"],
            text!["chroot(\"", directory, "\")"],
        );
    }

    /// chdir(2).
    pub fn chdir(story: &mut Story, directory: &OsStr) {
        story.step(text!["go to ", directory, " in it"], text!["chdir(\"", directory, "\")"]);
    }

    /// setgroups(2), setgid(2) and setuid(2).
    pub fn identity(story: &mut Story, drops_groups: bool, gid: Option<u32>, uid: Option<u32>) {
        if drops_groups {
            story.step(text!["leave every supplementary group"], text!["setgroups(0, [])"]);
        }
        if let Some(gid) = gid {
            story.step(text!["become group ", gid], text!["setgid(", gid, ")"]);
        }
        if let Some(uid) = uid {
            story.step(text!["become user ", uid], text!["setuid(", uid, ")"]);
        }
    }

    /// fork(2), and what the parent does.
    pub fn fork(story: &mut Story, forward_signals: bool) {
        let also = if forward_signals { "; SIGTERM and SIGINT are passed on" } else { "" };
        story.step(
            text!["fork: the child goes on, the parent waits and ends as it ends", also],
            text!["fork(), waitpid()"],
        );
    }

    /// PR_SET_PDEATHSIG.
    pub fn die_with_parent(story: &mut Story, signal: i32) {
        story.step(
            text!["get signal ", signal, " when the parent ends"],
            text!["prctl(PR_SET_PDEATHSIG, ", signal, ")"],
        );
    }

    /// Ambient capabilities.
    pub fn keep_capabilities(story: &mut Story) {
        story.step(
            text!["make every capability inheritable and ambient, so that it survives the exec"],
            text!["capset(), prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ...)"],
        );
    }
}
