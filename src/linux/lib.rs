//! What the Linux kernel offers to ctrbox, as typed Rust.
//!
//! This is the only crate with `unsafe` code and the only one that depends on
//! libc, nix and caps. It knows no command line, prints nothing but the trace, and
//! never exits: each function returns a [`Result`] whose error names the call
//! that failed and the object it was about.

#[macro_use]
pub mod trace;

pub mod accounts;
pub mod caps;
pub mod cgroup;
pub mod credentials;
pub mod directory;
pub mod environment;
pub mod errno;
pub mod error;
pub mod executable;
pub mod file;
mod filtered;
pub mod heap;
pub mod index;
mod ioctl;
pub mod landlock;
pub mod link;
pub mod login_defs;
pub mod mount;
pub mod namespace;
pub mod number;
pub mod pattern;
pub mod pivot;
pub mod process;
pub mod processes;
pub mod procfd;
mod quiet;
pub mod raw;
mod resolve;
pub mod seccomp;
pub mod secure;
pub mod signal;
pub mod start;
pub mod stat;
pub mod system;
pub mod terminal;
mod thread;
pub mod walk;
mod xattr;

pub use errno::Errno;
pub use error::{Error, Result};
