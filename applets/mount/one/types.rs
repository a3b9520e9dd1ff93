//! Which file system types are tried for a mount: those that were named, what the superblock says,
//! or all that the kernel knows.

use super::super::{FAILED, USAGE, message};
use super::{Operation, Refusal, Tried, Work};
use cli::{Failure, Output, text};
use linux::probe::{self, Probed};
use linux::{Errno, file};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

impl Work<'_> {
    /// One type after another. `Ok(Err)`: none did.
    pub(super) fn try_types(&mut self, output: &mut Output) -> Result<Result<Tried, Refusal>, Failure> {
        if !self.operation.has_type() {
            return Ok(self.attempt(None, false, output));
        }
        if self.operation == Operation::Remount {
            let fstype = OsString::from_vec(self.types.clone());
            let known = !fstype.is_empty() && !self.types.contains(&b',') && fstype != "auto";
            return Ok(self.attempt(known.then_some(fstype.as_os_str()), false, output));
        }
        let types = self.types.clone();
        if self.negatable && types.starts_with(b"no") && types != b"none" {
            return self.guess(Some(&types), output);
        }
        let mut last = None;
        for name in types.split(|&byte| byte == b',') {
            if matches!(name, b"" | b"auto") && !(name.is_empty() && types.contains(&b',')) {
                match self.detect()? {
                    Some(fstype) => last = Some(self.try_drivers(&fstype, output)),
                    None => last = Some(self.guess(None, output)?),
                }
            } else if !name.is_empty() {
                last = Some(self.attempt(Some(OsStr::from_bytes(name)), false, output));
            }
            match &last {
                Some(Err(refusal)) if matches!(refusal.errno, Errno::EINVAL | Errno::ENODEV) => {}
                Some(_) => break,
                None => {}
            }
        }
        last.ok_or_else(|| message::early(USAGE, &self.target.path, b"no valid filesystem type specified"))
    }

    /// The drivers of a type that was detected: the kernel's, or a mount.TYPE program in its place, in the order of
    /// [`drivers`]. The one after is tried if there is none.
    fn try_drivers(&mut self, found: &OsStr, output: &mut Output) -> Result<Tried, Refusal> {
        let mut failed = None;
        let mut tried = Vec::new();
        for driver in drivers(found) {
            match self.attempt(Some(driver), false, output) {
                Err(refusal) if refusal.errno == Errno::ENODEV => {
                    tried = if tried.is_empty() { text![driver] } else { text![tried, ", ", driver] };
                    // The line of the type's own name is what the original prints.
                    if failed.is_none() || driver == found {
                        failed = Some(refusal);
                    }
                }
                other => return other,
            }
        }
        let Some(refusal) = failed else { return self.attempt(Some(found), false, output) };
        if !tried.contains(&b',') {
            return Err(refusal);
        }
        let words = text!["what mounts ", found, " was looked for in the kernel and as /sbin/mount.TYPE: ", tried];
        Err(Refusal { failure: refusal.failure.hint(words), ..refusal })
    }

    /// The type that the source's superblock says, or its name.
    fn detect(&self) -> Result<Option<OsString>, Failure> {
        let path = self.path().unwrap_or_default();
        match probe::device(path) {
            Ok(Probed::One(found)) => {
                let allowed = self.hooks.auto_types.as_deref();
                if allowed.is_some_and(|list| !linux::options::type_matches(OsStr::new(found.fstype), list)) {
                    return Err(message::early(USAGE, &self.target.path, b"no valid filesystem type specified"));
                }
                Ok(Some(OsString::from(found.fstype)))
            }
            Ok(Probed::Ambiguous) => Err(message::early(
                FAILED,
                &self.target.path,
                &text!["more filesystems detected on ", path, "; use -t <type> or wipefs(8)"],
            )),
            Ok(Probed::Nothing) => Ok(None),
            Err(_) => {
                let bytes = path.as_bytes();
                let network = if bytes.starts_with(b"//") {
                    Some("cifs")
                } else if bytes.contains(&b':') && bytes.first() != Some(&b'/') {
                    Some("nfs")
                } else {
                    None
                };
                Ok(network.map(OsString::from))
            }
        }
    }

    /// Every type that the kernel knows and that needs a device, one after another.
    fn guess(&mut self, list: Option<&[u8]>, output: &mut Output) -> Result<Result<Tried, Refusal>, Failure> {
        let allowed = self.hooks.auto_types.clone();
        let fits = |name: &OsStr| {
            list.is_none_or(|list| linux::options::type_matches(name, list))
                && allowed.as_ref().is_none_or(|list| linux::options::type_matches(name, list))
        };
        let mut last = None;
        for name in known_types().into_iter().filter(|name| fits(name)) {
            match self.attempt(Some(&name), true, output) {
                Err(refusal) if matches!(refusal.errno, Errno::EINVAL | Errno::ENODEV) => last = Some(Err(refusal)),
                other => return Ok(other),
            }
        }
        last.ok_or_else(|| message::early(USAGE, &self.target.path, b"no valid filesystem type specified"))
    }
}

/// The names of what mounts a detected type: the kernel's own driver first.
fn drivers(found: &OsStr) -> impl Iterator<Item = &OsStr> {
    let names: &[&str] = match found.as_bytes() {
        b"ntfs" => &["ntfs3", "ntfs", "ntfs-3g"],
        // ext4 mounts the older ones, under their names only where the kernel is made so.
        b"ext2" => &["ext2", "ext4"],
        b"ext3" => &["ext3", "ext4"],
        b"exfat" => &["exfat", "exfat-fuse"],
        _ => &[],
    };
    let itself = names.is_empty().then_some(found);
    names.iter().map(|name| OsStr::new(*name)).chain(itself)
}

/// Whether the kernel has a type now, without a module that it would have to load.
pub fn kernel_knows(fstype: &[u8]) -> bool {
    let text = file::read_file("/proc/filesystems", 1 << 16).unwrap_or_default();
    text.split(|&byte| byte == b'\n').any(|line| line.rsplit(|&byte| byte == b'\t').next() == Some(fstype))
}

/// The types that need a device: /etc/filesystems, and /proc/filesystems if that is missing or ends with `*`.
fn known_types() -> Vec<OsString> {
    let mut types = Vec::new();
    let mut kernel = true;
    if let Ok(text) = file::read_file("/etc/filesystems", 1 << 16) {
        kernel = false;
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.trim_ascii();
            match line {
                b"*" => kernel = true,
                [] | [b'#', ..] => {}
                name if name.starts_with(b"nodev") => {}
                name => types.push(OsStr::from_bytes(name).to_os_string()),
            }
        }
    }
    if kernel && let Ok(text) = file::read_file("/proc/filesystems", 1 << 16) {
        for line in text.split(|&byte| byte == b'\n') {
            if !line.starts_with(b"nodev") && !line.trim_ascii().is_empty() {
                types.push(OsStr::from_bytes(line.trim_ascii()).to_os_string());
            }
        }
    }
    types
}
