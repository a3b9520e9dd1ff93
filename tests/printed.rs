//! What the manual pages, README and docs print is run as it is printed, where damage would show.

#![allow(clippy::unwrap_used, clippy::panic)]

use regex::Regex;
use std::path::Path;
use std::process::Command;
use tests::sandbox::{Accounts, Run, Side, Stage, artefact};
use tests::{document, needs};

/// What is there when an example of a page begins: a root file system with a static busybox in it.
const ROOTFS: &str = "
mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev
cp /bin/busybox rootfs/bin/busybox
for name in sh ls id cat mount umount rmdir; do ln -s busybox rootfs/bin/$name; done
";

/// The commands that change the mounts or the root of whoever shares the caller's mount namespace.
const CHANGE_MOUNTS: [&str; 4] = ["mount", "umount", "pivot_root", "switch_root"];

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

/// Runs what is printed in a shell that goes on afterwards, and gives what it did, and what of the shell's
/// surroundings is another than before: its root and directories, mounts, namespaces, capabilities, names.
fn pasted(stage: &Stage, before: &str, printed: &str) -> (Run, String) {
    let script = [
        "seen() {
            exec 3>/dev/null; stat -c '%n %d:%i' / .; ls -Al --time-style=+ . /mnt; uname -n
            sed 's/^[0-9]* [0-9]* //' /proc/self/mountinfo; ls -l --time-style=+ /proc/self/ns; grep Cap /proc/self/status
        }\n",
        before,
        "seen >/run/before 2>&1\n",
        printed,
        "\nstatus=$?\n",
        "exec </dev/null; seen >/run/after 2>&1\n",
        "diff /run/before /run/after >/run/changed || { echo; echo CHANGED; echo before and after:; cat /run/changed; }; exit $status\n",
    ]
    .concat();
    let mut run = stage.run(Side::Ours, Accounts::Host, &script).unwrap();
    let changed = run.stdout.split_once("\nCHANGED\n").map(|(_, changed)| changed.to_string()).unwrap_or_default();
    run.stdout.truncate(run.stdout.find("\nCHANGED\n").unwrap_or(run.stdout.len()));
    (run, changed)
}

/// The commands of a script that change mounts, and are not in quotes, as what `unshare` runs is.
fn unguarded(script: &str) -> Vec<String> {
    let outside = Regex::new("(?s)'[^']*'").unwrap().replace_all(script, "''").into_owned();
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().trim_start_matches("sudo ").to_string();
    outside.split(['\n', ';', '&', '|']).map(first).filter(|word| CHANGE_MOUNTS.contains(&word.as_str())).collect()
}

#[test]
fn every_example_of_a_page_runs_as_printed_and_leaves_everything_as_it_was() {
    if !needs::present(&["root", "busybox"]) {
        return;
    }
    let stage = stage();
    let mut wrong = Vec::new();
    for name in document::names(&artefact().unwrap()).unwrap() {
        let examples = document::examples(&document::manual(&name).unwrap());
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let (run, changed) = pasted(&stage, ROOTFS, &example);
            if run.status != 0 || !changed.is_empty() || !run.left.is_empty() || !unguarded(&example).is_empty() {
                let Run { status, stdout, stderr, left, .. } = run;
                wrong.push(format!("{name}: {example}\n{status} {stdout}{stderr}changed: {changed} left: {left:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_example_that_changed_the_shell_it_is_pasted_into_would_be_noticed() {
    if !needs::present(&["root", "busybox"]) {
        return;
    }
    let stage = stage();
    for dangerous in [
        "mount --bind rootfs rootfs; mkdir rootfs/old; cd rootfs; pivot_root . old",
        "mount --bind rootfs rootfs; unshare --mount switch_root $PWD/rootfs /bin/sh -c 'ls /'",
        "mount -t tmpfs tmpfs /mnt",
        "mkdir left",
        "hostname other",
    ] {
        let (_, changed) = pasted(&stage, ROOTFS, dangerous);
        // Without its root the shell cannot even say so.
        let (control, _) = pasted(&stage, ROOTFS, "true");
        assert!(!changed.is_empty(), "{dangerous}");
        assert_eq!(control.status, 0);
    }
    assert_eq!(unguarded("mount a b\nunshare -m sh -c '\numount a'; umount b"), ["mount", "umount"]);
}

#[test]
fn a_page_shows_an_example_letter_by_letter() {
    if !needs::present(&["mandoc"]) {
        return;
    }
    let overstruck = Regex::new(".\x08").unwrap();
    for (path, _) in
        document::all(&artefact().unwrap()).unwrap().into_iter().filter(|(path, _)| path.starts_with("man"))
    {
        let page = document::tree().join(&path);
        let shown = Command::new("mandoc").args(["-Tutf8", "-Owidth=100"]).arg(page).output().unwrap().stdout;
        let shown = overstruck.replace_all(&String::from_utf8(shown).unwrap(), "").into_owned();
        let name = path.file_stem().unwrap().to_string_lossy();
        for line in document::examples(&document::manual(&name).unwrap()).iter().flat_map(|example| example.lines()) {
            assert!(shown.lines().any(|it| it.trim_start() == line), "{}: {line}\n{shown}", path.display());
        }
    }
}
