//! What only btrfs knows of its subvolumes: <linux/btrfs.h>, btrfs(5).

use crate::io;
use std::ffi::OsStr;
use std::os::fd::AsRawFd;

const BTRFS_IOC_TREE_SEARCH: u64 = 0xd000_9411;
const ROOT_TREE: u64 = 1;
const ROOT_TREE_DIRECTORY: u64 = 6;
const DIR_ITEM_KEY: u32 = 84;

/// struct btrfs_ioctl_search_args: a key of 104 bytes, and room for what is found.
#[repr(C)]
struct Search {
    tree_id: u64,
    min_objectid: u64,
    max_objectid: u64,
    min_offset: u64,
    max_offset: u64,
    min_transid: u64,
    max_transid: u64,
    min_type: u32,
    max_type: u32,
    nr_items: u32,
    unused: u32,
    unused_too: [u64; 4],
    found: [u8; 3992],
}

/// The number of the subvolume that a mount without `subvol` shows. `mount_point` is one of the file system's. `None` if
/// the kernel does not say.
pub fn default_subvolume(mount_point: &OsStr) -> Option<u64> {
    let directory = io::open_at(None, mount_point, libc::O_RDONLY | libc::O_DIRECTORY, 0).ok()?;
    let mut search = Search {
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
        unused: 0,
        unused_too: [0; 4],
        found: [0; 3992],
    };
    let argument: *mut Search = &mut search;
    // SAFETY: the request takes a struct btrfs_ioctl_search_args, which `search` is, valid for as long as the call lasts.
    io::checked(i64::from(unsafe { libc::ioctl(directory.as_raw_fd(), BTRFS_IOC_TREE_SEARCH as _, argument) })).ok()?;
    // A header of 32 bytes, and of the directory item called "default" its first field: what it leads to.
    let number = search.found.get(32..40)?.try_into().ok()?;
    (search.nr_items > 0).then(|| u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<Search>(), 4096);
    }

    #[test]
    fn what_is_no_btrfs_has_no_subvolumes() {
        assert_eq!(default_subvolume(OsStr::new("/proc")), None);
    }
}
