//! Why a mount failed: mount(2), fsconfig(2), mount_setattr(2).

use crate::environment::{Environment, Kind as FileKind, Superblock};
use crate::hint::{Hint, is_one_of, lacks};
use crate::proc::{revealing, shows_foreign};
use crate::user_namespaces::{forbidden_user_namespaces, has_user_namespaces};
use cli::{add, text};
use linux::Errno;
use linux::caps::Cap;
use linux::mount::MS_REC;
use linux::mount::options::operation::{Mounting, Operation};
use linux::mount::options::type_matches;
use linux::namespace::Kind;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Why this process may change no mount at all, if that is so: it lacks CAP_SYS_ADMIN (and a user namespace may give it), or
/// the mount namespace belongs to another user namespace. `over` is what a user namespace would give it over; `None`: it would
/// not help.
fn powerless(what: &str, over: Option<&str>, environment: &dyn Environment) -> Vec<Hint> {
    if let Some(hint) = lacks(Cap::SYS_ADMIN, environment) {
        let own = "; without root, 'unshare -rm' makes a user and a mount namespace that have it";
        let over = over.filter(|_| has_user_namespaces(environment));
        let own = if over.is_some() { own } else { "" };
        let mut hints = vec![hint, text![what, " needs CAP_SYS_ADMIN", own, over.unwrap_or_default()]];
        if environment.in_user_namespace() {
            // An empty map: a user namespace that was made without one.
            hints.extend(forbidden_user_namespaces(false, environment));
        }
        return hints;
    }
    if environment.in_user_namespace() && environment.owns(Kind::Mount) == Some(false) {
        return vec![text!["the mount namespace does not belong to this user namespace: unshare that, too (--mount)"]];
    }
    Vec::new()
}

/// umount2(2), but for EBUSY.
pub(crate) fn unmount(target: &OsStr, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::EPERM => powerless("umount", Some(" over what is mounted inside"), environment),
        Errno::EINVAL if is_locked(target, environment) => vec![text![
            "it is mounted, but from outside of this user namespace: such mounts are locked, and only a whole tree of them moves or goes"
        ]],
        _ => Vec::new(),
    }
}

/// Whether a mount that the kernel refused with EINVAL may be locked: in a user namespace those are that came with the mount
/// namespace.
fn is_locked(target: &OsStr, environment: &dyn Environment) -> bool {
    environment.in_user_namespace() && environment.mount_of(target).and_then(|mount| mount.is_root) == Some(true)
}

pub(crate) fn mount(mounting: &Mounting<'_>, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let hint = match errno {
        // Which member of a list it was is not known.
        Errno::ENODEV if mounting.fstype.is_some_and(is_list) => superblock(mounting, environment),
        Errno::ENODEV => mounting.fstype.filter(|name| !name.is_empty()).map(|name| unknown_type(name, environment)),
        Errno::EPERM | Errno::EACCES => return not_permitted(mounting, errno, environment),
        Errno::ENOENT | Errno::ELOOP | Errno::EINVAL if is_dangling(mounting.target, environment) => {
            Some(text!["the mount point is a symbolic link that leads nowhere"])
        }
        Errno::EINVAL | Errno::ENOTDIR => mismatch(mounting, environment),
        Errno::ENOTBLK => not_a_device(mounting, environment),
        Errno::ENOENT => missing(mounting, environment),
        _ => None,
    };
    hint.into_iter().collect()
}

fn is_dangling(path: &OsStr, environment: &dyn Environment) -> bool {
    environment.link(path).is_some() && !environment.exists(path)
}

/// Whether it is a list of types, or of those that are not meant.
fn is_list(fstype: &OsStr) -> bool {
    fstype.as_bytes().contains(&b',') || fstype.as_bytes().starts_with(b"no")
}

/// Types that need a mount.TYPE program.
const HELPED: &str = "nfs nfs4 cifs smb3 ntfs ntfs-3g davfs sshfs fuse glusterfs";

/// What is on a device and no file system, and the command that uses it.
fn no_file_system(fstype: &OsStr) -> Option<Hint> {
    let what = match fstype.as_bytes() {
        b"swap" => "it is swap space: swapon",
        b"crypto_LUKS" => "it is encrypted: 'cryptsetup open' makes a device of it",
        b"LVM2_member" => "it is part of a volume group: 'vgchange -ay' makes devices of that",
        b"linux_raid_member" => "it is part of an array: 'mdadm --assemble' makes a device of that",
        _ => return None,
    };
    Some(text![what])
}

/// Whether the kernel knows a type, and whether that needs no device: /proc/filesystems.
fn known_type(fstype: &OsStr, environment: &dyn Environment) -> Option<bool> {
    let known = environment.file(OsStr::new("/proc/filesystems")).unwrap_or_default();
    let mut lines = known.split(|byte| *byte == b'\n');
    lines.find_map(|line| line.strip_suffix(fstype.as_bytes())?.strip_suffix(b"\t")).map(|nodev| !nodev.is_empty())
}

fn unknown_type(fstype: &OsStr, environment: &dyn Environment) -> Hint {
    if let Some(hint) = no_file_system(fstype) {
        return hint;
    }
    let mut hint = text!["the kernel does not know '", fstype, "': no such module, and it is not in /proc/filesystems"];
    if known_type(fstype, environment).is_some() {
        hint = text!["'", fstype, "' is in /proc/filesystems, but the kernel has no device for this source"];
    }
    if is_one_of(fstype, HELPED) {
        add!(&mut hint, "; the program /sbin/mount.", fstype, " is not there either");
    }
    hint
}

/// Types that may be mounted in a user namespace, some under conditions or on newer kernels only.
const MOUNTED_INSIDE: &str = "tmpfs ramfs proc sysfs devpts mqueue cgroup2 overlay fuse binfmt_misc bpf";

/// Whether a user namespace with a mount namespace of its own may do this.
fn is_possible_inside(mounting: &Mounting<'_>) -> bool {
    let is_inside = |fstype: &OsStr| is_one_of(fstype, MOUNTED_INSIDE) || fstype.as_bytes().starts_with(b"fuse.");
    match mounting.operation {
        Operation::New => mounting.fstype.is_some_and(is_inside),
        operation => !matches!(operation, Operation::Remount | Operation::Move),
    }
}

fn not_permitted(mounting: &Mounting<'_>, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let hints = powerless("mount", is_possible_inside(mounting).then_some(""), environment);
    if !hints.is_empty() || !environment.in_user_namespace() {
        return hints;
    }
    let place = match mounting.fstype.map(OsStr::as_bytes) {
        Some(b"proc") => Some("/proc"),
        Some(b"sysfs") => Some("/sys"),
        _ => None,
    };
    if let Some(foreign) = mounting.fstype.and_then(|fstype| shows_foreign(fstype.to_str()?, environment)) {
        return vec![foreign];
    }
    if let Some(place) = place {
        return revealing(place, environment);
    }
    if mounting.operation == Operation::New
        && let Some(source) = mounting.source
        && environment.node(source).is_some_and(|node| node.kind == FileKind::BlockDevice)
    {
        return vec![text![
            "a user namespace may not mount block devices: the kernel trusts no file system that its user could have made"
        ]];
    }
    if let (Operation::New, Errno::EPERM, Some(fstype)) = (mounting.operation, errno, mounting.fstype)
        && !is_possible_inside(mounting)
    {
        return vec![text![
            "a user namespace may not mount '",
            fstype,
            "': the kernel allows it a few types, as tmpfs, proc, sysfs, overlay and fuse"
        ]];
    }
    locked(mounting, environment).into_iter().collect()
}

/// Flags of a mount that came from a more privileged mount namespace are locked and cannot be cleared.
fn locked(mounting: &Mounting<'_>, environment: &dyn Environment) -> Option<Hint> {
    let path = match mounting.operation {
        Operation::Bind => mounting.source?,
        operation if operation.is_remount() => mounting.target,
        _ => return None,
    };
    let table = environment.mounts()?;
    let entry = table.find_target(&environment.canonical(path)?)?;
    let mut words = Vec::new();
    for word in entry.options.split(|&byte| byte == b',') {
        if is_one_of(OsStr::from_bytes(word), "ro nosuid nodev noexec noatime nodiratime") {
            words.extend_from_slice(if words.is_empty() { b"" } else { b"," });
            words.extend_from_slice(word);
        }
    }
    if words.is_empty() {
        return None;
    }
    Some(text!["in a user namespace the flags ", words, " of this mount are locked: add them (-o ", words, ")"])
}

/// Which path is missing, where the message does not say it.
fn missing(mounting: &Mounting<'_>, environment: &dyn Environment) -> Option<Hint> {
    if mounting.fstype == Some(OsStr::new("overlay")) {
        let mut words = Vec::new();
        for name in "lowerdir upperdir workdir".split(' ') {
            if mounting.options.get(name).and_then(|option| option.plain_value()).is_some() {
                words.extend_from_slice(if words.is_empty() { b"" } else { b", " });
                words.extend_from_slice(name.as_bytes());
            }
        }
        return Some(text!["a directory of the overlay does not exist: look at ", words]);
    }
    let takes_device = mounting.fstype.and_then(|fstype| known_type(fstype, environment)) != Some(true);
    let source = mounting.source?;
    // A working directory that was removed or detached is there, and nothing is mounted on it.
    if environment.canonical(mounting.target).is_none() || mounting.operation != Operation::New {
        return None;
    }
    if takes_device && !environment.exists(source) {
        return Some(text!["the source ", source, " does not exist"]);
    }
    let has_subdir = mounting.options.get("X-mount.subdir").is_some();
    has_subdir.then(|| text!["the directory of X-mount.subdir is not in it"])
}

fn mismatch(mounting: &Mounting<'_>, environment: &dyn Environment) -> Option<Hint> {
    let target = environment.node(mounting.target)?.kind;
    if mounting.operation == Operation::New {
        if target != FileKind::Directory {
            return Some(text!["the mount point is a file: a file system is mounted on a directory"]);
        }
        return superblock(mounting, environment);
    }
    if !matches!(mounting.operation, Operation::Bind | Operation::Move) {
        return None;
    }
    let source = environment.node(mounting.source?)?.kind;
    let name = |kind| if kind == FileKind::Directory { "a directory" } else { "a file" };
    if name(source) != name(target) {
        return Some(text![
            "the source is ",
            name(source),
            " and the mount point ",
            name(target),
            ": they must be of one kind"
        ]);
    }
    if mounting.operation == Operation::Bind && mounting.options.mount_flags() & MS_REC == 0 {
        let covered = environment.in_user_namespace() && has_mounts_below(mounting.source?, environment);
        return covered.then(|| {
            text!["there are mounts below the source, which in a user namespace are locked to it: --rbind takes all"]
        });
    }
    if mounting.operation == Operation::Move && is_locked(mounting.source?, environment) {
        return Some(text![
            "the source is mounted from outside of this user namespace, and locked where it is: --rbind shows it at a second place"
        ]);
    }
    let is_mount =
        || environment.mounts().is_none_or(|table| table.find_target(mounting.source.unwrap_or_default()).is_some());
    if mounting.operation == Operation::Move && !is_mount() {
        return Some(text!["the source is not a mount point: only a mount can be moved; --bind takes any directory"]);
    }
    None
}

fn has_mounts_below(path: &OsStr, environment: &dyn Environment) -> bool {
    let Some((mut prefix, table)) = environment.canonical(path).zip(environment.mounts()) else { return false };
    if prefix != "/" {
        prefix.push("/");
    }
    let is_below = |path: &OsStr| path.len() > prefix.len() && path.as_bytes().starts_with(prefix.as_bytes());
    table.find(&|entry| is_below(&entry.target_path())).is_some()
}

/// What is on the source, if that is not the type that was asked for.
fn superblock(mounting: &Mounting<'_>, environment: &dyn Environment) -> Option<Hint> {
    let (source, fstype) = (mounting.source?, mounting.fstype?);
    if !matches!(environment.node(source)?.kind, FileKind::BlockDevice | FileKind::Regular) {
        return None;
    }
    match environment.superblock(source)? {
        Superblock::Of(other) if type_matches(OsStr::new(&other), fstype.as_bytes()) => None,
        Superblock::Of(other) => {
            let (which, end) = if is_list(fstype) { ("which", " leaves out") } else { ("not", "") };
            Some(text!["what is on ", source, " is '", other, "', ", which, " '", fstype, "'", end])
        }
        Superblock::Unknown => Some(text![
            "no file system that is known is on ",
            source,
            ": it may be empty, encrypted, or a disk with partitions"
        ]),
    }
}

fn not_a_device(mounting: &Mounting<'_>, environment: &dyn Environment) -> Option<Hint> {
    let source = mounting.source?;
    let kind = environment.node(source)?.kind;
    match kind {
        FileKind::Directory => Some(text!["the source is a directory: --bind shows it at a second place"]),
        FileKind::Regular if environment.file(source).is_some_and(|head| head.is_empty()) => {
            Some(text!["the source is an empty file, in which no file system can be"])
        }
        FileKind::Regular => Some(text!["the source is a file: -o loop makes a block device of it"]),
        FileKind::Other => Some(text!["the source is neither a block device nor a file or directory"]),
        FileKind::BlockDevice => None,
    }
}

#[cfg(test)]
mod tests;
