//! The text of a capability state: cap_from_text(3), cap_to_text(3).
//!
//! Parsing accepts all that libcap accepts. Printing gives the canonical form of libcap 2.41 and later, or the older
//! form of libcap up to 2.28.

use super::name::{name_length, push_list};
use super::{CapSet, NAMED, Sets, TextError, TextErrorKind, read_item};
use crate::number::is_space;

/// Effective, permitted, inheritable as the bits 0, 1, 2 of a number from 0 to 7.
type Triple = u8;
const E: Triple = 1;
const P: Triple = 2;
const I: Triple = 4;

/// Reads a text. `count` is how many capabilities `all` and an absent list stand for.
///
/// ```
/// use linux::caps::{Cap, CapSet, parse, print};
/// let sets = parse(b"cap_setuid=ep", 41).expect("a text");
/// assert_eq!((sets.effective, sets.inheritable), (CapSet::of(Cap::SETUID), CapSet::EMPTY));
/// assert_eq!(print(&sets, 41), "cap_setuid=ep");
/// assert_eq!(parse(b"cap_setuid", 41).map_err(|error| error.offset), Err(10));
/// ```
pub fn parse(text: &[u8], count: u8) -> Result<Sets, TextError> {
    let mut reader = Reader { text, at: 0, count };
    let mut sets = Sets::default();
    loop {
        while reader.peek().is_some_and(is_space) {
            reader.at += 1;
        }
        if reader.peek().is_none() {
            return Ok(sets);
        }
        reader.clause(&mut sets)?;
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    count: u8,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn at_end(&self) -> bool {
        self.peek().is_none_or(is_space)
    }

    fn error<T>(&self, kind: TextErrorKind, length: usize) -> Result<T, TextError> {
        Err(TextError { offset: self.at, length, kind })
    }

    /// The error for the current position: `missing` at the end of the clause, otherwise `wrong` for the byte that
    /// stands there.
    fn wrong<T>(&self, wrong: TextErrorKind, missing: TextErrorKind) -> Result<T, TextError> {
        if self.at_end() { self.error(missing, 0) } else { self.error(wrong, 1) }
    }

    fn clause(&mut self, sets: &mut Sets) -> Result<(), TextError> {
        let list = match self.peek() {
            Some(b'=' | b'+' | b'-') => None,
            _ => Some(self.list()?),
        };
        let set = list.unwrap_or(CapSet::first(self.count));
        let mut first = true;
        loop {
            let operator = match self.peek() {
                Some(b'=') if first => b'=',
                Some(b'=') => return self.error(TextErrorKind::SecondEquals, 1),
                Some(b'+' | b'-') if list.is_none() => return self.error(TextErrorKind::NoList, 1),
                Some(operator @ (b'+' | b'-')) => operator,
                _ if first => return self.wrong(TextErrorKind::NoOperator, TextErrorKind::NoOperator),
                _ if self.at_end() => return Ok(()),
                _ => return self.error(TextErrorKind::UnknownFlag, 1),
            };
            first = false;
            self.at += 1;
            if operator == b'=' {
                apply(sets, set, E | P | I, false);
            }
            let flags = self.flags();
            if flags == 0 {
                match self.peek() {
                    _ if operator == b'=' && self.at_end() => return Ok(()),
                    Some(b'+' | b'-') if operator == b'=' => continue,
                    _ => return self.wrong(TextErrorKind::UnknownFlag, TextErrorKind::NoFlags),
                }
            }
            apply(sets, set, flags, operator != b'-');
        }
    }

    fn list(&mut self) -> Result<CapSet, TextError> {
        let mut set = CapSet::EMPTY;
        loop {
            let length = name_length(self.rest());
            if self.rest().get(..length).is_some_and(|name| name.eq_ignore_ascii_case(b"all")) {
                // `all` replaces the list so far, as in libcap: capabilities beyond the kernel's last one are lost.
                set = CapSet::first(self.count);
                self.at += length;
            } else {
                match read_item(self.rest()) {
                    Ok((capability, length)) => {
                        set |= CapSet::of(capability);
                        self.at += length;
                    }
                    Err((TextErrorKind::EmptyItem, _))
                        if !self.at_end() && !matches!(self.peek(), Some(b',' | b'=' | b'+' | b'-')) =>
                    {
                        return self.error(TextErrorKind::Unexpected, 1);
                    }
                    Err((kind, length)) => return self.error(kind, length),
                }
            }
            if self.peek() != Some(b',') {
                return Ok(set);
            }
            self.at += 1;
        }
    }

    fn flags(&mut self) -> Triple {
        let mut flags = 0;
        loop {
            flags |= match self.peek() {
                Some(b'e') => E,
                Some(b'p') => P,
                Some(b'i') => I,
                _ => return flags,
            };
            self.at += 1;
        }
    }
}

fn apply(sets: &mut Sets, set: CapSet, flags: Triple, raise: bool) {
    for (flag, target) in [(E, &mut sets.effective), (P, &mut sets.permitted), (I, &mut sets.inheritable)] {
        if flags & flag != 0 {
            if raise {
                *target |= set;
            } else {
                *target &= !set;
            }
        }
    }
}

/// The members of `within` whose triple is this.
fn having(sets: &Sets, triple: Triple, within: CapSet) -> CapSet {
    let pick = |flag, set: CapSet| if triple & flag != 0 { set } else { !set };
    pick(E, sets.effective) & pick(P, sets.permitted) & pick(I, sets.inheritable) & within
}

/// The triple that most of `within` have; of equals the smallest.
fn commonest(sets: &Sets, within: CapSet) -> Triple {
    let mut best = (0, 0);
    for triple in 0..8 {
        let count = having(sets, triple, within).len();
        if count > best.1 {
            best = (triple, count);
        }
    }
    best.0
}

fn push_letters(out: &mut String, triple: Triple) {
    for (flag, letter) in [(E, 'e'), (I, 'i'), (P, 'p')] {
        if triple & flag != 0 {
            out.push(letter);
        }
    }
}

fn push_difference(out: &mut String, triple: Triple, base: Triple) {
    for (sign, flags) in [('+', triple & !base), ('-', base & !triple)] {
        if flags != 0 {
            out.push(sign);
            push_letters(out, flags);
        }
    }
}

/// The canonical text; `count` is how many capabilities the kernel has.
pub fn print(sets: &Sets, count: u8) -> String {
    let known = CapSet::first(count);
    let base = commonest(sets, known);
    let mut out = String::from("=");
    push_letters(&mut out, base);
    for triple in (0..8).rev().filter(|triple| *triple != base) {
        let set = having(sets, triple, known);
        if set.is_empty() {
            continue;
        }
        if out == "=" {
            // With nothing as the base, the first group needs no base before it.
            out.clear();
            push_list(&mut out, set);
            out.push('=');
            push_letters(&mut out, triple);
        } else {
            out.push(' ');
            push_list(&mut out, set);
            push_difference(&mut out, triple, base);
        }
    }
    for triple in (1..8).rev() {
        let set = having(sets, triple, !known);
        if !set.is_empty() {
            out.push(' ');
            push_list(&mut out, set);
            push_difference(&mut out, triple, 0);
        }
    }
    out
}

/// The text as libcap printed it up to 2.28 (2019), e.g. `= cap_net_bind_service+ep`. The capabilities without a name
/// give the base; every difference from it is spelt out.
///
/// ```
/// use linux::caps::{Sets, print_classic};
/// assert_eq!(print_classic(&Sets::default()), "=");
/// ```
pub fn print_classic(sets: &Sets) -> String {
    let base = commonest(sets, !CapSet::first(NAMED));
    let mut out = String::from("=");
    push_letters(&mut out, base);
    for triple in (0..8).rev().filter(|triple| *triple != base) {
        let set = having(sets, triple, CapSet::FULL);
        if !set.is_empty() {
            out.push(' ');
            push_list(&mut out, set);
            push_difference(&mut out, triple, base);
        }
    }
    out
}

#[cfg(test)]
mod tests;
