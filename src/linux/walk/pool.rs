//! The threads of a walk and the queue of directories between them: pthreads(7).
//!
//! A worker gives a subdirectory away only while the queue is short, which bounds the memory and the open directories of a
//! walk.

use super::clock;
use crate::heap;
use crate::thread::Team;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many entries the first thread meets before it asks for help.
const LARGE: usize = 2_000;
/// How many threads there can be: more than processors, since some wait for the disk.
const MOST: usize = 16;
/// The stack of a thread, in bytes: nothing recurses.
const STACK: usize = 256 * 1024;
/// What there must be room for before one more thread is started, in bytes: the stacks, and of each worker the buffer and
/// the directories that it is in. Where memory is limited, stacks would else take what the walk itself needs.
const ROOM: usize = MOST * 1024 * 1024;

pub(super) struct Pool<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
    /// The length of `starts`, readable without the lock.
    offered: AtomicUsize,
    /// How many threads there are; with one, nothing is given away.
    workers: AtomicUsize,
}

struct Waiting<T> {
    starts: Vec<T>,
    idle: usize,
    over: bool,
}

impl<T> Pool<T> {
    pub(super) fn new() -> Pool<T> {
        Pool {
            waiting: Mutex::new(Waiting { starts: Vec::new(), idle: 0, over: false }),
            changed: Condvar::new(),
            offered: AtomicUsize::new(0),
            workers: AtomicUsize::new(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the queue is short enough for one more directory.
    pub(super) fn is_hungry(&self) -> bool {
        let workers = self.workers.load(Ordering::Relaxed);
        workers > 1 && self.offered.load(Ordering::Relaxed) < workers * 2
    }

    pub(super) fn give(&self, start: T) {
        let mut waiting = self.lock();
        waiting.starts.push(start);
        self.offered.store(waiting.starts.len(), Ordering::Relaxed);
        let somebody_waits = waiting.idle > 0;
        drop(waiting);
        if somebody_waits {
            self.changed.notify_one();
        }
    }

    /// Works on what is given away until there is nothing more to come.
    pub(super) fn leave_when_done(&self, mut work: impl FnMut(T)) {
        while let Some(start) = self.take() {
            work(start);
        }
    }

    /// `None` once nothing waits and every worker is here.
    fn take(&self) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if let Some(start) = waiting.starts.pop() {
                self.offered.store(waiting.starts.len(), Ordering::Relaxed);
                return Some(start);
            }
            waiting.idle += 1;
            if waiting.over || waiting.idle == self.workers.load(Ordering::Relaxed) {
                waiting.over = true;
                drop(waiting);
                self.changed.notify_all();
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.idle -= 1;
        }
    }

    /// Counts one more worker; `false` if the walk is over or there are enough.
    fn join(&self, most: usize) -> bool {
        let waiting = self.lock();
        let workers = self.workers.load(Ordering::Relaxed);
        if waiting.over || workers >= most {
            return false;
        }
        self.workers.store(workers + 1, Ordering::Relaxed);
        true
    }

    /// Takes back a [`Pool::join`].
    fn unjoin(&self) {
        let _waiting = self.lock();
        self.workers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts more threads once the first worker has met many entries.
pub(super) struct Crew<'team, 'env, T> {
    team: &'team mut Team<'env>,
    pool: &'env Pool<T>,
    /// What each of them does: [`Pool::leave_when_done`].
    work: &'env (dyn Fn() + Sync),
    /// How many entries the first worker meets before it looks again.
    next_look: usize,
    /// When it looked last, and how long this thread had run by then.
    last: (Instant, Duration),
}

impl<'team, 'env, T: Send> Crew<'team, 'env, T> {
    pub(super) fn new(
        team: &'team mut Team<'env>,
        pool: &'env Pool<T>,
        work: &'env (dyn Fn() + Sync),
    ) -> Crew<'team, 'env, T> {
        Crew { team, pool, work, next_look: LARGE, last: (Instant::now(), Duration::ZERO) }
    }

    /// Called with the number of entries met so far. Starts as many threads as there are processors, or [`MOST`] if this
    /// thread has mostly waited (for the disk) since the last look.
    pub(super) fn look(&mut self, met: usize) {
        if met < self.next_look {
            return;
        }
        self.next_look = met + LARGE;
        let now = (Instant::now(), clock::thread_time());
        let passed = now.0.duration_since(self.last.0);
        let worked = now.1.saturating_sub(self.last.1);
        self.last = now;
        let most = if worked * 2 < passed { MOST } else { clock::processors().min(MOST) };
        while self.pool.join(most) {
            if !heap::has_room(ROOM) || !self.team.start(STACK, self.work) {
                // The walk goes on with the threads that there are.
                self.pool.unjoin();
                break;
            }
        }
    }
}
