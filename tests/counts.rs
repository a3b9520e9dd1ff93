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
    let run = Command::new(env!("CARGO_BIN_EXE_bench")).arg(&scene).args(["--counts", "--check"]).output().unwrap();
    fs::remove_dir_all(&scene).unwrap();
    let (table, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && errors.is_empty(), "{table}{errors}");
}
