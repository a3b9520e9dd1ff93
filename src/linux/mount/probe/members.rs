//! What holds something else, or no files: LUKS, RAID, LVM, swap.

use super::disk::Fields;
use super::field::{self, ETHERNET, crc32, le32, le64};
use super::filesystems::Type;
use super::partitions;

pub fn luks(at: &mut Fields<'_>) -> Type {
    if !at.has(0, b"LUKS\xba\xbe") {
        return None;
    }
    let version = at.be16(6)?;
    // The second version knows where it is; its copy is elsewhere.
    if version == 2 && field::bytes(at.bytes, 256, 8)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    at.number("VERSION", version.into());
    if matches!(version, 1 | 2) {
        at.text("UUID", 168, 40);
    }
    if version == 2 {
        at.text("LABEL", 24, 48);
        at.trimmed("SUBSYSTEM", 208, 48);
    }
    Some("crypto_LUKS")
}

/// Only version 1 is there.
pub fn verity(at: &mut Fields<'_>) -> Type {
    if !at.has(0, b"verity\0\0\x01\0\0\0") {
        return None;
    }
    at.uuid("UUID", 16);
    at.number("VERSION", 1);
    Some("DM_verity_hash")
}

pub fn integrity(at: &mut Fields<'_>) -> Type {
    if !at.has(0, b"integrt\0") {
        return None;
    }
    let version = at.byte(8).filter(|version| *version != 0)?;
    at.number("VERSION", version.into());
    Some("DM_integrity")
}

pub fn md(at: &mut Fields<'_>) -> Type {
    const MAGIC: u32 = 0xa92b_4efc;
    const PAGE: u64 = 64 << 10;
    const SUPERBLOCK: usize = 4096;
    // Version 0.90 of md's superblock begins the last whole, aligned 64 KiB of the device, in either byte order.
    if let Some(last) = (at.disk.size & !(PAGE - 1)).checked_sub(PAGE)
        && let Some(block) = at.disk.bytes(last, 64)
    {
        let word = |index: usize| match le32(&block, 0) {
            Some(MAGIC) => le32(&block, index * 4),
            _ => field::be32(&block, index * 4),
        };
        // What the array has of the device is before it. At the end of a disk it is that of the last partition, if that
        // has all of it.
        let used = u64::from(word(8)?) << 10;
        if word(0) == Some(MAGIC)
            && let Some(first) = last.checked_sub(used)
            && !partitions::covers(at.disk, first, last)
        {
            let mut version = word(1)?.to_string();
            for index in [2, 3] {
                version.push('.');
                version.push_str(&word(index)?.to_string());
            }
            at.found.add("VERSION", version.as_bytes());
            let mut uuid = Vec::new();
            for index in [5, 13, 14, 15] {
                uuid.extend_from_slice(&word(index)?.to_be_bytes());
            }
            at.found.add("UUID", &field::uuid(&uuid)?);
            return Some("linux_raid_member");
        }
    }
    // The second one has three places, and knows in which it is.
    let end = (at.disk.size / 512).checked_sub(16)? & !7;
    for (offset, version) in [(end, "1.0"), (0, "1.1"), (8, "1.2")] {
        let Some(block) = at.disk.bytes(offset * 512, SUPERBLOCK) else { continue };
        if le32(&block, 0)? != MAGIC || le32(&block, 4)? != 1 || le64(&block, 144)? != offset || !is_summed(&block)? {
            continue;
        }
        for (name, place) in [("UUID", 16), ("UUID_SUB", 168)] {
            at.found.add(name, &field::bytes(&block, place, 16).and_then(field::uuid).unwrap_or_default());
        }
        at.found.add("LABEL", field::text(field::bytes(&block, 32, 32)?));
        at.found.add("VERSION", version.as_bytes());
        return Some("linux_raid_member");
    }
    None
}

/// Whether the sum of all words of md's second superblock is right, two bytes for each device behind it among them.
fn is_summed(block: &[u8]) -> Option<bool> {
    let (told, devices) = (le32(block, 216)?, le32(block, 220)? as usize);
    let mut sum = 0_u64;
    for (index, byte) in field::bytes(block, 0, devices.checked_mul(2)?.checked_add(256)?)?.iter().enumerate() {
        sum += u64::from(*byte) << (index % 4 * 8);
    }
    sum -= u64::from(told);
    Some((sum as u32).wrapping_add((sum >> 32) as u32) == told)
}

pub fn lvm(at: &mut Fields<'_>) -> Type {
    for sector in 0..4_u64 {
        let label = at.disk.bytes(sector * 512, 512)?;
        if !label.starts_with(b"LABELONE") || label.get(24..32)? != b"LVM2 001" || le64(&label, 8)? != sector {
            continue;
        }
        const SEED: u32 = 0xf597_a6cf;
        if crc32(ETHERNET, SEED, label.get(20..)?) != le32(&label, 16)? {
            continue;
        }
        let id = field::bytes(&label, le32(&label, 20)? as usize, 32)?;
        let mut uuid = Vec::with_capacity(38);
        for (index, letter) in id.iter().enumerate() {
            if matches!(index, 6 | 10 | 14 | 18 | 22 | 26) {
                uuid.push(b'-');
            }
            uuid.push(*letter);
        }
        at.found.add("UUID", &uuid);
        at.found.add("VERSION", b"LVM2 001");
        return Some("LVM2_member");
    }
    None
}

pub fn swap(at: &mut Fields<'_>) -> Type {
    // Swap's signature ends the first page, whose size depends on the machine that made it.
    const HEADER: usize = 1024;
    const SUSPENDED: [&[u8]; 4] = [b"S1SUSPEND", b"S2SUSPEND", b"ULSUSPEND", b"LINHIB0001"];
    // mkswap makes none of less than ten pages.
    if at.disk.size < 10 * 4096 {
        return None;
    }
    if at.has(0, b"\xed\xc3\x02\xe9\x98\x56\xe5\x0c") {
        at.text("LABEL", HEADER + 28, 16);
        at.uuid("UUID", HEADER + 12);
        at.found.add("VERSION", b"tuxonice");
        return Some("swsuspend");
    }
    for shift in 12..=16 {
        let page = 1_usize << shift;
        let magic = page - 10;
        let suspended = SUSPENDED.into_iter().find(|suspended| at.has(magic, suspended));
        let is_new = at.has(magic, b"SWAPSPACE2");
        if suspended.is_none() && !is_new && !at.has(magic, b"SWAP-SPACE") {
            continue;
        }
        if is_new {
            const VERSION: u32 = 1;
            let is_big_endian = at.be32(HEADER)? == VERSION;
            if !is_big_endian && at.le32(HEADER)? != VERSION {
                return None;
            }
            let last = if is_big_endian { at.be32(HEADER + 4)? } else { at.le32(HEADER + 4)? };
            if last == 0 {
                return None;
            }
            at.found.add("ENDIANNESS", if is_big_endian { b"BIG" } else { b"LITTLE" });
            at.number("FSBLOCKSIZE", page as u64);
            at.number("FSSIZE", page as u64 * u64::from(last));
            at.number("FSLASTBLOCK", u64::from(last) + 1);
        }
        // Where there is something in what mkswap leaves empty, it is no mkswap of today.
        let is_empty = field::bytes(at.bytes, HEADER + 172, 8)?.iter().all(|byte| *byte == 0);
        if is_empty && (is_new || suspended.is_some()) {
            at.text("LABEL", HEADER + 28, 16);
            at.uuid("UUID", HEADER + 12);
        }
        let version: &[u8] = match suspended {
            Some(b"S1SUSPEND") => b"s1suspend",
            Some(b"S2SUSPEND") => b"s2suspend",
            Some(b"ULSUSPEND") => b"ulsuspend",
            Some(_) => b"linhib0001",
            None if is_new => b"1",
            None => b"0",
        };
        at.found.add("VERSION", version);
        return Some(if suspended.is_some() { "swsuspend" } else { "swap" });
    }
    None
}
