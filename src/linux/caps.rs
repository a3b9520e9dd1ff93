//! Capabilities: numbers, names, sets, their texts, and those of processes; capabilities(7),
//! cap_from_text(3), cap_iab(3), capget(2).

pub mod file;
mod iab;
mod mode;
mod name;
mod process;
mod set;
mod status;
mod text;
#[cfg(test)]
mod witness;

pub use iab::{Iab, parse_iab};
pub use mode::Mode;
pub use name::{NAMED, NAMES, find, known_name, name, names, nearest, read_item};
pub use process::*;
pub use set::{Cap, CapSet};
pub use status::TaskStatus;
pub use text::{parse, print, print_classic};

/// The effective, permitted and inheritable sets of a process or of a file's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// What the kernel checks.
    pub effective: CapSet,
    /// What may be made effective.
    pub permitted: CapSet,
    /// What is kept across execve(2) for files that have it inheritable, too.
    pub inheritable: CapSet,
}

/// Where a text is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The first wrong byte, counted from 0; the text's length if something is missing at its end.
    pub offset: usize,
    /// How many bytes are wrong; 0 if something is missing.
    pub length: usize,
    /// What is wrong there.
    pub kind: TextErrorKind,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextErrorKind {
    /// No capability has this name.
    UnknownName,
    /// No capability has this number: they end at 63.
    NumberTooLarge,
    /// A name or number is missing.
    EmptyItem,
    /// After a name only `,`, `=`, `+` or `-` can come.
    NoOperator,
    /// Without a list only `=` and its flags can stand.
    NoList,
    /// A flag, one of `e`, `i`, `p`, is missing.
    NoFlags,
    /// This is none of the flags `e`, `i`, `p`.
    UnknownFlag,
    /// `=` can only be the first operator.
    SecondEquals,
    /// This cannot stand here.
    Unexpected,
}
