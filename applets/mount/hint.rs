//! Why a mount failed on this machine, from what the kernel shows of it.
//! Worked out only after the failure; nothing here changes anything.

use super::message::Attempt;
use super::plan::Operation;
use cli::failure::hints_wanted;
use cli::{Failure, text};
use linux::{Errno, Error, io, mountinfo, stat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Adds what is worth knowing.
pub fn add(failure: Failure, attempt: &Attempt<'_>, error: &Error) -> Failure {
    if !hints_wanted() {
        return failure;
    }
    match hint(attempt, error) {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn hint(attempt: &Attempt<'_>, error: &Error) -> Option<Vec<u8>> {
    match error.errno {
        Errno::ENODEV => attempt.fstype.map(unknown_type),
        Errno::EPERM => not_permitted(attempt),
        Errno::EINVAL | Errno::ENOTDIR => mismatch(attempt),
        Errno::ENOTBLK => directory_source(attempt),
        Errno::ENOENT => missing(attempt),
        _ => None,
    }
}

fn unknown_type(fstype: &OsStr) -> Vec<u8> {
    let module = text!["the kernel does not know '", fstype, "': no such module, and it is not in /proc/filesystems"];
    match fstype.as_bytes() {
        b"nfs" | b"nfs4" | b"cifs" | b"smb3" | b"ntfs" | b"davfs" | b"sshfs" => {
            text![module, "; the program /sbin/mount.", fstype, " is not there either"]
        }
        _ => module,
    }
}

/// Whether our capabilities hold only inside a user namespace other than the first.
fn in_user_namespace() -> bool {
    let whole = b"         0          0 4294967295\n";
    io::read_file("/proc/self/uid_map", 4096).is_ok_and(|map| map != whole)
}

fn not_permitted(attempt: &Attempt<'_>) -> Option<Vec<u8>> {
    if linux::credentials::effective_uid() != 0 && !in_user_namespace() {
        return Some(text![
            "mount needs CAP_SYS_ADMIN; without root, 'unshare -rm' makes a user and a mount namespace that have it"
        ]);
    }
    if !in_user_namespace() {
        return None;
    }
    let table = mountinfo::Table::read().ok()?;
    if attempt.fstype.is_some_and(|fstype| fstype == "proc" || fstype == "sysfs") {
        let place = if attempt.fstype == Some(OsStr::new("proc")) { "/proc" } else { "/sys" };
        return revealing(&table, place);
    }
    let path = match attempt.operation {
        Operation::Bind { .. } => attempt.source?,
        Operation::Remount | Operation::RemountBind => attempt.target,
        _ => return None,
    };
    let canonical = linux::directory::canonical(path).ok()?;
    let entry = table.find_target(&canonical)?;
    let locked: Vec<&[u8]> = entry
        .options
        .split(|&byte| byte == b',')
        .filter(|word| matches!(*word, b"ro" | b"nosuid" | b"nodev" | b"noexec" | b"noatime" | b"nodiratime"))
        .collect();
    if locked.is_empty() {
        return None;
    }
    let words = locked.join(&b","[..]);
    Some(text!["in a user namespace the flags ", words, " of this mount are locked: add them (-o ", words, ")"])
}

/// Mounts over parts of /proc or /sys forbid a new one, which would show what they hide.
fn revealing(table: &mountinfo::Table, place: &str) -> Option<Vec<u8>> {
    let prefix = [place.as_bytes(), b"/"].concat();
    let hidden: Vec<&[u8]> = table.entries().map(|entry| entry.target).filter(|at| at.starts_with(&prefix)).collect();
    let shown = hidden.get(..5.min(hidden.len()))?;
    if shown.is_empty() {
        return None;
    }
    Some(text![
        "mounts hide parts of ", place, " (", shown.join(&b", "[..]),
        "), and a new one would reveal them; in a container: --security-opt unmask=ALL or systempaths=unconfined"
    ])
}

/// What is missing, where line 1 does not say it.
fn missing(attempt: &Attempt<'_>) -> Option<Vec<u8>> {
    if attempt.fstype == Some(OsStr::new("overlay")) {
        let is_directory = |name| attempt.options.get(name).and_then(|option| option.plain_value()).is_some();
        let named = ["lowerdir", "upperdir", "workdir"].into_iter().filter(|name| is_directory(name));
        let words: Vec<&str> = named.collect();
        return Some(text!["a directory of the overlay does not exist: look at ", words.join(", ")]);
    }
    let source = attempt.source?;
    let gone = stat::path(attempt.target).is_ok() && stat::path(source).is_err();
    (gone && attempt.operation == Operation::New).then(|| text!["the source ", source, " does not exist"])
}

fn mismatch(attempt: &Attempt<'_>) -> Option<Vec<u8>> {
    let target = stat::path(attempt.target).ok()?;
    if attempt.operation == Operation::New {
        let hint = text!["the mount point is a file: a file system is mounted on a directory"];
        return (!target.is_directory()).then_some(hint);
    }
    if !matches!(attempt.operation, Operation::Bind { .. } | Operation::Move) {
        return None;
    }
    let source = stat::path(attempt.source?).ok()?;
    let kind = |directory| if directory { "a directory" } else { "a file" };
    if source.is_directory() != target.is_directory() {
        let (source, target) = (kind(source.is_directory()), kind(target.is_directory()));
        return Some(text!["the source is ", source, " and the mount point ", target, ": they must be of one kind"]);
    }
    if attempt.operation == Operation::Move {
        let table = mountinfo::Table::read().ok()?;
        if table.find_target(attempt.source?).is_none() {
            return Some(text!["the source is not a mount point: only a mount can be moved; --bind takes any directory"]);
        }
    }
    None
}

fn directory_source(attempt: &Attempt<'_>) -> Option<Vec<u8>> {
    let source = attempt.source?;
    let is_directory = stat::path(source).is_ok_and(|stat| stat.is_directory());
    is_directory.then(|| text!["the source is a directory: --bind shows it at a second place"])
}
