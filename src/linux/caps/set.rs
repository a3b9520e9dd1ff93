//! Capabilities by number, and sets of them: capabilities(7).

use ::caps::Capability;
use core::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// A capability by its number. Not the crate's enum: a kernel may have capabilities that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Cap(pub u8);

/// A set of capabilities: bit n stands for capability n.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct CapSet(pub u64);

// Those that code names.
impl Cap {
    /// CAP_SETGID.
    pub const SETGID: Cap = Cap(Capability::CAP_SETGID as u8);
    /// CAP_SETUID.
    pub const SETUID: Cap = Cap(Capability::CAP_SETUID as u8);
    /// CAP_SETPCAP.
    pub const SETPCAP: Cap = Cap(Capability::CAP_SETPCAP as u8);
    /// CAP_SYS_CHROOT.
    pub const SYS_CHROOT: Cap = Cap(Capability::CAP_SYS_CHROOT as u8);
    /// CAP_SYS_PTRACE.
    pub const SYS_PTRACE: Cap = Cap(Capability::CAP_SYS_PTRACE as u8);
    /// CAP_SYS_ADMIN.
    pub const SYS_ADMIN: Cap = Cap(Capability::CAP_SYS_ADMIN as u8);
    /// CAP_SETFCAP.
    pub const SETFCAP: Cap = Cap(Capability::CAP_SETFCAP as u8);
}

impl CapSet {
    /// No capability.
    pub const EMPTY: CapSet = CapSet(0);
    /// Every number that a capability can have, whether the kernel has it or not.
    pub const FULL: CapSet = CapSet(u64::MAX);

    /// The set of just this capability; empty for a number over 63.
    ///
    /// ```
    /// use linux::caps::{Cap, CapSet};
    /// assert_eq!(CapSet::of(Cap(5)), CapSet(32));
    /// assert!(CapSet::of(Cap(64)).is_empty());
    /// ```
    pub fn of(capability: Cap) -> CapSet {
        CapSet(1_u64.checked_shl(u32::from(capability.0)).unwrap_or(0))
    }

    /// The capabilities 0 to `count` - 1.
    ///
    /// ```
    /// use linux::caps::CapSet;
    /// assert_eq!(CapSet::first(3), CapSet(0b111));
    /// assert_eq!(CapSet::first(64), CapSet::FULL);
    /// ```
    pub fn first(count: u8) -> CapSet {
        if count >= 64 { CapSet::FULL } else { CapSet((1 << count) - 1) }
    }

    /// Whether a capability is in it.
    pub fn has(self, capability: Cap) -> bool {
        !(self & CapSet::of(capability)).is_empty()
    }

    /// Whether none is.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many are.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The members in increasing order.
    ///
    /// ```
    /// use linux::caps::{Cap, CapSet};
    /// assert!(CapSet(0b101).members().eq([Cap(0), Cap(2)]));
    /// ```
    pub fn members(self) -> impl Iterator<Item = Cap> {
        let mut set = self.0;
        core::iter::from_fn(move || {
            let lowest = u8::try_from(set.trailing_zeros()).ok().filter(|_| set != 0);
            set &= set.wrapping_sub(1);
            lowest.map(Cap)
        })
    }
}

impl BitOr for CapSet {
    type Output = CapSet;

    #[inline]
    fn bitor(self, other: CapSet) -> CapSet {
        CapSet(self.0 | other.0)
    }
}

impl BitAnd for CapSet {
    type Output = CapSet;

    #[inline]
    fn bitand(self, other: CapSet) -> CapSet {
        CapSet(self.0 & other.0)
    }
}

impl BitOrAssign for CapSet {
    #[inline]
    fn bitor_assign(&mut self, other: CapSet) {
        self.0 |= other.0;
    }
}

impl BitAndAssign for CapSet {
    #[inline]
    fn bitand_assign(&mut self, other: CapSet) {
        self.0 &= other.0;
    }
}

impl Not for CapSet {
    type Output = CapSet;

    #[inline]
    fn not(self) -> CapSet {
        CapSet(!self.0)
    }
}
