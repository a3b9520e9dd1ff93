//! Runs cases on other kernels: in an image of ours with mksh and busybox, booted by qemu; see `scripts/kernels`.
//!
//! `kernels select IMAGE PLACE` unpacks an image into PLACE/root and runs every case there, on this machine's kernel.
//! Of those that hold with the image's own commands some of each file are listed in `tests/kernels.rows`, which are run
//! elsewhere.
//! `kernels here IMAGE PLACE` runs these alone, and keeps in PLACE what they did: what has no expectations is compared
//! with that. `kernels boot PLACE IMAGE KERNEL MACHINE` boots a kernel with an image and these cases in its initramfs,
//! and judges what they print; `kernels judge PLACE CONSOLE MACHINE` does that alone. The variable CASES limits them to a
//! pattern. It closes with a line `kernels: VERSION MACHINE: N rows passed, N failed, N ask for a newer one`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod machine;
mod scripts;

use machine::console;
use scripts::{INIT, ONE, RUNNER, SECOND, TARGET};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use tests::case::{self, Case};
use tests::emulation::Kernel;
use tests::judge;
use tests::needs;
use tests::originals::Versions;
use tests::sandbox::{ORDINARY, ORDINARY_IDS, Run, SUBORDINATE};

/// What the sandbox of other tests has and the images have not; such rows are not for other kernels.
const PRESENT: &[&str] = &["user", "subuid", "subgid", "busybox"];

/// Files of cases in which the kernel has no part, since what is parsed and printed is tested where it is compared; and
/// of cases that start hundreds of programs.
#[rustfmt::skip]
const ANYWHERE: &[&str] = &[
    "captext", "dispatch", "doctor", "explain", "hints", "hints-not", "install", "isolation", "mount-usage", "terminal",
    "usage",
];

/// Rows that do not hold where the root is in memory, that show what a kernel's configuration adds to a mount's options,
/// what an older one calls the source of a ramfs, or what capabilities the machine withholds.
const OF_THIS_MACHINE: &[&str] = &[
    "switch_root: the new root is entered and the mounts of the kernel move along",
    "mount-list: non-UTF-8 names are shown as they are",
    "mount-list: -t selects types",
    "mount-all: -a -t with no negates the list",
    "findmnt: --target climbs to the mount that a path is on",
    "capsh: a change of user keeps the permitted set if asked",
];

/// Of one file at most so many are run elsewhere, from all over it: an emulated processor is slow.
const OF_ONE_FILE: usize = 6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["select", image, place] => select(Path::new(image), Path::new(place)),
        ["here", image, place] => here(Path::new(image), Path::new(place)),
        ["boot", place, image, kernel, machine] => {
            return status(boot(Path::new(place), Path::new(image), kernel, machine));
        }
        ["judge", place, console, machine] => {
            let said = String::from_utf8_lossy(&fs::read(console).unwrap()).into_owned();
            return status(verdict(Path::new(place), &said, console, machine));
        }
        _ => {
            eprintln!(
                "usage: kernels select|here IMAGE PLACE | boot PLACE IMAGE KERNEL MACHINE | judge PLACE CONSOLE MACHINE"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn status(holds: bool) -> ExitCode {
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The image's files, and what the rows take besides.
fn unpack(image: &Path, root: &Path) {
    if root.exists() {
        fs::remove_dir_all(root).unwrap();
    }
    fs::create_dir_all(root).unwrap();
    run(Command::new("tar").arg("-xzf").arg(image).arg("-C").arg(root));
    for directory in ["case", "rows", "mnt"] {
        fs::create_dir(root.join(directory)).unwrap();
    }
    let (uid, gid, extra) = ORDINARY_IDS;
    let etc = |name: &str, text: &str| fs::write(root.join("etc").join(name), text).unwrap();
    etc(
        "passwd",
        &format!(
            "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
             nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n{ORDINARY}:x:{uid}:{gid}::/:/bin/sh\n"
        ),
    );
    etc(
        "group",
        &format!(
            "root:x:0:\ndaemon:x:1:\nadm:x:4:\nnogroup:x:65534:\n{ORDINARY}:x:{gid}:\nextra:x:{extra}:{ORDINARY}\n"
        ),
    );
    etc("subordinate", &format!("{ORDINARY}:{SUBORDINATE}:65536\n"));
    etc("subuid", "");
    etc("subgid", "");
    if !root.join("bin/bash").exists() {
        symlink("sh", root.join("bin/bash")).unwrap();
    }
    for (name, text) in [("run", RUNNER), ("one", ONE), ("target", TARGET), ("second", SECOND)] {
        fs::write(root.join("rows").join(name), text).unwrap();
    }
}

fn write_rows<'a>(root: &Path, rows: impl Iterator<Item = (usize, &'a Case)>) {
    for (index, case) in rows {
        let asks = case.needs.iter().any(|need| need.starts_with("sub"));
        let first = if asks { "# subordinate\n" } else { "" };
        fs::write(root.join(format!("rows/{index:04}.sh")), format!("{first}{}\n", case.run)).unwrap();
    }
}

/// All cases; a row's number is its place among them.
fn cases() -> Vec<Case> {
    case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")).unwrap()
}

fn title(case: &Case) -> String {
    format!("{}: {}", case.file, case.name)
}

/// What each row did, by its number; and the lines that tell of no row.
fn parse(text: &str) -> (BTreeMap<usize, Run>, Vec<String>) {
    let (mut runs, mut others) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        // The kernel may have written something before it, on a line that it did not end.
        let words: Vec<&str> = line.trim_end_matches('\r').split(' ').collect();
        let ["row", number, status, out, err] = words[..] else {
            others.push(line.trim_end().to_string());
            continue;
        };
        let seen = |text| String::from_utf8_lossy(&base64(text)).replace("/case", "$DIR").replace(",inode64", "");
        let run = Run { status: status.parse().unwrap(), stdout: seen(out), stderr: seen(err), ..Run::default() };
        runs.insert(number.parse().unwrap(), run);
    }
    (runs, others)
}

fn base64(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.bytes().filter_map(|byte| digits.iter().position(|digit| *digit == byte)) {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn faults(case: &Case, ours: &Run, there: Option<&Run>) -> Vec<String> {
    let theirs = there.filter(|_| !case.has_expectations());
    judge::judge(case, Some(ours), theirs, &Versions::default()).faults
}

/// The list of the rows that are run elsewhere.
fn list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels.rows")
}

/// Runs cases in the image's root on this machine's kernel, and returns what they print.
fn run_here<'a>(root: &Path, rows: impl Iterator<Item = (usize, &'a Case)>, seconds: &str) -> String {
    assert_eq!(needs::missing(&["root".into()], &mut BTreeMap::new()), None, "this takes root");
    write_rows(root, rows);
    // A root of its own, since no user namespace is made in one that was changed by chroot(2).
    let script = r#"
        set -e; cd "$1"; mount --bind . .; cd "$1"
        mount --rbind /dev dev; mount --rbind /sys sys; mount -t proc proc proc
        pivot_root . mnt; cd /; umount -l mnt
        exec sh /rows/run"#;
    let output = Command::new("unshare")
        .args(["-m", "-p", "-f", "--propagation", "private", "sh", "-c", script, "sh"])
        .arg(fs::canonicalize(root).unwrap())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("SECONDS_A_ROW", seconds)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("row "), "{said} {}", String::from_utf8_lossy(&output.stderr));
    said
}

fn select(image: &Path, place: &Path) {
    let (root, cases) = (place.join("root"), cases());
    unpack(image, &root);
    let is_candidate = |case: &Case| {
        case.needs.iter().all(|need| PRESENT.contains(&need.as_str()))
            && !ANYWHERE.contains(&case.file.as_str())
            && !OF_THIS_MACHINE.contains(&title(case).as_str())
    };
    // What waits for what the image has not is none of the rows.
    let said = run_here(&root, cases.iter().enumerate().filter(|(_, case)| is_candidate(case)), "2");
    let mut holding: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (index, run) in &parse(&said).0 {
        let case = &cases[*index];
        // A program that the image has not; or what root holds here, where it does not hold every capability.
        let lacks = [&run.stdout, &run.stderr].iter().any(|text| {
            [
                "not found",
                "inaccessible",
                "Usage: ",
                "applet",
                "unrecognized option",
                "invalid option",
                "=ep cap_",
                "CapBnd:",
                "bounding set:",
            ]
            .iter()
            .any(|word| text.contains(word))
        });
        if faults(case, run, None).is_empty() && (case.has_expectations() || !lacks) {
            holding.entry(&case.file).or_default().push(title(case) + "\n");
        }
    }
    let count: usize = holding.values().map(Vec::len).sum();
    let selected: Vec<String> = holding
        .into_values()
        .flat_map(|rows| {
            let step = rows.len().div_ceil(OF_ONE_FILE).max(1);
            rows.into_iter().step_by(step)
        })
        .collect();
    fs::write(list(), selected.concat()).unwrap();
    println!("kernels: {count} rows hold in the image on this kernel; {} are listed", selected.len());
}

fn here(image: &Path, place: &Path) {
    let (root, cases) = (place.join("root"), cases());
    unpack(image, &root);
    let pattern = std::env::var("CASES").ok().map(|text| regex::Regex::new(&text).unwrap());
    let listed = fs::read_to_string(list()).unwrap();
    let mut wanted = Vec::new();
    for name in listed.lines().filter(|name| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name))) {
        match cases.iter().position(|case| title(case) == name) {
            Some(index) => wanted.push(index),
            None => println!("note {name}: listed in {}, and is no case", list().display()),
        }
    }
    let said = run_here(&root, wanted.iter().map(|index| (*index, &cases[*index])), "15");
    let (runs, _) = parse(&said);
    let mut rows = String::new();
    for index in &wanted {
        let case = &cases[*index];
        match runs.get(index).map(|run| faults(case, run, None)) {
            Some(faults) if faults.is_empty() => rows.push_str(&format!("{index} {}\n", title(case))),
            other => println!("note {}: left out, since it does not hold in the image here: {other:?}", title(case)),
        }
    }
    fs::write(place.join("rows"), &rows).unwrap();
    fs::write(place.join("here"), said).unwrap();
    println!("kernels: {} of {} listed rows hold in the image on this kernel", rows.lines().count(), wanted.len());
}

fn boot(place: &Path, image: &Path, kernel: &str, machine: &str) -> bool {
    let cases = cases();
    let selected = selected(place, &cases);
    let work = place.join(format!("boot.{}", std::process::id()));
    let root = work.join("root");
    unpack(image, &root);
    write_rows(&root, selected.iter().copied());
    let init = root.join("init");
    fs::write(&init, INIT).unwrap();
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).unwrap();
    let initramfs: PathBuf = work.join("initramfs");
    let pack = "cd \"$1\" && find . -print0 | cpio --null --create --quiet --format=newc --owner=0:0 | gzip -1 >\"$2\"";
    run(Command::new("bash")
        .args(["-c", pack, "bash"])
        .arg(&root)
        .arg(fs::canonicalize(&work).unwrap().join("initramfs")));
    let said = console(kernel, machine, &initramfs);
    fs::write(place.join("console"), &said).unwrap();
    fs::remove_dir_all(&work).unwrap();
    verdict(place, &said, kernel, machine)
}

/// The rows that were selected. By their names: a row may have been written meanwhile.
fn selected<'a>(place: &Path, cases: &'a [Case]) -> Vec<(usize, &'a Case)> {
    fs::read_to_string(place.join("rows"))
        .unwrap()
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(number, name)| Some((number.parse().unwrap(), cases.iter().find(|case| title(case) == name)?)))
        .collect()
}

/// Judges what a console shows.
fn verdict(place: &Path, said: &str, kernel: &str, machine: &str) -> bool {
    let cases = cases();
    let selected = selected(place, &cases);
    let (here, _) = parse(&fs::read_to_string(place.join("here")).unwrap());
    let (runs, others) = parse(said);
    let booted = others.iter().find_map(|line| line.split_once("kernel ").map(|(_, version)| version.to_string()));
    let Some(version) = booted.filter(|version| version.parse::<Kernel>().is_ok()) else {
        println!("kernels: {kernel} did not boot: {}", others.join("\n"));
        return false;
    };
    let age: Kernel = version.parse().unwrap();
    let (mut passed, mut failed, mut newer) = (0, 0, 0);
    for (index, case) in selected {
        if case.kernel.is_some_and(|since| since > age) {
            newer += 1;
            continue;
        }
        let Some(run) = runs.get(&index) else {
            println!("FAILED {}: {}\n  it was not run", case.file, case.name);
            failed += 1;
            continue;
        };
        let faults = faults(case, run, here.get(&index));
        if faults.is_empty() {
            passed += 1;
            continue;
        }
        failed += 1;
        println!("FAILED {}: {}\n    $ {}", case.file, case.name, case.run.trim().replace('\n', "\n    $ "));
        for line in faults.iter().chain([&format!("status {}", run.status)]) {
            println!("  {line}");
        }
        for (name, text) in [("out", &run.stdout), ("err", &run.stderr)] {
            for line in text.lines() {
                println!("    {name}| {line}");
            }
        }
    }
    println!("kernels: {version} {machine}: {passed} rows passed, {failed} failed, {newer} ask for a newer one");
    failed == 0 && passed >= 120
}
