//! What follows a mount: its entry in utab, and the owner and mode of its root.

use super::super::{SYSTEM, UTAB, message, table};
use super::{Operation, Work};
use cli::{Failure, Outcome, text};
use linux::mount::statmount;
use linux::{mountinfo, utab};
use std::ffi::{OsStr, OsString};

/// utab could not be written.
pub fn not_written(target: &OsStr) -> Failure {
    message::early(UTAB, target, b"filesystem was mounted, but failed to update userspace mount table")
}

impl Work<'_> {
    /// Writes to utab what the kernel does not keep.
    pub(super) fn record(&self, helped: bool) -> Result<(), Failure> {
        if !self.settings.writes_utab() || self.operation == Operation::Propagation {
            return Ok(());
        }
        // A mount.TYPE program may have had its reasons to mount nothing.
        let is_there = || statmount::mount_id(None, &self.target.path, 0).is_ok_and(|ids| ids.is_root != Some(false));
        if helped && !self.settings.fake && !is_there() {
            return Ok(());
        }
        let done = match self.operation {
            Operation::Move if utab::is_empty() => Ok(()),
            Operation::Move => {
                let from = self.path().unwrap_or_default();
                utab::update(|table| table.move_tree(from, &self.target.path))
            }
            _ => {
                let manual = self.source.as_ref().and_then(|source| source.device.as_ref());
                let manual = manual.is_some_and(|device| device.is_new && !device.autoclear);
                let kept = self.options.for_utab(manual || self.settings.fake);
                let remount = self.operation.is_remount();
                if kept.is_empty() && (!remount || utab::is_empty()) {
                    return Ok(());
                }
                // With nothing that the kernel keeps, it was not asked whether this is a mount.
                if self.operation == Operation::RemountBind && !self.settings.fake && !is_there() {
                    return Ok(());
                }
                let entry = self.utab_entry(kept);
                match (remount, helped) {
                    (true, _) if let Some(unwritten) = &self.settings.unwritten => {
                        unwritten.borrow_mut().push(entry);
                        Ok(())
                    }
                    (true, _) => utab::update(|table| table.set_options(entry)),
                    (false, true) => utab::update(|table| {
                        if table.has(&entry) {
                            return table.complete(entry);
                        }
                        table.entries.push(entry);
                        true
                    }),
                    (false, false) => utab::add(entry),
                }
            }
        };
        done.map_err(|_| not_written(&self.target.path))
    }

    fn utab_entry(&self, options: Vec<u8>) -> utab::Entry {
        let target = table::absolute(&self.target.path);
        let mut entry = utab::Entry {
            source: self.path().unwrap_or(OsStr::new("none")).to_os_string(),
            target,
            root: OsString::from("/"),
            options,
            ..utab::Entry::default()
        };
        let bind = self.operation == Operation::Bind;
        if bind {
            entry.bind_source = Some(entry.source.clone());
        }
        if self.settings.fake {
            self.foresee(&mut entry);
            return entry;
        }
        let Ok(ids) = statmount::mount_id(None, &entry.target, 0) else { return entry };
        entry.id = (ids.id != 0).then_some(ids.id);
        entry.unique = (ids.unique != 0).then_some(ids.unique);
        if let Some((root, source)) = statmount::root_and_source(ids.unique) {
            (entry.root, entry.source) = (root, source);
            return entry;
        }
        let Ok(mounted) = mountinfo::Table::read() else { return entry };
        if let Some(found) = mounted.entries_backward().find(|found| Some(u64::from(found.id)) == entry.id) {
            entry.source = found.source_text();
            entry.root = found.root_path();
        }
        entry
    }

    /// With -f: what the table would have of the mount.
    fn foresee(&self, entry: &mut utab::Entry) {
        if self.operation.is_remount() {
            (entry.source, entry.root) = (OsString::new(), OsString::new());
        }
        if self.operation == Operation::Bind
            && let Ok(mounted) = mountinfo::Table::read()
            && let Some((holder, root)) = self.path().and_then(|path| mounted.holder(path))
        {
            (entry.source, entry.root) = (holder.source_text(), root);
        }
    }

    /// X-mount.owner, X-mount.group or X-mount.mode could not be done.
    pub(super) fn tell_not_changed(&self, not_changed: Option<(&'static str, linux::Error)>) -> Outcome {
        let Some((what, error)) = not_changed else { return Ok(0) };
        let text = text!["filesystem was mounted, but failed to change ", what, ": ", error.errno];
        Err(message::early(SYSTEM, &self.target.path, &text))
    }
}
