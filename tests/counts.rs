//! What commands cost, as far as it can be counted: the rows of `scripts/bench`, without time.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn no_command_makes_more_system_calls_than_busybox_or_takes_more_memory_than_any_peer() {
    if !tests::needs::present(&["root", "busybox", "gcc", "getcap", "unshare"]) {
        return;
    }
    let scene = Path::new(env!("CARGO_TARGET_TMPDIR")).join("counts");
    let _ = fs::remove_dir_all(&scene);
    fs::create_dir_all(&scene).unwrap();
    // Made here if it must be: what that says is no error of the bench.
    tests::sandbox::artefact().unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_bench")).arg(&scene).args(["--counts", "--check"]).output().unwrap();
    fs::remove_dir_all(&scene).unwrap();
    let (table, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && errors.is_empty(), "{table}{errors}");
}

#[test]
fn a_walk_of_thousands_of_directories_fits_into_two_megabytes() {
    let tree = Path::new(env!("CARGO_TARGET_TMPDIR")).join("many-directories");
    let _ = fs::remove_dir_all(&tree);
    for number in 0..2_000 {
        let directory = tree.join(number.to_string());
        fs::create_dir_all(directory.join("a/b")).unwrap();
        fs::write(directory.join("file"), "").unwrap();
    }
    for options in ["-r", "-rv"] {
        let script = "ulimit -v 2000 && exec \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(tests::sandbox::artefact().unwrap()).args(["getcap", options]);
        let run = shell.arg(&tree).output().unwrap();
        assert!(run.status.success() && run.stderr.is_empty(), "{options}: {}", String::from_utf8_lossy(&run.stderr));
    }
    fs::remove_dir_all(&tree).unwrap();
}

#[test]
fn memory_grows_no_faster_than_the_work_and_is_at_most_the_originals() {
    if !tests::needs::present(&["root"]) {
        return;
    }
    let scene = Path::new(env!("CARGO_TARGET_TMPDIR")).join("growth");
    let _ = fs::remove_dir_all(&scene);
    fs::create_dir_all(&scene).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_growth")).arg(&scene).args(["--memory", "--check"]).output().unwrap();
    fs::remove_dir_all(&scene).unwrap();
    let (table, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && errors.is_empty(), "{table}{errors}");
}
