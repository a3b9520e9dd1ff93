//! From a failed step to its hints.

use crate::environment::{self, Environment, Here};
use crate::hint::Hint;
use crate::step::Step;
use crate::user_namespaces::filters;
use crate::{busy, capability, mount, namespaces, proc, program, root};
use cli::{Failure, failure::hints_wanted};
use linux::Errno;

/// The hints for a failed step.
pub fn diagnose(step: Step<'_>, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let hints = match step {
        Step::Unshare { kinds, refused } => namespaces::unshare(kinds, refused, errno, environment),
        Step::Map => namespaces::map(errno, environment),
        Step::Propagate => namespaces::propagate(errno, environment),
        Step::MountProc { directory, root } => proc::mount_proc(directory, root, errno, environment),
        Step::Chroot(directory) => root::chroot(directory, errno, environment),
        Step::Pivot { new_root } => root::pivot(new_root, errno, environment),
        Step::MoveRoot(new_root) => root::move_root(new_root, errno, environment),
        Step::FindInit(new_root) => root::find_init(new_root),
        Step::FindProcess(pid) => namespaces::find_process(pid, errno, environment),
        Step::OpenNamespace => namespaces::open(errno, environment),
        Step::OpenById => namespaces::open_by_id(errno),
        Step::OfSocket => namespaces::of_socket(errno),
        Step::Enter { kind, found } => namespaces::enter(kind, found, errno, environment),
        Step::BecomeInside { user_entered } => namespaces::become_inside(user_entered, errno, environment),
        Step::Fork => namespaces::fork(errno, environment),
        Step::Keep { kind, namespace, file, forks } => {
            namespaces::keep(kind, namespace, file, forks, errno, environment)
        }
        Step::Exec(error) => program::exec(error, environment),
        Step::Mount(mounting) => mount::mount(mounting, errno, environment),
        Step::Unmount(target) => mount::unmount(target, errno, environment),
        Step::Busy(targets) => busy::unmount(targets, environment),
        Step::SetIds(number) => capability::set_ids(number, errno, environment),
        Step::Raise(number) => capability::raise(number, environment),
        Step::SetCapability { path, rootid } => capability::set_on_file(path, rootid, errno, environment),
        Step::SetSets(wanted) => capability::set(wanted, environment),
        Step::SetInheritable(wanted) => capability::set_inheritable(wanted, environment),
        Step::RaiseAmbient(number) => capability::raise_ambient(number, environment),
        Step::SetIab { ambient, blocked } => capability::set_iab(ambient, blocked, environment),
        Step::Drop(number) => capability::drop_bounding(number, environment),
        Step::SetPrivileges => capability::setpcap(environment),
    };
    // A call that the caller's privilege permits. execve(2) has reasons of its own for EPERM.
    if hints.is_empty() && errno == Errno::EPERM && !matches!(step, Step::Exec(_)) {
        return filters(environment);
    }
    hints
}

/// [`diagnose`] on this machine, if hints are wanted.
#[cold]
#[inline(never)]
pub fn hints(step: Step<'_>, errno: Errno) -> Vec<Hint> {
    if !hints_wanted() || environment::time_left().is_none() {
        return Vec::new();
    }
    let started = std::time::Instant::now();
    let hints = diagnose(step, errno, &Here);
    environment::spend(started.elapsed());
    hints
}

/// For commands that go on after a failure: limits all hints together to 20 ms.
pub fn one_of_many() {
    environment::spend(std::time::Duration::ZERO);
}

/// The failure of a step, with its hints.
#[cold]
#[inline(never)]
pub fn explained(failure: Failure, step: Step<'_>, errno: Errno) -> Failure {
    failure.with_hints(hints(step, errno))
}
