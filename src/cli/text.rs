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

/// Puts pieces together. Out of line and by reference to the trait: messages are many and cold.
#[cold]
#[inline(never)]
pub fn join(pieces: &[&dyn Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        piece.append(&mut text);
    }
    text
}

/// The pieces, one after another: `text!["cannot open ", path, ": ", errno]`.
#[macro_export]
macro_rules! text {
    ($($piece:expr),* $(,)?) => {
        $crate::text::join(&[$(&$piece as &dyn $crate::text::Piece),*])
    };
}
