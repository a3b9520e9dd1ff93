//! The cgroups of a process, in the unified hierarchy and in those of version 1: cgroups(7).

use crate::mount::mountinfo::Entry;
use crate::mount::statmount;
use crate::mount::table::Table;
use crate::{Errno, Error, Result, error::Context, file, procfd::ProcFd, raw, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A process's place in one hierarchy: a line of /proc/PID/cgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The controllers, or `name=...`; empty for the unified hierarchy.
    pub controllers: Vec<u8>,
    /// The cgroup, from the root of our cgroup namespace.
    pub path: OsString,
}

/// Reads a line of /proc/PID/cgroup: `ID:CONTROLLERS:PATH`.
///
/// ```
/// let place = linux::cgroup::parse(b"0::/user.slice").expect("a line");
/// assert!(place.controllers.is_empty() && place.path == "/user.slice");
/// ```
pub fn parse(line: &[u8]) -> Option<Membership> {
    let mut fields = line.splitn(3, |byte| *byte == b':');
    fields.next()?;
    let controllers = fields.next()?.to_vec();
    let path = fields.next()?;
    path.starts_with(b"/").then(|| Membership { controllers, path: OsString::from_vec(path.to_vec()) })
}

/// Opens `cgroup.procs` of each cgroup the process is in. A hierarchy that is not mounted, or whose mount is covered, is
/// accepted only if its cgroup is our own too.
pub fn open_procs(target: &ProcFd) -> Result<Vec<OwnedFd>> {
    let memberships = target.read("cgroup", 1 << 20)?;
    let own = file::read_file(OsStr::new("/proc/self/cgroup"), 1 << 20).unwrap_or_default();
    let mounts = Table::read()?;
    let mut opened = Vec::new();
    let mut failed = Error::new("open", target.path("cgroup"), Errno::ENOENT);
    for line in memberships.split(|byte| *byte == b'\n') {
        let Some(membership) = parse(line) else { continue };
        let mut is_joined = own.split(|byte| *byte == b'\n').any(|other| other == line);
        // Another mount may cover this one: the file that was opened must be on the mount whose path was used.
        for mount in mounts.entries() {
            let Some(mut path) = directory(&mount, &membership) else { continue };
            path.push("/cgroup.procs");
            match open_on(u64::from(mount.id), &path) {
                Ok(procs) => {
                    opened.push(procs);
                    is_joined = true;
                    break;
                }
                Err(error) => failed = error,
            }
        }
        if !is_joined {
            return Err(failed);
        }
    }
    if opened.is_empty() {
        return Err(failed);
    }
    Ok(opened)
}

/// Opens a file for writing and checks that it is on this mount, not on one that covers it (`EXDEV`).
fn open_on(mount: u64, path: &OsStr) -> Result<OwnedFd> {
    let file = file::open_at(None, path, libc::O_WRONLY, 0).context("open", path)?;
    let kind = stat::file_system(file.as_fd()).context("fstatfs", path)?;
    #[allow(clippy::unnecessary_cast)] // The type of the constants differs between C libraries.
    let is_on_cgroups = [libc::CGROUP_SUPER_MAGIC, libc::CGROUP2_SUPER_MAGIC].iter().any(|magic| kind == *magic as i64);
    let id = statmount::mountinfo_id(Some(file.as_fd()), OsStr::new(""), libc::AT_EMPTY_PATH as u64)?.id;
    // A kernel before 5.8 does not say on which mount a file is.
    if is_on_cgroups && (id == 0 || id == mount) { Ok(file) } else { Err(Errno::EXDEV).context("open", path) }
}

/// The path of a membership's cgroup below a mount. `None` if the mount shows another hierarchy or a part without it.
fn directory(mount: &Entry<'_>, membership: &Membership) -> Option<OsString> {
    let is_unified = membership.controllers.is_empty();
    let fits = match mount.fstype {
        b"cgroup2" => is_unified,
        b"cgroup" => {
            let has = |name: &[u8]| mount.super_options.split(|byte| *byte == b',').any(|it| it == name);
            !is_unified && membership.controllers.split(|byte| *byte == b',').all(has)
        }
        _ => false,
    };
    if !fits {
        return None;
    }
    // A mount may show only a part of the hierarchy.
    let root = mount.root_path();
    let root = root.as_bytes().strip_suffix(b"/").unwrap_or(root.as_bytes());
    let below = membership.path.as_bytes().strip_prefix(root)?;
    // Of `/a` only what is below `/a/` is shown, not `/ab`.
    if !matches!(below.first(), None | Some(b'/')) || below.split(|byte| *byte == b'/').any(|name| name == b"..") {
        return None;
    }
    let mut path = mount.target_path();
    path.push(OsStr::from_bytes(below.strip_suffix(b"/").unwrap_or(below)));
    Some(path)
}

/// Moves us into a cgroup whose `cgroup.procs` is open.
pub fn join(procs: &OwnedFd) -> Result<()> {
    // 0 means the writer, whatever its number is in which PID namespace.
    let wrote = raw::write_once(procs.as_fd(), b"0");
    traced!(wrote, "write(cgroup.procs, \"0\")").context("write", "cgroup.procs").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_names_its_hierarchy_and_its_path() {
        assert_eq!(parse(b"0::/a:b").map(|it| it.path), Some(OsString::from("/a:b")));
        assert_eq!(parse(b"2:cpu,cpuacct:/").map(|it| it.controllers), Some(b"cpu,cpuacct".to_vec()));
        assert_eq!(parse(b"junk"), None);
    }

    #[test]
    fn a_mount_shows_the_cgroups_below_its_root_by_whole_names() {
        let shown = |root: &str, path: &str| {
            let line = format!("31 23 0:29 {root} /m rw - cgroup2 c rw");
            let membership = Membership { controllers: Vec::new(), path: OsString::from(path) };
            directory(&Entry::parse(line.as_bytes())?, &membership)
        };
        assert_eq!(shown("/", "/a/b"), Some(OsString::from("/m/a/b")));
        assert_eq!(shown("/a", "/a"), Some(OsString::from("/m")));
        assert_eq!(shown("/a", "/a/b"), Some(OsString::from("/m/b")));
        assert_eq!(shown("/..", "/../b"), Some(OsString::from("/m/b")));
        for (root, path) in [("/a", "/ab"), ("/a/b", "/a"), ("/", "/../b"), ("/a", "/a/../b")] {
            assert_eq!(shown(root, path), None, "{path} below {root}");
        }
    }
}
