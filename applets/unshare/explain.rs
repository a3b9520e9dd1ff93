//! The plan in words.

use super::plan::{UnsharePlan, UnshareStep};
use cli::add;
use cli::explain::{Explanation, NO_CALL};
use linux::mount::Propagation;
use linux::namespace::idmap::Ids;
use linux::process::Variables;
use run::explain as shared;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Tells what the plan does.
pub fn explanation(plan: &UnsharePlan) -> Explanation {
    let mut explanation = Explanation::default();
    let all =
        |steps: &[UnshareStep], explanation: &mut Explanation| steps.iter().for_each(|step| tell(step, explanation));
    if plan.outside.is_some() {
        explanation.tell("fork a process that stays outside, for what cannot be done from inside", "fork()", &[]);
    }
    all(&plan.making, &mut explanation);
    if plan.outside.as_ref().is_some_and(|work| !work.maps.is_empty()) {
        explanation.tell(
            "have the id maps written from outside, directly or by newuidmap and newgidmap",
            "write(\"/proc/PID/uid_map\"), write(\"/proc/PID/gid_map\")",
            &[],
        );
    }
    all(&plan.made, &mut explanation);
    if plan.guards_parent {
        let words = "keep the parent, which keeps its ids, from being traced from inside";
        explanation.tell(words, "prctl(PR_SET_DUMPABLE, 0)", &[]);
    }
    if let Some(fork) = plan.fork {
        shared::fork(&mut explanation, fork.forward_signals);
    }
    if plan.frees_child {
        explanation.tell("let the child be traced again", "prctl(PR_SET_DUMPABLE, 1)", &[]);
    }
    if plan.outside.as_ref().is_some_and(|work| !work.files.is_empty()) {
        explanation.tell(
            "have the namespaces bound on their files, so that they outlive their processes",
            "mount(\"/proc/PID/ns/...\", FILE, NULL, MS_BIND, NULL)",
            &[],
        );
    }
    all(&plan.inside, &mut explanation);
    if let Some(signal) = plan.fork.and_then(|fork| fork.kill_child) {
        shared::die_with_parent(&mut explanation, signal);
    }
    if let Variables::Exactly(kept) = &plan.environment {
        let mut names = Vec::new();
        for name in kept.iter().filter_map(|entry| entry.as_bytes().split(|byte| *byte == b'=').next()) {
            let before = if names.is_empty() { " but " } else { ", " };
            add!(&mut names, before, name);
        }
        explanation.tell("remove every environment variable{0}", NO_CALL, &[&names]);
    }
    explanation.run(&plan.operands, "a login shell");
    explanation
}

fn tell(step: &UnshareStep, explanation: &mut Explanation) {
    match step {
        UnshareStep::BecomeOwner { uid, gid } => shared::identity(explanation, true, Some(*gid), Some(*uid)),
        UnshareStep::Unshare(kinds) => {
            let (words, flags) = shared::kinds(kinds);
            let (article, plural) = if kinds.len() > 1 { ("", "s") } else { ("a ", "") };
            explanation.tell("get {0}new {1} namespace{2}", "unshare({3})", &[&article, &words, &plural, &flags]);
        }
        UnshareStep::Offset(clock, seconds) => explanation.tell(
            "move a clock of the time namespace by {1} seconds",
            "write(\"/proc/self/timens_offsets\", \"{0} {1} 0\")",
            &[&(*clock as i32), seconds],
        ),
        UnshareStep::MapHere(ids, extent) => {
            let who = if *ids == Ids::Users { "user" } else { "group" };
            explanation.tell(
                "map {0} {1} outside to {2} inside",
                "write(\"/proc/self/{3}\", \"{2} {1} 1\")",
                &[&who, &extent.outer, &extent.inner, &ids.file()],
            );
        }
        UnshareStep::Setgroups(allow) => {
            let (verb, word) = if *allow { ("allow", "allow") } else { ("forbid", "deny") };
            explanation.tell("{0} setgroups inside", "write(\"/proc/self/setgroups\", \"{1}\")", &[&verb, &word]);
        }
        UnshareStep::Propagate(propagation) => {
            let (words, flag) = match propagation {
                Propagation::Private => {
                    ("keep mounts made inside from being seen outside, and the reverse", "MS_PRIVATE")
                }
                Propagation::Shared => ("let mounts be seen on both sides", "MS_SHARED"),
                Propagation::Slave => ("see mounts made outside, but keep those made inside", "MS_SLAVE"),
                Propagation::Unbindable => ("let no mount be bound elsewhere", "MS_UNBINDABLE"),
            };
            explanation.tell(words, "mount(\"none\", \"/\", NULL, MS_REC|{0}, NULL)", &[&flag]);
        }
        UnshareStep::MakePrivate(path) => explanation.tell(
            "keep what will be mounted on {0} here",
            "mount(\"none\", \"{0}\", NULL, MS_REC|MS_PRIVATE, NULL)",
            &[path],
        ),
        UnshareStep::Chroot(path) => shared::chroot(explanation, path),
        UnshareStep::Chdir(path) => shared::chdir(explanation, path),
        UnshareStep::MountProc { directory: path, .. } => {
            mount(explanation, "mount a {1} on {0} that shows the processes of the PID namespace", path, "proc");
        }
        UnshareStep::MountBinfmt(path) => {
            mount(explanation, "mount a {1} of the user namespace on {0}", path, "binfmt_misc")
        }
        UnshareStep::Register { directory, definition } => {
            explanation.tell("register an interpreter", "write(\"{0}/register\", \"{1}\")", &[directory, definition]);
        }
        UnshareStep::DropGroups => shared::identity(explanation, true, None, None),
        UnshareStep::SetGid(gid) => shared::identity(explanation, false, Some(*gid), None),
        UnshareStep::SetUid(uid) => shared::identity(explanation, false, None, Some(*uid)),
        UnshareStep::KeepPermitted => shared::keep_permitted(explanation),
        UnshareStep::KeepCapabilities => shared::keep_capabilities(explanation),
        UnshareStep::WarnOfPidWithoutFork => {}
    }
}

fn mount(explanation: &mut Explanation, words: &str, path: &OsStr, kind: &str) {
    explanation.tell(words, "mount(\"{1}\", \"{0}\", \"{1}\", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)", &[&path, &kind]);
}
