//! `CTRBOX_TRACE` against strace(1): the same calls, in the same order, with the same results.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod explain;
mod lines;

use lines::{CALLS, LINES, SCENE, is_in_order, without_pid};
use std::collections::BTreeMap;
use std::path::Path;
use tests::needs;
use tests::sandbox::{Accounts, Side, Stage};

/// What strace saw of ctrbox's own processes: for each, its calls by name, and what they returned.
fn seen_by_strace(log: &str) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut elsewhere: Vec<String> = Vec::new();
    let mut begun: BTreeMap<String, String> = BTreeMap::new();
    // The first line is the shell's exec of the command itself.
    for line in log.lines().skip(1) {
        let (pid, call) = line.split_once(' ').unwrap();
        let mut call = call.trim().to_string();
        if let Some(start) = call.strip_suffix("<unfinished ...>") {
            begun.insert(pid.to_string(), start.to_string());
            continue;
        }
        if let Some((_, rest)) = call.split_once("resumed>").filter(|_| call.starts_with("<... ")) {
            call = begun.remove(pid).unwrap_or_default() + rest;
        }
        let Some((name, rest)) = call.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        // Asking changes nothing; calls that strace has no name for yet are questions, too.
        let asks = ["PR_CAPBSET_READ", "PR_CAP_AMBIENT_IS_SET", "PR_GET_", "LOOP_GET_", "TCGETS", "NS_GET_NSTYPE"]
            .iter()
            .any(|option| arguments.contains(option))
            // What is written to other files than the kernel's is no step.
            || name == "write" && !["</proc/", "</sys/", "</run/"].iter().any(|place| arguments.contains(place))
            || name == "openat" && (!arguments.contains("O_CREAT") || arguments.contains("/trace\""))
            || name == "prlimit64" && arguments.contains(", NULL, ");
        if asks || name.starts_with("syscall_") || result == "?" || elsewhere.iter().any(|other| other == pid) {
            continue;
        }
        if name == "execve" && result == "0" && !arguments.contains("/ours/") {
            elsewhere.push(pid.to_string());
        }
        calls.entry(pid.to_string()).or_default().push(shown(name, result));
    }
    calls
}

/// What the trace says.
fn traced(log: &str) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for line in log.lines().map(without_pid) {
        let (name, rest) = line.split_once('(').unwrap_or_else(|| panic!("not a call: {line}"));
        // The C library makes some of its own around a fork.
        if matches!(name, "rt_sigprocmask" | "rt_sigaction") {
            continue;
        }
        match rest.rsplit_once(") = ") {
            // The directories of PATH that lack a program are in one line.
            Some((_, result)) if name == "execve" && result.contains(") in \"") => {
                let directories = result.rsplit_once(" in ").map_or(0, |(_, list)| list.split(':').count());
                calls.extend(vec![shown(name, result); directories]);
            }
            // An exec is written before it is made, and once more if it fails.
            Some((_, result)) if name == "execve" => {
                let made = calls.iter().rposition(|call| call == "execve 0").expect("an exec before its failure");
                calls[made] = shown(name, result);
            }
            Some((_, result)) => calls.push(shown(name, result)),
            None => calls.push(format!("{name} 0")),
        }
    }
    calls
}

fn shown(name: &str, result: &str) -> String {
    let name = match name {
        "wait4" => "waitpid",
        "clone" | "vfork" => "fork",
        other => other,
    };
    let words: Vec<&str> = result.split(|end: char| end.is_whitespace() || end == '<').collect();
    match words.as_slice() {
        ["-1", errno, ..] => format!("{name} {errno}"),
        [number, ..] => format!("{name} {number}"),
        [] => name.to_string(),
    }
}

/// The first line that breaks a rule of the trace: each process's lines have its number from the first fork on, whatever
/// program it becomes, and none comes before its parent told of its fork.
fn misplaced(log: &str) -> Option<&str> {
    let mut known: Vec<&str> = Vec::new();
    for line in log.lines() {
        let number = line.strip_prefix("[pid ").and_then(|rest| rest.split_once(']')).map(|(number, _)| number);
        match (number, line.split_once("fork() = ")) {
            (Some(number), Some((_, child))) => known.extend([number, child]),
            (Some(number), None) if known.contains(&number) => {}
            // Before the first fork, or of one that failed.
            (None, _) if known.is_empty() => {}
            _ => return Some(line),
        }
    }
    None
}

#[test]
fn the_trace_tells_the_calls_that_strace_sees_in_their_order_with_their_results() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (before, command) in LINES {
        let within = if command.contains("_root") { "unshare -m" } else { "" };
        let script = format!(
            "{SCENE}\n{before}\n{within} env CTRBOX_TRACE=$PWD/trace strace -f -qq -y -o $PWD/log -s 200 -e trace={CALLS} {command} >/dev/null 2>&1 </dev/null\n\
             cat log; echo ----; cat trace"
        );
        let _turn = needs::turn([before, command].iter().any(|part| part.contains("image")));
        let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        // The sandbox takes the directory of the commands out of what is printed.
        let Some((log, trace)) = run.stdout.split_once("----\n") else { panic!("{command}: {run:?}") };
        let ours =
            |log: String, name: &str| log.replace(&format!("execve(\"{name}\""), &format!("execve(\"/ours/{name}\""));
        let log = ["chroot", "setpriv", "unshare"].into_iter().fold(log.to_string(), ours);
        let (strace, trace_calls) = (seen_by_strace(&log), traced(trace));
        let mut all: Vec<String> = strace.values().flatten().cloned().collect();
        let mut told = trace_calls.clone();
        all.sort();
        told.sort();
        if all != told || !strace.values().all(|calls| is_in_order(calls, &trace_calls)) {
            wrong.push(format!("{command}:\nstrace: {strace:?}\ntrace: {trace_calls:?}"));
        }
        if let Some(line) = misplaced(trace) {
            wrong.push(format!("{command}: the process of '{line}' in\n{trace}"));
        }
        count += told.len();
    }
    assert!(count > 3 * LINES.len(), "only {count} calls were compared");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), LINES.len(), wrong.join("\n\n"));
}

/// `probe` tells of the program's ids, capabilities, signals and descriptors.
const FORMS: [&str; 9] = [
    "unshare -m -u sh probe",
    "unshare -pf --mount-proc --kill-child sh probe",
    "chroot --userspec=5:6 / sh $PWD/probe",
    "chroot nowhere true",
    "nsenter -t $target -u sh probe",
    "setpriv --reuid=5 --clear-groups sh probe",
    "capsh --drop=cap_kill --shell=/bin/sh -+ probe",
    "unshare -uf sh -c 'kill -KILL $$'",
    "setcap - two <probe",
];

#[test]
fn a_trace_changes_neither_status_nor_output_nor_descriptors() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let forms: String = FORMS
        .iter()
        .map(|form| format!("try {}\n", form.replace('$', "\\$").replace('\'', "\\'").replace('<', "\\<")))
        .collect();
    let script = format!(
        r#"{SCENE}
cat >probe <<'END'
grep -E '^(Uid|Gid|Groups|Cap|Sig[PBIC]|NoNew)' /proc/self/status; ls /proc/self/fd
END
mkfifo fifo full
exec 8<>full
# A pipe without a reader.
exec 9<>fifo 7>fifo 9<&-
dd if=/dev/zero of=full bs=4096 count=16 oflag=nonblock 2>/dev/null
# What a command does with the words before it: nothing, or other surroundings.
run() {{
    local status=0
    eval "$with $1" >out 2>err || status=$?
    # The trace, and what the shell says of a signal.
    sed -i -e '/^\(\[pid [0-9]*\] \)\?[a-z_0-9]*(.*/d' -e '/Killed/d' err
    echo "== $1: $status"; cat out err
}}
closed() {{ case $1 in 0) shift; "$@" <&- ;; 1) shift; "$@" >&- ;; 2) shift; "$@" 2>&- ;; esac; }}
unread() {{ "$@" 2>&7; }}
try() {{
    form=$*
    with= CTRBOX_TRACE= run "$*" >want
    for trace in 1 "$PWD/file" /no/such/file /dev/full "$PWD" "$PWD/fifo" "$PWD/full" /dev/null; do
        export CTRBOX_TRACE=$trace
        with= run "$*" >got; diff want got || echo "WRONG $trace"
    done
    for descriptor in 0 1 2; do
        unset CTRBOX_TRACE; with="closed $descriptor" run "$*" >want
        for trace in 1 "$PWD/file"; do
            export CTRBOX_TRACE=$trace
            with="closed $descriptor" run "$*" >got; diff want got || echo "WRONG $trace without $descriptor"
        done
    done
    unset CTRBOX_TRACE; with=unread run "$*" >want
    export CTRBOX_TRACE=1; with=unread run "$*" >got; diff want got || echo "WRONG unread"
    unset CTRBOX_TRACE
}}
{forms}
[ -s file ] || echo "WRONG: nothing was traced"
"#
    );
    let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
    assert!(run.status == 0 && run.stdout.is_empty(), "{run:#?}");
}
