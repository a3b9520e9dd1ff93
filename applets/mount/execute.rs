//! Carries out the steps of a plan in order and stops at the first failure.

use super::errors::IDS;
use super::idmap;
use super::step::{MountStep, Setting};
use super::target::Target;
use linux::mount::api::{self, Attributes, FsContext, MOUNT_ATTR_NOSYMFOLLOW, Message};
use linux::mount::appeared::Before;
use linux::mount::options::{MountOption, Options as MountOptions};
use linux::mount::table;
use linux::mount::{statmount, subdirectory};
use linux::stat::{self, Stat};
use linux::{Errno, Error, directory, file, mount};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// A mount that was not made.
#[derive(Debug)]
pub struct Failed {
    /// The call and its errno.
    pub error: Error,
    /// What the kernel logged on the file system context: fsopen(2).
    pub messages: Vec<Message>,
    /// Whether the file system was mounted and only a later step failed.
    pub attached: bool,
}

impl Failed {
    /// A failure without messages of the kernel.
    pub fn of(error: Error) -> Failed {
        Failed { error, messages: Vec::new(), attached: false }
    }
}

/// The result of a plan whose steps succeeded.
#[derive(Debug, Default)]
pub struct Done {
    /// What the kernel logged on the file system context.
    pub messages: Vec<Message>,
    /// The error of changing the owner or the mode; everything else succeeded.
    pub not_changed: Option<(&'static str, Error)>,
    /// The exit status of the mount.TYPE program that made the mount.
    pub helper: Option<u8>,
}

/// State passed between steps: the open tree, whether it is attached, and the kernel's messages.
struct DetachedTree<'a> {
    target: &'a Target,
    tree: Option<OwnedFd>,
    before: Option<Before>,
    attached: bool,
    /// Whether its flags are set after it is attached: without mount_setattr(2) only mount(2) can, and only then.
    late: bool,
    /// The owner and the mode of its root before they were changed.
    changed: Option<Stat>,
    done: Done,
}

/// Carries out all steps, on the tree that is already open if there is one.
pub fn execute(target: &Target, tree: Option<OwnedFd>, steps: &[MountStep<'_>]) -> Result<Done, Failed> {
    let (before, changed, done) = (None, None, Done::default());
    let mut state = DetachedTree { target, tree, before, attached: false, late: false, changed, done };
    for (index, step) in steps.iter().enumerate() {
        let done = steps.get(..index).unwrap_or_default();
        if let Err(error) = state.step(done, step) {
            let undone = undo(&state, done, step);
            state.change_back();
            return Err(Failed { error, messages: state.done.messages, attached: state.attached && !undone });
        }
    }
    Ok(state.done)
}

/// Unmounts what is attached already if a later step that sets its flags failed: it must not stay without them. Whether it
/// was undone.
fn undo(state: &DetachedTree<'_>, done: &[MountStep<'_>], failed: &MountStep<'_>) -> bool {
    let MountStep::Remount2 { .. } = failed else { return false };
    let target = state.target.path.as_os_str();
    let found = done.iter().rev().find_map(|step| match step {
        MountStep::Mount2 { source, flags, .. } => Some((*source, *flags)),
        MountStep::Subdirectory2 { .. } => Some((None, 0)),
        _ => None,
    });
    // Errors of the undoing are ignored: the first failure is reported.
    match found {
        Some((Some(source), mount::MS_MOVE)) => mount::mount2(Some(target), source, None, mount::MS_MOVE, None).is_ok(),
        // By its descriptor: the path may lead to another mount by now.
        Some((_, flags)) if flags & mount::MS_REMOUNT == 0 => state.tree().and_then(mount::detach).is_ok(),
        _ => false,
    }
}

impl DetachedTree<'_> {
    /// One step, after those that are `done`.
    fn step(&mut self, done: &[MountStep<'_>], step: &MountStep<'_>) -> linux::Result<()> {
        let target = self.target.path.as_os_str();
        match step {
            MountStep::Create { fstype, source, settings, exclusive, attributes } => {
                let context = FsContext::open(fstype)?;
                let made = create(&context, source, settings, *exclusive, *attributes);
                self.done.messages.extend(context.messages());
                self.tree = Some(made?);
            }
            MountStep::Clone { path, recursive, no_follow } => {
                let mut flags = api::OPEN_TREE_CLONE;
                flags |= if *recursive { api::AT_RECURSIVE } else { 0 };
                flags |= if *no_follow { api::AT_SYMLINK_NOFOLLOW } else { 0 };
                self.tree = Some(api::open_tree(None, path, flags)?);
            }
            MountStep::Open(path) => self.tree = Some(api::open_tree(None, path, 0)?),
            MountStep::Subdirectory(path) => {
                self.tree = Some(subdirectory::of_tree(self.tree()?, path)?);
            }
            MountStep::Reconfigure { settings, present } => {
                self.reconfigure(settings)?;
                let mut lost = self.lost(settings, present)?;
                if !lost.is_empty() {
                    // Some file systems begin anew with each remount. What was asked for is last, and wins.
                    // Errors are ignored: an option that the file system refuses here cannot be given back to it.
                    lost.extend_from_slice(settings);
                    let _ = self.reconfigure(&lost);
                }
            }
            MountStep::SetAttributes { attributes, recursive } => {
                let tree = self.tree()?;
                match api::mount_setattr(tree, *attributes, *recursive) {
                    Err(error) if is_unknown(&error, attributes) => {
                        // Without /proc the tree has no path for mount(2): make the whole mount with mount(2).
                        mount::remount::is_reachable(tree)?;
                        if !self.attached && matches!(done, [MountStep::Clone { .. }, ..]) {
                            self.late = true;
                        } else {
                            let done = mount::remount::set_attributes(tree, target, *attributes, *recursive);
                            // What is no mount mount(2) does not know, either.
                            done.map_err(|again| if error.errno == again.errno { error } else { again })?;
                        }
                    }
                    done => done?,
                }
            }
            MountStep::MapIds { map, recursive } => {
                let namespace = idmap::namespace(map)?;
                api::set_idmap(self.tree()?, namespace.as_fd(), *recursive)
                    .map_err(|error| Error::new(IDS, &error.object, error.errno))?;
            }
            MountStep::Attach { beneath, no_follow, again } => {
                let tree = self.tree()?;
                let flags = if *beneath { api::MOVE_MOUNT_BENEATH } else { 0 };
                match self.target.place.as_ref().filter(|_| !again) {
                    Some(Ok(place)) => api::move_mount_onto(tree, place.as_fd(), target, flags)?,
                    Some(Err(error)) => return Err(Error::new(error.call, target, error.errno)),
                    None => {
                        let follow = if *no_follow { 0 } else { api::MOVE_MOUNT_T_SYMLINKS };
                        api::move_mount(tree, None, target, flags | follow)?;
                    }
                }
                self.attached = true;
                if self.late
                    && let Err(error) = self.set_late(done)
                {
                    self.attached = mount::detach(self.tree()?).is_err();
                    return Err(error);
                }
            }
            // If the owner could not be changed, leave the mode: the old owner must not get the new mode.
            MountStep::SetOwner { .. } | MountStep::SetMode(_) if self.done.not_changed.is_some() => {}
            MountStep::SetOwner { user, group } => {
                self.note_change();
                let changed = directory::set_owner(self.tree()?, *user, *group);
                self.note("ownership", changed);
            }
            MountStep::SetMode(mode) => {
                self.note_change();
                let changed = directory::set_mode(self.tree()?, *mode);
                self.note("mode", changed);
            }
            MountStep::NoteMounts => self.before = Some(Before::read(target)?),
            MountStep::Open2(path) => self.tree = Some(file::open_path(path)?),
            MountStep::OpenAppeared => {
                let before = self.before.as_ref().ok_or_else(|| Error::new("open", target, Errno::EBADF))?;
                match before.appeared(target) {
                    Ok(tree) => self.tree = Some(tree),
                    Err(error) => self.note("ownership", Err(error)),
                }
            }
            MountStep::Remount2 { attributes, recursive } => {
                if self.tree.is_none() {
                    if self.before.is_some() {
                        return Err(Error::new("mount", target, Errno::ESTALE));
                    }
                    self.tree = Some(file::open_path(target)?);
                }
                mount::remount::set_attributes(self.tree()?, target, *attributes, *recursive)?;
            }
            MountStep::Detach => mount::unmount(target, mount::MNT_DETACH)?,
            MountStep::Subdirectory2 { source, fstype, flags, data, path } => {
                subdirectory::by_mount2(*source, target, fstype, *flags, *data, path)?;
                self.attached = true;
            }
            MountStep::Mount2 { source, fstype, flags, data } => {
                mount::mount2(*source, target, *fstype, *flags, *data)?;
                const CHANGES: u64 =
                    mount::MS_REMOUNT | mount::MS_PRIVATE | mount::MS_SHARED | mount::MS_SLAVE | mount::MS_UNBINDABLE;
                self.attached |= *flags & CHANGES == 0;
            }
        }
        Ok(())
    }

    /// Remembers what is to be changed before the mount is there: of a bind, and of a disk, it is somebody's directory.
    fn note_change(&mut self) {
        if !self.attached && self.changed.is_none() {
            self.changed = self.tree().ok().and_then(|tree| stat::of(tree).ok());
        }
    }

    /// Changes owner and mode back where nothing was mounted. The first failure is what is reported.
    fn change_back(&self) {
        if let (Some(was), Ok(tree), false) = (&self.changed, self.tree(), self.attached) {
            let _ = directory::set_owner(tree, Some(was.uid()), Some(was.gid()));
            let _ = directory::set_mode(tree, was.mode() & 0o7777);
        }
    }

    /// Sets by mount(2) the flags that mount_setattr(2) could not set before the mount was attached.
    fn set_late(&self, done: &[MountStep<'_>]) -> linux::Result<()> {
        done.iter().try_for_each(|step| match step {
            MountStep::SetAttributes { attributes, recursive } => {
                mount::remount::set_attributes(self.tree()?, &self.target.path, *attributes, *recursive)
            }
            _ => Ok(()),
        })
    }

    fn reconfigure(&mut self, settings: &[Setting<'_>]) -> linux::Result<()> {
        let context = FsContext::pick(self.tree()?)?;
        let done = configure(&context, settings).and_then(|()| context.reconfigure());
        self.done.messages.extend(context.messages());
        done
    }

    /// The options that the file system had before a remount and has no more, but for those that were asked for.
    fn lost<'b>(&self, settings: &[Setting<'b>], present: &[Setting<'b>]) -> linux::Result<Vec<Setting<'b>>> {
        if present.is_empty() {
            return Ok(Vec::new());
        }
        let tree = self.tree()?;
        let has = match statmount::super_options(tree) {
            Some(text) => MountOptions::parse(&text),
            None => {
                let id = u32::try_from(statmount::id_of(tree)?).unwrap_or_default();
                let table = table::Table::read()?;
                let Some(entry) = table.find_id(id) else { return Ok(Vec::new()) };
                MountOptions::parse(entry.super_options)
            }
        };
        let has = has.unwrap_or_default();
        let mut lost = Vec::new();
        for setting in present {
            let (name, value) = setting;
            let same = |option: &MountOption| {
                option.name == name.as_bytes()
                    && option.plain_value().as_deref() == value.as_deref().map(OsStrExt::as_bytes)
            };
            if !has.0.iter().any(same) && !settings.iter().any(|(asked, _)| asked == name) {
                lost.push(setting.clone());
            }
        }
        Ok(lost)
    }

    fn note(&mut self, what: &'static str, changed: linux::Result<()>) {
        if let Err(error) = changed {
            self.done.not_changed.get_or_insert((what, error));
        }
    }

    fn tree(&self) -> linux::Result<BorrowedFd<'_>> {
        self.tree.as_ref().map(AsFd::as_fd).ok_or_else(|| Error::new("open_tree", "", Errno::EBADF))
    }
}

/// Whether mount(2) may know a flag that mount_setattr(2) refused: nosymfollow came to it in Linux 5.10, to
/// mount_setattr(2), which is of 5.12, only in 5.14.
fn is_unknown(error: &Error, attributes: &Attributes) -> bool {
    let changed = attributes.set | attributes.clear;
    error.errno == Errno::ENOSYS || error.errno == Errno::EINVAL && changed & MOUNT_ATTR_NOSYMFOLLOW != 0
}

fn create(
    context: &FsContext,
    source: &OsStr,
    settings: &[Setting<'_>],
    exclusive: bool,
    attributes: u64,
) -> linux::Result<OwnedFd> {
    context.set_string(OsStr::new("source"), source)?;
    configure(context, settings)?;
    if exclusive {
        context.create_exclusive()?
    } else {
        context.create()?
    }
    context.mount(attributes)
}

fn configure(context: &FsContext, settings: &[Setting<'_>]) -> linux::Result<()> {
    settings.iter().try_for_each(|(name, value)| match value {
        Some(value) => context.set_string(name, value),
        None => context.set_flag(name),
    })
}
