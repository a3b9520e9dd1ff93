//! An option table as the program carries it: one text, and what the rows do.
//!
//! The rows are written as structs and packed into a text by the compiler. A struct with its
//! strings would take a hundred bytes a row, and the start of a static PIE writes each pointer.

#![allow(clippy::panic, reason = "these are panics of the compiler: it evaluates this")]

use crate::table::{Argument, Row, Spec};

/// The names and helps of a table.
#[derive(Clone, Copy, Debug)]
pub struct Specs {
    /// For each row: the letter or a space, the mark of [`Argument`], the long names, a tab,
    /// the argument's name, a tab, the help, NUL.
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
        let (row, rest) = self.rest.split_once('\0')?;
        self.rest = rest;
        unpack(row)
    }
}

fn unpack(row: &'static str) -> Option<Spec> {
    let mut characters = row.chars();
    let letter = characters.next()?;
    let mark = characters.next()?;
    let (long, rest) = characters.as_str().split_once('\t')?;
    let (name, help) = rest.split_once('\t')?;
    let argument = match mark {
        '=' => Argument::Required(name),
        '?' => Argument::Optional(name),
        '~' => Argument::OptionalLong(name),
        _ => Argument::None,
    };
    Some(Spec { short: (letter != ' ').then_some(letter), long, argument, help })
}

const fn mark(argument: Argument) -> (&'static str, &'static str) {
    match argument {
        Argument::None => ("-", ""),
        Argument::Required(name) => ("=", name),
        Argument::Optional(name) => ("?", name),
        Argument::OptionalLong(name) => ("~", name),
    }
}

/// The bytes that rows take when they are packed.
pub const fn size<S>(mut rows: &[Row<S>]) -> usize {
    let mut size = 0;
    while let [Row { spec, .. }, rest @ ..] = rows {
        let (mark, name) = mark(spec.argument);
        let letter = if let Some(letter) = spec.short { letter.len_utf8() } else { 1 };
        size += letter + mark.len() + spec.long.len() + 1 + name.len() + 1 + spec.help.len() + 1;
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
        let mut letter = [0; 4];
        let letter: &str = (if let Some(letter) = spec.short { letter } else { ' ' }).encode_utf8(&mut letter);
        room = put(room, letter);
        room = put(room, mark);
        room = put(room, spec.long);
        room = put(room, "\t");
        room = put(room, name);
        room = put(room, "\t");
        room = put(room, spec.help);
        room = put(room, "\0");
        rows = rest;
    }
    packed
}

const fn put<'a>(room: &'a mut [u8], text: &str) -> &'a mut [u8] {
    let (here, after) = room.split_at_mut(text.len());
    here.copy_from_slice(text.as_bytes());
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
