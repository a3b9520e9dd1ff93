//! What a command could have left behind: mounts, files and their attributes, loop devices.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of procfs.
pub fn proc(name: &str) -> PathBuf {
    Path::new(&std::env::var_os("PROC").unwrap_or("/proc".into())).join(name)
}

/// A mount table without the numbers that differ from run to run.
pub fn mounts(table: &str) -> String {
    let mut out = String::new();
    for line in table.lines() {
        let mut fields = line.split(' ').skip(3);
        let before: Vec<String> = fields
            .by_ref()
            .take_while(|field| *field != "-")
            .map(|field| match field.split_once(':') {
                Some((tag @ ("shared" | "master" | "propagate_from"), _)) => tag.to_string(),
                _ => field.to_string(),
            })
            .collect();
        let after: Vec<&str> = fields.collect();
        let _ = writeln!(out, "mount {} - {}", before.join(" "), after.join(" "));
    }
    out
}

/// What a command could have left behind.
pub fn snapshot() -> String {
    let mut out = mounts(&fs::read_to_string(proc("self/mountinfo")).unwrap_or_default());
    files(Path::new("."), &mut out);
    files(Path::new("/run/mount"), &mut out);
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let text = |name: &str| fs::read_to_string(entry.path().join(name)).unwrap_or_default().trim_end().to_string();
        let file = text("loop/backing_file");
        if !file.is_empty() && tests::sandbox::is_of_this_script(&entry.file_name()) {
            let how = ["loop/offset", "loop/sizelimit", "loop/partscan", "ro"].map(text).join(" ");
            let _ = writeln!(out, "loop device on {file}: {how}");
        }
    }
    out
}

fn files(directory: &Path, out: &mut String) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        // Where something is mounted the mount table says so.
        // Locks and signs for watchers are no state.
        if ["utab.lock", "utab.act", "utab.event"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.ends_with(".faults") || fs::metadata(directory).is_ok_and(|parent| parent.dev() != about.dev()) {
            continue;
        }
        let capability = capability(&path);
        let text =
            if path.starts_with("/run/mount") { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let _ = writeln!(
            out,
            "file {} {:o} {}:{} {capability} {text:?}",
            path.display(),
            about.mode(),
            about.uid(),
            about.gid()
        );
        if about.is_dir() {
            files(&path, out);
        }
    }
}

/// The file capabilities in hexadecimal.
fn capability(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    let mut value = [0_u8; 64];
    // SAFETY: the strings are NUL-terminated, the buffer is valid for writes of its length.
    let length = unsafe {
        libc::lgetxattr(path.as_ptr(), c"security.capability".as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    value.iter().take(usize::try_from(length).unwrap_or(0)).map(|byte| format!("{byte:02x}")).collect()
}
