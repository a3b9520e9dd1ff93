//! An option table as the program carries it: one text, and what the rows do.
//!
//! The rows are written as structs and packed into a text by the compiler. A struct with its
//! strings would take a hundred bytes a row, and the start of a static PIE writes each pointer.

#![allow(clippy::panic, reason = "these are panics of the compiler: it evaluates this")]

use crate::table::{Argument, Row, Spec};

/// A row begins with the letter or a space, the mark of [`Argument`], and four ASCII characters: how long
/// the long names and the argument's name are, and the help, in 128s and ones.
const HEAD: usize = 6;

/// The names and helps of a table.
#[derive(Clone, Copy, Debug)]
pub struct Specs {
    /// For each row its [`HEAD`], the long names, the argument's name, the help. A row is left out by
    /// its lengths: to look for the marks of ends took half of what mount does before its first call.
    text: &'static str,
}

/// A table whose rows do an `S` each.
#[derive(Debug)]
pub struct Packed<S: 'static> {
    /// What can be said about the rows.
    pub specs: Specs,
    /// What they do, in the same order.
    pub stores: &'static [S],
}

/// Packs rows that are a constant: `static OPTIONS: Table<Options> = cli::table!(ROWS);`.
#[macro_export]
macro_rules! table {
    ($rows:expr) => {{
        const PACKED: [u8; $crate::packed::size($rows)] = $crate::packed::pack($rows);
        $crate::packed::Packed {
            specs: $crate::packed::Specs::new(&PACKED),
            stores: &$crate::packed::stores::<_, { $rows.len() }>($rows),
        }
    }};
}

impl<S> Packed<S> {
    /// The rows, and what each does.
    pub fn iter(&self) -> impl Iterator<Item = (Spec, &'static S)> {
        self.specs.iter().zip(self.stores)
    }
}

impl Specs {
    /// What [`pack`] made.
    pub const fn new(packed: &'static [u8]) -> Specs {
        match core::str::from_utf8(packed) {
            Ok(text) => Specs { text },
            Err(_) => panic!("strings are not made of text"),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The rows.
    pub fn iter(&self) -> Rows {
        Rows { rest: self.text }
    }
}

/// Goes through the rows of a table.
pub struct Rows {
    rest: &'static str,
}

impl Iterator for Rows {
    type Item = Spec;

    #[inline(never)]
    fn next(&mut self) -> Option<Spec> {
        let &[letter, mark, long, name, help_128s, help_ones] = self.rest.as_bytes().first_chunk::<HEAD>()?;
        let (_, rest) = self.rest.split_at_checked(HEAD)?;
        let (long, rest) = rest.split_at_checked(usize::from(long))?;
        let (name, rest) = rest.split_at_checked(usize::from(name))?;
        let (help, rest) = rest.split_at_checked(usize::from(help_128s) * 128 + usize::from(help_ones))?;
        self.rest = rest;
        let argument = match mark {
            b'=' => Argument::Required(name),
            b'?' => Argument::Optional(name),
            b'~' => Argument::OptionalLong(name),
            _ => Argument::None,
        };
        Some(Spec { short: (letter != b' ').then_some(char::from(letter)), long, argument, help })
    }
}

const fn mark(argument: Argument) -> (u8, &'static str) {
    match argument {
        Argument::None => (b'-', ""),
        Argument::Required(name) => (b'=', name),
        Argument::Optional(name) => (b'?', name),
        Argument::OptionalLong(name) => (b'~', name),
    }
}

/// The bytes that rows take when they are packed.
pub const fn size<S>(mut rows: &[Row<S>]) -> usize {
    let mut size = 0;
    while let [Row { spec, .. }, rest @ ..] = rows {
        let (_, name) = mark(spec.argument);
        size += HEAD + spec.long.len() + name.len() + spec.help.len();
        rows = rest;
    }
    size
}

/// Packs rows.
pub const fn pack<S, const SIZE: usize>(mut rows: &[Row<S>]) -> [u8; SIZE] {
    let mut packed = [0; SIZE];
    let mut room: &mut [u8] = &mut packed;
    while let [Row { spec, .. }, rest @ ..] = rows {
        let (mark, name) = mark(spec.argument);
        let letter = if let Some(letter) = spec.short { ascii(letter as usize) } else { b' ' };
        let help = spec.help.len();
        let lengths = [ascii(spec.long.len()), ascii(name.len()), ascii(help / 128), ascii(help % 128)];
        room = put(room, &[letter, mark]);
        room = put(room, &lengths);
        room = put(room, spec.long.as_bytes());
        room = put(room, name.as_bytes());
        room = put(room, spec.help.as_bytes());
        rows = rest;
    }
    packed
}

/// A byte of the text by itself.
const fn ascii(number: usize) -> u8 {
    if number >= 128 {
        panic!("a letter is not ASCII, or a name too long");
    }
    number as u8
}

const fn put<'a>(room: &'a mut [u8], bytes: &[u8]) -> &'a mut [u8] {
    let (here, after) = room.split_at_mut(bytes.len());
    here.copy_from_slice(bytes);
    after
}

/// What rows do.
pub const fn stores<S: Copy, const COUNT: usize>(rows: &[Row<S>]) -> [S; COUNT] {
    let [first, ..] = rows else { panic!("a table without rows") };
    let mut stores = [first.store; COUNT];
    let (mut rows, mut room) = (rows, stores.as_mut_slice());
    while let ([row, rest @ ..], [store, after @ ..]) = (rows, room) {
        *store = row.store;
        (rows, room) = (rest, after);
    }
    stores
}
