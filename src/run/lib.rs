//! Code that applets share apart from the command line: forking a child, executing the program, and explaining both.

#![forbid(unsafe_code)]

pub mod exec;
pub mod explain;
pub mod fork;
