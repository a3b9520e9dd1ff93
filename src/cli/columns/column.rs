//! The columns that a command has, packed into a text by the compiler as the rows of an option table are.

#![allow(clippy::panic, reason = "these are panics of the compiler: it evaluates this")]

use crate::option::{ascii, put};

/// How the cells of a column are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Right-aligned, and bare in JSON.
    Number,
    /// Right-aligned text.
    Right,
    /// Left-aligned text.
    Left,
    /// Left-aligned text that is cut where the terminal ends.
    Cut,
    /// One or more texts with a NUL between them, one below the other.
    Lines,
    /// As [`Shape::Lines`], but an array in JSON, and on a line each wherever cells may be broken.
    Array,
    /// Right-aligned, and bare in JSON if sizes are shown in bytes.
    Size,
    /// Left-aligned text that is never cut: on a narrow terminal what follows it stands on the next line.
    Long,
    /// A path: as [`Shape::Long`], and a link where links are wanted.
    Path,
}

/// By their numbers.
const SHAPES: [Shape; 9] = [
    Shape::Number,
    Shape::Right,
    Shape::Left,
    Shape::Cut,
    Shape::Lines,
    Shape::Array,
    Shape::Size,
    Shape::Long,
    Shape::Path,
];

/// A column. Columns with the same name are the same.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    text: &'static str,
    /// How its cells are shown.
    pub shape: Shape,
    /// How wide it is at least, unless no cell is wider than the heading.
    pub roomy: u8,
}

impl Column {
    /// A column by its heading, in lower case its name in JSON, and behind a blank what it says.
    pub const fn new(text: &'static str, shape: Shape, roomy: u8) -> Column {
        Column { text, shape, roomy }
    }

    /// The heading.
    pub fn name(&self) -> &'static str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// Whether its cells may be wider than it is.
    pub(super) fn is_long(&self) -> bool {
        matches!(self.shape, Shape::Long | Shape::Path)
    }

    /// What it says.
    pub fn help(&self) -> &'static str {
        self.text.split_once(' ').unwrap_or_default().1
    }
}

/// A column begins with three ASCII characters: the number of its shape, its width, and the length of its text.
const HEAD: usize = 3;

/// All columns of a command. In structs each would have a pointer, which the start of a static PIE writes.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// For each column its [`HEAD`] and its text.
    text: &'static str,
}

/// Packs columns that are a constant: `static COLUMNS: Columns = cli::columns!(&[Column::new(...), ...]);`.
#[macro_export]
macro_rules! columns {
    ($columns:expr) => {{
        const PACKED: [u8; $crate::columns::size($columns)] = $crate::columns::pack($columns);
        $crate::columns::Columns::new(&PACKED)
    }};
}

impl Columns {
    /// What [`pack`] made.
    pub const fn new(packed: &'static [u8]) -> Columns {
        match core::str::from_utf8(packed) {
            Ok(text) => Columns { text },
            Err(_) => panic!("strings are not made of text"),
        }
    }

    /// The columns, in their order.
    pub fn iter(self) -> impl Iterator<Item = Column> {
        let mut rest = self.text;
        core::iter::from_fn(move || first(&mut rest))
    }

    /// The column with this index.
    pub fn get(self, index: usize) -> Option<Column> {
        self.iter().nth(index)
    }

    /// The columns with these indices.
    pub fn chosen(self, indices: &[usize]) -> Vec<Column> {
        let mut chosen = Vec::with_capacity(indices.len());
        for index in indices {
            chosen.extend(self.get(*index));
        }
        chosen
    }
}

/// Takes the first column off.
#[inline(never)]
fn first(rest: &mut &'static str) -> Option<Column> {
    let &[shape, roomy, length] = rest.as_bytes().first_chunk::<HEAD>()?;
    let (_, behind) = rest.split_at_checked(HEAD)?;
    let (text, behind) = behind.split_at_checked(usize::from(length))?;
    *rest = behind;
    Some(Column { text, shape: *SHAPES.get(usize::from(shape))?, roomy })
}

/// The bytes that columns take when they are packed.
pub const fn size(mut columns: &[Column]) -> usize {
    let mut size = 0;
    while let [column, rest @ ..] = columns {
        size += HEAD + column.text.len();
        columns = rest;
    }
    size
}

/// Packs columns.
pub const fn pack<const SIZE: usize>(mut columns: &[Column]) -> [u8; SIZE] {
    let mut packed = [0; SIZE];
    let mut room: &mut [u8] = &mut packed;
    while let [column, rest @ ..] = columns {
        room = put(room, &[column.shape as u8, ascii(column.roomy as usize), ascii(column.text.len())]);
        room = put(room, column.text.as_bytes());
        columns = rest;
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_they_were_packed_from() {
        static PACKED: Columns =
            crate::columns!(&[Column::new("NAME a name", Shape::Path, 36), Column::new("ID", Shape::Number, 0)]);
        let read: Vec<_> = PACKED.iter().map(|one| (one.name(), one.help(), one.shape, one.roomy)).collect();
        assert_eq!(read, [("NAME", "a name", Shape::Path, 36), ("ID", "", Shape::Number, 0)]);
        assert!(PACKED.get(2).is_none());
        assert!(SHAPES.iter().enumerate().all(|(number, shape)| *shape as usize == number));
    }
}
