//! What commands cost, as far as it can be counted: the rows of `scripts/bench`, without time.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tests::scratch::Scratch;

#[test]
fn no_command_makes_more_system_calls_than_busybox_or_takes_more_memory_than_any_peer() {
    if !tests::needs::present(&["root", "busybox", "gcc", "getcap", "unshare"]) {
        return;
    }
    let scene = Scratch::new("counts").unwrap();
    // Made here if it must be: what that says is no error of the bench.
    tests::sandbox::artefact().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_bench")).arg(&scene.0).args(["--counts", "--check"]).output().unwrap();
    let (table, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && errors.is_empty(), "{table}{errors}");
}

/// A tree of 6,000 directories.
fn many_directories(name: &str) -> Scratch {
    let tree = Scratch::new(name).unwrap();
    for number in 0..2_000 {
        let directory = tree.0.join(number.to_string());
        fs::create_dir_all(directory.join("a/b")).unwrap();
        fs::write(directory.join("file"), "").unwrap();
    }
    tree
}

#[test]
fn a_walk_of_thousands_of_directories_fits_into_two_megabytes() {
    let tree = many_directories("many-directories");
    for options in ["-r", "-rv"] {
        let script = "ulimit -v 2000 && exec \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(tests::sandbox::artefact().unwrap()).args(["getcap", options]);
        let run = shell.arg(&tree.0).output().unwrap();
        assert!(run.status.success() && run.stderr.is_empty(), "{options}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn that_memory_is_exhausted_is_told_in_the_name_of_the_applet() {
    let directory = Scratch::new("memory-exhausted").unwrap();
    let (table, link) = (directory.0.join("fstab"), directory.0.join("findmnt"));
    fs::write(&table, vec![b'#'; 8 << 20]).unwrap();
    let program = tests::sandbox::artefact().unwrap();
    std::os::unix::fs::symlink(&program, &link).unwrap();
    for command in [&[program.as_os_str(), "findmnt".as_ref()][..], &[link.as_os_str()]] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -v 4000 && exec \"$@\"", "sh"]).args(command).arg("-F").arg(&table);
        let run = shell.output().unwrap();
        assert_eq!((run.status.code(), &*run.stderr), (Some(1), &b"findmnt: memory exhausted\n"[..]));
    }
}

/// A walk that mostly waits, here for a processor that something else keeps busy, asks for as many threads as there can be.
/// Wherever memory ends, their stacks must not take what those need that are there already.
#[test]
fn a_walk_that_waits_leaves_itself_the_memory_that_it_needs() {
    if !tests::needs::present(&["taskset"]) {
        return;
    }
    let tree = many_directories("many-directories-and-threads");
    let script = r#"
        processor=$(taskset --cpu-list --pid $$) && processor=${processor##*: }
        taskset --cpu-list --pid "${processor%%[,-]*}" $$ >/dev/null || exit
        while :; do :; done & busy=$!
        trap 'kill $busy' EXIT
        for limit in 1900 2020 2140 2300 2420 2560 2720; do
            nice -n 5 sh -c 'ulimit -v "$0" && exec "$@"' $limit "$@" || exit
        done"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(tests::sandbox::artefact().unwrap()).args(["getcap", "-r"]);
    let run = shell.arg(&tree.0).output().unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// The root of `unshare -r` has no power over the directories of others: in a clone whose owner alone may enter it, as
/// most home directories are, it finds nothing.
#[test]
fn a_scene_is_below_directories_that_everybody_may_enter() {
    let scene = Scratch::new("entered").unwrap();
    for directory in scene.0.ancestors() {
        let mode = fs::metadata(directory).unwrap().permissions().mode();
        assert!(mode & 0o001 != 0, "{} has mode {mode:o}", directory.display());
    }
}

#[test]
fn memory_grows_no_faster_than_the_work_and_is_at_most_the_originals() {
    if !tests::needs::present(&["root"]) {
        return;
    }
    let scene = Scratch::new("growth").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_growth")).arg(&scene.0).args(["--memory", "--check"]).output().unwrap();
    let (table, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && errors.is_empty(), "{table}{errors}");
}
