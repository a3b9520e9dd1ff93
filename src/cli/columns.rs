//! Rows and columns as a table, a tree, raw words or JSON: what libsmartcols(3) does for util-linux's
//! commands that list things, in the same shapes.

mod cell;
mod column;
pub mod describe;
mod fields;
pub mod filter;
mod json;
mod lex;
mod narrow;

pub use column::{Column, Columns, Shape, pack, size};
pub use fields::{device_numbers, fields};
pub use json::json_string;

use crate::Output;
use crate::quote::is_utf8_locale;
use cell::{joined, link, measure, show};
use json::Json;
use narrow::{Wide, narrow};
use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// What is in a cell; `None` is JSON's null, and empty elsewhere.
pub type Cell = Option<Vec<u8>>;

/// What is to be printed.
#[derive(Debug)]
pub struct Listing {
    /// What JSON calls the list.
    pub name: &'static str,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The cells, row after row.
    pub cells: Vec<Cell>,
    /// The parent row of each row, if the table is a tree.
    pub parents: Vec<Option<usize>>,
    /// The name of the column in which the tree is drawn. If it is not shown, the rows are printed as a plain list.
    pub tree: &'static str,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// In columns.
    #[default]
    Aligned,
    /// With one blank between the cells, and none in them.
    Raw,
    /// As JSON.
    Json,
    /// As `NAME="value"`.
    Pairs,
}

/// Whether the rows of a table are printed at once or one after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stream {
    /// All are in this table.
    #[default]
    No,
    /// These are the first of several.
    First,
    /// Others were printed before these.
    Further,
}

/// The details of how a table is printed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Its form.
    pub form: Form,
    /// Without the line of headings.
    pub no_headings: bool,
    /// The lines of a cell are joined.
    pub one_line: bool,
    /// How wide the terminal is, if it is one.
    pub width: Option<usize>,
    /// Columns of [`Shape::Cut`] are cut at the terminal's edge.
    pub cut: bool,
    /// A tree is drawn in ASCII.
    pub ascii: bool,
    /// The names of columns can be those of shell variables.
    pub shell: bool,
    /// Sizes are in bytes.
    pub bytes: bool,
    /// Paths are links of a terminal (OSC 8).
    pub links: bool,
    /// Whether rows are printed as they come.
    pub stream: Stream,
}

/// A row's place in the tree.
struct Node {
    row: usize,
    depth: usize,
    /// Nothing follows it on its level.
    last: bool,
}

impl Listing {
    /// Prints the table. Without rows nothing is printed, but an empty list in JSON.
    pub fn print(&self, style: Style, output: &mut Output) {
        let nodes = self.nodes();
        match style.form {
            Form::Json => self.print_json(&nodes, style, output),
            _ if nodes.is_empty() => {}
            _ => self.print_lines(&nodes, style, output),
        }
    }

    fn is_tree(&self, column: &Column) -> bool {
        column.name() == self.tree
    }

    fn row(&self, row: usize) -> &[Cell] {
        let count = self.columns.len();
        self.cells.get(row * count..(row + 1) * count).unwrap_or_default()
    }

    /// The rows in the order of the tree, or as they are if it is not shown.
    fn nodes(&self) -> Vec<Node> {
        let count = self.parents.len();
        let is_tree = self.columns.iter().any(|column| self.is_tree(column));
        // For each row its first child; the last element is the first root.
        let mut first = vec![None; count + 1];
        let mut next = vec![None; count];
        for (row, parent) in self.parents.iter().enumerate().rev() {
            let head = first.get_mut(parent.filter(|_| is_tree).unwrap_or(count));
            if let (Some(head), Some(next)) = (head, next.get_mut(row)) {
                *next = head.replace(row);
            }
        }
        let mut nodes = Vec::with_capacity(count);
        let mut above: Vec<usize> = Vec::new();
        let mut at = first.get(count).copied().flatten();
        loop {
            while let Some(row) = at {
                let last = next.get(row).is_none_or(Option::is_none);
                nodes.push(Node { row, depth: above.len(), last });
                above.push(row);
                at = first.get(row).copied().flatten();
            }
            let Some(row) = above.pop() else { return nodes };
            at = next.get(row).copied().flatten();
        }
    }

    fn print_lines(&self, nodes: &[Node], style: Style, output: &mut Output) {
        let utf8 = is_utf8_locale();
        let broken = style.form == Form::Aligned;
        let (pairs, raw) = (style.form == Form::Pairs, style.form == Form::Raw);
        let links = if style.links && broken { linux::system::host_name() } else { OsString::new() };
        // As they are printed: cells, line after line.
        let mut shown: Vec<Cow<'_, [u8]>> = Vec::with_capacity(self.cells.len());
        // For each line what of the tree leads past it, where a cell may be wider than its column.
        let mut stems: Vec<Vec<u8>> = Vec::new();
        // For each level from below the roots down to the row, whether no sibling follows.
        let mut last: Vec<bool> = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            last.truncate(node.depth.saturating_sub(1));
            if node.depth > 0 {
                last.push(node.last);
            }
            let has_children = nodes.get(index + 1).is_some_and(|next| next.depth > node.depth);
            let mut line = 0;
            let mut more = true;
            let is_utf8 = utf8 && !style.ascii;
            while more {
                more = false;
                for (column, cell) in self.columns.iter().zip(self.row(node.row)) {
                    let cell = cell.as_deref().unwrap_or_default();
                    let is_array = column.shape == Shape::Array;
                    let is_list = is_array || column.shape == Shape::Lines;
                    let text = if is_list && (!broken || style.one_line) {
                        Cow::Owned(joined(cell, if is_array { b'\n' } else { b',' }))
                    } else if is_list {
                        let mut parts = cell.split(|byte| *byte == 0).skip(line);
                        let part = parts.next().unwrap_or_default();
                        more |= parts.next().is_some();
                        Cow::Borrowed(part)
                    } else {
                        Cow::Borrowed(if line == 0 { cell } else { b"" })
                    };
                    let mut text = show(text, pairs, raw, utf8);
                    if line == 0 && column.shape == Shape::Path && !links.is_empty() {
                        text = Cow::Owned(link(links.as_bytes(), cell, &text));
                    }
                    if self.is_tree(column) {
                        let mut branches = Vec::new();
                        draw(&last, line == 0, has_children, is_utf8, &mut branches);
                        let mut drawn = show(Cow::Owned(branches), pairs, raw, utf8).into_owned();
                        drawn.extend_from_slice(&text);
                        text = Cow::Owned(drawn);
                    }
                    shown.push(text);
                }
                if broken && style.width.is_some() {
                    let mut stem = Vec::new();
                    draw(&last, false, has_children, is_utf8, &mut stem);
                    stems.push(stem);
                }
                line += 1;
            }
        }
        let widths = if broken { self.widths(&shown, style) } else { Vec::new() };
        let names: Vec<Cow<'_, [u8]>> = self.columns.iter().map(|column| column.heading(style).into()).collect();
        if style.form == Form::Pairs {
            return self.print_pairs(&names, &shown, output);
        }
        if !style.no_headings && style.stream != Stream::Further {
            output.print_with(&mut |out| self.add_line(&names, &widths, None, out));
        }
        for (index, line) in shown.chunks(self.columns.len().max(1)).enumerate() {
            let stem = stems.get(index).map(Vec::as_slice).unwrap_or_default();
            output.print_with(&mut |out| self.add_line(line, &widths, Some(stem), out));
        }
    }

    fn print_pairs(&self, names: &[Cow<'_, [u8]>], shown: &[Cow<'_, [u8]>], output: &mut Output) {
        for line in shown.chunks(names.len().max(1)) {
            output.print_with(&mut |out| {
                for (index, (name, cell)) in names.iter().zip(line).enumerate() {
                    out.extend_from_slice(if index == 0 { b"" } else { b" " });
                    out.extend_from_slice(name);
                    out.extend_from_slice(b"=\"");
                    out.extend_from_slice(cell);
                    out.push(b'"');
                }
                out.push(b'\n');
            });
        }
    }

    fn widths(&self, shown: &[Cow<'_, [u8]>], style: Style) -> Vec<usize> {
        let mut widths = vec![0; self.columns.len()];
        for line in shown.chunks(widths.len().max(1)) {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(measure(cell, usize::MAX).0);
            }
        }
        let mut total = widths.len();
        let heading = |column: &Column| if style.no_headings { 0 } else { column.name().len() };
        for (width, column) in widths.iter_mut().zip(&self.columns) {
            let heading = heading(column);
            // A column of single characters is not widened to `roomy`.
            *width = if *width <= heading.max(1) { heading.max(*width) } else { (*width).max(column.roomy.into()) };
            total += *width;
        }
        let Some(room) = style.width.map(|width| width + 1) else { return widths };
        if total > room {
            let mut wide = Vec::with_capacity(widths.len());
            for (index, column) in self.columns.iter().enumerate().rev() {
                let is_cut = column.shape == Shape::Cut;
                let is_fixed = !(is_cut && style.cut || column.is_long());
                let least = if is_fixed { usize::MAX } else { heading(column).max(1) };
                let cells = shown.iter().skip(index).step_by(self.columns.len());
                wide.push(Wide::new(index, least, is_cut, &mut cells.map(|cell| measure(cell, usize::MAX).0)));
            }
            narrow(&mut wide, &mut widths, total - room, room - 1);
        }
        // In turns, from the last column to the first, they grow to `roomy` while there is room.
        let mut is_done = false;
        while !is_done && total < room {
            is_done = true;
            for (width, column) in widths.iter_mut().zip(&self.columns).rev() {
                if total < room && *width < column.roomy.into() {
                    *width += 1;
                    total += 1;
                    is_done = false;
                }
            }
        }
        widths
    }

    /// Adds a line of cells; without widths they stand as they are. Headings have no stem, and are not cut.
    fn add_line(&self, cells: &[Cow<'_, [u8]>], widths: &[usize], stem: Option<&[u8]>, out: &mut Vec<u8>) {
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            if index > 0 {
                out.push(b' ');
            }
            let room = widths.get(index).copied();
            let is_last = index + 1 == self.columns.len();
            let bound = room.filter(|_| stem.is_some() && !column.is_long()).unwrap_or(usize::MAX);
            let (used, length) = measure(cell, bound);
            let blanks = room.unwrap_or(0).saturating_sub(used);
            let right = matches!(column.shape, Shape::Number | Shape::Right | Shape::Size) && !self.is_tree(column);
            if right && !(is_last && cell.is_empty()) {
                out.resize(out.len() + blanks, b' ');
            }
            out.extend_from_slice(cell.get(..length).unwrap_or_default());
            if !is_last && stem.is_some() && room.is_some_and(|room| used > room) {
                // What follows stands on the next line, below where it would have stood.
                out.push(b'\n');
                for (place, (column, width)) in self.columns.iter().zip(widths).take(index + 1).enumerate() {
                    let stem = stem.filter(|_| self.is_tree(column)).unwrap_or_default();
                    out.resize(out.len() + usize::from(place > 0), b' ');
                    out.extend_from_slice(stem);
                    out.resize(out.len() + width.saturating_sub(measure(stem, usize::MAX).0), b' ');
                }
            } else if !right && !is_last {
                out.resize(out.len() + blanks, b' ');
            }
        }
        out.push(b'\n');
    }

    fn print_json(&self, nodes: &[Node], style: Style, output: &mut Output) {
        let mut json = Json::new(style.stream != Stream::No);
        json.begin(self.name);
        for node in nodes {
            json.row(node.depth);
            for (column, cell) in self.columns.iter().zip(self.row(node.row)) {
                json.name(&column.heading(style));
                let is_bare = column.shape == Shape::Number || column.shape == Shape::Size && style.bytes;
                match cell {
                    None => json.out.extend_from_slice(b"null"),
                    Some(number) if is_bare => json.out.extend_from_slice(number),
                    Some(list) if column.shape == Shape::Array => json.array(list),
                    Some(text) => json_string(&joined(text, b','), &mut json.out),
                }
            }
        }
        json.end();
        output.print(json.out);
    }
}

impl Column {
    /// The heading.
    fn heading(&self, style: Style) -> Vec<u8> {
        let mut name = Vec::with_capacity(self.name().len());
        for byte in self.name().bytes() {
            match byte {
                b'%' if style.shell => name.extend_from_slice(b"_PCT"),
                byte if style.shell && !byte.is_ascii_alphanumeric() => name.push(b'_'),
                byte => name.push(byte),
            }
        }
        name
    }
}

/// Draws what leads to a row, in front of its first line or a further one.
fn draw(last: &[bool], first: bool, has_children: bool, utf8: bool, out: &mut Vec<u8>) {
    let [fork, end, down] =
        if utf8 { ["\u{251c}\u{2500}", "\u{2514}\u{2500}", "\u{2502} "] } else { ["|-", "`-", "| "] };
    for (index, last_of_level) in last.iter().enumerate() {
        let is_own = first && index + 1 == last.len();
        let branch = match (is_own, last_of_level) {
            (true, false) => fork,
            (true, true) => end,
            (false, false) => down,
            (false, true) => "  ",
        };
        out.extend_from_slice(branch.as_bytes());
    }
    if !first && has_children {
        out.extend_from_slice(down.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_its_rows_below_those_they_hang_from() {
        let name = Column::new("N", Shape::Left, 0);
        let cells = ["c", "root", "b", "bb"].map(|name| Some(name.as_bytes().to_vec())).to_vec();
        let parents = vec![Some(1), None, Some(1), Some(2)];
        let table = Listing { name: "t", columns: vec![name], cells, parents, tree: "N" };
        let order: Vec<(usize, usize, bool)> = table.nodes().iter().map(|it| (it.row, it.depth, it.last)).collect();
        assert_eq!(order, [(1, 0, true), (0, 1, false), (2, 1, true), (3, 2, true)]);
    }
}
