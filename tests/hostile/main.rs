//! Hostile surroundings: closed descriptors, full disks, small limits, filters, no /proc, roots made by
//! somebody else. Each command must do what it was asked for or fail with a word, never crash or hang.
//!
//! The scripts print a line for everything that is wrong, so what they print must be empty.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod arguments;
mod filters;
mod process;
mod roots;
mod scene;
