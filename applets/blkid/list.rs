//! `--output list`: a table for people, with where each device is mounted.

use cli::{Output, text};
use linux::mount::mountinfo;
use linux::mount::probe::{Device, Superblock};
use linux::mount::table::Table;
use linux::{directory, file, terminal};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Prints the headings, and below them a rule as wide as the terminal.
pub fn headings(output: &mut Output) {
    row(&[b"device", b"fs_type", b"label", b"mount point", b"UUID"], columns(), output);
    output.print(text!["-".repeat(width().saturating_sub(1)), "\n"]);
}

/// How wide the table is; 1: nothing says it.
fn width() -> usize {
    terminal::width_or_columns(1).unwrap_or(1)
}

/// Where the columns behind the first one begin. What is wider than 80 columns is given to the device and the mount point,
/// and a tenth of it, up to 8, to each of the others.
fn columns() -> [usize; 4] {
    let more = width().saturating_sub(80);
    let least = (more / 10).min(8);
    let most = (more - 2 * least) / 2;
    [11 + most, 19 + most + least, 28 + most + 2 * least, 43 + 2 * (most + least)]
}

/// Prints a device.
pub fn device(name: &OsStr, told: &Superblock, output: &mut Output) {
    let of = |tag| told.value(tag).unwrap_or_default();
    let place = place(name);
    let mut first = name.as_bytes();
    let columns = columns();
    if first.len() >= columns[0] {
        output.print_shown(text![first]);
        first = b"";
    }
    row(&[first, of("TYPE"), of("LABEL"), &place, of("UUID")], columns, output);
}

fn row(cells: &[&[u8]], columns: [usize; 4], output: &mut Output) {
    let mut line = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        line.extend_from_slice(cell);
        if let Some(column) = columns.get(index) {
            line.resize((line.len() + 1).max(*column), b' ');
        }
    }
    output.print_shown(line);
}

/// Where it is mounted, or what else it is used for.
fn place(name: &OsStr) -> Vec<u8> {
    let path = directory::canonical_or_same(name);
    let Ok(stat) = linux::stat::path(&path) else { return Vec::new() };
    let numbers = linux::stat::numbers(stat.device());
    let is_block = stat.is_block_device();
    let shows = |entry: &mountinfo::Entry<'_>| entry.is_from(&path) || (is_block && entry.device == numbers);
    if let Some(entry) = Table::read().ok().as_ref().and_then(|table| table.find(&shows)) {
        return entry.target_path().into_encoded_bytes();
    }
    for line in file::read_file("/proc/swaps", 1 << 20).unwrap_or_default().split(|byte| *byte == b'\n') {
        if line.split(|byte| matches!(byte, b' ' | b'\t')).next() == Some(path.as_bytes()) {
            return b"[SWAP]".to_vec();
        }
    }
    if Device::open(&path).is_ok_and(|device| device.is_busy(&path)) {
        b"(in use)".to_vec()
    } else {
        b"(not mounted)".to_vec()
    }
}
