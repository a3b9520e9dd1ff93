//! The messages of a failed mount: the kernel's own if it left any, else the meaning of the error number for this
//! source and target.

use super::source;
use cli::failure::Line;
use cli::{Failure, text};
use hints::{Step, explained};
use linux::mount::api::{Message, Severity};
use linux::mount::options::operation::{Mounting, Operation};
use linux::mount::table;
use linux::{Errno, Error, stat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Wrong usage, or not permitted.
pub const USAGE: u8 = 1;
/// A system error: memory, fork(2), a namespace, or a change after mounting.
pub const SYSTEM: u8 = 2;
/// utab could not be locked or written.
pub const UTAB: u8 = 16;
/// A mount failed.
pub const FAILED: u8 = 32;
/// Some mounts of -a failed.
pub const SOME: u8 = 64;

/// The step that an error is of, where its call does several things.
pub const IDS: &str = "ID-mapping";

/// The second line of every failed system call.
pub const DMESG: &str = "       dmesg(1) may have more information after failed mount system call.";

/// The failure of a system call. `asked`: the type as it was typed, which may be a list. `read_write`: -w, never read-only.
pub fn failed(
    mounting: &Mounting<'_>,
    asked: Option<&OsStr>,
    read_write: bool,
    error: &Error,
    messages: &[Message],
) -> Failure {
    let text = kernel_words(error, messages).unwrap_or_else(|| by_errno(mounting, read_write, error));
    let failure = cli::fail!(FAILED, mounting.target, ": ", text, ".");
    let asked = Mounting { fstype: asked, ..*mounting };
    explained(failure.and(Line::Plain(text![DMESG])), Step::Mount(&asked), error.errno)
}

/// The table of mounts cannot be read.
#[cold]
#[inline(never)]
pub fn no_mounts(status: u8, error: Error) -> Failure {
    cli::fail!(status, "failed to read mtab: ", error.errno)
}

/// Whether it is the source that is missing.
pub fn is_source_missing(mounting: &Mounting<'_>, error: &Error, messages: &[Message]) -> bool {
    let errno = error.errno;
    // Where the kernel says nothing more the number is all that there is to judge by.
    let is_mute = messages.is_empty();
    // A source is looked for before the target is, which only the kernel's words tell.
    let comes_first = error.call == "fsconfig" && (!is_mute || errno == Errno::ENOTBLK);
    matches!(errno, Errno::ENOENT | Errno::ENOTDIR | Errno::ENOTBLK | Errno::ENXIO | Errno::ENOMEDIUM)
        && (comes_first || stat::path(mounting.target).is_ok())
        && mounting.source.is_some_and(|path| match stat::path(path) {
            Ok(_) if errno == Errno::ENOTBLK => is_mute,
            Ok(stat) => stat.is_block_device() && matches!(errno, Errno::ENXIO | Errno::ENOMEDIUM),
            Err(missing) => missing.errno == Errno::ENOENT || mounting.operation == Operation::Bind || is_mute,
        })
}

/// A failure before any system call: `TARGET: TEXT.`
pub fn early(status: u8, target: &OsStr, text: Vec<u8>) -> Failure {
    cli::fail!(status, target, ": ", text, ".")
}

/// Refused: the path leads to a mount of another namespace or of none, where the same name means another place.
pub fn elsewhere(path: &OsStr) -> Failure {
    early(FAILED, path, text!["mount failed: ", Errno::EINVAL])
        .hint("what this path leads to is detached, or in another mount namespace, which -N enters")
}

/// `fsconfig() failed: tmpfs: Unknown parameter 'bogus'`.
fn kernel_words(error: &Error, messages: &[Message]) -> Option<Vec<u8>> {
    let mut words: Vec<u8> = Vec::new();
    for message in messages.iter().filter(|message| message.severity == Severity::Error) {
        if !words.is_empty() {
            words.extend_from_slice(b"; ");
        }
        words.extend_from_slice(&message.text);
    }
    (!words.is_empty()).then(|| text![error.call, "() failed: ", words])
}

fn is_directory(path: &OsStr) -> bool {
    stat::path(path).is_ok_and(|stat| stat.is_directory())
}

fn by_errno(mounting: &Mounting<'_>, read_write: bool, error: &Error) -> Vec<u8> {
    let source = mounting.source.unwrap_or(OsStr::new("none"));
    let source_stat = stat::path(source);
    let plain = || text![error.call, "() failed: ", error.errno];
    match error.errno {
        errno if error.call == IDS => text!["mount_setattr() failed: cannot set ID-mapping: ", errno],
        // X-mount.subdir: neither the source nor the target is what is missing.
        Errno::ENOENT if error.call == "open_tree" && mounting.operation == Operation::New => plain(),
        Errno::EPERM if !linux::credentials::effective_uid().is_root() => text!["must be superuser to use mount"],
        // A file is bound on a file.
        Errno::EPERM
            if match mounting.operation {
                Operation::Bind => stat::path(mounting.target).is_err(),
                _ => !is_directory(mounting.target),
            } =>
        {
            text!["mount point is not a directory"]
        }
        Errno::EPERM => text!["permission denied"],
        Errno::EBUSY if mounting.operation.is_remount() => text!["mount point is busy"],
        Errno::EBUSY => match mounted_on(source) {
            Some(target) => text![source, " already mounted on ", target],
            None => text![source, " already mounted or mount point busy"],
        },
        Errno::ENOENT if stat::link(mounting.target).is_err() => text!["mount point does not exist"],
        Errno::ELOOP if error.call == "mount" => plain(),
        Errno::ENOENT | Errno::ELOOP if stat::path(mounting.target).is_err() => {
            text!["mount point is a symbolic link to nowhere"]
        }
        Errno::ENOENT if source_stat.is_err() && mounting.source.is_some() => {
            text!["special device ", source, " does not exist"]
        }
        Errno::ENOTDIR if !is_directory(mounting.target) => text!["mount point is not a directory"],
        Errno::ENOTDIR if source_stat.as_ref().is_err_and(|error| error.errno == Errno::ENOTDIR) => {
            text!["special device ", source, " does not exist (a path prefix is not a directory)"]
        }
        Errno::EINVAL => invalid(mounting, error.call, source),
        Errno::EMFILE => text!["mount table full"],
        Errno::EIO => text!["can't read superblock on ", source],
        Errno::ENODEV => match mounting.fstype {
            Some(fstype) => text!["unknown filesystem type '", fstype, "'"],
            None => text!["unknown filesystem type"],
        },
        Errno::ENOTBLK => match source_stat {
            Ok(stat) if stat.is_regular() => text![source, " is not a block device; try \"-o loop\""],
            _ => text![source, " is not a block device"],
        },
        Errno::ENXIO => text![source, " is not a valid block device"],
        Errno::EACCES | Errno::EROFS => read_only(mounting, read_write, source),
        Errno::ENOMEDIUM => text!["no medium found on ", source],
        Errno::EBADMSG => text!["cannot mount; probably corrupted filesystem on ", source],
        _ => plain(),
    }
}

fn invalid(mounting: &Mounting<'_>, call: &str, source: &OsStr) -> Vec<u8> {
    let network = mounting.fstype.is_some_and(|fstype| source::is_network_type(fstype.as_bytes()));
    match mounting.operation {
        Operation::Remount | Operation::RemountBind => text!["mount point not mounted or bad option"],
        Operation::Propagation => text!["not mount point or bad option"],
        // The flags of what is moved are those of a mount, which it is not.
        Operation::Move if call == "mount_setattr" => text!["not mount point or bad option"],
        Operation::Move if is_below_shared(source) => {
            text!["bad option; moving a mount residing under a shared mount is unsupported"]
        }
        _ if network => text![
            "bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program"
        ],
        _ => wrong(source),
    }
}

fn wrong(source: &OsStr) -> Vec<u8> {
    let rest = ", missing codepage or helper program, or other error";
    text!["wrong fs type, bad option, bad superblock on ", source, rest]
}

fn read_only(mounting: &Mounting<'_>, read_write: bool, source: &OsStr) -> Vec<u8> {
    match mounting.operation {
        _ if mounting.options.read_only_mount() == Some(true) => text!["cannot mount ", source, " read-only"],
        _ if read_write => {
            text![source, " is write-protected but explicit read-write mode requested"]
        }
        operation if operation.is_remount() => {
            text!["cannot remount ", source, " read-write, is write-protected"]
        }
        Operation::Bind => text!["bind ", source, " failed"],
        _ => text!["cannot mount ", source, " read-only"],
    }
}

/// Where a source is mounted already.
fn mounted_on(source: &OsStr) -> Option<std::ffi::OsString> {
    let table = table::Table::read().ok()?;
    let found = table.find(&|entry| entry.is_from(source))?;
    Some(found.target_path())
}

/// Whether the mount at `path`, or what is there that is none, lies on a mount whose propagation is shared.
fn is_below_shared(path: &OsStr) -> bool {
    let Ok(table) = table::Table::read() else { return false };
    let Some((holder, _)) = table.holder(path) else { return false };
    let below = if holder.is_on(path) { table.find_id(holder.parent) } else { Some(holder) };
    below.is_some_and(|mount| mount.group("shared:").is_some())
}
