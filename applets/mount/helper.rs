//! mount.TYPE programs, mount(8) "EXTERNAL HELPERS". They are not given the X-mount options, which are applied to the mount
//! that the program made; after a program that failed nothing is, since the mount at the target is another one.

use super::errors::{DMESG, FAILED};
use super::execute::{Done, Failed, execute};
use super::plan;
use super::request::Settings;
use super::resolve::Mount;
use super::step::MountStep;
use cli::failure::{Line, warn};
use cli::{Output, text};
use linux::mount::api::{self, AT_EMPTY_PATH, OPEN_TREE_CLONE};
use linux::mount::appeared::Before;
use linux::mount::options::operation::Operation;
use linux::mount::{self, helper, subdirectory};
use linux::namespace::{self, Kind};
use linux::process::{self, Status};
use linux::{Errno, Error, file};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Sent by the child in place of a descriptor: the program's exit status.
const STATUS: i32 = 1 << 24;

/// The call of an error that says that a program's mount cannot be given what is asked for.
pub const REFUSED: &str = "mount.TYPE";
/// The call of an error that says that what a program, the error's object, has mounted is not there.
pub const NOTHING: &str = "mount.TYPE(2)";

/// The program ended well, but there is no mount of its own at the target.
fn nothing(program: &OsStr) -> Failed {
    Failed::of(Error::new(NOTHING, program, Errno::ESTALE))
}

impl Mount {
    /// Runs the program, then applies what it was not given.
    pub fn help(
        &self,
        settings: &Settings<'_>,
        program: &OsStr,
        fstype: &OsStr,
        output: &mut Output,
    ) -> Result<Done, Failed> {
        let ended = |status| Ok(Done { helper: Some(status), ..Done::default() });
        let xmount = &self.xmount;
        let is_new = self.operation == Operation::New;
        let steps = plan::after_helper(xmount);
        let asks_for_tree = xmount.idmap.is_some() || (is_new && xmount.subdir.is_some());
        if settings.typed.fake || (steps.is_empty() && !asks_for_tree) {
            return ended(self.run_helper(settings, program, fstype, output));
        }
        if asks_for_tree {
            if !is_new || settings.origin.is_some() {
                return Err(Failed::of(Error::new(REFUSED, "", Errno::EPERM)));
            }
            return self.help_out_of_sight(settings, program, fstype, &steps, output);
        }
        let target = &self.target.path;
        let before = if is_new { Before::read(target).map(Err) } else { file::open_path(target).map(Ok) };
        let status = self.run_helper(settings, program, fstype, output);
        if status != 0 {
            return ended(status);
        }
        let root = before.and_then(|before| before.or_else(|before| before.appeared(target)));
        let not_changed = match root {
            Err(error) if error.errno == Errno::ESTALE => return Err(nothing(program)),
            Ok(root) => execute(&self.target, Some(root), &steps).ok().and_then(|done| done.not_changed),
            Err(error) => Some(("ownership", error)),
        };
        Ok(Done { helper: Some(0), not_changed, ..Done::default() })
    }

    /// Runs the program in a mount namespace of a child, changes the mount there, and attaches the result at the target.
    fn help_out_of_sight(
        &self,
        settings: &Settings<'_>,
        program: &OsStr,
        fstype: &OsStr,
        steps: &[MountStep<'_>],
        output: &mut Output,
    ) -> Result<Done, Failed> {
        // Flush before fork(2), or the child would write the buffered output again.
        let _ = output.flush();
        let taken = process::with_helper_child(
            "open_tree",
            || self.helped_tree(settings, program, fstype, output),
            |child, number| match u8::try_from(number - STATUS) {
                Ok(status) => Ok(Err(status)),
                Err(_) => namespace::descriptor_of(process::pidfd_open(child)?.as_fd(), number).map(Ok),
            },
        );
        let taken = taken.map_err(|error| match error.errno {
            Errno::ESTALE => nothing(program),
            _ => Failed::of(error),
        });
        match taken? {
            Err(status) => Ok(Done { helper: Some(status), ..Done::default() }),
            Ok(tree) => {
                let done = execute(&self.target, Some(tree), steps)?;
                Ok(Done { helper: Some(0), ..done })
            }
        }
    }

    /// In the child.
    fn helped_tree(
        &self,
        settings: &Settings<'_>,
        program: &OsStr,
        fstype: &OsStr,
        output: &mut Output,
    ) -> linux::Result<(i32, Option<OwnedFd>)> {
        namespace::unshare(Kind::Mount.flag())?;
        mount::propagation::set_recursive("/", mount::Propagation::Private)?;
        let before = Before::read(&self.target.path)?;
        let status = self.run_helper(settings, program, fstype, output);
        if status != 0 {
            return Ok((STATUS + i32::from(status), None));
        }
        let root = before.appeared(&self.target.path)?;
        let tree = match &self.xmount.subdir {
            Some(path) => subdirectory::of_tree(root.as_fd(), path)?,
            None => api::open_tree(Some(root.as_fd()), OsStr::new(""), OPEN_TREE_CLONE | AT_EMPTY_PATH)?,
        };
        Ok((tree.as_raw_fd(), Some(tree)))
    }

    fn run_helper(&self, settings: &Settings<'_>, program: &OsStr, fstype: &OsStr, output: &mut Output) -> u8 {
        let typed = settings.typed;
        let options = OsString::from_vec(self.options.for_helper());
        let namespace = settings.origin.map(|origin| origin.path());
        let mut argv = vec![program, self.source_or_none(), &self.target.path];
        let flags = [("-s", typed.sloppy), ("-f", typed.fake), ("-n", typed.no_mtab), ("-v", typed.verbose)];
        for (flag, given) in flags {
            if given {
                argv.push(OsStr::new(flag));
            }
        }
        argv.extend_from_slice(&[OsStr::new("-o"), &options]);
        let full = [b"mount.", fstype.as_bytes()].concat();
        if !program.as_bytes().ends_with(&full) {
            argv.extend_from_slice(&[OsStr::new("-t"), fstype]);
        }
        if let Some(namespace) = &namespace {
            argv.extend_from_slice(&[OsStr::new("-N"), namespace]);
        }
        // Flush first, so that our output comes before the program's.
        let _ = output.flush();
        match helper::run(program, &argv, settings.origin.map(|origin| origin.original())) {
            Ok(helper::Ran::Ended(Status::Exited(status))) => status,
            // A program that died of a signal: -1, as in the original.
            Ok(helper::Ran::Ended(_)) => 255,
            Err(_) => FAILED,
            Ok(helper::Ran::InChild(error)) => {
                run::exec::helper_failed(&self.target.path, &error).print(settings.invocation);
                process::exit_child(126)
            }
        }
    }

    /// Helper programs are not given the propagation options: they are applied to the mount that the program has made.
    pub fn set_propagation_after_helper(&self, settings: &Settings<'_>) {
        let steps = plan::propagation_after_helper(self);
        if !settings.typed.fake && !steps.is_empty() && execute(&self.target, None, &steps).is_err() {
            let text = text![self.target.path, ": WARNING: failed to apply propagation flags."];
            warn(settings.invocation, &Line::Named(text));
            warn(settings.invocation, &Line::Plain(text![DMESG]));
        }
    }
}
