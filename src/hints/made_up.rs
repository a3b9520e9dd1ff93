//! A machine that is made up, for the tests of the diagnoses.

use crate::diagnosis::diagnose;
use crate::environment::{Environment, Kind, Node, Privileges, Superblock};
use crate::step::Step;
use linux::Errno;
use linux::mount::holders::{HeldMount, Holders};
use linux::mount::statmount::MountId;
use linux::mount::table::Table;
use linux::namespace::Kind as NamespaceKind;
use linux::process::Pid;
use std::cell::RefCell;
use std::ffi::{OsStr, OsString};

#[derive(Default)]
pub struct MadeUp {
    /// Regular files and what is in them.
    pub files: Vec<(&'static str, &'static str)>,
    /// What else there is.
    pub nodes: Vec<(&'static str, Kind)>,
    pub links: Vec<(&'static str, &'static str)>,
    pub mounts: &'static str,
    pub more_mounts: String,
    /// Paths and the number of the mount that each is on; those at the mount's own target are its root.
    pub on: Vec<(&'static str, u64)>,
    pub privileges: Option<Privileges>,
    pub superblock: Option<Superblock>,
    pub ids: Vec<(&'static str, u64)>,
    /// Kinds of our namespaces, and whether they belong to our user namespace.
    pub owned: Vec<(NamespaceKind, bool)>,
    pub found: Holders,
    pub shell: Pid,
    /// What /etc/subuid and /etc/subgid give.
    pub subordinate: u64,
    pub writable: Vec<&'static str>,
    /// Programs whose file gives privilege.
    pub privileged: Vec<&'static str>,
    pub mount_api: Option<Errno>,
    /// What [`Environment::holders`] was asked for.
    pub asked: RefCell<Vec<Vec<HeldMount>>>,
}

fn look<T: Clone>(list: &[(&'static str, T)], path: &OsStr) -> Option<T> {
    list.iter().find(|(name, _)| path == *name).map(|(_, found)| found.clone())
}

impl Environment for MadeUp {
    fn file(&self, path: &OsStr) -> Option<Vec<u8>> {
        look(&self.files, path).map(|text| text.as_bytes().to_vec())
    }
    fn node(&self, path: &OsStr) -> Option<Node> {
        let file = look(&self.files, path).map(|_| Kind::Regular);
        let kind = look(&self.nodes, path).or(file)?;
        Some(Node { kind, identity: (1, path.len() as u64), mode: 0o644 })
    }
    fn link(&self, path: &OsStr) -> Option<OsString> {
        look(&self.links, path).map(OsString::from)
    }
    fn canonical(&self, path: &OsStr) -> Option<OsString> {
        Some(path.to_os_string())
    }
    fn mounts(&self) -> Option<Table> {
        let text = [self.mounts, &self.more_mounts].concat();
        (!text.is_empty()).then(|| Table::from_text(text.into_bytes()))
    }
    fn mount_of(&self, path: &OsStr) -> Option<MountId> {
        let id = look(&self.on, path)?;
        let table = self.mounts()?;
        let is_root = table.find_id(id as u32).map(|entry| entry.target_path() == path);
        Some(MountId { id, unique: 0, is_root })
    }
    fn is_on_noexec(&self, _path: &OsStr) -> bool {
        false
    }
    fn privileges(&self) -> Option<Privileges> {
        self.privileges
    }
    fn superblock(&self, _path: &OsStr) -> Option<Superblock> {
        self.superblock.clone()
    }
    fn namespace_id(&self, path: &OsStr) -> Option<u64> {
        look(&self.ids, path)
    }
    fn owns(&self, kind: NamespaceKind) -> Option<bool> {
        self.owned.iter().find(|(other, _)| *other == kind).map(|(_, is_ours)| *is_ours)
    }
    fn holders(&self, wanted: &[HeldMount]) -> Holders {
        self.asked.borrow_mut().push(wanted.to_vec());
        self.found.clone()
    }
    fn parent(&self) -> Pid {
        self.shell
    }
    fn release(&self) -> OsString {
        look(&self.files, OsStr::new("release")).unwrap_or_default().into()
    }
    fn subordinate_ids(&self, _path: &str) -> u64 {
        self.subordinate
    }
    fn free_id(&self) -> u32 {
        100_000
    }
    fn may_write(&self, path: &OsStr) -> bool {
        self.writable.iter().any(|name| path == *name)
    }
    fn gives_privilege(&self, path: &OsStr) -> bool {
        self.privileged.iter().any(|name| path == *name)
    }
    fn new_mount_api(&self) -> Option<Errno> {
        self.mount_api
    }
}

/// The hints, one a line.
pub fn said(step: Step<'_>, errno: Errno, environment: &MadeUp) -> String {
    let hints = diagnose(step, errno, environment);
    hints.into_iter().map(|hint| String::from_utf8(hint).unwrap() + "\n").collect()
}
