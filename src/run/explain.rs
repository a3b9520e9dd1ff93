//! The steps that several commands share, in the words of `ctrbox explain`.

use cli::add;
use cli::explain::Explanation;
use linux::credentials::{Gid, Uid};
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
        add!(&mut words, separator, word(*kind));
    }
    let flags = kinds.iter().fold(0, |flags, kind| flags | kind.flag());
    (words, Flags(u64::from(flags as u32), &CLONE_FLAGS).to_string())
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
pub fn chroot(explanation: &mut Explanation, directory: &OsStr) {
    explanation.tell("make {0} the root directory: paths begin there", "chroot(\"{0}\")", &[&directory]);
}

/// chdir(2).
pub fn chdir(explanation: &mut Explanation, directory: &OsStr) {
    explanation.tell("go to {0}", "chdir(\"{0}\")", &[&directory]);
}

/// The look at /etc/passwd and /etc/group, inside or outside of a new root.
pub fn look_up(explanation: &mut Explanation, place: &str) {
    let call = "open(\"/etc/passwd\"), open(\"/etc/group\")";
    explanation.tell("look the user and the groups up in the account files{0}", call, &[&place]);
}

/// setgroups(2), setgid(2) and setuid(2).
pub fn identity(explanation: &mut Explanation, drops_groups: bool, gid: Option<Gid>, uid: Option<Uid>) {
    if drops_groups {
        explanation.tell("leave every supplementary group", "setgroups(0, [])", &[]);
    }
    if let Some(gid) = gid {
        explanation.tell("become group {0}", "setgid({0})", &[&gid]);
    }
    if let Some(uid) = uid {
        explanation.tell("become user {0}", "setuid({0})", &[&uid]);
    }
}

/// fork(2), and what the parent does.
pub fn fork(explanation: &mut Explanation, forward_signals: bool) {
    let also = if forward_signals { "; SIGTERM and SIGINT are passed on" } else { "" };
    let words = "fork: the child goes on, the parent waits and ends as it ends{0}";
    explanation.tell(words, "fork(), waitpid()", &[&also]);
}

/// PR_SET_PDEATHSIG.
pub fn die_with_parent(explanation: &mut Explanation, signal: i32) {
    explanation.tell("get signal {0} when the parent ends", "prctl(PR_SET_PDEATHSIG, {0})", &[&signal]);
}

/// PR_SET_KEEPCAPS.
pub fn keep_permitted(explanation: &mut Explanation) {
    explanation.tell("let capabilities outlast a change from user 0", "prctl(PR_SET_KEEPCAPS, 1)", &[]);
}

/// Ambient capabilities.
pub fn keep_capabilities(explanation: &mut Explanation) {
    explanation.tell(
        "make every capability inheritable and ambient, so that it survives the exec",
        "capset(), prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, ...)",
        &[],
    );
}

/// -N of mount and umount.
pub fn enter_mounts(explanation: &mut Explanation, namespace: &OsStr) {
    let words = "enter the mount namespace of {0}, a process or a file";
    explanation.tell(words, "setns(FD, CLONE_NEWNS)", &[&namespace]);
}
