//! Lines of ours in which a call fails, and lines that are killed at a call. Of a failure the effect must be whole or none;
//! what was killed must not keep a second run from succeeding.

use super::case::{Case, step};
use super::compare::Effect;
use super::meant::Examined;
use super::{Asked, Sides, cases, runner};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::fault::{Fault, KILLED, call_name, plausible_errors};

/// What is wrong with each line of an applet; returns how many are wrong.
pub fn examine(applet: &'static str, asked: &Asked, examined: &Examined, sides: &mut [Sides]) -> usize {
    let (next, made) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kinds: Mutex<BTreeSet<String>> = Mutex::default();
    let wrong = AtomicUsize::new(0);
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for sides in sides.iter_mut() {
            let (next, made, kinds, wrong) = (&next, &made, &kinds, &wrong);
            scope.spawn(move || {
                let strategy = (cases(applet, examined), any::<Index>(), any::<Index>());
                loop {
                    let line = next.fetch_add(1, Ordering::Relaxed);
                    if line >= asked.lines {
                        break;
                    }
                    let line = asked.only.get(line).copied().unwrap_or(line);
                    let mut runner = runner(asked.seed, applet, line);
                    let (mut case, call, error) = strategy.new_tree(&mut runner).expect("a case").current();
                    // What watches needs /proc, descriptors and a place to tell of what it sees.
                    case.caller.retain(|step| step[0] == b"userns");
                    let Some((fault, faults)) = try_one(&case, asked, sides, call, error) else { continue };
                    made.fetch_add(1, Ordering::Relaxed);
                    if faults.is_empty() {
                        continue;
                    }
                    wrong.fetch_add(1, Ordering::Relaxed);
                    let kind = format!("{}: {}", call_name(fault.number), faults.join("; "));
                    if kinds.lock().unwrap().insert(kind) {
                        let what = if fault.errno == KILLED {
                            format!(
                                "killed at {} {} in process {}",
                                call_name(fault.number),
                                fault.count,
                                fault.process
                            )
                        } else {
                            fault.described()
                        };
                        println!(
                            "# {applet}, line {line} of seed {}: {what}\n{}#   {}\n",
                            asked.seed,
                            case.script(),
                            faults.join("\n#   ")
                        );
                    }
                }
            });
        }
    });
    let (made, wrong) = (made.into_inner(), wrong.into_inner());
    println!(
        "{applet}: {made} {} of seed {}, {wrong} wrong, in {} kinds ({:.0} s)",
        if asked.kills { "kills" } else { "faults" },
        asked.seed,
        kinds.into_inner().unwrap().len(),
        started.elapsed().as_secs_f64()
    );
    wrong
}

fn with(case: &Case, fault: &str, twice: bool) -> Case {
    let mut case = case.clone();
    if !fault.is_empty() {
        case.caller.push(step(&["inject", fault]));
    }
    if twice {
        case.caller.push(step(&["twice"]));
    }
    case
}

/// Makes one call of a line fail; `None` where none can.
fn try_one(case: &Case, asked: &Asked, sides: &mut Sides, call: Index, error: Index) -> Option<(Fault, Vec<String>)> {
    let mut run = |case: &Case| Effect::parse(&case.line[0], &sides.ours.run(case));
    let whole = run(&with(case, "-", asked.kills));
    if asked.verbose {
        println!("{}\n{}", case.script(), whole.lines().join("\n"));
    }
    let calls: BTreeSet<Fault> = whole.of("traced").iter().filter_map(|line| call_of(line)).collect();
    let mut faults: Vec<Fault> = Vec::new();
    for call in calls {
        if asked.kills {
            faults.push(Fault { errno: KILLED, ..call });
        } else {
            let errors = plausible_errors(&call_name(call.number));
            faults.extend(errors.iter().map(|&errno| Fault { errno, ..call.clone() }));
        }
    }
    if faults.is_empty() || asked.kills && whole.of("status").first() != Some(&"0") {
        return None;
    }
    let fault = {
        let at = call.index(faults.len());
        let same: Vec<&Fault> =
            faults.iter().filter(|it| it.number == faults[at].number && it.count == faults[at].count).collect();
        (*same[error.index(same.len())]).clone()
    };
    let seen = run(&with(case, &fault.text(), asked.kills));
    if !seen.of("traced").iter().any(|line| line.starts_with("injected "))
        && !seen.lines().iter().any(|line| line == "timed out")
    {
        return None;
    }
    let wrong = if asked.kills {
        killed(&whole, &seen)
    } else {
        let mut before = case.clone();
        before.line = vec![b"true".to_vec()];
        judge(case, &fault, &whole, &seen, &run(&before))
    };
    Some((fault, wrong))
}

/// A call of the log of `inject`.
fn call_of(line: &str) -> Option<Fault> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["call", process, number, count, ..] = words.as_slice() else { return None };
    Some(Fault { process: process.to_string(), number: number.parse().ok()?, count: count.parse().ok()?, errno: 0 })
}

/// What lasts of an effect.
fn state(effect: &Effect, with_table: bool) -> Vec<&String> {
    let lasts = |line: &&String| {
        ["mount ", "file ", "loop "].iter().any(|kind| line.starts_with(kind))
            && (with_table || !line.starts_with("file /run/mount/utab"))
    };
    effect.lines().iter().filter(lasts).collect()
}

/// What is wrong with a second run after one that was killed.
fn killed(whole: &Effect, seen: &Effect) -> Vec<String> {
    let mut wrong = Vec::new();
    if seen.lines().iter().any(|line| line == "timed out") {
        wrong.push("it hangs".to_string());
    } else if let (Some(second), unhindered) = (seen.of("status").get(1), whole.of("status"))
        && !unhindered.contains(second)
    {
        wrong.push(format!("the second run ends with {second}: {}", seen.of("stderr").first().unwrap_or(&"")));
    }
    wrong
}

/// What was printed, without the names that capsh has for ids: where accounts cannot be read, the ids stand alone.
fn printed(case: &Case, effect: &Effect) -> Vec<String> {
    let is_id = |line: &str| ["uid=", "gid=", "groups="].iter().any(|id| line.starts_with(id));
    let without =
        |line: &str| line.split('(').map(|part| part.split_once(')').map_or(part, |(_, rest)| rest)).collect();
    let own = |line: &str| if case.line[0] == b"capsh" && is_id(line) { without(line) } else { line.to_string() };
    effect.of("stdout").into_iter().map(own).collect()
}

/// What is wrong with a line in which a call failed.
fn judge(case: &Case, fault: &Fault, whole: &Effect, seen: &Effect, before: &Effect) -> Vec<String> {
    let mut wrong = Vec::new();
    if ["arch_prctl", "mprotect", "brk"].contains(&call_name(fault.number).as_str()) && seen.of("program").is_empty() {
        // Calls of the C library's own start, which has nothing else to do about a failure than to die.
        return wrong;
    }
    if seen.lines().iter().any(|line| line == "timed out") {
        return vec!["it hangs".to_string()];
    }
    let status = |effect: &Effect| effect.of("status").first().map(|status| status.to_string()).unwrap_or_default();
    let programs: BTreeSet<&str> = whole.of("program").into_iter().collect();
    if let Some(line) = seen.of("program").iter().find(|line| !programs.contains(*line)) {
        wrong.push(format!("a program runs in something else than what was asked for: {line}"));
    }
    let stderr = seen.of("stderr").first().map(|line| line.to_string()).unwrap_or_default();
    let reported =
        stderr.contains("failed to update userspace mount table") || stderr.contains("was mounted, but failed");
    let done = state(seen, !reported) == state(whole, !reported);
    let undone = state(seen, true) == state(before, true);
    if status(seen) == "0" {
        let complained = seen.of("stderr") != whole.of("stderr");
        if status(whole) != "0" {
            wrong.push("it succeeds only when a call fails".to_string());
        } else if seen.of("program").len() != whole.of("program").len() {
            wrong.push("success, though a program did not run".to_string());
        } else if !done && !complained {
            wrong.push("success, though the work is not done".to_string());
        } else if printed(case, seen) != printed(case, whole) && !complained && case.line[0] != b"lsns" {
            // What of the machine cannot be read lsns leaves out.
            wrong.push("success, though something else is printed".to_string());
        }
    } else if status(seen).starts_with("SIG") && status(seen) != status(whole) {
        wrong.push(format!("it dies of {}", status(seen)));
    } else {
        // Of several operands, or of a whole table, those before the failure stay.
        let allowed: BTreeSet<&String> = state(whole, true).into_iter().chain(state(before, true)).collect();
        let several =
            ["-a", "-A", "-R"].iter().any(|option| case.line.iter().any(|word| word.starts_with(option.as_bytes())))
                || case.line.iter().filter(|word| !word.starts_with(b"-")).count() > 2;
        let stepwise =
            several && state(seen, true).iter().all(|line| allowed.contains(line) || line.starts_with("mount "));
        if !undone && !done && !stepwise && !reported {
            let odd = state(seen, true).into_iter().find(|line| !allowed.contains(line));
            wrong.push(format!("something half-made stays: {}", odd.map_or("", String::as_str)));
        }
        if stderr.is_empty()
            && status(seen) != status(whole)
            && seen.of("stdout") == whole.of("stdout")
            && call_name(fault.number) != "write"
        {
            wrong.push("it fails without a word".to_string());
        }
    }
    wrong
}
