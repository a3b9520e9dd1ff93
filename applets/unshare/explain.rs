//! The plan in words.

use super::plan::Step;
use cli::explain::{Story, steps as shared};
use cli::text;
use linux::idmap::Ids;
use linux::mount::Propagation;

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
        Step::StayOutside(_) => story.step(
            text!["fork a process that stays outside, for what cannot be done from inside"],
            text!["fork()"],
        ),
        Step::BecomeOwner { uid, gid } => shared::identity(story, true, Some(*gid), Some(*uid)),
        Step::Unshare(kinds) => {
            let (words, flags) = shared::kinds(kinds);
            let (article, plural) = if kinds.len() > 1 { ("", "s") } else { ("a ", "") };
            story.step(text!["get ", article, "new ", words, " namespace", plural], text!["unshare(", flags, ")"]);
        }
        Step::MapFromOutside => story.step(
            text!["have the id maps written from outside, directly or by newuidmap and newgidmap"],
            text!["write(\"/proc/PID/uid_map\"), write(\"/proc/PID/gid_map\")"],
        ),
        Step::Offset(clock, seconds) => story.step(
            text!["move a clock of the time namespace by ", *seconds, " seconds"],
            text!["write(\"/proc/self/timens_offsets\", \"", *clock as i32, " ", *seconds, " 0\")"],
        ),
        Step::Fork(how) => shared::fork(story, how.forward_signals),
        Step::Keep => story.step(
            text!["have the namespaces bound on their files, so that they outlive their processes"],
            text!["mount(\"/proc/PID/ns/...\", FILE, NULL, MS_BIND, NULL)"],
        ),
        Step::MapHere(ids, extent) => {
            let who = if *ids == Ids::Users { "user" } else { "group" };
            story.step(
                text!["map ", who, " ", extent.outer, " outside to ", extent.inner, " inside"],
                text!["write(\"/proc/self/", ids.file(), "\", \"", extent.inner, " ", extent.outer, " 1\")"],
            );
        }
        Step::Setgroups(allow) => {
            let (verb, word) = if *allow { ("allow", "allow") } else { ("forbid", "deny") };
            story.step(text![verb, " setgroups inside"], text!["write(\"/proc/self/setgroups\", \"", word, "\")"]);
        }
        Step::Propagate(propagation) => {
            let (words, flag) = match propagation {
                Propagation::Private => ("keep mounts made inside from being seen outside, and the reverse", "MS_PRIVATE"),
                Propagation::Shared => ("let mounts be seen on both sides", "MS_SHARED"),
                Propagation::Slave => ("see mounts made outside, but keep those made inside", "MS_SLAVE"),
                Propagation::Unbindable => ("let no mount be bound elsewhere", "MS_UNBINDABLE"),
            };
            story.step(text![words], text!["mount(\"none\", \"/\", NULL, MS_REC|", flag, ", NULL)"]);
        }
        Step::MakePrivate(path) => story.step(
            text!["keep what will be mounted on ", path, " here"],
            text!["mount(\"none\", \"", path, "\", NULL, MS_REC|MS_PRIVATE, NULL)"],
        ),
        Step::Chroot(path) => shared::chroot(story, path),
        Step::Chdir(path) => shared::chdir(story, path),
        Step::MountProc(path) => story.step(
            text!["mount a proc on ", path, " that shows the processes of the PID namespace"],
            text!["mount(\"proc\", \"", path, "\", \"proc\", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)"],
        ),
        Step::MountBinfmt(path) => story.step(
            text!["mount a binfmt_misc of the user namespace on ", path],
            text!["mount(\"binfmt_misc\", \"", path, "\", \"binfmt_misc\", MS_NOSUID|MS_NODEV|MS_NOEXEC, NULL)"],
        ),
        Step::Register { directory, definition } => story.step(
            text!["register an interpreter"],
            text!["write(\"", directory, "/register\", \"", definition, "\")"],
        ),
        Step::DropGroups => shared::identity(story, true, None, None),
        Step::SetGid(gid) => shared::identity(story, false, Some(*gid), None),
        Step::SetUid(uid) => shared::identity(story, false, None, Some(*uid)),
        Step::KeepCapabilities => shared::keep_capabilities(story),
        Step::DieWithParent(signal) => shared::die_with_parent(story, *signal),
        Step::WarnOfPidWithoutFork => {}
        Step::Exec { operands, .. } => story.run(operands, "a login shell"),
    }
}
