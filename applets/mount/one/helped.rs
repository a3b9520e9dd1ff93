//! mount.TYPE programs and the X-mount options that they are not told of: what those ask for is done to the mount that
//! the program has made. A program that failed has made none, and nothing is done to what lies at the target.

use super::super::{USAGE, carry, message, plan};
use super::{Operation, Refusal, Tried, Work};
use cli::Output;
use linux::mount::api::{self, AT_EMPTY_PATH, OPEN_TREE_CLONE};
use linux::mount::appeared::Before;
use linux::mount::{self, subdirectory};
use linux::namespace::{self, Kind};
use linux::{Errno, directory, process};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// What a child tells in place of a descriptor: the status of the program.
const STATUS: i32 = 1 << 24;

impl Work<'_> {
    /// Runs the program, and does what it was not told.
    pub(super) fn help(&self, program: &OsStr, fstype: &OsStr, output: &mut Output) -> Result<Tried, Refusal> {
        let hooks = &self.hooks;
        let is_new = self.operation == Operation::New;
        let steps = plan::after_helper(hooks, &self.target.path);
        let asks_for_tree = hooks.idmap.is_some() || (is_new && hooks.subdir.is_some());
        if self.settings.fake || (steps.is_empty() && !asks_for_tree) {
            return Ok(Tried::Helped(self.run_helper(program, fstype, output), None));
        }
        if asks_for_tree {
            if !is_new || self.settings.origin.is_some() {
                let text: &[u8] =
                    b"X-mount.subdir and X-mount.idmap cannot be combined with a mount.<type> helper program here";
                let failure = message::early(USAGE, &self.target.path, text);
                return Err(Refusal { failure, errno: Errno::EPERM, source_missing: false });
            }
            return self.help_out_of_sight(program, fstype, &steps, output);
        }
        let target = &self.target.path;
        let before = if is_new { Before::read(target).map(Err) } else { directory::open_path(target).map(Ok) };
        let status = self.run_helper(program, fstype, output);
        if status != 0 {
            return Ok(Tried::Helped(status, None));
        }
        let root = before.and_then(|before| before.or_else(|before| before.appeared(target)));
        let not_changed = match root {
            Ok(root) => carry::carry_on(root, None, &steps).ok().and_then(|done| done.not_changed),
            Err(error) => Some(("ownership", error)),
        };
        Ok(Tried::Helped(0, not_changed))
    }

    /// The program mounts where only a child of ours sees it. What is asked for of that appears at the target.
    fn help_out_of_sight(
        &self,
        program: &OsStr,
        fstype: &OsStr,
        steps: &[plan::Step],
        output: &mut Output,
    ) -> Result<Tried, Refusal> {
        // What was printed so far is not to be printed by the child again.
        let _ = output.flush();
        let taken = process::with_helper_child(
            "open_tree",
            || self.helped_tree(program, fstype, output),
            |child, number| match u8::try_from(number - STATUS) {
                Ok(status) => Ok(Err(status)),
                Err(_) => namespace::descriptor_of(process::pidfd_open(child)?.as_fd(), number).map(Ok),
            },
        );
        let stopped = |error| carry::Stopped { error, messages: Vec::new(), attached: false };
        let done = match taken {
            Ok(Err(status)) => return Ok(Tried::Helped(status, None)),
            Ok(Ok(tree)) => carry::carry_on(tree, self.target.place.as_ref(), steps),
            Err(error) => Err(stopped(error)),
        };
        let done = done.map_err(|stopped| self.refused(Some(fstype), &stopped))?;
        Ok(Tried::Helped(0, done.not_changed))
    }

    /// In the child.
    fn helped_tree(
        &self,
        program: &OsStr,
        fstype: &OsStr,
        output: &mut Output,
    ) -> linux::Result<(i32, Option<OwnedFd>)> {
        namespace::unshare(Kind::Mount.flag())?;
        mount::propagation::set_recursive("/", mount::Propagation::Private)?;
        let before = Before::read(&self.target.path)?;
        let status = self.run_helper(program, fstype, output);
        if status != 0 {
            return Ok((STATUS + i32::from(status), None));
        }
        let root = before.appeared(&self.target.path)?;
        let tree = match &self.hooks.subdir {
            Some(path) => subdirectory::of_tree(root.as_fd(), &plan::relative(path))?,
            None => api::open_tree(Some(root.as_fd()), OsStr::new(""), OPEN_TREE_CLONE | AT_EMPTY_PATH)?,
        };
        Ok((tree.as_raw_fd(), Some(tree)))
    }
}
