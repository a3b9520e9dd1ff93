//! A child that holds something we cannot have ourselves (a namespace, a mount in one) and lives until we have taken
//! it.

use super::{Fork, Pid, Wait, channel, exit_child, fork, wait};
use crate::signal::reset_to_default;
use crate::{Errno, Error, Result};

/// Forks a child that runs `work`, which returns a number and a value to keep alive. `take` is called in the parent
/// with the child and the number; the child exits afterwards. An error of `work` arrives with its call but without its
/// object.
pub fn with_helper_child<T, W>(
    call: &'static str,
    work: impl FnOnce() -> Result<(i32, W)>,
    take: impl FnOnce(Pid, i32) -> Result<T>,
) -> Result<T> {
    let (ours, theirs) = channel()?;
    // With an inherited SIG_IGN there would be no child to wait for.
    let disposition = reset_to_default(libc::SIGCHLD)?;
    let child = match fork()? {
        Fork::Parent(child) => child,
        Fork::Child => {
            drop(ours);
            let done = work();
            let number = match &done {
                Ok((number, _)) => *number,
                Err(error) => -error.errno.0,
            };
            let told = theirs.send(&number.to_ne_bytes());
            // Until the parent closes its end.
            let _ = told.and_then(|()| theirs.receive(&mut [0; 4]).map(drop));
            exit_child(0);
        }
    };
    drop(theirs);
    let mut answer = [0; 4];
    let taken = ours.receive(&mut answer).and_then(|got| {
        let number = got.and_then(|got| got.try_into().ok()).map_or(-Errno::EIO.0, i32::from_ne_bytes);
        match number {
            number @ 0.. => take(child, number),
            errno => Err(Error::new(call, "", Errno(-errno))),
        }
    });
    drop(ours);
    wait(child, Wait::End)?;
    disposition.restore()?;
    taken
}
