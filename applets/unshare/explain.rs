//! The plan in words.

use super::plan::{Plan, Step};
use cli::explain::Story;
use linux::mount::Propagation;
use linux::namespace::idmap::Ids;
use run::explain as shared;
use std::ffi::OsStr;

/// Tells what the plan does.
pub fn story(plan: &Plan) -> Story {
    let mut story = Story::default();
    let all = |steps: &[Step], story: &mut Story| steps.iter().for_each(|step| tell(step, story));
    if plan.outside.is_some() {
        story.tell("fork a process that stays outside, for what cannot be done from inside", "fork()", &[]);
    }
    all(&plan.making, &mut story);
    if plan.outside.as_ref().is_some_and(|work| !work.maps.is_empty()) {
        story.tell(
            "have the id maps written from outside, directly or by newuidmap and newgidmap",
            "write(\"/proc/PID/uid_map\"), write(\"/proc/PID/gid_map\")",
            &[],
        );
    }
    all(&plan.made, &mut story);
    if let Some(fork) = plan.fork {
        shared::fork(&mut story, fork.forward_signals);
    }
    if plan.outside.as_ref().is_some_and(|work| !work.files.is_empty()) {
        story.tell(
            "have the namespaces bound on their files, so that they outlive their processes",
            "mount(\"/proc/PID/ns/...\", FILE, NULL, MS_BIND, NULL)",
            &[],
        );
    }
    all(&plan.inside, &mut story);
    if let Some(signal) = plan.fork.and_then(|fork| fork.kill_child) {
        shared::die_with_parent(&mut story, signal);
    }
    story.run(&plan.operands, "a login shell");
    story
}

fn tell(step: &Step, story: &mut Story) {
    match step {
        Step::BecomeOwner { uid, gid } => shared::identity(story, true, Some(*gid), Some(*uid)),
        Step::Unshare(kinds) => {
            let (words, flags) = shared::kinds(kinds);
            let (article, plural) = if kinds.len() > 1 { ("", "s") } else { ("a ", "") };
            story.tell("get {0}new {1} namespace{2}", "unshare({3})", &[&article, &words, &plural, &flags]);
        }
        Step::Offset(clock, seconds) => story.tell(
            "move a clock of the time namespace by {1} seconds",
            "write(\"/proc/self/timens_offsets\", \"{0} {1} 0\")",
            &[&(*clock as i32), seconds],
        ),
        Step::MapHere(ids, extent) => {
            let who = if *ids == Ids::Users { "user" } else { "group" };
            story.tell(
                "map {0} {1} outside to {2} inside",
                "write(\"/proc/self/{3}\", \"{2} {1} 1\")",
                &[&who, &extent.outer, &extent.inner, &ids.file()],
            );
        }
        Step::Setgroups(allow) => {
            let (verb, word) = if *allow { ("allow", "allow") } else { ("forbid", "deny") };
            story.tell("{0} setgroups inside", "write(\"/proc/self/setgroups\", \"{1}\")", &[&verb, &word]);
        }
        Step::Propagate(propagation) => {
            let (words, flag) = match propagation {
                Propagation::Private => {
                    ("keep mounts made inside from being seen outside, and the reverse", "MS_PRIVATE")
                }
                Propagation::Shared => ("let mounts be seen on both sides", "MS_SHARED"),
                Propagation::Slave => ("see mounts made outside, but keep those made inside", "MS_SLAVE"),
                Propagation::Unbindable => ("let no mount be bound elsewhere", "MS_UNBINDABLE"),
            };
            story.tell(words, "mount(\"none\", \"/\", NULL, MS_REC|{0}, NULL)", &[&flag]);
        }
        Step::MakePrivate(path) => story.tell(
            "keep what will be mounted on {0} here",
            "mount(\"none\", \"{0}\", NULL, MS_REC|MS_PRIVATE, NULL)",
            &[path],
        ),
        Step::Chroot(path) => shared::chroot(story, path),
        Step::Chdir(path) => shared::chdir(story, path),
        Step::MountProc { directory: path, .. } => {
            mount(story, "mount a {1} on {0} that shows the processes of the PID namespace", path, "proc");
        }
        Step::MountBinfmt(path) => mount(story, "mount a {1} of the user namespace on {0}", path, "binfmt_misc"),
        Step::Register { directory, definition } => {
            story.tell("register an interpreter", "write(\"{0}/register\", \"{1}\")", &[directory, definition]);
        }
        Step::DropGroups => shared::identity(story, true, None, None),
        Step::SetGid(gid) => shared::identity(story, false, Some(*gid), None),
        Step::SetUid(uid) => shared::identity(story, false, None, Some(*uid)),
        Step::KeepCapabilities => shared::keep_capabilities(story),
        Step::WarnOfPidWithoutFork => {}
    }
}

fn mount(story: &mut Story, words: &str, path: &OsStr, kind: &str) {
    story.tell(words, "mount(\"{1}\", \"{0}\", \"{1}\", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)", &[&path, &kind]);
}
