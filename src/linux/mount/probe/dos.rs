//! The boot sectors of FAT, exFAT and NTFS.

use super::disk::{Disk, Fields};
use super::field::{self, UPPER, le16, le32, push_hex};
use super::filesystems::Type;

/// Adds a serial number: four bytes as `89AB-CDEF`, more without a dash. Zero means that there is none.
fn serial(at: &mut Fields<'_>, offset: usize, length: usize) {
    let mut number = field::bytes(at.bytes, offset, length).unwrap_or_default().to_vec();
    if number.iter().all(|byte| *byte == 0) {
        return;
    }
    number.reverse();
    let mut text = Vec::new();
    push_hex(&number, if length == 4 { &[2] } else { &[] }, UPPER, &mut text);
    at.found.add("UUID", &text);
}

pub fn vfat(at: &mut Fields<'_>) -> Type {
    let is_named = at.has(0x52, b"MSWIN")
        || at.has(0x52, b"FAT32   ")
        || [&b"MSDOS"[..], b"FAT16   ", b"FAT12   ", b"FAT     "].into_iter().any(|name| at.has(0x36, name));
    // Old file systems have no name in their boot sector; they are recognised by its end mark and plausible fields.
    if !is_named && !at.has(510, &[0x55, 0xaa]) {
        return None;
    }
    let sector = u64::from(at.le16(11)?);
    let per_cluster = u64::from(at.byte(13)?);
    let reserved = u64::from(at.le16(14)?);
    let fats = u64::from(at.byte(16)?);
    let entries = u64::from(at.le16(17)?);
    let media = at.byte(21)?;
    let plausible = matches!(sector, 512 | 1024 | 2048 | 4096) && per_cluster.is_power_of_two();
    if !plausible || reserved == 0 || fats == 0 || !(media >= 0xf8 || media == 0xf0) {
        return None;
    }
    let mut sectors = u64::from(at.le16(19)?);
    if sectors == 0 {
        sectors = at.le32(32)?.into();
    }
    let short = u32::from(at.le16(22)?);
    let long = at.le32(36)?;
    // In 32 bits, as the original counts: what is too large wraps around.
    let fat = u64::from((fats as u32).wrapping_mul(if short == 0 { long } else { short }));
    let root = (entries * 32).div_ceil(sector);
    let clusters = u64::from(sectors.wrapping_sub(reserved + fat + root) as u32) / per_cluster;
    const FAT12_END: u64 = 0xff4;
    const FAT16_MOST: u64 = 0xfff4;
    const FAT32_MOST: u64 = 0x0fff_fff6;
    let is_32 = short == 0 && long != 0;
    let most = if is_32 { FAT32_MOST } else { FAT16_MOST };
    if clusters > most {
        return None;
    }
    let start = (reserved + fat) * sector;
    let (serial_at, label_at) = if is_32 { (0x43, 0x47) } else { (0x27, 0x2b) };
    let label = if is_32 {
        let chain = Chain { start, cluster: per_cluster * sector, fat: reserved * sector, clusters };
        chain.label(at.disk, at.le32(0x2c)?)
    } else {
        in_directory(at.disk, start, usize::try_from(entries * 32).ok()?).flatten()
    };
    if !is_32 {
        at.found.add("SEC_TYPE", b"msdos");
    }
    // Whether the boot sector has a label and a serial number, or the number alone.
    let sign = at.byte(serial_at - 1)?;
    if sign == 0x29 && !at.has(label_at, b"NO NAME    ") {
        at.trimmed("LABEL_FATBOOT", label_at, 11);
    }
    if let Some(label) = label {
        at.found.add("LABEL", field::text(&label));
    }
    if is_32 || matches!(sign, 0x28 | 0x29) {
        serial(at, serial_at, 4);
    }
    let version: &[u8] = match clusters {
        _ if is_32 => b"FAT32",
        ..FAT12_END => b"FAT12",
        FAT12_END..FAT16_MOST => b"FAT16",
        _ => b"",
    };
    at.found.add("VERSION", version);
    at.blocks(per_cluster * sector, sector);
    at.number("FSSIZE", sectors * sector);
    // The sector of free space has its marks, or none yet.
    let info = u64::from(at.le16(48)?);
    if is_32 && info != 0 {
        let info = at.disk.bytes(info * sector, 512)?;
        for (offset, mark) in [(0, b"RRaA"), (484, b"rrAa")] {
            if !matches!(field::bytes(&info, offset, 4)?, [0, 0, 0, 0]) && field::bytes(&info, offset, 4)? != mark {
                return None;
            }
        }
    }
    Some("vfat")
}

/// The clusters of a FAT32.
struct Chain {
    /// Where the first cluster is.
    start: u64,
    cluster: u64,
    /// Where the table is.
    fat: u64,
    clusters: u64,
}

impl Chain {
    /// The label in the directory that begins at a cluster.
    fn label(&self, disk: &Disk<'_>, mut next: u32) -> Option<Vec<u8>> {
        const MOST: u32 = 100;
        for _ in 0..MOST {
            let index = u64::from(next).checked_sub(2).filter(|index| *index < self.clusters)?;
            let offset = self.start.checked_add(index.checked_mul(self.cluster)?)?;
            if let Some(label) = in_directory(disk, offset, usize::try_from(self.cluster).ok()?) {
                return label;
            }
            let entry = disk.bytes(self.fat.checked_add(u64::from(next) * 4)?, 4)?;
            next = le32(&entry, 0)? & 0x0fff_ffff;
        }
        None
    }
}

/// The label in one part of a directory. `None`: not found so far, and the directory continues. `Some(None)`: the
/// directory has none.
fn in_directory(disk: &Disk<'_>, offset: u64, length: usize) -> Option<Option<Vec<u8>>> {
    const DELETED: u8 = 0xe5;
    const VOLUME: u8 = 0x08;
    const DIRECTORY: u8 = 0x10;
    const LONG_NAME: u8 = 0x0f;
    let directory = disk.bytes(offset, length).unwrap_or_default();
    for entry in directory.chunks_exact(32) {
        let attributes = *entry.get(11)?;
        match entry.first()? {
            0 => return Some(None),
            &DELETED => continue,
            _ => {}
        }
        let has_cluster = le16(entry, 20)? != 0 || le16(entry, 26)? != 0;
        if attributes & 0x3f == LONG_NAME || has_cluster || attributes & (VOLUME | DIRECTORY) != VOLUME {
            continue;
        }
        let mut label = entry.get(..11)?.to_vec();
        // 0xe5 marks a deleted entry, so a label that begins with this letter is stored with 0x05 instead.
        if let Some(first @ 0x05) = label.first_mut() {
            *first = DELETED;
        }
        return Some(Some(label));
    }
    None
}

pub fn exfat(at: &mut Fields<'_>) -> Type {
    if !at.has(0, b"\xeb\x76\x90EXFAT   ") || !at.has(510, &[0x55, 0xaa]) {
        return None;
    }
    let sector_shift = u32::from(at.byte(0x6c).filter(|shift| (9..=12).contains(shift))?);
    let cluster_shift = u32::from(at.byte(0x6d)?) + sector_shift;
    let is_zero = at.bytes.get(11..64)?.iter().all(|byte| *byte == 0);
    if !is_zero || cluster_shift > 25 || !matches!(at.byte(0x6e)?, 1 | 2) {
        return None;
    }
    // The twelfth sector repeats a checksum of the first eleven, without the bytes that change in use.
    let sector = 1_usize << sector_shift;
    let mut sum = 0_u32;
    for (index, byte) in at.bytes.get(..11 * sector)?.iter().enumerate() {
        if !matches!(index, 0x6a | 0x6b | 0x70) {
            sum = sum.rotate_right(1).wrapping_add((*byte).into());
        }
    }
    if at.bytes.get(11 * sector..12 * sector)?.chunks_exact(4).any(|word| word != sum.to_le_bytes()) {
        return None;
    }
    let heap = u64::from(at.le32(0x58)?) << sector_shift;
    let cluster = at.le32(0x60)?;
    let fat = u64::from(at.le32(0x50)?) << sector_shift;
    if let Some(label) = exfat_label(at.disk, heap, fat, cluster, cluster_shift) {
        at.found.add("LABEL", &label);
    }
    serial(at, 0x64, 4);
    at.version(at.byte(0x69)?.into(), at.byte(0x68)?.into());
    at.blocks(sector as u64, sector as u64);
    at.number("FSSIZE", at.le64(0x48)?.wrapping_shl(sector_shift));
    Some("exfat")
}

/// The label is an entry of the root directory.
fn exfat_label(disk: &Disk<'_>, heap: u64, fat: u64, mut cluster: u32, shift: u32) -> Option<Vec<u8>> {
    const LABEL: u8 = 0x83;
    const MOST_BYTES: u32 = 256 << 20;
    const WINDOW: u64 = 4096;
    for _ in 0..(MOST_BYTES >> shift).min(1000) {
        let start = heap.checked_add(u64::from(cluster.checked_sub(2)?) << shift)?;
        let mut done = 0;
        while done < 1_u64 << shift {
            let length = WINDOW.min(1 << shift);
            let directory = disk.bytes(start.checked_add(done)?, usize::try_from(length).ok()?)?;
            for entry in directory.chunks_exact(32) {
                match entry {
                    [0, ..] => return None,
                    [LABEL, length, name @ ..] => {
                        return Some(field::utf16(name.get(..usize::from(*length).min(11) * 2)?, false));
                    }
                    _ => {}
                }
            }
            done += length;
        }
        cluster = le32(&disk.bytes(fat.checked_add(u64::from(cluster) * 4)?, 4)?, 0)?;
    }
    None
}

pub fn ntfs(at: &mut Fields<'_>) -> Type {
    if !at.has(3, b"NTFS    ") {
        return None;
    }
    let sector = u64::from(at.le16(11)?);
    if !(256..=4096).contains(&sector) || !sector.is_power_of_two() {
        return None;
    }
    // A power of two of sectors; beyond 128 it is a negative exponent.
    let per_cluster = match at.byte(13)? {
        count @ ..=128 if count.is_power_of_two() => u64::from(count),
        power @ 240..=249 => 1 << (256 - u32::from(power)),
        _ => return None,
    };
    let unused = [at.le16(14)?, at.le16(17)?, at.le16(19)?, at.le16(22)?];
    if unused.iter().any(|field| *field != 0) || at.byte(16)? != 0 || at.le32(32)? != 0 {
        return None;
    }
    let cluster = sector * per_cluster;
    // A positive number counts clusters; a negative one, -n, means 2^n bytes.
    let record = match at.byte(0x40)?.cast_signed() {
        count @ 1.. => cluster * u64::from(count.cast_unsigned()),
        power => 1_u64.checked_shl(power.unsigned_abs().into())?,
    };
    if !(512..=4096 * 16).contains(&record) {
        return None;
    }
    let sectors = at.le64(0x28)?;
    let clusters = sectors / per_cluster;
    let (table, mirror) = (at.le64(0x30)?, at.le64(0x38)?);
    if table > clusters || mirror > clusters {
        return None;
    }
    let table = table.checked_mul(cluster)?;
    if !at.disk.has(table, b"FILE") {
        return None;
    }
    const VOLUME: u64 = 3;
    let volume = at.disk.bytes(table.checked_add(record * VOLUME)?, usize::try_from(record).ok()?)?;
    if volume.get(..4)? != b"FILE" {
        return None;
    }
    if let Some(label) = ntfs_label(&volume) {
        at.found.add("LABEL", &label);
    }
    at.blocks(cluster, sector);
    at.number("FSSIZE", sectors.wrapping_mul(sector));
    serial(at, 0x48, 8);
    Some("ntfs")
}

/// The label is an attribute of the file $Volume, the fourth record of the master file table.
fn ntfs_label(volume: &[u8]) -> Option<Vec<u8>> {
    const VOLUME_NAME: u32 = 0x60;
    const END: u32 = 0xffff_ffff;
    let mut at = usize::from(le16(volume, 0x14)?);
    // Each attribute gives its length. Length zero would make the loop endless, so it ends the list.
    for _ in 0..64 {
        let (kind, length) = (le32(volume, at)?, le32(volume, at.checked_add(4)?)?);
        if kind == END || length == 0 {
            return None;
        }
        if kind == VOLUME_NAME {
            let value = at.checked_add(usize::from(le16(volume, at.checked_add(0x14)?)?))?;
            let length = le32(volume, at.checked_add(0x10)?)? as usize;
            return Some(field::utf16(field::bytes(volume, value, length)?, false));
        }
        at = at.checked_add(length as usize)?;
    }
    None
}
