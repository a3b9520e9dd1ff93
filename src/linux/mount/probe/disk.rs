//! The bytes to probe: a device or file, or a part of one. Reads outside of them fail.

use super::Superblock;
use super::field::{self, LOWER, be16, be32, be64, le16, le32, le64, push_hex};
use crate::number;

/// How much of the beginning holds most signatures, in bytes.
pub const HEAD: usize = 72 * 1024;

/// Reads the bytes at an offset; how many there are.
pub type Reader<'a> = &'a dyn Fn(u64, &mut [u8]) -> usize;

/// What is probed.
pub struct Disk<'a> {
    read: Reader<'a>,
    head: Vec<u8>,
    /// How many bytes there are.
    pub size: u64,
    /// How many of them are a sector of the device.
    pub sector: u64,
    /// Where the last session of a disc begins, in bytes.
    pub session: u64,
}

impl<'a> Disk<'a> {
    /// So many bytes, which `read` reads.
    pub fn new(read: Reader<'a>, size: u64) -> Disk<'a> {
        let mut head = vec![0; HEAD.min(usize::try_from(size).unwrap_or(HEAD))];
        let got = read(0, &mut head);
        head.truncate(got);
        Disk { read, head, size, sector: 512, session: 0 }
    }

    /// The beginning, as far as it could be read.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes at an offset; `None` unless all of them are there.
    #[inline(never)]
    pub fn bytes(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let end = offset.checked_add(length as u64)?;
        if end > self.size || length > 1 << 20 {
            return None;
        }
        if let Ok(start) = usize::try_from(offset)
            && let Some(bytes) = field::bytes(&self.head, start, length)
        {
            return Some(bytes.to_vec());
        }
        let mut bytes = vec![0; length];
        ((self.read)(offset, &mut bytes) == length).then_some(bytes)
    }

    /// Whether the bytes at an offset are these.
    #[inline(never)]
    pub fn has(&self, offset: u64, magic: &[u8]) -> bool {
        self.bytes(offset, magic.len()).is_some_and(|bytes| bytes == magic)
    }

    /// Whether it has one of these magics, `OFFSET:MAGIC:OFFSET:MAGIC...`: in hexadecimal, with a point for each digit
    /// that says nothing. A negative offset counts from the end.
    #[inline(never)]
    pub fn has_magic(&self, places: &str) -> bool {
        let mut words = places.split(':');
        while let (Some(offset), Some(magic)) = (words.next(), words.next()) {
            let distance = |digits: &str| number::decimal(digits.as_bytes()).unwrap_or(0);
            let offset = match offset.strip_prefix('-') {
                Some(back) => self.size.wrapping_sub(distance(back)),
                None => distance(offset),
            };
            let mut digits = Vec::new();
            push_hex(&self.bytes(offset, magic.len() / 2).unwrap_or_default(), &[], LOWER, &mut digits);
            if digits.len() == magic.len()
                && digits.iter().zip(magic.bytes()).all(|(own, any)| any == b'.' || any == *own)
            {
                return true;
            }
        }
        false
    }
}

/// A superblock being read: the bytes that offsets refer to, and the values found.
pub struct Fields<'a> {
    /// All there is.
    pub disk: &'a Disk<'a>,
    /// The bytes that hold the fields; by default the beginning of the disk.
    pub bytes: &'a [u8],
    /// What has been found.
    pub found: Superblock,
}

impl Fields<'_> {
    #[inline(never)]
    pub fn has(&self, offset: usize, magic: &[u8]) -> bool {
        field::bytes(self.bytes, offset, magic.len()).is_some_and(|bytes| bytes == magic)
    }

    #[inline(never)]
    pub fn byte(&self, offset: usize) -> Option<u8> {
        self.bytes.get(offset).copied()
    }

    #[inline(never)]
    pub fn le16(&self, offset: usize) -> Option<u16> {
        le16(self.bytes, offset)
    }

    #[inline(never)]
    pub fn le32(&self, offset: usize) -> Option<u32> {
        le32(self.bytes, offset)
    }

    #[inline(never)]
    pub fn le64(&self, offset: usize) -> Option<u64> {
        le64(self.bytes, offset)
    }

    #[inline(never)]
    pub fn be16(&self, offset: usize) -> Option<u16> {
        be16(self.bytes, offset)
    }

    #[inline(never)]
    pub fn be32(&self, offset: usize) -> Option<u32> {
        be32(self.bytes, offset)
    }

    #[inline(never)]
    pub fn be64(&self, offset: usize) -> Option<u64> {
        be64(self.bytes, offset)
    }

    /// Adds the text of a field, up to its first NUL and without trailing blanks.
    #[inline(never)]
    pub fn text(&mut self, name: &'static str, offset: usize, length: usize) {
        let text = field::bytes(self.bytes, offset, length).map(field::text).unwrap_or_default();
        self.found.add(name, text);
    }

    /// The same without white space in front of it, either.
    #[inline(never)]
    pub fn trimmed(&mut self, name: &'static str, offset: usize, length: usize) {
        let text = field::bytes(self.bytes, offset, length).map(field::trimmed).unwrap_or_default();
        self.found.add(name, text);
    }

    /// Tells sixteen bytes as a UUID, unless all are zero.
    #[inline(never)]
    pub fn uuid(&mut self, name: &'static str, offset: usize) {
        if let Some(uuid) = field::bytes(self.bytes, offset, 16).and_then(field::uuid) {
            self.found.add(name, &uuid);
        }
    }

    /// Tells a number.
    #[inline(never)]
    pub fn number(&mut self, name: &'static str, number: u64) {
        self.found.add(name, number.to_string().as_bytes());
    }

    /// Adds the block sizes: the file system's (`FSBLOCKSIZE`) and the one that it is read by (`BLOCK_SIZE`).
    #[inline(never)]
    pub fn blocks(&mut self, block: u64, sector: u64) {
        self.number("FSBLOCKSIZE", block);
        self.number("BLOCK_SIZE", sector);
    }

    /// Tells a version of two numbers.
    #[inline(never)]
    pub fn version(&mut self, major: u64, minor: u64) {
        let mut version = major.to_string();
        version.push('.');
        version.push_str(&minor.to_string());
        self.found.add("VERSION", version.as_bytes());
    }
}
