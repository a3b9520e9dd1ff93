//! Mounts one by one, without the table: listmount(2) and statmount(2) (Linux 6.8), as lines of mountinfo.

use super::api::{
    MOUNT_ATTR__ATIME, MOUNT_ATTR_IDMAP, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
};
use super::mountinfo::escape;
use super::statmount::*;
use crate::Errno;
use std::io::Write as _;

const STATMOUNT_PROPAGATE_FROM: u64 = 0x4;

const OFFSET_SB_DEV: usize = 16;
const OFFSET_MNT_PARENT_ID_OLD: usize = 60;
const OFFSET_MNT_ATTR: usize = 64;
const OFFSET_MNT_PROPAGATION: usize = 72;
const OFFSET_PEER_GROUP: usize = 80;
const OFFSET_MASTER: usize = 88;
const OFFSET_PROPAGATE_FROM: usize = 96;

/// Enough for one mount in nearly all cases; a larger one is queried again with more room, since paths and options
/// have no limit.
const ROOM: usize = 16 * 1024;
const MOST: usize = 1 << 20;

/// Mounts as lines of mountinfo.
#[derive(Default)]
pub struct Lines {
    /// The lines.
    pub text: Vec<u8>,
    /// The number of each that is never used again.
    pub unique: Vec<u64>,
    /// Whether a line may differ from mountinfo's, because the file system shows a root of its own making there.
    pub is_doubtful: bool,
}

/// What is looked at to choose mounts.
pub struct Glance<'a> {
    /// The mount point.
    pub target: &'a [u8],
    /// The source.
    pub source: &'a [u8],
}

/// The mounts of our mount namespace, or those for which `wanted` returns true. `None`: the kernel lacks some of the
/// fields, so read mountinfo.
pub fn lines(wanted: Option<&mut dyn FnMut(&Glance<'_>) -> bool>) -> Option<Lines> {
    // LSMT_ROOT: below our root.
    let list = list_below(u64::MAX).ok()?;
    let mut lines = Lines::default();
    let mut buffer = vec![0; ROOM];
    let mut wanted = wanted;
    for unique in list {
        if let Some(wanted) = &mut wanted {
            const GLANCE: u64 = STATMOUNT_MNT_POINT | STATMOUNT_SB_SOURCE;
            if !ask(unique, GLANCE, &mut buffer)? {
                continue;
            }
            if number(&buffer, OFFSET_MASK, 8) & GLANCE != GLANCE {
                return None;
            }
            let [target, source] = [OFFSET_MNT_POINT, OFFSET_SB_SOURCE].map(|field| text_at(&buffer, field));
            if !wanted(&Glance { target, source }) {
                continue;
            }
        }
        if lines.add(unique, &mut buffer, wanted.is_none())? {
            lines.unique.push(unique);
        }
    }
    Some(lines)
}

/// Whether the mount is still there; what is not known of it is `None`.
fn ask(unique: u64, mask: u64, buffer: &mut Vec<u8>) -> Option<bool> {
    loop {
        match ask_into(unique, mask, buffer) {
            Ok(()) => return Some(true),
            Err(Errno::ENOENT) => return Some(false),
            Err(Errno::EOVERFLOW) if buffer.len() < MOST => buffer.resize(buffer.len() * 2, 0),
            Err(_) => return None,
        }
    }
}

impl Lines {
    fn add(&mut self, unique: u64, buffer: &mut Vec<u8>, is_whole: bool) -> Option<bool> {
        const MASK: u64 = STATMOUNT_SB_BASIC
            | STATMOUNT_MNT_BASIC
            | STATMOUNT_PROPAGATE_FROM
            | STATMOUNT_MNT_ROOT
            | STATMOUNT_MNT_POINT
            | STATMOUNT_FS_TYPE
            | STATMOUNT_MNT_OPTS
            | STATMOUNT_FS_SUBTYPE
            | STATMOUNT_SB_SOURCE;
        if !ask(unique, MASK, buffer)? {
            return Some(false);
        }
        let buffer = buffer.as_slice();
        let little = |offset| number(buffer, offset, 4);
        let big = |offset| number(buffer, offset, 8);
        let [root, target, kind, source] =
            [OFFSET_MNT_ROOT, OFFSET_MNT_POINT, OFFSET_FS_TYPE, OFFSET_SB_SOURCE].map(|field| text_at(buffer, field));
        let has = |what| big(OFFSET_MASK) & what != 0;
        let text = &mut self.text;
        let (id, parent) = (little(OFFSET_MNT_ID_OLD), little(OFFSET_MNT_PARENT_ID_OLD));
        let (major, minor) = (little(OFFSET_SB_DEV), little(OFFSET_SB_DEV + 4));
        let _ = write!(text, "{id} {parent} {major}:{minor} ");
        text.extend_from_slice(&escape(root));
        text.push(b' ');
        text.extend_from_slice(&escape(target));
        text.push(b' ');
        append_attributes(big(OFFSET_MNT_ATTR), is_whole, text);
        let propagation = big(OFFSET_MNT_PROPAGATION);
        for (flag, name, field) in [
            (super::MS_SHARED, " shared:", OFFSET_PEER_GROUP),
            (super::MS_SLAVE, " master:", OFFSET_MASTER),
            (super::MS_SLAVE, " propagate_from:", OFFSET_PROPAGATE_FROM),
        ] {
            let group = big(field);
            let is_told =
                field != OFFSET_PROPAGATE_FROM || has(STATMOUNT_PROPAGATE_FROM) && group != big(OFFSET_MASTER);
            if propagation & flag != 0 && group != 0 && is_told {
                let _ = write!(text, "{name}{group}");
            }
        }
        if propagation & super::MS_UNBINDABLE != 0 {
            text.extend_from_slice(b" unbindable");
        }
        text.extend_from_slice(b" - ");
        text.extend_from_slice(&escape(kind));
        if has(STATMOUNT_FS_SUBTYPE) {
            text.push(b'.');
            text.extend_from_slice(&escape(text_at(buffer, OFFSET_FS_SUBTYPE)));
        }
        text.push(b' ');
        text.extend_from_slice(&escape(source));
        text.push(b' ');
        append_super_flags(buffer, text);
        if has(STATMOUNT_MNT_OPTS) {
            text.push(b',');
            text.extend_from_slice(text_at(buffer, OFFSET_MNT_OPTS));
        }
        text.push(b'\n');
        // cgroup, nsfs and nfs show another root in mountinfo, and what has no source shows `none`.
        self.is_doubtful |= root != b"/" && matches!(kind, b"cgroup" | b"cgroup2" | b"nsfs" | b"nfs" | b"nfs4")
            || !has(STATMOUNT_SB_SOURCE);
        Some(true)
    }
}

/// The attributes that are options, in the kernel's order; mountinfo leaves the last one out.
const ATTRIBUTES: [(u64, u64); 9] = [
    (MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSUID),
    (MOUNT_ATTR_NODEV, MOUNT_ATTR_NODEV),
    (MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOEXEC),
    (MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME),
    (MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NODIRATIME),
    (MOUNT_ATTR__ATIME, 0),
    (MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW),
    (MOUNT_ATTR_IDMAP, MOUNT_ATTR_IDMAP),
    (MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME),
];

/// Appends the options of a mount in the kernel's words; of a `whole` one all.
fn append_attributes(attributes: u64, whole: bool, text: &mut Vec<u8>) {
    const NAMES: &str = "nosuid nodev noexec noatime nodiratime relatime nosymfollow idmapped strictatime";
    let told = ATTRIBUTES.get(..8 + usize::from(whole)).unwrap_or_default();
    append_options(attributes, MOUNT_ATTR_RDONLY, told, NAMES, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mount::table::Table;

    #[test]
    fn the_lines_are_those_of_mountinfo() {
        let Some(lines) = lines(Some(&mut |_| true)) else { return };
        let table = Table::read().expect("mountinfo");
        let made = Table::from_text(lines.text);
        assert_eq!(made.entries().count(), lines.unique.len());
        for entry in made.entries().filter(|_| !lines.is_doubtful) {
            // Another process may have changed the table meanwhile.
            if let Some(known) = table.find_id(entry.id).filter(|known| known.target == entry.target) {
                assert_eq!(entry, known);
            }
        }
    }

    #[test]
    fn attributes_are_named_in_the_kernels_order() {
        let mut text = Vec::new();
        append_attributes(
            MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME,
            true,
            &mut text,
        );
        assert_eq!(text, b"ro,nodev,noatime,nosymfollow");
    }
}
