//! The list of columns.

use super::{Column, Columns, Form, Listing, Shape, Style};
use crate::Output;

/// Prints what `--list-columns` says.
pub fn describe(name: &'static str, described: Columns, form: Form, output: &mut Output) {
    let columns = vec![
        Column::new("HOLDER", Shape::Right, 0),
        Column::new("TYPE", Shape::Left, 0),
        Column::new("DESCRIPTION", Shape::Left, 0),
    ];
    let mut cells = Vec::new();
    for column in described.iter() {
        let kind = match column.shape {
            Shape::Number => "<integer>",
            Shape::Size => "<string|number>",
            _ => "<string>",
        };
        cells.extend([column.name(), kind, column.help()].map(|text| Some(text.into())));
    }
    let form = if form == Form::Pairs { Form::Aligned } else { form };
    let style = Style { form, no_headings: true, ..Style::default() };
    Listing { name, columns, cells, parents: vec![None; described.iter().count()], tree: "" }.print(style, output);
}
