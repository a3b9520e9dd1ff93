//! Carries the steps of a plan out, one after another, and stops at the first that fails.

use super::idmap;
use super::plan::{Setting, Step, relative};
use linux::mount::api::{self, FsContext, Message};
use linux::mount::appeared::Before;
use linux::mount::{statmount, subdirectory};
use linux::options::{MountOption, Options as MountOptions};
use linux::{Errno, Error, directory, mount, mountinfo};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// A descriptor of what the target led to, if there is one to hold on to, or why it could not be opened.
type Place<'a> = Option<&'a linux::Result<OwnedFd>>;

/// A step that failed.
#[derive(Debug)]
pub struct Stopped {
    /// Which call, and the kernel's answer.
    pub error: Error,
    /// What the kernel said beside it.
    pub messages: Vec<Message>,
    /// Whether the mount is there all the same: only something after it failed.
    pub attached: bool,
}

/// What was done, when nothing stopped it.
#[derive(Debug, Default)]
pub struct Done {
    /// What the kernel said beside its answers.
    pub messages: Vec<Message>,
    /// The ownership or the mode, which could not be changed; everything else is as it was asked for.
    pub not_changed: Option<(&'static str, Error)>,
}

/// State passed between steps: the tree that a descriptor stands for, what the target led to, and whether the tree is
/// attached.
#[derive(Default)]
struct Hand<'a> {
    place: Place<'a>,
    tree: Option<OwnedFd>,
    before: Option<Before>,
    attached: bool,
    done: Done,
}

/// Carries all steps out. What appears does so on `place`; without one, on what the target's path leads to then.
pub fn carry(place: Place<'_>, steps: &[Step]) -> Result<Done, Stopped> {
    all(Hand { place, ..Hand::default() }, steps)
}

/// Carries steps out on a tree that is there already.
pub fn carry_on(tree: OwnedFd, place: Place<'_>, steps: &[Step]) -> Result<Done, Stopped> {
    all(Hand { tree: Some(tree), place, ..Hand::default() }, steps)
}

fn all(mut hand: Hand<'_>, steps: &[Step]) -> Result<Done, Stopped> {
    for (index, step) in steps.iter().enumerate() {
        if let Err(error) = hand.step(step) {
            let undone = undo(steps.get(..index).unwrap_or_default(), step);
            return Err(Stopped { error, messages: hand.done.messages, attached: hand.attached && !undone });
        }
    }
    Ok(hand.done)
}

/// With mount(2) a mount is there before all its flags are: if they are refused, it must not stay without them.
/// Whether it was undone.
fn undo(done: &[Step], failed: &Step) -> bool {
    let Step::Remount2 { .. } = failed else { return false };
    let found = done.iter().rev().find_map(|step| match step {
        Step::Mount2 { source, target, flags, .. } => Some((source, target, *flags)),
        Step::Subdirectory2 { source, target, .. } => Some((source, target, 0)),
        _ => None,
    });
    // The first failure is the one to tell.
    match found {
        Some((Some(source), target, mount::MS_MOVE)) => {
            mount::mount2(Some(target), source, None, mount::MS_MOVE, None).is_ok()
        }
        Some((_, target, flags)) if flags & mount::MS_REMOUNT == 0 => mount::unmount(target, mount::MNT_DETACH).is_ok(),
        _ => false,
    }
}

impl Hand<'_> {
    fn step(&mut self, step: &Step) -> linux::Result<()> {
        match step {
            Step::Create { fstype, source, settings, exclusive, attributes } => {
                let context = FsContext::open(fstype)?;
                let made = create(&context, source, settings, *exclusive);
                let made = made.and_then(|()| context.mount(*attributes));
                self.done.messages.extend(context.messages());
                self.tree = Some(made?);
            }
            Step::Clone { path, recursive, no_follow } => {
                let mut flags = api::OPEN_TREE_CLONE;
                flags |= if *recursive { api::AT_RECURSIVE } else { 0 };
                flags |= if *no_follow { api::AT_SYMLINK_NOFOLLOW } else { 0 };
                self.tree = Some(api::open_tree(None, path, flags)?);
            }
            Step::Open { path } => self.tree = Some(api::open_tree(None, path, 0)?),
            Step::Subdirectory(path) => {
                let tree = self.tree()?;
                self.tree = Some(subdirectory::of_tree(tree.as_fd(), &relative(path))?);
            }
            Step::Reconfigure { settings, present } => {
                self.reconfigure(settings)?;
                let lost = self.lost(settings, present)?;
                if !lost.is_empty() {
                    // Some file systems begin anew with each remount. What was asked for is last, and wins.
                    let all: Vec<Setting> = lost.into_iter().chain(settings.iter()).cloned().collect();
                    // What is refused now cannot be given again, and the file system has its reasons to drop it.
                    let _ = self.reconfigure(&all);
                }
            }
            Step::SetAttributes { attributes, recursive } => {
                let tree = self.tree()?.as_fd();
                let done = api::mount_setattr(tree, *attributes, *recursive);
                if done.as_ref().is_err_and(|error| error.errno == Errno::ENOSYS)
                    && mount::set_propagation_of(tree, *attributes, *recursive).is_ok()
                {
                    return Ok(());
                }
                done?;
            }
            Step::MapIds { map, recursive } => {
                let namespace = idmap::namespace(map)?;
                api::set_idmap(self.tree()?.as_fd(), namespace.as_fd(), *recursive)?;
            }
            Step::Attach { target, beneath, no_follow, again } => {
                let tree = self.tree()?.as_fd();
                let flags = if *beneath { api::MOVE_MOUNT_BENEATH } else { 0 };
                match self.place.filter(|_| !again) {
                    Some(Ok(place)) => api::move_mount_onto(tree, place.as_fd(), target, flags)?,
                    Some(Err(error)) => return Err(Error::new(error.call, target, error.errno)),
                    None => {
                        let follow = if *no_follow { 0 } else { api::MOVE_MOUNT_T_SYMLINKS };
                        api::move_mount(tree, None, target, flags | follow)?;
                    }
                }
                self.attached = true;
            }
            Step::SetOwner { .. } if self.done.not_changed.is_some() => {}
            Step::SetOwner { user, group } => {
                let changed = directory::set_owner(self.tree()?.as_fd(), *user, *group);
                self.note("ownership", changed);
            }
            // Not for somebody who was not to have it.
            Step::SetMode(_) if self.done.not_changed.is_some() => {}
            Step::SetMode(mode) => {
                let changed = directory::set_mode(self.tree()?.as_fd(), *mode);
                self.note("mode", changed);
            }
            Step::NoteMounts { target } => self.before = Some(Before::read(target)?),
            Step::Open2 { target } => self.tree = Some(directory::open_path(target)?),
            Step::OpenAppeared { target } => {
                let before = self.before.as_ref().ok_or_else(|| Error::new("open", target, Errno::EBADF))?;
                match before.appeared(target) {
                    Ok(tree) => self.tree = Some(tree),
                    Err(error) => self.note("ownership", Err(error)),
                }
            }
            Step::Remount2 { target, attributes, recursive } => {
                mount::remount::set_attributes(target, *attributes, *recursive)?;
            }
            Step::Detach { target } => mount::unmount(target, mount::MNT_DETACH)?,
            Step::Subdirectory2 { source, target, fstype, flags, data, path } => {
                subdirectory::by_mount2(source.as_deref(), target, fstype, *flags, data.as_deref(), &relative(path))?;
                self.attached = true;
            }
            Step::Mount2 { source, target, fstype, flags, data } => {
                mount::mount2(source.as_deref(), target, fstype.as_deref(), *flags, data.as_deref())?;
                const CHANGES: u64 =
                    mount::MS_REMOUNT | mount::MS_PRIVATE | mount::MS_SHARED | mount::MS_SLAVE | mount::MS_UNBINDABLE;
                self.attached |= *flags & CHANGES == 0;
            }
        }
        Ok(())
    }

    fn reconfigure(&mut self, settings: &[Setting]) -> linux::Result<()> {
        let context = FsContext::pick(self.tree()?.as_fd())?;
        let done = configure(&context, settings).and_then(|()| context.reconfigure());
        self.done.messages.extend(context.messages());
        done
    }

    /// Of the options that the file system had, those that it has no more, and that were not asked for with another value.
    fn lost<'a>(&self, settings: &[Setting], present: &'a [Setting]) -> linux::Result<Vec<&'a Setting>> {
        if present.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.tree()?.as_fd();
        let has = match statmount::super_options(tree) {
            Some(text) => MountOptions::parse(&text),
            None => {
                let id = u32::try_from(statmount::id_of(tree)?).unwrap_or_default();
                let table = mountinfo::Table::read()?;
                let Some(entry) = table.find_id(id) else { return Ok(Vec::new()) };
                MountOptions::parse(entry.super_options)
            }
        };
        let has = has.unwrap_or_default();
        let is_lost = |(name, value): &&Setting| {
            let same = |option: &MountOption| {
                option.name == name.as_bytes()
                    && option.plain_value().as_deref() == value.as_deref().map(OsStrExt::as_bytes)
            };
            !has.0.iter().any(same) && !settings.iter().any(|(asked, _)| asked == name)
        };
        Ok(present.iter().filter(is_lost).collect())
    }

    fn note(&mut self, what: &'static str, changed: linux::Result<()>) {
        if let Err(error) = changed {
            self.done.not_changed.get_or_insert((what, error));
        }
    }

    fn tree(&self) -> linux::Result<&OwnedFd> {
        self.tree.as_ref().ok_or_else(|| Error::new("open_tree", "", Errno::EBADF))
    }
}

fn create(context: &FsContext, source: &OsStr, settings: &[Setting], exclusive: bool) -> linux::Result<()> {
    context.set_string(OsStr::new("source"), source)?;
    configure(context, settings)?;
    if exclusive { context.create_exclusive() } else { context.create() }
}

fn configure(context: &FsContext, settings: &[Setting]) -> linux::Result<()> {
    settings.iter().try_for_each(|(name, value)| match value {
        Some(value) => context.set_string(name, value),
        None => context.set_flag(name),
    })
}
