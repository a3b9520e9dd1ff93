//! What namespaces there are, who is in them, and how they are related.

use linux::credentials::Uid;
use linux::mount::mountinfo::{self, unescape};
use linux::mount::table;
use linux::namespace::netlink;
use linux::namespace::{self, KINDS, Kind};
use linux::process::Pid;
use linux::processes::{self, Process, seen};
use linux::{Errno, number, stat};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// What is looked for.
pub struct Filter {
    /// The CLONE_NEW* bits of the kinds; none means all.
    pub kinds: i32,
    /// The inode of the only one whose processes are wanted.
    pub one: Option<u64>,
    /// The only process whose namespaces are wanted.
    pub task: Option<Pid>,
    /// Parents and owners are.
    pub relations: bool,
    /// So are those that are only known as a parent or owner.
    pub interpolated: bool,
    /// So are the numbers of network namespaces.
    pub net_id: bool,
}

/// A process that is in a namespace.
#[derive(Clone, Copy)]
pub struct Member {
    pub pid: Pid,
    pub parent: Pid,
    pub uid: Uid,
}

/// A namespace.
pub struct Namespace {
    /// Its inode.
    pub id: u64,
    pub kind: Kind,
    /// How many processes are in it.
    pub count: u32,
    /// The one with the lowest number.
    pub first: Option<Member>,
    /// The inodes of its parent and of the user namespace that owns it; 0 if that is not visible.
    pub parent: u64,
    pub owner: u64,
    /// Who made it, if it is a user namespace.
    pub uid: Uid,
    /// For a network namespace the number that ours has for it, or none; `None` if netlink cannot be asked.
    pub net_id: Option<Option<u32>>,
    /// Where it is mounted, with a NUL between two paths.
    pub mounts: Vec<u8>,
    /// Kept alive by a process, a bind mount or an open descriptor, or it owns a namespace without processes.
    held: bool,
}

/// All that was found.
#[derive(Default)]
pub struct Survey {
    /// The namespaces, sorted by inode.
    pub namespaces: Vec<Namespace>,
    /// The processes in the one that was asked for, by number.
    pub members: Vec<Member>,
    /// The inodes of those that the process asked for is in.
    pub task: Vec<u64>,
    /// A process could not be looked into.
    pub unreadable: bool,
}

/// [`seen`] of what names its call.
fn looked<T>(got: linux::Result<T>) -> Result<Option<T>, Errno> {
    seen(got.map_err(|error| error.errno))
}

impl Filter {
    fn has(&self, kind: Kind) -> bool {
        self.kinds == 0 || self.kinds & kind.flag() != 0
    }
}

impl Survey {
    /// Surveys mounts and processes. Fails if the mount table or /proc cannot be read.
    pub fn make(wanted: &Filter) -> linux::Result<Survey> {
        let mut survey = Survey::default();
        let mut done = Ok(());
        table::for_each(&mut |entry| {
            if entry.fstype == b"nsfs" && done.is_ok() {
                done = survey.meet_mount(entry, wanted);
            }
        })?;
        let (nsfs, _) = namespace::own(Kind::Mount)?;
        done.and_then(|()| {
            processes::for_each(OsStr::new("/proc"), &mut |process| survey.meet_process(process, nsfs, wanted))
        })
        .map_err(|errno| linux::Error::new("read", "/proc", errno))?;
        survey.hold_owners_and_parents();
        survey.namespaces.retain(|namespace| namespace.held || wanted.interpolated);
        Ok(survey)
    }

    /// The place of the namespace with this inode, or where it would be.
    pub fn find(&self, id: u64) -> Result<usize, usize> {
        self.namespaces.binary_search_by_key(&id, |namespace| namespace.id)
    }

    /// The namespace with this inode.
    pub fn get(&self, id: u64) -> Option<&Namespace> {
        self.find(id).ok().and_then(|place| self.namespaces.get(place))
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut Namespace> {
        self.find(id).ok().and_then(|place| self.namespaces.get_mut(place))
    }

    fn meet_mount(&mut self, entry: &mountinfo::Entry<'_>, wanted: &Filter) -> Result<(), Errno> {
        // The root of such a mount is `net:[4026532321]`.
        let id = entry.root.strip_suffix(b"]").and_then(|root| root.rsplit(|byte| *byte == b'[').next());
        let Some(id) = id.and_then(number::decimal) else { return Ok(()) };
        if self.find(id).is_err()
            && let Some(opened) = looked(namespace::open(entry.target_path()))?
        {
            self.hold(opened, wanted)?;
        }
        if let Some(found) = self.get_mut(id) {
            found.held = true;
            if !found.mounts.is_empty() {
                found.mounts.push(0);
            }
            found.mounts.extend_from_slice(&unescape(entry.target));
        }
        Ok(())
    }

    fn meet_process(&mut self, process: &Process, nsfs: u64, wanted: &Filter) -> Result<(), Errno> {
        let Some((parent, uid)) = seen(process.parent())?.zip(seen(process.uid())?) else { return Ok(()) };
        let member = Member { pid: process.pid, parent, uid };
        for kind in KINDS {
            let id = process.namespace(kind);
            self.unreadable |= matches!(id, Err(Errno::EACCES | Errno::EPERM));
            let Some(id) = seen(id)?.filter(|_| wanted.has(kind)) else { continue };
            if self.find(id).is_err() {
                let Some(opened) = seen(process.open_namespace(kind))? else { continue };
                self.add(id, kind, opened, wanted.relations, wanted)?;
            }
            if wanted.one == Some(id) {
                self.members.push(member);
            }
            if wanted.task == Some(process.pid) {
                self.task.push(id);
            }
            if let Some(found) = self.get_mut(id) {
                found.held = true;
                found.count += 1;
                found.first.get_or_insert(member);
            }
        }
        process.for_each_open_namespace(nsfs, wanted.has(Kind::Net), &mut |opened| self.hold(opened, wanted))
    }

    /// Notes a namespace that is held without a process.
    fn hold(&mut self, opened: OwnedFd, wanted: &Filter) -> Result<(), Errno> {
        let id = stat::of(opened.as_fd())?.inode();
        if self.find(id).is_err() {
            // Another mount may cover the namespace file; the file seen then is no namespace and has no kind.
            let Some(kind) = looked(namespace::kind(opened.as_fd()))? else { return Ok(()) };
            self.add(id, kind, opened, true, wanted)?;
        }
        if let Some(found) = self.get_mut(id) {
            found.held = true;
        }
        Ok(())
    }

    /// Adds a namespace if its kind is wanted and, with `related`, its parent and owner.
    fn add(&mut self, id: u64, kind: Kind, opened: OwnedFd, related: bool, wanted: &Filter) -> Result<(), Errno> {
        let mut waiting = vec![(id, kind, opened)];
        while let Some((id, kind, opened)) = waiting.pop() {
            let Err(place) = self.find(id) else { continue };
            if !wanted.has(kind) {
                continue;
            }
            let opened = opened.as_fd();
            let mut found = Namespace {
                id,
                kind,
                count: 0,
                first: None,
                parent: 0,
                owner: 0,
                uid: Uid::ROOT,
                net_id: None,
                mounts: Vec::new(),
                held: false,
            };
            if kind == Kind::User {
                found.uid = namespace::creator(opened).unwrap_or_default();
            }
            if kind == Kind::Net && wanted.net_id {
                found.net_id = looked(netlink::namespace_id(opened))?;
            }
            if related {
                if matches!(kind, Kind::Pid | Kind::User)
                    && let Some(parent) = looked(namespace::parent(opened))?
                {
                    found.parent = stat::of(parent.as_fd())?.inode();
                    waiting.push((found.parent, kind, parent));
                }
                if let Some(owner) = looked(namespace::owner(opened))? {
                    found.owner = stat::of(owner.as_fd())?.inode();
                    waiting.push((found.owner, Kind::User, owner));
                }
            }
            self.namespaces.insert(place, found);
        }
        Ok(())
    }

    /// A namespace without processes keeps its parent and its owner alive.
    fn hold_owners_and_parents(&mut self) {
        let mut waiting: Vec<u64> = Vec::new();
        for found in &self.namespaces {
            if found.held && found.count == 0 {
                waiting.extend([found.parent, found.owner]);
            }
        }
        while let Some(id) = waiting.pop() {
            if let Some(found) = self.get_mut(id)
                && !found.held
            {
                found.held = true;
                waiting.extend([found.parent, found.owner]);
            }
        }
    }
}
