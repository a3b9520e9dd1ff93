//! Carries out a plan. The first failure ends it, and the program is not run.

use super::enter::{Entries, cannot_open as cannot_open_namespace};
use super::options::{Id, NamespaceSource, Place};
use super::plan::{Become, Directory, NsenterPlan};
use cli::failure::named;
use cli::{Failure, Outcome, Output, text};
use hints::explained;
use linux::credentials::{Gid, Uid};
use linux::index::Index;
use linux::namespace::{self, Kind};
use linux::process::{self, Forwarding, Status, Variables};
use linux::procfd::ProcFd;
use linux::{Error, caps, cgroup, credentials, directory, file, pivot};
use run::exec::{Program, failed_to_execute};
use run::fork::{FORWARDING, ForkOptions, Forked, Forking, How, Tie};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Carries the plan out. Returns in a parent with the child's status, and on failure. What a step opens is a
/// value that the step that uses it takes, so that none can be left out.
pub fn carry_out(plan: &NsenterPlan, output: &mut Output) -> Outcome {
    let target = plan.target.map(|wanted| pin(wanted, plan)).transpose()?;
    let target = Pinned(target.as_ref());
    let mut opened = open_namespaces(&plan.opened)?;
    let root = plan.root.as_ref().map(|place| open_place(place, "root", target)).transpose()?;
    let outside = match &plan.directory {
        Some(Directory::Outside(place)) => Some(open_place(place, "cwd", target)?),
        _ => None,
    };
    let environment = if plan.environment {
        Variables::Exactly(environment(&target.get()?.read("environ", usize::MAX).map_err(cannot_open)?))
    } else {
        Variables::Inherited
    };
    let cgroups = if plan.join_cgroup { cgroup::open_procs(target.get()?).map_err(cannot_open)? } else { Vec::new() };
    if plan.user_parent {
        let parent = open_user_parent(&opened, target)?;
        opened.retain(|(kind, _)| *kind != Kind::User);
        opened.push((Kind::User, parent));
    }
    if let Some(fd) = plan.net_socket {
        let net = open_socket_namespace(fd, target)?;
        opened.retain(|(kind, _)| *kind != Kind::Net);
        opened.push((Kind::Net, net));
    }
    let entered = enter(plan, opened, target)?;
    let directory = match &plan.directory {
        Some(Directory::Present) => {
            Some(file::open_path(OsStr::new(".")).map_err(named("cannot open current working directory"))?)
        }
        _ => outside,
    };
    if let Some(root) = &root {
        pivot::change_root(root.as_fd()).map_err(|error| {
            let what = match error.call {
                "fchdir" => "change directory by root file descriptor failed",
                "chroot" => "chroot failed",
                _ => "cannot change directory to /",
            };
            named(what)(error)
        })?;
    }
    let directory = match &plan.directory {
        Some(Directory::Inside(path)) => {
            Some(file::open_path(path).map_err(named("cannot open current working directory"))?)
        }
        _ => directory,
    };
    if let Some(directory) = &directory {
        directory::fchdir(directory.as_fd())
            .map_err(named("change directory by working directory file descriptor failed"))?;
    }
    for procs in &cgroups {
        cgroup::join(procs).map_err(named("write cgroup.procs failed"))?;
    }
    drop((root, directory, cgroups));
    let mut forking = Forking::default();
    let mut tie = None;
    if let Some(how) = plan.fork.filter(|_| entered.pid) {
        match fork(how, &mut forking, output)? {
            Here::Child(tied) => tie = tied,
            Here::Parent(status) => return Ok(status),
        }
    }
    let keeps = plan.keep_capabilities && entered.user;
    become_user(plan.whom, keeps, &entered, target)?;
    if keeps {
        caps::keep_across_exec()
            .map_err(|error| named(if error.call == "prctl" { "prctl failed" } else { "capset failed" })(error))?;
    }
    if let Some(tie) = tie {
        tie.fasten()?;
    }
    forking.restore_signals()?;
    let program = Program::or_shell(&plan.operands, environment);
    Err(failed_to_execute(&program.exec(output)))
}

/// The target, if one was given.
#[derive(Clone, Copy)]
struct Pinned<'a>(Option<&'a ProcFd>);

impl<'a> Pinned<'a> {
    fn get(self) -> Result<&'a ProcFd, Failure> {
        self.0.ok_or_else(|| cli::fail!(1, "no target PID specified"))
    }
}

fn pin(wanted: super::options::TargetProcess, plan: &NsenterPlan) -> Result<ProcFd, Failure> {
    let target = ProcFd::open(wanted.pid).map_err(|error| {
        let (before, after) = if plan.all { ("stat of ", " failed: ") } else { ("cannot open ", ": ") };
        let failure = cli::fail!(1, before, "/proc/", wanted.pid, "/", plan.first, after, error.errno);
        explained(failure, hints::Step::FindProcess(wanted.pid), error.errno)
    })?;
    if let Some(inode) = wanted.inode
        && target.inode() != Some(inode)
    {
        let text = text!["process ", wanted.pid, " is not the one with inode ", inode];
        return Err(Failure::new(1, text).hint("the number belongs to another process by now"));
    }
    Ok(target)
}

fn open_namespaces(wanted: &[(Kind, NamespaceSource)]) -> Result<Vec<(Kind, OwnedFd)>, Failure> {
    let open = |source: &NamespaceSource| match source {
        NamespaceSource::File(path) => namespace::open(path).map_err(cannot_open_namespace),
        NamespaceSource::Id(id) => namespace::open_by_id(*id).map_err(|error| {
            let failure = cli::fail!(1, "cannot open namespace of id ", id, ": ", error.errno);
            explained(failure, hints::Step::OpenById, error.errno)
        }),
        // The plan has these apart.
        NamespaceSource::Target => Err(cli::fail!(1, "no target PID specified")),
    };
    let mut opened = Vec::new();
    for (kind, source) in wanted {
        opened.push((*kind, open(source)?));
    }
    Ok(opened)
}

/// The parent of the user namespace given by file, else of the target's.
fn open_user_parent(opened: &[(Kind, OwnedFd)], target: Pinned<'_>) -> Result<OwnedFd, Failure> {
    let parent = match opened.iter().find(|(kind, _)| *kind == Kind::User) {
        Some((_, user)) => namespace::parent(user.as_fd()),
        None => {
            let user = target.get()?.namespace(Kind::User).map_err(cannot_open_namespace)?;
            namespace::parent(user.as_fd())
        }
    };
    parent.map_err(named("failed to open parent namespace"))
}

fn open_socket_namespace(fd: i32, target: Pinned<'_>) -> Result<OwnedFd, Failure> {
    let socket = target
        .get()?
        .descriptor(fd)
        .map_err(|error| cli::fail!(1, "unable to get target process's socket ", fd, ": ", error.errno))?;
    namespace::of_socket(socket.as_fd()).map_err(|error| {
        let failure = cli::fail!(1, "cannot get network namespace of socket ", fd, ": ", error.errno);
        explained(failure, hints::Step::OfSocket, error.errno)
    })
}

fn open_place(place: &Place, name: &str, target: Pinned<'_>) -> Result<OwnedFd, Failure> {
    match place {
        Place::Target => target.get()?.directory(name).map_err(cannot_open),
        Place::Path(path) => file::open_path(path).map_err(cannot_open),
    }
}

/// What has been entered, as far as later steps depend on it.
struct Entered {
    user: bool,
    pid: bool,
    /// Whether setgroups(2) failed before the namespaces were entered; it must then succeed afterwards.
    groups_refused: bool,
}

fn enter(plan: &NsenterPlan, opened: Vec<(Kind, OwnedFd)>, target: Pinned<'_>) -> Result<Entered, Failure> {
    let mut entries = Entries { opened, target: None, unnamed: Vec::new() };
    if plan.all || !plan.from_target.is_empty() {
        let target = target.get()?;
        let mut kinds = plan.from_target.clone();
        if plan.all {
            let mut unnamed = Vec::new();
            for kind in namespace::KINDS {
                // The kernel refuses to enter one's own user namespace again. The other kinds can be entered again
                // with privilege.
                let is_named = kinds.contains(&kind) || entries.contain(kind);
                if !is_named && (kind != Kind::User || may_enter_user(target)?) {
                    unnamed.push(kind);
                }
            }
            kinds.extend(&unnamed);
            entries.unnamed = unnamed;
        }
        if target.pid == process::Pid::INIT
            && !kinds.is_empty()
            && linux::terminal::is_terminal(2)
            && kinds.iter().all(|kind| target.shares(*kind) == Some(true))
        {
            cli::failure::hint_on_terminal(hints::SHARES_EVERYTHING);
        }
        entries.target = Some((target, kinds));
    }
    let (user, pid) = (entries.contain(Kind::User), entries.contain(Kind::Pid));
    if user {
        // Else a process with privilege inside could trace us before the exec, and use what we have of the outside.
        process::set_dumpable(false).map_err(named("prctl failed"))?;
    }
    // setgroups(2) may be permitted here and denied inside.
    let groups_refused = user && !plan.whom.preserve && credentials::set_groups(&[]).is_err();
    entries.enter()?;
    Ok(Entered { user, pid, groups_refused })
}

/// Whether a process has a user namespace that is not ours.
fn may_enter_user(target: &ProcFd) -> Result<bool, Failure> {
    match target.identity(Kind::User) {
        Ok(theirs) => Ok(namespace::own(Kind::User).ok() != Some(theirs)),
        Err(error) => match target.has_kind(Kind::User) {
            Ok(false) => Ok(false),
            _ => {
                let failure = cli::fail!(1, "stat of ", target.path("ns/user"), " failed: ", error.errno);
                Err(explained(failure, hints::Step::OpenNamespace, error.errno))
            }
        },
    }
}

/// Where we are after a fork.
enum Here {
    Child(Option<Tie>),
    /// In the parent, when the child has ended with this status.
    Parent(u8),
}

fn fork(how: ForkOptions, forking: &mut Forking, output: &mut Output) -> Result<Here, Failure> {
    let blocked = if how.forward_signals { FORWARDING } else { &[] };
    match forking.fork(How { blocked, kill_child: how.kill_child }, output)? {
        Forked::Child(tie) => Ok(Here::Child(tie)),
        Forked::Parent(child) => {
            let forwarding = Forwarding { forward_signals: how.forward_signals, job_control: true };
            match process::wait_forwarding(child, forwarding).map_err(named("waitpid failed"))? {
                Status::Exited(status) => Ok(Here::Parent(status)),
                Status::Signaled(signal) | Status::Stopped(signal) => {
                    linux::signal::die_of(signal);
                    Ok(Here::Parent(1))
                }
            }
        }
    }
}

fn become_user(whom: Become, keeps: bool, entered: &Entered, target: Pinned<'_>) -> Result<(), Failure> {
    let becomes_root = entered.user && !whom.preserve;
    let not_told = |error: Error| match error.call {
        "open" => cannot_open(error),
        _ => named("can not get process stat")(error),
    };
    let owner = || target.get()?.owner().map_err(not_told);
    let gid = match whom.gid.or(becomes_root.then_some(Id::Number(Gid::default()))) {
        Some(Id::Number(gid)) => Some(gid),
        Some(Id::Follow) => Some(owner()?.1),
        None => None,
    };
    let uid = match whom.uid.or(becomes_root.then_some(Id::Number(Uid::ROOT))) {
        Some(Id::Number(uid)) => Some(uid),
        Some(Id::Follow) => Some(owner()?.0),
        None => None,
    };
    if let Some(gid) = gid {
        match credentials::set_groups(&[]) {
            // They were dropped before we entered a namespace that denies it.
            Err(_) if becomes_root && !entered.groups_refused => {}
            done => done.map_err(|error| not_become("setgroups failed", entered, error))?,
        }
        credentials::set_gid(gid).map_err(|error| not_become("setgid() failed", entered, error))?;
    }
    if let Some(uid) = uid {
        if keeps && !uid.is_root() {
            // The change clears them else.
            caps::set_keep_capabilities(1).map_err(named("prctl failed"))?;
        }
        credentials::set_uid(uid).map_err(|error| not_become("setuid() failed", entered, error))?;
    }
    Ok(())
}

fn not_become(what: &str, entered: &Entered, error: Error) -> Failure {
    let step = hints::Step::BecomeInside { user_entered: entered.user };
    explained(cli::failure::failed(what, &error), step, error.errno)
}

/// The entries of /proc/PID/environ from the last to the first, as the original hands them on: of a name the last counts.
fn environment(text: &[u8]) -> Vec<OsString> {
    let mut named = Vec::new();
    for entry in text.rsplit(|byte| *byte == 0) {
        if let Some(name) = entry.iter().position(|byte| *byte == b'=').and_then(|end| entry.get(..end)) {
            named.push((name, entry));
        }
    }
    let index = Index::of(named.iter().map(|(name, _)| name));
    let mut first = Vec::with_capacity(named.len());
    for (place, (name, entry)) in named.iter().enumerate() {
        let is_it = |other: &usize| named.get(*other).is_some_and(|(other, _)| other == name);
        if index.places(name).find(is_it) == Some(place) {
            first.push(OsStr::from_bytes(entry).to_os_string());
        }
    }
    first
}

#[cold]
#[inline(never)]
fn cannot_open(error: Error) -> Failure {
    cli::fail!(1, "cannot open ", error.object, ": ", error.errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_variables_of_a_name_the_last_counts() {
        assert_eq!(
            environment(b"B=1\0A=2\0B=3\0junk\0B\xff=\0"),
            [OsStr::from_bytes(b"B\xff="), OsStr::new("B=3"), OsStr::new("A=2")]
        );
    }
}
