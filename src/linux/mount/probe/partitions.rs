//! Partition tables: DOS's with its logical partitions, and GPT (UEFI specification, chapter 5).

use super::disk::{Disk, Fields};
use super::dos;
use super::field::{self, ETHERNET, LOWER, crc32, le32, le64, push_hex};
use super::{Probed, Superblock};

/// The size of an entry in DOS's table, and the table's offset in its sector.
const ENTRY: usize = 16;
const TABLE: usize = 446;
/// The type of the partition that stands for all of a GPT.
const PROTECTIVE: u8 = 0xee;

/// A place on a disk, in sectors of 512 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub size: u64,
}

/// The kind of partition table as `PTTYPE`, and its id, if it has one, as `PTUUID`; nothing where there is none.
///
/// The table on a member of an array is the array's. LVM and bcachefs clear the beginning of a device when they take it: a
/// DOS table there was written later, and what was probed is nothing any more. LVM alone leaves a boot sector as it is
/// that names no partition.
pub fn table(disk: &Disk<'_>, probed: &mut Probed) -> Superblock {
    let mut told = Superblock::default();
    let fstype = if let Probed::One(found) = probed { found.fstype } else { "" };
    if fstype == "linux_raid_member" {
        return told;
    }
    let sector = boot_sector(disk, 0).unwrap_or_default();
    let kind: &[u8] = if sector.starts_with(&[0xc9, 0xc2, 0xd4, 0xc1]) {
        b"aix"
    } else if is_protective(&sector) {
        match gpt(disk) {
            Some(gpt) => {
                told.add("PTUUID", &guid(&gpt.header, 56));
                b"gpt"
            }
            None => b"PMBR",
        }
    } else if !sector.is_empty() && is_dos(disk, &sector) && (fstype != "LVM2_member" || names_partition(&sector)) {
        if matches!(fstype, "LVM2_member" | "bcachefs") {
            *probed = Probed::Nothing;
        }
        told.add("PTUUID", &disk_id(&sector));
        b"dos"
    } else if disk.has_magic("512:504d0000:2048:504d0000") && disk.has_magic("0:4552") {
        b"mac"
    } else if disk.has_magic("188:600ddeee") && disk.has_magic("508:dabe") {
        b"sun"
    } else if disk.has_magic("0:0be5a941") {
        b"sgi"
    } else {
        return told;
    };
    told.add("PTTYPE", kind);
    told
}

/// Tells what the table on a disk says of the partition that is there.
pub fn entry(disk: &Disk<'_>, place: Place, found: &mut Superblock) -> Option<()> {
    let sector = boot_sector(disk, 0)?;
    if is_protective(&sector) {
        gpt(disk)?.entry(place, disk.sector, found)
    } else if is_dos(disk, &sector) {
        dos_entry(disk, &sector, place, found)
    } else {
        None
    }
}

/// Whether one partition has all the bytes from `first` to `end`.
pub fn covers(disk: &Disk<'_>, first: u64, end: u64) -> bool {
    let Some(sector) = boot_sector(disk, 0) else { return false };
    let (first, end) = (first / disk.sector, end / disk.sector);
    if is_protective(&sector) {
        let Some(gpt) = gpt(disk) else { return false };
        let is_it = |entry| le64(entry, 32) <= Some(first) && le64(entry, 40) >= end.checked_sub(1);
        return gpt.entries.chunks_exact(gpt.size).any(is_it);
    }
    let mut is_there = false;
    for entry in entries(&sector) {
        let start = le32(entry, 8).map_or(0, u64::from);
        is_there |= start <= first && start + le32(entry, 12).map_or(0, u64::from) >= end;
    }
    is_there && is_dos(disk, &sector)
}

/// A sector with the mark 55 AA, which ends a disk's first sector and each link of an extended partition's chain.
fn boot_sector(disk: &Disk<'_>, index: u64) -> Option<Vec<u8>> {
    let sector = disk.bytes(index.checked_mul(disk.sector)?, 512)?;
    sector.ends_with(&[0x55, 0xaa]).then_some(sector)
}

/// The four entries of a sector.
fn entries(sector: &[u8]) -> impl Iterator<Item = &[u8]> {
    sector.get(TABLE..TABLE + 4 * ENTRY).unwrap_or_default().chunks_exact(ENTRY)
}

fn kind(entry: &[u8]) -> u8 {
    entry.get(4).copied().unwrap_or(0)
}

fn names_partition(sector: &[u8]) -> bool {
    entries(sector).any(|entry| le32(entry, 12).is_some_and(|sectors| sectors != 0))
}

fn is_protective(sector: &[u8]) -> bool {
    entries(sector).any(|entry| kind(entry) == PROTECTIVE)
}

/// Whether it is a DOS partition table rather than the boot sector of a FAT or NTFS file system.
fn is_dos(disk: &Disk<'_>, sector: &[u8]) -> bool {
    if !entries(sector).all(|entry| matches!(entry.first(), Some(0 | 0x80))) {
        return false;
    }
    for signature in [dos::vfat, dos::exfat, dos::ntfs] {
        let mut fields = Fields { disk, bytes: disk.head(), found: Superblock::default() };
        // A FAT whose boot sector is right and whose FSInfo is not is neither: it has told values by then.
        if signature(&mut fields).is_some() || !fields.found.values.is_empty() {
            return false;
        }
    }
    true
}

/// The number of a disk as eight digits; nothing if it is zero.
fn disk_id(sector: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let id = le32(sector, 440).unwrap_or(0);
    if id != 0 {
        push_hex(&id.to_be_bytes(), &[], LOWER, &mut text);
    }
    text
}

fn dos_entry(disk: &Disk<'_>, sector: &[u8], place: Place, found: &mut Superblock) -> Option<()> {
    const MOST: u32 = 255;
    let scale = disk.sector / 512;
    let mut number = 0;
    for entry in entries(sector) {
        number += 1;
        if let Some(start) = is_at(entry, 0, scale, place) {
            return tell(entry, number, &disk_id(sector), start, scale, found);
        }
    }
    // Each link of an extended partition's chain describes one logical partition and where the next link is. They are
    // numbered as the kernel does it.
    let mut links = 0;
    for extended in entries(sector).filter(|entry| is_extended(entry)) {
        let begin = u64::from(le32(extended, 8)?);
        let mut next = Some((0, le32(extended, 12)?));
        while let Some((offset, size)) = next.take().filter(|_| links < MOST && number < MOST) {
            links += 1;
            let at = begin + u64::from(offset);
            let Some(link) = boot_sector(disk, at) else { break };
            for (index, entry) in entries(&link).enumerate() {
                let (start, length) = (le32(entry, 8)?, le32(entry, 12)?);
                // What is in the third and the fourth entry may mean nothing.
                let is_meant = index < 2 || start.checked_add(length).is_some_and(|end| end <= size);
                if is_extended(entry) {
                    next = next.or((length != 0).then_some((start, length)));
                } else if length != 0 && is_meant {
                    number += 1;
                    if let Some(start) = is_at(entry, at, scale, place) {
                        return tell(entry, number, &disk_id(sector), start, scale, found);
                    }
                }
            }
        }
    }
    None
}

fn is_extended(entry: &[u8]) -> bool {
    matches!(kind(entry), 0x05 | 0x0f | 0x85)
}

/// The start of an entry if it is the partition at `place`. The size of an extended partition is not compared, since
/// the kernel shows only its first sectors.
fn is_at(entry: &[u8], base: u64, scale: u64, place: Place) -> Option<u64> {
    let (start, size) = (base + u64::from(le32(entry, 8)?), u64::from(le32(entry, 12)?));
    let is_it = size != 0 && start * scale == place.start && (size * scale == place.size || is_extended(entry));
    is_it.then_some(start)
}

fn tell(entry: &[u8], number: u32, id: &[u8], start: u64, scale: u64, found: &mut Superblock) -> Option<()> {
    found.add("PART_ENTRY_SCHEME", b"dos");
    if !id.is_empty() {
        let mut uuid = id.to_vec();
        uuid.push(b'-');
        push_hex(&[number as u8], &[], LOWER, &mut uuid);
        found.add("PART_ENTRY_UUID", &uuid);
    }
    found.add("PART_ENTRY_TYPE", &hexadecimal(kind(entry).into()));
    let flags = u64::from(*entry.first()?);
    if flags != 0 {
        found.add("PART_ENTRY_FLAGS", &hexadecimal(flags));
    }
    place_of(number.into(), start * scale, u64::from(le32(entry, 12)?) * scale, found);
    Some(())
}

fn place_of(number: u64, start: u64, size: u64, found: &mut Superblock) {
    for (name, value) in [("PART_ENTRY_NUMBER", number), ("PART_ENTRY_OFFSET", start), ("PART_ENTRY_SIZE", size)] {
        found.add(name, value.to_string().as_bytes());
    }
}

/// `0x` and as few digits as there are.
fn hexadecimal(number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    push_hex(&number.to_be_bytes(), &[], LOWER, &mut digits);
    let mut text = b"0x".to_vec();
    for (index, digit) in digits.iter().enumerate() {
        if text.len() > 2 || *digit != b'0' || index == 15 {
            text.push(*digit);
        }
    }
    text
}

/// A GPT whose checksums hold.
struct Gpt {
    header: Vec<u8>,
    entries: Vec<u8>,
    size: usize,
}

/// The table behind the first sector, else its copy in the last one.
fn gpt(disk: &Disk<'_>) -> Option<Gpt> {
    let last = (disk.size / disk.sector).checked_sub(1)?;
    gpt_at(disk, 1, last).or_else(|| gpt_at(disk, last, last))
}

fn gpt_at(disk: &Disk<'_>, location: u64, last: u64) -> Option<Gpt> {
    let header = disk.bytes(location.checked_mul(disk.sector)?, 512)?;
    let length = le32(&header, 12)? as usize;
    if !header.starts_with(b"EFI PART") || !(92..=512).contains(&length) {
        return None;
    }
    let mut summed = header.get(..length)?.to_vec();
    summed.get_mut(16..20)?.fill(0);
    let (first_usable, last_usable) = (le64(&header, 40)?, le64(&header, 48)?);
    let is_valid = !crc32(ETHERNET, !0, &summed) == le32(&header, 16)?
        && le64(&header, 24)? == location
        && first_usable <= last_usable
        && last_usable <= last
        && !(first_usable..=last_usable).contains(&location);
    let size = le32(&header, 84)? as usize;
    if !is_valid || size < 128 {
        return None;
    }
    let length = size.checked_mul(le32(&header, 80)? as usize)?;
    let entries = disk.bytes(le64(&header, 72)?.checked_mul(disk.sector)?, length)?;
    (!crc32(ETHERNET, !0, &entries) == le32(&header, 88)?).then_some(Gpt { header, entries, size })
}

impl Gpt {
    fn entry(&self, place: Place, sector: u64, found: &mut Superblock) -> Option<()> {
        let scale = sector / 512;
        let mut number = 0;
        for entry in self.entries.chunks_exact(self.size) {
            number += 1;
            let (first, last) = (le64(entry, 32)?, le64(entry, 40)?);
            let size = last.wrapping_sub(first).wrapping_add(1).wrapping_mul(scale);
            let start = first.wrapping_mul(scale);
            if field::bytes(entry, 0, 16)?.iter().all(|byte| *byte == 0) || (start, size) != (place.start, place.size) {
                continue;
            }
            found.add("PART_ENTRY_SCHEME", b"gpt");
            found.add("PART_ENTRY_NAME", &field::utf16(field::bytes(entry, 56, 72)?, false));
            found.add("PART_ENTRY_UUID", &guid(entry, 16));
            found.add("PART_ENTRY_TYPE", &guid(entry, 0));
            let flags = le64(entry, 48)?;
            if flags != 0 {
                found.add("PART_ENTRY_FLAGS", &hexadecimal(flags));
            }
            place_of(number, start, size, found);
            return Some(());
        }
        None
    }
}

/// A UUID as UEFI stores it: the first three of its five numbers are little endian.
fn guid(all: &[u8], offset: usize) -> Vec<u8> {
    const ORDER: [u8; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut bytes = Vec::with_capacity(16);
    for from in ORDER {
        bytes.extend(all.get(offset + usize::from(from)));
    }
    field::uuid(&bytes).unwrap_or_default()
}
