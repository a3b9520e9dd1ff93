//! Removing everything below a directory: unlinkat(2).

use super::entries::{Buffer, Kind, kind_of, open_directory};
use crate::trace::Quoted;
use crate::{Errno, stat};
use nix::unistd::UnlinkatFlags::{self, NoRemoveDir, RemoveDir};
use nix::unistd::unlinkat;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Removes everything below a directory, but what is on other file systems, the directory that is `kept` with what is below
/// it, and what cannot be removed, of which `failed` gets the name and the error. Symbolic links are removed, not followed.
pub fn remove_below(directory: OwnedFd, kept: (u64, u64), failed: &mut dyn FnMut(&OsStr, Errno)) {
    let device = stat::of(directory.as_fd()).map_or(0, |stat| stat.identity().0);
    Removal { device, kept, failed }.below(directory.as_fd());
}

struct Removal<'a> {
    device: u64,
    kept: (u64, u64),
    failed: &'a mut dyn FnMut(&OsStr, Errno),
}

impl Removal<'_> {
    /// Returns whether the directory is to be removed, too.
    fn below(&mut self, directory: BorrowedFd<'_>) -> bool {
        let identity = stat::of(directory).map_or((0, 0), |stat| stat.identity());
        if identity.0 != self.device || identity == self.kept {
            return false;
        }
        // All names are read first: entries may be skipped if others are removed meanwhile. Where they cannot be read, the
        // directory cannot be removed, which is told.
        let mut names: Vec<(Kind, CString)> = Vec::new();
        let mut buffer = Buffer::new();
        while buffer.read(directory).is_ok_and(|got| got > 0) {
            for (kind, name) in buffer.entries() {
                names.push((kind, name.to_owned()));
            }
        }
        drop(buffer);
        for (kind, name) in names {
            if let Err(errno) = self.entry(directory, kind, &name) {
                (self.failed)(OsStr::from_bytes(name.to_bytes()), errno);
            }
        }
        true
    }

    fn entry(&mut self, parent: BorrowedFd<'_>, kind: Kind, name: &CStr) -> Result<(), Errno> {
        let kind = if kind == Kind::Unknown { kind_of(parent, name) } else { kind };
        let mut flag = NoRemoveDir;
        if kind == Kind::Directory {
            if !self.below(open_directory(parent, name)?.as_fd()) {
                return Ok(());
            }
            flag = RemoveDir;
        }
        unlink(parent, name, flag)
    }
}

fn unlink(directory: BorrowedFd<'_>, name: &CStr, flag: UnlinkatFlags) -> Result<(), Errno> {
    let shown = if matches!(flag, RemoveDir) { "AT_REMOVEDIR" } else { "0" };
    let done = unlinkat(directory, name, flag).map_err(Errno::from);
    traced!(done, "unlinkat({}, {}, {shown})", directory.as_raw_fd(), Quoted(name.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn everything_below_a_directory_goes_and_what_links_lead_to_stays() {
        let base = std::env::temp_dir().join(format!("ctrbox-remove-{}", std::process::id()));
        let old = base.join("old");
        fs::create_dir_all(old.join("a/b")).unwrap();
        fs::create_dir(base.join("kept")).unwrap();
        fs::write(base.join("kept/file"), "x").unwrap();
        fs::write(old.join("a/b/file"), "x").unwrap();
        symlink("../kept", old.join("link")).unwrap();
        fs::create_dir_all(old.join("c/new/d")).unwrap();
        let kept = stat::path(old.join("c/new").as_os_str()).unwrap().identity();
        let directory = crate::walk::open(old.as_os_str()).unwrap();
        let mut told = Vec::new();
        remove_below(directory, kept, &mut |name, errno| told.push((name.to_owned(), errno)));
        assert_eq!(told, [(OsString::from("c"), Errno(libc::ENOTEMPTY))]);
        assert_eq!(fs::read_dir(&old).unwrap().count(), 1);
        assert!(old.join("c/new/d").exists());
        assert!(base.join("kept/file").exists());
        fs::remove_dir_all(&base).unwrap();
    }
}
