//! The source of a mount: resolves tags and paths, and attaches regular files to loop devices.

use linux::mount::loopdev::{self, Attached, LoopSpec, Refused};
use linux::mount::mountinfo::Entry;
use linux::mount::options::Options as MountOptions;
use linux::mount::probe::{self, Probed, Tag};
use linux::mount::table::ByTarget;
use linux::mount::{btrfs, filesystems};
use linux::{Errno, directory, number, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Whether a source is a tag.
pub fn is_tag(source: &OsStr) -> bool {
    Tag::parse(source).is_some()
}

/// Whether a mount shows the file system on `path`, by whatever name it was mounted; with loop devices from `offset` on.
fn is_shown(mount: &Entry<'_>, path: &OsStr, offset: u64) -> bool {
    if mount.is_from(path) {
        return true;
    }
    let Ok(stat) = stat::path(path) else { return false };
    if stat.is_block_device() {
        return stat::numbers(stat.device()) == mount.device || (mount.fstype == b"btrfs" && is_btrfs_of(mount, path));
    }
    stat.is_regular() && loopdev::is_of(&mount.source_text(), stat.identity(), offset)
}

/// Whether a device is one of several that a btrfs is on, of which only one is the source.
fn is_btrfs_of(mount: &Entry<'_>, path: &OsStr) -> bool {
    let uuid = |path: &OsStr| match probe::device(path) {
        Ok(Probed::One(found)) if found.fstype == "btrfs" => found.uuid().map(<[u8]>::to_vec),
        _ => None,
    };
    uuid(path).is_some_and(|own| uuid(&mount.source_text()) == Some(own))
}

fn names(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty())
}

/// Whether a mount shows the subvolume of btrfs that the options ask for; of other file systems there is only one.
fn is_subvolume(mount: &Entry<'_>, options: &MountOptions) -> bool {
    if mount.fstype != b"btrfs" {
        return true;
    }
    let value = |name| options.get(name).and_then(|option| option.plain_value());
    if let Some(path) = value("subvol") {
        let root = mount.root_path();
        return names(&path).eq(names(root.as_bytes()));
    }
    const TOP: u64 = 5;
    let wanted = match value("subvolid") {
        Some(id) => number::decimal(&id).map(|id| if id == 0 { TOP } else { id }),
        None => Some(btrfs::default_subvolume(&mount.target_path()).unwrap_or(TOP)),
    };
    let id = |word: &[u8]| word.strip_prefix(b"subvolid=").and_then(number::decimal);
    mount.super_options.split(|&byte| byte == b',').find_map(id) == wanted
}

/// Whether a mount shows what the options ask for from `path`: the same file system, and if it is bound, the same directory
/// in it.
pub fn is_mounted(mounted: &ByTarget<'_>, mount: &Entry<'_>, path: &OsStr, options: &MountOptions) -> bool {
    if options.has("bind") || options.has("rbind") {
        let holder = mounted.holder(path);
        return holder.is_some_and(|(holder, root)| holder.device == mount.device && mount.root_path() == root);
    }
    let offset = loop_wanted(options).ok().flatten().map_or(0, |wanted| wanted.offset);
    is_shown(mount, path, offset) && is_subvolume(mount, options)
}

/// Further types whose source is no path: it is on another machine, or a name of its own.
const NAMED: &str = "ceph zfs";

/// Whether the source of this type is a path, as it is where no type is named.
pub fn is_path_type(fstype: &[u8]) -> bool {
    fstype == b"auto" || !filesystems::is_pseudo(fstype) && !is_network_type(fstype)
}

/// Whether the file system is on another machine.
pub fn is_network_type(fstype: &[u8]) -> bool {
    filesystems::is_network(fstype) || filesystems::is_listed(fstype, NAMED)
}

/// Why there is no source.
pub enum Missing {
    /// No device has the tag.
    Tag,
    /// The loop device was refused.
    Loop(Refused),
    /// A value of `offset` or `sizelimit` is no size.
    BadSize,
    /// The path leads into another mount namespace.
    Elsewhere,
    /// The same part of the file is mounted on the target already.
    AlreadyMounted,
}

/// What is mounted.
pub struct Source {
    /// As it was given.
    pub given: OsString,
    /// What the kernel gets.
    pub path: OsString,
    /// The loop device made for the source; kept open until it is mounted, or autoclear would detach it.
    pub device: Option<Attached>,
}

impl Source {
    /// One that is not resolved yet.
    pub fn given(source: OsString) -> Source {
        Source { path: source.clone(), given: source, device: None }
    }

    /// Makes a part of the file a device, which is the source then.
    pub fn attach(&mut self, wanted: &LoopSpec) -> Result<(), Missing> {
        let device = loopdev::attach(&self.path, wanted).map_err(Missing::Loop)?;
        self.path = device.path.clone();
        self.device = Some(device);
        Ok(())
    }
}

/// The path of a source: a tag's device, or the path itself, resolved unless it is `raw`. What is bound or moved is what
/// the path leads to from here.
pub fn resolve(source: &OsStr, raw: bool, fstype: &[u8], is_mount: bool) -> Result<OsString, Missing> {
    if let Some(tag) = Tag::parse(source) {
        return tag.resolve().ok_or(Missing::Tag);
    }
    if raw || !is_path_type(fstype) {
        return Ok(source.to_os_string());
    }
    // A device is the same wherever it is looked at from.
    let is_device = !is_mount && source.as_bytes().starts_with(b"/");
    let path = if is_device { directory::canonical(source) } else { directory::canonical_here(source) };
    match path {
        Err(error) if error.errno == Errno::EXDEV => Err(Missing::Elsewhere),
        Err(_) => Ok(source.to_os_string()),
        Ok(path) => Ok(directory::mapped_name(path)),
    }
}

/// What the loop options ask for; `None` if there are none.
pub fn loop_wanted(options: &MountOptions) -> Result<Option<LoopSpec>, Missing> {
    let value = |name| options.get(name).and_then(|option| option.plain_value());
    let size = |name| value(name).map_or(Ok(0), |text| number::size(&text).map_err(|_| Missing::BadSize));
    if !"loop offset sizelimit".split(' ').any(|name| options.has(name)) {
        return Ok(None);
    }
    Ok(Some(LoopSpec {
        offset: size("offset")?,
        sizelimit: size("sizelimit")?,
        read_only: options.read_only_mount() == Some(true),
        device: value("loop")
            .filter(|device| !device.is_empty())
            .map(|device| loopdev::named(OsStr::from_bytes(&device))),
        ..LoopSpec::default()
    }))
}

/// Whether a source without loop options needs a loop device: a regular file larger than a kilobyte.
pub fn is_image(path: &OsStr) -> bool {
    stat::path(path).is_ok_and(|stat| stat.is_regular() && stat.size() > 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loop_options_are_read_together() {
        let wanted = |list: &str| loop_wanted(&MountOptions::parse(list.as_bytes()).unwrap()).ok().flatten();
        assert_eq!(wanted("ro"), None);
        let all = LoopSpec {
            offset: 512,
            sizelimit: 1024,
            read_only: true,
            device: Some("/dev/loop3".into()),
            ..LoopSpec::default()
        };
        assert_eq!(wanted("loop=/dev/loop3,offset=512,sizelimit=1K,ro"), Some(all));
        assert!(loop_wanted(&MountOptions::parse(b"offset=x").unwrap()).is_err());
    }
}
