//! The columns.

use cli::columns::{Column, Shape};

/// Whether only --poll can fill a field.
pub fn is_of_poll(field: usize) -> bool {
    matches!(field, ACTION | OLD_OPTIONS | OLD_TARGET)
}

/// A column.
const fn column(text: &'static str, shape: Shape, roomy: u8) -> Column {
    Column { text, shape, roomy }
}

pub const ACTION: usize = 1;
pub const OLD_OPTIONS: usize = 14;
pub const OLD_TARGET: usize = 15;

/// Every column, in the order of `--output-all`. A field is an index into it; see [`super::cells`].
pub static COLUMNS: [Column; 32] = [
    column("TARGET mountpoint", Shape::Path, 0),
    column("ACTION action detected by --poll", Shape::Left, 10),
    column("AVAIL filesystem size available, use <number> if --bytes is given", Shape::Size, 5),
    column("FREQ dump(8) period in days [fstab only]", Shape::Number, 1),
    column("FSROOT filesystem root", Shape::Left, 0),
    column("FSTYPE filesystem type", Shape::Cut, 0),
    column("FS-OPTIONS FS specific mount options", Shape::Cut, 0),
    column("ID mount ID", Shape::Number, 2),
    column("INO.AVAIL number of available inodes", Shape::Right, 5),
    column("INO.TOTAL total number of inodes", Shape::Right, 5),
    column("INO.USED number of used inodes", Shape::Right, 5),
    column("INO.USE% percentage of INO.USED divided by INO.TOTAL", Shape::Right, 3),
    column("LABEL filesystem label", Shape::Left, 0),
    column("MAJ:MIN major:minor device number", Shape::Left, 6),
    column("OLD-OPTIONS old mount options saved by --poll", Shape::Cut, 0),
    column("OLD-TARGET old mountpoint saved by --poll", Shape::Left, 0),
    column("OPTIONS all mount options", Shape::Cut, 0),
    column("OPT-FIELDS optional mount fields", Shape::Cut, 0),
    column("PARENT mount parent ID", Shape::Number, 2),
    column("PARTLABEL partition label", Shape::Left, 0),
    column("PARTUUID partition UUID", Shape::Left, 36),
    column("PASSNO pass number on parallel fsck(8) [fstab only]", Shape::Number, 1),
    column("PROPAGATION VFS propagation flags", Shape::Left, 0),
    column("SIZE filesystem size, use <number> if --bytes is given", Shape::Size, 5),
    column("SOURCE source device", Shape::Left, 0),
    column("SOURCES all possible source devices", Shape::Array, 0),
    column("TID task ID", Shape::Number, 4),
    column("UNIQ-ID mount 64-bit ID (requires --kernel=listmount)", Shape::Number, 2),
    column("USED filesystem size used, use <number> if --bytes is given", Shape::Size, 5),
    column("USE% filesystem use percentage", Shape::Right, 3),
    column("UUID filesystem UUID", Shape::Left, 36),
    column("VFS-OPTIONS VFS specific mount options", Shape::Cut, 0),
];
