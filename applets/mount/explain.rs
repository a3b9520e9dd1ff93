//! The steps of one mount in words, from the command line alone: no table, device or superblock
//! is looked at.

use super::hooks::Hooks;
use super::plan::{self, Facts, Operation, Step};
use super::request::Request;
use cli::explain::Story;
use cli::{Failure, text};
use linux::mount::api::ATTRIBUTE_NAMES;
use linux::trace::Flags;
use std::ffi::{OsStr, OsString};

/// Tells what the request does.
pub fn story(request: &Request, beneath: bool, exclusive: bool) -> Result<Story, Failure> {
    let mut story = Story::default();
    let named = request.target.clone().or_else(|| request.either.clone()).unwrap_or_default();
    let mut options = request.options.clone();
    options.imply_user_flags();
    options.deduplicate();
    let hooks = Hooks::parse(&options, &named)?;
    if request.either.is_some() || !request.without_table && request.source.is_none() {
        story.step(text!["find ", named, " in fstab, which completes the command line"], text!["open(\"/etc/fstab\")"]);
    }
    if let Some(mode) = hooks.mkdir {
        story.step(text!["make ", named, " if it is missing"], text!["mkdir(\"", named, "\", ", format!("{mode:#o}"), ")"]);
    }
    let fstype = request.types.as_deref().map(|types| OsString::from(String::from_utf8_lossy(types).into_owned()));
    let operation = Operation::of(&options, request.source.is_some());
    if operation == Operation::New && fstype.is_none() {
        story.step(text!["find the type of the file system from its superblock"], text!["read(SOURCE)"]);
    }
    let facts = Facts {
        operation,
        source: request.source.as_deref(),
        target: &named,
        fstype: fstype.as_deref().or(Some(OsStr::new("TYPE"))),
        options: &options,
        hooks: &hooks,
        beneath,
        exclusive,
        silent: false,
        no_follow: hooks.raw_target,
    };
    for step in plan::steps(&facts) {
        tell(&step, &mut story);
    }
    Ok(story)
}

fn tell(step: &Step, story: &mut Story) {
    let attributes = |bits| Flags(bits, ATTRIBUTE_NAMES).to_string();
    match step {
        Step::Create { fstype, source, settings, attributes: bits, .. } => {
            story.step(text!["prepare a file system of type ", fstype], text!["fsopen(\"", fstype, "\")"]);
            story.step(text!["from ", source], text!["fsconfig(\"source\", \"", source, "\")"]);
            for (name, value) in settings {
                let call = match value {
                    Some(value) => text!["fsconfig(\"", name, "\", \"", value, "\")"],
                    None => text!["fsconfig(\"", name, "\")"],
                };
                story.step(text!["with its option ", name], call);
            }
            story.step(text!["make it, out of sight"], text!["fsconfig(FSCONFIG_CMD_CREATE), fsmount(", attributes(*bits), ")"]);
        }
        Step::Clone { path, recursive, .. } => {
            let (all, flag) = if *recursive { (" with every mount below it", "|AT_RECURSIVE") } else { ("", "") };
            story.step(text!["copy the mount at ", path, all, ", out of sight"], text!["open_tree(\"", path, "\", OPEN_TREE_CLONE", flag, ")"]);
        }
        Step::Open { path } => story.step(text!["open the mount at ", path], text!["open_tree(\"", path, "\")"]),
        Step::Subdirectory(path) => story.step(text!["take only its directory ", path], text!["open_tree(FD, \"", path, "\", OPEN_TREE_CLONE)"]),
        Step::Reconfigure { .. } => {
            story.step(text!["change the file system's own options"], text!["fspick(), fsconfig(FSCONFIG_CMD_RECONFIGURE)"]);
        }
        Step::SetAttributes { attributes: change, recursive } => {
            let flag = if *recursive { ", AT_RECURSIVE" } else { "" };
            let call = match change.propagation {
                Some(propagation) => text!["mount_setattr(FD", flag, ", propagation ", format!("{:#x}", propagation.flag()), ")"],
                None => text!["mount_setattr(FD", flag, ", set ", attributes(change.set), ", clear ", attributes(change.clear), ")"],
            };
            story.step(text!["set its flags while nobody can use it"], call);
        }
        Step::MapIds { map, .. } => story.step(text!["map its ids as ", map, " says"], text!["mount_setattr(FD, MOUNT_ATTR_IDMAP)"]),
        Step::Attach { target, .. } => story.step(text!["let it appear at ", target], text!["move_mount(FD, \"", target, "\")"]),
        Step::Detach { target } => story.step(text!["take away the mount it replaces"], text!["umount2(\"", target, "\", MNT_DETACH)"]),
        Step::Mount2 { target, .. } => story.step(text!["mount on ", target], text!["mount(\"", target, "\")"]),
    }
}
