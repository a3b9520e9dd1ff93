//! Texts of capabilities as users see them: which of libcap's two forms is printed, and how they are read.

use crate::{Invocation, add, text};
use linux::caps::{self, Cap, Iab, Sets, TextError, TextErrorKind};
use linux::environment::variable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

/// Whether the output of libcap of the years up to 2019 is asked for: `CTRBOX_CAPS_TEXT=classic`. It is looked up once.
pub fn is_classic() -> bool {
    static CLASSIC: OnceLock<bool> = OnceLock::new();
    *CLASSIC.get_or_init(|| variable("CTRBOX_CAPS_TEXT").is_some_and(|value| value == "classic"))
}

/// The text of a capability state, in the form that is asked for.
pub fn print(sets: &Sets) -> String {
    if is_classic() { caps::print_classic(sets) } else { caps::print(sets, caps::count()) }
}

/// The capabilities of a process with its IAB tuple, as getpcaps and captree print them behind its name: what is empty, or
/// said already by the first text, is left out unless it is asked for whole.
pub fn print_with_iab(sets: &Sets, iab: &Iab, whole: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let shown = print(sets);
    if whole || shown != "=" {
        add!(&mut out, " \"", shown, "\"");
    }
    if whole || !(iab.ambient | iab.blocked).is_empty() {
        add!(&mut out, " [", iab.print(caps::count()), "]");
    }
    out
}

/// What `--license` prints: two lines, as libcap's tools do.
pub fn license(invocation: &Invocation<'_>) -> Vec<u8> {
    text![invocation.name(), " is part of ctrbox, ", env!("CARGO_PKG_VERSION"), "\nLicensed under MIT OR Apache-2.0\n"]
}

/// Reads a text: cap_from_text(3) on this kernel.
pub fn parse(text: &[u8]) -> Result<Sets, TextError> {
    caps::parse(text, caps::count())
}

/// A list as it is before the flags of the last name: scripts hand on texts such as `cap_chown,cap_kill=eip`. `-` and its
/// flags stay, since they would take away.
pub fn without_flags(list: &[u8]) -> &[u8] {
    let mut rest = list;
    while let Some((last, before)) = rest.split_last() {
        match last {
            b'=' | b'+' => return before,
            b'e' | b'i' | b'p' => rest = before,
            _ => break,
        }
    }
    list
}

/// Reads one name or number, with nothing after it but flags.
pub fn parse_one(text: &OsStr) -> Result<Cap, TextError> {
    let text = without_flags(text.as_bytes());
    match caps::read_item(text) {
        Ok((capability, length)) if length == text.len() => Ok(capability),
        Ok((_, length)) => {
            Err(TextError { offset: length, length: text.len() - length, kind: TextErrorKind::Unexpected })
        }
        Err((TextErrorKind::EmptyItem, _)) if !text.is_empty() => {
            Err(TextError { offset: 0, length: 1, kind: TextErrorKind::Unexpected })
        }
        Err((kind, length)) => Err(TextError { offset: 0, length, kind }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_capability_has_nothing_after_it() {
        assert_eq!(parse_one(OsStr::new("cap_kill")), Ok(Cap(5)));
        assert_eq!(parse_one(OsStr::new("12abc")).map_err(|error| error.offset), Err(2));
        assert_eq!(parse_one(OsStr::new("cap_kill-p")).map_err(|error| error.offset), Err(8));
        assert_eq!(parse_one(OsStr::new("cap_kill=eip x")).map_err(|error| error.offset), Err(8));
        for taken in ["cap_kill+p", "cap_kill=eip", "CAP_KILL=", "5=ep"] {
            assert_eq!(parse_one(OsStr::new(taken)), Ok(Cap(5)), "{taken}");
        }
        for wrong in ["", "=", "+eip", "eip", "cap_kill=e+p"] {
            assert!(parse_one(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
