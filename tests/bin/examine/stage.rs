//! What all helpers start from: the commands of both sides, images, and programs of this machine, in a file system in memory.

use super::images;
use nix::mount::{MsFlags, mount};
use std::fs;
use std::ops::Range;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tests::originals::Originals;
use tests::sandbox::{APPLETS, artefact};

/// By what names the probe can be run.
const PROGRAMS: [&str; 10] =
    ["probe", "sh", "bash", "true", "init", "mount.helper", "umount.helper", "mount.fuse", "mount.nfs", "login"];

fn read_only(path: &Path) {
    mount(None::<&str>, path, None::<&str>, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, None::<&str>).unwrap();
}

/// Fills up directories, so that what is used of each one's file system is the same: as many files, as many blocks.
fn level(directories: [PathBuf; 2]) {
    const FILES: usize = 40;
    let blocks = |directory: &PathBuf| -> Vec<usize> {
        let lengths = fs::read_dir(directory).unwrap().flatten().map(|entry| entry.metadata().unwrap().len());
        lengths.map(|length| usize::try_from(length.div_ceil(4096)).unwrap()).collect()
    };
    let most = directories.iter().map(|directory| blocks(directory).iter().sum()).fold(4096, usize::max);
    for directory in directories {
        // Of ours the other names are links, and each is counted.
        let links = if directory.ends_with("ours") { APPLETS.len() } else { 0 };
        let blocks = blocks(&directory);
        for number in blocks.len()..FILES - links {
            let size = if number == blocks.len() { most - blocks.iter().sum::<usize>() } else { 0 };
            fs::write(directory.join(format!("level-{number}")), vec![0; 4096 * size]).unwrap();
        }
    }
}

/// Fills the directory that the helpers make their roots from.
pub fn prepare(stage: &Path, originals: &Originals, numbers: Range<usize>) {
    for name in ["bin", "case", "dev", "lib64", "ours", "theirs"] {
        fs::create_dir(stage.join(name)).unwrap();
        fs::set_permissions(stage.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    originals.copy(&APPLETS, stage, &stage.join("theirs")).unwrap();
    let _ = fs::create_dir(stage.join("libraries"));
    fs::copy(artefact().unwrap(), stage.join("ours/ctrbox")).unwrap();
    level(["ours", "theirs"].map(|side| stage.join(side)));
    // Each sandbox has its own.
    std::thread::scope(|scope| {
        for number in numbers.clone() {
            scope.spawn(move || images::make(&stage.join(format!("images-{number}")), number));
        }
    });
    programs(&stage.join("bin"), &stage.join("dev"), &stage.join("lib64"));
    // A line could make it so, and all others would see it.
    for number in numbers {
        read_only(&stage.join(format!("images-{number}")));
    }
    read_only(stage);
}

/// Fills the directory of the probe's names, that of device nodes, and that of libraries of programs of this machine.
fn programs(programs: &Path, nodes: &Path, libraries: &Path) {
    for name in ["newuidmap", "newgidmap"] {
        if !foreign(&Path::new("/usr/bin").join(name), programs, libraries) {
            eprintln!("examine: without {name}");
        }
    }
    fs::copy("/proc/self/exe", programs.join("probe")).unwrap();
    fs::set_permissions(programs.join("probe"), fs::Permissions::from_mode(0o755)).unwrap();
    for name in &PROGRAMS[1..] {
        fs::hard_link(programs.join("probe"), programs.join(name)).unwrap();
    }
    // Beside this program, if faults are asked for.
    let inject = std::env::current_exe().unwrap().with_file_name("inject");
    if inject.exists() {
        fs::copy(inject, programs.join("inject")).unwrap();
    }
    devices(nodes);
}

/// Copies a program of this machine and its libraries.
fn foreign(program: &Path, programs: &Path, libraries: &Path) -> bool {
    let Ok(listed) = std::process::Command::new("ldd").arg(program).output() else { return false };
    let copied = std::process::Command::new("cp").arg("-p").arg(program).arg(programs).status();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    for path in paths.map(Path::new) {
        let to = libraries.join(path.file_name().unwrap_or_default());
        if !to.exists() && fs::copy(path, to).is_err() {
            return false;
        }
    }
    copied.is_ok_and(|status| status.success())
}

fn devices(directory: &Path) {
    use nix::sys::stat::{Mode, SFlag, mknod};
    let node = |name: &str, kind: SFlag, mode: u32, major: u64, minor: u64| {
        let path = directory.join(name);
        mknod(&path, kind, Mode::from_bits_truncate(mode), nix::sys::stat::makedev(major, minor)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)] {
        node(name, SFlag::S_IFCHR, 0o666, 1, minor);
    }
    node("tty", SFlag::S_IFCHR, 0o666, 5, 0);
    node("loop-control", SFlag::S_IFCHR, 0o600, 10, 237);
    node("btrfs-control", SFlag::S_IFCHR, 0o600, 10, 234);
    for number in 0..64 {
        node(&format!("loop{number}"), SFlag::S_IFBLK, 0o600, 7, number);
    }
    symlink("/proc/self/fd", directory.join("fd")).unwrap();
}
