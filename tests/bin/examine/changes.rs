//! Files that are not what they should be: a byte of an image, a character of a table is another one, is missing or is too
//! many. What was meant by it the originals tell.

use super::case::Step;
use super::values::one_of;
use proptest::prelude::*;
use std::fs;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Where in a file: so many thousandths of what is not zero in its beginning.
const PARTS: usize = 1000;
const BEGINNING: usize = 128 << 10;

/// A step that changes a file: `change FILE PLACE cut|put|over HEX`.
fn change(
    files: &'static [&'static str],
    kinds: &'static [&'static str],
    texts: &'static [&'static str],
) -> BoxedStrategy<Step> {
    let place = (0..PARTS).prop_map(|place| place.to_string().into_bytes());
    let hex = |text: Vec<u8>| text.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    (one_of(files), place, one_of(kinds), one_of(texts))
        .prop_map(move |(file, place, kind, text)| vec![b"change".to_vec(), file, place, kind, hex(text)])
        .boxed()
}

/// Changes of what an applet reads, which come last; most often none.
pub fn changes(applet: &str) -> BoxedStrategy<Vec<Step>> {
    const TEXTS: &[&str] = &[
        " ",
        "\t",
        "\\",
        "\\040",
        "\\777",
        "#",
        "0",
        "-1",
        "4294967296",
        ",",
        "=",
        ":",
        "/",
        "x",
        "\n",
        "ro",
        "no",
        "nfs",
    ];
    const BYTES: &[&str] =
        &["\0", "\x01", "\x02", "\x05", " ", "\t", "A", "\x7f", "\0\0\0\0", "\u{7f}\u{7f}\u{7f}\u{7f}"];
    let (weight, one) = match applet {
        "mount" | "umount" | "findmnt" => (2, change(&["/etc/fstab"], &["cut", "put", "over"], TEXTS)),
        "chroot" | "setpriv" | "capsh" => (2, change(&["/etc/passwd", "/etc/group"], &["cut", "put", "over"], TEXTS)),
        "blkid" => {
            (8, change(&["disk.ext4", "disk.ext4", "disk.ext2", "disk.squashfs", "disk.erofs"], &["over"], BYTES))
        }
        _ => return Just(Vec::new()).boxed(),
    };
    prop_oneof![8 => Just(Vec::new()), weight => proptest::collection::vec(one, 1..=3)].boxed()
}

/// Makes a change. What is not there, or empty, stays so.
pub fn make(path: &Path, place: &str, kind: &str, text: &[u8]) -> io::Result<()> {
    let Ok(mut all) = fs::read(path) else { return Ok(()) };
    let used: Vec<usize> = (0..all.len().min(BEGINNING)).filter(|at| all[*at] != 0).collect();
    let Some(&at) = used.get(place.parse().unwrap_or(0) * used.len() / PARTS) else { return Ok(()) };
    match kind {
        "cut" => drop(all.drain(at..all.len().min(at + text.len()))),
        "put" => drop(all.splice(at..at, text.iter().copied())),
        // An image keeps its holes.
        _ => return fs::OpenOptions::new().write(true).open(path)?.write_all_at(text, at as u64),
    }
    fs::write(path, all)
}
