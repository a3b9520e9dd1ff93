//! Texts put together from strings and bytes: paths need not be UTF-8.

use linux::Errno;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Something that can stand in a message.
pub trait Piece {
    /// Adds its bytes to `text`.
    fn append(&self, text: &mut Vec<u8>);
}

macro_rules! pieces {
    ($($type:ty: $self:ident => $bytes:expr;)*) => {
        $(impl Piece for $type {
            fn append(&self, text: &mut Vec<u8>) {
                let $self = self;
                text.extend_from_slice(AsRef::<[u8]>::as_ref(&$bytes));
            }
        })*
    };
}

pieces! {
    str: it => it.as_bytes();
    String: it => it.as_bytes();
    OsStr: it => it.as_bytes();
    OsString: it => it.as_bytes();
    [u8]: it => it;
    Vec<u8>: it => it;
    Errno: it => it.to_string();
    u8: it => it.to_string();
    i32: it => it.to_string();
    u32: it => it.to_string();
    i64: it => it.to_string();
    u64: it => it.to_string();
    usize: it => it.to_string();
}

impl<T: Piece + ?Sized> Piece for &T {
    fn append(&self, text: &mut Vec<u8>) {
        (**self).append(text);
    }
}

/// The template with a value in the place of each NUL. Out of line and by reference to the trait:
/// messages are many and cold.
#[cold]
#[inline(never)]
pub fn join(template: &str, values: &[&dyn Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut values = values.iter();
    for (index, literal) in template.split('\0').enumerate() {
        if index > 0
            && let Some(value) = values.next()
        {
            value.append(&mut text);
        }
        text.extend_from_slice(literal.as_bytes());
    }
    text
}

/// The pieces, one after another: `text!["cannot open ", path, ": ", errno]`. The literals among them
/// become one template, since each value costs thirty bytes of code.
#[macro_export]
macro_rules! text {
    (@ [$($template:literal)*] [$($value:expr)*]) => {
        $crate::text::join(concat!($($template),*), &[$(&$value as &dyn $crate::text::Piece),*])
    };
    (@ [$($template:literal)*] [$($value:expr)*] $literal:literal $(, $($rest:tt)*)?) => {
        $crate::text!(@ [$($template)* $literal] [$($value)*] $($($rest)*)?)
    };
    (@ [$($template:literal)*] [$($value:expr)*] $next:expr $(, $($rest:tt)*)?) => {
        $crate::text!(@ [$($template)* "\0"] [$($value)* $next] $($($rest)*)?)
    };
    ($($piece:tt)*) => {
        $crate::text!(@ [] [] $($piece)*)
    };
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    #[test]
    fn literals_and_values_come_in_the_order_they_are_written() {
        let path = OsStr::new("a\0b");
        assert_eq!(text!["cannot open ", path, ": ", 7_u32, path], b"cannot open a\0b: 7a\0b");
        assert_eq!(text![path], b"a\0b");
        assert_eq!(text!["only ", "literals",], b"only literals");
    }
}
