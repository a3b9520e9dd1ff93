//! What a signal does to a command that waits for its child, and to the child: the whole table, as
//! measured on ours and, where they have the options, on the originals. Needs root.
//!
//! Nothing here depends on how long something takes: each step waits for what it has to see (a
//! process's end, its state, its answer), and only a bound of many seconds makes it a failure.

// Ends are waited for by number, with a bound, which `Child` cannot.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::zombie_processes)]

mod pair;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use pair::{Pair, alone, children, command, end, field, has, is_stopped, name, until};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tests::originals::Originals;
use tests::sandbox::{Side, Stage};
use tests::version;

/// Who gets the signal, and what happens then. `STATUS FATE`: the parent's status as a shell sees it
/// (128+N for signal N), and the child's fate: `lives` on without its parent, or the signal that
/// ended it, or `exits`, since nothing happened to either of them and the child was then told to
/// exit with 5. Before it, for TSTP and then CONT: who stops, `parent`, `child` or `both`.
const TABLE: &str = "
command                                | to     | TERM      | INT       | HUP       | QUIT      | KILL      | TSTP, CONT
unshare --fork                         | parent | 5 exits   | 5 exits   | 129 lives | 131 lives | 137 lives | parent 5 exits
unshare --fork                         | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | child 5 exits
unshare --kill-child                   | parent | 5 exits   | 5 exits   | 129 KILL  | 131 KILL  | 137 KILL  | parent 5 exits
unshare --kill-child                   | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | child 5 exits
unshare --kill-child=HUP               | parent | 5 exits   | 5 exits   | 129 HUP   | 131 HUP   | 137 HUP   | parent 5 exits
unshare --kill-child=HUP               | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | child 5 exits
unshare --forward-signals              | parent | 143 TERM  | 130 INT   | 129 lives | 131 lives | 137 lives | parent 5 exits
unshare --forward-signals              | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | child 5 exits
unshare --forward-signals --kill-child | parent | 143 TERM  | 130 INT   | 129 KILL  | 131 KILL  | 137 KILL  | parent 5 exits
unshare --forward-signals --kill-child | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | child 5 exits
nsenter                                | parent | 143 lives | 130 lives | 129 lives | 131 lives | 137 lives | parent 5 exits
nsenter                                | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | both 5 exits
nsenter --kill-child                   | parent | 143 KILL  | 130 KILL  | 129 KILL  | 131 KILL  | 137 KILL  | parent 5 exits
nsenter --kill-child                   | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | both 5 exits
nsenter --kill-child=HUP               | parent | 143 HUP   | 130 HUP   | 129 HUP   | 131 HUP   | 137 HUP   | parent 5 exits
nsenter --kill-child=HUP               | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | both 5 exits
nsenter --forward-signals              | parent | 143 TERM  | 130 INT   | 129 lives | 131 lives | 137 lives | parent 5 exits
nsenter --forward-signals              | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | both 5 exits
nsenter --forward-signals --kill-child | parent | 143 TERM  | 130 INT   | 129 KILL  | 131 KILL  | 137 KILL  | parent 5 exits
nsenter --forward-signals --kill-child | child  | 143 TERM  | 130 INT   | 129 HUP   | 131 QUIT  | 137 KILL  | both 5 exits
";

/// Where originals before this version of util-linux do something else, and why.
const DIFFERS: &[(&str, &str, &str, &str, &str)] =
    &[("unshare", "child", "KILL", "2.40", "1 KILL: it tries to unblock SIGKILL, which fails")];

/// What util-linux 2.38.1 does not have.
fn is_lacking(command: &str) -> bool {
    command.contains("--forward-signals") || (command.starts_with("nsenter") && command.contains("--kill-child"))
}

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

/// What happens when `signal` is sent to the parent or the child. What is `expected` says only what is waited for.
fn measure(mut pair: Pair, to_parent: bool, signal: Signal, expected: &str) -> Result<String, String> {
    let (parent, child) = (pair.pid(), pair.child);
    let to = if to_parent { parent } else { child };
    kill(to, signal).map_err(|errno| errno.to_string())?;
    if signal == Signal::SIGTSTP {
        until("a stop", || is_stopped(to))?;
        // Who stops is the one to be continued, and the parent has to continue its child: one that had
        // stopped when it should not could not end below.
        let both = expected.starts_with("both");
        let stopped = if both { parent } else { to };
        until("the parent's stop", || is_stopped(stopped))?;
        if to_parent {
            pair.answers()?;
        }
        kill(stopped, Signal::SIGCONT).map_err(|errno| errno.to_string())?;
        pair.answers()?;
        pair.say("exit\n");
        let who = if both {
            "both"
        } else if to_parent {
            "parent"
        } else {
            "child"
        };
        return Ok(format!("{who} {} exits", pair.status()?));
    }
    // Blocked and pending in a parent that goes on waiting: nothing happens. One that forwards it has it pending, too,
    // until it gets to it.
    let is_kept =
        || to_parent && expected.ends_with("exits") && has(parent, "SigBlk", signal) && has(parent, "ShdPnd", signal);
    let ended = until("an end, or a signal that is kept pending", || {
        if is_kept() {
            return Some(false);
        }
        field(parent, "State").is_none_or(|state| state.starts_with('Z')).then_some(true)
    })?;
    if !ended {
        pair.answers()?;
        pair.say("exit\n");
        return Ok(format!("{} exits", pair.status()?));
    }
    let status = pair.status()?;
    // The parent has waited for a child that ended before it: then its status is the child's.
    if Path::new(&format!("/proc/{child}")).exists() {
        return Ok(format!("{status} {}", pair.fate()?));
    }
    Ok(format!("{status} {}", name(signal)))
}

/// A process in a PID namespace of its own, ended with this.
struct Target(Child);

impl Target {
    fn start() -> (Target, String) {
        let unshare = Command::new("/usr/bin/unshare")
            .args(["--pid", "--fork", "--kill-child", "sleep", "1000"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(unshare.id() as i32);
        let target = Target(unshare);
        let child = until("the target", || {
            children(pid).first().copied().filter(|pid| field(*pid, "Name").as_deref() == Some("sleep"))
        });
        (target, child.unwrap().to_string())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_signal_does_what_the_table_says() {
    let _alone = alone();
    let stage = stage();
    let (_target, target) = Target::start();
    let originals = Originals::chosen().unwrap();
    let is_before =
        |version| originals.versions.of("util-linux").is_some_and(|theirs| version::compare(theirs, version).is_lt());
    let mut faults = String::new();
    let mut count = 0;
    let mut lines = TABLE.trim().lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    for line in lines {
        let (typed, to) = (line[0], line[1]);
        let mut words: Vec<&str> = typed.split(' ').collect();
        if words[0] == "nsenter" {
            words.extend(["--pid", "--target", &target]);
        }
        for (signal, expected) in head[2..].iter().zip(&line[2..]) {
            let number: Signal = format!("SIG{}", signal.split(',').next().unwrap()).parse().unwrap();
            for side in [Side::Ours, Side::Theirs] {
                if side == Side::Theirs && is_lacking(typed) {
                    continue;
                }
                count += 1;
                let differs = DIFFERS.iter().find(|(tool, whom, what, before, _)| {
                    side == Side::Theirs && words[0] == *tool && to == *whom && signal == what && is_before(before)
                });
                let expected = differs.map_or(*expected, |(.., reason)| reason.split(':').next().unwrap());
                let seen = Pair::start(command(&stage, side, &words))
                    .and_then(|pair| measure(pair, to == "parent", number, expected))
                    .unwrap_or_else(|error| error);
                if seen != expected {
                    let _ = writeln!(faults, "{}: {typed}, {signal} to the {to}: {seen}, not {expected}", side.name());
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
    assert_eq!(count, 20 * 6 + 8 * 6);
}

/// Sends `signal` to a command at many moments of its start, and returns the statuses that were seen.
/// Each time nothing may be left of what it started.
fn at_every_moment(words: &[&str], signal: Signal) -> Vec<i32> {
    let stage = stage();
    let mut statuses = Vec::new();
    for moment in 0..150_u64 {
        let parent = command(&stage, Side::Ours, words).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let parent = Pid::from_raw(parent.id() as i32);
        // From before its first instruction until well after its child runs the program.
        std::thread::sleep(Duration::from_micros(moment * 20));
        kill(parent, signal).unwrap();
        let status = match end(parent).unwrap() {
            WaitStatus::Exited(_, status) => status,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            other => panic!("{other:?}"),
        };
        if !statuses.contains(&status) {
            statuses.push(status);
        }
        let left =
            |pid: &Pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.ends_with(b"\x0012345\0"));
        let gone = until("the end of all that it started", || {
            let own = children(Pid::this());
            for orphan in own.iter().filter(|pid| field(**pid, "State").is_some_and(|state| state.starts_with('Z'))) {
                let _ = waitpid(*orphan, Some(WaitPidFlag::WNOHANG));
            }
            (!own.iter().any(left)).then_some(())
        });
        if gone.is_err() {
            for pid in children(Pid::this()).into_iter().filter(left) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        assert!(gone.is_ok(), "{words:?} {signal} after {} us: {gone:?}", moment * 20);
    }
    statuses
}

#[test]
fn no_child_outlives_a_parent_that_is_killed_whenever_that_is() {
    let _alone = alone();
    let (_target, target) = Target::start();
    for words in [
        ["unshare", "--kill-child", "sleep", "12345"].as_slice(),
        &["unshare", "--kill-child", "--setuid", "1", "sleep", "12345"],
        &["unshare", "--mount", "--pid", "--kill-child", "sleep", "12345"],
        &["nsenter", "--pid", "--target", &target, "--kill-child", "sleep", "12345"],
    ] {
        assert_eq!(at_every_moment(words, Signal::SIGKILL), [137], "{words:?}");
    }
}

#[test]
fn a_signal_to_be_forwarded_is_never_lost_whenever_it_comes() {
    let _alone = alone();
    let (_target, target) = Target::start();
    for words in [
        ["unshare", "--forward-signals", "sleep", "12345"].as_slice(),
        &["nsenter", "--pid", "--target", &target, "--forward-signals", "sleep", "12345"],
    ] {
        assert_eq!(at_every_moment(words, Signal::SIGTERM), [143], "{words:?}");
    }
}
