//! Probes a device: the type, label, UUID and other values of its superblock, named as in blkid(8).

mod cache;
mod device;
mod disc;
mod disk;
mod dos;
mod field;
mod filesystems;
mod formats;
mod members;
mod named;
mod partitions;
mod tag;

pub use cache::{Cache, CacheEntry};
pub use device::{Device, Wanted, block_devices, device, preferred, tagged_devices, tags_of};
pub use disk::{Disk, HEAD, Reader};
pub use formats::{search, types, usage};
pub use named::NamedDevice;
pub use partitions::{Place, entry, table};
pub use tag::{encode, name_and_value};

/// What a superblock says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Superblock {
    /// The type's name for mount -t. Types whose usage is not `filesystem` cannot be mounted.
    pub fstype: &'static str,
    /// The other values under blkid's names: `LABEL`, `UUID`, `BLOCK_SIZE`. None is empty.
    pub values: Vec<(&'static str, Vec<u8>)>,
}

impl Superblock {
    /// Adds what there is.
    #[inline(never)]
    pub fn add(&mut self, name: &'static str, value: &[u8]) {
        if !value.is_empty() {
            self.values.push((name, value.to_vec()));
        }
    }

    /// The value with a name.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.values.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_slice())
    }

    /// Whether it has a tag.
    pub fn has(&self, tag: Tag<'_>) -> bool {
        self.value(tag.kind.name()) == Some(tag.value)
    }

    /// The label, without the padding behind it.
    pub fn label(&self) -> Option<&[u8]> {
        self.value("LABEL")
    }

    /// The UUID or serial number.
    pub fn uuid(&self) -> Option<&[u8]> {
        self.value("UUID")
    }
}

/// What was found on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// Nothing that is known.
    Nothing,
    /// One signature, or one that may have others beside it.
    One(Superblock),
    /// More than one: which of them is meant cannot be told.
    Ambiguous(Vec<Superblock>),
}

impl Probed {
    /// Resolves several signatures on one device. UDF and ISO 9660 may stand together on a disc, with the same files.
    pub fn of(mut all: Vec<Superblock>) -> Probed {
        let is_disc = |found: &Superblock| matches!(found.fstype, "udf" | "iso9660");
        match all.as_slice() {
            [] => Probed::Nothing,
            [_] => Probed::One(all.swap_remove(0)),
            several if several.iter().all(is_disc) => Probed::One(all.swap_remove(0)),
            _ => Probed::Ambiguous(all),
        }
    }
}

/// Looks for every signature of what a device may be used as.
pub fn probe(disk: &Disk<'_>) -> Probed {
    Probed::of(search(disk, &|_| true))
}

/// Whether a regular file given as this type is taken for a file system's image, which needs a loop device.
pub fn is_known(fstype: &[u8]) -> bool {
    const NAMES: &str = "ext2 ext3 ext4 xfs btrfs squashfs iso9660 vfat exfat ntfs ntfs3 f2fs";
    super::filesystems::is_listed(fstype, NAMES)
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
        const ALL: [TagKind; 5] = [TagKind::Label, TagKind::Uuid, TagKind::PartLabel, TagKind::PartUuid, TagKind::Id];
        ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TagKind::Label => "LABEL",
            TagKind::Uuid => "UUID",
            TagKind::PartLabel => "PARTLABEL",
            TagKind::PartUuid => "PARTUUID",
            TagKind::Id => "ID",
        }
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

#[cfg(test)]
mod tests;
