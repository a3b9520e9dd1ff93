//! Carries the steps of a plan out, one after another, and stops at the first that fails.

use super::idmap;
use super::plan::{Setting, Step, relative};
use linux::mount::api::{self, FsContext, Message};
use linux::mount::subdirectory;
use linux::{Errno, Error, mount};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

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

/// What is in hand between the steps.
#[derive(Default)]
struct Hand {
    tree: Option<OwnedFd>,
    attached: bool,
    messages: Vec<Message>,
}

/// Does all steps. Returns what the kernel said beside its answers.
pub fn carry(steps: &[Step]) -> Result<Vec<Message>, Stopped> {
    let mut hand = Hand::default();
    for (index, step) in steps.iter().enumerate() {
        if let Err(error) = hand.step(step) {
            let undone = undo(steps.get(..index).unwrap_or_default(), step);
            return Err(Stopped { error, messages: hand.messages, attached: hand.attached && !undone });
        }
    }
    Ok(hand.messages)
}

/// With mount(2) a bind is there before its flags are: if they are refused, it must not stay without them.
/// Whether it was taken away.
fn undo(done: &[Step], failed: &Step) -> bool {
    if let [.., Step::Mount2 { target, flags, .. }] = done
        && *flags & (mount::MS_BIND | mount::MS_REMOUNT) == mount::MS_BIND
        && let Step::Mount2 { flags: refused, .. } = failed
        && *refused & mount::MS_REMOUNT != 0
    {
        // The first failure is the one to tell.
        return mount::umount2(target, mount::MNT_DETACH).is_ok();
    }
    false
}

impl Hand {
    fn step(&mut self, step: &Step) -> linux::Result<()> {
        match step {
            Step::Create { fstype, source, settings, exclusive, attributes } => {
                let context = FsContext::open(fstype)?;
                let made = create(&context, source, settings, *exclusive);
                let made = made.and_then(|()| context.mount(*attributes));
                self.messages.extend(context.messages());
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
            Step::Reconfigure { settings } => {
                let context = FsContext::pick(self.tree()?.as_fd())?;
                let done = configure(&context, settings).and_then(|()| context.reconfigure());
                self.messages.extend(context.messages());
                done?;
            }
            Step::SetAttributes { attributes, recursive } => {
                api::mount_setattr(self.tree()?.as_fd(), *attributes, *recursive)?;
            }
            Step::MapIds { map, recursive } => {
                let namespace = idmap::namespace(map)?;
                api::set_idmap(self.tree()?.as_fd(), namespace.as_fd(), *recursive)?;
            }
            Step::Attach { target, beneath, no_follow } => {
                let mut flags = if *no_follow { 0 } else { api::MOVE_MOUNT_T_SYMLINKS };
                flags |= if *beneath { api::MOVE_MOUNT_BENEATH } else { 0 };
                api::move_mount(self.tree()?.as_fd(), None, target, flags)?;
                self.attached = true;
            }
            Step::Detach { target } => mount::umount2(target, mount::MNT_DETACH)?,
            Step::Mount2 { source, target, fstype, flags, data } => {
                mount::mount2(source.as_deref(), target, fstype.as_deref(), *flags, data.as_deref())?;
                const CHANGES: u64 =
                    mount::MS_REMOUNT | mount::MS_PRIVATE | mount::MS_SHARED | mount::MS_SLAVE | mount::MS_UNBINDABLE;
                self.attached |= *flags & CHANGES == 0;
            }
        }
        Ok(())
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
