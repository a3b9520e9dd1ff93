//! The list of columns.

use super::{Column, Form, Listing, Shape, Style};
use crate::Output;

/// Prints what `--list-columns` says.
pub fn describe(name: &'static str, described: &'static [Column], form: Form, output: &mut Output) {
    static HEADINGS: [Column; 3] = [
        Column { text: "HOLDER", shape: Shape::Right, roomy: 0 },
        Column { text: "TYPE", shape: Shape::Left, roomy: 0 },
        Column { text: "DESCRIPTION", shape: Shape::Left, roomy: 0 },
    ];
    let mut cells = Vec::new();
    for column in described {
        let kind = match column.shape {
            Shape::Number => "<integer>",
            Shape::Size => "<string|number>",
            _ => "<string>",
        };
        cells.extend([column.name(), kind, column.help()].map(|text| Some(text.into())));
    }
    let form = if form == Form::Pairs { Form::Aligned } else { form };
    let style = Style { form, no_headings: true, ..Style::default() };
    let columns = HEADINGS.iter().collect();
    Listing { name, columns, cells, parents: vec![None; described.len()], tree: "" }.print(style, output);
}
