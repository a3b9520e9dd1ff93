//! The plan in words.

use super::options::{Id, Place, Source};
use super::plan::Step;
use cli::explain::{Story, steps as shared};
use cli::text;

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
        Step::Pin { target, .. } => story.step(
            text!["hold on to process ", target.pid, ", so that no later one with its number is entered"],
            text!["open(\"/proc/", target.pid, "\"), pidfd_open(", target.pid, ")"],
        ),
        Step::Open(kind, source) => {
            let call = match source {
                Source::File(path) => text!["open(\"", path, "\")"],
                Source::Id(id) => text!["open_by_handle_at(FD_NSFS_ROOT, ", *id, ")"],
                Source::Target => Vec::new(),
            };
            story.step(text!["open the ", shared::word(*kind), " namespace"], call);
        }
        Step::OpenUserParent => story.step(text!["open the parent of the user namespace"], text!["ioctl(NS_GET_PARENT)"]),
        Step::OpenSocketNamespace(fd) => story.step(
            text!["open the network namespace of the process's socket ", *fd],
            text!["pidfd_getfd(", *fd, "), ioctl(SIOCGSKNS)"],
        ),
        Step::OpenRoot(place) => story.step(text!["open the directory that will be the root"], open(place, "root")),
        Step::OpenWorkingDirectory(place) => {
            story.step(text!["open the directory that will be the working directory"], open(place, "cwd"));
        }
        Step::ReadEnvironment => story.step(text!["read the process's environment"], text!["read(\"/proc/PID/environ\")"]),
        Step::OpenCgroups => story.step(text!["open the process's cgroups"], text!["open(\".../cgroup.procs\")"]),
        Step::Enter { from_target, all } => {
            if *all {
                story.step(text!["enter every namespace of the process that is not ours already"], text!["setns(PIDFD, ...)"]);
            } else if !from_target.is_empty() {
                let (words, flags) = shared::kinds(from_target);
                story.step(text!["enter its ", words, " namespace", if from_target.len() > 1 { "s" } else { "" }], text!["setns(PIDFD, ", flags, ")"]);
            } else {
                story.step(text!["enter what has been opened"], text!["setns(FD, ...)"]);
            }
        }
        Step::KeepWorkingDirectory => story.step(text!["remember the working directory"], text!["open(\".\")"]),
        Step::ChangeRoot => story.step(text!["make the opened directory the root"], text!["fchdir(FD), chroot(\".\"), chdir(\"/\")"]),
        Step::OpenInside(path) => story.step(text!["open ", path, " inside"], text!["open(\"", path, "\")"]),
        Step::ChangeDirectory => story.step(text!["go to the opened directory"], text!["fchdir(FD)"]),
        Step::JoinCgroups => story.step(text!["join the process's cgroups"], text!["write(\".../cgroup.procs\", \"0\")"]),
        Step::Fork { forward_signals, .. } => shared::fork(story, *forward_signals),
        Step::Become(whom) => {
            let number = |id| match id {
                Some(Id::Number(number)) => Some(number),
                _ => None,
            };
            shared::identity(story, whom.gid.is_some(), number(whom.gid), number(whom.uid));
        }
        Step::KeepCapabilities => shared::keep_capabilities(story),
        Step::DieWithParent(signal) => shared::die_with_parent(story, *signal),
        Step::Exec(operands) => story.run(operands, "a login shell"),
    }
}

fn open(place: &Place, name: &str) -> Vec<u8> {
    match place {
        Place::Target => text!["open(\"/proc/PID/", name, "\")"],
        Place::Path(path) => text!["open(\"", path, "\")"],
    }
}
