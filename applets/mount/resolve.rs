//! One mount with everything looked up: the operation, the source, the target. mount(8).

use super::errors::{self, FAILED, USAGE};
use super::request::{Request, Settings};
use super::source::{self, Missing, Source};
use super::target::{Target, Unmade};
use super::xmount::{self, XMount};
use cli::{Failure, text};
use linux::mount::api::FsContext;
use linux::mount::loopdev::{LoopSpec, Refused};
use linux::mount::options::Options as MountOptions;
use linux::mount::options::operation::{Mounting, Operation};
use linux::mount::probe::{self, Probed};
use linux::mount::{filesystems, fstab, helper, table};
use linux::{Errno, directory};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A mount that is to be made.
pub struct Mount {
    /// What is done.
    pub operation: Operation,
    /// All options.
    pub options: MountOptions,
    /// What the X-mount options ask for.
    pub xmount: XMount,
    /// For a remount: options that the mount already has and that need not be given again.
    pub present: MountOptions,
    /// The types to try, as they were given.
    pub types: Vec<u8>,
    /// Whether a leading `no` means every type but these.
    pub negatable: bool,
    /// What is mounted.
    pub source: Option<Source>,
    /// Where.
    pub target: Target,
    /// Whether it is mounted beneath the topmost mount there.
    pub beneath: bool,
    /// Whether an existing superblock is refused.
    pub exclusive: bool,
}

impl Mount {
    /// A request whose source and target are not looked up yet.
    pub fn of(settings: &Settings<'_>, request: Request) -> Result<Mount, Failure> {
        let named = request.target.as_deref().or(request.source.as_deref()).unwrap_or(OsStr::new("???"));
        let has_one_type = request.has_one_type();
        let mut options = request.options;
        options.imply_user_flags();
        options.remove("owner");
        options.remove("group");
        xmount::number_ids(&mut options, named)?;
        options.deduplicate();
        drop_selinux(&mut options);
        refuse_unsupported(&options, named)?;
        let mut xmount = XMount::parse(&options, named)?;
        // -c holds for the attach, too: it does not follow a symbolic link at the end of the target.
        xmount.raw_target |= settings.typed.no_canonicalize;
        let target = Target::at(request.target.as_deref().unwrap_or_default(), settings.typed.target_prefix.as_deref());
        let mut operation = Operation::of(&options, request.source.is_some());
        // A type is one of a file system that is to appear: it is never passed over.
        if operation == Operation::Propagation && has_one_type {
            operation = Operation::New;
        }
        if operation == Operation::Move && xmount.idmap.is_some() {
            return Err(errors::early(USAGE, named, text!["X-mount.idmap cannot be combined with a move"]));
        }
        Ok(Mount {
            operation,
            options,
            xmount,
            present: request.present,
            types: request.types.unwrap_or_else(|| b"auto".to_vec()),
            negatable: request.negatable,
            source: request.source.map(Source::given),
            target,
            beneath: settings.typed.beneath,
            exclusive: settings.typed.exclusive,
        })
    }

    /// Resolves source and target, and creates them where requested. `false`: the source is missing, which `nofail`
    /// permits.
    pub fn resolve(&mut self, settings: &Settings<'_>, target: Option<&OsStr>) -> Result<bool, Failure> {
        let given = self.source.as_ref().map(|source| source.given.clone());
        let named = target.or(given.as_deref()).unwrap_or(OsStr::new("???"));
        let refuse = |named: &OsStr, words: Vec<u8>| Err(errors::early(USAGE, named, words));
        match self.operation {
            _ if self.types == b"swap" && self.negatable => {
                return refuse(named, text!["operation failed: ", Errno::EINVAL]);
            }
            Operation::New if given.is_none() && self.changes_propagation() => {
                if settings.typed.fake {
                    return Ok(true);
                }
                return Err(self.nothing_to_mount(settings.typed.internal_only));
            }
            Operation::New if given.is_none() => return refuse(named, text!["no mount source specified"]),
            // A move of nothing is none with -f, either.
            Operation::Bind | Operation::Move | Operation::Conflict
                if given.is_none() && (!settings.typed.fake || self.operation == Operation::Move) =>
            {
                return refuse(
                    &directory::canonical_or_same(&self.target.path),
                    text!["mount failed: ", Errno::EINVAL],
                );
            }
            _ => {}
        }
        if let Err(missing) = self.find_source(settings) {
            let failure = self.source_failed(missing, named, given.as_deref().unwrap_or_default());
            return failure.map_or(Ok(false), Err);
        }
        // What is wrong with the source is told first, as by the original, which looks at these options when it has one.
        if self.options.0.iter().any(|option| option.name.starts_with(b"verity.")) {
            return refuse(
                named,
                text!["dm-verity is not supported by this build, use veritysetup(8) and mount the mapped device"],
            );
        }
        let Some(target) = target else {
            return Err(cli::fail!(USAGE, named, ": can't find mount point in ", fstab::default_path(), "."));
        };
        if let Err(unmade) = self.find_target(settings) {
            self.target.undo();
            return Err(match unmade {
                Unmade::BadMode => xmount::malformed(&self.options, target, None),
                Unmade::Failed(errno) => errors::early(USAGE, target, text!["failed to create mount point: ", errno]),
                Unmade::Elsewhere => errors::elsewhere(target),
            });
        }
        Ok(true)
    }

    fn changes_propagation(&self) -> bool {
        !self.options.propagation().is_empty()
    }

    /// The failure of a file system that has a type and no source.
    fn nothing_to_mount(&mut self, internal_only: bool) -> Failure {
        self.target.path = directory::canonical_or_same(&self.target.path);
        let (path, fstype) = (&self.target.path, OsStr::from_bytes(&self.types));
        let refused = FsContext::open(fstype).err().filter(|error| error.errno != Errno::ENOSYS);
        match refused.filter(|_| internal_only || helper::find("mount", fstype).is_none()) {
            Some(error) => errors::failed(&self.mounting(Some(fstype)), Some(fstype), false, &error, &[]),
            None => errors::early(USAGE, path, text!["mount failed: ", Errno::EINVAL]),
        }
    }

    fn find_target(&mut self, settings: &Settings<'_>) -> Result<(), Unmade> {
        let raw = self.xmount.raw_target;
        if let Some(mode) = self.xmount.mkdir.as_deref().filter(|_| !settings.typed.fake) {
            self.target.make(mode, raw)?;
        }
        if raw { Ok(()) } else { self.target.resolve() }
    }

    /// Resolves the source, and makes a loop device if it needs one.
    fn find_source(&mut self, settings: &Settings<'_>) -> Result<(), Missing> {
        let Some(source) = &mut self.source else { return Ok(()) };
        let raw = settings.typed.no_canonicalize || self.xmount.raw_source;
        let is_mount = matches!(self.operation, Operation::Bind | Operation::Move);
        source.path = source::resolve(&source.given, raw, &self.types, is_mount)?;
        if self.operation != Operation::New || settings.typed.fake {
            return Ok(());
        }
        // A swap line of fstab is passed on for the kernel to refuse.
        if !source::is_path_type(&self.types) || self.types == b"swap" {
            return Ok(());
        }
        let Some(wanted) = self.loop_device()? else { return Ok(()) };
        let Some(source) = &mut self.source else { return Ok(()) };
        source.attach(&wanted)?;
        let Some(device) = &source.device else { return Ok(()) };
        if device.is_new {
            if device.read_only && !settings.typed.read_write {
                // The file cannot be opened for writing, so the mount is read-only. For a loop device that was there before,
                // the kernel reports it.
                self.options.push("ro", None);
            }
        } else if let Ok(mounted) = table::Table::read()
            && let Ok(target) = directory::canonical(&self.target.path)
            && mounted.find(&|entry| entry.is_from(&device.path) && entry.is_on(&target)).is_some()
        {
            // The same part of the same file is mounted on this target already.
            return Err(Missing::AlreadyMounted);
        }
        Ok(())
    }

    /// The loop device that the source needs.
    fn loop_device(&self) -> Result<Option<LoopSpec>, Missing> {
        let wanted = source::loop_wanted(&self.options)?;
        let path = self.source().unwrap_or_default();
        if self.xmount.no_loop {
            return Ok(None);
        }
        if wanted.is_some() || !source::is_image(path) {
            return Ok(wanted);
        }
        let found = match probe::device(path) {
            Ok(Probed::One(found)) => Some(found.fstype),
            _ => None,
        };
        let automatic = self.types == b"auto";
        // The kernel mounts an erofs image without a device; where it cannot, a device is made then.
        let needed = match (automatic, found) {
            (_, Some("erofs")) => false,
            (true, _) => true,
            (false, Some(found)) => self.types.split(|&byte| byte == b',').any(|name| name == found.as_bytes()),
            (false, None) => probe::is_known(&self.types),
        };
        Ok(needed.then(|| self.whole_file()))
    }

    /// A loop device of all of a file.
    pub fn whole_file(&self) -> LoopSpec {
        LoopSpec { read_only: self.options.read_only_mount() == Some(true), ..LoopSpec::default() }
    }

    /// The failure of a source that is missing; `None` with `nofail`.
    fn source_failed(&self, missing: Missing, named: &OsStr, given: &OsStr) -> Option<Failure> {
        let nofail = self.options.has("nofail");
        let early = |status, words: Vec<u8>| Some(errors::early(status, named, words));
        match missing {
            Missing::Tag if nofail => None,
            Missing::Loop(Refused::Failed(error)) if nofail && error.errno == Errno::ENOENT => None,
            Missing::Tag => early(USAGE, text!["can't find ", given]),
            Missing::BadSize => Some(xmount::malformed(&self.options, named, None)),
            Missing::Elsewhere => Some(errors::elsewhere(given)),
            Missing::AlreadyMounted => early(USAGE, text![directory::canonical_or_same(given), " is already mounted"]),
            Missing::Loop(Refused::Overlap) => {
                early(FAILED, text!["overlapping loop device exists for ", self.source_or_none()])
            }
            Missing::Loop(Refused::Failed(error)) => {
                let failure = early(FAILED, text!["failed to set up loop device for ", self.source_or_none()]);
                failure.map(|failure| failure.hint(text![error.call, " ", error.object, ": ", error.errno]))
            }
        }
    }

    /// What the kernel gets as the source.
    pub fn source(&self) -> Option<&OsStr> {
        self.source.as_ref().map(|source| source.path.as_os_str())
    }

    /// What the kernel gets as the source where it wants one.
    pub fn source_or_none(&self) -> &OsStr {
        self.source().unwrap_or(OsStr::new("none"))
    }

    /// The mount with one type.
    pub fn mounting<'a>(&'a self, fstype: Option<&'a OsStr>) -> Mounting<'a> {
        let Mount { operation, ref options, ref target, .. } = *self;
        Mounting { operation, source: self.source(), target: &target.path, fstype, options }
    }
}

/// Drops SELinux contexts, which a kernel without SELinux refuses.
fn drop_selinux(options: &mut MountOptions) {
    let names = || "context fscontext defcontext rootcontext seclabel".split(' ');
    if names().any(|name| options.has(name)) && !filesystems::is_registered(b"selinuxfs") {
        names().for_each(|name| options.remove(name));
    }
}

/// Refuses options that ctrbox knows but does not implement.
fn refuse_unsupported(options: &MountOptions, named: &OsStr) -> Result<(), Failure> {
    let relabels = |name| options.get(name).and_then(|option| option.plain_value()).is_some_and(|v| v == b"@target");
    let what = if options.has("encryption") {
        "encryption not supported, use cryptsetup(8) instead"
    } else if relabels("rootcontext") {
        "SELinux relabelling (rootcontext=@target) is not supported by this build"
    } else {
        return Ok(());
    };
    Err(errors::early(USAGE, named, text![what]))
}
