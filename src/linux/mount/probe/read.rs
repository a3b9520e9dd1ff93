//! Probing real devices, and finding one by its tag: /proc/partitions and
//! the partition's uevent in /sys/class/block.

use super::{HEAD, OwnedTag, Probed, TagKind, probe};
use crate::{Result, error::Context, file, ioctl};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What is on a device, or in a file.
pub fn device(path: &OsStr) -> Result<Probed> {
    open_device(path).map(|file| read_head(&file))
}

fn read_head(file: &OwnedFd) -> Probed {
    let mut head = vec![0; HEAD];
    let got = read_at(file, 0, &mut head);
    head.truncate(got);
    probe(&head, &|offset, buffer| read_at(file, offset, buffer))
}

/// [`device`], but a drive without a medium is not read: the kernel would log an error for each block.
fn with_medium(path: &OsStr) -> Result<Probed> {
    // Of <linux/cdrom.h>; drives of other kinds do not know the request.
    const CDSL_CURRENT: i32 = i32::MAX;
    const NO_DISC_TO_NOT_READY: core::ops::RangeInclusive<i32> = 1..=3;
    let file = open_device(path)?;
    let status = ioctl::number(file.as_fd(), ioctl::CDROM_DRIVE_STATUS, CDSL_CURRENT);
    let is_empty = status.is_ok_and(|status| NO_DISC_TO_NOT_READY.contains(&status));
    if is_empty { Ok(Probed::Nothing) } else { Ok(read_head(&file)) }
}

/// Without waiting: a drive opens its tray, a FIFO finds no writer.
fn open_device(path: &OsStr) -> Result<OwnedFd> {
    file::open_at(None, path, libc::O_RDONLY | libc::O_NONBLOCK, 0).context("open", path)
}

/// Reads as much as there is. What cannot be read is not there.
fn read_at(file: &OwnedFd, offset: u64, buffer: &mut [u8]) -> usize {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let Ok(at) = i64::try_from(offset.saturating_add(done as u64)) else { break };
        match nix::sys::uio::pread(file, rest, at) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => break,
        }
    }
    done
}

/// The block devices that have the tag, in the kernel's order.
pub fn tagged_devices(kind: TagKind, value: &[u8]) -> impl Iterator<Item = OsString> {
    let text = file::read_file("/proc/partitions", 1 << 20).unwrap_or_default();
    let mut names = Vec::new();
    for line in text.split(|&byte| byte == b'\n').skip(1) {
        let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        // A floppy drive (2) keeps whoever asks waiting until its motor has looked for a medium.
        if let (Some(major), Some(name)) = (words.next(), words.next_back())
            && major != b"2"
        {
            names.push(name.to_vec());
        }
    }
    let value = value.to_vec();
    names.into_iter().filter(move |name| has_tag(name, kind, &value)).map(|name| device_path(&name))
}

fn device_path(name: &[u8]) -> OsString {
    // A slash in a device's name (cciss/c0d0) is an exclamation mark in /sys.
    OsString::from_vec([&b"/dev/"[..], name].concat())
}

fn has_tag(name: &[u8], kind: TagKind, value: &[u8]) -> bool {
    match kind {
        TagKind::Id => false,
        TagKind::PartLabel => uevent(name, b"PARTNAME=").is_some_and(|found| found == value),
        TagKind::PartUuid => uevent(name, b"PARTUUID=").is_some_and(|found| found == value),
        TagKind::Label | TagKind::Uuid => match with_medium(&device_path(name)) {
            Ok(Probed::One(found)) => {
                let tag = if kind == TagKind::Label { found.label } else { found.uuid };
                tag.is_some_and(|tag| tag == value)
            }
            _ => false,
        },
    }
}

/// What the kernel says of a partition.
fn uevent(name: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let path = [&b"/sys/class/block/"[..], name, b"/uevent"].concat();
    let text = file::read_file(OsStr::from_bytes(&path), 1 << 16).ok()?;
    value(&text, key)
}

fn value(text: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    text.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(key)).map(<[u8]>::to_vec)
}

/// The tags that a block device has as a partition.
pub fn partition_tags(device: u64) -> Vec<OwnedTag> {
    let (major, minor) = crate::stat::numbers(device);
    let path = format!("/sys/dev/block/{major}:{minor}/uevent");
    let text = file::read_file(path.as_str(), 1 << 16).unwrap_or_default();
    let tag = |kind, key| value(&text, key).map(|value| OwnedTag { kind, value });
    let mut tags = Vec::new();
    tags.extend(tag(TagKind::PartLabel, b"PARTNAME="));
    tags.extend(tag(TagKind::PartUuid, b"PARTUUID="));
    tags
}
