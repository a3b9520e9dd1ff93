//! One mount, from a complete request to its entry in utab.

mod helped;
mod record;
mod types;

pub use record::not_written;

use super::hooks::{self, Hooks};
use super::message;
use super::plan::{self, Facts};
use super::request::{Request, Settings};
use super::source::{self, Missing, Source};
use super::target::{self, Target, Unmade};
use super::{FAILED, USAGE, carry, table};
use cli::failure::{Line, warn};
use cli::{Failure, Invocation, Outcome, Output, text};
use linux::loopdev::{Refused, Wanted};
use linux::mount::MS_NOSYMFOLLOW;
use linux::mount::api::{Message, Severity};
use linux::mount::helper;
use linux::options::Options as MountOptions;
use linux::options::operation::{Mounting, Operation};
use linux::probe::{self, Probed};
use linux::process::{self, Status};
use linux::{Errno, directory, mountinfo, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Mounts what a command line names.
pub fn mount(invocation: &Invocation<'_>, settings: &Settings, request: Request, output: &mut Output) -> Outcome {
    let request = table::complete(invocation, settings, request)?;
    perform(invocation, settings, request, output).map(|status| status.unwrap_or(0))
}

/// The exit status; `None` if nothing was mounted and `nofail` forgives it.
pub type Performed = Result<Option<u8>, Failure>;

/// The options as messages show them: without repetitions, rw or ro first.
pub fn shown_options(options: &MountOptions) -> Vec<u8> {
    let mut options = options.clone();
    let read_only = options.read_only_mount() == Some(true);
    options.deduplicate();
    options.0.retain(|option| !(matches!(option.name.as_slice(), b"ro" | b"rw") && option.value.is_none()));
    let mut first = MountOptions::default();
    first.push(if read_only { "ro" } else { "rw" }, None);
    first.append(options);
    first.to_text()
}

/// A mount that is being made.
struct Work<'a> {
    invocation: &'a Invocation<'a>,
    settings: &'a Settings,
    operation: Operation,
    options: MountOptions,
    hooks: Hooks,
    /// With a remount: what the mount has already, and need not be given again.
    present: MountOptions,
    types: Vec<u8>,
    negatable: bool,
    /// The source as it was given.
    given: Option<OsString>,
    source: Option<Source>,
    target: Target,
}

/// How one type fared.
enum Tried {
    /// The mount is there.
    Mounted(carry::Done),
    /// A mount.TYPE program ended with this status; what of the mount could not be changed.
    Helped(u8, Option<(&'static str, linux::Error)>),
}

/// Why one type did not do.
struct Refusal {
    failure: Failure,
    errno: Errno,
    /// Whether the source is what is missing, which `nofail` forgives.
    source_missing: bool,
}

/// Makes the mount that a complete request asks for.
pub fn perform(invocation: &Invocation<'_>, settings: &Settings, request: Request, output: &mut Output) -> Performed {
    let named = request.target.clone().or_else(|| request.source.clone()).unwrap_or_else(|| OsString::from("???"));
    let mut options = request.options;
    options.imply_user_flags();
    options.remove("owner");
    options.remove("group");
    hooks::number_ids(&mut options, &named)?;
    options.deduplicate();
    drop_selinux(&mut options);
    refuse_unsupported(&options, &named)?;
    let operation = Operation::of(&options, request.source.is_some());
    let mut hooks = Hooks::parse(&options, &named)?;
    // -c goes as far as the attach: a symbolic link at the target's end is covered itself.
    hooks.raw_target |= !settings.canonicalize;
    let mut work = Work {
        invocation,
        settings,
        operation,
        options,
        hooks,
        present: request.present,
        types: request.types.unwrap_or_default(),
        negatable: request.negatable,
        given: request.source,
        source: None,
        target: Target::at(request.target.as_deref().unwrap_or_default(), settings),
    };
    if operation == Operation::New && work.types == b"swap" {
        return Err(message::early(USAGE, &named, &text!["operation failed: ", Errno::EINVAL]));
    }
    if work.given.is_none() {
        let refuse = |named: &OsStr, words: &[u8]| Err(message::early(USAGE, named, words));
        match operation {
            Operation::New => return refuse(&named, b"no mount source specified"),
            Operation::Bind | Operation::Move if !settings.fake => {
                return refuse(&work.resolved(&work.target.path), &text!["mount failed: ", Errno::EINVAL]);
            }
            _ => {}
        }
    }
    if let Err(missing) = work.find_source() {
        return work.source_failed(missing, &named);
    }
    let Some(target) = request.target.clone() else {
        return Err(Failure::new(USAGE, text![named, ": can't find mount point in ", table::default_path(), "."]));
    };
    work.target = target::prepare(&target, settings, &work.hooks).map_err(|unmade| match unmade {
        Unmade::BadMode => hooks::malformed(&work.options, &target, ""),
        Unmade::Failed(errno) => message::early(USAGE, &target, &text!["failed to create mount point: ", errno]),
        Unmade::Elsewhere => elsewhere(&target),
    })?;
    let outcome = work.make(output);
    if !matches!(outcome, Ok(Some(0))) {
        work.target.undo();
    }
    outcome
}

/// What a path leads to is in another mount namespace: by its name from here it would be another place.
fn elsewhere(path: &OsStr) -> Failure {
    message::early(FAILED, path, &text!["mount failed: ", Errno::EINVAL])
        .hint("this path leads into another mount namespace, which -N enters")
}

/// The labels of SELinux mean nothing to a kernel without it.
fn drop_selinux(options: &mut MountOptions) {
    const NAMES: [&str; 5] = ["context", "fscontext", "defcontext", "rootcontext", "seclabel"];
    if NAMES.iter().any(|name| options.has(name)) && !types::kernel_knows(b"selinuxfs") {
        NAMES.iter().for_each(|name| options.remove(name));
    }
}

/// What we know and do not do.
fn refuse_unsupported(options: &MountOptions, named: &OsStr) -> Result<(), Failure> {
    let refuse = |what: &str| Err(message::early(USAGE, named, what.as_bytes()));
    if options.has("encryption") {
        return refuse("encryption not supported, use cryptsetup(8) instead");
    }
    if options.0.iter().any(|option| option.name.starts_with(b"verity.")) {
        return refuse("dm-verity is not supported by this build, use veritysetup(8) and mount the mapped device");
    }
    let relabels = |name| options.get(name).and_then(|option| option.plain_value()).is_some_and(|v| v == b"@target");
    if relabels("rootcontext") {
        return refuse("SELinux relabelling (rootcontext=@target) is not supported by this build");
    }
    Ok(())
}

impl Work<'_> {
    /// Resolves the source, and makes a loop device if it needs one.
    fn find_source(&mut self) -> Result<(), Missing> {
        let Some(given) = self.given.clone() else { return Ok(()) };
        let path = source::resolve(&given, self.operation, &self.types, self.settings, &self.hooks)?;
        let takes_device = matches!(self.operation, Operation::New) && source::is_path_type(&self.types);
        if takes_device
            && !self.settings.fake
            && let Some(wanted) = self.loop_device(&path)?
        {
            let made = source::attach(&path, &wanted)?;
            self.refuse_twice(&made)?;
            if made.device.as_ref().is_some_and(|device| device.read_only && device.is_new) && !self.settings.read_write
            {
                // The file cannot be written, and neither can what is in it. Of a device that was there the kernel says so.
                self.options.push("ro", None);
            }
            self.source = Some(made);
            return Ok(());
        }
        self.source = Some(Source { path, device: None });
        Ok(())
    }

    /// The loop device that the source needs.
    fn loop_device(&self, path: &OsStr) -> Result<Option<Wanted>, Missing> {
        let wanted = source::loop_wanted(&self.options)?;
        if self.hooks.no_loop {
            return Ok(None);
        }
        if wanted.is_some() {
            return Ok(wanted);
        }
        if !source::is_image(path) {
            return Ok(None);
        }
        let read_only = self.options.read_only_mount() == Some(true);
        let plain = Wanted { read_only, ..Wanted::default() };
        let found = match probe::device(path) {
            Ok(Probed::One(found)) => Some(found.fstype),
            _ => None,
        };
        let automatic = matches!(self.types.as_slice(), b"" | b"auto");
        // The kernel mounts an erofs image without a device; where it cannot, a device is made then.
        let needed = match (automatic, found) {
            (_, Some("erofs")) => false,
            (true, _) => true,
            (false, Some(found)) => self.types.split(|&byte| byte == b',').any(|name| name == found.as_bytes()),
            (false, None) => probe::is_known(&self.types),
        };
        Ok(needed.then_some(plain))
    }

    /// The same file at the same offset is on the same target already.
    fn refuse_twice(&self, made: &Source) -> Result<(), Missing> {
        let Some(device) = made.device.as_ref().filter(|device| !device.is_new) else { return Ok(()) };
        let Ok(mounted) = mountinfo::Table::read() else { return Ok(()) };
        let same = directory::canonical(&self.target.path)
            .is_ok_and(|target| mounted.entries().any(|entry| entry.is_from(&device.path) && entry.is_on(&target)));
        if same { Err(Missing::AlreadyMounted) } else { Ok(()) }
    }

    fn source_failed(&self, missing: Missing, named: &OsStr) -> Performed {
        let nofail = self.options.has("nofail");
        let given = self.given.clone().unwrap_or_default();
        let early = |status, words: Vec<u8>| Err(message::early(status, named, &words));
        match missing {
            Missing::Tag if nofail => Ok(None),
            Missing::Tag => early(USAGE, text!["can't find ", given]),
            Missing::BadSize => {
                early(USAGE, text!["failed to parse mount options '", shown_options(&self.options), "'"])
            }
            Missing::Elsewhere => Err(elsewhere(&given)),
            Missing::AlreadyMounted => early(USAGE, text![self.resolved(&given), " is already mounted"]),
            Missing::Loop(Refused::Overlap) => {
                early(FAILED, text!["overlapping loop device exists for ", self.resolved(&given)])
            }
            Missing::Loop(Refused::Failed(error)) if nofail && error.errno == Errno::ENOENT => Ok(None),
            Missing::Loop(Refused::Failed(error)) => {
                let failure = early(FAILED, text!["failed to set up loop device for ", self.resolved(&given)]);
                failure.map_err(|failure| failure.hint(text![error.call, " ", error.object, ": ", error.errno]))
            }
        }
    }

    fn resolved(&self, given: &OsStr) -> OsString {
        directory::canonical(given).unwrap_or_else(|_| given.to_os_string())
    }

    fn path(&self) -> Option<&OsStr> {
        self.source.as_ref().map(|source| source.path.as_os_str())
    }

    /// Tries the types that come into question, then records what was done.
    fn make(&mut self, output: &mut Output) -> Performed {
        if self.settings.onlyonce && self.is_there() {
            return Err(message::early(FAILED, &self.target.path, b"filesystem already mounted"));
        }
        let tried = match self.try_types(output)? {
            Ok(tried) => tried,
            Err(refusal) if refusal.source_missing && self.options.has("nofail") => return Ok(None),
            Err(refusal) => return Err(refusal.failure),
        };
        let done = match tried {
            Tried::Helped(0, not_changed) => {
                self.spread_after_helper();
                self.record(true)?;
                return self.tell_not_changed(not_changed).map(Some);
            }
            Tried::Helped(status, _) => return Ok(Some(status)),
            Tried::Mounted(done) => done,
        };
        self.tell(&done.messages, output);
        self.record(false)?;
        self.tell_not_changed(done.not_changed).map(Some)
    }

    /// Whether the source is on the target already.
    fn is_there(&self) -> bool {
        let Ok(mounted) = mountinfo::Table::read() else { return false };
        let found = mounted.find_target(&self.target.path);
        found.is_some_and(|entry| {
            let shown = self.path().is_none_or(|path| source::is_shown(&entry, path, 0));
            shown && source::is_subvolume(&entry, &self.options)
        })
    }

    /// One type: its helper, or the kernel.
    fn attempt(&mut self, fstype: Option<&OsStr>, silent: bool, output: &mut Output) -> Result<Tried, Refusal> {
        if let Some(program) =
            fstype.filter(|_| !self.settings.internal_only).and_then(|name| helper::find("mount", name))
        {
            if self.hooks.idmap.is_none() && self.hooks.subdir.is_none() {
                // The program mounts by itself, and may unmount what it finds there: a descriptor would keep that busy.
                self.target.place = None;
            }
            return self.help(&program, fstype.unwrap_or_default(), output);
        }
        if self.settings.fake {
            return Ok(Tried::Mounted(carry::Done::default()));
        }
        match self.call(fstype, silent) {
            Err(stopped) if self.may_be_read_only(&stopped.error) => {
                self.options.push("ro", None);
                let again = self.call(fstype, silent);
                if again.is_ok() {
                    let text = text![self.target.path, ": WARNING: source write-protected, mounted read-only."];
                    warn(self.invocation, &Line::Named(text));
                }
                again.map(Tried::Mounted).map_err(|stopped| self.refused(fstype, &stopped))
            }
            Err(stopped) if stopped.error.errno == Errno::ENOTBLK && self.make_late_device() => {
                self.call(fstype, silent).map(Tried::Mounted).map_err(|stopped| self.refused(fstype, &stopped))
            }
            other => other.map(Tried::Mounted).map_err(|stopped| self.refused(fstype, &stopped)),
        }
    }

    /// A file that the kernel would not take without a device gets one.
    fn make_late_device(&mut self) -> bool {
        let Some(path) = self.path().filter(|path| source::is_image(path)) else { return false };
        if self.hooks.no_loop || self.operation != Operation::New {
            return false;
        }
        let read_only = self.options.read_only_mount() == Some(true);
        match source::attach(path, &Wanted { read_only, ..Wanted::default() }) {
            Ok(made) => {
                self.source = Some(made);
                true
            }
            Err(_) => false,
        }
    }

    fn may_be_read_only(&self, error: &linux::Error) -> bool {
        let refused = match error.errno {
            Errno::EROFS | Errno::EACCES => true,
            Errno::EBUSY => self.path().is_some_and(is_mounted_read_only),
            _ => false,
        };
        refused
            && self.operation == Operation::New
            && !self.settings.read_write
            && self.options.read_only_mount() != Some(true)
    }

    /// The mount with one type.
    fn mounting<'a>(&'a self, fstype: Option<&'a OsStr>) -> Mounting<'a> {
        let Work { operation, ref options, ref target, .. } = *self;
        Mounting { operation, source: self.path(), target: &target.path, fstype, options }
    }

    /// The system calls.
    fn call(&self, fstype: Option<&OsStr>, silent: bool) -> Result<carry::Done, carry::Stopped> {
        let Settings { beneath, exclusive, .. } = *self.settings;
        let (mounting, hooks, present) = (&self.mounting(fstype), &self.hooks, &self.present);
        let facts = Facts { mounting, hooks, present, beneath, exclusive, silent };
        if self.operation == Operation::Contradiction {
            let error = linux::Error::new("mount", &self.target.path, Errno::EINVAL);
            return Err(carry::Stopped { error, messages: Vec::new(), attached: false });
        }
        // What mount(2) cannot do must not be left out silently.
        let needs_new = self.hooks.idmap.is_some() || beneath || exclusive;
        let old = || match plan::too_long(&facts) {
            Some(text) => Err(self.too_long(text)),
            None => carry::carry(None, &plan::old_steps(&facts)),
        };
        if self.settings.old_api && !needs_new {
            return old();
        }
        let steps = plan::steps(&facts);
        if let Some(name) = plan::beyond_fsconfig(&steps) {
            return match needs_new {
                true => Err(self.too_long(plan::longer(name, plan::FSCONFIG_LIMIT, "fsconfig(2) takes of one"))),
                false => old(),
            };
        }
        match carry::carry(self.target.place.as_ref(), &steps) {
            Err(stopped) if !stopped.attached && !needs_new && self.is_missing(&stopped.error) => old(),
            other => other,
        }
    }

    /// Whether the kernel lacks a call, or does not know by that call what mount(2) may know: nosymfollow came to mount(2)
    /// in Linux 5.10, and to fsmount(2) and mount_setattr(2) in 5.14.
    fn is_missing(&self, error: &linux::Error) -> bool {
        error.errno == Errno::ENOSYS
            || plan::is_layer(&error.object)
            || error.errno == Errno::EINVAL
                && matches!(error.call, "fsmount" | "mount_setattr")
                && self.options.mount_flags() & MS_NOSYMFOLLOW != 0
    }

    /// An option that no call of the kernel's takes.
    fn too_long(&self, text: Vec<u8>) -> carry::Stopped {
        let error = linux::Error::new("mount", &self.target.path, Errno::E2BIG);
        carry::Stopped { error, messages: vec![Message { severity: Severity::Error, text }], attached: false }
    }

    fn refused(&self, fstype: Option<&OsStr>, stopped: &carry::Stopped) -> Refusal {
        let errno = stopped.error.errno;
        if stopped.attached {
            let text: &[u8] = b"filesystem was mounted, but failed to apply flags";
            return Refusal { failure: message::early(USAGE, &self.target.path, text), errno, source_missing: false };
        }
        if stopped.error.call == "idmap" {
            let text = text!["failed to parse mount options '", shown_options(&self.options), "'"];
            return Refusal {
                failure: message::early(USAGE, &self.target.path, &text),
                errno: Errno::EPERM,
                source_missing: false,
            };
        }
        let missing =
            matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::ENOTBLK | Errno::ENXIO | Errno::ENOMEDIUM)
                && stat::path(&self.target.path).is_ok()
                && self.path().is_some_and(|path| match stat::path(path) {
                    Ok(stat) => errno != Errno::ENOENT && !stat.is_directory(),
                    Err(_) => true,
                });
        let read_write = self.settings.read_write;
        let failure = message::failed(&self.mounting(fstype), read_write, &stopped.error, &stopped.messages);
        Refusal { failure, errno, source_missing: missing }
    }

    fn run_helper(&self, program: &OsStr, fstype: &OsStr, output: &mut Output) -> u8 {
        let mut argv = vec![program.to_os_string()];
        argv.push(self.path().unwrap_or(OsStr::new("none")).to_os_string());
        argv.push(self.target.path.clone());
        let settings = self.settings;
        for (flag, given) in
            [("-s", settings.sloppy), ("-f", settings.fake), ("-n", settings.no_mtab), ("-v", settings.verbose)]
        {
            if given {
                argv.push(OsString::from(flag));
            }
        }
        argv.push(OsString::from("-o"));
        argv.push(OsString::from_vec(self.options.for_helper()));
        let full = [b"mount.", fstype.as_bytes()].concat();
        if !program.as_bytes().ends_with(&full) {
            argv.push(OsString::from("-t"));
            argv.push(fstype.to_os_string());
        }
        if let Some(origin) = &settings.origin {
            argv.push(OsString::from("-N"));
            argv.push(origin.path());
        }
        // What was printed so far comes before what the program prints.
        let _ = output.flush();
        let original = settings.origin.as_ref().map(|foreign| foreign.original());
        match helper::run(program, argv, original) {
            Ok(helper::Ran::Ended(Status::Exited(status))) => status,
            // -1, as the original has it.
            Ok(helper::Ran::Ended(_)) => 255,
            Err(_) => FAILED,
            Ok(helper::Ran::InChild(error)) => {
                cli::exec::failed_to_execute(&error).print(self.invocation);
                process::exit_child(126)
            }
        }
    }

    /// Helpers do not see the words of propagation: they are applied to what the helper has mounted.
    fn spread_after_helper(&self) {
        let steps = plan::propagation(&self.target.path, &self.options);
        if !self.settings.fake && !steps.is_empty() && carry::carry(None, &steps).is_err() {
            let text = text![self.target.path, ": WARNING: failed to apply propagation flags."];
            warn(self.invocation, &Line::Named(text));
            warn(self.invocation, &Line::Plain(text![message::DMESG]));
        }
    }

    /// Tells warnings of the kernel's, and with -v what was done.
    fn tell(&self, messages: &[Message], output: &mut Output) {
        let shown = |severity| messages.iter().filter(move |message| message.severity == severity);
        let mut kinds = vec![(Severity::Warning, "mount warning")];
        if self.settings.verbose {
            kinds.push((Severity::Info, "mount info"));
        }
        for (severity, title) in kinds {
            let count = shown(severity).count();
            if count > 0 {
                output.print(text![title, if count > 1 { "s" } else { "" }, ":\n"]);
            }
            for message in shown(severity) {
                output.print_line(text!["      * ", message.text]);
            }
        }
        if !self.settings.verbose {
            return;
        }
        let name = self.invocation.name();
        let source = self.path().unwrap_or(OsStr::new("none"));
        let target = &self.target.path;
        output.print_line(match self.operation {
            Operation::Bind => text![name, ": ", source, " bound on ", target, "."],
            Operation::Move => text![name, ": ", source, " moved to ", target, "."],
            Operation::Propagation => text![name, ": ", target, " propagation flags changed."],
            _ => text![name, ": ", source, " mounted on ", target, "."],
        });
    }
}

/// Whether a file system on `source` is mounted, and read-only.
fn is_mounted_read_only(source: &OsStr) -> bool {
    let Ok(table) = mountinfo::Table::read() else { return false };
    table
        .entries()
        .any(|entry| entry.is_from(source) && entry.super_options.split(|&byte| byte == b',').any(|word| word == b"ro"))
}
