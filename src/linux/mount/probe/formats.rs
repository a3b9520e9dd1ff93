//! The signatures, one function for each file system. Each gets the beginning
//! of the device and looks at nothing that is not there.

use super::{Probed, Reader, Superblock};

/// A file system's signature: `None` if it is not there.
type Signature = fn(&[u8], Reader<'_>) -> Option<Superblock>;

/// Every signature that is known.
static SIGNATURES: &[Signature] = &[ext, xfs, btrfs, squashfs, erofs, iso9660, vfat, exfat, ntfs, f2fs, swap, luks];

/// Looks at the beginning of a device; `read` is asked for what lies further on.
pub fn probe(head: &[u8], read: Reader<'_>) -> Probed {
    let mut found = None;
    for signature in SIGNATURES {
        let Some(this) = signature(head, read) else { continue };
        if found.is_some() {
            return Probed::Ambiguous;
        }
        found = Some(this);
    }
    found.map_or(Probed::Nothing, Probed::One)
}

fn bytes(head: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    head.get(offset..offset.checked_add(length)?)
}

fn has(head: &[u8], offset: usize, magic: &[u8]) -> Option<()> {
    (bytes(head, offset, magic.len())? == magic).then_some(())
}

fn le16(head: &[u8], offset: usize) -> Option<u16> {
    bytes(head, offset, 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn le32(head: &[u8], offset: usize) -> Option<u32> {
    bytes(head, offset, 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn le64(head: &[u8], offset: usize) -> Option<u64> {
    bytes(head, offset, 8)?.try_into().ok().map(u64::from_le_bytes)
}

/// A label up to its first NUL, without blanks at its end; `None` if nothing is left.
fn label(head: &[u8], offset: usize, length: usize) -> Option<Vec<u8>> {
    let field = bytes(head, offset, length)?;
    let field = field.split(|&byte| byte == 0).next()?.trim_ascii_end();
    (!field.is_empty()).then(|| field.to_vec())
}

/// Sixteen bytes as `01234567-89ab-...`; `None` if all are zero.
fn uuid(head: &[u8], offset: usize) -> Option<Vec<u8>> {
    let field = bytes(head, offset, 16)?;
    if field.iter().all(|&byte| byte == 0) {
        return None;
    }
    let mut text = Vec::with_capacity(36);
    for (index, byte) in field.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push(b'-');
        }
        push_hex(*byte, b"0123456789abcdef", &mut text);
    }
    Some(text)
}

fn push_hex(byte: u8, digits: &[u8; 16], text: &mut Vec<u8>) {
    for nibble in [byte >> 4, byte & 15] {
        text.extend(digits.get(usize::from(nibble)));
    }
}

const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// A serial number as `89AB-CDEF`; `None` if it is zero.
fn serial(head: &[u8], offset: usize) -> Option<Vec<u8>> {
    let number = le32(head, offset).filter(|number| *number != 0)?;
    let mut text = Vec::with_capacity(9);
    for (index, byte) in number.to_be_bytes().into_iter().enumerate() {
        if index == 2 {
            text.push(b'-');
        }
        push_hex(byte, UPPER, &mut text);
    }
    Some(text)
}

/// UTF-16, little endian, to its first NUL.
fn utf16(field: &[u8]) -> Option<Vec<u8>> {
    let units = field.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes));
    let text: String =
        char::decode_utf16(units.take_while(|unit| *unit != 0)).map(|unit| unit.unwrap_or('\u{fffd}')).collect();
    (!text.is_empty()).then(|| text.into_bytes())
}

fn ext(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    const SUPERBLOCK: usize = 1024;
    has(head, SUPERBLOCK + 0x38, &[0x53, 0xef])?;
    let compatible = le32(head, SUPERBLOCK + 0x5c)?;
    let incompatible = le32(head, SUPERBLOCK + 0x60)?;
    let read_only = le32(head, SUPERBLOCK + 0x64)?;
    const HAS_JOURNAL: u32 = 0x4;
    const JOURNAL_DEVICE: u32 = 0x8;
    // What ext3 knows: filetype, recover, meta_bg; sparse_super, large_file, btree_dir.
    const EXT3_INCOMPATIBLE: u32 = 0x2 | 0x4 | 0x10;
    const EXT3_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
    if incompatible & JOURNAL_DEVICE != 0 {
        return None;
    }
    let fstype = if incompatible & !EXT3_INCOMPATIBLE != 0 || read_only & !EXT3_READ_ONLY != 0 {
        "ext4"
    } else if compatible & HAS_JOURNAL != 0 {
        "ext3"
    } else {
        "ext2"
    };
    Some(Superblock { fstype, label: label(head, SUPERBLOCK + 0x78, 16), uuid: uuid(head, SUPERBLOCK + 0x68) })
}

fn xfs(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    has(head, 0, b"XFSB")?;
    Some(Superblock { fstype: "xfs", label: label(head, 108, 12), uuid: uuid(head, 32) })
}

fn btrfs(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    const SUPERBLOCK: usize = 0x1_0000;
    has(head, SUPERBLOCK + 0x40, b"_BHRfS_M")?;
    Some(Superblock {
        fstype: "btrfs",
        label: label(head, SUPERBLOCK + 0x12b, 256),
        uuid: uuid(head, SUPERBLOCK + 0x20),
    })
}

fn squashfs(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    has(head, 0, b"hsqs")?;
    le16(head, 28).filter(|version| *version >= 4)?;
    Some(Superblock { fstype: "squashfs", label: None, uuid: None })
}

fn erofs(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    const SUPERBLOCK: usize = 1024;
    has(head, SUPERBLOCK, &[0xe2, 0xe1, 0xf5, 0xe0])?;
    Some(Superblock { fstype: "erofs", label: label(head, SUPERBLOCK + 64, 16), uuid: uuid(head, SUPERBLOCK + 48) })
}

fn iso9660(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    const DESCRIPTOR: usize = 32_768;
    has(head, DESCRIPTOR, b"\x01CD001")?;
    let date = |offset: usize| {
        let digits = bytes(head, DESCRIPTOR + offset, 16)?;
        let set = digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|digit| *digit != b'0');
        set.then_some(digits)
    };
    // The time of modification, else of creation, is what serves as its UUID.
    let uuid = date(830).or_else(|| date(813)).map(|digits| {
        let mut text = Vec::with_capacity(22);
        for (index, digit) in digits.iter().enumerate() {
            if index >= 4 && index % 2 == 0 {
                text.push(b'-');
            }
            text.push(*digit);
        }
        text
    });
    Some(Superblock { fstype: "iso9660", label: label(head, DESCRIPTOR + 40, 32), uuid })
}

fn vfat(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    has(head, 510, &[0x55, 0xaa])?;
    let sector = le16(head, 11)?;
    let cluster = *head.get(13)?;
    let fats = *head.get(16)?;
    let plausible = matches!(sector, 512 | 1024 | 2048 | 4096) && cluster.is_power_of_two() && matches!(fats, 1 | 2);
    if !plausible || le16(head, 14)? == 0 {
        return None;
    }
    let (serial_at, label_at) = if has(head, 0x52, b"FAT32   ").is_some() {
        (0x43, 0x47)
    } else if has(head, 0x36, b"FAT12   ").or_else(|| has(head, 0x36, b"FAT16   ")).is_some() {
        (0x27, 0x2b)
    } else {
        return None;
    };
    let label = label(head, label_at, 11).filter(|label| label != b"NO NAME");
    Some(Superblock { fstype: "vfat", label, uuid: serial(head, serial_at) })
}

fn exfat(head: &[u8], read: Reader<'_>) -> Option<Superblock> {
    has(head, 3, b"EXFAT   ")?;
    Some(Superblock { fstype: "exfat", label: exfat_label(head, read), uuid: serial(head, 0x64) })
}

/// The label is an entry of the root directory.
fn exfat_label(head: &[u8], read: Reader<'_>) -> Option<Vec<u8>> {
    let sector_shift = u32::from(*head.get(0x6c)?).clamp(9, 12);
    let cluster_shift = u32::from(*head.get(0x6d)?).min(16);
    let heap = u64::from(le32(head, 0x58)?) << sector_shift;
    let cluster = u64::from(le32(head, 0x60)?.checked_sub(2)?) << (sector_shift + cluster_shift);
    let mut directory = [0_u8; 4096];
    let got = read(heap.checked_add(cluster)?, &mut directory);
    const LABEL: u8 = 0x83;
    for entry in directory.get(..got)?.chunks_exact(32) {
        match entry {
            [0, ..] => return None,
            [LABEL, length, name @ ..] => return utf16(name.get(..usize::from(*length).min(11) * 2)?),
            _ => {}
        }
    }
    None
}

fn ntfs(head: &[u8], read: Reader<'_>) -> Option<Superblock> {
    has(head, 3, b"NTFS    ")?;
    let number = le64(head, 0x48).filter(|number| *number != 0);
    let uuid = number.map(|number| {
        let mut text = Vec::with_capacity(16);
        number.to_be_bytes().into_iter().for_each(|byte| push_hex(byte, UPPER, &mut text));
        text
    });
    Some(Superblock { fstype: "ntfs", label: ntfs_label(head, read), uuid })
}

/// The label is an attribute of the file $Volume, the fourth record of the master file table.
fn ntfs_label(head: &[u8], read: Reader<'_>) -> Option<Vec<u8>> {
    let sector = u64::from(le16(head, 0x0b)?);
    let cluster = sector.checked_mul(u64::from(*head.get(0x0d)?))?;
    // A positive number counts clusters, a negative one is a power of two of bytes.
    let record = match head.get(0x40)?.cast_signed() {
        count @ 1.. => cluster.checked_mul(u64::from(count.cast_unsigned()))?,
        power => 1_u64.checked_shl(u32::from(power.unsigned_abs()))?,
    };
    let table = le64(head, 0x30)?.checked_mul(cluster)?;
    let mut volume = [0_u8; 4096];
    let length = usize::try_from(record).ok()?.min(volume.len());
    let got = read(table.checked_add(record.checked_mul(3)?)?, volume.get_mut(..length)?);
    let volume = volume.get(..got)?;
    has(volume, 0, b"FILE")?;
    const VOLUME_NAME: u32 = 0x60;
    const END: u32 = 0xffff_ffff;
    let mut at = usize::from(le16(volume, 0x14)?);
    // Each attribute says how long it is; one that says nothing would be read for ever.
    for _ in 0..64 {
        let (kind, length) = (le32(volume, at)?, le32(volume, at.checked_add(4)?)?);
        if kind == END || length == 0 {
            return None;
        }
        if kind == VOLUME_NAME {
            let value = at.checked_add(usize::from(le16(volume, at.checked_add(0x14)?)?))?;
            return utf16(bytes(volume, value, le32(volume, at.checked_add(0x10)?)? as usize)?);
        }
        at = at.checked_add(length as usize)?;
    }
    None
}

fn f2fs(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    const SUPERBLOCK: usize = 1024;
    has(head, SUPERBLOCK, &[0x10, 0x20, 0xf5, 0xf2])?;
    let label = bytes(head, SUPERBLOCK + 124, 1024).and_then(utf16);
    Some(Superblock { fstype: "f2fs", label, uuid: uuid(head, SUPERBLOCK + 108) })
}

fn swap(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    // At the end of the first page, whatever the page size of the machine that made it.
    let pages = [0x1000_usize, 0x2000, 0x4000, 0x8000, 0x1_0000];
    let magic =
        |page: &usize| has(head, page - 10, b"SWAPSPACE2").or_else(|| has(head, page - 10, b"SWAP-SPACE")).is_some();
    pages.iter().find(|page| magic(page))?;
    Some(Superblock { fstype: "swap", label: label(head, 1024 + 28, 16), uuid: uuid(head, 1024 + 12) })
}

fn luks(head: &[u8], _: Reader<'_>) -> Option<Superblock> {
    has(head, 0, b"LUKS\xba\xbe")?;
    let label = if has(head, 6, &[0, 2]).is_some() { label(head, 24, 48) } else { None };
    Some(Superblock { fstype: "crypto_LUKS", label, uuid: self::label(head, 168, 40) })
}
