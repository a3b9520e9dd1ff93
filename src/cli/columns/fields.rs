//! Which columns are shown: `--output LIST`, `--output-all`; and a cell that several commands have.

use super::{Columns, Form};
use crate::{Failure, text};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The columns to show, as indices into `columns`: those of `list`, which names further ones if it begins with a plus
/// sign, or those that are named in `default`. `all`: with `--output-all` in place of these, the ones it says yes to.
pub fn fields(
    columns: Columns,
    list: Option<&OsStr>,
    default: &str,
    all: Option<fn(usize) -> bool>,
) -> Result<Vec<usize>, Failure> {
    let mut fields = Vec::new();
    let named = list.unwrap_or(OsStr::new("+")).as_bytes();
    let Some(further) = named.strip_prefix(b"+") else {
        add(columns, named, &mut fields)?;
        return Ok(fields);
    };
    match all {
        Some(is_meant) => fields.extend((0..columns.iter().count()).filter(|field| is_meant(*field))),
        None => add(columns, default.as_bytes(), &mut fields)?,
    }
    if list.is_some() {
        add(columns, further, &mut fields)?;
    }
    Ok(fields)
}

/// Adds the columns of a list of names.
fn add(columns: Columns, mut list: &[u8], fields: &mut Vec<usize>) -> Result<(), Failure> {
    loop {
        let end = list.iter().position(|byte| *byte == b',');
        let name = list.get(..end.unwrap_or(list.len())).unwrap_or_default();
        fields.push(find(columns, name).ok_or_else(|| crate::fail!(1, "unknown column: ", list))?);
        let Some(end) = end else { return Ok(()) };
        list = list.get(end + 1..).unwrap_or_default();
    }
}

/// The column with a name, in letters of either case.
pub(super) fn find(columns: Columns, name: &[u8]) -> Option<usize> {
    columns.iter().position(|column| column.name().as_bytes().eq_ignore_ascii_case(name))
}

/// `254:0`, below the colon of others where columns are aligned.
pub fn device_numbers((major, minor): (u32, u32), form: Form) -> Vec<u8> {
    let mut text = text![major, ":", minor];
    if form == Form::Aligned {
        let blanks = 3_usize.saturating_sub(text.iter().position(|byte| *byte == b':').unwrap_or(0));
        text.splice(0..0, [b' '; 3].into_iter().take(blanks));
        let length = text.iter().position(|byte| *byte == b':').unwrap_or(0) + 4;
        text.resize(text.len().max(length), b' ');
    }
    text
}
