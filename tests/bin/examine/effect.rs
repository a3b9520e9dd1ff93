//! What a command did: read by the first process of the sandbox when the command has ended, as lines that are alike when
//! the effect is.

use super::probe::{self, KINDS};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A mount table without the numbers that differ from run to run: mounts are called by where they are, and how many were
/// there before; peer groups by where they are first met.
pub fn mounts(table: &[u8], out: &mut String) {
    let table = String::from_utf8_lossy(table);
    let mut names: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    let mut stacks: BTreeMap<&str, usize> = BTreeMap::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (Some(id), Some(place)) = (fields.first(), fields.get(4)) else { continue };
        let depth = stacks.entry(place).or_default();
        let more = if *depth == 0 { String::new() } else { format!("#{depth}") };
        names.insert(id, (place, more));
        *depth += 1;
    }
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for line in table.lines() {
        let place = line.split(' ').nth(4).unwrap_or_default();
        let mut fields = line.split(' ');
        let depth = fields.next().and_then(|id| names.get(id)).map_or("", |(_, depth)| depth.as_str());
        let (parent, more) = fields.next().and_then(|id| names.get(id)).map_or(("-", ""), |(name, more)| (name, more));
        let before: Vec<String> = fields
            .by_ref()
            .skip(1)
            .take_while(|field| *field != "-")
            .map(|field| match field.split_once(':') {
                Some((tag @ ("shared" | "master" | "propagate_from"), group)) => {
                    let first = groups.entry(group.to_string()).or_insert_with(|| format!("{place}{depth}"));
                    format!("{tag}:{first}")
                }
                _ => field.to_string(),
            })
            .collect();
        let after: Vec<&str> = fields.collect();
        let _ = writeln!(out, "mount{depth} on {parent}{more}: {} - {}", before.join(" "), after.join(" "));
    }
}

/// Bytes as text, with what is not ASCII as numbers.
pub fn text(bytes: &[u8]) -> String {
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

/// Names for the namespaces of the processes that there are.
pub fn known_namespaces() -> String {
    let mut out = String::new();
    for pid in probe::names(".").iter().filter(|name| name.parse::<u32>().is_ok()) {
        for kind in KINDS {
            let inode = probe::link(&format!("{pid}/ns/{kind}"));
            if let Some(inode) = inode.split(['[', ']']).nth(1) {
                let _ = writeln!(out, "known {inode} {kind}@{pid}");
            }
        }
    }
    out
}

/// Processes beyond those that were there before, by the name of what they run.
pub fn new_processes(before: &[String], tested: &str) -> String {
    let look = || {
        let mut found = String::new();
        for pid in probe::names(".") {
            if pid.parse::<u32>().is_err() || before.contains(&pid) {
                continue;
            }
            let status = probe::read(&format!("{pid}/stat"));
            let status = String::from_utf8_lossy(&status).into_owned();
            if let Some((name, rest)) = status.split_once(' ').and_then(|(_, rest)| rest.rsplit_once(')'))
                && !rest.starts_with(" Z")
                && !rest.starts_with(" X")
            {
                let _ = writeln!(found, "process {name}");
            }
        }
        found
    };
    let mut found = look();
    let left = format!("process ({tested}\n");
    for turn in 0..250 {
        // What was just killed is given the time to die, and a child of the command the time to do its work.
        if found.is_empty() || turn >= 10 && !found.contains(&left) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
        found = look();
    }
    found
}

/// Loop devices on files of the file system `device`, which are detached if that is wanted.
pub fn loop_devices(device: u64, detach: bool) -> String {
    const LOOP_GET_STATUS64: libc::Ioctl = 0x4c05;
    let mut lines = Vec::new();
    let table = String::from_utf8_lossy(&probe::read("self/mountinfo")).into_owned();
    for number in 0..64 {
        let path = format!("/sys/devices/virtual/block/loop{number}/loop/backing_file");
        let own = || {
            let opened = fs::File::open(format!("/dev/loop{number}")).ok().filter(|_| Path::new(&path).exists())?;
            let mut status = [0_u64; 29];
            let buffer = status.as_mut_ptr();
            // SAFETY: the buffer has the size of struct loop_info64.
            let done = unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(&opened), LOOP_GET_STATUS64, buffer) };
            (done == 0 && status[0] == device).then_some(opened)
        };
        let mut opened = own();
        let is_mounted = table.contains(&format!(" /dev/loop{number} "));
        let goes = !is_mounted && fs::read(path.replace("backing_file", "autoclear")).is_ok_and(|text| text == b"1\n");
        // The kernel lets go of it a little later than its last mount.
        for _ in 0..10 {
            if !goes || opened.is_none() {
                break;
            }
            drop(opened.take());
            std::thread::sleep(std::time::Duration::from_millis(3));
            opened = own();
        }
        let (Some(opened), Ok(file)) = (opened, fs::read_to_string(&path)) else { continue };
        let read = |name: &str| {
            fs::read_to_string(format!("/sys/devices/virtual/block/loop{number}/{name}")).unwrap_or_default()
        };
        lines.push(format!(
            "loop {} ro {} offset {} sizelimit {} autoclear {} partscan {} dio {} sectors {}\n",
            file.trim_end(),
            read("ro").trim_end(),
            read("loop/offset").trim_end(),
            read("loop/sizelimit").trim_end(),
            read("loop/autoclear").trim_end(),
            read("loop/partscan").trim_end(),
            read("loop/dio").trim_end(),
            read("queue/logical_block_size").trim_end()
        ));
        if detach {
            let _ = super::images::clear(&opened);
        }
    }
    // Which is which depends on what else the machine does.
    lines.sort();
    lines.concat()
}

/// The files below a directory that are on its file system, with all that a command could have changed of them.
pub fn files(directory: &Path, device: u64, out: &mut String) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.as_os_str().as_bytes();
        if [&b"/run/mount/utab.lock"[..], b"/run/mount/utab.act", b"/run/mount/utab.event"].contains(&name) {
            continue;
        }
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        if about.dev() != device {
            // What is mounted there: its root, and what is in it, one level deep.
            let _ =
                write!(out, "file {} mounted {:o} {}:{}", name.escape_ascii(), about.mode(), about.uid(), about.gid());
            if path.starts_with("/here") {
                let mut inside: Vec<String> = fs::read_dir(&path)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.file_name().as_bytes().escape_ascii().to_string())
                    .collect();
                inside.sort();
                let _ = write!(out, " {inside:?}");
            }
            out.push('\n');
            continue;
        }
        let _ = write!(
            out,
            "file {} {:o} {}:{} {}",
            name.escape_ascii(),
            about.mode(),
            about.uid(),
            about.gid(),
            if about.is_file() && !path.starts_with("/run") { about.len() } else { 0 }
        );
        if about.is_symlink() {
            let target = fs::read_link(&path).unwrap_or_default();
            let _ = write!(out, " -> {}", target.as_os_str().as_bytes().escape_ascii());
        }
        if about.is_file() || about.is_dir() {
            attributes(name, out);
        }
        if path.starts_with("/run/mount") && about.is_file() {
            // Numbers of mounts are not the same twice.
            let text = fs::read(&path).unwrap_or_default();
            out.push(' ');
            for line in text.split_inclusive(|&byte| byte == b'\n') {
                let words = line.split(|&byte| byte == b' ');
                let kept: Vec<&[u8]> =
                    words.filter(|word| !word.starts_with(b"ID=") && !word.starts_with(b"UNIQID=")).collect();
                let _ = write!(out, "{}", kept.join(&b' ').escape_ascii());
            }
        }
        out.push('\n');
        if about.is_dir() {
            files(&path, device, out);
        }
    }
}

/// The extended attributes of a file.
fn attributes(path: &[u8], out: &mut String) {
    let path = CString::new(path).unwrap();
    let mut names = [0_u8; 512];
    // SAFETY: the path is NUL-terminated, the buffer valid for writes of its length.
    let length = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    let Ok(length) = usize::try_from(length) else { return };
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        // Made by the kernel, and never the same twice.
        if name == b"trusted.overlay.uuid" {
            continue;
        }
        let key = CString::new(name).unwrap();
        let mut value = [0_u8; 256];
        // SAFETY: both strings are NUL-terminated, the buffer valid for writes of its length.
        let length = unsafe { libc::lgetxattr(path.as_ptr(), key.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
        let hexadecimal: String =
            value.iter().take(usize::try_from(length).unwrap_or(0)).map(|byte| format!("{byte:02x}")).collect();
        let _ = write!(out, " {}={hexadecimal}", name.escape_ascii());
    }
}
