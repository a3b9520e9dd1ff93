//! Many at a time: 1,000 containers start and end, none fails, and nothing is left of them. Needs root.

#![allow(clippy::unwrap_used, clippy::panic)]

use nix::errno::Errno;
use nix::sys::wait::{WaitPidFlag, waitpid};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::sandbox::{ORDINARY_IDS, Stage};

/// How many are started, and how many run at a time.
const ALL: usize = 1000;
const AT_A_TIME: usize = 32;

fn mounts() -> usize {
    fs::read_to_string("/proc/self/mountinfo").unwrap().lines().count()
}

#[test]
fn a_thousand_containers_start_and_end_without_a_trace() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let unshare = stage.root().join("ours/unshare");
    // What loses its parent becomes our child, where it is seen.
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    let before = mounts();
    for uid in [ORDINARY_IDS.0, 0] {
        let next = AtomicUsize::new(0);
        let failures: Vec<String> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_A_TIME)
                .map(|_| {
                    scope.spawn(|| {
                        let mut failures = Vec::new();
                        while next.fetch_add(1, Ordering::Relaxed) < ALL {
                            let output = Command::new(&unshare)
                                .args(["-Urpf", "--mount-proc", "true"])
                                .current_dir("/")
                                .uid(uid)
                                .gid(uid)
                                .stdin(Stdio::null())
                                .output()
                                .unwrap();
                            if !output.status.success() || !output.stderr.is_empty() {
                                failures.push(format!("{output:?}"));
                            }
                        }
                        failures
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert!(failures.is_empty(), "uid {uid}: {} of {ALL} failed, such as {}", failures.len(), failures[0]);
        assert_eq!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Err(Errno::ECHILD), "a child or a zombie is left");
        assert_eq!(mounts(), before, "a mount is left");
    }
}
