//! Scoped threads, joined before what they borrow is gone: pthread_create(3).
//!
//! Not `std::thread`: its names, results and panics, which nothing here needs, bring the dynamic
//! linker's interface and printf(3) into a static binary.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Threads that borrow for `'a`.
pub struct Team<'a> {
    threads: Vec<libc::pthread_t>,
    borrowed: PhantomData<Work<'a>>,
}

/// Calls `work` with a team and waits for every thread of it before it returns.
pub fn scope<'a>(work: impl FnOnce(&mut Team<'a>)) {
    // `work` only borrows it, so that it cannot be forgotten: its drop joins the threads.
    let mut team = Team { threads: Vec::new(), borrowed: PhantomData };
    work(&mut team);
}

impl<'a> Team<'a> {
    /// Starts a thread with a stack of `stack` bytes; `false` if there cannot be another.
    pub fn start(&mut self, stack: usize, work: impl FnOnce() + Send + 'a) -> bool {
        let work: Box<Work<'a>> = Box::new(Box::new(work));
        let work = Box::into_raw(work);
        let mut attributes = MaybeUninit::uninit();
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the attributes are initialised before they are used; the thread gets a box that
        // nobody else has, and all that it borrows outlives the team, which waits for it.
        let error = unsafe {
            libc::pthread_attr_init(attributes.as_mut_ptr());
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), stack);
            let error = libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), run, work.cast());
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            error
        };
        if error != 0 {
            // SAFETY: no thread was made, so the box is still ours.
            drop(unsafe { Box::from_raw(work) });
            return false;
        }
        // SAFETY: the call succeeded and so wrote it.
        self.threads.push(unsafe { thread.assume_init() });
        true
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        for thread in self.threads.drain(..) {
            // SAFETY: each thread is joined once; its result is not asked for.
            unsafe { libc::pthread_join(thread, core::ptr::null_mut()) };
        }
    }
}

extern "C" fn run(work: *mut c_void) -> *mut c_void {
    // SAFETY: `start` made this pointer from a box of this type and gave it to this thread alone.
    // The lifetime is not longer than the team's, which waits for this thread.
    let work = unsafe { Box::from_raw(work.cast::<Work<'static>>()) };
    work();
    core::ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_team_has_ended_when_its_scope_returns() {
        let done = AtomicUsize::new(0);
        scope(|team| {
            for _ in 0..4 {
                assert!(team.start(64 * 1024, || {
                    done.fetch_add(1, Ordering::SeqCst);
                }));
            }
        });
        assert_eq!(done.load(Ordering::SeqCst), 4);
    }
}
