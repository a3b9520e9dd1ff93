//! What a process is in, as /proc shows it.

use crate::snapshot::{mounts, proc};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;

/// The namespaces of a process, to be called by a name.
pub fn known(name: &str, pid: &str) -> String {
    let mut out = String::new();
    for entry in fs::read_dir(proc(&format!("{pid}/ns"))).into_iter().flatten().flatten() {
        let link = fs::read_link(entry.path()).unwrap_or_default();
        let _ = writeln!(out, "known {name} {}", link.display());
    }
    out
}

/// What a process is in. Numbers that differ from run to run are left out or named.
pub fn state(pid: i32) -> String {
    let read = |name: &str| {
        let bytes = fs::read(proc(&format!("{pid}/{name}"))).unwrap_or_default();
        OsString::from_vec(bytes).to_string_lossy().into_owned()
    };
    let link =
        |name: &str| fs::read_link(proc(&format!("{pid}/{name}"))).unwrap_or_default().to_string_lossy().into_owned();
    let mut out = String::new();
    let _ = writeln!(out, "exe {}", link("exe"));
    let _ = writeln!(out, "argv {}", read("cmdline").replace('\0', " "));
    let mut environment: Vec<String> = read("environ").split('\0').map(str::to_string).collect();
    environment.sort();
    let _ = writeln!(out, "environment {}", environment.join(" "));
    out += &tests::status::shown(&read("status"), &[]);
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"] {
        let _ = writeln!(out, "namespace {kind} {}", link(&format!("ns/{kind}")));
    }
    for name in ["uid_map", "gid_map", "setgroups", "timens_offsets", "cgroup"] {
        let _ = writeln!(out, "{name} {}", read(name).split_whitespace().collect::<Vec<_>>().join(" "));
    }
    for name in ["root", "cwd"] {
        let inode = fs::metadata(proc(&format!("{pid}/{name}"))).map_or(0, |about| about.ino());
        let _ = writeln!(out, "{name} {} {inode}", link(name));
    }
    let mut descriptors: Vec<String> = fs::read_dir(proc(&format!("{pid}/fd")))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            let number = entry.file_name().to_string_lossy().into_owned();
            format!("descriptor {number} {}", link(&format!("fd/{number}")))
        })
        .collect();
    descriptors.sort();
    for line in descriptors {
        let _ = writeln!(out, "{line}");
    }
    out + &mounts(&read("mountinfo"))
}
