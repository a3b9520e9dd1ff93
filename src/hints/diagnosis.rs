//! From a failed step to its hints.

use crate::facts::{self, Facts, Here};
use crate::hint::Hint;
use crate::step::Step;
use crate::{busy, capability, mount, namespaces, proc, program, root};
use cli::{Failure, failure::hints_wanted};
use linux::Errno;

/// The hints for a failed step.
pub fn diagnose(step: Step<'_>, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    match step {
        Step::Unshare { kinds, refused } => namespaces::unshare(kinds, refused, errno, facts),
        Step::Map => namespaces::map(errno, facts),
        Step::Propagate => namespaces::propagate(errno, facts),
        Step::MountProc { directory, root } => proc::mount_proc(directory, root, errno, facts),
        Step::Chroot(directory) => root::chroot(directory, errno, facts),
        Step::Pivot { new_root } => root::pivot(new_root, errno, facts),
        Step::MoveRoot(new_root) => root::move_root(new_root, errno, facts),
        Step::FindInit(new_root) => root::find_init(new_root),
        Step::FindProcess(pid) => namespaces::find_process(pid, errno, facts),
        Step::OpenNamespace => namespaces::open(errno, facts),
        Step::OpenById => namespaces::open_by_id(errno),
        Step::OfSocket => namespaces::of_socket(errno),
        Step::Enter { kind, found } => namespaces::enter(kind, found, errno),
        Step::BecomeInside { user_entered } => namespaces::become_inside(user_entered, errno, facts),
        Step::Fork => namespaces::fork(errno, facts),
        Step::Keep { kind, namespace, file, forks } => namespaces::keep(kind, namespace, file, forks, errno, facts),
        Step::Exec(error) => program::exec(error, facts),
        Step::Mount(mounting) => mount::mount(mounting, errno, facts),
        Step::Unmount(target) => mount::unmount(target, errno, facts),
        Step::Busy(targets) => busy::unmount(targets, facts),
        Step::SetIds(number) => capability::set_ids(number, errno, facts),
        Step::Raise(number) => capability::raise(number, facts),
        Step::SetCapability { path, rootid } => capability::set_on_file(path, rootid, errno, facts),
        Step::SetSets(wanted) => capability::set(wanted, facts),
        Step::SetInheritable(wanted) => capability::set_inheritable(wanted, facts),
        Step::RaiseAmbient(number) => capability::raise_ambient(number, facts),
        Step::SetIab { ambient, blocked } => capability::set_iab(ambient, blocked, facts),
        Step::Drop(number) => capability::drop_bounding(number, facts),
        Step::SetPrivileges => capability::setpcap(facts),
    }
}

/// [`diagnose`] here, and only if hints are wanted.
#[cold]
#[inline(never)]
pub fn hints(step: Step<'_>, errno: Errno) -> Vec<Hint> {
    if !hints_wanted() || facts::time_left().is_none() {
        return Vec::new();
    }
    let started = std::time::Instant::now();
    let hints = diagnose(step, errno, &Here);
    facts::spend(started.elapsed());
    hints
}

/// Says that a command does many things, of which each may fail: its hints take 20 ms in all.
pub fn one_of_many() {
    facts::spend(std::time::Duration::ZERO);
}

/// The failure of a step, with its hints.
#[cold]
#[inline(never)]
pub fn explained(failure: Failure, step: Step<'_>, errno: Errno) -> Failure {
    failure.with_hints(hints(step, errno))
}
