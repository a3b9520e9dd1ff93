//! What is on a device: file system type, label and UUID by its superblock.
//!
//! One row of `SIGNATURES` per type; where things are is in the kernel's
//! Documentation/filesystems and in each format's own specification.

mod formats;
mod read;
mod tag;

pub use formats::probe;
pub use read::{device, partition_tags, tagged_devices};

/// What a superblock says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superblock {
    /// The type's name, as mount -t takes it; `swap` and `crypto_LUKS` are no file systems.
    pub fstype: &'static str,
    /// The label, without the padding behind it.
    pub label: Option<Vec<u8>>,
    /// The UUID or serial number, as blkid(8) writes it.
    pub uuid: Option<Vec<u8>>,
}

/// What was found on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// Nothing that is known.
    Nothing,
    /// One signature.
    One(Superblock),
    /// More than one: which of them is meant cannot be told.
    Ambiguous,
}

/// How much of a device's beginning holds every signature, in bytes.
pub const HEAD: usize = 72 * 1024;

/// Access to more of a device than its beginning: the bytes read at an offset.
pub type Reader<'a> = &'a dyn Fn(u64, &mut [u8]) -> usize;

/// Whether a type has a signature here, so that a file of that type is an image of a device.
pub fn is_known(fstype: &[u8]) -> bool {
    const NAMES: &str = "ext2 ext3 ext4 xfs btrfs squashfs iso9660 vfat exfat ntfs ntfs3 f2fs";
    NAMES.split(' ').any(|name| name.as_bytes() == fstype)
}

/// A tag of fstab(5): `LABEL`, `UUID`, `PARTLABEL`, `PARTUUID` or `ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// The file system's label.
    Label,
    /// The file system's UUID.
    Uuid,
    /// The partition's name.
    PartLabel,
    /// The partition's UUID.
    PartUuid,
    /// The hardware's name, which only udev knows.
    Id,
}

impl TagKind {
    /// By its name.
    pub fn parse(name: &[u8]) -> Option<TagKind> {
        Some(match name {
            b"LABEL" => TagKind::Label,
            b"UUID" => TagKind::Uuid,
            b"PARTLABEL" => TagKind::PartLabel,
            b"PARTUUID" => TagKind::PartUuid,
            b"ID" => TagKind::Id,
            _ => return None,
        })
    }

    /// The directory of udev's links.
    pub fn directory(self) -> &'static str {
        match self {
            TagKind::Label => "/dev/disk/by-label/",
            TagKind::Uuid => "/dev/disk/by-uuid/",
            TagKind::PartLabel => "/dev/disk/by-partlabel/",
            TagKind::PartUuid => "/dev/disk/by-partuuid/",
            TagKind::Id => "/dev/disk/by-id/",
        }
    }
}

/// A tag in place of a path: `LABEL=data`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Which name.
    pub kind: TagKind,
    /// Its value, without quotes.
    pub value: &'a [u8],
}

/// A tag that a device has.
pub struct OwnedTag {
    /// Which name.
    pub kind: TagKind,
    /// Its value, without quotes.
    pub value: Vec<u8>,
}

impl OwnedTag {
    /// Whether it is that one.
    pub fn is(&self, tag: Tag<'_>) -> bool {
        self.kind == tag.kind && self.value == tag.value
    }
}

#[cfg(test)]
mod tests;
