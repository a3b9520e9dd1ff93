//! `ctrbox explain`: a command's steps in words, each with its system call. Nothing is done.

use crate::text::{Piece, fill};
use crate::{Failure, Invocation, Output, text};
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

/// Instead of a call, of a step that makes none.
pub const NO_CALL: &str = "no system call";

impl Story {
    /// Adds a step: words and call, in which `{0}` to `{9}` stand for the pieces.
    #[cold]
    #[inline(never)]
    pub fn tell(&mut self, words: &str, call: &str, pieces: &[&dyn Piece]) {
        self.steps.push((fill(words, pieces), fill(call, pieces)));
    }

    /// The story, which says so if there is nothing in it.
    pub fn or_nothing(mut self) -> Story {
        if self.steps.is_empty() {
            self.tell("do nothing", NO_CALL, &[]);
        }
        self
    }

    /// Adds the last step: running a program, or the shell that `otherwise` names.
    pub fn run(&mut self, program: &[OsString], otherwise: &str) {
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
    pub fn print(&self, name: &OsString, output: &mut Output) {
        output.print_line(text![name, ":"]);
        for (index, (words, call)) in self.steps.iter().enumerate() {
            let number = index + 1;
            let pad = if number < 10 { "  " } else { " " };
            output.print_line(text![pad, number, ". ", words]);
            output.print_line(text!["       ", call]);
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
        story.tell("make {0} the root directory: paths begin there", "chroot(\"{0}\")", &[&directory]);
    }

    /// chdir(2).
    pub fn chdir(story: &mut Story, directory: &OsStr) {
        story.tell("go to {0}", "chdir(\"{0}\")", &[&directory]);
    }

    /// The look at /etc/passwd and /etc/group, inside or outside of a new root.
    pub fn look_up(story: &mut Story, place: &str) {
        let call = "open(\"/etc/passwd\"), open(\"/etc/group\")";
        story.tell("look the user and the groups up in the account files{0}", call, &[&place]);
    }

    /// setgroups(2), setgid(2) and setuid(2).
    pub fn identity(story: &mut Story, drops_groups: bool, gid: Option<u32>, uid: Option<u32>) {
        if drops_groups {
            story.tell("leave every supplementary group", "setgroups(0, [])", &[]);
        }
        if let Some(gid) = gid {
            story.tell("become group {0}", "setgid({0})", &[&gid]);
        }
        if let Some(uid) = uid {
            story.tell("become user {0}", "setuid({0})", &[&uid]);
        }
    }

    /// fork(2), and what the parent does.
    pub fn fork(story: &mut Story, forward_signals: bool) {
        let also = if forward_signals { "; SIGTERM and SIGINT are passed on" } else { "" };
        let words = "fork: the child goes on, the parent waits and ends as it ends{0}";
        story.tell(words, "fork(), waitpid()", &[&also]);
    }

    /// PR_SET_PDEATHSIG.
    pub fn die_with_parent(story: &mut Story, signal: i32) {
        story.tell("get signal {0} when the parent ends", "prctl(PR_SET_PDEATHSIG, {0})", &[&signal]);
    }

    /// Ambient capabilities.
    pub fn keep_capabilities(story: &mut Story) {
        story.tell(
            "make every capability inheritable and ambient, so that it survives the exec",
            "capset(), prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ...)",
            &[],
        );
    }

    /// -N of mount and umount.
    pub fn enter_mounts(story: &mut Story, namespace: &OsStr) {
        let words = "enter the mount namespace of {0}, a process or a file";
        story.tell(words, "setns(FD, CLONE_NEWNS)", &[&namespace]);
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
