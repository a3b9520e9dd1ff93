//! Who keeps a mount busy, as far as /proc shows it: proc_pid_cwd(5),
//! proc_pid_root(5), proc_pid_exe(5), proc_pid_fd(5).
//!
//! Reads only, and gives up after a bounded time.

use super::statmount;
use crate::{directory, io, process::Pid, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::time::{Duration, Instant};

/// How long the search may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// A process that keeps a mount busy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: Pid,
    /// Its name.
    pub name: OsString,
    /// What of it is on the mount: `cwd`, `root`, `exe`, or a descriptor such as `fd/3`.
    pub how: String,
}

/// At most `limit` processes that use the mount with this number.
pub fn of_mount(id: u64, limit: usize) -> Vec<Holder> {
    let started = Instant::now();
    let mut found = Vec::new();
    let Ok(directory) = directory::open_to_list(OsStr::new("/proc")) else { return found };
    let own = crate::process::id();
    for name in walk::names(directory.as_fd()).unwrap_or_default() {
        if found.len() >= limit || started.elapsed() > PATIENCE {
            break;
        }
        let Some(pid) = name.to_str().and_then(|name| name.parse::<Pid>().ok()).filter(|pid| *pid != own) else {
            continue;
        };
        if let Some(how) = use_of(pid, id, started) {
            found.push(Holder { pid, name: command(pid), how });
        }
    }
    found
}

fn use_of(pid: Pid, id: u64, started: Instant) -> Option<String> {
    let is_on = |what: &str| {
        let path = format!("/proc/{pid}/{what}");
        statmount::mountinfo_id(None, OsStr::new(&path), 0).is_ok_and(|found| found.id == id)
    };
    if let Some(what) = ["cwd", "root", "exe"].into_iter().find(|what| is_on(what)) {
        return Some(what.to_owned());
    }
    let descriptors = directory::open_to_list(OsStr::new(&format!("/proc/{pid}/fd"))).ok()?;
    for name in walk::names(descriptors.as_fd()).ok()? {
        if started.elapsed() > PATIENCE {
            return None;
        }
        let what = format!("fd/{}", name.to_str()?);
        if is_on(&what) {
            return Some(what);
        }
    }
    None
}

fn command(pid: Pid) -> OsString {
    let mut name = io::read_file(format!("/proc/{pid}/comm"), 64).unwrap_or_default();
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    if name.is_empty() { OsStr::from_bytes(b"?").to_os_string() } else { OsString::from_vec(name) }
}
