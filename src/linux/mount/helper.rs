//! Runs the helper programs /sbin/mount.TYPE and /sbin/umount.TYPE for file systems that the kernel does not mount
//! alone: mount(8), "EXTERNAL HELPERS".

use crate::mount::filesystems::is_listed;
use crate::process::{self, ExecError, Fork, SearchPath, Status, Variables, Wait};
use crate::signal::{SIGCHLD, reset_to_default};
use crate::{Result, credentials, environment, raw};
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where they are looked for.
const DIRECTORIES: &str = "/sbin/ /sbin/fs.d/ /sbin/fs/";

/// Variables that root's helper does not get.
const WITHHELD: &str = "BASH_ENV ENV HOME IFS KRB_CONF LIBPATH MAIL NLSPATH PATH SHELL SHLIB_PATH";

/// The program for a file system type, `verb` being `mount` or `umount`; for `fuse.sshfs` also the one for `fuse`.
pub fn find(verb: &str, fstype: &OsStr) -> Option<OsString> {
    let name = fstype.as_bytes();
    let unfit =
        name.is_empty() || name.contains(&b',') || name.starts_with(b"/") || name.windows(3).any(|w| w == b"/..");
    if unfit || matches!(name, b"none" | b"auto") {
        return None;
    }
    let base = name.rsplitn(2, |&byte| byte == b'.').last().unwrap_or_default();
    for directory in DIRECTORIES.split(' ') {
        for fstype in [name, base] {
            let path = [directory.as_bytes(), verb.as_bytes(), b".", fstype].concat();
            let path = OsString::from_vec(path);
            if crate::stat::path(&path).is_ok() {
                return Some(path);
            }
            if base.len() == name.len() {
                break;
            }
        }
    }
    None
}

/// The environment of a helper. Root's has nothing that leads a program to files of the caller's choice: no language
/// that is a path, and no variable of the dynamic loader.
fn variables() -> Variables {
    if !credentials::effective_uid().is_root() {
        return Variables::Inherited;
    }
    let mut kept = Vec::new();
    for entry in environment::entries() {
        let name = entry.split(|byte| *byte == b'=').next().unwrap_or_default();
        let is_language = is_listed(name, "LANG LANGUAGE") || name.starts_with(b"LC_");
        let is_path = is_language && raw::find_byte(b'/', entry).is_some();
        let is_withheld = is_path || name.starts_with(b"LD_") || is_listed(name, WITHHELD);
        if !is_withheld {
            kept.push(OsStr::from_bytes(entry).to_os_string());
        }
    }
    Variables::Exactly(kept)
}

/// What came of running one.
pub enum Ran {
    /// It ended.
    Ended(Status),
    /// Returned in the child if execve(2) failed: the caller reports it and then calls [`process::exit_child`].
    InChild(ExecError),
}

/// Runs a helper in a child, in the mount namespace `original` if that is given, and waits for it.
pub fn run(program: &OsStr, argv: &[&OsStr], original: Option<BorrowedFd<'_>>) -> Result<Ran> {
    // If SIGCHLD were ignored, the kernel would discard the child's status. The helper itself gets the disposition
    // that we inherited.
    let disposition = reset_to_default(SIGCHLD)?;
    match process::fork()? {
        Fork::Parent(child) => {
            let ended = process::wait(child, Wait::End);
            disposition.restore()?;
            Ok(Ran::Ended(ended?))
        }
        Fork::Child => {
            disposition.restore()?;
            if let Some(namespace) = original
                && crate::namespace::setns(namespace, 0).is_err()
            {
                process::exit_child(126);
            }
            Ok(Ran::InChild(process::exec(program, argv, &variables(), SearchPath::No)))
        }
    }
}
