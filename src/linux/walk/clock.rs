//! How long this thread has run, and on how many processors it may: clock_gettime(2),
//! sched_getaffinity(2).

use core::mem::MaybeUninit;
use std::time::Duration;

/// The processor time of this thread.
pub(super) fn thread_time() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: `time` is valid for a write.
    if unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, time.as_mut_ptr()) } != 0 {
        return Duration::ZERO;
    }
    // SAFETY: the call succeeded and so wrote it.
    let time = unsafe { time.assume_init() };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// How many processors this process may run on, at least 1.
pub(super) fn processors() -> usize {
    let mut set = MaybeUninit::<libc::cpu_set_t>::zeroed();
    // SAFETY: `set` is valid for a write of its size.
    if unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), set.as_mut_ptr()) } < 0 {
        return 1;
    }
    // SAFETY: it was zeroed, which is a valid set, and the call wrote it; counting only reads it.
    let count = unsafe { libc::CPU_COUNT(set.assume_init_ref()) };
    usize::try_from(count).unwrap_or(1).max(1)
}
