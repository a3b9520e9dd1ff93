//! From what was typed to the steps, in order. Making a plan touches nothing.

use super::options::{Id, Options, Place, Source, Target};
use cli::{Failure, text};
use linux::namespace::{KINDS, Kind};
use linux::process::Signal;
use std::ffi::OsString;

/// One step. Descriptors that a step opens are kept for the later one that uses them.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Pin the target process. `first` is the file of it that is wanted first, for messages.
    Pin { target: Target, first: &'static str },
    /// Open a namespace that is not the target's.
    Open(Kind, Source),
    /// Open the parent of the user namespace that would be entered.
    OpenUserParent,
    /// Open the network namespace of the target's socket.
    OpenSocketNamespace(i32),
    /// Open the directory that will be the root.
    OpenRoot(Place),
    /// Open the directory that will be the working directory.
    OpenWorkingDirectory(Place),
    /// Read the target's environment.
    ReadEnvironment,
    /// Open the target's cgroups.
    OpenCgroups,
    /// Enter everything opened and `from_target`, or all of the target's namespaces.
    Enter { from_target: Vec<Kind>, all: bool },
    /// Remember the working directory, which a new root would lose.
    KeepWorkingDirectory,
    /// Make the opened directory the root.
    ChangeRoot,
    /// Open a path inside the namespaces.
    OpenInside(OsString),
    /// Go to the opened working directory.
    ChangeDirectory,
    /// Join the opened cgroups.
    JoinCgroups,
    /// If a PID namespace was entered, fork: only a child is in it.
    Fork { forward_signals: bool, dies_with_parent: bool },
    /// Set user and group.
    Become(Become),
    /// Let the capabilities survive the exec.
    KeepCapabilities,
    /// Get this signal when the parent ends.
    DieWithParent(Signal),
    /// Run the program, or the login shell if there is none.
    Exec(Vec<OsString>),
}

/// Whom to become. With nothing said, entering a user namespace means its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Become {
    pub uid: Option<Id>,
    pub gid: Option<Id>,
    pub preserve: bool,
}

/// The steps of a command line.
pub fn plan(options: Options, operands: &[OsString]) -> Result<Vec<Step>, Failure> {
    check(&options)?;
    let mut steps = Vec::new();
    let wanted = |kind: &Kind| options.namespaces.contains(&(*kind, Source::Target));
    let first = KINDS.into_iter().find(wanted).map_or("", Kind::file);
    steps.extend(options.target.map(|target| Step::Pin { target, first }));
    let mut from_target = Vec::new();
    for (kind, source) in options.namespaces {
        match source {
            Source::Target => from_target.push(kind),
            other => steps.push(Step::Open(kind, other)),
        }
    }
    let changes_root = options.root.is_some();
    steps.extend(options.root.map(Step::OpenRoot));
    let changes_directory = options.wd.is_some();
    steps.extend(options.wd.map(Step::OpenWorkingDirectory));
    if options.environment {
        steps.push(Step::ReadEnvironment);
    }
    if options.join_cgroup {
        steps.push(Step::OpenCgroups);
    }
    if options.user_parent {
        from_target.retain(|kind| *kind != Kind::User);
        steps.push(Step::OpenUserParent);
    }
    if let Some(fd) = options.net_socket {
        from_target.retain(|kind| *kind != Kind::Net);
        steps.push(Step::OpenSocketNamespace(fd));
    }
    steps.push(Step::Enter { from_target, all: options.all });
    if changes_root {
        if !changes_directory && options.wdns.is_none() {
            steps.push(Step::KeepWorkingDirectory);
        }
        steps.push(Step::ChangeRoot);
    }
    let changes_inside = options.wdns.is_some();
    steps.extend(options.wdns.map(Step::OpenInside));
    if changes_root || changes_directory || changes_inside {
        steps.push(Step::ChangeDirectory);
    }
    if options.join_cgroup {
        steps.push(Step::JoinCgroups);
    }
    if !options.no_fork {
        let dies_with_parent = options.kill_child.is_some();
        steps.push(Step::Fork { forward_signals: options.forward_signals, dies_with_parent });
    }
    steps.push(Step::Become(Become { uid: options.uid, gid: options.gid, preserve: options.preserve_credentials }));
    if options.keep_caps {
        steps.push(Step::KeepCapabilities);
    }
    steps.extend(options.kill_child.filter(|_| !options.no_fork).map(Step::DieWithParent));
    steps.push(Step::Exec(operands.to_vec()));
    Ok(steps)
}

fn check(options: &Options) -> Result<(), Failure> {
    let refuse = |text: &str| Err(Failure::new(1, text![text]));
    if options.wd.is_some() && options.wdns.is_some() {
        return refuse("options --wd and --wdns cannot be combined");
    }
    if options.target.is_none() {
        if options.all {
            return refuse("no target PID specified for --all");
        }
        let needs_target = options.namespaces.iter().any(|(_, source)| *source == Source::Target)
            || options.net_socket.is_some()
            || (options.user_parent && options.namespaces.is_empty())
            || options.root == Some(Place::Target)
            || options.wd == Some(Place::Target)
            || options.environment
            || options.join_cgroup
            || options.uid == Some(Id::Follow)
            || options.gid == Some(Id::Follow);
        if needs_target {
            return refuse("no target PID specified");
        }
    }
    // A root or a working directory alone is something to enter, as it was until util-linux 2.40.
    let enters = options.all
        || !options.namespaces.is_empty()
        || options.net_socket.is_some()
        || options.user_parent
        || options.root.is_some()
        || options.wd.is_some()
        || options.wdns.is_some()
        || options.join_cgroup
        || options.environment;
    if !enters {
        return refuse("no namespace specified");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(set: impl FnOnce(&mut Options)) -> Result<Vec<Step>, Failure> {
        let mut options = Options { target: Some(Target { pid: 5, inode: None }), ..Options::default() };
        set(&mut options);
        plan(options, &[OsString::from("true")])
    }

    #[test]
    fn everything_is_opened_before_anything_is_entered() {
        let steps = steps(|options| {
            options.namespaces = vec![(Kind::Net, Source::File(OsString::from("/n"))), (Kind::Pid, Source::Target)];
            options.root = Some(Place::Target);
            options.environment = true;
            options.join_cgroup = true;
        })
        .unwrap();
        let enter = steps.iter().position(|step| matches!(step, Step::Enter { .. })).unwrap();
        let opens = |step: &Step| {
            matches!(
                step,
                Step::Pin { .. } | Step::Open(..) | Step::OpenRoot(_) | Step::ReadEnvironment | Step::OpenCgroups
            )
        };
        assert!(steps[..enter].iter().all(opens));
        assert!(!steps[enter..].iter().any(opens));
    }

    #[test]
    fn a_new_root_keeps_the_working_directory_unless_another_is_named() {
        let has_keep = |set: fn(&mut Options)| steps(set).unwrap().contains(&Step::KeepWorkingDirectory);
        assert!(has_keep(|options| options.root = Some(Place::Target)));
        assert!(!has_keep(|options| {
            options.root = Some(Place::Target);
            options.wd = Some(Place::Target);
        }));
    }

    #[test]
    fn something_must_be_entered_and_its_process_named() {
        assert!(steps(|_| {}).is_err());
        assert!(steps(|options| options.root = Some(Place::Target)).is_ok());
        assert!(plan(Options { all: true, ..Options::default() }, &[]).is_err());
        let file = (Kind::Net, Source::File(OsString::from("/n")));
        assert!(plan(Options { namespaces: vec![file], ..Options::default() }, &[]).is_ok());
    }
}
