//! The target of a mount: prefix, canonical path, and the directories of X-mount.mkdir.

use linux::{Errno, directory, file, number, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A target, and the directories that were made for it.
#[derive(Default)]
pub struct Target {
    /// The path the kernel is given.
    pub path: OsString,
    /// A descriptor (O_PATH) of what the path led to when it was resolved: a mount is attached there, whatever happens to the
    /// directories above it since. None if the path leads nowhere, and with -c: then attaching is the only look-up.
    pub place: Option<linux::Result<OwnedFd>>,
    /// Directories that were made, outermost first.
    made: Vec<directory::Made>,
}

impl Target {
    /// A target that is not resolved yet.
    pub fn at(target: &OsStr, prefix: Option<&OsStr>) -> Target {
        Target { path: prefixed(target, prefix), ..Target::default() }
    }

    /// Makes the directories that are missing, each with this octal mode, which is only read if one is. With `raw` the path
    /// stays as it was given.
    pub fn make(&mut self, mode: &[u8], raw: bool) -> Result<(), Unmade> {
        let Err(missing) = stat::path(&self.path) else { return Ok(()) };
        // No name of anything, and not the working directory.
        if self.path.is_empty() {
            return Err(Unmade::Failed(Errno::EINVAL));
        }
        let mode = number::in_base(mode, 8).ok_or(Unmade::BadMode)?;
        // A link that leads to itself or nowhere is there: nothing can be made for it.
        if matches!(missing.errno, Errno::ELOOP | Errno::ENOENT) && stat::link(&self.path).is_ok() {
            return Ok(());
        }
        let made = directory::make_all(&self.path, mode as u32 & 0o7777, &mut self.made).map_err(Unmade::Failed)?;
        if !raw && let Some((path, place)) = directory::canonical_of_made(&self.path, made) {
            (self.path, self.place) = (path, Some(place));
        }
        Ok(())
    }

    /// Resolves it.
    pub fn resolve(&mut self) -> Result<(), Unmade> {
        if self.place.is_none() {
            if let Ok((path, place)) = directory::canonical_and_open(&self.path) {
                (self.path, self.place) = (path, Some(place));
            } else if stat::path(&self.path).is_err() {
                // A link that leads nowhere is mounted on itself.
                self.place = file::open_link(&self.path).ok().map(Ok);
            }
        }
        match &self.place {
            Some(Err(error)) if error.errno == Errno::EXDEV => Err(Unmade::Elsewhere),
            _ => Ok(()),
        }
    }

    /// Removes the directories that were made: the mount failed.
    pub fn undo(&self) {
        // A directory that has something in it by now stays, with its parents.
        let _ = self.made.iter().rev().try_for_each(directory::Made::remove);
    }
}

/// The target with its prefix: `/` becomes the prefix itself.
pub fn prefixed(target: &OsStr, prefix: Option<&OsStr>) -> OsString {
    let Some(prefix) = prefix else { return target.to_os_string() };
    if target == "/" {
        return prefix.to_os_string();
    }
    let mut path = prefix.as_bytes().to_vec();
    // Messages show it, and the original adds one where there is one already.
    if target.as_bytes().first() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(target.as_bytes());
    OsString::from_vec(path)
}

/// Why the target was not made.
pub enum Unmade {
    /// The mode is no number.
    BadMode,
    /// A directory could not be made.
    Failed(Errno),
    /// The path leads into another mount namespace.
    Elsewhere,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_comes_before_every_target_and_replaces_the_root() {
        let prefixed = |target: &str, prefix: &str| prefixed(OsStr::new(target), Some(OsStr::new(prefix)));
        assert_eq!(prefixed("/a", "/p"), "/p/a");
        assert_eq!(prefixed("a", "/p"), "/p/a");
        assert_eq!(prefixed("/", "/p"), "/p");
    }
}
