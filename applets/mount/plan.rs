//! Plans one mount with the descriptor-based calls, as a list of steps: the mount is built detached and then attached
//! whole. Making the plan changes nothing.

use super::limits::by_layer;
use super::resolve::Mount;
use super::step::{MountStep, Setting};
use super::xmount::XMount;
use linux::mount;
use linux::mount::api::Attributes;
use linux::mount::options::names::{Layer, Meaning};
use linux::mount::options::operation::Operation;
use linux::mount::options::{AttributeChange, MountOption, Options as MountOptions};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The steps with one type of file system.
pub fn steps<'a>(mount: &'a Mount, fstype: Option<&'a OsStr>) -> Vec<MountStep<'a>> {
    let Mount { operation, options, xmount, .. } = mount;
    let source = mount.source_or_none();
    let mut steps = Vec::new();
    let change = options.attributes();
    let attach = MountStep::Attach { beneath: mount.beneath, no_follow: xmount.raw_target, again: false };
    match operation {
        Operation::New => {
            steps.push(MountStep::Create {
                fstype: fstype.unwrap_or_default(),
                source,
                settings: by_layer(fstype, settings(options, options.read_only(), &|_| true)),
                exclusive: mount.exclusive,
                attributes: change.single.set | change.recursive.set,
            });
            steps.extend(xmount.subdir.as_deref().map(MountStep::Subdirectory));
            map_ids(xmount, false, &mut steps);
        }
        Operation::Bind => {
            let recursive = options.mount_flags() & mount::MS_REC != 0;
            steps.push(MountStep::Clone { path: source, recursive, no_follow: xmount.raw_source });
            set_attributes(change, &mut steps);
            map_ids(xmount, recursive, &mut steps);
        }
        Operation::Move => {
            steps.push(MountStep::Open(source));
            set_attributes(change, &mut steps);
        }
        Operation::Remount => {
            steps.push(MountStep::Open(&mount.target.path));
            // With neither ro nor rw the mount is rw, as with mount(2) without MS_RDONLY.
            let says_nothing = !options.0.iter().any(MountOption::is_access);
            let read_only = options.read_only().or(says_nothing.then_some(false));
            // The options of a cgroup of version 1 name its hierarchy. Without them the kernel takes this for a change to
            // another one.
            let is_hierarchy = mount.types == b"cgroup";
            let is_kept = |option: &MountOption| !is_hierarchy && mount.present.0.contains(option);
            steps.push(MountStep::Reconfigure {
                settings: settings(options, read_only, &|option| !is_kept(option)),
                present: settings(options, None, &is_kept),
            });
            replace_mapped(mount, options.attributes_for_remount(), &mut steps);
        }
        Operation::RemountBind | Operation::Propagation => {
            steps.push(MountStep::Open(&mount.target.path));
            replace_mapped(mount, change, &mut steps);
        }
        Operation::Conflict => {}
    }
    set_owner(xmount, &mut steps);
    if matches!(operation, Operation::New | Operation::Bind | Operation::Move) {
        steps.push(attach);
    }
    set_propagation(options, &mut steps);
    steps
}

/// The changes of propagation, in order.
fn set_propagation(options: &MountOptions, steps: &mut Vec<MountStep<'_>>) {
    for (propagation, recursive) in options.propagation() {
        let attributes = Attributes { propagation: Some(propagation), ..Attributes::default() };
        steps.push(MountStep::SetAttributes { attributes, recursive });
    }
}

/// The steps that change the propagation of the mount that a mount.TYPE program has made; none if the options say nothing
/// of it.
pub fn propagation_after_helper(mount: &Mount) -> Vec<MountStep<'_>> {
    let mut steps = vec![MountStep::Open2(&mount.target.path)];
    set_propagation(&mount.options, &mut steps);
    if steps.len() > 1 { steps } else { Vec::new() }
}

/// What is to be done to the root of what a mount.TYPE program has mounted: with X-mount.subdir or X-mount.idmap it is
/// open and not attached yet.
pub fn after_helper(xmount: &XMount) -> Vec<MountStep<'_>> {
    let mut steps = Vec::new();
    map_ids(xmount, false, &mut steps);
    set_owner(xmount, &mut steps);
    if xmount.idmap.is_some() || xmount.subdir.is_some() {
        steps.push(MountStep::Attach { beneath: false, no_follow: xmount.raw_target, again: false });
    }
    steps
}

/// Changes the flags of an existing mount. Its ids cannot be mapped, so a copy with mapped ids replaces it.
fn replace_mapped<'a>(mount: &'a Mount, change: AttributeChange, steps: &mut Vec<MountStep<'a>>) {
    if mount.xmount.idmap.is_some() {
        steps.push(MountStep::Clone { path: &mount.target.path, recursive: false, no_follow: false });
        map_ids(&mount.xmount, false, steps);
        set_attributes(change, steps);
        steps.push(MountStep::Detach);
        steps.push(MountStep::Attach { beneath: false, no_follow: false, again: true });
    } else {
        set_attributes(change, steps);
    }
}

fn map_ids<'a>(xmount: &'a XMount, recursive: bool, steps: &mut Vec<MountStep<'a>>) {
    steps.extend(xmount.idmap.as_deref().map(|map| MountStep::MapIds { map, recursive }));
}

/// X-mount.owner, X-mount.group and X-mount.mode. The mode comes last, since a change of owner clears set-user-ID.
pub fn set_owner(xmount: &XMount, steps: &mut Vec<MountStep<'_>>) {
    let XMount { owner: user, group, mode, .. } = *xmount;
    if user.is_some() || group.is_some() {
        steps.push(MountStep::SetOwner { user, group });
    }
    steps.extend(mode.map(MountStep::SetMode));
}

fn set_attributes(change: AttributeChange, steps: &mut Vec<MountStep<'_>>) {
    for (attributes, recursive) in [(change.recursive, true), (change.single, false)] {
        if !attributes.is_empty() {
            steps.push(MountStep::SetAttributes { attributes, recursive });
        }
    }
}

/// The superblock's options among those that are `wanted`: ro or rw, its flags, the file system's own.
fn settings<'a>(
    options: &'a MountOptions,
    read_only: Option<bool>,
    wanted: &dyn Fn(&MountOption) -> bool,
) -> Vec<Setting<'a>> {
    let mut settings = Vec::new();
    if let Some(read_only) = read_only {
        settings.push((OsStr::new(if read_only { "ro" } else { "rw" }), None));
    }
    for is_flag in [true, false] {
        for option in options.0.iter().filter(|option| wanted(option)) {
            let is_sent = match option.meaning() {
                Meaning::Vfs(vfs) => is_flag && vfs.layer == Layer::Superblock,
                Meaning::Filesystem => !is_flag,
                Meaning::Userspace(_) => false,
            };
            if is_sent {
                let value = if is_flag { None } else { option.plain_value().map(OsString::from_vec) };
                settings.push((OsStr::from_bytes(&option.name), value));
            }
        }
    }
    settings
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
