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

#[test]
fn a_walk_of_thousands_of_directories_fits_into_two_megabytes() {
    let tree = Scratch::new("many-directories").unwrap();
    for number in 0..2_000 {
        let directory = tree.0.join(number.to_string());
        fs::create_dir_all(directory.join("a/b")).unwrap();
        fs::write(directory.join("file"), "").unwrap();
    }
    for options in ["-r", "-rv"] {
        let script = "ulimit -v 2000 && exec \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(tests::sandbox::artefact().unwrap()).args(["getcap", options]);
        let run = shell.arg(&tree.0).output().unwrap();
        assert!(run.status.success() && run.stderr.is_empty(), "{options}: {}", String::from_utf8_lossy(&run.stderr));
    }
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
