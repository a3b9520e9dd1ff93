//! Arguments of options that several commands read alike.

use crate::{Failure, number, text};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Reads a whole number within bounds. `what` is how messages call it.
pub fn whole(text: &OsStr, what: &str, least: u64, most: u64) -> Result<u64, Failure> {
    let wrong = |more: &str| Failure::new(1, text!["invalid ", what, " argument: '", text, "'", more]);
    let read = number::read(text.as_bytes(), 10).filter(|read| read.length == text.len()).ok_or_else(|| wrong(""))?;
    let value = read.value.filter(|value| !read.negative && (least..=most).contains(value));
    value.ok_or_else(|| wrong(": Numerical result out of range"))
}
