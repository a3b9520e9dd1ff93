//! One unmount, from its operand to its entry in utab.

use super::find::{self, Found};
use super::options::{FAILED, Options, USAGE, UTAB, Unmounting, failed};
use cli::{Failure, Outcome, Output, text};
use hints::{Step, explained};
use linux::mount::options::Options as MountOptions;
use linux::mount::other_namespace::OtherMountNs;
use linux::mount::statmount::Mounts;
use linux::mount::{self, helper};
use linux::mount::{loopdev, table, utab};
use linux::process::{self, Status};
use linux::{Errno, Error, credentials, directory, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Unmounts what an operand names.
pub fn unmount(settings: &Unmounting<'_>, operand: &OsStr, known: &mut Known<'_>, output: &mut Output) -> Outcome {
    let options = &settings.options;
    // With -f and -l the mount point is not accessed, since its server may hang.
    let gentle = options.force || options.lazy;
    let path = if options.no_canonicalize { operand.to_os_string() } else { find::canonical(operand, !gentle) };
    let found = look_up(settings, operand, &path, known);
    let is_known = found.is_some();
    if found.as_ref().is_some_and(|found| found.is_hidden) {
        return Err(failed(USAGE, operand, "umount", Errno::EINVAL));
    }
    let found = found.unwrap_or_else(|| Found { target: operand.to_os_string(), resolved: path, ..Found::default() });
    if !is_known && settings.restricted.get() {
        return if options.quiet { Ok(USAGE) } else { Err(cli::fail!(USAGE, operand, ": not mounted.")) };
    }
    let mut done = unmount_found(settings, &found, known, output);
    if let Err(refused) = &done
        && refused.errno == Some(Errno::EINVAL)
        && !is_known
        && stat::link(operand).is_ok_and(|stat| stat.is_symlink())
    {
        // A mount may be over the symbolic link itself.
        if mount::unmount(&find::canonical(operand, false), flags(options)).is_ok() {
            done = Ok(0);
        }
    }
    // No link is followed to what is not there, and that is what is wrong with it.
    if let Err(other) = &done
        && matches!(other.errno, Some(Errno::EINVAL | Errno::ELOOP))
        && !is_known
        && !gentle
        && let Err(missing) = stat::path(found.path())
        && missing.errno == Errno::ENOENT
    {
        done = Err(refused(&found, &missing));
    }
    done.or_else(|refused| refused.outcome(settings))
}

/// Why a mount is still there.
pub struct Refused {
    /// What umount2(2) answered, if it was asked.
    pub errno: Option<Errno>,
    /// Where it is.
    pub target: OsString,
    /// The failure to report.
    pub failure: Failure,
}

impl Refused {
    /// With -g it is fine if there is nothing to unmount; -q keeps silent about it. Who uses a busy mount is looked
    /// for at the end, for all of them at once.
    pub fn outcome(self, settings: &Unmounting<'_>) -> Outcome {
        let options = &settings.options;
        let gone = matches!(self.errno, Some(Errno::EINVAL | Errno::ENOENT));
        if options.graceful && gone && credentials::effective_uid().is_root() {
            return Ok(0);
        }
        let hushed = self.errno == Some(Errno::EINVAL);
        if self.errno == Some(Errno::EBUSY) {
            settings.busy.borrow_mut().push(self.target);
        }
        if options.quiet && hushed { Ok(self.failure.status) } else { Err(self.failure) }
    }
}

/// The MNT_ flags that the options ask for.
pub fn flags(options: &Options) -> u64 {
    let mut flags = 0;
    if options.lazy {
        flags |= mount::MNT_DETACH;
    }
    if options.force {
        flags |= mount::MNT_FORCE;
    }
    flags
}

/// Whether an option asks for what only the table tells. With -c a path is looked for in it, and not touched.
fn reads_table(options: &Options) -> bool {
    options.force || options.lazy || options.detach_loop || options.read_only || options.no_canonicalize
}

/// Finds the mount; without the table where that will do.
fn look_up(settings: &Unmounting<'_>, operand: &OsStr, path: &OsStr, known: &Known<'_>) -> Option<Found> {
    let options = &settings.options;
    let is_absolute = operand.as_bytes().starts_with(b"/");
    // Where -v is to name the source, it is in the table.
    let needs_table = reads_table(options) || options.verbose && !is_absolute;
    if !needs_table && let Some(found) = find::by_kernel(path, !options.internal_only) {
        // The source may be a loop device to be freed, and a program is that of the mount with this source.
        let names_more = |kept: &MountOptions| ["loop", "helper", "uhelper"].iter().any(|name| kept.has(name));
        match known.kept_options(&found) {
            None => return Some(if is_absolute { found.typed(operand) } else { found }),
            Some(kept) if !names_more(&kept) && !options.verbose => return Some(found),
            Some(_) => {}
        }
    }
    match table::Table::read() {
        Ok(table) if options.no_canonicalize => {
            find::in_table(&table, operand, &find::canonical(operand, false), false)
        }
        Ok(table) => {
            let found = find::in_table(&table, operand, path, true)?;
            // Only the kernel was too old to say it.
            let is_typed = is_absolute && !needs_table && found.target == path && known.kept_options(&found).is_none();
            Some(if is_typed { found.typed(operand) } else { found })
        }
        // The kernel knows the mount without the table; its entry in utab must be removed with it.
        Err(_) => find::by_kernel(path, !options.internal_only),
    }
}

/// State shared by the unmounts of one command: missing helpers, utab, and the utab entries still to be removed.
pub struct Known<'a> {
    /// Types that have no umount.TYPE program: many mounts have the same.
    without_helper: Vec<OsString>,
    /// utab, read once.
    kept: &'a utab::UtabIndex<'a>,
    /// Whether it could be read: else each mount may have an entry.
    is_read: bool,
    /// Mounts that are gone and have their entries in utab still.
    gone: Vec<(OsString, Option<u64>)>,
    /// The mounts that were there when one was first missed.
    mounts: Option<Mounts>,
}

impl<'a> Known<'a> {
    /// For one mount, or many.
    pub fn of(kept: &'a utab::UtabIndex<'a>, is_read: bool) -> Known<'a> {
        Known { without_helper: Vec::new(), kept, is_read, gone: Vec::new(), mounts: None }
    }

    /// Removes the entry of a mount that is gone from utab. Entries are removed in batches, since each removal
    /// rewrites the file.
    fn forget(&mut self, found: &Found) -> Result<(), Refused> {
        self.gone.push((in_utab(found), (found.id != 0).then_some(found.id)));
        if self.gone.len() < (self.kept.count() / 8).max(32) { Ok(()) } else { self.finish() }
    }

    /// Takes out of utab what is gone.
    pub fn finish(&mut self) -> Result<(), Refused> {
        let gone = core::mem::take(&mut self.gone);
        let Some((first, _)) = gone.first() else { return Ok(()) };
        utab::update(&mut |table| table.remove_all(&gone)).map_err(|_| {
            let text = text![first, ": filesystem was unmounted, but failed to update userspace mount table."];
            Refused { errno: None, target: OsString::new(), failure: Failure::new(UTAB, text) }
        })
    }

    /// The same before the root is unmounted, which makes it read-only: utab may be on it.
    fn finish_before(&mut self, found: &Found) {
        if found.path() == "/"
            && !self.gone.is_empty()
            && utab::update(&mut |table| table.remove_all(&self.gone)).is_ok()
        {
            self.gone.clear();
        }
    }

    /// What utab keeps of the mount, if it has an entry of it; no options if it may have one that cannot be read, or has one
    /// that is of what was mounted there before.
    fn kept_options(&self, found: &Found) -> Option<MountOptions> {
        if !self.is_read {
            return Some(MountOptions::default());
        }
        if self.kept.count() == 0 {
            return None;
        }
        let target = in_utab(found);
        let entry = self.kept.find_mount(&target, (found.id != 0).then_some(found.id))?;
        let is_its = entry.id.is_some() || found.is_of(&entry.source, &entry.root);
        Some(if is_its { MountOptions::parse(&entry.options).unwrap_or_default() } else { MountOptions::default() })
    }

    /// Whether utab's entry is known to be of the mount: by the mount's number, or by the source that the table says.
    fn is_certain(&self, found: &Found) -> bool {
        let entry = self.kept.find_mount(&in_utab(found), Some(found.id));
        found.source.is_some() || entry.is_some_and(|entry| entry.id.is_some())
    }

    /// Whether a mount is still there, without touching it. The table is read for each only where nothing else tells.
    pub fn is_there(&mut self, id: u32) -> bool {
        if self.mounts.is_none() {
            self.mounts = Mounts::now().ok();
        }
        match &self.mounts {
            Some(mounts) => mounts.has(id),
            None => table::Table::read().is_ok_and(|table| table.find_id(id).is_some()),
        }
    }

    fn helper(&mut self, fstype: &OsStr) -> Option<OsString> {
        if self.without_helper.iter().any(|known| known == fstype) {
            return None;
        }
        let program = helper::find("umount", fstype);
        if program.is_none() {
            self.without_helper.push(fstype.to_os_string());
        }
        program
    }
}

/// The path by which utab has a mount, if it has it: of what is no mount the one that was typed, made whole.
fn in_utab(found: &Found) -> OsString {
    if found.target.is_empty() { OsString::new() } else { directory::absolute_as_typed(&found.target) }
}

/// Unmounts a mount.
pub fn unmount_found(
    settings: &Unmounting<'_>,
    found: &Found,
    known: &mut Known<'_>,
    output: &mut Output,
) -> Result<u8, Refused> {
    let options = &settings.options;
    let kept = known.kept_options(found);
    if !options.internal_only && !options.fake {
        // Of what is no mount utab may have an old entry.
        let named = |name: &str| {
            if found.id == 0 {
                return None;
            }
            let value = kept.as_ref()?.get(name).and_then(|option| option.plain_value())?;
            helper::find("umount", OsStr::from_bytes(&value))
        };
        let by_user = named("uhelper").filter(|_| settings.restricted.get());
        let program = by_user.or_else(|| named("helper"));
        // Neither another mount's program is run, nor is the mount taken from under its own.
        if program.is_some() && !known.is_certain(found) {
            let failure = failed(FAILED, &found.target, "umount", Errno::ENOENT);
            return Err(Refused { errno: None, target: found.target.clone(), failure });
        }
        if let Some(program) = program.or_else(|| known.helper(found.fstype.as_deref()?)) {
            let status = run_helper(settings, found, kept.is_some(), &program, output)?;
            // A user's entries are the program's to take out.
            if status == 0 && !options.no_mtab && kept.is_some() && credentials::effective_uid().is_root() {
                known.forget(found)?;
            }
            if status == 0 && options.verbose && !options.all {
                tell(settings, found, kept.is_some(), " unmounted", output);
            }
            return Ok(status);
        }
    }
    if !options.fake {
        known.finish_before(found);
        if let Err(error) = call(options, found) {
            if error.errno == Errno::EBUSY && options.read_only {
                return remount_read_only(settings, found, output);
            }
            return Err(refused(found, &error));
        }
    }
    finish(settings, found, kept.as_ref(), known, output)
}

/// The system call. A path is taken as it was resolved; with -c, unless the table had it, as it was typed.
fn call(options: &Options, found: &Found) -> linux::Result<()> {
    let is_typed = options.no_canonicalize && found.source.is_none();
    if is_typed { mount::umount2(found.path(), flags(options)) } else { mount::unmount(found.path(), flags(options)) }
}

/// After the system call: the loop device, utab, and with -v a line.
fn finish(
    settings: &Unmounting<'_>,
    found: &Found,
    kept: Option<&MountOptions>,
    known: &mut Known<'_>,
    output: &mut Output,
) -> Result<u8, Refused> {
    let options = &settings.options;
    if !options.fake
        && (options.detach_loop || kept.is_some_and(|kept| kept.has("loop")))
        && let Some(source) = &found.source
        && loopdev::backing(source).is_some_and(|backing| !backing.autoclear)
    {
        // Where somebody else still uses it the kernel refuses, and rightly so.
        let _ = loopdev::detach(source);
    }
    if !options.no_mtab && found.path() != "/" && kept.is_some() {
        known.forget(found)?;
    }
    if options.verbose && !options.all {
        tell(settings, found, kept.is_some(), " unmounted", output);
    }
    Ok(0)
}

/// Whether the original finds the mount by the kernel alone, and does not know its source: then utab has no entry.
fn is_quick(options: &Options, found: &Found, is_kept: bool) -> bool {
    let is_found = options.all || options.recursive || options.all_targets || !found.resolved.is_empty();
    is_found && !is_kept && !reads_table(options)
}

/// A line of -v, on standard error as the original has it.
fn tell(settings: &Unmounting<'_>, found: &Found, is_kept: bool, what: &str, output: &mut Output) {
    let _ = output.flush();
    let options = &settings.options;
    let line = match &found.source {
        Some(source) if !is_quick(options, found, is_kept) => text![found.target, " (", source, ")", what],
        _ => text![found.target, what],
    };
    cli::failure::warn(settings.invocation, &cli::failure::Line::Named(line));
}

/// -r: remounts a busy file system read-only and keeps its other flags.
fn remount_read_only(settings: &Unmounting<'_>, found: &Found, output: &mut Output) -> Result<u8, Refused> {
    let present = found.options.as_deref().and_then(|text| MountOptions::parse(text).ok()).unwrap_or_default();
    let flags = present.mount_flags() | mount::MS_REMOUNT | mount::MS_RDONLY;
    mount::mount2(found.source.as_deref(), &found.target, None, flags, None).map_err(|error| refused(found, &error))?;
    if settings.options.verbose {
        tell(settings, found, false, " remounted read-only", output);
    }
    Ok(0)
}

fn run_helper(
    settings: &Unmounting<'_>,
    found: &Found,
    is_kept: bool,
    program: &OsStr,
    output: &mut Output,
) -> Result<u8, Refused> {
    let options = &settings.options;
    let namespace = settings.origin.as_ref().map(OtherMountNs::path);
    let mut argv = vec![program, &found.target];
    for (flag, given) in [
        ("-n", options.no_mtab || is_quick(options, found, is_kept)),
        ("-l", options.lazy),
        ("-f", options.force),
        ("-v", options.verbose),
        ("-r", options.read_only),
    ] {
        if given {
            argv.push(OsStr::new(flag));
        }
    }
    let fstype = found.fstype.as_deref().unwrap_or_default();
    if fstype.as_bytes().contains(&b'.') && !program.as_bytes().ends_with(fstype.as_bytes()) {
        argv.extend_from_slice(&[OsStr::new("-t"), fstype]);
    }
    if let Some(namespace) = &namespace {
        argv.extend_from_slice(&[OsStr::new("-N"), namespace]);
    }
    let _ = output.flush();
    match helper::run(program, &argv, settings.origin.as_ref().map(OtherMountNs::original)) {
        Ok(helper::Ran::Ended(Status::Exited(status))) => Ok(status),
        Ok(helper::Ran::Ended(_)) | Err(_) => Ok(FAILED),
        Ok(helper::Ran::InChild(error)) => {
            run::exec::helper_failed(&found.target, &error).print(settings.invocation);
            process::exit_child(126)
        }
    }
}

/// What the kernel's answer means.
pub fn refused(found: &Found, error: &Error) -> Refused {
    let text = match error.errno {
        Errno::ENXIO => "invalid block device",
        Errno::EINVAL => "not mounted",
        Errno::EIO => "can't write superblock",
        Errno::EBUSY => "target is busy",
        Errno::ENOENT => "no mount point specified",
        Errno::EPERM => "must be superuser to unmount",
        Errno::EACCES => "block devices are not permitted on filesystem",
        _ => "",
    };
    let failure = match text {
        "" => failed(FAILED, &found.target, "umount(2) system call", error.errno),
        text => cli::fail!(FAILED, found.target, ": ", text, "."),
    };
    let failure = match error.errno {
        Errno::EBUSY => failure,
        errno => explained(failure, Step::Unmount(found.path()), errno),
    };
    Refused { errno: Some(error.errno), target: found.path().to_os_string(), failure }
}
