//! Texts put together from strings and bytes: paths need not be UTF-8.

use linux::Errno;
use linux::caps::Cap;
use linux::credentials::{Gid, Pid, Uid};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Something that can stand in a message.
pub trait Piece {
    /// What it is made of.
    fn value(&self) -> Value<'_>;
}

/// What a message puts in the place of a piece.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// This number.
    Signed(i64),
    /// This number.
    Unsigned(u64),
    /// The text of this error.
    Errno(Errno),
}

impl Value<'_> {
    /// Adds its bytes to `text`.
    pub fn append(self, text: &mut Vec<u8>) {
        match self {
            Value::Bytes(bytes) => text.extend_from_slice(bytes),
            Value::Signed(number) => text.extend_from_slice(number.to_string().as_bytes()),
            Value::Unsigned(number) => text.extend_from_slice(number.to_string().as_bytes()),
            Value::Errno(errno) => text.extend_from_slice(errno.to_string().as_bytes()),
        }
    }
}

macro_rules! pieces {
    ($($type:ty: $self:ident => $value:expr;)*) => {
        $(impl Piece for $type {
            #[inline(always)]
            fn value(&self) -> Value<'_> {
                let $self = self;
                $value
            }
        })*
    };
}

pieces! {
    str: it => Value::Bytes(it.as_bytes());
    String: it => Value::Bytes(it.as_bytes());
    OsStr: it => Value::Bytes(it.as_bytes());
    OsString: it => Value::Bytes(it.as_bytes());
    [u8]: it => Value::Bytes(it);
    Vec<u8>: it => Value::Bytes(it);
    Errno: it => Value::Errno(*it);
    Cap: it => Value::Unsigned(u64::from(it.0));
    Pid: it => Value::Signed(i64::from(it.0));
    Uid: it => Value::Unsigned(u64::from(it.0));
    Gid: it => Value::Unsigned(u64::from(it.0));
    u8: it => Value::Unsigned(u64::from(*it));
    i32: it => Value::Signed(i64::from(*it));
    u32: it => Value::Unsigned(u64::from(*it));
    i64: it => Value::Signed(*it);
    u64: it => Value::Unsigned(*it);
    usize: it => Value::Unsigned(*it as u64);
}

impl<T: Piece + ?Sized> Piece for &T {
    #[inline(always)]
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

/// Replaces each character from `start` on that a terminal would obey rather than show by a question mark: names that
/// others chose (of files, processes, mount points) may contain such.
pub fn disarm(text: &mut Vec<u8>, start: usize) {
    let shown = text.get(start..).unwrap_or_default();
    if shown.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return;
    }
    for chunk in text.split_off(start).utf8_chunks() {
        for character in chunk.valid().chars() {
            let shown = if character.is_control() { '?' } else { character };
            text.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
        }
        // Bytes that are not UTF-8: a Latin-1 terminal takes these for control characters.
        text.extend(chunk.invalid().iter().map(|byte| if (0x80..0xa0).contains(byte) { b'?' } else { *byte }));
    }
}

/// A text without values.
#[cold]
#[inline(never)]
pub fn literal(text: &str) -> Vec<u8> {
    text.into()
}

/// Adds all of these to a text. Not `extend`, which is a loop of its own for each number of them.
#[cold]
#[inline(never)]
pub fn push_all(text: &mut String, parts: &[&str]) {
    for part in parts {
        text.push_str(part);
    }
}

/// The template with a value in the place of each NUL. Out of line: messages are many and cold.
#[cold]
#[inline(never)]
pub fn join(template: &str, values: &[Value<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    join_to(&mut text, template, values);
    text
}

/// [`join`] at the end of a text.
#[cold]
#[inline(never)]
pub fn join_to(text: &mut Vec<u8>, template: &str, values: &[Value<'_>]) {
    let mut values = values.iter();
    for (index, literal) in template.split('\0').enumerate() {
        if index > 0
            && let Some(value) = values.next()
        {
            value.append(text);
        }
        text.extend_from_slice(literal.as_bytes());
    }
}

/// The template with the pieces in the places that name them, `{0}` to `{9}`. Where many messages share their pieces
/// it takes less code than [`crate::text!`].
#[cold]
#[inline(never)]
pub fn fill(template: &str, pieces: &[&dyn Piece]) -> Vec<u8> {
    let mut filled = Vec::new();
    let mut rest = template.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let place = match (first, after) {
            (b'{', [digit @ b'0'..=b'9', b'}', after @ ..]) => pieces.get(usize::from(digit - b'0')).zip(Some(after)),
            _ => None,
        };
        match place {
            Some((piece, after)) => {
                piece.value().append(&mut filled);
                rest = after;
            }
            None => filled.push(*first),
        }
    }
    filled
}

/// The pieces, one after another: `text!["cannot open ", path, ": ", errno]`. The literals among them
/// become one template, since each value costs thirty bytes of code.
#[macro_export]
macro_rules! text {
    (@ ($call:path $(, $first:expr)?) [$($template:literal)*] [$($value:expr)*]) => {
        $call($($first,)? concat!($($template),*), &[$($crate::text::Piece::value(&$value)),*])
    };
    (@ $call:tt [$($template:literal)*] [$($value:expr)*] $literal:literal $(, $($rest:tt)*)?) => {
        $crate::text!(@ $call [$($template)* $literal] [$($value)*] $($($rest)*)?)
    };
    (@ $call:tt [$($template:literal)*] [$($value:expr)*] $next:expr $(, $($rest:tt)*)?) => {
        $crate::text!(@ $call [$($template)* "\0"] [$($value)* $next] $($($rest)*)?)
    };
    ($literal:literal $(,)?) => {
        $crate::text::literal($literal)
    };
    ($($piece:tt)*) => {
        $crate::text!(@ ($crate::text::join) [] [] $($piece)*)
    };
}

/// Adds pieces to the end of a text, as [`text!`](crate::text!) puts them together: `add!(&mut line, "=", value)`.
#[macro_export]
macro_rules! add {
    ($text:expr, $($piece:tt)*) => {
        $crate::text!(@ ($crate::text::join_to, $text) [] [] $($piece)*)
    };
}

#[cfg(test)]
mod tests {
    use super::disarm;
    use std::ffi::OsStr;

    #[test]
    fn what_a_terminal_would_obey_is_disarmed_and_text_stays() {
        let disarmed = |bytes: &[u8]| {
            let mut text = [b"\x1b", bytes].concat();
            disarm(&mut text, 1);
            text.split_off(1)
        };
        assert_eq!(disarmed(b"a\x1b[2Jb\x07\n\r\x7f\t"), b"a?[2Jb?????");
        assert_eq!(disarmed("é À \u{9b}31m \u{2019}".as_bytes()), "é À ?31m \u{2019}".as_bytes());
        assert_eq!(disarmed(b"\x9b31m \xff"), b"?31m \xff");
    }

    #[test]
    fn literals_and_values_come_in_the_order_they_are_written() {
        let path = OsStr::new("a\0b");
        assert_eq!(text!["cannot open ", path, ": ", 7_u32, path], b"cannot open a\0b: 7a\0b");
        assert_eq!(text![path], b"a\0b");
        assert_eq!(text!["only ", "literals",], b"only literals");
    }
}
