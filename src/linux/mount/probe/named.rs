//! A device by any of its names: a path, a link, a tag.

use super::device::{Wanted, tags_of};
use super::{Cache, Superblock, Tag};
use crate::directory::canonical_source;
use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A device, to be known by any of its names.
pub struct NamedDevice {
    path: OsString,
    tags: OnceCell<Superblock>,
}

impl NamedDevice {
    /// The device that a path or a tag means.
    pub fn of(source: &OsStr) -> Option<NamedDevice> {
        let path = match Tag::parse(source) {
            Some(tag) => tag.resolve()?,
            None => canonical_source(source).ok()?,
        };
        Some(NamedDevice { path, tags: OnceCell::new() })
    }

    /// Whether it is what a table has as a source, a path or a tag.
    pub fn is(&self, written: &OsStr) -> bool {
        match Tag::parse(written) {
            Some(tag) => {
                let own =
                    self.tags.get_or_init(|| tags_of(&self.path, Wanted::Known, &Cache::of_unreadable())).has(tag);
                own || tag.linked().is_some_and(|device| device == self.path)
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
