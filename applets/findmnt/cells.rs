//! What is in a cell.

use super::fields::{ACTION, OLD_OPTIONS, OLD_TARGET};
use super::options::Options;
use super::tables::{Filesystem, Part, all_vfs};
use cli::columns::{Cell, device_numbers};
use cli::text;
use linux::directory::canonical_source;
use linux::mount::probe::{self, Cache, Superblock, Tag, TagKind, Wanted};
use linux::stat::{self, Room};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What --poll has seen of a file system.
#[derive(Default)]
pub struct Change {
    pub action: &'static str,
    pub old_target: Cell,
    pub old_options: Cell,
}

/// A file system that a row shows, and the answers about it that may be needed again.
pub struct Row<'a> {
    pub filesystem: &'a Filesystem<'a>,
    pub change: Option<&'a Change>,
    room: Option<Option<Room>>,
    tags: Option<Superblock>,
}

impl<'a> Row<'a> {
    pub fn new(filesystem: &'a Filesystem<'a>) -> Row<'a> {
        Row { filesystem, change: None, room: None, tags: None }
    }

    /// What a field of [`super::options::COLUMNS`] says.
    pub fn cell(&mut self, field: usize, options: &Options) -> Cell {
        let filesystem = self.filesystem;
        let entry = &filesystem.entry;
        let is_kernel = filesystem.line.is_none();
        let number = match field {
            0 => return Some(filesystem.target().into_owned()).filter(|target| !target.is_empty()),
            ACTION => return self.change.map(|change| change.action.into()),
            2 => return self.size(options, |room| room.blocks[2]),
            3 => i64::from(filesystem.line?.freq),
            4 => return is_kernel.then(|| filesystem.root().into_owned()),
            5 => return Some(filesystem.fstype().into_owned()),
            6 => return filesystem.part(Part::Filesystem),
            7 if is_kernel => i64::from(entry.id),
            8 => return self.count(|room| room.inodes[2]),
            9 => return self.count(|room| room.inodes[0]),
            10 => return self.count(|room| room.inodes[0].saturating_sub(room.inodes[1])),
            11 => return self.percentage(|room| room.inodes),
            12 => return self.tag(TagKind::Label),
            13 if is_kernel => return Some(device_numbers(entry.device, options.form)),
            OLD_OPTIONS => return self.change?.old_options.clone(),
            OLD_TARGET => return self.change?.old_target.clone(),
            16 => return filesystem.options(),
            17 => return Some(entry.optional.to_vec()).filter(|text| !text.is_empty()),
            18 if is_kernel => i64::from(entry.parent),
            19 => return self.tag(TagKind::PartLabel),
            20 => return self.tag(TagKind::PartUuid),
            21 => i64::from(filesystem.line?.passno),
            22 if is_kernel => return Some(propagation(entry.optional)),
            23 => return self.size(options, |room| room.blocks[0]),
            24 => return self.source(options),
            25 => return Some(self.sources(options)),
            26 if filesystem.unique == 0 => i64::from(filesystem.task?.0),
            27 if filesystem.unique != 0 => return Some(text![filesystem.unique]),
            28 => return self.size(options, |room| room.blocks[0].saturating_sub(room.blocks[1])),
            29 => return self.percentage(|room| room.blocks),
            30 => return self.tag(TagKind::Uuid),
            // Flags of the whole file system, `sync`, are among its own options in the kernel's table.
            31 if options.vfs_all => return filesystem.options().map(|set| all_vfs(&set)),
            31 => return filesystem.part(Part::Vfs),
            _ => return None,
        };
        Some(text![number])
    }

    /// The device or the name, and what of it is mounted if that is not all.
    fn source(&self, options: &Options) -> Cell {
        let source = self.filesystem.source();
        let mut text = match Tag::parse(OsStr::from_bytes(&source)) {
            Some(tag) if options.evaluate => tag.resolve()?.into_vec(),
            None if options.evaluate || options.canonicalize => self.resolved(&source),
            _ => source.into_owned(),
        };
        let root = self.filesystem.root();
        if !options.no_root && !matches!(&*root, b"" | b"/") {
            text.push(b'[');
            text.extend_from_slice(&root);
            text.push(b']');
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// Where a path leads.
    fn resolved(&self, source: &[u8]) -> Vec<u8> {
        if source.first() != Some(&b'/') {
            return source.to_vec();
        }
        canonical_source(OsStr::from_bytes(source)).map_or_else(|_| source.to_vec(), OsStringExt::into_vec)
    }

    /// Every device that has the same file system on it.
    fn sources(&mut self, options: &Options) -> Vec<u8> {
        let source = self.filesystem.source().into_owned();
        let wanted = match Tag::parse(OsStr::from_bytes(&source)) {
            Some(tag) if options.evaluate => Some((tag.kind, tag.value.to_vec())),
            Some(_) => None,
            None => self.tag(TagKind::Uuid).map(|value| (TagKind::Uuid, value)),
        };
        let Some((kind, value)) = wanted else { return self.source(options).unwrap_or_default() };
        let mut list: Vec<Vec<u8>> = Vec::new();
        for device in probe::tagged_devices(kind, &value) {
            list.push(canonical_source(&device).unwrap_or(device).into_vec());
        }
        if list.len() < 2 {
            return self.source(options).unwrap_or_default();
        }
        list.join(&0)
    }

    /// A tag of the device that is the source.
    fn tag(&mut self, kind: TagKind) -> Cell {
        let source = self.filesystem.source();
        let written = Tag::parse(OsStr::from_bytes(&source));
        if let Some(tag) = written.filter(|tag| tag.kind == kind) {
            return Some(tag.value.to_vec());
        }
        let tags = self.tags.get_or_insert_with(|| {
            let device = match written {
                Some(tag) => tag.resolve(),
                None if source.first() == Some(&b'/') => canonical_source(OsStr::from_bytes(&source)).ok(),
                None => None,
            };
            device.map_or_else(Superblock::default, |device| probe::tags_of(&device, Wanted::Known, &Cache::default()))
        });
        tags.value(kind.name()).map(<[u8]>::to_vec)
    }

    fn room(&mut self) -> Option<&Room> {
        let target = self.filesystem.target();
        let room = self.room.get_or_insert_with(|| stat::room(OsStr::from_bytes(&target)).ok());
        room.as_ref()
    }

    fn size(&mut self, options: &Options, of: fn(&Room) -> u64) -> Cell {
        let room = self.room()?;
        let size = of(room).saturating_mul(room.unit);
        Some(if options.bytes { text![size] } else { human(size) })
    }

    fn count(&mut self, of: fn(&Room) -> u64) -> Cell {
        self.room().map(|room| text![of(room)])
    }

    /// How much of it is used.
    fn percentage(&mut self, of: fn(&Room) -> [u64; 3]) -> Cell {
        let [all, free, _] = of(self.room()?);
        if all == 0 {
            return Some("-".into());
        }
        let used = u128::from(all.saturating_sub(free)) * 100;
        let rounded = (used + u128::from(all) / 2) / u128::from(all);
        Some(text![rounded as u64, "%"])
    }
}

/// How mounts and unmounts spread from a mount, and to it.
fn propagation(optional: &[u8]) -> Vec<u8> {
    let has = |name: &str| optional.split(|byte| *byte == b' ').any(|word| word.starts_with(name.as_bytes()));
    let mut text: Vec<u8> = if has("shared:") { "shared".into() } else { "private".into() };
    if has("master:") {
        text.extend_from_slice(b",slave");
    }
    if has("unbindable") {
        text.extend_from_slice(b",unbindable");
    }
    text
}

/// A size in the largest unit that fits, with one decimal unless that is 0.
pub fn human(size: u64) -> Vec<u8> {
    let mut exponent = 0;
    while exponent < 60 && size >> exponent >= 1024 {
        exponent += 10;
    }
    let (mut whole, rest) = (size >> exponent, size & ((1 << exponent) - 1));
    let thousandths = (u128::from(rest) * 1000) >> exponent;
    let mut tenths = (thousandths as u64 + 50) / 100;
    if tenths == 10 {
        (whole, tenths) = (whole + 1, 0);
    }
    let mut text = text![whole];
    if tenths > 0 {
        text = text![text, ".", tenths];
    }
    if size > 0 || exponent > 0 {
        text.extend(b"BKMGTPE".get(exponent / 10));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_one_digit() {
        for (size, shown) in [(0, "0"), (1023, "1023B"), (1024, "1K"), (12_638_253_056, "11.8G"), (u64::MAX, "16E")] {
            assert_eq!(human(size), shown.as_bytes(), "{size}");
        }
    }
}
