//! Which processes keep mounts busy, as far as /proc shows: proc_pid_cwd(5), proc_pid_root(5), proc_pid_exe(5),
//! proc_pid_fd(5).
//!
//! Only reads, and stops when the caller's time limit is over.

use super::statmount;
use crate::mount::mountinfo::Entry;
use crate::mount::table::Table;
use crate::namespace::{self, Kind};
use crate::process::{self, Pid};
use crate::processes::{self, Process};
use crate::{Errno, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;

/// How much of another process's table of mounts is read, in bytes.
const TABLE_LIMIT: usize = 256 * 1024;

/// A process that keeps a mount busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Which of the mounts that were looked for, by its number.
    pub mount: u64,
    /// Its number.
    pub pid: Pid,
    /// Its name.
    pub name: OsString,
    /// Which of its files is on the mount: `cwd`, `root`, `exe`, or a descriptor such as `fd/3`.
    pub how: String,
    /// It is in another mount namespace and uses a propagated copy of the mount there.
    pub elsewhere: bool,
}

/// What a search has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// The processes.
    pub holders: Vec<Holder>,
    /// Whether time was over before all had been looked at.
    pub is_cut_short: bool,
}

/// A mount whose users are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldMount {
    /// Its number in mountinfo.
    pub id: u64,
    /// Its file system's device number.
    pub device: (u32, u32),
    /// The peer group of the parent mount: the unmount propagates to the copies on its other peers.
    pub group: Option<u32>,
    /// The peer group of the mount itself. It distinguishes mounts of one device on the same parent.
    pub peers: Option<u32>,
    /// How many of its users are wanted.
    pub limit: usize,
}

/// The processes of the proc mounted at `proc` that use these mounts, found in one pass over all processes. `is_over`
/// is called before each access.
pub fn of_mounts(proc: &OsStr, wanted: &[HeldMount], is_over: &mut dyn FnMut() -> bool) -> Holders {
    let mut search = Search { wanted: wanted.to_vec(), found: Holders::default() };
    search.wanted.retain(|mount| mount.limit > 0);
    search.wanted.sort_unstable_by_key(|mount| (mount.device, mount.group, mount.peers));
    let own_copies: Vec<Copy> = search.wanted.iter().enumerate().map(|(index, mount)| (mount.id, index)).collect();
    let own_copies = sorted(own_copies);
    let (own, namespace) = (process::id(), namespace::own(Kind::Mount).map_or(0, |(_, inode)| inode));
    let _ = processes::for_each(proc, &mut |process| {
        search.found.is_cut_short = is_over();
        if search.found.is_cut_short || search.wanted.iter().all(|mount| mount.limit == 0) {
            return Err(Errno::ETIMEDOUT);
        }
        if process.pid != own {
            let elsewhere = process.namespace(Kind::Mount).is_ok_and(|other| other != namespace);
            let copies = if elsewhere { &sorted(search.copies(process)) } else { &own_copies };
            search.look(process, elsewhere, copies, is_over);
        }
        Ok(())
    });
    search.found
}

/// A mount's number in a process's mount table, and the index of the wanted mount that it is or is a copy of.
type Copy = (u64, usize);

fn sorted(mut copies: Vec<Copy>) -> Vec<Copy> {
    copies.sort_unstable();
    copies
}

struct Search {
    /// Sorted by device, group and peers. A mount's limit falls by one with each user found.
    wanted: Vec<HeldMount>,
    found: Holders,
}

impl Search {
    /// Adds `process` as a user of each wanted mount that it uses, once for each.
    fn look(&mut self, process: &Process, elsewhere: bool, copies: &[Copy], is_over: &mut dyn FnMut() -> bool) {
        if copies.is_empty() {
            return;
        }
        let first = self.found.holders.len();
        let mut see = |directory: BorrowedFd<'_>, name: &OsStr, how: &dyn Fn() -> Option<String>| {
            let seen = statmount::mountinfo_id(Some(directory), name, 0).map_or(0, |found| found.id);
            let Ok(index) = copies.binary_search_by_key(&seen, |(id, _)| *id) else { return };
            let Some(mount) = copies.get(index).and_then(|(_, wanted)| self.wanted.get_mut(*wanted)) else { return };
            let mut known = self.found.holders.iter().skip(first);
            if mount.limit == 0 || known.any(|holder| holder.mount == mount.id) {
                return;
            }
            let Some(how) = how() else { return };
            mount.limit -= 1;
            let name = OsString::new();
            self.found.holders.push(Holder { mount: mount.id, pid: process.pid, name, how, elsewhere });
        };
        for what in ["cwd", "root", "exe"] {
            see(process.directory.as_fd(), OsStr::new(what), &|| Some(what.to_owned()));
        }
        if let Ok(descriptors) = process.descriptors() {
            let _ = walk::each_name(descriptors.as_fd(), &mut |name| {
                see(descriptors.as_fd(), name, &|| name.to_str().map(|name| format!("fd/{name}")));
                !is_over()
            });
        }
        let found = self.found.holders.get_mut(first..).unwrap_or_default();
        if found.is_empty() {
            return;
        }
        let mut name = process.read("comm", 64).unwrap_or_default();
        name.pop_if(|last| *last == b'\n');
        if name.is_empty() {
            name.push(b'?');
        }
        for holder in found {
            holder.name = OsString::from_vec(name.clone());
        }
    }

    /// The copies of the wanted mounts in a process's own mount namespace: mounts of the same device whose parent is a
    /// peer, or a slave, of the wanted mount's parent.
    fn copies(&self, process: &Process) -> Vec<Copy> {
        if self.wanted.iter().all(|mount| mount.group.is_none()) {
            return Vec::new();
        }
        let Ok(table) = process.read("mountinfo", TABLE_LIMIT).map(Table::from_text) else { return Vec::new() };
        let mut all: Vec<Entry<'_>> = table.entries().collect();
        all.sort_unstable_by_key(|entry| entry.id);
        let mut copies = Vec::new();
        for entry in &all {
            let parent = all.binary_search_by_key(&entry.parent, |other| other.id).ok().and_then(|at| all.get(at));
            let groups_of = |entry: &Entry<'_>| ["shared:", "master:"].map(|kind| entry.group(kind));
            let [peers, master] = parent.map(groups_of).unwrap_or_default();
            let one_of = |group: Option<u32>| self.one_of(entry.device, group?, groups_of(entry));
            if let Some(index) = one_of(peers).or_else(|| one_of(master)) {
                copies.push((u64::from(entry.id), index));
            }
        }
        copies
    }

    /// The wanted mount of this device whose parent is in the peer group `group`; if several are, the one whose own
    /// group is in `peers`.
    fn one_of(&self, device: (u32, u32), group: u32, peers: [Option<u32>; 2]) -> Option<usize> {
        let on = (device, Some(group));
        let first = self.wanted.partition_point(|mount| (mount.device, mount.group) < on);
        let all = self.wanted.get(first..)?;
        let all = all.get(..all.partition_point(|mount| (mount.device, mount.group) <= on))?;
        if let [_] = all {
            return Some(first);
        }
        peers.into_iter().flatten().find_map(|peer| {
            let index = all.partition_point(|mount| mount.peers < Some(peer));
            let is_it = |at: usize| all.get(at).is_some_and(|mount| mount.peers == Some(peer));
            (is_it(index) && !is_it(index + 1)).then_some(first + index)
        })
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
        let wanted = HeldMount { id: 1, device: (0, 0), group: None, peers: None, limit: 5 };
        let mut asked = 0;
        let mut search = |until: usize| {
            asked = 0;
            let mut clock = || {
                asked += 1;
                asked > until
            };
            let found = of_mounts(proc.as_os_str(), &[wanted], &mut clock);
            (asked, found)
        };
        let few = search(100);
        let all = search(usize::MAX);
        std::fs::remove_dir_all(&proc).unwrap();
        assert_eq!(few, (101, Holders { holders: Vec::new(), is_cut_short: true }));
        assert_eq!(all, (3000, Holders::default()));
    }

    #[test]
    fn a_copy_elsewhere_is_of_the_one_mount_that_it_can_be_a_copy_of() {
        let mount = |id, device, group, peers| HeldMount { id, device: (0, device), group, peers, limit: 5 };
        let search = |mut wanted: Vec<HeldMount>| {
            wanted.sort_unstable_by_key(|mount| (mount.device, mount.group, mount.peers));
            Search { wanted, found: Holders::default() }
        };
        let one = search(vec![mount(1, 8, Some(1), Some(5)), mount(2, 9, Some(1), Some(6)), mount(3, 8, None, None)]);
        let found =
            |search: &Search, group, peers| search.one_of((0, 8), group, peers).map(|index| search.wanted[index].id);
        assert_eq!(found(&one, 1, [None, None]), Some(1));
        assert_eq!(found(&one, 2, [Some(5), None]), None);
        let several =
            search(vec![mount(1, 8, Some(1), Some(5)), mount(2, 8, Some(1), Some(6)), mount(3, 8, Some(1), None)]);
        assert_eq!(found(&several, 1, [None, Some(6)]), Some(2));
        assert_eq!(found(&several, 1, [None, None]), None);
    }
}
