//! From what was typed to the plan. Making a plan touches nothing.

use super::options::{Id, NamespaceSource, Options, Place, TargetProcess};
use cli::Failure;
use linux::credentials::{Gid, Uid};
use linux::namespace::{KINDS, Kind};
use run::fork::ForkOptions;
use std::ffi::OsStr;

/// The actions in the order of the fields. A descriptor that one opens is passed to the one that uses it.
#[derive(Debug, PartialEq, Eq)]
pub struct NsenterPlan {
    /// The process to pin.
    pub target: Option<TargetProcess>,
    /// The file of the target that the original would open first: `ns/net`. For messages.
    pub first: String,
    /// Namespaces that are not the target's, to be opened.
    pub opened: Vec<(Kind, NamespaceSource)>,
    /// The directory that will be the root.
    pub root: Option<Place>,
    /// The working directory.
    pub directory: Option<Directory>,
    /// Whether the program gets the target's environment.
    pub environment: bool,
    /// Whether the target's cgroups are joined.
    pub join_cgroup: bool,
    /// Whether the parent of the user namespace is entered.
    pub user_parent: bool,
    /// The target's socket whose network namespace is entered.
    pub net_socket: Option<i32>,
    /// Kinds of the target's namespaces that are entered.
    pub from_target: Vec<Kind>,
    /// Whether all the others of the target are entered, too.
    pub all: bool,
    /// How to fork after entering a PID namespace, which takes effect for children only.
    pub fork: Option<ForkOptions>,
    /// Whom to become.
    pub whom: Become,
    /// Whether the capabilities survive the exec.
    pub keep_capabilities: bool,
    /// The program, or the login shell if there is none.
    pub operands: Vec<&'static OsStr>,
}

/// Where the working directory is taken from.
#[derive(Debug, PartialEq, Eq)]
pub enum Directory {
    /// Opened before anything is entered.
    Outside(Place),
    /// The present one, which a new root would lose.
    Present,
    /// Opened inside.
    Inside(&'static OsStr),
}

/// The user and group to become. By default, root if a user namespace is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Become {
    pub uid: Option<Id<Uid>>,
    pub gid: Option<Id<Gid>>,
    pub preserve: bool,
}

/// The plan of a command line.
pub fn plan(options: Options, operands: &[&'static OsStr]) -> Result<NsenterPlan, Failure> {
    check(&options)?;
    let from_target = |kind: &Kind| options.namespaces.contains(&(*kind, NamespaceSource::Target));
    let first = match KINDS.into_iter().find(from_target) {
        _ if options.all => "ns/user".to_owned(),
        Some(kind) => ["ns/", kind.file()].concat(),
        None if options.root == Some(Place::Target) => "root".to_owned(),
        None if options.wd == Some(Place::Target) => "cwd".to_owned(),
        None if options.environment => "environ".to_owned(),
        None => "ns/user".to_owned(),
    };
    let (mut from_target, mut opened) = (Vec::new(), Vec::new());
    for (kind, source) in options.namespaces {
        match source {
            NamespaceSource::Target if kind == Kind::User && options.user_parent => {}
            NamespaceSource::Target if kind == Kind::Net && options.net_socket.is_some() => {}
            NamespaceSource::Target => from_target.push(kind),
            other => opened.push((kind, other)),
        }
    }
    let directory = match (options.wd, options.wdns) {
        (Some(place), _) => Some(Directory::Outside(place)),
        (None, Some(Some(path))) => Some(Directory::Inside(path)),
        (None, _) => options.root.is_some().then_some(Directory::Present),
    };
    Ok(NsenterPlan {
        target: options.target,
        first,
        opened,
        root: options.root,
        directory,
        environment: options.environment,
        join_cgroup: options.join_cgroup,
        user_parent: options.user_parent,
        net_socket: options.net_socket,
        from_target,
        all: options.all,
        fork: (!options.no_fork)
            .then_some(ForkOptions { forward_signals: options.forward_signals, kill_child: options.kill_child }),
        whom: Become { uid: options.uid, gid: options.gid, preserve: options.preserve_credentials },
        keep_capabilities: options.keep_caps,
        operands: operands.to_vec(),
    })
}

fn check(options: &Options) -> Result<(), Failure> {
    let refuse = |text: &str| Err(cli::fail!(1, text));
    // An environment alone is taken over, too: whoever asks for it gets all that was asked for.
    let enters = options.all
        || !options.namespaces.is_empty()
        || options.net_socket.is_some()
        || options.user_parent
        || options.environment;
    if options.target.is_none() {
        let from_target = options.namespaces.iter().any(|(_, source)| *source == NamespaceSource::Target);
        if options.all && !from_target {
            return refuse("no target PID specified for --all");
        }
        if from_target || options.net_socket.is_some() || options.user_parent {
            return refuse("no target PID specified");
        }
        let of_target = [
            (options.root == Some(Place::Target), "root"),
            (options.wd == Some(Place::Target), "cwd"),
            (options.environment, "environ"),
            (options.join_cgroup, "cgroup"),
            (options.uid == Some(Id::Follow), "uid"),
            (options.gid == Some(Id::Follow), "gid"),
        ];
        if let Some((_, what)) = of_target.into_iter().find(|(is_asked, _)| *is_asked) {
            return Err(cli::fail!(1, "neither filename nor target pid supplied for ", what));
        }
    }
    if !enters {
        return refuse("no namespace specified");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(set: impl FnOnce(&mut Options)) -> Result<NsenterPlan, Failure> {
        let mut options =
            Options { target: Some(TargetProcess { pid: linux::process::Pid(5), inode: None }), ..Options::default() };
        set(&mut options);
        plan(options, &[OsStr::new("true")])
    }

    #[test]
    fn a_new_root_keeps_the_working_directory_unless_another_is_named() {
        let directory = |set: fn(&mut Options)| {
            let with_net = |options: &mut Options| {
                options.namespaces = vec![(Kind::Net, NamespaceSource::Target)];
                set(options);
            };
            planned(with_net).unwrap().directory
        };
        assert_eq!(directory(|options| options.root = Some(Place::Target)), Some(Directory::Present));
        assert_eq!(
            directory(|options| {
                options.root = Some(Place::Target);
                options.wd = Some(Place::Target);
            }),
            Some(Directory::Outside(Place::Target))
        );
        assert_eq!(directory(|_| {}), None);
    }

    #[test]
    fn the_parent_of_the_user_namespace_stands_for_it() {
        let plan = planned(|options| {
            options.user_parent = true;
            options.namespaces = vec![(Kind::User, NamespaceSource::Target), (Kind::Net, NamespaceSource::Target)];
        });
        assert_eq!(plan.unwrap().from_target, [Kind::Net]);
    }

    #[test]
    fn something_must_be_entered_and_its_process_named() {
        assert!(planned(|_| {}).is_err());
        assert!(planned(|options| options.root = Some(Place::Target)).is_err());
        assert!(planned(|options| options.join_cgroup = true).is_err());
        assert!(plan(Options { all: true, ..Options::default() }, &[]).is_err());
        let file = (Kind::Net, NamespaceSource::File(OsStr::new("/n")));
        assert!(plan(Options { namespaces: vec![file], ..Options::default() }, &[]).is_ok());
    }
}
