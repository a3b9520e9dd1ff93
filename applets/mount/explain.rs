//! Explains the steps of one mount from the command line alone, without reading any table, device or superblock.

use super::args::{Mode, Options};
use super::plan;
use super::request::{Request, Settings};
use super::resolve::Mount;
use super::source;
use super::step::MountStep;
use cli::explain::{Explanation, NO_CALL};
use cli::text::Piece;
use cli::{Failure, Invocation, text};
use linux::mount;
use linux::mount::api::ATTRIBUTE_NAMES;
use linux::mount::options::operation::Operation;
use linux::trace::Flags;
use run::explain as shared;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

/// Tells what the request does.
pub fn explanation(invocation: &Invocation<'_>, typed: &Options, request: Request) -> Result<Explanation, Failure> {
    let mut explanation = Explanation::default();
    if let Some(namespace) = &typed.namespace {
        shared::enter_mounts(&mut explanation, namespace);
    }
    let names_both = request.source.is_some() && request.target.is_some();
    let asks_table = !request.without_table && (!names_both || typed.table_use.force);
    let types = request.types.clone().map(OsString::from_vec);
    let settings = Settings { old_api: false, verbose: false, ..Settings::of(invocation, typed) };
    let mount = Mount::of(&settings, request)?;
    let named = mount.target.path.as_os_str();
    let keeps_flags = asks_table
        && mount.operation == Operation::Remount
        && typed.table_use.mode != Mode::Ignore
        && (typed.table_use.fstab || typed.table_use.mtab);
    if asks_table {
        explanation.tell("find {0} in fstab, which completes the command line", "open(\"/etc/fstab\")", &[&named]);
    }
    if let Some(mode) = &mount.xmount.mkdir {
        explanation.tell("make {0} if it is missing", "mkdir(\"{0}\", {1})", &[&named, &text!["0o", mode]]);
    }
    let is_new = mount.operation == Operation::New;
    let takes_device = is_new && source::is_path_type(&mount.types);
    let device = if takes_device { loop_device(&mount) } else { LoopDevice::Never };
    if device != LoopDevice::Never {
        let condition = if device == LoopDevice::Sometimes { ", if it is one" } else { "" };
        let call = "ioctl(LOOP_CTL_GET_FREE), ioctl(LOOP_CONFIGURE)";
        explanation.tell(
            "make a loop device of the file {0}{1}",
            call,
            &[&mount.source().unwrap_or(named), &condition],
        );
    }
    if is_new && types.is_none() {
        explanation.tell("find the type of the file system from its superblock", "read(SOURCE)", &[]);
    }
    if typed.fake {
        explanation.tell("leave it at that (--fake)", NO_CALL, &[]);
        return Ok(explanation);
    }
    if mount.operation == Operation::Conflict {
        explanation.tell("fail, since only one of bind, move and remount can be done at once", NO_CALL, &[]);
        return Ok(explanation);
    }
    if typed.onlyonce && mount.operation != Operation::Propagation {
        explanation.tell("fail, if it is mounted there already", "open(\"/proc/self/mountinfo\")", &[]);
    }
    let steps = plan::steps(&mount, types.as_deref().or(Some(OsStr::new("TYPE"))));
    let out_of_sight = !steps.iter().any(|step| matches!(step, MountStep::Open(_)));
    let change = mount.options.attributes();
    for mut step in steps {
        let mut when = if out_of_sight { " while nobody can use it" } else { "" };
        match &mut step {
            MountStep::SetAttributes { attributes, .. } if keeps_flags => {
                attributes.clear &= change.single.clear | change.recursive.clear;
                when = "; the others are as fstab has them or, without a line there, stay as they are";
            }
            MountStep::Create { source, .. } if asks_table && mount.source().is_none() => {
                *source = OsStr::new("SOURCE");
            }
            _ => {}
        }
        tell(&step, named, device, when, &mut explanation);
    }
    if !typed.no_mtab && mount.operation != Operation::Propagation && !mount.options.for_utab(!takes_device).is_empty()
    {
        explanation.tell(
            "note in the userspace table what the kernel does not keep",
            "write(\"/run/mount/utab\")",
            &[],
        );
    }
    Ok(explanation)
}

/// Whether the source gets a loop device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LoopDevice {
    Always,
    /// If it is a file.
    Sometimes,
    Never,
}

fn loop_device(mount: &Mount) -> LoopDevice {
    let may_be_file = |path: &OsStr| !source::is_tag(path) && !path.as_encoded_bytes().starts_with(b"/dev/");
    match source::loop_wanted(&mount.options) {
        _ if mount.xmount.no_loop => LoopDevice::Never,
        Ok(None) if mount.source().is_some_and(may_be_file) => LoopDevice::Sometimes,
        Ok(None) => LoopDevice::Never,
        _ => LoopDevice::Always,
    }
}

/// `when` stands behind a change of flags.
fn tell(step: &MountStep<'_>, target: &OsStr, device: LoopDevice, when: &str, explanation: &mut Explanation) {
    let attributes = |bits| Flags(bits, &ATTRIBUTE_NAMES).to_string();
    match step {
        MountStep::Create { fstype, source, settings, exclusive, attributes: bits } => {
            explanation.tell("prepare a file system of type {0}", "fsopen(\"{0}\")", &[fstype]);
            let (words, shown) = match device {
                LoopDevice::Always => ("from {0}'s loop device", OsStr::new("/dev/loop...")),
                LoopDevice::Sometimes => ("from {0} or its loop device", *source),
                LoopDevice::Never => ("from {0}", *source),
            };
            explanation.tell(words, "fsconfig(\"source\", \"{1}\")", &[source, &shown]);
            for (name, value) in settings {
                let (call, value): (_, &dyn Piece) = match value {
                    Some(value) => ("fsconfig(\"{0}\", \"{1}\")", value),
                    None => ("fsconfig(\"{0}\")", &""),
                };
                explanation.tell("with its option {0}", call, &[name, value]);
            }
            let call = "fsconfig(FSCONFIG_CMD_CREATE{1}), fsmount({0})";
            explanation.tell(
                "make it, out of sight",
                call,
                &[&attributes(*bits), &if *exclusive { "_EXCL" } else { "" }],
            );
        }
        MountStep::Clone { path, recursive, .. } => {
            let (all, flag) = if *recursive { (" with every mount below it", "|AT_RECURSIVE") } else { ("", "") };
            let call = "open_tree(\"{0}\", OPEN_TREE_CLONE{2})";
            explanation.tell("copy the mount at {0}{1}, out of sight", call, &[path, &all, &flag]);
        }
        MountStep::Open(path) => explanation.tell("open the mount at {0}", "open_tree(\"{0}\")", &[path]),
        MountStep::Subdirectory(path) => {
            explanation.tell("take only its directory {0}", "open_tree(FD, \"{0}\", OPEN_TREE_CLONE)", &[path]);
        }
        MountStep::Reconfigure { .. } => {
            let call = "fspick(), fsconfig(FSCONFIG_CMD_RECONFIGURE)";
            explanation.tell("change the file system's own options", call, &[]);
        }
        MountStep::SetAttributes { attributes: change, recursive } => {
            let flag = if *recursive { ", AT_RECURSIVE" } else { "" };
            match change.propagation {
                Some(it) => {
                    let name = Flags(it.flag(), &mount::FLAG_NAMES).to_string();
                    explanation.tell(
                        "change with whom it shares mounts",
                        "mount_setattr(FD{0}, propagation {1})",
                        &[&flag, &name],
                    );
                }
                None => {
                    let (set, clear) = (attributes(change.set), attributes(change.clear));
                    let call = "mount_setattr(FD{0}, set {1}, clear {2})";
                    explanation.tell("set its flags{3}", call, &[&flag, &set, &clear, &when]);
                }
            }
        }
        MountStep::MapIds { map, .. } => {
            explanation.tell("map its ids as {0} says", "mount_setattr(FD, MOUNT_ATTR_IDMAP)", &[map]);
        }
        MountStep::Attach { beneath, .. } => {
            let (place, flag) = if *beneath { (", beneath the mount there", ", MOVE_MOUNT_BENEATH") } else { ("", "") };
            explanation.tell("let it appear at {0}{1}", "move_mount(FD, \"{0}\"{2})", &[&target, &place, &flag]);
        }
        MountStep::Detach => {
            explanation.tell("take away the mount it replaces", "umount2(\"{0}\", MNT_DETACH)", &[&target]);
        }
        MountStep::SetOwner { .. } => explanation.tell("change the owner of its root", "fchownat(FD)", &[]),
        MountStep::SetMode(_) => explanation.tell("change the mode of its root", "fchmodat(FD)", &[]),
        // The plan for mount(2) is not told.
        MountStep::Mount2 { .. }
        | MountStep::NoteMounts
        | MountStep::Subdirectory2 { .. }
        | MountStep::Open2(_)
        | MountStep::OpenAppeared
        | MountStep::Remount2 { .. } => {}
    }
}
