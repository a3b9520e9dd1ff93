//! Who keeps a mount busy, as far as /proc shows it: proc_pid_cwd(5),
//! proc_pid_root(5), proc_pid_exe(5), proc_pid_fd(5).
//!
//! Reads only, and gives up when the caller's time is over.

use super::statmount;
use crate::mountinfo::{Entry, Table};
use crate::namespace::{self, Kind};
use crate::process::{self, Pid};
use crate::processes::{self, Process};
use crate::{Errno, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

/// How much of another process's table of mounts is read, in bytes.
const TABLE_LIMIT: usize = 256 * 1024;

/// A process that keeps a mount busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: Pid,
    /// Its name.
    pub name: OsString,
    /// What of it is on the mount: `cwd`, `root`, `exe`, or a descriptor such as `fd/3`.
    pub how: String,
    /// It is in another mount namespace, and uses a copy there that is to go with this mount.
    pub elsewhere: bool,
}

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The processes.
    pub holders: Vec<Holder>,
    /// Whether time was over before all had been looked at.
    pub is_cut_short: bool,
}

/// A mount whose users are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its number in mountinfo.
    pub id: u64,
    /// Its file system's device number.
    pub device: (u32, u32),
    /// The peer group of the mount that it is on: an unmount reaches its copies on those peers, too.
    pub group: Option<u32>,
}

/// At most `limit` processes of the proc mounted at `proc` that use a mount. `is_over` is asked before each look.
pub fn of_mount(proc: &OsStr, wanted: Wanted, limit: usize, is_over: &mut dyn FnMut() -> bool) -> Found {
    let mut found = Found::default();
    let (own, namespace) = (process::id(), namespace::own(Kind::Mount).map_or(0, |(_, inode)| inode));
    let _ = processes::for_each(proc, &mut |process| {
        found.is_cut_short = is_over();
        if found.is_cut_short || found.holders.len() >= limit {
            return Err(Errno::ETIMEDOUT);
        }
        if process.pid != own {
            found.holders.extend(wanted.holder(process, namespace, is_over));
        }
        Ok(())
    });
    found
}

impl Wanted {
    /// What `process` is if it uses the mount; we are in the mount namespace `own`.
    fn holder(&self, process: &Process, own: u64, is_over: &mut dyn FnMut() -> bool) -> Option<Holder> {
        let elsewhere = process.namespace(Kind::Mount).is_ok_and(|namespace| namespace != own);
        let ids = if elsewhere { self.copies(process) } else { vec![self.id] };
        if ids.is_empty() {
            return None;
        }
        let is_on = |directory: &OwnedFd, name: &OsStr| {
            statmount::mountinfo_id(Some(directory.as_fd()), name, 0).is_ok_and(|found| ids.contains(&found.id))
        };
        let mut how = ["cwd", "root", "exe"]
            .into_iter()
            .find(|what| is_on(&process.directory, OsStr::new(what)))
            .map(str::to_owned);
        if how.is_none() {
            let descriptors = process.descriptors().ok()?;
            let _ = walk::each_name(descriptors.as_fd(), &mut |name| {
                how = name.to_str().filter(|_| is_on(&descriptors, name)).map(|name| format!("fd/{name}"));
                how.is_none() && !is_over()
            });
        }
        let how = how?;
        let mut name = process.read("comm", 64).unwrap_or_default();
        name.pop_if(|last| *last == b'\n');
        if name.is_empty() {
            name.push(b'?');
        }
        Some(Holder { pid: process.pid, name: OsString::from_vec(name), how, elsewhere })
    }

    /// The copies of the mount that a process in another mount namespace has: those on a peer of what it is on.
    fn copies(&self, process: &Process) -> Vec<u64> {
        let Some(group) = self.group else { return Vec::new() };
        let Ok(table) = process.read("mountinfo", TABLE_LIMIT).map(Table::from_text) else { return Vec::new() };
        let is_on_peer = |entry: &Entry<'_>| {
            let parent = table.find_id(entry.parent);
            parent
                .is_some_and(|parent| parent.group("shared:") == Some(group) || parent.group("master:") == Some(group))
        };
        let copies = table.entries().filter(is_on_peer);
        copies.filter(|entry| entry.device == self.device).map(|entry| u64::from(entry.id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_when_time_is_over_however_many_processes_there_are() {
        let proc = std::env::temp_dir().join(format!("ctrbox-holders.{}", std::process::id()));
        for pid in 0..3000 {
            std::fs::create_dir_all(proc.join(pid.to_string()).join("fd")).unwrap();
        }
        let wanted = Wanted { id: 1, device: (0, 0), group: None };
        let mut asked = 0;
        let mut search = |until: usize| {
            asked = 0;
            let mut clock = || {
                asked += 1;
                asked > until
            };
            let found = of_mount(proc.as_os_str(), wanted, 5, &mut clock);
            (asked, found)
        };
        let few = search(100);
        let all = search(usize::MAX);
        std::fs::remove_dir_all(&proc).unwrap();
        assert_eq!(few, (101, Found { holders: Vec::new(), is_cut_short: true }));
        assert_eq!(all, (3000, Found::default()));
    }
}
