//! What a case may need and a machine may lack, and how that is found out.

use crate::document;
use crate::sandbox::Accounts;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a case with these needs cannot run here; `None` if it can. Answers are kept in `known`.
pub fn missing(needs: &[String], known: &mut BTreeMap<String, Option<String>>) -> Option<String> {
    needs.iter().find_map(|need| known.entry(need.clone()).or_insert_with(|| lack_of(need)).clone())
}

/// Whether a test can run here. If not the reason is said, and written where `scripts/test` counts it.
pub fn present(needs: &[&str]) -> bool {
    let needs: Vec<String> = needs.iter().map(|need| need.to_string()).collect();
    let lacks = missing(&needs, &mut BTreeMap::new());
    if let Some(reason) = &lacks {
        eprintln!("skipped: {reason}");
        if let Some(list) = std::env::var_os("CTRBOX_SKIPPED") {
            let file = fs::OpenOptions::new().append(true).create(true).open(list);
            if let Err(error) = file.and_then(|mut file| writeln!(file, "{reason}")) {
                eprintln!("the list of what is skipped: {error}");
            }
        }
    }
    lacks.is_none()
}

/// The kernel to boot images with: one of the machine's own, or the one that `scripts/test` has unpacked.
pub fn kernel() -> Option<PathBuf> {
    let fetched = document::tree().join("target").join(std::env::consts::ARCH).join("debian/boot");
    [PathBuf::from("/boot"), fetched].iter().find_map(|boot| {
        let files = fs::read_dir(boot).ok()?;
        files.flatten().map(|file| file.path()).find(|path| {
            let is_kernel = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"));
            is_kernel && fs::File::open(path).is_ok()
        })
    })
}

/// The account files that these needs ask for.
pub fn accounts(needs: &[String]) -> Accounts {
    let asks = |name: &str| needs.iter().any(|need| need == name);
    if asks("subuid") || asks("subgid") {
        Accounts::Subordinate
    } else if asks("user") {
        Accounts::Ordinary
    } else {
        Accounts::Host
    }
}

/// Held as long as a script runs that takes a free loop device; nothing is held for others. Loop devices have one set of
/// numbers for the whole machine: a script would take one that another script, or another run of the tests, has just
/// found free.
pub fn turn(takes_loop_device: bool) -> Option<fs::File> {
    if !takes_loop_device {
        return None;
    }
    let control = fs::File::open("/dev/loop-control").ok()?;
    control.lock().ok()?;
    Some(control)
}

fn lack_of(need: &str) -> Option<String> {
    match need {
        "root" => (!nix::unistd::geteuid().is_root()).then(|| "not root".to_string()),
        // Account files are put over the host's, so they must be there.
        "user" | "subuid" | "subgid" => ["/etc/passwd", "/etc/group", "/etc/subuid", "/etc/subgid"]
            .into_iter()
            .find(|file| !Path::new(file).is_file())
            .map(|file| format!("{file} does not exist")),
        "loop" => fs::File::open("/dev/loop-control").err().map(|error| format!("/dev/loop-control: {error}")),
        "ext4" => file_system("ext4", "mkfs.ext4"),
        "xfs" => file_system("xfs", "mkfs.xfs"),
        "btrfs" => file_system("btrfs", "mkfs.btrfs"),
        "vfat" => file_system("vfat", "mkfs.vfat"),
        "squashfs" => file_system("squashfs", "mksquashfs"),
        "erofs" => file_system("erofs", "mkfs.erofs"),
        "fuse" => fs::File::open("/dev/fuse").err().map(|error| format!("/dev/fuse: {error}")),
        "overlay" => file_system("overlay", "true"),
        "binfmt_misc" => file_system("binfmt_misc", "true"),
        "cgroup1" => (!Path::new("/sys/fs/cgroup/memory/cgroup.procs").exists())
            .then(|| "no memory controller of cgroup v1".to_string()),
        "cgroup2" => (!["", "unified/"]
            .into_iter()
            .any(|at| Path::new(&format!("/sys/fs/cgroup/{at}cgroup.controllers")).exists()))
        .then(|| "no cgroup v2 hierarchy".to_string()),
        "aarch64" => ["ctrbox", "debian/boot"]
            .into_iter()
            .map(|name| document::tree().join("target/aarch64").join(name))
            .find(|path| !path.exists())
            .map(|path| format!("{} is not there (scripts/test makes it)", path.display())),
        // Asked for its version: landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION).
        // SAFETY: with this flag nothing is read.
        "landlock" => (unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, 1) } < 5)
            .then(|| "no Landlock, or one before version 5 (Linux 6.10)".to_string()),
        // The static emulator's name until Debian 13; later the only one is static.
        "qemu-aarch64" => (!["qemu-aarch64-static", "qemu-aarch64"].into_iter().any(in_path))
            .then(|| "no qemu-aarch64 (package qemu-user-static or qemu-user)".to_string()),
        "kernel" => kernel().is_none().then(|| "no kernel to boot (/boot/vmlinuz-*)".to_string()),
        program => (!in_path(program)).then(|| format!("no program or feature '{program}'")),
    }
}

fn file_system(name: &str, maker: &str) -> Option<String> {
    if !in_path(maker) {
        return Some(format!("no {maker}"));
    }
    let known = || {
        fs::read_to_string("/proc/filesystems")
            .unwrap_or_default()
            .lines()
            .any(|line| line.split_whitespace().last() == Some(name))
    };
    if !known() {
        let quiet = || Stdio::null();
        let _ = Command::new("modprobe").args(["-q", name]).stdin(quiet()).stderr(quiet()).status();
    }
    (!known()).then(|| format!("this kernel has no {name}"))
}

fn in_path(program: &str) -> bool {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .into_iter()
        .any(|directory| Path::new(directory).join(program).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_nobody_knows_is_looked_for_as_a_program() {
        let mut known = BTreeMap::new();
        assert_eq!(missing(&["sh".into()], &mut known), None);
        assert!(missing(&["sh".into(), "no-such-program".into()], &mut known).is_some());
    }
}
