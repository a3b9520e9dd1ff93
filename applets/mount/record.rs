//! What follows a mount: its entry in utab, and the owner and mode of its root directory.

use super::errors::{self, SYSTEM, UTAB};
use super::request::Settings;
use super::resolve::Mount;
use cli::{Failure, Outcome, text};
use linux::mount::options::operation::Operation;
use linux::mount::statmount;
use linux::mount::{table, utab};
use linux::{Error, directory};
use std::ffi::{OsStr, OsString};

/// utab could not be written.
pub fn not_written(target: &OsStr) -> Failure {
    errors::early(UTAB, target, text!["filesystem was mounted, but failed to update userspace mount table"])
}

impl Mount {
    /// Writes to utab the facts that the kernel does not keep. `helped`: a mount.TYPE program has made the mount.
    pub fn record(&self, settings: &Settings<'_>, helped: bool) -> Result<(), Failure> {
        if !settings.writes_utab() || self.operation == Operation::Propagation {
            return Ok(());
        }
        // A mount.TYPE program may have had its reasons to mount nothing.
        let fake = settings.typed.fake;
        let is_there = || statmount::mount_id(None, &self.target.path, 0).is_ok_and(|ids| ids.is_root != Some(false));
        if helped && !fake && !is_there() {
            return Ok(());
        }
        let done = if self.operation == Operation::Move {
            if utab::is_empty() {
                return Ok(());
            }
            utab::update(&mut |table| table.move_tree(self.source().unwrap_or_default(), &self.target.path))
        } else {
            let device = self.source.as_ref().and_then(|source| source.device.as_ref());
            let manual = device.is_some_and(|device| device.is_new && !device.autoclear);
            // An option for a device that was not made, since the type takes none, is one like others.
            let kept = self.options.for_utab(manual || fake || device.is_none());
            let remount = self.operation.is_remount();
            if kept.is_empty() {
                return Ok(());
            }
            // With nothing that the kernel keeps, it was not asked whether this is a mount.
            if self.operation == Operation::RemountBind && !fake && !is_there() {
                return Ok(());
            }
            let entry = self.utab_entry(kept, fake);
            match settings.unwritten {
                Some(unwritten) if remount => {
                    unwritten.borrow_mut().push(entry);
                    Ok(())
                }
                _ if remount || helped => utab::update(&mut |table| match remount {
                    true => table.set_options(entry.clone()),
                    false => table.complete(entry.clone()),
                }),
                _ => utab::add(entry),
            }
        };
        done.map_err(|_| not_written(&self.target.path))
    }

    fn utab_entry(&self, options: Vec<u8>, fake: bool) -> utab::UtabEntry {
        let mut entry = utab::UtabEntry {
            source: self.source_or_none().to_os_string(),
            // With -f it need not be there.
            target: if fake { self.target.path.clone() } else { directory::absolute(&self.target.path) },
            root: OsString::from("/"),
            options,
            ..utab::UtabEntry::default()
        };
        if self.operation == Operation::Bind {
            entry.bind_source = Some(entry.source.clone());
        }
        if fake {
            self.foresee(&mut entry);
            return entry;
        }
        let Ok(mut ids) = statmount::mount_id(None, &entry.target, 0) else { return entry };
        if self.beneath {
            // The path leads to the mount on top, which is mounted on the new one.
            let number = u32::try_from(ids.id).unwrap_or_default();
            let parent = table::Table::read().ok().and_then(|table| table.find_id(number).map(|top| top.parent));
            (ids.id, ids.unique) = (parent.unwrap_or_default().into(), 0);
        }
        entry.id = (ids.id != 0).then_some(ids.id);
        entry.unique = (ids.unique != 0).then_some(ids.unique);
        if let Some((root, source)) = statmount::root_and_source(ids.unique) {
            (entry.root, entry.source) = (root, source);
        } else if let Ok(mounted) = table::Table::read()
            && let Some(found) = mounted.find_id(u32::try_from(ids.id).unwrap_or_default())
        {
            (entry.root, entry.source) = (found.root_path(), found.source_text());
        }
        entry
    }

    /// With -f: what the table would have of the mount.
    fn foresee(&self, entry: &mut utab::UtabEntry) {
        if self.operation.is_remount() {
            (entry.source, entry.root) = (self.source().unwrap_or_default().to_os_string(), OsString::new());
        }
        if self.operation == Operation::Bind
            && let Ok(mounted) = table::Table::read()
        {
            let found = self.source().and_then(|path| mounted.holder(path));
            // Of what is not there the root is not known.
            match found {
                Some((holder, root)) => (entry.source, entry.root) = (holder.source_text(), root),
                None => entry.root = OsString::new(),
            }
        }
    }

    /// X-mount.owner, X-mount.group or X-mount.mode could not be done.
    pub fn tell_not_changed(&self, not_changed: Option<(&'static str, Error)>) -> Outcome {
        let Some((what, error)) = not_changed else { return Ok(0) };
        let text = text!["filesystem was mounted, but failed to change ", what, ": ", error.errno];
        Err(errors::early(SYSTEM, &self.target.path, text))
    }
}
