//! Commands under strace(1): no path is resolved twice, and a step that fails is the last one.
//! These need root and strace.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use regex::Regex;
use std::collections::BTreeMap;
use std::path::Path;
use tests::sandbox::{Accounts, Run, Side, Stage};

/// Calls that change something, or that open what is changed or read.
const STEPS: &str = "unshare,setns,mount,umount2,chroot,chdir,fchdir,setuid,setgid,setgroups,setresuid,setresgid,\
                     capset,prctl,write,open,openat,fork,vfork,clone,fsopen,fsconfig,fsmount,open_tree,move_mount,\
                     mount_setattr,pidfd_open";

/// What each script begins with: a root with the program `/state` in it, and a target for nsenter.
const SCENE: &str = r#"
mkdir -p rootfs/proc
cp "${ORDINARY%% *}" rootfs/state
state="$PWD/rootfs/state state"
export NAMESPACES=$(readlink /proc/self/ns/* | tr '\n' ' ')
"#;

const TUTORIAL: &str = "unshare -p -f --mount-proc=$PWD/rootfs/proc chroot rootfs /state state";

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

/// Runs a command line under strace with these options, and prints strace's log after it.
fn traced(stage: &Stage, command: &str, options: &str) -> Run {
    // strace finds the program along PATH, as the shell would, and both set-ups end before it starts.
    let script =
        format!("{SCENE}\nstrace -f -qq -o log {options} {command}; status=$?; echo ----; cat log; exit $status");
    stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap()
}

/// The lines that ctrbox's own processes made: up to where each becomes `/state`.
fn own_calls(log: &str) -> Vec<(String, String)> {
    let mut ended: Vec<String> = Vec::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (pid, call) = line.split_once(' ').unwrap();
        let (pid, call) = (pid.to_string(), call.trim().to_string());
        if ended.contains(&pid) {
            continue;
        }
        let program = call.strip_prefix("execve(\"").and_then(|rest| rest.split('"').next());
        if program.is_some_and(|program| program.ends_with("/state")) && call.ends_with("= 0") {
            ended.push(pid);
        } else {
            calls.push((pid, call));
        }
    }
    calls
}

fn log(run: &Run) -> &str {
    run.stdout.split_once("----\n").unwrap_or_else(|| panic!("no log: {run:?}")).1
}

fn output(run: &Run) -> &str {
    run.stdout.split_once("----\n").unwrap_or_else(|| panic!("no log: {run:?}")).0
}

#[test]
fn the_tutorials_line_resolves_no_path_twice() {
    let run = traced(&stage(), TUTORIAL, "-e trace=%file");
    assert!(output(&run).starts_with("ran as 0:0"), "{run:?}");
    let paths = Regex::new("\"((?:[^\"\\\\]|\\\\.)*)\"").unwrap();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (_, call) in own_calls(log(&run)) {
        // Of a mount the second string is the place, of others the first is the path.
        let index = usize::from(call.starts_with("mount("));
        let strings: Vec<&str> = paths.captures_iter(&call).map(|found| found.extract::<1>().1[0]).collect();
        let Some(path) = strings.get(index).copied() else { continue };
        // The root needs no look-up, and is another one after chroot.
        if path == "/" || call.starts_with("execve(") {
            continue;
        }
        if let Some(earlier) = seen.insert(path.to_string(), call.clone()) {
            panic!("{path} is resolved twice:\n{earlier}\n{call}");
        }
    }
    assert!(seen.keys().any(|path| path == "rootfs"), "{seen:?}");
    assert!(seen.keys().any(|path| path.ends_with("/rootfs/proc")), "{seen:?}");
}

/// Makes every step of a command fail, one after the other. Each time either the program is not run
/// and the status is a failure, or (where the command has another way) it is in what was asked for.
fn every_step_matters(command: &str) {
    let stage = stage();
    let whole = traced(&stage, command, &format!("-e trace={STEPS},execve"));
    assert!(output(&whole).starts_with("ran as"), "{command}: {whole:?}");
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (pid, call) in own_calls(log(&whole)) {
        if let Some((name, _)) = call.split_once('(').filter(|(name, _)| *name != "execve") {
            *counts.entry((pid, name.to_string())).or_default() += 1;
        }
    }
    // strace counts the calls of each process apart.
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, name), count) in counts {
        let most = steps.entry(name).or_default();
        *most = count.max(*most);
    }
    assert!(!steps.is_empty(), "{command}: {whole:?}");
    for (name, count) in steps {
        for number in 1..=count {
            for error in ["EPERM", "ENOMEM"] {
                let inject = format!("-e trace={STEPS} -e inject={name}:error={error}:when={number}");
                let run = traced(&stage, command, &inject);
                assert!(log(&run).contains("(INJECTED)"), "{command}: {name} {number}: {run:?}");
                let ran = output(&run).contains("ran as");
                assert!(
                    if ran { output(&run) == output(&whole) } else { run.status != 0 },
                    "{command}: with {error} from {name} number {number}:\n{run:#?}\nwithout: {}",
                    output(&whole)
                );
            }
        }
    }
}

#[test]
fn nothing_runs_after_a_failed_step_of_the_tutorials_line() {
    every_step_matters(TUTORIAL);
}

#[test]
fn nothing_runs_after_a_failed_step_of_unshare() {
    every_step_matters("unshare -m -u -i -n -C $state");
    every_step_matters("unshare -r -m $state");
    every_step_matters("unshare -pf --mount-proc -R rootfs -w /proc /state state");
    every_step_matters("unshare -c -S 0 $state");
    every_step_matters("unshare -pf --kill-child -G 5 -S 5 $state");
    every_step_matters("unshare --map-users=0:1000:5 --map-groups=0:1000:5 -S 0 -G 0 $state");
}

#[test]
fn nothing_runs_after_a_failed_step_of_chroot() {
    every_step_matters("chroot rootfs /state state");
    every_step_matters("chroot --userspec=5:6 --groups=7,8 / $state");
}

#[test]
fn nothing_runs_after_a_failed_step_of_nsenter() {
    every_step_matters("nsenter -t $($TARGET -u -n -m) -u -n -m $state");
    every_step_matters("nsenter -t $($TARGET -p -f) -p $state");
    every_step_matters("nsenter -t $($TARGET -r) -U -S 0 -G 0 $state");
    every_step_matters("nsenter --uts=/proc/$($TARGET -u)/ns/uts -S 5 -G 6 --wd=/proc $state");
}
