//! The fields of superblocks: numbers, texts, UUIDs, checksums.

/// A part of some bytes. Not inlined, like the functions for numbers below: there are hundreds of calls.
#[inline(never)]
pub fn bytes(all: &[u8], offset: usize, length: usize) -> Option<&[u8]> {
    all.get(offset..offset.checked_add(length)?)
}

#[inline(never)]
pub fn le16(all: &[u8], offset: usize) -> Option<u16> {
    bytes(all, offset, 2)?.try_into().ok().map(u16::from_le_bytes)
}

#[inline(never)]
pub fn le32(all: &[u8], offset: usize) -> Option<u32> {
    bytes(all, offset, 4)?.try_into().ok().map(u32::from_le_bytes)
}

#[inline(never)]
pub fn le64(all: &[u8], offset: usize) -> Option<u64> {
    bytes(all, offset, 8)?.try_into().ok().map(u64::from_le_bytes)
}

#[inline(never)]
pub fn be16(all: &[u8], offset: usize) -> Option<u16> {
    le16(all, offset).map(u16::swap_bytes)
}

#[inline(never)]
pub fn be32(all: &[u8], offset: usize) -> Option<u32> {
    le32(all, offset).map(u32::swap_bytes)
}

#[inline(never)]
pub fn be64(all: &[u8], offset: usize) -> Option<u64> {
    le64(all, offset).map(u64::swap_bytes)
}

/// A text up to its first NUL, without blanks at its end.
#[inline(never)]
pub fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default().trim_ascii_end()
}

/// The digits of hexadecimal numbers.
pub const LOWER: &[u8; 16] = b"0123456789abcdef";
/// The digits of hexadecimal numbers in DOS's serial numbers.
pub const UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// Adds bytes as digits, a dash before each of the indices.
#[inline(never)]
pub fn push_hex(bytes: &[u8], dashes: &[usize], digits: &[u8; 16], text: &mut Vec<u8>) {
    for (index, byte) in bytes.iter().enumerate() {
        if dashes.contains(&index) {
            text.push(b'-');
        }
        text.extend(digits.get(usize::from(byte >> 4)));
        text.extend(digits.get(usize::from(byte & 15)));
    }
}

/// Where the dashes of a UUID are.
const DASHES: [usize; 4] = [4, 6, 8, 10];

/// Sixteen bytes as `01234567-89ab-...`; `None` if all are zero.
pub fn uuid(field: &[u8]) -> Option<Vec<u8>> {
    if field.iter().all(|&byte| byte == 0) {
        return None;
    }
    let mut text = Vec::with_capacity(36);
    push_hex(field, &DASHES, LOWER, &mut text);
    Some(text)
}

/// UTF-16 to its first NUL. What is no character is U+FFFD.
#[inline(never)]
pub fn utf16(field: &[u8], is_big_endian: bool) -> Vec<u8> {
    let mut text = Vec::new();
    let mut high = 0;
    for pair in field.chunks_exact(2) {
        let Some(unit) = (if is_big_endian { be16(pair, 0) } else { le16(pair, 0) }) else { break };
        if unit == 0 {
            break;
        }
        let mut unit = u32::from(unit);
        match unit {
            0xd800..0xdc00 => {
                high = unit;
                continue;
            }
            0xdc00..0xe000 if high != 0 => unit = 0x1_0000 + ((high & 0x3ff) << 10) + (unit & 0x3ff),
            _ => {}
        }
        high = 0;
        let character = char::from_u32(unit).unwrap_or('\u{fffd}');
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    text
}

/// The polynomial of crc32c.
pub const CASTAGNOLI: u32 = 0x82f6_3b78;
/// The polynomial of Ethernet's crc32.
pub const ETHERNET: u32 = 0xedb8_8320;

/// A cyclic redundancy check, the register as it is afterwards.
#[inline(never)]
pub fn crc32(polynomial: u32, mut register: u32, bytes: &[u8]) -> u32 {
    for byte in bytes {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            register = (register >> 1) ^ if register & 1 == 0 { 0 } else { polynomial };
        }
    }
    register
}
