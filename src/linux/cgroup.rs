//! The cgroups of a process, in the unified hierarchy and in those of version 1: cgroups(7).

use crate::mountinfo::{Entry, Table};
use crate::{Errno, Result, error::Context, io, target::Target};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
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
pub fn parse(line: &[u8]) -> Option<Membership> {
    let mut fields = line.splitn(3, |byte| *byte == b':');
    fields.next()?;
    let controllers = fields.next()?.to_vec();
    let path = fields.next()?;
    path.starts_with(b"/").then(|| Membership { controllers, path: OsString::from_vec(path.to_vec()) })
}

/// Opens `cgroup.procs` of each cgroup the process is in, for every hierarchy that is mounted.
pub fn open_procs(target: &Target) -> Result<Vec<OwnedFd>> {
    let memberships = target.read("cgroup", 1 << 20)?;
    let mounts = Table::read()?;
    let mut opened = Vec::new();
    for membership in memberships.split(|byte| *byte == b'\n').filter_map(parse) {
        let Some(directory) = mounts.entries().find_map(|mount| directory(&mount, &membership)) else { continue };
        let mut path = directory;
        path.push("/cgroup.procs");
        opened.push(io::open_at(None, &path, libc::O_WRONLY, 0).context("open", &path)?);
    }
    if opened.is_empty() {
        return Err(Errno::ENOENT).context("open", target.path("cgroup"));
    }
    Ok(opened)
}

/// Where a membership's cgroup is below a mount, if the mount is of its hierarchy and shows it.
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
    let mut path = mount.target_path();
    path.push(OsStr::from_bytes(below.strip_suffix(b"/").unwrap_or(below)));
    Some(path)
}

/// Moves us into a cgroup whose `cgroup.procs` is open.
pub fn join(procs: &OwnedFd) -> Result<()> {
    // 0 means the writer, whatever its number is in which PID namespace.
    let wrote = io::write_once(procs.as_raw_fd(), b"0");
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
}
