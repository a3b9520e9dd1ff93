//! Every known signature, in the order of probing.

use super::disk::{Disk, Fields};
use super::{Superblock, disc, dos, filesystems, members};

/// The types, in that order. An entry has those that one signature tells apart, or one of which no more than the type is
/// told: with the places of its magic, as [`Disk::has_magic`] reads them.
const NAMES: &str = "linux_raid_member;ddf_raid_member:-512:de11de11;\
    isw_raid_member:-1024:496e74656c20526169642049534d20436667205369672e;\
    bcache:4104:0800000000000000................c68573f64e1a45ca8265f57f48ba6d81;bcachefs;\
    ceph_bluestore:0:626c756573746f726520626c6f636b20646576696365;\
    drbd:-4036:8374026b:-4036:8374026c:-4036:8374026d;LVM2_member;DM_snapshot_cow:0:536e41700.000000;\
    DM_verity_hash;DM_integrity;crypto_LUKS;\
    VMFS_volume_member:1048576:0dd001c0;ubi:0:55424923;vdo:0:646d76646f303031;\
    stratis:516:2153747261307469:4612:2153747261307469;BitLocker:3:2d4656452d46532d;vfat;swsuspend swap;xfs;\
    xfs_external_log:0:feedbabe........000000;ext4dev ext4 ext3 ext2 jbd;\
    reiserfs:65588:526549734572:8244:526549734572;reiser4:65536:52654973457234;jfs:32768:4a465331;udf;iso9660;\
    zfs_member;hfsplus:1024:482b0004:1024:48580005;hfs:1024:4244........................0003;\
    ufs:66908:19015419:9564:54190100;ntfs;ReFS:3:5265465300000000;cramfs:0:453dcd28:0:28cd3d45;\
    romfs:0:2d726f6d3166732d;minix:1034:0000001c08107f13:1034:0000001c08108f13:1034:0000ffffff7f6824\
    :1034:0000ffffff7f7824:1036:00000000................5a4d0000;\
    gfs2:65536:0116197000000001................................000007;\
    ocfs2:1024:4f4346535632:2048:4f4346535632:4096:4f4346535632:8192:4f4346535632;squashfs squashfs3;btrfs;\
    ubifs:0:31181006;bfs:0:cefaad1b;VMFS:2097152:5ef1ab2f;nilfs2:1024:0200000000003434;exfat;f2fs;\
    apfs:32:4e585342;zonefs:0:53464f5a;erofs";

/// Every type that is known.
pub fn types() -> impl Iterator<Item = &'static str> {
    NAMES.split([';', ' ']).filter_map(|name| name.split(':').next())
}

/// What types are used for, as `blkid --usages` calls it: each use with its types behind it. All others are file systems.
const USAGES: &str = "raid: linux_raid_member ddf_raid_member isw_raid_member drbd LVM2_member VMFS_volume_member ubi \
    stratis crypto: crypto_LUKS DM_verity_hash DM_integrity BitLocker other: swap swsuspend jbd bcache ceph_bluestore \
    DM_snapshot_cow vdo xfs_external_log";

/// What a type is used for.
pub fn usage(fstype: &str) -> &'static str {
    let mut usage = "";
    for word in USAGES.split(' ') {
        if word == fstype {
            return usage;
        }
        usage = word.strip_suffix(':').unwrap_or(usage);
    }
    "filesystem"
}

/// The type that the signature with this index finds.
fn read(index: usize, at: &mut Fields<'_>) -> Option<&'static str> {
    match index {
        1 => members::md(at),
        2 => filesystems::bcachefs(at),
        3 => members::lvm(at),
        4 => members::verity(at),
        5 => members::integrity(at),
        6 => members::luks(at),
        7 => dos::vfat(at),
        8 => members::swap(at),
        9 => filesystems::xfs(at),
        10 => filesystems::ext(at),
        11 => disc::udf(at),
        12 => disc::iso9660(at),
        13 => filesystems::zfs(at),
        14 => dos::ntfs(at),
        15 => filesystems::squashfs(at),
        16 => filesystems::btrfs(at),
        17 => dos::exfat(at),
        18 => filesystems::f2fs(at),
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
    let mut index = 0;
    for entry in NAMES.split(';') {
        let mut at = Fields { disk, bytes: disk.head(), found: Superblock::default() };
        let found = match entry.split_once(':') {
            Some((name, places)) => disk.has_magic(places).then_some(name),
            None => {
                index += 1;
                read(index, &mut at)
            }
        };
        let Some(fstype) = found else { continue };
        let usage = usage(fstype);
        // What is as small as a floppy disk is no part of an array, and has nothing beside what is found first.
        const FLOPPY: u64 = 1440 << 10;
        let is_small = disk.size <= FLOPPY;
        if !wanted(fstype) || (is_small && usage == "raid") {
            continue;
        }
        at.found.fstype = fstype;
        all.push(at.found);
        // Stop at a container (LUKS, RAID): signatures of its contents may be visible, but cannot be used from
        // outside.
        if is_small || matches!(usage, "crypto" | "raid") {
            break;
        }
    }
    all
}
