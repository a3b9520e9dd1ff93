//! Opens paths without following symbolic links: openat2(2), path_resolution(7).

use crate::filtered::unless_filtered;
use crate::raw::{above_standard, cstring, from_directory};
use crate::{Errno, file, link, stat};
use nix::fcntl::{OFlag, OpenHow, ResolveFlag};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Opens a path with RESOLVE_NO_MAGICLINKS: a link of /proc that leads to a process's root, working directory or
/// descriptor is `ELOOP`, since it would lead out of a changed root.
pub fn open_without_magic_links(path: &OsStr, flags: i32) -> Result<OwnedFd, Errno> {
    open_resolving(None, path, flags, libc::RESOLVE_NO_MAGICLINKS)
}

/// Opens a path as O_PATH if no part of it, the last one included, is a symbolic link; else `ELOOP`. It is absolute, or
/// relative to `dir`, which it must not leave (`EXDEV`).
pub fn open_without_links(dir: Option<BorrowedFd<'_>>, path: &OsStr) -> Result<OwnedFd, Errno> {
    let beneath = if dir.is_some() { libc::RESOLVE_BENEATH } else { 0 };
    open_resolving(dir, path, libc::O_PATH, beneath | libc::RESOLVE_NO_SYMLINKS)
}

/// openat2(2), or [`walk`] before Linux 5.6, under a seccomp filter that does not know the call, and where the kernel
/// gives up on a `..` because something was mounted or renamed meanwhile, anywhere.
fn open_resolving(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    match openat2(dir, path, flags, resolve) {
        Err(Errno::ENOSYS | Errno::EAGAIN) => walk(dir, path, flags, resolve),
        done => done,
    }
}

/// Does the same with one openat(2) for each part of the path, from `dir` or the root. The directories on the way stay
/// open, so that `..` leads back even if one was renamed meanwhile. Every link of a proc is refused, since it cannot be
/// seen which of them are magic.
fn walk(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    const PROC: i64 = 0x9fa0;
    /// As many links as the kernel follows, one after another.
    const LINKS: usize = 40;
    let start = OsStr::new(if dir.is_some() { "." } else { "/" });
    let mut way = vec![(file::open_at(dir, start, libc::O_PATH, 0)?, b".".to_vec())];
    let mut rest = Vec::new();
    push_parts(path.as_bytes(), &mut rest);
    let mut links = 0;
    while let (Some(part), Some((here, _))) = (rest.pop(), way.last()) {
        match &*part {
            b"" | b"." => {}
            b".." if way.len() > 1 => drop(way.pop()),
            b".." if resolve & libc::RESOLVE_BENEATH != 0 => return Err(Errno::EXDEV),
            b".." => {}
            _ => {
                let name = OsStr::from_bytes(&part);
                let next = file::open_at(Some(here.as_fd()), name, libc::O_PATH | libc::O_NOFOLLOW, 0)?;
                if !stat::of(next.as_fd())?.is_symlink() {
                    way.push((next, part));
                    continue;
                }
                links += 1;
                if resolve & libc::RESOLVE_NO_SYMLINKS != 0 || links > LINKS {
                    return Err(Errno::ELOOP);
                }
                if stat::file_system(next.as_fd())? == PROC {
                    return Err(Errno::ELOOP);
                }
                let to = link::target_of(next.as_fd())?;
                if to.first() == Some(&b'/') {
                    way.truncate(1);
                }
                push_parts(&to, &mut rest);
            }
        }
    }
    let (found, name) = way.pop().ok_or(Errno::ENOENT)?;
    if flags & libc::O_PATH != 0 {
        return Ok(found);
    }
    // Opened by name in its directory: to reopen the O_PATH descriptor would take a proc.
    let parent = way.last().map_or(&found, |(above, _)| above);
    file::open_at(Some(parent.as_fd()), OsStr::from_bytes(&name), flags | libc::O_NOFOLLOW, 0)
}

/// Pushes the parts of a path, the last one first.
fn push_parts(path: &[u8], rest: &mut Vec<Vec<u8>>) {
    for part in path.rsplit(|byte| *byte == b'/') {
        rest.push(part.to_vec());
    }
}

fn openat2(dir: Option<BorrowedFd<'_>>, path: &OsStr, flags: i32, resolve: u64) -> Result<OwnedFd, Errno> {
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_CLOEXEC;
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::from_bits_retain(resolve));
    let opened = nix::fcntl::openat2(from_directory(dir), cstring(path)?.as_c_str(), how);
    opened.map_err(|errno| unless_filtered(libc::SYS_openat2, errno.into())).and_then(above_standard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_walked_where_the_kernel_cannot_be_asked() {
        let flags = libc::O_RDONLY;
        for (path, resolve) in
            [("/proc/self/root", libc::RESOLVE_NO_MAGICLINKS), ("/proc/self/comm", libc::RESOLVE_NO_SYMLINKS)]
        {
            let refused = |opened: Result<OwnedFd, Errno>| opened.err();
            assert_eq!(refused(walk(None, OsStr::new(path), flags, resolve)), Some(Errno::ELOOP));
            assert_eq!(refused(openat2(None, OsStr::new(path), flags, resolve)), Some(Errno::ELOOP));
        }
        assert!(walk(None, OsStr::new("/proc/version"), flags, libc::RESOLVE_NO_SYMLINKS).is_ok());
    }
}
