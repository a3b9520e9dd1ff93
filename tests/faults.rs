//! Every system call failed once: for each command line of `faults.toml`, each call that ctrbox makes
//! is made to fail, and then the effect is looked at. The program must not run in less than what was
//! asked for, success must not be claimed for work that is not done, and nothing half-made may stay.
//!
//! A sample by default; `scripts/faults` runs them all. `--every N`, `--only TEXT` (of a row's name),
//! `--fault P:NR:N:E` (with `--only`), `--verbose`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tests::fault::{Fault, call_name, plausible_errors};
use tests::needs;
use tests::sandbox::{Accounts, Side, Stage};

/// One command line.
#[derive(Debug)]
struct Row {
    name: String,
    setup: String,
    run: String,
    undo: String,
    accounts: Accounts,
    /// What could not be dealt with is named on standard error, and the status stays 0.
    complains: bool,
    /// A mount that has no place in a new root is not put back when the root cannot be changed.
    detached: bool,
    /// What was done for earlier operands stays when a later one fails.
    stepwise: bool,
    /// A userspace mount table that may not be written is left alone.
    unwritable: bool,
    /// Users and groups whose names cannot be read are shown as `???`.
    unnamed: bool,
    /// What cannot be read of the machine is left out, but nothing for lack of descriptors or memory.
    unread: bool,
    /// The statuses that it may end with; none means any.
    statuses: Vec<i32>,
    /// A capability that cannot be made ambient is named on standard error, and the program runs without it.
    unraised: bool,
}

/// What a run did.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    status: i32,
    stdout: String,
    stderr: String,
    before: String,
    after: String,
    programs: Vec<String>,
    killed: Vec<String>,
    calls: Vec<Fault>,
    injected: bool,
    left: Vec<String>,
    timed_out: bool,
    whole: String,
}

/// What each script begins with. `$probe` is the program that commands run, also as `/probe` in `rootfs`.
const SCENE: &str = r#"
mount -t tmpfs run /run; mkdir /run/mount
mkdir .faults rootfs rootfs/proc rootfs/etc rootfs/tmp
cp "$INJECT" rootfs/probe
cp /etc/passwd /etc/group rootfs/etc/
probe=$PWD/rootfs/probe
"#;

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("faults.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    table["row"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let text = |key: &str| row.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_string();
            let flag = |key: &str| row.get(key).and_then(toml::Value::as_bool).unwrap_or_default();
            Row {
                name: text("name"),
                setup: text("setup"),
                run: text("run"),
                undo: text("undo"),
                accounts: Accounts::from_name(&text("accounts")).unwrap_or(Accounts::Ordinary),
                complains: flag("complains"),
                detached: flag("detached"),
                stepwise: flag("stepwise"),
                unnamed: flag("unnamed"),
                unraised: flag("unraised"),
                unread: flag("unread"),
                statuses: row.get("statuses").map(|list| list.clone().try_into().unwrap()).unwrap_or_default(),
                unwritable: flag("unwritable"),
            }
        })
        .collect()
}

fn run(stage: &Stage, row: &Row, fault: Option<&Fault>) -> Seen {
    let fault = fault.map_or("-".to_string(), Fault::text);
    let inject = stage.root().join("bin/inject");
    let script = format!(
        "export INJECT={inject} TESTED={tested}\n{SCENE}\n{setup}\n\
         $INJECT snapshot >.faults/before\n\
         PATH=${{PATH}} $INJECT run .faults/log {fault} {run} >.faults/out 2>.faults/err\nstatus=$?\n\
         $INJECT snapshot >.faults/after\n{undo}\n\
         for part in before after log out err; do echo \"---- $part\"; cat .faults/$part; done; exit $status",
        inject = inject.display(),
        tested = stage.root().join("ours/ctrbox").display(),
        setup = row.setup,
        run = row.run,
        undo = row.undo,
    );
    let _turn = needs::turn([&row.setup, &row.run].iter().any(|part| part.contains("loop")));
    let run = stage.run(Side::Ours, row.accounts, &script).unwrap();
    let mut seen = Seen { status: run.status, left: run.left, timed_out: run.timed_out, ..Seen::default() };
    let mut parts = run.stdout.split("---- ").skip(1).map(|part| part.split_once('\n').unwrap_or_default());
    let mut part = |name: &str| {
        parts.next().filter(|(found, _)| *found == name).map(|(_, text)| text.to_string()).unwrap_or_default()
    };
    let (before, after, log) = (part("before"), part("after"), part("log"));
    seen.stdout = part("out");
    if row.unnamed {
        seen.stdout = regex::Regex::new(r"\((\w+|\?\?\?)\)").unwrap().replace_all(&seen.stdout, "(NAME)").into_owned();
    }
    seen.stderr = part("err");
    seen.whole = format!("{}{}", run.stdout, run.stderr);
    let known: Vec<(String, String)> = log
        .lines()
        .filter_map(|line| line.strip_prefix("known ")?.split_once(' '))
        .map(|(name, link)| (link.to_string(), name.to_string()))
        .collect();
    seen.before = named(&before, &known);
    seen.after = named(&after, &known);
    let mut lines = log.lines();
    while let Some(line) = lines.next() {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [what @ ("call" | "injected"), process, number, count, ..] => {
                seen.injected |= *what == "injected";
                seen.calls.push(Fault::parse(&format!("{process}:{number}:{count}:0")).unwrap());
            }
            ["killed", process, signal] => seen.killed.push(format!("{process} by signal {signal}")),
            ["program", _] => {
                let state: Vec<&str> = lines.by_ref().take_while(|line| *line != "end").collect();
                seen.programs.push(named(&state.join("\n"), &known));
            }
            _ => {}
        }
    }
    seen.programs.sort();
    seen
}

/// A text with its namespaces called by name, and without the numbers of loop devices.
fn named(text: &str, known: &[(String, String)]) -> String {
    let mut text = text.to_string();
    for (link, name) in known {
        let kind = link.split(':').next().unwrap_or_default();
        text = text.replace(link.as_str(), &format!("{kind}:{name}"));
    }
    let text =
        regex::Regex::new(r"(mnt|user|pid|uts|ipc|net|cgroup|time):\[\d+\]").unwrap().replace_all(&text, "$1:new");
    let text = regex::Regex::new(r"/dev/loop\d+").unwrap().replace_all(&text, "/dev/loopN");
    // Identifiers of mounts in the userspace mount table, which it can do without.
    regex::Regex::new(r"\b(UNIQ)?ID=\d+ ").unwrap().replace_all(&text, "").into_owned()
}

/// What a command leaves, but for the userspace mount table, whose failure has been reported.
fn without_table(state: &str) -> Vec<&str> {
    state.lines().filter(|line| !line.starts_with("file /run/mount/utab ")).collect()
}

/// Whether two programs run in the same, but for capabilities that only the first has.
fn without_some_capabilities(asked: &str, program: &str) -> bool {
    let set = |line: &str| {
        let (name, value) = line.split_once(":\t")?;
        name.starts_with("Cap").then(|| u64::from_str_radix(value, 16).ok())?
    };
    asked.lines().count() == program.lines().count()
        && asked.lines().zip(program.lines()).all(|(asked, line)| match (set(asked), set(line)) {
            (Some(asked), Some(had)) => had & !asked == 0,
            _ => asked == line,
        })
}

/// Calls of the C library's own start, which has nothing else to do about a failure than to die.
fn is_start_up(fault: &Fault) -> bool {
    ["arch_prctl", "mprotect"].contains(&call_name(fault.number).as_str())
}

/// What is wrong with a run in which a call failed.
fn judge(row: &Row, fault: &Fault, whole: &Seen, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    // It kills itself, but a traced first process of a PID namespace survives even that, and is stuck.
    if is_start_up(fault) && seen.programs.is_empty() {
        return wrong;
    }
    let mut check = |holds: bool, text: &str| {
        if !holds {
            wrong.push(text.to_string());
        }
    };
    check(!seen.timed_out, "it hangs");
    check(seen.left.is_empty(), "something outlives it");
    if seen.timed_out {
        return wrong;
    }
    check(seen.killed == whole.killed, "it dies of a signal");
    let unraised = row.unraised && seen.stderr.contains("not ambient now: ");
    let as_asked = |program: &String| {
        whole.programs.iter().any(|asked| asked == program || unraised && without_some_capabilities(asked, program))
    };
    check(seen.programs.iter().all(as_asked), "a program runs in something else than what was asked for");
    let ran = seen.programs.len() == whole.programs.len();
    let reported = seen.status == 16 && seen.stderr.contains("mounted, but failed to update userspace mount table");
    let done = seen.after == whole.after || reported && without_table(&seen.after) == without_table(&whole.after);
    // As with the original, a table in a place that cannot be written is left alone.
    let unwritable = row.unwritable && call_name(fault.number) == "openat" && fault.errno == libc::EACCES;
    let done = done || unwritable && without_table(&seen.after) == without_table(&whole.after);
    // The propagation of what is mounted can only be changed once it is there; that it was not is said.
    let unfinished = seen.stderr.contains("was mounted, but failed to apply flags");
    // As mount(8) says: what cannot be written is mounted read-only, and that is told.
    let read_only = seen.stderr.contains("source write-protected, mounted read-only");
    let undone = seen.after == seen.before;
    let lines = |seen: &Seen| seen.stdout.lines().count();
    let is_short = lines(seen) < lines(whole);
    let left_out = row.unread && !(is_short && [libc::EMFILE, libc::ENOMEM].contains(&fault.errno));
    check(
        row.statuses.is_empty() || row.statuses.contains(&seen.status),
        "it ends with a status that is not documented",
    );
    if seen.status == 0 {
        check(whole.status == 0, "it succeeds only when a call fails");
        check(ran, "success, though a program did not run");
        let complained = row.complains && seen.stderr != whole.stderr;
        check(done || complained || read_only, "success, though the work is not done");
        check(seen.stdout == whole.stdout || complained || left_out, "success, though something else is printed");
    } else {
        // As with the original, a set-up that is whole stays where only the program could not be started.
        let stays = ran && !whole.programs.is_empty()
            || reported
            || call_name(fault.number) == "execve" && [126, 127].contains(&seen.status);
        let detached = row.detached && call_name(fault.number) == "chroot";
        check(undone || unfinished || detached || row.stepwise || done && stays, "something half-made stays");
        // Some answers of libcap's tools are on standard output.
        let said = !seen.stderr.is_empty() || seen.status == whole.status || seen.stdout != whole.stdout;
        check(said || call_name(fault.number) == "write", "it fails without a word");
    }
    wrong
}

/// Keeps this thread, and the processes that it starts, on one processor. Linux 6.18 takes a mount
/// namespace that was made on another one for an older one, and then refuses to bind it on a file.
fn stay_on(worker: usize) {
    let allowed = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
    let processors: Vec<usize> =
        (0..nix::sched::CpuSet::count()).filter(|&processor| allowed.is_set(processor).unwrap_or(false)).collect();
    let mut one = nix::sched::CpuSet::new();
    one.set(processors[worker % processors.len()]).unwrap();
    nix::sched::sched_setaffinity(nix::unistd::Pid::from_raw(0), &one).unwrap();
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].clone());
    let verbose = arguments.iter().any(|argument| argument == "--verbose");
    let every: usize = value("--every").map_or(41, |text| text.parse().unwrap());
    let only = value("--only");
    let one = value("--fault").map(|text| Fault::parse(&text).unwrap());
    if arguments.iter().any(|argument| argument == "--list") || !cfg!(target_arch = "x86_64") {
        println!("faults: 0 injected, 0 violations (x86_64 only)");
        return;
    }
    let mut stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    stage.timeout = Duration::from_secs(20);
    let inject = stage.root().join("bin/inject");
    assert!(
        std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_inject")).arg(&inject).status().unwrap().success()
    );

    let rows: Vec<Row> =
        rows().into_iter().filter(|row| only.as_ref().is_none_or(|only| row.name.contains(only.as_str()))).collect();
    let violations = Mutex::new(Vec::new());
    let mut plans: Vec<(&Row, Seen)> = Vec::new();
    // On a thread of its own: whoever starts threads must not be kept on one processor.
    let unhindered = |row: &Row| {
        std::thread::scope(|scope| {
            scope
                .spawn(|| {
                    stay_on(0);
                    run(&stage, row, None)
                })
                .join()
                .unwrap()
        })
    };
    for row in &rows {
        let whole = unhindered(row);
        let again = unhindered(row);
        if whole.timed_out || whole.calls.is_empty() || whole.programs != again.programs || whole.after != again.after {
            violations
                .lock()
                .unwrap()
                .push(format!("{}: no two runs are alike:\n{}\n{}", row.name, whole.whole, again.whole));
            continue;
        }
        if verbose {
            println!("{}: status {}, {} calls\n{}", row.name, whole.status, whole.calls.len(), whole.whole);
        }
        plans.push((row, whole));
    }
    let mut faults: Vec<(usize, Fault)> = Vec::new();
    for (index, (_, whole)) in plans.iter().enumerate() {
        let calls: BTreeSet<&Fault> = whole.calls.iter().collect();
        for call in calls {
            for &errno in plausible_errors(&call_name(call.number)) {
                faults.push((index, Fault { errno, ..call.clone() }));
            }
        }
    }
    if let Some(one) = one {
        faults = (0..plans.len()).map(|index| (index, one.clone())).collect();
    } else {
        faults = faults.into_iter().step_by(every).collect();
    }
    let next = AtomicUsize::new(0);
    let injected = AtomicUsize::new(0);
    let missed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let (next, faults, plans) = (&next, &faults, &plans);
            let (stage, injected, missed, violations) = (&stage, &injected, &missed, &violations);
            scope.spawn(move || {
                stay_on(worker);
                while let Some((index, fault)) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (row, whole) = &plans[*index];
                    let seen = run(stage, row, Some(fault));
                    if !seen.injected && !seen.timed_out {
                        missed.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    injected.fetch_add(1, Ordering::Relaxed);
                    let wrong = judge(row, fault, whole, &seen);
                    if !wrong.is_empty() {
                        let text = format!(
                            "{}: {}\n  {}\n  (--only '{}' --fault {})\n  status {}, stderr {:?}{}",
                            row.name,
                            fault.described(),
                            wrong.join("; "),
                            row.name,
                            fault.text(),
                            seen.status,
                            seen.stderr,
                            if verbose {
                                format!("\n{}\nwithout the fault:\n{}", seen.whole, whole.whole)
                            } else {
                                String::new()
                            }
                        );
                        println!("{text}");
                        violations.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let violations = violations.into_inner().unwrap();
    println!(
        "faults: {} injected, {} violations ({} command lines, {} not reached)",
        injected.into_inner(),
        violations.len(),
        plans.len(),
        missed.into_inner()
    );
    for text in violations.iter().filter(|text| text.contains("no two runs")) {
        println!("{text}");
    }
    std::process::exit(i32::from(!violations.is_empty()));
}
