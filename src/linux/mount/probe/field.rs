//! The fields of superblocks: numbers, texts, UUIDs, checksums.

use crate::number;

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

/// The same without white space in front of it, either.
#[inline(never)]
pub fn trimmed(field: &[u8]) -> &[u8] {
    text(field).trim_ascii_start()
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

/// A text in which bytes may stand as `\xHH`, as udev writes it.
pub fn decode(text: &[u8]) -> Vec<u8> {
    let (mut value, mut at) = (Vec::new(), 0);
    while let Some(mut byte) = text.get(at).copied() {
        at += 1;
        if byte == b'\\'
            && let Some([b'x', digits @ ..]) = text.get(at..at + 3)
            && let Some(escaped) = number::in_base(digits, 16)
        {
            byte = escaped as u8;
            at += 3;
        }
        value.push(byte);
    }
    value
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

/// UTF-16 to its first NUL. Half of a pair that has no other half is written as if it were a character.
#[inline(never)]
pub fn utf16(field: &[u8], is_big_endian: bool) -> Vec<u8> {
    let mut text = Vec::new();
    let at = |offset| if is_big_endian { be16(field, offset) } else { le16(field, offset) };
    let mut offset = 0;
    while let Some(unit) = at(offset).filter(|unit| *unit != 0) {
        offset += 2;
        let mut code = u32::from(unit);
        if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (unit, at(offset)) {
            code = 0x1_0000 + ((code & 0x3ff) << 10) + u32::from(low & 0x3ff);
            offset += 2;
        }
        match char::from_u32(code) {
            Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => text.extend_from_slice(&[0xed, 0x80 | (code >> 6) as u8 & 0x3f, 0x80 | code as u8 & 0x3f]),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded() {
        for (text, value) in
            [("a\\x20b\\xC3\\xa4", "a b\u{e4}"), ("\\xzz\\n\\x4", "\\xzz\\n\\x4"), ("\\\\x41\\", "\\A\\")]
        {
            assert_eq!(decode(text.as_bytes()), value.as_bytes(), "{text}");
        }
    }
}
