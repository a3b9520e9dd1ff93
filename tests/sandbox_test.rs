//! The sandbox keeps its promises. These need root.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;
use tests::needs;
use tests::sandbox::{Accounts, Run, Side, Stage, mounts_below};

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

fn run(script: &str) -> Run {
    stage().run(Side::Theirs, Accounts::Ordinary, script).unwrap()
}

#[test]
fn a_scripts_status_is_reported_and_its_signal_as_128_and_more() {
    assert_eq!(run("exit 3").status, 3);
    assert_eq!(run("kill -9 $$").status, 137);
}

#[test]
fn each_script_starts_in_an_empty_directory_of_its_own() {
    let stage = stage();
    for _ in 0..2 {
        let run = stage.run(Side::Theirs, Accounts::Host, "ls -A; echo > file; pwd").unwrap();
        assert_eq!((run.status, run.stdout.as_str()), (0, "$DIR\n"));
    }
}

#[test]
fn what_is_mounted_is_seen_by_the_script_alone_and_ends_with_it() {
    let stage = stage();
    stage.run(Side::Theirs, Accounts::Host, "mkdir m && mount -t tmpfs tmpfs m && mount --make-shared m").unwrap();
    assert_eq!(mounts_below(stage.root()).unwrap(), Vec::<String>::new());
}

#[test]
fn background_processes_do_not_outlive_the_script() {
    let run = run("sleep 1000 & echo started");
    assert_eq!((run.status, run.stdout.as_str(), run.timed_out), (0, "started\n", false));
}

#[test]
fn a_script_that_does_not_end_is_ended() {
    let mut stage = stage();
    stage.timeout = Duration::from_secs(1);
    assert!(stage.run(Side::Theirs, Accounts::Host, "trap '' TERM ALRM; sleep 1000").unwrap().timed_out);
}

#[test]
fn loop_devices_and_cgroups_left_behind_are_reported_and_removed() {
    let mut known = std::collections::BTreeMap::new();
    if needs::missing(&["loop".into(), "cgroup1".into()], &mut known).is_some() {
        return;
    }
    let run = run("truncate -s 1M img && losetup -f img && mkdir /sys/fs/cgroup/memory/$UNIQUE && echo $UNIQUE");
    assert_eq!((run.status, run.stdout.as_str()), (0, "$UNIQUE\n"));
    assert_eq!(run.left.len(), 2, "{:?}", run.left);
    assert!(!Path::new(run.left[1].trim_start_matches("cgroup ")).exists());
}

#[test]
fn a_loop_device_is_not_left_behind_by_a_script_that_is_ended_wherever_its_file_is() {
    let mut known = std::collections::BTreeMap::new();
    if needs::missing(&["loop".into()], &mut known).is_some() {
        return;
    }
    let mut stage = stage();
    stage.timeout = Duration::from_secs(2);
    let run = |script: &str| stage.run(Side::Theirs, Accounts::Ordinary, script).unwrap();
    for place in ["img", "/run/img"] {
        let run = run(&format!("truncate -s 1M {place} && losetup -f {place} && sleep 1000"));
        assert!(run.timed_out && run.left.len() == 1, "{run:?}");
    }
    let mount = "mkdir m; mount -t tmpfs t m; truncate -s 1M m/img && losetup -f m/img";
    assert_eq!(run(mount).left.len(), 1);
}

#[test]
fn a_script_is_not_charged_with_the_loop_device_of_another_one() {
    let mut known = std::collections::BTreeMap::new();
    if needs::missing(&["loop".into()], &mut known).is_some() {
        return;
    }
    let stage = stage();
    let run = |script: &str| stage.run(Side::Theirs, Accounts::Ordinary, script).unwrap();
    // Both have the same paths, but for what is below the stage's root.
    let [made, seen] = ["made", "seen"].map(|name| stage.root().join(name).display().to_string());
    let wait = |file: &str| format!("until [ -e {file} ]; do sleep 0.02; done");
    let first = format!("truncate -s 1M img; d=$(losetup -f --show img); touch {made}; {}; losetup -d $d", wait(&seen));
    let second = format!("touch img; {}", wait(&made));
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| run(&first));
        let second = run(&second);
        std::fs::write(&seen, "").unwrap();
        (first.join().unwrap(), second)
    });
    assert_eq!((first.status, second.status), (0, 0), "{}{}", first.stderr, second.stderr);
    assert!(first.left.is_empty() && second.left.is_empty(), "{:?} {:?}", first.left, second.left);
}

#[test]
fn the_ordinary_user_has_no_privilege_and_one_group_more() {
    let run = run("$ORDINARY id; $ORDINARY grep CapEff /proc/self/status; cat /etc/subuid");
    assert_eq!(
        run.stdout,
        "uid=1000(ordinary) gid=1000(ordinary) groups=1000(ordinary),1001(extra)\nCapEff:\t0000000000000000\n"
    );
}

#[test]
fn the_commands_are_found_where_they_should_be() {
    let stage = stage();
    for side in [Side::Ours, Side::Theirs] {
        let run = stage.run(side, Accounts::Host, "command -v capsh unshare").unwrap();
        assert_eq!(run.stdout, "capsh\nunshare\n", "{}", run.stderr);
    }
}
