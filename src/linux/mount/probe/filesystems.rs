//! The superblocks of Linux's own file systems. The offsets are those of the kernel's Documentation/filesystems and
//! each format's specification. A wrong checksum means the remains of an overwritten file system: it is not
//! recognised.

use super::disk::Fields;
use super::field::{self, CASTAGNOLI, ETHERNET, be32, be64, crc32, le16, le32, le64};

/// What a signature finds: the type.
pub type Type = Option<&'static str>;

pub fn ext(at: &mut Fields<'_>) -> Type {
    const AT: usize = 1024;
    if !at.has(AT + 0x38, &[0x53, 0xef]) {
        return None;
    }
    let compatible = at.le32(AT + 0x5c)?;
    let incompatible = at.le32(AT + 0x60)?;
    let read_only = at.le32(AT + 0x64)?;
    const HAS_JOURNAL: u32 = 0x4;
    const JOURNAL_DEVICE: u32 = 0x8;
    const IS_64BIT: u32 = 0x80;
    const HAS_CHECKSUM: u32 = 0x400;
    const TEST_FILESYSTEM: u32 = 0x4;
    // The features that ext3 knows: filetype, recover, meta_bg; sparse_super, large_file, btree_dir. Any other means
    // ext4.
    const RECOVER: u32 = 0x4;
    const EXT2_INCOMPATIBLE: u32 = 0x2 | 0x10;
    const EXT3_INCOMPATIBLE: u32 = EXT2_INCOMPATIBLE | RECOVER;
    const EXT3_READ_ONLY: u32 = 0x1 | 0x2 | 0x4;
    let summed = field::bytes(at.bytes, AT, 0x3fc)?;
    let checksum = at.le32(AT + 0x3fc)?;
    if read_only & HAS_CHECKSUM != 0 && crc32(CASTAGNOLI, !0, summed) != checksum {
        return None;
    }
    let fstype = if incompatible & JOURNAL_DEVICE != 0 {
        "jbd"
    } else if incompatible & !EXT3_INCOMPATIBLE != 0 || read_only & !EXT3_READ_ONLY != 0 {
        if at.le32(AT + 0x160)? & TEST_FILESYSTEM != 0 { "ext4dev" } else { "ext4" }
    } else if compatible & HAS_JOURNAL != 0 {
        "ext3"
    } else if incompatible & RECOVER == 0 {
        "ext2"
    } else {
        return None;
    };
    at.text("LABEL", AT + 0x78, 16);
    at.uuid("UUID", AT + 0x68);
    if compatible & HAS_JOURNAL != 0 {
        at.uuid("EXT_JOURNAL", AT + 0xd0);
    }
    // As far as it says what ext2 may not read.
    if fstype != "ext2" && incompatible & !EXT2_INCOMPATIBLE == 0 {
        at.found.add("SEC_TYPE", b"ext2");
    }
    at.version(at.le32(AT + 0x4c)?.into(), at.le16(AT + 0x3e)?.into());
    let mut blocks = u64::from(at.le32(AT + 4)?);
    if incompatible & IS_64BIT != 0 {
        blocks |= u64::from(at.le32(AT + 0x150)?) << 32;
    }
    if let Some(size) = at.le32(AT + 0x18).filter(|shift| *shift < 32).map(|shift| 1024_u64 << shift) {
        at.blocks(size, size);
        at.number("FSLASTBLOCK", blocks);
        at.number("FSSIZE", blocks.wrapping_mul(size));
    }
    if fstype == "jbd" {
        at.uuid("LOGUUID", AT + 0x68);
    }
    Some(fstype)
}

pub fn xfs(at: &mut Fields<'_>) -> Type {
    if !at.has(0, b"XFSB") {
        return None;
    }
    let block = u64::from(at.be32(4)?);
    let sector = usize::from(at.be16(102)?);
    let is_power = |size: u64, most: u64| size.is_power_of_two() && (512..=most).contains(&size);
    if !is_power(block, 1 << 16) || !is_power(sector as u64, 1 << 15) || at.be32(88)? == 0 {
        return None;
    }
    const CHECKSUM: usize = 224;
    if at.be16(100)? & 15 == 5 {
        let mut summed = field::bytes(at.bytes, 0, sector)?.to_vec();
        summed.get_mut(CHECKSUM..CHECKSUM + 4)?.fill(0);
        if !crc32(CASTAGNOLI, !0, &summed) != at.le32(CHECKSUM)? {
            return None;
        }
    }
    at.text("LABEL", 108, 12);
    at.uuid("UUID", 32);
    let blocks = at.be64(8)?;
    // A log inside of it takes its share.
    let log = if at.be64(48)? == 0 { 0 } else { at.be32(96)? };
    at.number("FSSIZE", blocks.wrapping_sub(log.into()).wrapping_mul(block));
    at.number("FSLASTBLOCK", blocks);
    at.blocks(block, sector as u64);
    Some("xfs")
}

pub fn btrfs(at: &mut Fields<'_>) -> Type {
    const AT: usize = 0x1_0000;
    const LEAST: u64 = 1 << 20;
    if at.disk.size < LEAST || !at.has(AT + 0x40, b"_BHRfS_M") {
        return None;
    }
    const CRC32C: u16 = 0;
    if at.le16(AT + 0xc4)? == CRC32C {
        let summed = field::bytes(at.bytes, AT + 0x20, 4096 - 0x20)?;
        if !crc32(CASTAGNOLI, !0, summed) != at.le32(AT)? {
            return None;
        }
    }
    at.text("LABEL", AT + 0x12b, 256);
    at.uuid("UUID", AT + 0x20);
    at.uuid("UUID_SUB", AT + 0x10b);
    let sector = at.le32(AT + 0x90)?;
    let size = at.le64(AT + 0x70)?;
    at.blocks(sector.into(), sector.into());
    at.number("FSLASTBLOCK", size.checked_div(sector.into())?);
    at.number("FSSIZE", size);
    Some("btrfs")
}

pub fn squashfs(at: &mut Fields<'_>) -> Type {
    let is_big_endian = at.has(0, b"sqsh");
    if !is_big_endian && !at.has(0, b"hsqs") {
        return None;
    }
    if is_big_endian || at.le16(28)? < 4 {
        let (major, minor) = if is_big_endian { (at.be16(28)?, at.be16(30)?) } else { (at.le16(28)?, at.le16(30)?) };
        if major > 3 {
            return None;
        }
        at.version(major.into(), minor.into());
        at.blocks(1024, 1024);
        at.found.add("ENDIANNESS", if is_big_endian { b"BIG" } else { b"LITTLE" });
        return Some("squashfs3");
    }
    at.version(at.le16(28)?.into(), at.le16(30)?.into());
    let block = u64::from(at.le32(12)?);
    at.blocks(block, block);
    at.number("FSSIZE", at.le64(40)?);
    Some("squashfs")
}

pub fn erofs(at: &mut Fields<'_>) -> Type {
    const AT: usize = 1024;
    if !at.has(AT, &[0xe2, 0xe1, 0xf5, 0xe0]) {
        return None;
    }
    let shift = at.byte(AT + 12).filter(|shift| (9..=16).contains(shift))?;
    let block = 1_usize << shift;
    if at.le32(AT + 8)? & 1 != 0 {
        // The block that the superblock is in, from it on, as if there were no checksum in it.
        let mut summed = field::bytes(at.bytes, AT, block.max(2048) - AT)?.to_vec();
        summed.get_mut(4..8)?.fill(0);
        if crc32(CASTAGNOLI, !0, &summed) != at.le32(AT + 4)? {
            return None;
        }
    }
    at.text("LABEL", AT + 64, 16);
    at.uuid("UUID", AT + 48);
    at.blocks(block as u64, block as u64);
    at.number("FSSIZE", u64::from(at.le32(AT + 36)?) << shift);
    Some("erofs")
}

pub fn f2fs(at: &mut Fields<'_>) -> Type {
    const AT: usize = 1024;
    const MAGIC: u32 = 0xf2f5_2010;
    if at.le32(AT)? != MAGIC {
        return None;
    }
    let (major, minor) = (at.le16(AT + 4)?, at.le16(AT + 6)?);
    let checksum = at.le32(AT + 32)? as usize;
    if checksum != 0 {
        let summed = field::bytes(at.bytes, AT, checksum.min(4096))?;
        if crc32(ETHERNET, MAGIC, summed) != at.le32(AT + checksum)? {
            return None;
        }
    }
    // The very first version had no fields that can be trusted.
    if major == 1 && minor == 0 {
        return Some("f2fs");
    }
    let label = field::bytes(at.bytes, AT + 124, 1024).map(|label| field::utf16(label, false))?;
    at.found.add("LABEL", label.trim_ascii_end());
    at.uuid("UUID", AT + 108);
    at.version(major.into(), minor.into());
    let shift = at.le32(AT + 16)?;
    if shift < 31 {
        at.blocks(1 << shift, 1 << shift);
        at.number("FSSIZE", at.le64(AT + 36)? << shift);
    }
    Some("f2fs")
}

/// Of the first field of a superblock's end that is of a kind: where it is, and how long.
fn bcachefs_field(all: &[u8], kinds: [u32; 2]) -> Option<(u32, usize, usize)> {
    let mut at = 752_usize;
    loop {
        let length = (le32(all, at)? as usize).checked_mul(8).filter(|length| *length > 0)?;
        let kind = le32(all, at.checked_add(4)?)?;
        if kinds.contains(&kind) {
            return Some((kind, at, length));
        }
        at = at.checked_add(length)?;
    }
}

pub fn bcachefs(at: &mut Fields<'_>) -> Type {
    const AT: usize = 4096;
    let magic = field::bytes(at.bytes, AT + 24, 16)?;
    let is_known = matches!(
        magic,
        b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef"
            | b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"
    );
    const LEAST: u64 = 128 << 10;
    if at.disk.size < LEAST || !is_known || field::bytes(at.bytes, AT + 240, 16)? != magic {
        return None;
    }
    const FIXED: usize = 752;
    const CRC32C: u64 = 1;
    let (index, count) = (at.byte(AT + 122)?, at.byte(AT + 123)?);
    let all = at.disk.bytes(AT as u64, FIXED + (at.le32(AT + 124)? as usize).checked_mul(8)?)?;
    let is_summed = (at.le64(AT + 144)? >> 2) & 0x3f == CRC32C;
    if index >= count || (is_summed && !crc32(CASTAGNOLI, !0, all.get(16..)?) != at.le32(AT)?) {
        return None;
    }
    at.uuid("UUID", AT + 56);
    at.text("LABEL", AT + 72, 32);
    let version = at.le16(AT + 16)?;
    at.version(u64::from(version >> 10), u64::from(version & 0x3ff));
    let block = u64::from(at.le16(AT + 120)?) * 512;
    at.number("BLOCK_SIZE", block);
    at.number("FSBLOCKSIZE", block);
    // The devices: the first kind of list has entries of 56 bytes, the second one says how long they are.
    const MEMBERS: u32 = 1;
    const MEMBERS_V2: u32 = 11;
    if let Some((kind, start, length)) = bcachefs_field(&all, [MEMBERS, MEMBERS_V2]) {
        let (first, each) = match kind {
            MEMBERS => (8, 56),
            _ => (16, usize::from(le16(&all, start + 8)?)),
        };
        let list = field::bytes(&all, start, length)?.get(first..)?;
        let mut size = 0_u64;
        for (number, member) in list.chunks_exact(each.max(28)).take(count.into()).enumerate() {
            if number == usize::from(index)
                && let Some(uuid) = field::bytes(member, 0, 16).and_then(field::uuid)
            {
                at.found.add("UUID_SUB", &uuid);
            }
            let bucket = u64::from(le16(member, 26)?) * 512;
            size = size.wrapping_add(le64(member, 16)?.wrapping_mul(bucket));
        }
        at.number("FSSIZE", size);
    }
    Some("bcachefs")
}

pub fn zfs(at: &mut Fields<'_>) -> Type {
    const LABEL: u64 = 256 << 10;
    const PAIRS: u64 = 16 << 10;
    // A pool takes no smaller device.
    const LEAST: u64 = 64 << 20;
    if at.disk.size < LEAST {
        return None;
    }
    let last = (at.disk.size & !(LABEL - 1)).checked_sub(LABEL)?;
    for label in [0, LABEL, last.saturating_sub(LABEL), last] {
        let Some(list) = at.disk.bytes(label + PAIRS, 16 << 10) else { continue };
        // As the format of XDR, with the order of bytes of who wrote the rest.
        if let [1, order @ (0 | 1), 0, 0, ..] = list.as_slice()
            && zfs_label(&list, at).is_some()
        {
            at.found.add("ENDIANNESS", if *order == 0 { b"BIG" } else { b"LITTLE" });
            return Some("zfs_member");
        }
    }
    None
}

/// Tells a label's names and numbers; `None` unless it is that of a pool's device.
fn zfs_label(list: &[u8], at: &mut Fields<'_>) -> Option<()> {
    const FIRST: usize = 12;
    const STRING: u32 = 9;
    const LIST: u32 = 19;
    // The states of a spare and of a device that caches. Neither has a pool; what else has been in one has its transactions.
    let number = |name: &[u8]| zfs_number(list, FIRST, name);
    if !matches!(number(b"state")?, 3 | 4) && number(b"txg")? == 0 {
        return None;
    }
    number(b"guid")?;
    for (name, tag) in [(&b"version"[..], "VERSION"), (b"name", "LABEL"), (b"pool_guid", "UUID"), (b"guid", "UUID_SUB")]
    {
        if let Some(number) = number(name).filter(|number| *number != 0) {
            at.number(tag, number);
        } else if let Some(text) = zfs_pair(list, FIRST, name, STRING) {
            at.found.add(tag, field::bytes(list, text + 4, be32(list, text)? as usize)?.trim_ascii_end());
        }
    }
    let tree = zfs_pair(list, FIRST, b"vdev_tree", LIST);
    if let Some(shift) = tree.and_then(|tree| zfs_number(list, tree + 8, b"ashift")).filter(|shift| *shift < 32) {
        at.blocks(1 << shift, 1 << shift);
    }
    Some(())
}

#[inline(never)]
fn zfs_number(list: &[u8], first: usize, name: &[u8]) -> Option<u64> {
    const NUMBER: u32 = 8;
    be64(list, zfs_pair(list, first, name, NUMBER)?)
}

/// Where the value is that has a name and is of a kind.
#[inline(never)]
fn zfs_pair(list: &[u8], first: usize, wanted: &[u8], kind: u32) -> Option<usize> {
    let mut at = first;
    loop {
        let length = be32(list, at).filter(|length| *length != 0)? as usize;
        let name = field::bytes(list, at + 12, be32(list, at + 8)? as usize)?;
        let value = at + 12 + name.len().next_multiple_of(4);
        if name == wanted && be32(list, value)? == kind {
            return Some(value + 8);
        }
        at = at.checked_add(length)?;
    }
}
