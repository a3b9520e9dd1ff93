//! The command line of ctrbox: option tables, messages, exit statuses.
//!
//! One table per applet is the only definition of its options: the parser, `--help`,
//! the manual page and the completions are made from it. Nothing here makes a system call but to write.

#![forbid(unsafe_code)]

pub mod applet;
pub mod called;
pub mod capability;
pub mod columns;
pub mod completion;
pub mod explain;
pub mod failure;
pub mod help;
pub mod id;
pub mod man;
pub mod option;
pub mod output;
pub mod parse;
pub mod quote;
pub mod regex;
pub mod text;

pub use linux::number;

pub use applet::{Applet, Directory, Invocation, Section};
pub use called::{Called, Origin};
pub use failure::{Failure, Outcome};
pub use option::{Opt, Store, Table};
pub use output::Output;
pub use parse::{Order, parse};
