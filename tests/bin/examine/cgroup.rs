//! A cgroup for each helper, seen by the lines as the root of all: a mount of cgroup2 from within it changes nothing of the
//! machine's, and what a line makes goes with it.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What their names begin with.
const CALLED: &str = "ctrbox-examine-";
/// Whether this helper is in one of its own.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Where a helper has its own.
const HERE: &str = "/cgroup";

/// Where this machine has cgroup2.
fn hierarchy() -> Option<PathBuf> {
    let table = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = table.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

/// Removes what this process's helpers have left, or those of one that was killed.
pub fn clean() {
    let Some(hierarchy) = hierarchy() else { return };
    for entry in fs::read_dir(hierarchy).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(CALLED);
        if is_ours {
            // One that has processes stays.
            remove(&entry.path().join("t"));
            remove(&entry.path());
        }
    }
}

fn remove(path: &Path) {
    for _ in 0..20 {
        match fs::remove_dir(path) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => std::thread::sleep(Duration::from_millis(1)),
            _ => break,
        }
    }
}

/// Enters one, as far as the machine has them.
pub fn enter() {
    let Some(hierarchy) = hierarchy() else { return };
    // A process of another container may have the same number.
    let unique = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    let own = hierarchy.join(format!("{CALLED}{}", unique.trim_end()));
    let entered = fs::create_dir(&own).and_then(|()| fs::write(own.join("cgroup.procs"), "0"));
    ENTERED.store(entered.is_ok() && unshare(CloneFlags::CLONE_NEWCGROUP).is_ok(), Ordering::Relaxed);
}

/// Mounts it in the helper's root.
pub fn keep() {
    if ENTERED.load(Ordering::Relaxed) && fs::create_dir(HERE).is_ok() {
        let _ = mount(Some("cgroup"), HERE, Some("cgroup2"), MsFlags::empty(), None::<&str>);
    }
}

/// Makes the one of a line visible to it, and a cgroup `t` in it.
pub fn show() -> Result<(), nix::errno::Errno> {
    if !ENTERED.load(Ordering::Relaxed) {
        // The machine's own is not for lines.
        return Err(nix::errno::Errno::ENODEV);
    }
    mount(Some("cgroup"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), None::<&str>)?;
    fs::create_dir("/sys/fs/cgroup/t").map_err(|_| nix::errno::Errno::EROFS)
}

/// Removes what a line has left.
pub fn forget() {
    if Path::new(HERE).join("t").exists() {
        remove(&Path::new(HERE).join("t"));
    }
}
