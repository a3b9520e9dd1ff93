//! Every known signature, in the order of probing.

use super::disk::{Disk, Fields};
use super::{Superblock, disc, dos, filesystems, members};

/// The types, in that order; each entry has those that one signature tells apart.
const NAMES: &str = "linux_raid_member;bcachefs;LVM2_member;crypto_LUKS;vfat;swsuspend swap;xfs;\
    ext4dev ext4 ext3 ext2 jbd;udf;iso9660;zfs_member;ntfs;squashfs squashfs3;btrfs;exfat;f2fs;erofs";

/// Every type that is known.
pub fn types() -> impl Iterator<Item = &'static str> {
    NAMES.split([';', ' '])
}

/// What a type is used for, as `blkid --usages` calls it.
pub fn usage(fstype: &str) -> &'static str {
    match fstype {
        "crypto_LUKS" => "crypto",
        "linux_raid_member" | "LVM2_member" => "raid",
        "swap" | "swsuspend" | "jbd" => "other",
        _ => "filesystem",
    }
}

/// The type that the signature with this index finds.
fn read(index: usize, at: &mut Fields<'_>) -> Option<&'static str> {
    match index {
        0 => members::md(at),
        1 => filesystems::bcachefs(at),
        2 => members::lvm(at),
        3 => members::luks(at),
        4 => dos::vfat(at),
        5 => members::swap(at),
        6 => filesystems::xfs(at),
        7 => filesystems::ext(at),
        8 => disc::udf(at),
        9 => disc::iso9660(at),
        10 => filesystems::zfs(at),
        11 => dos::ntfs(at),
        12 => filesystems::squashfs(at),
        13 => filesystems::btrfs(at),
        14 => dos::exfat(at),
        15 => filesystems::f2fs(at),
        _ => filesystems::erofs(at),
    }
}

/// Looks for every signature whose type is `wanted`.
pub fn search(disk: &Disk<'_>, wanted: &dyn Fn(&str) -> bool) -> Vec<Superblock> {
    let mut all = Vec::new();
    // An extended partition is that small, and nothing is on it.
    if disk.size <= 1024 {
        return all;
    }
    for index in 0..NAMES.split(';').count() {
        let mut at = Fields { disk, bytes: disk.head(), found: Superblock::default() };
        let Some(fstype) = read(index, &mut at) else { continue };
        // What is as small as a floppy disk is no part of an array.
        const FLOPPY: u64 = 1440 << 10;
        if !wanted(fstype) || (usage(fstype) == "raid" && disk.size <= FLOPPY) {
            continue;
        }
        at.found.fstype = fstype;
        all.push(at.found);
        // Stop at a container (LUKS, RAID): signatures of its contents may be visible, but cannot be used from
        // outside.
        if matches!(usage(fstype), "crypto" | "raid") {
            break;
        }
    }
    all
}
