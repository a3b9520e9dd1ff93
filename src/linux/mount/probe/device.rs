//! Opens devices for probing and finds them by tag: /proc/partitions, and partitions' uevents in /sys/class/block.

use super::field::decode;
use super::partitions::{Place, entry};
use super::{Cache, Disk, Probed, Superblock, Tag, TagKind, probe};
use crate::stat::{self, Stat};
use crate::{Errno, Result, directory, error::Context, file, ioctl, number, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A device, or a file with an image of one, that is open to be read.
pub struct Device {
    file: OwnedFd,
    /// What it is.
    pub stat: Stat,
    /// Its size in bytes; `None` if it is neither a block device nor a regular file.
    pub size: u64,
}

impl Device {
    /// Opens without blocking: otherwise a drive would close its tray, and a FIFO would wait for a writer.
    pub fn open(path: &OsStr) -> Result<Device> {
        let file = file::open_at(None, path, libc::O_RDONLY | libc::O_NONBLOCK, 0).context("open", path)?;
        let stat = stat::of(file.as_fd()).context("stat", path)?;
        let size = match stat.is_block_device() || stat.is_regular() {
            true => nix::unistd::lseek(&file, 0, nix::unistd::Whence::SeekEnd)
                .map_err(Errno::from)
                .context("lseek", path)?,
            false => 0,
        };
        Ok(Device { file, stat, size: u64::try_from(size).unwrap_or(0) })
    }

    /// Reads as much as there is. What cannot be read is not there.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let Ok(at) = i64::try_from(offset.saturating_add(done as u64)) else { break };
            match nix::sys::uio::pread(&self.file, rest, at) {
                Ok(0) => break,
                Ok(got) => done += got,
                Err(nix::errno::Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        done
    }

    /// What is on all of it.
    pub fn probe(&self) -> Probed {
        probe(&Disk::new(&|offset, buffer| self.read(offset, buffer), self.size))
    }

    /// What a request says of a block device, else 0.
    fn number(&self, request: ioctl::On<u32>) -> u64 {
        let mut number = 0;
        match self.stat.is_block_device() && ioctl::on(self.file.as_fd(), request, &mut number).is_ok() {
            true => number.into(),
            false => 0,
        }
    }

    /// The size of its sectors, in bytes.
    pub fn sector(&self) -> u64 {
        self.number(ioctl::BLKSSZGET).max(512)
    }

    /// Whether it is opened exclusively: mounted, or part of another device.
    pub fn is_busy(&self, path: &OsStr) -> bool {
        let flags = libc::O_RDONLY | libc::O_NONBLOCK | libc::O_EXCL;
        self.stat.is_block_device() && matches!(file::open_at(None, path, flags, 0), Err(Errno::EBUSY))
    }

    /// Tells what sizes suit the device; nothing of what is none.
    pub fn topology(&self, found: &mut Superblock) {
        let mut sequence = 0;
        if self.stat.is_block_device() {
            let _ = ioctl::on(self.file.as_fd(), ioctl::BLKGETDISKSEQ, &mut sequence);
        }
        for (name, number) in [
            ("ALIGNMENT_OFFSET", self.number(ioctl::BLKALIGNOFF)),
            ("MINIMUM_IO_SIZE", self.number(ioctl::BLKIOMIN)),
            ("OPTIMAL_IO_SIZE", self.number(ioctl::BLKIOOPT)),
            ("PHYSICAL_SECTOR_SIZE", self.number(ioctl::BLKPBSZGET)),
            ("DISKSEQ", sequence),
            ("LOGICAL_SECTOR_SIZE", self.number(ioctl::BLKSSZGET)),
        ] {
            if number != 0 {
                found.add(name, number.to_string().as_bytes());
            }
        }
    }

    /// Tells what the table of the disk says of this partition.
    pub fn partition(&self, found: &mut Superblock) -> Option<()> {
        match self.stat.is_block_device() {
            true => partition(self.stat.device(), found),
            false => None,
        }
    }

    /// Whether it is a drive without a medium. Reading from one makes the kernel log an error for each block.
    pub fn is_empty_drive(&self) -> bool {
        // Of <linux/cdrom.h>; drives of other kinds do not know the request.
        const CDSL_CURRENT: i32 = i32::MAX;
        const NO_DISC_TO_NOT_READY: core::ops::RangeInclusive<i32> = 1..=3;
        let status = ioctl::number(self.file.as_fd(), ioctl::CDROM_DRIVE_STATUS, CDSL_CURRENT);
        status.is_ok_and(|status| NO_DISC_TO_NOT_READY.contains(&status))
    }
}

/// What is on a device, or in a file.
pub fn device(path: &OsStr) -> Result<Probed> {
    Device::open(path).map(|device| device.probe())
}

/// The block devices to probe, in the kernel's order: partitions, and disks without partitions.
pub fn block_devices() -> Vec<OsString> {
    let mut devices = Vec::new();
    let Ok(disks) = names("/sys/block") else { return listed_devices() };
    for disk in disks {
        let directory = below("/sys/block", &disk);
        let mut has_partitions = false;
        for partition in names(&directory).unwrap_or_default() {
            if partition.as_bytes().starts_with(disk.as_bytes()) {
                has_partitions = true;
                add_device(&below(&directory, &partition), &partition, &mut devices);
            }
        }
        if !has_partitions {
            add_device(&directory, &disk, &mut devices);
        }
    }
    devices
}

fn below(directory: impl AsRef<OsStr>, name: &OsStr) -> OsString {
    OsString::from_vec([directory.as_ref().as_bytes(), b"/", name.as_bytes()].concat())
}

fn names(directory: impl AsRef<OsStr>) -> core::result::Result<Vec<OsString>, Errno> {
    walk::names(directory::open_to_list(directory.as_ref()).map_err(|error| error.errno)?.as_fd())
}

/// Adds a device to the list. Left out are devices of two sectors, which is all that an extended partition shows, and
/// floppy drives (major 2), whose motor would delay the caller.
fn add_device(directory: &OsStr, name: &OsStr, devices: &mut Vec<OsString>) {
    let text = |file| file::read_file(below(directory, OsStr::new(file)), 32).unwrap_or_default();
    let size = number::decimal(text("size").trim_ascii_end()).unwrap_or(0);
    if size > 2 && !text("dev").starts_with(b"2:") {
        devices.push(directory::mapped_name(device_path(name.as_bytes())));
    }
}

/// Those first that have others below them: the device mapper's, then arrays. What is on a path of a multipath device,
/// or in one half of a mirror, must not be taken from there.
pub fn preferred(mut devices: Vec<OsString>) -> Vec<OsString> {
    let mut list = Vec::with_capacity(devices.len());
    for prefix in [&b"/dev/mapper/"[..], b"/dev/md", b"/"] {
        for device in &mut devices {
            if device.as_bytes().starts_with(prefix) {
                list.push(core::mem::take(device));
            }
        }
    }
    list
}

/// [`block_devices`] where no sysfs is mounted.
fn listed_devices() -> Vec<OsString> {
    let text = file::read_file("/proc/partitions", 1 << 20).unwrap_or_default();
    let mut devices = Vec::new();
    for line in text.split(|&byte| byte == b'\n').skip(1) {
        let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        if let (Some(major), Some(name)) = (words.next(), words.next_back())
            && major != b"2"
        {
            devices.push(device_path(name));
        }
    }
    devices
}

/// The block devices that have the tag.
pub fn tagged_devices(kind: TagKind, value: &[u8]) -> impl Iterator<Item = OsString> {
    let (value, cache) = (value.to_vec(), Cache::of_unreadable());
    let wanted = match kind {
        TagKind::PartLabel | TagKind::PartUuid => Wanted::OfPartition,
        _ => Wanted::OfDevice,
    };
    let has_tag = move |device: &OsString| tags_of(device, wanted, &cache).has(Tag { kind, value: &value });
    preferred(block_devices()).into_iter().filter(has_tag)
}

/// A device's directory in sysfs. A slash in its name (cciss/c0d0) is an exclamation mark there.
fn device_path(name: &[u8]) -> OsString {
    let mut path = [&b"/dev/"[..], name].concat();
    for byte in path.iter_mut().filter(|byte| **byte == b'!') {
        *byte = b'/';
    }
    OsString::from_vec(path)
}

/// Which tags of a device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those that udev has found, else all.
    Known,
    /// Those that are on it.
    OfDevice,
    /// Those that the partition table has.
    OfPartition,
}

/// The tags of a block device; of one that may not be read those in the cache.
pub fn tags_of(path: &OsStr, wanted: Wanted, cache: &Cache) -> Superblock {
    let mut tags = Superblock::default();
    let Ok(stat) = stat::path(path) else { return tags };
    if !stat.is_block_device() {
        return tags;
    }
    if wanted == Wanted::Known {
        udev_tags(stat.device(), &mut tags);
        if !tags.values.is_empty() {
            return tags;
        }
    }
    match Device::open(path) {
        Ok(device) if wanted != Wanted::OfPartition && !device.is_empty_drive() => {
            if let Probed::One(found) = device.probe() {
                tags = found;
            }
        }
        Err(error) if matches!(error.errno, Errno::EACCES | Errno::EPERM) => {
            if let Some(found) = cache.find(path, stat.device()) {
                tags.values = found.values.clone();
            }
        }
        _ => {}
    }
    if wanted != Wanted::OfDevice {
        partition_tags(stat.device(), &mut tags);
    }
    tags
}

fn value<'a>(text: &'a [u8], key: &str) -> Option<&'a [u8]> {
    text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(key.as_bytes()))
}

/// The text of a sysfs file about a block device, without trailing white space.
fn sysfs(device: u64, name: &str) -> Vec<u8> {
    text_of("/sys/dev/block/", device, name)
}

#[inline(never)]
fn text_of(directory: &str, device: u64, name: &str) -> Vec<u8> {
    let (major, minor) = stat::numbers(device);
    let mut path = String::from(directory);
    path.push_str(&major.to_string());
    path.push(':');
    path.push_str(&minor.to_string());
    path.push_str(name);
    let mut text = file::read_file(path.as_str(), 1 << 16).unwrap_or_default();
    text.truncate(text.trim_ascii_end().len());
    text
}

/// Adds the values that a disk's partition table has for the partition with this device number.
fn partition(device: u64, found: &mut Superblock) -> Option<()> {
    number::decimal(&sysfs(device, "/partition"))?;
    let place =
        Place { start: number::decimal(&sysfs(device, "/start"))?, size: number::decimal(&sysfs(device, "/size"))? };
    let numbers = sysfs(device, "/../dev");
    let event = sysfs(device, "/../uevent");
    let disk = Device::open(&device_path(value(&event, "DEVNAME=")?)).ok()?;
    // The name may belong to another device where /dev is not the kernel's.
    if sysfs(disk.stat.device(), "/dev") != numbers {
        return None;
    }
    let read = |offset: u64, buffer: &mut [u8]| disk.read(offset, buffer);
    let mut whole = Disk::new(&read, disk.size);
    whole.sector = disk.sector();
    entry(&whole, place, found)?;
    found.add("PART_ENTRY_DISK", &numbers);
    Some(())
}

/// Adds the tags that udev has found.
fn udev_tags(device: u64, tags: &mut Superblock) {
    let text = text_of("/run/udev/data/b", device, "");
    let mut add = |name, key| {
        if let Some(value) = value(&text, key) {
            tags.add(name, &decode(value));
        }
    };
    add("LABEL", "E:ID_FS_LABEL_ENC=");
    add("UUID", "E:ID_FS_UUID_ENC=");
    add("PARTLABEL", "E:ID_PART_ENTRY_NAME=");
    add("PARTUUID", "E:ID_PART_ENTRY_UUID=");
}

/// Adds the tags of a partition: from the kernel's uevent, else from the partition table.
fn partition_tags(device: u64, tags: &mut Superblock) {
    let text = sysfs(device, "/uevent");
    let mut told = Superblock::default();
    for (name, key, entry) in
        [("PARTLABEL", "PARTNAME=", "PART_ENTRY_NAME"), ("PARTUUID", "PARTUUID=", "PART_ENTRY_UUID")]
    {
        let known = value(&text, key);
        if known.is_none() && told.values.is_empty() {
            partition(device, &mut told);
        }
        if let Some(value) = known.or_else(|| told.value(entry)) {
            tags.add(name, value);
        }
    }
}
