//! The plan in words.

use super::options::{Id, Place, Source};
use super::plan::Step;
use cli::explain::{Story, steps as shared};
use cli::text::Piece;

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
        Step::Pin { target, .. } => story.tell(
            "hold on to process {0}, so that no later one with its number is entered",
            "open(\"/proc/{0}\"), pidfd_open({0})",
            &[&target.pid],
        ),
        Step::Open(kind, source) => {
            let (call, what): (_, &dyn Piece) = match source {
                Source::File(path) => ("open(\"{1}\")", path),
                Source::Id(id) => ("open_by_handle_at(FD_NSFS_ROOT, {1})", id),
                Source::Target => ("open(\"/proc/PID/ns/{1}\")", &kind.file()),
            };
            story.tell("open the {0} namespace", call, &[&shared::word(*kind), what]);
        }
        Step::OpenUserParent => story.tell("open the parent of the user namespace", "ioctl(NS_GET_PARENT)", &[]),
        Step::OpenSocketNamespace(fd) => story.tell(
            "open the network namespace of the process's socket {0}",
            "pidfd_getfd({0}), ioctl(SIOCGSKNS)",
            &[fd],
        ),
        Step::OpenRoot(place) => open(story, "root", place, "root"),
        Step::OpenWorkingDirectory(place) => open(story, "working directory", place, "cwd"),
        Step::ReadEnvironment => story.tell("read the process's environment", "read(\"/proc/PID/environ\")", &[]),
        Step::OpenCgroups => story.tell("open the process's cgroups", "open(\".../cgroup.procs\")", &[]),
        Step::Enter { from_target, all } => {
            if *all {
                let words = "enter every namespace of the process that is not ours already";
                story.tell(words, "setns(PIDFD, ...)", &[]);
            } else if !from_target.is_empty() {
                let (words, flags) = shared::kinds(from_target);
                let plural = if from_target.len() > 1 { "s" } else { "" };
                story.tell("enter its {0} namespace{1}", "setns(PIDFD, {2})", &[&words, &plural, &flags]);
            } else {
                story.tell("enter what has been opened", "setns(FD, ...)", &[]);
            }
        }
        Step::KeepWorkingDirectory => story.tell("remember the working directory", "open(\".\")", &[]),
        Step::ChangeRoot => {
            story.tell("make the opened directory the root", "fchdir(FD), chroot(\".\"), chdir(\"/\")", &[]);
        }
        Step::OpenInside(path) => story.tell("open {0} inside", "open(\"{0}\")", &[path]),
        Step::ChangeDirectory => story.tell("go to the opened directory", "fchdir(FD)", &[]),
        Step::JoinCgroups => story.tell("join the process's cgroups", "write(\".../cgroup.procs\", \"0\")", &[]),
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

fn open(story: &mut Story, what: &str, place: &Place, name: &str) {
    let (call, path): (_, &dyn Piece) = match place {
        Place::Target => ("open(\"/proc/PID/{1}\")", &name),
        Place::Path(path) => ("open(\"{1}\")", path),
    };
    story.tell("open the directory that will be the {0}", call, &[&what, path]);
}
