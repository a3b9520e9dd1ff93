//! The volume descriptors of ISO 9660 and UDF (ECMA-119, ECMA-167).

use super::disk::{Disk, Fields};
use super::field::{self, LOWER, le16, le32, push_hex, text, trimmed, utf16};
use super::filesystems::Type;

const DESCRIPTORS: u64 = 32_768;
const DESCRIPTOR: usize = 2048;

pub fn iso9660(at: &mut Fields<'_>) -> Type {
    let first = at.disk.session.checked_add(DESCRIPTORS)?;
    if !at.disk.has(first.checked_add(1)?, b"CD001") {
        return None;
    }
    // The volume descriptors in use: 0 for booting, 1 the primary one, 2 with Joliet's names.
    const MOST: u64 = 16;
    const END: u8 = 255;
    let (mut boot, mut primary, mut joliet) = (None, None, None);
    for index in 0..MOST {
        let Some(descriptor) = at.disk.bytes(first.saturating_add(index * DESCRIPTOR as u64), DESCRIPTOR) else {
            break;
        };
        let is_joliet = descriptor.get(88..90) == Some(b"%/") && matches!(descriptor.get(90), Some(b'@' | b'C' | b'E'));
        match descriptor.first() {
            Some(0) => boot = boot.or(Some(descriptor)),
            Some(1) => primary = primary.or(Some(descriptor)),
            Some(2) if is_joliet => joliet = joliet.or(Some(descriptor)),
            Some(&END) | None => break,
            _ => {}
        }
    }
    let primary = primary?;
    let block = le16(&primary, 128).filter(|block| usize::from(*block) == DESCRIPTOR)?;
    root(at.disk, &primary)?;
    at.blocks(block.into(), block.into());
    at.number("FSSIZE", u64::from(block) * u64::from(le32(&primary, 80)?));
    let wide = joliet.as_deref();
    for (key, offset, length, may_be_file) in [
        ("SYSTEM_ID", 8, 32, false),
        ("VOLUME_SET_ID", 190, 128, false),
        ("PUBLISHER_ID", 318, 128, true),
        ("DATA_PREPARER_ID", 446, 128, true),
        ("APPLICATION_ID", 574, 128, true),
    ] {
        let value = name(field::bytes(&primary, offset, length)?, field_of(wide, offset, length), may_be_file);
        at.found.add(key, trimmed(&value));
    }
    // The UUID is made of the time of modification, or of creation if that is missing.
    let date = |offset: usize| {
        let digits = field::bytes(&primary, offset, 16)?;
        let zone = *primary.get(offset + 16)?;
        (digits.iter().any(|digit| *digit != b'0') || zone != 0).then_some(digits)
    };
    if let Some(digits) = date(830).or_else(|| date(813)) {
        let mut uuid = Vec::with_capacity(22);
        for (index, digit) in digits.iter().enumerate() {
            if index >= 4 && index % 2 == 0 {
                uuid.push(b'-');
            }
            uuid.push(*digit);
        }
        at.found.add("UUID", uuid.split(|byte| *byte == 0).next().unwrap_or_default());
    }
    if let Some(boot) = boot {
        at.found.add("BOOT_SYSTEM_ID", trimmed(field::bytes(&boot, 7, 32)?));
    }
    if wide.is_some() {
        at.found.add("VERSION", b"Joliet Extension");
    }
    at.found.add("LABEL", text(&name(field::bytes(&primary, 40, 32)?, field_of(wide, 40, 32), false)));
    Some("iso9660")
}

/// `None` unless the root directory of a volume begins with the entry of itself, whose name is one zero byte (ECMA-119,
/// 9.1).
fn root(disk: &Disk<'_>, primary: &[u8]) -> Option<()> {
    const ENTRY: usize = 34;
    let (extent, size) = (le32(primary, 158)?, le32(primary, 166)?);
    let entry = disk.bytes(u64::from(extent) * DESCRIPTOR as u64, DESCRIPTOR)?;
    let is_itself = usize::from(*entry.first()?) >= ENTRY
        && le32(&entry, 2) == Some(extent)
        && field::bytes(&entry, 32, 2)? == [1, 0];
    (size as usize >= ENTRY && is_itself).then_some(())
}

fn field_of(descriptor: Option<&[u8]>, offset: usize, length: usize) -> Option<&[u8]> {
    field::bytes(descriptor?, offset, length)
}

/// What both descriptors say: Joliet's field has letters that the primary one lacks, but is half as long, and either has an
/// underscore in place of what it cannot have. Where they disagree, Joliet's counts. `may_be_file`: a name that begins
/// with an underscore is that of a file, and not told.
fn name(primary: &[u8], joliet: Option<&[u8]>, may_be_file: bool) -> Vec<u8> {
    let is_told = |field: &[u8], blank: &[u8]| {
        !may_be_file
            || field.get(blank.len() - 1) != Some(&b'_') && field.chunks_exact(blank.len()).any(|one| one != blank)
    };
    let is_primary_told = is_told(primary, b" ");
    let Some(joliet) = joliet.filter(|joliet| is_told(joliet, b"\0 ")) else {
        return if is_primary_told { primary.to_vec() } else { Vec::new() };
    };
    let mut merged = Vec::with_capacity(2 * primary.len());
    for (pair, byte) in joliet.chunks_exact(2).zip(primary) {
        match pair {
            [0, b'_'] => merged.extend_from_slice(&[0, *byte]),
            [0, other] if other.eq_ignore_ascii_case(byte) => merged.extend_from_slice(pair),
            _ if *byte == b'_' => merged.extend_from_slice(pair),
            _ => return utf16(joliet, true),
        }
    }
    if !is_primary_told {
        return utf16(joliet, true);
    }
    for byte in primary.iter().skip(primary.len() / 2) {
        merged.extend_from_slice(&[0, *byte]);
    }
    utf16(&merged, true)
}

/// The descriptor of a kind at a place, which its tag has to know.
fn tagged(disk: &Disk<'_>, block: u64, location: u64) -> Option<(u16, Vec<u8>)> {
    let descriptor = disk.bytes(location.checked_mul(block)?, 512)?;
    let kind = le16(&descriptor, 0)?;
    (u64::from(le32(&descriptor, 12)?) == location).then_some((kind, descriptor))
}

pub fn udf(at: &mut Fields<'_>) -> Type {
    if !matches!(
        at.disk.bytes(at.disk.session.checked_add(DESCRIPTORS + 1)?, 5)?.as_slice(),
        b"BEA01" | b"NSR02" | b"NSR03" | b"CD001" | b"BOOT2" | b"CDW02"
    ) {
        return None;
    }
    const ANCHOR: u16 = 2;
    let disk = at.disk;
    for shift in 9..=15 {
        let block = 1_u64 << shift;
        if !has_nsr(disk, block.max(DESCRIPTOR as u64)) {
            continue;
        }
        let last = disk.size >> shift;
        let session = disk.session >> shift;
        for location in [session.saturating_add(256), last.saturating_sub(257), last.saturating_sub(1), 512] {
            if let Some((ANCHOR, anchor)) = tagged(disk, block, location) {
                let blocks = u64::from(le32(&anchor, 16)?) >> shift;
                let start = u64::from(le32(&anchor, 20)?);
                volume(at, block, start, blocks)?;
                return Some("udf");
            }
        }
    }
    None
}

/// Whether the descriptors say that ECMA-167 is followed.
fn has_nsr(disk: &Disk<'_>, step: u64) -> bool {
    const MOST: u64 = 64;
    for index in 0..MOST {
        match disk.bytes(disk.session.saturating_add(DESCRIPTORS + 1 + index * step), 5).as_deref() {
            Some(b"NSR02" | b"NSR03") => return true,
            Some(b"BEA01" | b"BOOT2" | b"CD001" | b"CDW02" | b"TEA01") => {}
            _ => return false,
        }
    }
    false
}

/// Reads the descriptors of a volume.
fn volume(at: &mut Fields<'_>, block: u64, start: u64, blocks: u64) -> Option<()> {
    const PRIMARY: u16 = 1;
    const IMPLEMENTATION: u16 = 4;
    const LOGICAL: u16 = 6;
    const TERMINATOR: u16 = 8;
    const INTEGRITY: u16 = 9;
    const MOST: u64 = 64;
    // The only set of characters that UDF has.
    const UNICODE: &[u8] = b"\0OSTA Compressed Unicode\0";
    let (mut has_primary, mut has_logical, mut revision) = (false, false, None);
    for location in start..start + blocks.min(MOST) {
        let Some((kind, descriptor)) = tagged(at.disk, block, location) else { break };
        let told = |set: usize, offset: usize, length: usize| {
            let is_unicode = field::bytes(&descriptor, set, UNICODE.len()) == Some(UNICODE);
            dstring(field::bytes(&descriptor, offset, length).filter(|_| is_unicode))
        };
        match kind {
            PRIMARY if !has_primary => {
                has_primary = true;
                at.found.add("VOLUME_ID", &told(200, 24, 32));
                let set = told(200, 72, 128);
                at.found.add("UUID", &set_uuid(&set));
                at.found.add("VOLUME_SET_ID", &set);
                // The program's own name, else that of what wrote the volume for it.
                for offset in [345, 389] {
                    let program = text(field::bytes(&descriptor, offset, 23)?);
                    if !program.is_empty() {
                        at.found.add("APPLICATION_ID", program.strip_prefix(b"*").unwrap_or(program));
                        break;
                    }
                }
            }
            IMPLEMENTATION if field::bytes(&descriptor, 21, 13) == Some(b"*UDF LV Info\0") => {
                at.found.add("PUBLISHER_ID", &told(52, 244, 36));
            }
            LOGICAL if !has_logical => {
                has_logical = field::bytes(&descriptor, 217, 20)? == b"*OSTA UDF Compliant\0";
                let name = told(20, 84, 128);
                at.found.add("LABEL", &name);
                at.found.add("LOGICAL_VOLUME_ID", &name);
                revision = le16(&descriptor, 240);
                let place = le32(&descriptor, 436)?;
                if let Some((INTEGRITY, integrity)) = tagged(at.disk, block, place.into()) {
                    let partitions = le32(&integrity, 72)? as usize;
                    let used = partitions.checked_mul(8).and_then(|tables| tables.checked_add(80 + 40))?;
                    revision = le16(&integrity, used).or(revision);
                }
            }
            TERMINATOR => break,
            _ => {}
        }
    }
    if !has_primary || !has_logical {
        return None;
    }
    if let Some(revision) = revision {
        let mut version = Vec::new();
        push_hex(&[(revision >> 8) as u8, revision as u8], &[], LOWER, &mut version);
        version.insert(2, b'.');
        at.found.add("VERSION", version.strip_prefix(b"0").unwrap_or(&version));
    }
    at.blocks(block, block);
    Some(())
}

/// A text with its compression in front and its length behind.
fn dstring(field: Option<&[u8]>) -> Vec<u8> {
    let Some([compression, characters @ .., length]) = field else { return Vec::new() };
    let used = usize::from(*length).saturating_sub(1);
    let characters = characters.get(..used).unwrap_or(characters);
    match compression {
        8 | 254 => {
            let mut wide = Vec::with_capacity(characters.len() * 2);
            for byte in characters {
                wide.extend_from_slice(&[0, *byte]);
            }
            utf16(&wide, true)
        }
        16 | 255 => utf16(characters, true),
        _ => Vec::new(),
    }
}

/// The UUID that is in the beginning of a volume set's name: sixteen digits, or the digits of the bytes that are none.
fn set_uuid(set: &[u8]) -> Vec<u8> {
    let mut uuid = Vec::new();
    let digits = |from: usize, to: usize| set.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_hexdigit));
    match () {
        () if digits(0, 16) => uuid.extend_from_slice(set.get(..16).unwrap_or_default()),
        () if digits(0, 8) => {
            uuid.extend_from_slice(set.get(..8).unwrap_or_default());
            push_hex(set.get(8..12).unwrap_or_default(), &[], LOWER, &mut uuid);
        }
        () => push_hex(set.get(..8).unwrap_or_default(), &[], LOWER, &mut uuid),
    }
    uuid.make_ascii_lowercase();
    if uuid.len() == 16 { uuid } else { Vec::new() }
}
