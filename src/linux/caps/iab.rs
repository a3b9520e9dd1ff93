//! The IAB tuple, inheritable, ambient and blocked ("not bounding") capabilities: cap_iab(3).

use super::{Cap, CapSet, Own, Sets, TextError, TextErrorKind, name, process, read_item};
use crate::credentials::Pid;
use crate::{Errno, Error, Result};

/// The three vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Iab {
    /// The inheritable set.
    pub inheritable: CapSet,
    /// The ambient set.
    pub ambient: CapSet,
    /// What is not in the bounding set.
    pub blocked: CapSet,
}

/// Reads the text of a tuple: capabilities joined by commas, each after any of `!` (block),
/// `^` (ambient and inheritable) and `%` (inheritable, also meant by no prefix).
///
/// Prefixes must have a capability after them; libcap ignores them at the end of the text.
///
/// ```
/// let iab = linux::caps::parse_iab(b"^cap_kill,!cap_chown").expect("a tuple");
/// assert_eq!(iab.print(41), "!cap_chown,^cap_kill");
/// ```
pub fn parse_iab(text: &[u8]) -> core::result::Result<Iab, TextError> {
    let mut iab = Iab::default();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let prefixes = rest.iter().take_while(|byte| matches!(byte, b'!' | b'^' | b'%')).count();
        let (prefixes, rest) = rest.split_at_checked(prefixes).unwrap_or_default();
        at += prefixes.len();
        let (capability, length) = read_item(rest).map_err(|(kind, length)| match rest.first() {
            Some(byte) if length == 0 && *byte != b',' => {
                TextError { offset: at, length: 1, kind: TextErrorKind::Unexpected }
            }
            _ => TextError { offset: at, length, kind },
        })?;
        at += length;
        match text.get(at) {
            None => {}
            Some(b',') => at += 1,
            Some(_) => return Err(TextError { offset: at, length: 1, kind: TextErrorKind::Unexpected }),
        }
        iab.add(prefixes, CapSet::of(capability));
    }
    Ok(iab)
}

impl Iab {
    fn add(&mut self, prefixes: &[u8], capability: CapSet) {
        if prefixes.is_empty() {
            self.inheritable |= capability;
        }
        for prefix in prefixes {
            match prefix {
                b'!' => self.blocked |= capability,
                b'^' => {
                    self.ambient |= capability;
                    self.inheritable |= capability;
                }
                _ => self.inheritable |= capability,
            }
        }
    }

    /// The text; `count` is how many capabilities the kernel has.
    pub fn print(&self, count: u8) -> String {
        let mut out = String::new();
        let told = (self.inheritable | self.ambient | self.blocked) & CapSet::first(count);
        for capability in told.members() {
            if !out.is_empty() {
                out.push(',');
            }
            let blocked = self.blocked.has(capability);
            if blocked {
                out.push('!');
            }
            if self.ambient.has(capability) {
                out.push('^');
            } else if blocked && self.inheritable.has(capability) {
                out.push('%');
            }
            out.push_str(&name(capability));
        }
        out
    }

    /// Ours.
    pub fn of_self() -> Result<Iab> {
        Ok(Iab::of(&Own::read()?))
    }

    /// Ours, from the sets.
    pub fn of(own: &Own) -> Iab {
        Iab {
            inheritable: own.sets.inheritable,
            ambient: own.ambient.unwrap_or_default(),
            blocked: CapSet::first(own.count) & !own.bounding,
        }
    }

    /// Makes this tuple the process's: the inheritable and ambient sets become exactly those listed, and the blocked
    /// capabilities are dropped from the bounding set, which cannot be undone.
    ///
    /// CAP_SETPCAP is raised for the duration where the kernel asks for it. A refusal that can be foreseen is returned
    /// before anything is changed.
    pub fn set(&self) -> Result<()> {
        let before = process::get(Pid::SELF)?;
        let count = process::count();
        let to_drop = self.blocked & process::bounding(count)?;
        let gains = self.inheritable & !(before.inheritable | before.permitted);
        let mut working = Sets { inheritable: self.inheritable, ..before };
        if !to_drop.is_empty() || !gains.is_empty() {
            if !before.permitted.has(Cap::SETPCAP) {
                return Err(Error::new("capset", "", Errno::EPERM));
            }
            if !before.effective.has(Cap::SETPCAP) {
                // A capset(2) of its own: the kernel checks the capabilities that were effective before the call, not
                // the new ones.
                process::set(&Sets { effective: before.effective | CapSet::of(Cap::SETPCAP), ..before })?;
            }
            working.effective |= CapSet::of(Cap::SETPCAP);
        }
        let result = self.set_vectors(before, working, to_drop);
        let after = Sets { inheritable: process::get(Pid::SELF)?.inheritable, ..before };
        if working.effective != before.effective {
            process::set(&after)?;
        }
        result
    }

    fn set_vectors(&self, before: Sets, working: Sets, to_drop: CapSet) -> Result<()> {
        // As in the other two vectors, what the kernel does not have is left out.
        let ambient = self.ambient & CapSet::first(process::count());
        if !ambient.is_empty() && (!(ambient & !before.permitted).is_empty() || !process::may_raise_ambient()) {
            return Err(Error::new("prctl", "", Errno::EPERM));
        }
        if working != before {
            process::set(&working)?;
        }
        if !process::ambient()?.is_empty() {
            process::clear_ambient()?;
        }
        let told = ambient | to_drop;
        for capability in (0..64).rev().map(Cap).filter(|capability| told.has(*capability)) {
            if ambient.has(capability) {
                process::raise_ambient(capability)?;
            }
            if to_drop.has(capability) {
                process::drop_bounding(capability)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<String, (usize, TextErrorKind)> {
        parse_iab(text.as_bytes()).map(|iab| iab.print(41)).map_err(|error| (error.offset, error.kind))
    }

    #[test]
    fn each_capability_has_its_prefixes_in_any_order() {
        for (text, printed) in [
            ("", ""),
            ("cap_chown", "cap_chown"),
            ("%cap_chown", "cap_chown"),
            ("^CAP_CHOWN", "^cap_chown"),
            ("!cap_chown", "!cap_chown"),
            ("%!cap_chown", "!%cap_chown"),
            ("!^!cap_chown", "!^cap_chown"),
            ("cap_kill,!cap_chown,cap_chown", "!%cap_chown,cap_kill"),
            ("0,0x5,", "cap_chown,cap_kill"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn an_error_says_where_and_what() {
        use TextErrorKind::*;
        for (text, offset, kind) in [
            ("!", 1, EmptyItem),
            ("cap_chown,^", 11, EmptyItem),
            (",cap_chown", 0, EmptyItem),
            ("cap_chown,,cap_kill", 10, EmptyItem),
            ("cap_chown cap_kill", 9, Unexpected),
            (" cap_chown", 0, Unexpected),
            ("cap_chown+p", 9, Unexpected),
            ("all", 0, UnknownName),
            ("64", 0, NumberTooLarge),
        ] {
            assert_eq!(read(text), Err((offset, kind)), "{text}");
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same_tuple() {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            seed ^ (seed >> 29)
        };
        for _ in 0..4_000 {
            let ambient = next() & next();
            let iab = Iab {
                inheritable: CapSet(next() | ambient),
                ambient: CapSet(ambient),
                blocked: CapSet(next() & next()),
            };
            assert_eq!(parse_iab(iab.print(64).as_bytes()), Ok(iab));
        }
    }
}
