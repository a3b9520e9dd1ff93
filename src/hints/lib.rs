//! Why the kernel said no, on this machine, and what to do about it.
//!
//! A diagnosis is a pure function of the failed step, the error number and the environment (what can be seen of
//! the machine), which tests make up. The machine is looked at only after the failure and in bounds: 4 KiB of a file, 200 ms
//! for a scan of /proc. A hint names the one cause that decided, and the remedy.

#![forbid(unsafe_code)]

mod busy;
mod capability;
mod caret;
mod diagnosis;
pub mod doctor;
mod environment;
mod hint;
#[cfg(test)]
mod made_up;
mod mount;
mod namespaces;
mod proc;
mod program;
mod root;
mod step;
mod user_namespaces;

pub use capability::NO_AMBIENT_RAISE;
pub use caret::point_at;
pub use diagnosis::{diagnose, explained, hints, one_of_many};
pub use environment::{Environment, Here, Kind as FileKind, Node, Privileges, Superblock};
pub use hint::{Hint, more_ids};
pub use namespaces::{PID_WITHOUT_FORK, SHARES_EVERYTHING};
pub use step::Step;
