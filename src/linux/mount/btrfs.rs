//! What only btrfs knows of its subvolumes: <linux/btrfs.h>, btrfs(5).

use crate::file;
use crate::ioctl::{self, BTRFS_IOC_TREE_SEARCH, BtrfsSearch};
use std::ffi::OsStr;
use std::os::fd::AsFd;

const ROOT_TREE: u64 = 1;
const ROOT_TREE_DIRECTORY: u64 = 6;
const DIR_ITEM_KEY: u32 = 84;

/// The number of the default subvolume, which a mount without `subvol` shows: btrfs-subvolume(8). `mount_point` is any
/// mount of the file system. `None` if the kernel does not say.
pub fn default_subvolume(mount_point: &OsStr) -> Option<u64> {
    let directory = file::open_at(None, mount_point, libc::O_RDONLY | libc::O_DIRECTORY, 0).ok()?;
    let mut search = BtrfsSearch {
        tree_id: ROOT_TREE,
        min_objectid: ROOT_TREE_DIRECTORY,
        max_objectid: ROOT_TREE_DIRECTORY,
        min_offset: 0,
        max_offset: u64::MAX,
        min_transid: 0,
        max_transid: u64::MAX,
        min_type: DIR_ITEM_KEY,
        max_type: DIR_ITEM_KEY,
        nr_items: 1,
        unused: [0; 9],
        found: [0; 3992],
    };
    ioctl::on(directory.as_fd(), BTRFS_IOC_TREE_SEARCH, &mut search).ok()?;
    // A search header of 32 bytes, then the directory item called "default", whose first field is the subvolume's
    // number.
    let number = search.found.get(32..40)?.try_into().ok()?;
    (search.nr_items > 0).then(|| u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_btrfs_has_no_subvolumes() {
        assert_eq!(default_subvolume(OsStr::new("/proc")), None);
    }
}
