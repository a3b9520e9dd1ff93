//! What is known of a loop device: what /sys tells everybody, else what the device tells who may open it.
//!
//! Whoever has a device open keeps it from being detached, so it is opened only for what /sys does not know.

use super::calls::{LO_FLAGS_AUTOCLEAR, LO_FLAGS_DIRECT_IO, LO_FLAGS_PARTSCAN, LO_FLAGS_READ_ONLY};
use super::calls::{number_of, open_device, status};
use crate::ioctl::{self, LoopInfo};
use crate::{Errno, file, number, stat};
use core::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A device by its path, which need not be one.
pub struct LoopDevice {
    /// Its path.
    pub path: OsString,
    /// Its numbers.
    pub numbers: Option<(u32, u32)>,
    /// Whether the kernel has the device, and there is no node for it.
    pub is_lost: bool,
    /// Its directory of /sys.
    sys: Vec<u8>,
    info: OnceCell<Option<LoopInfo>>,
}

/// A text of the kernel's that ends with NUL, or at the end.
fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl LoopDevice {
    /// The device at this path.
    pub fn at(path: &OsStr) -> LoopDevice {
        let node = stat::path(path).ok();
        let numbers = node.filter(|node| node.device() != 0).map(|node| stat::numbers(node.device()));
        let sys = match (node, numbers) {
            (Some(node), Some((major, minor))) if node.is_block_device() => {
                format!("/sys/dev/block/{major}:{minor}/").into_bytes()
            }
            (None, _) if number_of(path).is_some() => {
                let name = path.as_bytes().strip_prefix(b"/dev/").unwrap_or_default();
                [b"/sys/block/", name, b"/"].concat()
            }
            _ => Vec::new(),
        };
        let mut device = LoopDevice { path: path.to_os_string(), numbers, is_lost: false, sys, info: OnceCell::new() };
        if node.is_none()
            && let Some(text) = device.value("dev")
            && let Some(colon) = text.iter().position(|byte| *byte == b':')
        {
            let number = |text: Option<&[u8]>| text.and_then(number::decimal).and_then(|it| u32::try_from(it).ok());
            device.numbers = number(text.get(..colon)).zip(number(text.get(colon + 1..)));
            device.is_lost = true;
        }
        device
    }

    /// An attribute in /sys.
    fn read(&self, attribute: &str) -> Result<Vec<u8>, Errno> {
        if self.sys.is_empty() {
            return Err(Errno::ENOENT);
        }
        let path = [&self.sys, attribute.as_bytes()].concat();
        let mut text = file::read_file(OsStr::from_bytes(&path), 1 << 16).map_err(|error| error.errno)?;
        if text.last() == Some(&b'\n') {
            text.pop();
        }
        Ok(text)
    }

    fn value(&self, attribute: &str) -> Option<Vec<u8>> {
        self.read(attribute).ok()
    }

    /// What the device itself says.
    fn info(&self) -> Option<&LoopInfo> {
        let ask = || open_device(&self.path, true).ok().and_then(|fd| status(fd.as_fd()).ok());
        self.info.get_or_init(|| if self.sys.is_empty() { None } else { ask() }).as_ref()
    }

    fn number(&self, attribute: &str, otherwise: fn(&LoopInfo) -> u64) -> Option<u64> {
        let told = self.value(attribute).and_then(|text| number::decimal(&text));
        told.or_else(|| self.info().map(otherwise))
    }

    fn flag(&self, attribute: &str, flag: u32) -> bool {
        match self.value(attribute) {
            Some(text) => text == b"1",
            None => self.info().is_some_and(|info| info.lo_flags & flag != 0),
        }
    }

    /// The file behind it.
    pub fn file(&self) -> Option<OsString> {
        let told = self.read("loop/backing_file");
        // A device without a file has no such attribute. One that cannot be read is no reason to take it for free.
        if told == Err(Errno::ENOENT) && self.value("dev").is_some() {
            return None;
        }
        // The kernel keeps 63 bytes of the name.
        let kept = || {
            let name = until_nul(&self.info()?.lo_file_name).to_vec();
            let is_cut = name.len() == 63;
            Some(if is_cut { [name.get(..62).unwrap_or_default(), b"*"].concat() } else { name })
        };
        told.ok().or_else(kept).map(OsString::from_vec)
    }

    /// What it was called when it was set up.
    pub fn reference(&self) -> Option<Vec<u8>> {
        self.info().map(|info| until_nul(&info.lo_file_name).to_vec())
    }

    /// The device and the inode of its file.
    pub fn identity(&self) -> Option<(u64, u64)> {
        self.info().map(|info| (info.lo_device, info.lo_inode))
    }

    /// Where it begins in the file.
    pub fn offset(&self) -> Option<u64> {
        self.number("loop/offset", |info| info.lo_offset)
    }

    /// How much of the file it has at most; 0: all.
    pub fn sizelimit(&self) -> Option<u64> {
        self.number("loop/sizelimit", |info| info.lo_sizelimit)
    }

    /// Whether it is detached with its last user.
    pub fn autoclear(&self) -> bool {
        self.flag("loop/autoclear", LO_FLAGS_AUTOCLEAR)
    }

    /// Whether the kernel looks for partitions on it.
    pub fn partscan(&self) -> bool {
        self.flag("loop/partscan", LO_FLAGS_PARTSCAN)
    }

    /// Whether it cannot be written.
    pub fn read_only(&self) -> bool {
        self.flag("ro", LO_FLAGS_READ_ONLY)
    }

    /// Whether the file is used past the page cache.
    pub fn direct_io(&self) -> bool {
        self.flag("loop/dio", LO_FLAGS_DIRECT_IO)
    }

    /// The size of its sectors, in bytes.
    pub fn sector_size(&self) -> Option<u64> {
        let told = self.value("queue/logical_block_size").and_then(|text| number::decimal(&text));
        told.or_else(|| {
            let mut size = 0;
            let fd = open_device(&self.path, true).ok().filter(|_| !self.sys.is_empty())?;
            ioctl::on(fd.as_fd(), ioctl::BLKSSZGET, &mut size).ok().map(|()| size.into())
        })
    }
}
