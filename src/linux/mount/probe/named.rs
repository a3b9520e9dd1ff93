//! A device by any of its names: a path, a link, a tag.

use super::device::{is_cached, partition_tags, udev_tags};
use super::{Cache, OwnedTag, Probed, Tag, TagKind};
use crate::directory::canonical_source;
use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A device, to be known by any of its names.
pub struct NamedDevice {
    /// Its path.
    pub path: OsString,
    tags: OnceCell<Vec<OwnedTag>>,
    cache: OnceCell<Cache>,
}

impl NamedDevice {
    /// The device that a path or a tag means.
    pub fn of(source: &OsStr) -> Option<NamedDevice> {
        let path = match Tag::parse(source) {
            Some(tag) => tag.resolve()?,
            None => canonical_source(source).ok()?,
        };
        Some(NamedDevice { path, tags: OnceCell::new(), cache: OnceCell::new() })
    }

    /// Whether it is what a table has as a source, a path or a tag.
    pub fn is(&self, written: &OsStr) -> bool {
        match Tag::parse(written) {
            Some(tag) => {
                let tags = self.tags.get_or_init(|| tags_of(&self.path));
                tags.iter().any(|own| own.is(tag))
                    || tag.linked().is_some_and(|device| device == self.path)
                    || tags.is_empty() && is_cached(&self.path, tag, &self.cache)
            }
            None if written.as_bytes().first() != Some(&b'/') => false,
            None => written == self.path || self.is_at(written),
        }
    }

    /// Whether a path leads to it.
    pub fn is_at(&self, path: &OsStr) -> bool {
        canonical_source(path).is_ok_and(|path| path == self.path)
    }
}

/// The tags of a device, both of its file system and of the partition, as udev has found them, else as they are.
pub fn tags_of(device: &OsStr) -> Vec<OwnedTag> {
    let Ok(stat) = crate::stat::path(device) else { return Vec::new() };
    if !stat.is_block_device() {
        return Vec::new();
    }
    if let Some(tags) = udev_tags(stat.device()) {
        return tags;
    }
    let mut tags = partition_tags(stat.device());
    if let Ok(Probed::One(found)) = super::device(device) {
        for kind in [TagKind::Label, TagKind::Uuid] {
            tags.extend(found.value(kind.name()).map(|value| OwnedTag { kind, value: value.to_vec() }));
        }
    }
    tags
}
