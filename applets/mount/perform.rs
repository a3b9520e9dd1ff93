//! Performs one mount, from the complete request to its entry in utab. Its types are tried in turn, each by its own
//! plan.

use super::errors::{self, FAILED, USAGE};
use super::execute::{Done, Failed, execute};
use super::helper::{NOTHING, REFUSED};
use super::request::{Request, Settings};
use super::resolve::Mount;
use super::{limits, mount2, plan, source, types};
use cli::failure::{Line, warn};
use cli::{Failure, Output, text};
use linux::mount::MS_NOSYMFOLLOW;
use linux::mount::api::{Message, Severity};
use linux::mount::options::operation::Operation;
use linux::mount::{helper, mountinfo, table};
use linux::{Errno, Error, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The exit status; `None` if nothing was mounted because of `nofail`.
pub type Performed = Result<Option<u8>, Failure>;

/// Makes the mount that a complete request asks for.
pub fn perform(settings: &Settings<'_>, request: Request, output: &mut Output) -> Performed {
    let target = request.target.clone();
    let mut mount = Mount::of(settings, request)?;
    if !mount.resolve(settings, target.as_deref())? {
        return Ok(None);
    }
    let outcome = mount.make(settings, output);
    if !matches!(outcome, Ok(Some(0))) {
        mount.target.undo();
    }
    outcome
}

impl Mount {
    /// Tries the types that come into question, then records what was done.
    fn make(&mut self, settings: &Settings<'_>, output: &mut Output) -> Performed {
        if settings.typed.onlyonce && self.operation != Operation::Propagation && self.is_there()? {
            return Err(errors::early(FAILED, &self.target.path, text!["filesystem already mounted"]));
        }
        let Some(done) = self.try_types(settings, output)? else { return Ok(None) };
        match done.helper {
            None => {
                self.tell_kernel(settings, &done.messages, output);
                self.tell(settings, output);
            }
            Some(0) => self.set_propagation_after_helper(settings),
            Some(status) => return Ok(Some(status)),
        }
        self.record(settings, done.helper.is_some())?;
        self.tell_not_changed(done.not_changed).map(Some)
    }

    /// Whether the source is on the target already.
    fn is_there(&self) -> Result<bool, Failure> {
        let mounted = table::Table::read_or_list().map_err(|error| errors::no_mounts(FAILED, error))?;
        let mounted = table::ByTarget::new(&mounted);
        let source = self.source();
        Ok(mounted
            .on(&self.target.path)
            .any(|entry| source.is_none_or(|path| source::is_mounted(&mounted, entry, path, &self.options))))
    }

    /// Tries one type after another. `None`: the source is missing, which `nofail` permits.
    fn try_types(&mut self, settings: &Settings<'_>, output: &mut Output) -> Result<Option<Done>, Failure> {
        let mut last: Option<(Option<OsString>, Failed)> = None;
        // The drivers of the type that was detected.
        let mut drivers = Vec::new();
        for candidate in types::candidates(self) {
            if let Some((_, Failed { error, attached, .. })) = &last {
                match error.errno {
                    Errno::EINVAL if candidate.is_substitute => continue,
                    Errno::ENODEV | Errno::EINVAL if !attached => {}
                    _ => break,
                }
            }
            let fstype = candidate.fstype?;
            match self.attempt(settings, fstype.as_deref(), candidate.silent, output) {
                Ok(done) => return Ok(Some(done)),
                Err(failed) => {
                    let name = fstype.as_deref().unwrap_or_default();
                    drivers = if candidate.is_substitute { text![drivers, ", ", name] } else { text![name] };
                    // The line of the type's own name is what the original prints.
                    let keeps = candidate.is_substitute && candidate.is_alias && failed.error.errno == Errno::ENODEV;
                    if !keeps {
                        last = Some((fstype, failed));
                    }
                }
            }
        }
        let Some((fstype, failed)) = last else { return Ok(None) };
        self.tell_kernel(settings, &failed.messages, output);
        let mut fstype = fstype.as_deref();
        if failed.error.errno == Errno::ENODEV && self.types.contains(&b',') {
            // The original tells the first of a list, and all of one in a table.
            let is_told = |byte: &u8| self.negatable && *byte == b',';
            fstype = self.types.split(is_told).next().map(OsStr::from_bytes);
        }
        if self.options.has("nofail")
            && errors::is_source_missing(&self.mounting(fstype), &failed.error, &failed.messages)
        {
            return Ok(None);
        }
        let failure = self.failure(settings, fstype, &failed);
        if failed.error.errno != Errno::ENODEV || !drivers.contains(&b',') {
            return Err(failure);
        }
        let found = fstype.unwrap_or_default();
        Err(failure.hint(text![
            "what mounts ",
            found,
            " was looked for in the kernel and as /sbin/mount.TYPE: ",
            drivers
        ]))
    }

    /// The message for a mount that failed. Not inlined, as [`super::all::mount_all`].
    #[inline(never)]
    fn failure(&self, settings: &Settings<'_>, fstype: Option<&OsStr>, failed: &Failed) -> Failure {
        let target = &self.target.path;
        match failed.error.call {
            _ if failed.attached => {
                errors::early(USAGE, target, text!["filesystem was mounted, but failed to apply flags"])
            }
            REFUSED => errors::early(
                USAGE,
                target,
                text!["X-mount.subdir and X-mount.idmap cannot be combined with a mount.<type> helper program here"],
            ),
            NOTHING => {
                let program = &failed.error.object;
                errors::early(FAILED, target, text![program, " reported success, but no mount of its own is here"])
            }
            _ => {
                let mounting = self.mounting(fstype);
                // Whether `auto` leaves something out, only the type that was found tells.
                let is_found = self.types.split(|byte| *byte == b',').any(|word| word == b"auto");
                let asked = if is_found { fstype } else { fstype.map(|_| OsStr::from_bytes(&self.types)) };
                errors::failed(&mounting, asked, settings.typed.read_write, &failed.error, &failed.messages)
            }
        }
    }

    /// One type: its helper, or the kernel. What the kernel refuses as it was asked for may be had read-only, or through a
    /// loop device.
    fn attempt(
        &mut self,
        settings: &Settings<'_>,
        fstype: Option<&OsStr>,
        silent: bool,
        output: &mut Output,
    ) -> Result<Done, Failed> {
        let typed = settings.typed;
        if let Some(fstype) = fstype
            && !typed.internal_only
            && let Some(program) = helper::find("mount", fstype)
        {
            if self.xmount.idmap.is_none() && self.xmount.subdir.is_none() {
                // Drop our descriptor of the target: the helper mounts by path and may first unmount what is there,
                // which the descriptor would keep busy.
                self.target.place = None;
            }
            return self.help(settings, &program, fstype, output);
        }
        if typed.fake {
            return Ok(Done::default());
        }
        let mut done = self.call(settings, fstype, silent);
        if matches!(&done, Err(failed) if failed.error.errno == Errno::ENOTBLK) && self.make_late_device(fstype) {
            done = self.call(settings, fstype, silent);
        }
        let Err(failed) = &done else { return done };
        if self.may_be_read_only(settings, &failed.error) {
            self.options.push("ro", None);
            let again = self.call(settings, fstype, silent);
            if again.is_ok() {
                let text = text![self.target.path, ": WARNING: source write-protected, mounted read-only."];
                warn(settings.invocation, &Line::Named(text));
            }
            return again;
        }
        done
    }

    /// A file that the kernel would not take without a device gets one.
    fn make_late_device(&mut self, fstype: Option<&OsStr>) -> bool {
        let wanted = self.whole_file();
        let takes_device = self.operation == Operation::New && !self.xmount.no_loop;
        // Of erofs, which may do without a device, a small file gets one as well.
        let is_erofs = fstype.is_some_and(|fstype| fstype == "erofs");
        let is_image = |path: &OsStr| match is_erofs {
            true => stat::path(path).is_ok_and(|stat| stat.is_regular()),
            false => source::is_image(path),
        };
        let source = self.source.as_mut().filter(|source| takes_device && is_image(&source.path));
        source.is_some_and(|source| source.attach(&wanted).is_ok())
    }

    fn may_be_read_only(&self, settings: &Settings<'_>, error: &Error) -> bool {
        let refused = match error.errno {
            Errno::EROFS | Errno::EACCES => true,
            Errno::EBUSY => self.source().is_some_and(is_mounted_read_only),
            _ => false,
        };
        refused
            && self.operation == Operation::New
            && !settings.typed.read_write
            && self.options.read_only_mount() != Some(true)
    }

    /// The system calls.
    fn call(&self, settings: &Settings<'_>, fstype: Option<&OsStr>, silent: bool) -> Result<Done, Failed> {
        if self.operation == Operation::Conflict {
            return Err(Failed::of(Error::new("mount", &self.target.path, Errno::EINVAL)));
        }
        // An option that mount(2) cannot do is an error, not left out silently.
        let needs_new = self.xmount.idmap.is_some() || self.beneath || self.exclusive;
        if needs_new || !settings.old_api {
            let steps = plan::steps(self, fstype);
            let done = match limits::of_fsconfig(&steps) {
                Some(text) => Err((self.too_long(text), true)),
                None => execute(&self.target, None, &steps).map_err(|failed| {
                    let is_missing = !failed.attached && self.is_missing(&failed.error);
                    (failed, is_missing)
                }),
            };
            match done {
                Ok(done) => return Ok(done),
                Err((_, true)) if !needs_new => {}
                Err((failed, _)) => return Err(failed),
            }
        }
        let data = OsString::from_vec(self.options.data());
        match limits::of_mount2(self, &data) {
            Some(text) => Err(self.too_long(text)),
            None => execute(&self.target, None, &mount2::steps(self, fstype, silent, &data)),
        }
    }

    /// Whether the kernel lacks a call, or does not know by that call what mount(2) may know: nosymfollow came to mount(2)
    /// in Linux 5.10, and to fsmount(2) in 5.14.
    fn is_missing(&self, error: &Error) -> bool {
        error.errno == Errno::ENOSYS
            || limits::is_layer(&error.object)
            || error.errno == Errno::EINVAL
                && error.call == "fsmount"
                && self.options.mount_flags() & MS_NOSYMFOLLOW != 0
    }

    /// An option that no call of the kernel's takes.
    fn too_long(&self, text: Vec<u8>) -> Failed {
        let error = Error::new("mount", &self.target.path, Errno::E2BIG);
        Failed { messages: vec![Message { severity: Severity::Error, text }], ..Failed::of(error) }
    }

    /// Tells warnings of the kernel's, and with -v what else it says.
    fn tell_kernel(&self, settings: &Settings<'_>, messages: &[Message], output: &mut Output) {
        for (severity, title) in [(Severity::Warning, "mount warning"), (Severity::Info, "mount info")] {
            let shown = || messages.iter().filter(|message| message.severity == severity);
            let count = shown().count();
            if count == 0 || (severity == Severity::Info && !settings.verbose) {
                continue;
            }
            output.print(text![title, if count > 1 { "s" } else { "" }, ":\n"]);
            for message in shown() {
                output.print_line(text!["      * ", message.text]);
            }
        }
    }

    /// Tells with -v what was done.
    fn tell(&self, settings: &Settings<'_>, output: &mut Output) {
        if !settings.verbose {
            return;
        }
        let (name, target) = (settings.invocation.name(), &self.target.path);
        let (words, changes) = match self.operation {
            Operation::Bind | Operation::RemountBind => (" bound on ", false),
            Operation::Move => (" moved to ", false),
            _ => (" mounted on ", !self.options.propagation().is_empty()),
        };
        if !changes || self.source.is_some() {
            output.print_line(text![name, ": ", self.source_or_none(), words, target, "."]);
        }
        if changes {
            output.print_line(text![name, ": ", target, " propagation flags changed."]);
        }
    }
}

/// Whether a file system on `source` is mounted, and read-only.
fn is_mounted_read_only(source: &OsStr) -> bool {
    let Ok(table) = table::Table::read() else { return false };
    table.find(&|entry| entry.is_from(source) && mountinfo::is_read_only(entry.super_options)).is_some()
}
