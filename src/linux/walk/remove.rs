//! Removing everything below a directory: unlinkat(2).

use super::entries::{Buffer, Kind, kind_of, open_directory};
use crate::trace::Quoted;
use crate::{Errno, stat};
use nix::unistd::UnlinkatFlags::{self, NoRemoveDir, RemoveDir};
use nix::unistd::unlinkat;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Removes everything below a directory, and leaves what is on other file systems and what cannot be
/// removed; the last error is returned. Symbolic links are removed, not followed.
pub fn remove_below(directory: OwnedFd) -> Result<(), Errno> {
    let device = stat::of(directory.as_fd())?.identity().0;
    below(directory.as_fd(), device)
}

fn below(directory: BorrowedFd<'_>, device: u64) -> Result<(), Errno> {
    // All names are read first: entries may be skipped if others are removed meanwhile.
    let mut names: Vec<(Kind, CString)> = Vec::new();
    let mut buffer = Buffer::new();
    while buffer.read(directory)? > 0 {
        names.extend(buffer.entries().map(|(kind, name)| (kind, name.to_owned())));
    }
    drop(buffer);
    let mut result = Ok(());
    for (kind, name) in names {
        let kind = if kind == Kind::Unknown { kind_of(directory, &name) } else { kind };
        let done = if kind == Kind::Directory {
            subdirectory(directory, &name, device)
        } else {
            unlink(directory, &name, NoRemoveDir)
        };
        result = done.and(result);
    }
    result
}

fn subdirectory(parent: BorrowedFd<'_>, name: &CStr, device: u64) -> Result<(), Errno> {
    let directory = open_directory(parent, name)?;
    if stat::of(directory.as_fd())?.identity().0 != device {
        return Ok(());
    }
    let result = below(directory.as_fd(), device);
    drop(directory);
    unlink(parent, name, RemoveDir).and(result)
}

fn unlink(directory: BorrowedFd<'_>, name: &CStr, flag: UnlinkatFlags) -> Result<(), Errno> {
    let shown = if matches!(flag, RemoveDir) { "AT_REMOVEDIR" } else { "0" };
    let done = unlinkat(directory, name, flag).map_err(Errno::from);
    traced!(done, "unlinkat({}, {}, {shown})", directory.as_raw_fd(), Quoted(name.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let directory = crate::walk::open(old.as_os_str()).unwrap();
        assert_eq!(remove_below(directory), Ok(()));
        assert_eq!(fs::read_dir(&old).unwrap().count(), 0);
        assert!(base.join("kept/file").exists());
        fs::remove_dir_all(&base).unwrap();
    }
}
