//! Capabilities: numbers, names, sets, their texts, and those of processes; capabilities(7),
//! cap_from_text(3), cap_iab(3), capget(2).
//!
//! A set is a `u64` in which bit n stands for capability n.

use ::caps::Capability;

pub mod file;
mod iab;
mod mode;
mod name;
mod process;
mod status;
mod text;
#[cfg(test)]
mod witness;

pub use iab::{Iab, parse_iab};
pub use mode::Mode;
pub use name::{NAMED, NAMES, find, known_name, name, names, nearest, read_item};
pub use process::*;
pub use status::TaskStatus;
pub use text::{parse, print, print_classic};

// The capabilities that code names. Their numbers come from the crate caps.

/// CAP_SETGID.
pub const SETGID: u8 = Capability::CAP_SETGID as u8;
/// CAP_SETUID.
pub const SETUID: u8 = Capability::CAP_SETUID as u8;
/// CAP_SETPCAP.
pub const SETPCAP: u8 = Capability::CAP_SETPCAP as u8;
/// CAP_SYS_CHROOT.
pub const SYS_CHROOT: u8 = Capability::CAP_SYS_CHROOT as u8;
/// CAP_SETFCAP.
pub const SETFCAP: u8 = Capability::CAP_SETFCAP as u8;

/// The effective, permitted and inheritable sets of a process or of a file's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    /// What the kernel checks.
    pub effective: u64,
    /// What may be made effective.
    pub permitted: u64,
    /// What is kept across execve(2) for files that have it inheritable, too.
    pub inheritable: u64,
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

/// The set of just this capability; empty for a number over 63.
pub fn bit(capability: u8) -> u64 {
    1_u64.checked_shl(u32::from(capability)).unwrap_or(0)
}

/// The capabilities 0 to `count` - 1.
pub fn all(count: u8) -> u64 {
    if count >= 64 { u64::MAX } else { bit(count) - 1 }
}

/// The numbers in a set, in increasing order.
pub fn members(mut set: u64) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        let lowest = u8::try_from(set.trailing_zeros()).ok().filter(|_| set != 0);
        set &= set.wrapping_sub(1);
        lowest
    })
}
