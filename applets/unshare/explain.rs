//! The plan in words.

use super::plan::Step;
use cli::explain::{Story, steps as shared};
use linux::idmap::Ids;
use linux::mount::Propagation;
use std::ffi::OsStr;

/// Tells what the steps do.
pub fn story(steps: &[Step]) -> Story {
    let mut story = Story::default();
    for step in steps {
        tell(step, &mut story);
    }
    story
}

fn tell(step: &Step, story: &mut Story) {
    match step {
        Step::StayOutside(_) => {
            story.tell("fork a process that stays outside, for what cannot be done from inside", "fork()", &[]);
        }
        Step::BecomeOwner { uid, gid } => shared::identity(story, true, Some(*gid), Some(*uid)),
        Step::Unshare(kinds) => {
            let (words, flags) = shared::kinds(kinds);
            let (article, plural) = if kinds.len() > 1 { ("", "s") } else { ("a ", "") };
            story.tell("get {0}new {1} namespace{2}", "unshare({3})", &[&article, &words, &plural, &flags]);
        }
        Step::MapFromOutside => story.tell(
            "have the id maps written from outside, directly or by newuidmap and newgidmap",
            "write(\"/proc/PID/uid_map\"), write(\"/proc/PID/gid_map\")",
            &[],
        ),
        Step::Offset(clock, seconds) => story.tell(
            "move a clock of the time namespace by {1} seconds",
            "write(\"/proc/self/timens_offsets\", \"{0} {1} 0\")",
            &[&(*clock as i32), seconds],
        ),
        Step::Fork(how) => shared::fork(story, how.forward_signals),
        Step::Keep => story.tell(
            "have the namespaces bound on their files, so that they outlive their processes",
            "mount(\"/proc/PID/ns/...\", FILE, NULL, MS_BIND, NULL)",
            &[],
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
        Step::MountProc(path) => {
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
        Step::DieWithParent(signal) => shared::die_with_parent(story, *signal),
        Step::WarnOfPidWithoutFork => {}
        Step::Exec { operands, .. } => story.run(operands, "a login shell"),
    }
}

fn mount(story: &mut Story, words: &str, path: &OsStr, kind: &str) {
    story.tell(words, "mount(\"{1}\", \"{0}\", \"{1}\", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)", &[&path, &kind]);
}
