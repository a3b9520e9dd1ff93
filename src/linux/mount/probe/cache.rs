//! blkid's cache, /run/blkid/blkid.tab: what was found on devices, for those who may not read them.
//!
//! A line is `<device DEVNO="0x0801" TIME="1.5" LABEL="data" TYPE="ext4">/dev/sda1</device>`. Who may read a device does.

use super::Superblock;
use crate::environment::trusted_variable;
use crate::quiet::without_write_signals;
use crate::{Errno, Result, directory, error::Context, file, link, number, raw, stat};
use nix::time::{ClockId, clock_gettime};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What is known of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// Its absolute name.
    pub name: OsString,
    /// Its device number; 0 of a file.
    pub number: u64,
    /// When that was found, in seconds since 1970, with a fraction.
    pub time: Vec<u8>,
    /// What was found, `TYPE` included.
    pub found: Superblock,
}

impl CacheEntry {
    /// Reads a line.
    pub fn parse(line: &[u8]) -> Option<CacheEntry> {
        let mut rest = line.trim_ascii().strip_prefix(b"<device")?;
        let (mut number, mut time, mut found) = (0, b"0".to_vec(), Superblock::default());
        loop {
            rest = rest.trim_ascii_start();
            if let Some(name) = rest.strip_prefix(b">") {
                let name = name.strip_suffix(b"</device>")?.trim_ascii();
                let is_absolute = name.starts_with(b"/") && !name.contains(&0);
                return is_absolute.then(|| CacheEntry {
                    name: OsString::from_vec(name.to_vec()),
                    number,
                    time,
                    found,
                });
            }
            let equals = rest.iter().position(|byte| *byte == b'=')?;
            let (tag, value) = rest.split_at_checked(equals)?;
            let mut text = Vec::new();
            let mut bytes = value.strip_prefix(b"=\"")?.iter();
            loop {
                match bytes.next()? {
                    b'"' => break,
                    b'\\' => text.push(*bytes.next()?),
                    byte => text.push(*byte),
                }
            }
            rest = bytes.as_slice();
            match tag {
                b"DEVNO" => number = number::read(&text, 0)?.value?,
                // It is written back as it is, so nothing but a number's bytes are kept of it.
                b"TIME" => {
                    text.retain(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
                    time = text;
                }
                // How much the original prefers the device.
                b"PRI" => {}
                // Leaked, since names must be `&'static str`, as those of probed values are. A cache has few of them.
                _ => found.add(core::str::from_utf8(tag).ok()?.to_string().leak(), &text),
            }
        }
    }

    /// Adds it as a line.
    pub fn append_to(&self, text: &mut Vec<u8>) {
        text.extend_from_slice(format!("<device DEVNO=\"{:#06x}\" TIME=\"", self.number).as_bytes());
        text.extend_from_slice(&self.time);
        text.push(b'"');
        for (tag, value) in &self.found.values {
            text.push(b' ');
            text.extend_from_slice(tag.as_bytes());
            text.extend_from_slice(b"=\"");
            for byte in value {
                if matches!(byte, b'"' | b'\\') {
                    text.push(b'\\');
                }
                text.push(*byte);
            }
            text.push(b'"');
        }
        text.push(b'>');
        text.extend_from_slice(self.name.as_bytes());
        text.extend_from_slice(b"</device>\n");
    }
}

/// The cache.
#[derive(Debug, Default)]
pub struct Cache {
    path: OsString,
    entries: Vec<CacheEntry>,
    is_changed: bool,
}

const DIRECTORY: &str = "/run/blkid";

impl Cache {
    /// Reads the cache file: the named one, else `BLKID_FILE`, else the default.
    pub fn load(named: Option<&OsStr>) -> Cache {
        let path = match named.filter(|path| !path.is_empty()) {
            Some(path) => path.to_os_string(),
            None => trusted_variable("BLKID_FILE").unwrap_or_else(|| "/run/blkid/blkid.tab".into()),
        };
        let mut cache = Cache { path, ..Cache::default() };
        for line in file::read_head(&cache.path, 1 << 24).unwrap_or_default().split(|byte| *byte == b'\n') {
            if let Some(entry) = CacheEntry::parse(line) {
                cache.put(entry);
            }
        }
        cache
    }

    /// A device has one entry.
    fn put(&mut self, entry: CacheEntry) {
        match self.entries.iter_mut().find(|old| old.name == entry.name) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// The default one for who may not read devices, else none.
    pub fn of_unreadable() -> Cache {
        if crate::credentials::effective_uid().is_root() { Cache::default() } else { Cache::load(None) }
    }

    /// The names of the devices that are known.
    pub fn names(&self) -> Vec<OsString> {
        let mut names = Vec::new();
        for entry in &self.entries {
            names.push(entry.name.clone());
        }
        names
    }

    /// What is known of a device with this name and number.
    pub fn find(&self, name: &OsStr, number: u64) -> Option<&Superblock> {
        self.entries.iter().find(|entry| entry.name == name && entry.number == number).map(|entry| &entry.found)
    }

    /// Keeps what has been found.
    pub fn set(&mut self, name: OsString, number: u64, found: &Superblock) {
        if self.find(&name, number) == Some(found) || found.value("TYPE").is_none() {
            return;
        }
        let now = clock_gettime(ClockId::CLOCK_REALTIME).map_or((0, 0), |now| (now.tv_sec(), now.tv_nsec() / 1000));
        let time = format!("{}.{}", now.0, now.1).into_bytes();
        // The type is told by its value; what was read back has no other.
        let found = Superblock { fstype: "", values: found.values.clone() };
        self.put(CacheEntry { name, number, time, found });
        self.is_changed = true;
    }

    /// Forgets a device.
    pub fn remove(&mut self, name: &OsStr) {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        self.is_changed |= self.entries.len() != before;
    }

    /// Writes it, if something has changed and it may be.
    pub fn save(&self) -> Result<()> {
        let may_be_replaced = match stat::path(&self.path) {
            Ok(stat) => stat.is_regular(),
            // Of what cannot be asked for it is not known: it may be a device, as `-c /dev/null` is.
            Err(error) => error.errno == Errno::ENOENT,
        };
        if !self.is_changed || !may_be_replaced {
            return Ok(());
        }
        let mut text = Vec::new();
        for entry in &self.entries {
            entry.append_to(&mut text);
        }
        if self.path.as_bytes().starts_with(DIRECTORY.as_bytes()) {
            let _ = directory::make(OsStr::new(DIRECTORY), 0o755);
        }
        let mut temporary = self.path.clone();
        temporary.push(format!("-{}", nix::unistd::getpid()));
        let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
        let new = file::open_at(None, &temporary, flags, 0o644).context("open", &temporary)?;
        let mut written = Ok(());
        without_write_signals(&mut || written = raw::write_all(new.as_fd(), &text));
        let written = traced!(written.map(|()| text.len()), "write(blkid.tab)");
        let done = written.context("write", &temporary);
        let done = done.and_then(|_| link::rename(&temporary, &self.path));
        if done.is_err() {
            let _ = link::unlink(&temporary);
        }
        done
    }
}
