//! libcap's named modes, cap_get_mode(3), and the securebits that they are made of.

use super::{Cap, CapSet, Own, Sets, process};
use crate::credentials::Pid;
use crate::{Errno, Result};

/// The securebits of pure capabilities: root has no privilege of its own, and all bits are locked. Without the bits
/// about ambient capabilities.
const PURE_WITHOUT_AMBIENT: u32 = 0x2f;
/// The same, with ambient capabilities forbidden and that bit locked, too.
const PURE: u32 = 0xef;

/// What securebits and sets together mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// None of the named ones.
    Uncertain,
    /// No privilege, and none to be had.
    NoPriv,
    /// Capabilities alone, and nothing inheritable.
    Pure1eInit,
    /// Capabilities alone.
    Pure1e,
    /// Both capabilities and root, the kernel's default.
    Hybrid,
}

impl Mode {
    /// Those that can be set, in the order of their numbers.
    pub const SETTABLE: [Mode; 4] = [Mode::NoPriv, Mode::Pure1eInit, Mode::Pure1e, Mode::Hybrid];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Uncertain => "UNCERTAIN",
            Mode::NoPriv => "NOPRIV",
            Mode::Pure1eInit => "PURE1E_INIT",
            Mode::Pure1e => "PURE1E",
            Mode::Hybrid => "HYBRID",
        }
    }

    /// Its number in libcap.
    pub fn number(self) -> u8 {
        match self {
            Mode::Uncertain => 0,
            Mode::NoPriv => 1,
            Mode::Pure1eInit => 2,
            Mode::Pure1e => 3,
            Mode::Hybrid => 4,
        }
    }

    /// Ours.
    pub fn current() -> Result<Mode> {
        Mode::of(&Own::read()?)
    }

    /// Ours, with these sets.
    pub fn of(own: &Own) -> Result<Mode> {
        let bits = match process::securebits() {
            // A kernel that has none.
            Err(error) if error.errno == Errno::EINVAL => return Ok(Mode::Uncertain),
            bits => bits?,
        };
        Ok(guess(bits, own))
    }

    /// Enters this mode. CAP_SETPCAP must be permitted. The effective set is empty afterwards,
    /// also when it fails.
    pub fn set(self) -> Result<()> {
        let result = self.enter();
        process::clear_effective()?;
        result
    }

    fn enter(self) -> Result<()> {
        process::raise(Cap::SETPCAP)?;
        if self == Mode::Hybrid {
            return process::set_securebits(0);
        }
        if self == Mode::Uncertain {
            return Err(process::not_permitted("cap_set_mode"));
        }
        let sets = process::get(Pid::SELF)?;
        if self != Mode::Pure1e {
            process::set(&Sets { inheritable: CapSet::EMPTY, ..sets })?;
        }
        let count = process::count();
        if !process::ambient()?.is_empty() {
            process::clear_ambient()?;
        }
        process::set_securebits(PURE)?;
        if self == Mode::NoPriv {
            for capability in process::bounding(count)?.members() {
                process::drop_bounding(capability)?;
            }
            process::set(&Sets::default())?;
            process::set_no_new_privileges()?;
        }
        Ok(())
    }
}

/// The mode that this state means.
fn guess(bits: u32, own: &Own) -> Mode {
    let Own { sets, bounding, ambient, .. } = own;
    if bits == 0 {
        return Mode::Hybrid;
    }
    let pure = match ambient {
        Some(set) => bits == PURE && set.is_empty(),
        None => bits & PURE_WITHOUT_AMBIENT == PURE_WITHOUT_AMBIENT,
    };
    if !pure {
        Mode::Uncertain
    } else if !sets.inheritable.is_empty() {
        Mode::Pure1e
    } else if !(sets.permitted | sets.effective | *bounding).is_empty() {
        Mode::Pure1eInit
    } else {
        Mode::NoPriv
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_told_by_securebits_and_sets() {
        let none = Sets::default();
        let inheriting = Sets { inheritable: CapSet(1), ..none };
        let permitted = Sets { permitted: CapSet(1), ..none };
        let means = |bits, ambient: Option<u64>, sets, bounding| {
            let ambient = ambient.map(CapSet);
            guess(bits, &Own { count: 41, sets, bounding: CapSet(bounding), ambient })
        };
        assert_eq!(means(0, Some(0), permitted, 1), Mode::Hybrid);
        assert_eq!(means(0x2f, Some(0), none, 1), Mode::Uncertain);
        assert_eq!(means(0x2f, None, none, 1), Mode::Pure1eInit);
        assert_eq!(means(0xef, Some(1), none, 1), Mode::Uncertain);
        assert_eq!(means(0xef, Some(0), inheriting, 1), Mode::Pure1e);
        assert_eq!(means(0xef, Some(0), permitted, 0), Mode::Pure1eInit);
        assert_eq!(means(0xef, Some(0), none, 1), Mode::Pure1eInit);
        assert_eq!(means(0xef, Some(0), none, 0), Mode::NoPriv);
    }
}
