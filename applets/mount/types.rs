//! Which file system types to try: those given, the one detected from the superblock, or all that the kernel supports.

use super::errors::{self, FAILED, USAGE};
use super::resolve::Mount;
use cli::{Failure, text};
use linux::mount::filesystems;
use linux::mount::options::operation::Operation;
use linux::mount::options::type_matches;
use linux::mount::probe::{self, Probed};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// A type to try, or the reason why there is none, which is reported when its turn comes.
pub struct Candidate {
    /// The type; `None`: the operation has none.
    pub fstype: Result<Option<OsString>, Failure>,
    /// It is a guess: fewer messages in the kernel's log.
    pub silent: bool,
    /// Another driver for the previous type, tried only if the kernel does not know that one.
    pub is_substitute: bool,
    /// Whether the type was detected under another name, which is the one to tell.
    pub is_alias: bool,
}

impl Candidate {
    fn of(fstype: Result<Option<OsString>, Failure>) -> Candidate {
        Candidate { fstype, silent: false, is_substitute: false, is_alias: false }
    }
}

/// The types for a mount, in the order in which they are tried: the next one after one that the kernel does not know
/// (`ENODEV`) or that is not on the source (`EINVAL`).
pub fn candidates(mount: &Mount) -> Vec<Candidate> {
    let types = mount.types.as_slice();
    let named = |name: &[u8]| Candidate::of(Ok(Some(OsStr::from_bytes(name).to_os_string())));
    if !mount.operation.has_type() {
        return vec![Candidate::of(Ok(None))];
    }
    if mount.operation == Operation::Remount {
        let is_known = types != b"auto" && !types.contains(&b',');
        return vec![if is_known { named(types) } else { Candidate::of(Ok(None)) }];
    }
    let mut all = Vec::new();
    if mount.negatable && types.starts_with(b"no") {
        guess(mount, Some(types), &mut all);
        return all;
    }
    let is_list = types.contains(&b',');
    for name in types.split(|&byte| byte == b',') {
        match name {
            b"" if is_list => {}
            b"auto" => match detect(mount) {
                Ok(Some(fstype)) => drivers(&fstype, &mut all),
                Ok(None) => guess(mount, None, &mut all),
                Err(failure) => all.push(Candidate::of(Err(failure))),
            },
            name => all.push(named(name)),
        }
    }
    if all.is_empty() {
        all.push(named(b""));
    }
    all
}

fn no_valid(mount: &Mount) -> Failure {
    errors::early(USAGE, &mount.target.path, text!["no valid filesystem type specified"])
}

/// The type that the source's superblock says, or its name.
fn detect(mount: &Mount) -> Result<Option<OsString>, Failure> {
    let path = mount.source().unwrap_or_default();
    let bytes = path.as_bytes();
    let found = match probe::device(path) {
        Ok(Probed::One(found)) => {
            let allowed = mount.xmount.auto_types.as_deref();
            if allowed.is_some_and(|list| !type_matches(OsStr::new(found.fstype), list)) {
                return Err(no_valid(mount));
            }
            found.fstype
        }
        Ok(Probed::Ambiguous(_)) => {
            let text = text!["more filesystems detected on ", path, "; use -t <type> or wipefs(8)"];
            return Err(errors::early(FAILED, &mount.target.path, text));
        }
        Err(_) if bytes.starts_with(b"//") => "cifs",
        Err(_) if bytes.contains(&b':') && !bytes.starts_with(b"/") => "nfs",
        Ok(Probed::Nothing) | Err(_) => return Ok(None),
    };
    Ok(Some(OsString::from(found)))
}

/// Every type that the kernel supports and that needs a device, one after another.
fn guess(mount: &Mount, list: Option<&[u8]>, all: &mut Vec<Candidate>) {
    let before = all.len();
    for name in filesystems::known() {
        let lists = [list, mount.xmount.auto_types.as_deref()];
        if lists.into_iter().flatten().all(|list| type_matches(&name, list)) {
            all.push(Candidate { silent: true, ..Candidate::of(Ok(Some(name))) });
        }
    }
    if all.len() == before {
        all.push(Candidate::of(Err(no_valid(mount))));
    }
}

/// What mounts a detected type, as a driver of the kernel's or a mount.TYPE program in its place: the kernel's own first.
fn drivers(found: &OsStr, all: &mut Vec<Candidate>) {
    let names = match found.as_bytes() {
        b"ntfs" => "ntfs3 ntfs ntfs-3g",
        // ext4 mounts the older ones, under their names only where the kernel is made so.
        b"ext2" => "ext2 ext4",
        b"ext3" => "ext3 ext4",
        b"exfat" => "exfat exfat-fuse",
        _ => return all.push(Candidate::of(Ok(Some(found.to_os_string())))),
    };
    for (place, name) in names.split(' ').enumerate() {
        let (is_substitute, is_alias) = (place > 0, name != found);
        all.push(Candidate { is_substitute, is_alias, ..Candidate::of(Ok(Some(OsString::from(name)))) });
    }
}
