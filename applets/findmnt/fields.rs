//! The columns.

use cli::columns::{Column, Columns, Shape};

/// Whether only --poll can fill a field.
pub fn is_of_poll(field: usize) -> bool {
    matches!(field, ACTION | OLD_OPTIONS | OLD_TARGET)
}

pub const ACTION: usize = 1;
pub const OLD_OPTIONS: usize = 14;
pub const OLD_TARGET: usize = 15;

/// Every column, in the order of `--output-all`. A field is an index into it; see [`super::cells`].
pub static COLUMNS: Columns = cli::columns!(&[
    Column::new("TARGET mountpoint", Shape::Path, 0),
    Column::new("ACTION action detected by --poll", Shape::Left, 10),
    Column::new("AVAIL filesystem size available, use <number> if --bytes is given", Shape::Size, 5),
    Column::new("FREQ dump(8) period in days [fstab only]", Shape::Number, 1),
    Column::new("FSROOT filesystem root", Shape::Long, 0),
    Column::new("FSTYPE filesystem type", Shape::Cut, 0),
    Column::new("FS-OPTIONS FS specific mount options", Shape::Cut, 0),
    Column::new("ID mount ID", Shape::Number, 2),
    Column::new("INO.AVAIL number of available inodes", Shape::Right, 5),
    Column::new("INO.TOTAL total number of inodes", Shape::Right, 5),
    Column::new("INO.USED number of used inodes", Shape::Right, 5),
    Column::new("INO.USE% percentage of INO.USED divided by INO.TOTAL", Shape::Right, 3),
    Column::new("LABEL filesystem label", Shape::Left, 0),
    Column::new("MAJ:MIN major:minor device number", Shape::Left, 6),
    Column::new("OLD-OPTIONS old mount options saved by --poll", Shape::Cut, 0),
    Column::new("OLD-TARGET old mountpoint saved by --poll", Shape::Left, 0),
    Column::new("OPTIONS all mount options", Shape::Cut, 0),
    Column::new("OPT-FIELDS optional mount fields", Shape::Cut, 0),
    Column::new("PARENT mount parent ID", Shape::Number, 2),
    Column::new("PARTLABEL partition label", Shape::Left, 0),
    Column::new("PARTUUID partition UUID", Shape::Left, 36),
    Column::new("PASSNO pass number on parallel fsck(8) [fstab only]", Shape::Number, 1),
    Column::new("PROPAGATION VFS propagation flags", Shape::Left, 0),
    Column::new("SIZE filesystem size, use <number> if --bytes is given", Shape::Size, 5),
    Column::new("SOURCE source device", Shape::Long, 0),
    Column::new("SOURCES all possible source devices", Shape::Array, 0),
    Column::new("TID task ID", Shape::Number, 4),
    Column::new("UNIQ-ID mount 64-bit ID (requires --kernel=listmount)", Shape::Number, 2),
    Column::new("USED filesystem size used, use <number> if --bytes is given", Shape::Size, 5),
    Column::new("USE% filesystem use percentage", Shape::Right, 3),
    Column::new("UUID filesystem UUID", Shape::Left, 36),
    Column::new("VFS-OPTIONS VFS specific mount options", Shape::Cut, 0),
]);
