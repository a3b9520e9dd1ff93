//! What applets share that is not command line: forking a child, executing the program, and telling of both.

#![forbid(unsafe_code)]

pub mod exec;
pub mod explain;
pub mod fork;
