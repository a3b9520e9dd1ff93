//! The userspace mount table, /run/mount/utab: facts about a mount that the kernel does not keep (`x-` options, who
//! mounted it, which helper unmounts it).
//!
//! Shared with util-linux: the same lines, lock and atomic replacement; mount(8), "FILES".

mod entry;
mod file;
mod table;

pub use entry::UtabEntry;
pub use file::{add, is_empty, path, read, try_read, update};
pub use table::{Utab, UtabIndex};
