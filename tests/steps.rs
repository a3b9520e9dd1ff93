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
                     mount_setattr,pidfd_open,mkdir,mkdirat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,\
                     fremovexattr";

/// What each script begins with: a root with the program `/state` in it, and a target for nsenter.
const SCENE: &str = r#"
mkdir -p rootfs/proc from to below; touch from/file kept rootfs/kept; chmod 755 from/file
cp "${ORDINARY%% *}" rootfs/state
state="$PWD/rootfs/state state"
export NAMESPACES=$(readlink /proc/self/ns/* | tr '\n' ' ')
"#;

const TUTORIAL: &str = "unshare -p -f --mount-proc=$PWD/rootfs/proc chroot rootfs /state state";

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

/// Runs a command line under strace with these options, then `after`, and prints strace's log.
fn traced(stage: &Stage, command: &str, options: &str, after: &str) -> Run {
    // strace finds the program along PATH, as the shell would, and both set-ups end before it starts.
    let script = format!(
        "{SCENE}\nstrace -f -qq -o log {options} {command}; status=$?\n{after}\necho ----; cat log; exit $status"
    );
    stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap()
}

/// The lines that ctrbox's own processes made: up to where each becomes `/state`.
fn own_calls(log: &str) -> Vec<(String, String)> {
    let mut ended: Vec<String> = Vec::new();
    let mut begun: Vec<String> = Vec::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let (pid, call) = line.split_once(' ').unwrap();
        let (pid, call) = (pid.to_string(), call.trim().to_string());
        if ended.contains(&pid) {
            continue;
        }
        let program = call.strip_prefix("execve(\"").and_then(|rest| rest.split('"').next());
        let of_program = program.is_some_and(|program| program.ends_with("/state"));
        // Another process's call may come between the two halves of this one.
        if of_program && call.ends_with("<unfinished ...>") {
            begun.push(pid.clone());
        }
        let resumed = call.starts_with("<... execve resumed>") && begun.contains(&pid);
        if (of_program || resumed) && call.ends_with("= 0") {
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

/// The paths that a command resolves until its program runs; each once.
fn paths_resolved(command: &str) -> Vec<String> {
    let run = traced(&stage(), command, "-e trace=%file", ":");
    assert!(output(&run).starts_with("ran as "), "{command}: {run:?}");
    let paths = Regex::new("\"((?:[^\"\\\\]|\\\\.)*)\"").unwrap();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (_, call) in own_calls(log(&run)) {
        // Of a mount the second string is the place, of others the first is the path.
        let index = usize::from(call.starts_with("mount("));
        let strings: Vec<&str> = paths.captures_iter(&call).map(|found| found.extract::<1>().1[0]).collect();
        let Some(path) = strings.get(index).copied() else { continue };
        // The root needs no look-up, and is another one after chroot. Account files are read for each
        // name, in the old root and in the new one; nothing is decided by one and done to another.
        if path.is_empty()
            || path == "/"
            || path == "."
            || path == "/proc/self/exe"
            || path.starts_with("/etc/")
            || call.starts_with("execve(")
        {
            continue;
        }
        if let Some(earlier) = seen.insert(path.to_string(), call.clone()) {
            panic!("{command}: {path} is resolved twice:\n{earlier}\n{call}");
        }
    }
    seen.into_keys().collect()
}

#[test]
fn the_tutorials_line_resolves_no_path_twice() {
    let seen = paths_resolved(TUTORIAL);
    assert!(seen.iter().any(|path| path == "rootfs"), "{seen:?}");
    assert!(seen.iter().any(|path| path.ends_with("/rootfs/proc")), "{seen:?}");
}

#[test]
fn no_path_of_a_command_line_is_resolved_twice() {
    for (command, path) in [
        ("unshare -R rootfs -w /proc /state state", "rootfs"),
        ("unshare -f --uts=kept --net=rootfs/kept $state", "rootfs/kept"),
        ("unshare -m --mount-proc -w rootfs $state", "rootfs"),
        ("chroot --userspec=5:6 --groups=7,extra rootfs /state state", "rootfs"),
        ("nsenter -t $($TARGET -u -n -m) -a $state", "ns/user"),
        ("nsenter --uts=/proc/$($TARGET -u)/ns/uts --root=rootfs /state state", "rootfs"),
        ("nsenter -t $($TARGET -u) -u --wd=rootfs -e $state", "rootfs"),
    ] {
        let seen = paths_resolved(command);
        assert!(seen.iter().any(|seen| seen == path), "{command}: {seen:?}");
    }
}

#[test]
fn maps_come_before_the_program_and_the_denial_of_setgroups_before_the_map_of_groups() {
    let direct = ["uid_map", "setgroups", "gid_map", "execve"].as_slice();
    let denied_first = ["setgroups", "uid_map", "gid_map", "execve"].as_slice();
    for (command, expected) in [
        ("unshare -r $state", direct),
        ("unshare -c -f --kill-child $state", direct),
        ("$ORDINARY unshare -r -pf --mount-proc $state", direct),
        ("$ORDINARY unshare -r --setgroups=deny $state", denied_first),
        ("unshare --map-users=0:0:5 --map-groups=0:0:5 --setgroups=deny $state", denied_first),
        ("unshare --map-users=0:0:5 --map-groups=0:0:5 -f $state", &["uid_map", "gid_map", "execve"]),
        ("unshare --map-user=0 --map-groups=0:0:5 --owner 5:6 $state", &["uid_map", "gid_map", "execve"]),
    ] {
        let run = traced(&stage(), command, "-y -e trace=write,execve", ":");
        assert!(output(&run).starts_with("ran as "), "{command}: {run:?}");
        let mut order: Vec<&str> = Vec::new();
        // An exec may be told in two halves, where another process comes between.
        let done = |line: &&str| ["= 0", "<unfinished ...>"].iter().any(|end| line.ends_with(end));
        for line in log(&run).lines().filter(|line| done(line) || !line.contains("execve(")) {
            for what in ["/uid_map>", "/setgroups>", "/gid_map>"] {
                if line.contains("write(") && line.contains(what) {
                    order.push(what.trim_matches(['/', '>']));
                }
            }
            if line.contains("execve(") && line.contains("/state\"") {
                order.push("execve");
            }
        }
        assert_eq!(order, expected, "{command}");
    }
}

/// Makes every step of a command fail, one after the other. Each time it either fails, and has run
/// nothing and left everything as it was, or (where it has another way) has done what was asked for.
/// `after` prints what the command has an effect on; what the command itself prints counts, too.
fn every_step_matters(command: &str, after: &str) {
    let stage = stage();
    let untouched = traced(&stage, "false", "-e trace=none", after);
    let whole = traced(&stage, command, &format!("-e trace={STEPS},execve"), after);
    assert!(whole.status == 0 && output(&whole) != output(&untouched), "{command} does nothing: {whole:?}");
    for (name, count) in steps(&whole) {
        for number in 1..=count {
            for error in ["EPERM", "ENOMEM"] {
                let inject = format!("-e trace={STEPS},execve -e inject={name}:error={error}:when={number}");
                let run = traced(&stage, command, &inject, after);
                assert!(log(&run).contains("(INJECTED)"), "{command}: {name} {number}: {run:?}");
                let own = own_calls(log(&run)).iter().filter(|(_, call)| call.contains("(INJECTED)")).count();
                if own < log(&run).matches("(INJECTED)").count() {
                    // Counted in a process of few calls, the program itself was hit.
                    continue;
                }
                let expected = if run.status == 0 { output(&whole) } else { output(&untouched) };
                assert!(
                    output(&run) == expected,
                    "{command}: with {error} from {name} number {number}:\n{run:#?}\nexpected: {expected}"
                );
            }
        }
    }
}

/// How often a process of the command makes each call at most: strace counts each process apart.
fn steps(whole: &Run) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (pid, call) in own_calls(log(whole)) {
        if let Some((name, _)) = call.split_once('(').filter(|(name, _)| *name != "execve") {
            *counts.entry((pid, name.to_string())).or_default() += 1;
        }
    }
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, name), count) in counts {
        let most = steps.entry(name).or_default();
        *most = count.max(*most);
    }
    steps
}

#[test]
fn nothing_runs_after_a_failed_step_of_the_tutorials_line() {
    every_step_matters(TUTORIAL, ":");
}

#[test]
fn nothing_runs_after_a_failed_step_of_unshare() {
    every_step_matters("unshare -m -u -i -n -C $state", ":");
    every_step_matters("unshare -r -m $state", ":");
    every_step_matters("unshare -pf --mount-proc -R rootfs -w /proc /state state", ":");
    every_step_matters("unshare -c -S 0 $state", ":");
    every_step_matters("unshare -pf --kill-child -G 5 -S 5 $state", ":");
    every_step_matters("unshare --map-users=0:1000:5 --map-groups=0:1000:5 -S 0 -G 0 $state", ":");
}

#[test]
fn nothing_is_kept_after_a_failed_step_of_unshare() {
    let kept = "findmnt -rno TARGET,FSTYPE -t nsfs | sort";
    every_step_matters("unshare --uts=kept --net=rootfs/kept -w rootfs $state", kept);
    every_step_matters("unshare -f --kill-child --uts=kept --time=rootfs/kept --boottime 5 -G 5 -S 5 $state", kept);
}

#[test]
fn nothing_runs_after_a_failed_step_of_chroot() {
    every_step_matters("chroot rootfs /state state", ":");
    every_step_matters("chroot --userspec=5:6 --groups=7,8 / $state", ":");
}

#[test]
fn nothing_runs_after_a_failed_step_of_nsenter() {
    every_step_matters("nsenter -t $($TARGET -u -n -m) -u -n -m $state", ":");
    every_step_matters("nsenter -t $($TARGET -p -f) -p $state", ":");
    every_step_matters("nsenter -t $($TARGET -p -f) -p --kill-child --forward-signals -G 5 -S 5 $state", ":");
    every_step_matters("nsenter -t $($TARGET -r -u) -a --keep-caps $state", ":");
    every_step_matters("nsenter -t $($TARGET -r) -U -S 0 -G 0 $state", ":");
    every_step_matters("nsenter --uts=/proc/$($TARGET -u)/ns/uts -S 5 -G 6 --wd=/proc $state", ":");
}

#[test]
fn nothing_runs_after_a_failed_step_of_capsh() {
    every_step_matters("capsh --drop=cap_chown,cap_kill --shell=${state%% *} -- state", ":");
    every_step_matters("capsh --caps=cap_setpcap,cap_kill=eip --addamb=cap_kill --shell=${state%% *} -- state", ":");
    every_step_matters("capsh --gid=5 --groups=6 --uid=7 --shell=${state%% *} -- state", ":");
    every_step_matters("capsh --chroot=rootfs --shell=/state -- state", ":");
}

const MOUNTS: &str = "grep -o \" $PWD/\\(to\\|below\\)[^ ]* [^ ]*\" /proc/self/mountinfo; ls -d new 2>/dev/null";

#[test]
fn a_mount_is_made_as_asked_for_or_not_at_all() {
    every_step_matters("mount --bind -o ro from to", MOUNTS);
    every_step_matters("mount --bind -o ro,nosuid,nodev,noexec,noatime from to", MOUNTS);
    every_step_matters("mount -t tmpfs -o ro,size=1m,mode=700 tmpfs to", MOUNTS);
}

#[test]
fn file_capabilities_are_set_or_left_alone() {
    every_step_matters("setcap cap_net_bind_service=ep from/file", "/usr/sbin/getcap from/file");
}
