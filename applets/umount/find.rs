//! Finds the mount that an operand of umount names: by mount point, device, tag, or the file behind a loop device.

use linux::mount::statmount;
use linux::mount::{loopdev, mountinfo, table};
use linux::{directory, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A mount that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Where it is; what umount2(2) gets.
    pub target: OsString,
    /// Its source, if the table was read.
    pub source: Option<OsString>,
    /// The directory of its file system that it shows, if the table was read.
    pub root: Option<OsString>,
    /// Its number in mountinfo, 0 if it is not known.
    pub id: u64,
    /// Its type, if it is known.
    pub fstype: Option<OsString>,
    /// The options of its mount, if the table was read.
    pub options: Option<Vec<u8>>,
    /// The path for umount2(2), where the target is kept as it was typed for messages; empty: the target itself.
    pub resolved: OsString,
    /// Whether another mount covers it, so that its path leads to that one.
    pub is_hidden: bool,
}

impl Found {
    /// The path for umount2(2).
    pub fn path(&self) -> &OsStr {
        if self.resolved.is_empty() { &self.target } else { &self.resolved }
    }

    /// Whether it has this source and root, as far as they are known.
    pub fn is_of(&self, source: &OsStr, root: &OsStr) -> bool {
        self.source.as_deref().is_none_or(|own| own == source) && self.root.as_deref().is_none_or(|own| own == root)
    }

    /// As the original names an absolute path that needs no table: as it was typed, and without knowing its source.
    pub fn typed(self, operand: &OsStr) -> Found {
        Found { resolved: self.target, target: operand.to_os_string(), source: None, root: None, options: None, ..self }
    }

    /// A mount of the table.
    pub fn of(entry: &mountinfo::Entry<'_>) -> Found {
        Found {
            target: entry.target_path(),
            source: Some(entry.source_text()),
            root: Some(OsString::from_vec(mountinfo::unescape(entry.root).into_owned())),
            id: u64::from(entry.id),
            fstype: Some(entry.fstype_text().to_os_string()),
            options: Some(entry.options.to_vec()),
            ..Found::default()
        }
    }
}

/// The operand's path, resolved. Without `full` its last part is neither followed nor looked at, since a dead server may be
/// mounted there; nor where nothing is that it leads to, since it may be a link that is mounted on itself.
pub fn canonical(path: &OsStr, full: bool) -> OsString {
    if full && let Ok(found) = here(path) {
        return found;
    }
    let mut bytes = path.as_bytes();
    while let Some(rest) = bytes.strip_suffix(b"/").filter(|rest| !rest.is_empty()) {
        bytes = rest;
    }
    let (parent, name) = match bytes.iter().rposition(|&byte| byte == b'/') {
        Some(0) => (&b"/"[..], bytes.get(1..).unwrap_or_default()),
        Some(slash) => (bytes.get(..slash).unwrap_or_default(), bytes.get(slash + 1..).unwrap_or_default()),
        None => (&b"."[..], bytes),
    };
    if matches!(name, b"" | b"." | b"..") {
        return resolved(path);
    }
    match directory::canonical_here(OsStr::from_bytes(parent)) {
        Ok(mut path) => {
            if path != "/" {
                path.push("/");
            }
            path.push(OsStr::from_bytes(name));
            path
        }
        Err(_) => path.to_os_string(),
    }
}

/// A path into another mount namespace is passed on as typed, and the kernel refuses it.
fn resolved(path: &OsStr) -> OsString {
    here(path).unwrap_or_else(|_| path.to_os_string())
}

/// [`directory::canonical_here`], but a descriptor's link in /proc may also lead to a directory that has been mounted
/// over: it names the mounts that are stacked there.
pub fn here(path: &OsStr) -> linux::Result<OsString> {
    let found = directory::canonical_here(path);
    if found.is_err()
        && let (Ok(place), Ok(covered)) = (directory::canonical(path), statmount::mountinfo_id(None, path, 0))
    {
        let mut is_over = false;
        let _ = table::for_each(&mut |entry| is_over |= u64::from(entry.parent) == covered.id && entry.is_on(&place));
        if is_over {
            return Ok(place);
        }
    }
    found
}

/// Asks the kernel for the mount at a path, with its type by statmount(2). `None` if it is no mount point, or the kernel
/// is too old to say.
pub fn by_kernel(path: &OsStr, with_type: bool) -> Option<Found> {
    let ids = if with_type { statmount::unique_id(None, path, 0) } else { statmount::mountinfo_id(None, path, 0) };
    let ids = ids.ok().filter(|ids| ids.is_root == Some(true))?;
    let (mut fstype, mut id) = (None, ids.id);
    if with_type {
        let (name, number) = statmount::type_and_id(ids.unique).ok()?;
        (fstype, id) = (Some(name), number);
    }
    Some(Found { target: path.to_os_string(), id, fstype, ..Found::default() })
}

/// Looks the operand up in the table, later mounts first: as a target, as a source, as the file of one loop device. A
/// directory is a target and nothing else: whoever may mount can give a file system the directory's path as its source.
/// Without `follows` a link at the operand's end is not followed to a mount.
pub fn in_table(table: &table::Table, operand: &OsStr, path: &OsStr, follows: bool) -> Option<Found> {
    if let Some(entry) = table.find_target(path) {
        return Some(Found::of(&entry));
    }
    let full = here(operand).ok();
    if let Some(full) = full.as_deref().filter(|full| follows && *full != path)
        && let Some(entry) = table.find_target(full)
    {
        return Some(Found::of(&entry));
    }
    if full.as_deref().is_some_and(|full| stat::path(full).is_ok_and(|stat| stat.is_directory())) {
        return None;
    }
    let device = device(operand)?;
    // The kernel may have mounted a device-mapper device under its own name (/dev/dm-N).
    let names = [Some(device), full];
    let entry = names.iter().flatten().find_map(|name| table.find_last(&|entry| entry.is_from(name)))?;
    let mut found = Found::of(&entry);
    let top = table.find_last(&|other| other.target == entry.target);
    found.is_hidden = top.is_some_and(|top| top.id != entry.id);
    Some(found)
}

/// The source that an operand names.
pub fn device(operand: &OsStr) -> Option<OsString> {
    // Nothing is named by it, though a mount may have an empty source.
    if operand.is_empty() {
        return None;
    }
    if let Some(tag) = linux::mount::probe::Tag::parse(operand) {
        return tag.resolve();
    }
    let path = directory::canonical_source(operand).unwrap_or_else(|_| operand.to_os_string());
    if stat::path(&path).is_ok_and(|stat| stat.is_regular()) {
        match loopdev::devices_of(&path).as_slice() {
            [] => {}
            [device] => return Some(device.clone()),
            _ => return None,
        }
    }
    Some(path)
}
