//! The steps of one mount with mount(2) alone, for kernels without the descriptor-based calls.

use super::plan::set_owner;
use super::resolve::Mount;
use super::step::MountStep;
use linux::mount;
use linux::mount::api::{Attributes, MOUNT_ATTR_NOSYMFOLLOW};
use linux::mount::options::AttributeChange;
use linux::mount::options::operation::Operation;
use std::ffi::OsStr;

/// The steps with one type of file system, whose options are `data`. `silent`: fewer messages in the kernel's log.
pub fn steps<'a>(mount: &'a Mount, fstype: Option<&'a OsStr>, silent: bool, data: &'a OsStr) -> Vec<MountStep<'a>> {
    const OPERATIONS: u64 = mount::MS_BIND | mount::MS_MOVE | mount::MS_REC;
    let Mount { operation, options, xmount, .. } = mount;
    let mut flags = options.mount_flags();
    let data = Some(data).filter(|data| !data.is_empty());
    let none = OsStr::new("none");
    let source = Some(mount.source_or_none());
    let is_attached = matches!(operation, Operation::New | Operation::Bind);
    let AttributeChange { mut single, mut recursive } = options.attributes();
    let mut owner = Vec::new();
    set_owner(xmount, &mut owner);
    let mut steps = Vec::new();
    if !owner.is_empty() && !is_attached {
        steps.push(MountStep::Open2(match operation {
            Operation::Move => mount.source_or_none(),
            _ => &mount.target.path,
        }));
    }
    match operation {
        Operation::New => {
            if silent {
                flags |= mount::MS_SILENT;
            }
            // mount(2) cannot tell a read-only superblock from a read-only mount: MS_RDONLY makes both so.
            if options.read_only() == Some(true) || options.read_only_mount() == Some(true) {
                flags |= mount::MS_RDONLY;
            }
            let fstype = fstype.unwrap_or_default();
            steps.push(match xmount.subdir.as_deref() {
                Some(path) => MountStep::Subdirectory2 { source, fstype, flags, data, path },
                None => MountStep::Mount2 { source, fstype: Some(fstype), flags, data },
            });
            // Before Linux 5.10 mount(2) silently ignores nosymfollow. Asking again by a remount sets it or fails.
            single = Attributes { set: single.set & MOUNT_ATTR_NOSYMFOLLOW, ..Attributes::default() };
            recursive = Attributes::default();
        }
        // mount(2) ignores the flags of a bind: they take more calls.
        Operation::Bind | Operation::Move => {
            steps.push(MountStep::Mount2 { source, fstype: None, flags: flags & OPERATIONS, data: None });
        }
        Operation::RemountBind | Operation::Propagation => {}
        Operation::Remount => {
            steps.push(MountStep::Mount2 { source, fstype, flags, data });
            single = Attributes::default();
        }
        Operation::Conflict => return Vec::new(),
    }
    // Take the new mount by descriptor: the path may lead elsewhere later.
    if is_attached && !(owner.is_empty() && single.is_empty() && recursive.is_empty()) {
        steps.insert(0, MountStep::NoteMounts);
        steps.push(MountStep::OpenAppeared);
    }
    for (attributes, recursive) in [(recursive, true), (single, false)] {
        if !attributes.is_empty() {
            steps.push(MountStep::Remount2 { attributes, recursive });
        }
    }
    steps.append(&mut owner);
    for (propagation, recursive) in options.propagation() {
        let flags = propagation.flag() | if recursive { mount::MS_REC } else { 0 };
        steps.push(MountStep::Mount2 { source: Some(none), fstype: None, flags, data: None });
    }
    steps
}
