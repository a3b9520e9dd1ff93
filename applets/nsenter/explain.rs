//! The plan in words.

use super::options::{Id, NamespaceSource, Place};
use super::plan::{Directory, NsenterPlan};
use cli::explain::Explanation;
use cli::text::Piece;
use linux::credentials::Uid;
use linux::namespace::Kind;
use run::explain as shared;

/// Tells what the plan does.
pub fn explanation(plan: &NsenterPlan) -> Explanation {
    let mut explanation = Explanation::default();
    before(plan, &mut explanation);
    inside(plan, &mut explanation);
    explanation
}

/// What is opened and entered.
fn before(plan: &NsenterPlan, explanation: &mut Explanation) {
    if let Some(target) = plan.target {
        explanation.tell(
            "hold on to process {0}, so that no later one with its number is entered",
            "open(\"/proc/{0}\"), pidfd_open({0})",
            &[&target.pid],
        );
    }
    for (kind, source) in &plan.opened {
        let (call, what): (_, &dyn Piece) = match source {
            NamespaceSource::File(path) => ("open(\"{1}\")", path),
            NamespaceSource::Id(id) => ("open_by_handle_at(FD_NSFS_ROOT, {1})", id),
            NamespaceSource::Target => ("open(\"/proc/PID/ns/{1}\")", &kind.file()),
        };
        explanation.tell("open the {0} namespace", call, &[&shared::word(*kind), what]);
    }
    if let Some(place) = &plan.root {
        open(explanation, "root", place, "root");
    }
    if let Some(Directory::Outside(place)) = &plan.directory {
        open(explanation, "working directory", place, "cwd");
    }
    if plan.environment {
        explanation.tell("read the process's environment", "read(\"/proc/PID/environ\")", &[]);
    }
    if plan.join_cgroup {
        explanation.tell("open the process's cgroups", "open(\".../cgroup.procs\")", &[]);
    }
    if plan.user_parent {
        explanation.tell("open the parent of the user namespace", "ioctl(NS_GET_PARENT)", &[]);
    }
    if let Some(fd) = plan.net_socket {
        explanation.tell(
            "open the network namespace of the process's socket {0}",
            "pidfd_getfd({0}), ioctl(SIOCGSKNS)",
            &[&fd],
        );
    }
    let is_user = plan.user_parent
        || plan.from_target.contains(&Kind::User)
        || plan.opened.iter().any(|(kind, _)| *kind == Kind::User);
    if is_user || plan.all {
        let when = if is_user { "" } else { ", if a user namespace is entered" };
        let words = "let nobody inside trace us before the program runs{0}";
        explanation.tell(words, "prctl(PR_SET_DUMPABLE, 0)", &[&when]);
    }
    if !plan.opened.is_empty() || plan.user_parent || plan.net_socket.is_some() {
        explanation.tell("enter what has been opened", "setns(FD, ...)", &[]);
    }
    if plan.all {
        let words = "enter every namespace of the process that is not ours already";
        explanation.tell(words, "setns(PIDFD, ...)", &[]);
    } else if !plan.from_target.is_empty() {
        let (words, flags) = shared::kinds(&plan.from_target);
        let plural = if plan.from_target.len() > 1 { "s" } else { "" };
        explanation.tell("enter its {0} namespace{1}", "setns(PIDFD, {2})", &[&words, &plural, &flags]);
    }
}

/// What is done in the namespaces.
fn inside(plan: &NsenterPlan, explanation: &mut Explanation) {
    if plan.directory == Some(Directory::Present) {
        explanation.tell("remember the working directory", "open(\".\")", &[]);
    }
    if plan.root.is_some() {
        explanation.tell("make the opened directory the root", "fchdir(FD), chroot(\".\"), chdir(\"/\")", &[]);
    }
    if let Some(Directory::Inside(path)) = &plan.directory {
        explanation.tell("open {0} inside", "open(\"{0}\")", &[path]);
    }
    if plan.directory.is_some() {
        explanation.tell("go to the opened directory", "fchdir(FD)", &[]);
    }
    if plan.join_cgroup {
        explanation.tell("join the process's cgroups", "write(\".../cgroup.procs\", \"0\")", &[]);
    }
    if let Some(fork) = plan.fork {
        shared::fork(explanation, fork.forward_signals);
    }
    let whom = plan.whom;
    if plan.keep_capabilities && whom.uid.is_some_and(|uid| uid != Id::Number(Uid::ROOT)) {
        shared::keep_permitted(explanation);
    }
    shared::identity(explanation, whom.gid.is_some(), number(whom.gid), number(whom.uid));
    if plan.keep_capabilities {
        shared::keep_capabilities(explanation);
    }
    if let Some(signal) = plan.fork.and_then(|fork| fork.kill_child) {
        shared::die_with_parent(explanation, signal);
    }
    explanation.run(&plan.operands, "a login shell");
}

fn open(explanation: &mut Explanation, what: &str, place: &Place, name: &str) {
    let (call, path): (_, &dyn Piece) = match place {
        Place::Target => ("open(\"/proc/PID/{1}\")", &name),
        Place::Path(path) => ("open(\"{1}\")", path),
    };
    explanation.tell("open the directory that will be the {0}", call, &[&what, path]);
}

/// The id that a command line names.
fn number<T>(id: Option<Id<T>>) -> Option<T> {
    match id {
        Some(Id::Number(number)) => Some(number),
        _ => None,
    }
}
