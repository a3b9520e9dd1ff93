//! What the Linux kernel offers to ctrbox, as typed Rust.
//!
//! This is the only crate with `unsafe` code and the only one that depends on
//! libc, nix and caps. It knows no command line, prints nothing but the trace, and
//! never exits: each function returns a [`Result`] whose error names the call
//! that failed and the object it was about.

#[macro_use]
pub mod trace;

pub mod accounts;
pub mod btrfs;
pub mod capability;
pub mod cgroup;
pub mod credentials;
pub mod directory;
pub mod environment;
pub mod errno;
pub mod error;
pub mod executable;
pub mod file;
pub mod filecap;
pub mod filesystems;
mod filtered;
pub mod fstab;
pub mod heap;
pub mod idmap;
pub mod index;
mod ioctl;
pub mod landlock;
pub mod link;
pub mod login_defs;
pub mod loopdev;
pub mod mount;
pub mod mountinfo;
pub mod namespace;
pub mod netlink;
pub mod number;
pub mod options;
pub mod probe;
pub mod process;
pub mod processes;
pub mod raw;
mod resolve;
pub mod root;
pub mod seccomp;
pub mod secure;
pub mod signal;
pub mod start;
pub mod stat;
pub mod target;
pub mod terminal;
mod thread;
pub mod utab;
pub mod walk;
mod xattr;

pub use errno::Errno;
pub use error::{Error, Result};
