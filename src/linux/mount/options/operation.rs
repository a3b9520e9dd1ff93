//! Which operation of mount(2) the options select: mount, bind, move, remount or a change of propagation.

use super::Options;
use crate::mount;
use std::ffi::OsStr;

/// What kind of mount is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A file system appears.
    New,
    /// A tree appears at a second place.
    Bind,
    /// A mount goes elsewhere.
    Move,
    /// Options of a file system and its mount change.
    Remount,
    /// Flags of one mount change.
    RemountBind,
    /// Only propagation changes.
    Propagation,
    /// Two of them at once, which the kernel refuses.
    Conflict,
}

impl Operation {
    /// What the options ask for.
    ///
    /// ```
    /// use linux::mount::options::{Options, operation::Operation};
    /// let of = |list: &[u8]| Operation::of(&Options::parse(list).expect("a list"), true);
    /// assert_eq!([of(b"bind"), of(b"ro")], [Operation::Bind, Operation::New]);
    /// ```
    pub fn of(options: &Options, has_source: bool) -> Operation {
        let flags = options.mount_flags();
        let has = |flag| flags & flag == flag;
        match (has(mount::MS_REMOUNT), has(mount::MS_BIND), has(mount::MS_MOVE)) {
            (true, _, true) | (_, true, true) => Operation::Conflict,
            (true, true, _) => Operation::RemountBind,
            (true, false, _) => Operation::Remount,
            (false, true, _) => Operation::Bind,
            (false, false, true) => Operation::Move,
            _ if !has_source && !options.propagation().is_empty() => Operation::Propagation,
            _ => Operation::New,
        }
    }

    /// Whether a file system type has a meaning for it.
    pub fn has_type(self) -> bool {
        matches!(self, Operation::New | Operation::Remount)
    }

    /// Whether it changes what is mounted already.
    pub fn is_remount(self) -> bool {
        matches!(self, Operation::Remount | Operation::RemountBind)
    }
}

/// One mount as the kernel is to get it.
#[derive(Clone, Copy, Debug)]
pub struct Mounting<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// The source.
    pub source: Option<&'a OsStr>,
    /// The target.
    pub target: &'a OsStr,
    /// One type.
    pub fstype: Option<&'a OsStr>,
    /// All options.
    pub options: &'a Options,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_operations_at_once_conflict() {
        let operation = |list: &str| Operation::of(&Options::parse(list.as_bytes()).unwrap(), true);
        assert_eq!(operation("bind,move"), Operation::Conflict);
        assert_eq!(operation("move,remount"), Operation::Conflict);
        assert_eq!(operation("rbind"), Operation::Bind);
        assert_eq!(operation("private"), Operation::New);
    }
}
