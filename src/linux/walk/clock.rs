//! The processor time of a thread, and how many processors it may run on: clock_gettime(2), sched_getaffinity(2).

use nix::sched::{CpuSet, sched_getaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use std::time::Duration;

/// The processor time of this thread.
pub(super) fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// How many processors this process may run on, at least 1.
pub(super) fn processors() -> usize {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return 1 };
    (0..CpuSet::count()).filter(|processor| set.is_set(*processor) == Ok(true)).count().max(1)
}
