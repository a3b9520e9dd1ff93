//! The userspace mount table, /run/mount/utab: what the kernel does not keep
//! of a mount (`x-` options, who mounted it, which helper unmounts it).
//!
//! Shared with util-linux: the same lines, the same lock, the same atomic
//! rewriting. libmount's manual, mount(8) "FILES", names the files.

mod entry;
mod file;
mod table;

pub use entry::UtabEntry;
pub use file::{add, is_empty, path, read, try_read, update};
pub use table::{Utab, UtabIndex};
