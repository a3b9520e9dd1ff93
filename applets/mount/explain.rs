//! Explains the steps of one mount from the command line alone, without reading any table, device or superblock.

use super::args::Options;
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
    let asks_table = !request.without_table && !names_both;
    let types = request.types.clone().map(OsString::from_vec);
    let settings = Settings { old_api: false, verbose: false, ..Settings::of(invocation, typed) };
    let mount = Mount::of(&settings, request)?;
    let named = mount.target.path.as_os_str();
    if asks_table {
        explanation.tell("find {0} in fstab, which completes the command line", "open(\"/etc/fstab\")", &[&named]);
    }
    if let Some(mode) = &mount.xmount.mkdir {
        explanation.tell("make {0} if it is missing", "mkdir(\"{0}\", {1})", &[&named, &text!["0o", mode]]);
    }
    let is_new = mount.operation == Operation::New;
    if is_new && mount.options.has("loop") {
        let call = "ioctl(LOOP_CTL_GET_FREE), ioctl(LOOP_CONFIGURE)";
        explanation.tell("make a loop device of the file {0}", call, &[&mount.source().unwrap_or(named)]);
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
    let steps = plan::steps(&mount, types.as_deref().or(Some(OsStr::new("TYPE"))));
    let out_of_sight = !steps.iter().any(|step| matches!(step, MountStep::Open(_)));
    for step in steps {
        tell(&step, named, out_of_sight, &mut explanation);
    }
    let takes_device = mount.operation == Operation::New && source::is_path_type(&mount.types);
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

fn tell(step: &MountStep<'_>, target: &OsStr, out_of_sight: bool, explanation: &mut Explanation) {
    let attributes = |bits| Flags(bits, &ATTRIBUTE_NAMES).to_string();
    match step {
        MountStep::Create { fstype, source, settings, attributes: bits, .. } => {
            explanation.tell("prepare a file system of type {0}", "fsopen(\"{0}\")", &[fstype]);
            explanation.tell("from {0}", "fsconfig(\"source\", \"{0}\")", &[source]);
            for (name, value) in settings {
                let (call, value): (_, &dyn Piece) = match value {
                    Some(value) => ("fsconfig(\"{0}\", \"{1}\")", value),
                    None => ("fsconfig(\"{0}\")", &""),
                };
                explanation.tell("with its option {0}", call, &[name, value]);
            }
            let call = "fsconfig(FSCONFIG_CMD_CREATE), fsmount({0})";
            explanation.tell("make it, out of sight", call, &[&attributes(*bits)]);
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
                    let when = if out_of_sight { " while nobody can use it" } else { "" };
                    let (set, clear) = (attributes(change.set), attributes(change.clear));
                    let call = "mount_setattr(FD{0}, set {1}, clear {2})";
                    explanation.tell("set its flags{3}", call, &[&flag, &set, &clear, &when]);
                }
            }
        }
        MountStep::MapIds { map, .. } => {
            explanation.tell("map its ids as {0} says", "mount_setattr(FD, MOUNT_ATTR_IDMAP)", &[map]);
        }
        MountStep::Attach { .. } => explanation.tell("let it appear at {0}", "move_mount(FD, \"{0}\")", &[&target]),
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
