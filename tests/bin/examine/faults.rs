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
    let mut run = |case: &Case| with_later_lines(&case.line[0], &sides.ours.run(case));
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
    if asked.verbose {
        println!("--- {}\n{}", fault.text(), seen.lines().join("\n"));
    }
    // Surroundings that came about in one run only say nothing of what is examined.
    if seen.of("step") != whole.of("step") {
        return None;
    }
    if !seen.of("traced").iter().any(|line| line.starts_with("injected "))
        && !seen.lines().iter().any(|line| line == "timed out")
    {
        return None;
    }
    let wrong = if asked.kills {
        let once = run(&with(case, "-", false));
        killed(case, &whole, &once, &seen)
    } else {
        // The same command, for some have surroundings of their own, but nothing that it does.
        let mut before = case.clone();
        before.line = vec![case.line[0].clone(), b"--help".to_vec()];
        let before = run(&before);
        let mut wrong = judge(case, &fault, &whole, &seen, &before);
        // setcap may be given one file twice: what it had between is what a shorter line leaves.
        for length in 2..if case.line[0] == b"setcap" && !wrong.is_empty() { case.line.len() } else { 0 } {
            let mut less = case.clone();
            less.line.truncate(length);
            wrong.retain(|_| state(&run(&less), true) != state(&seen, true));
        }
        wrong
    };
    Some((fault, wrong))
}

/// An effect in which what standard error says below its first line is kept: of several operands a later one may be the
/// one that fails.
fn with_later_lines(applet: &[u8], text: &str) -> Effect {
    let mut is_later = false;
    let lines = text.lines().map(|line| match line.strip_prefix("stderr ") {
        Some(said) if std::mem::replace(&mut is_later, true) => format!("later {said}\n"),
        _ => format!("{line}\n"),
    });
    Effect::parse(applet, &lines.collect::<String>())
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
fn killed(case: &Case, whole: &Effect, once: &Effect, seen: &Effect) -> Vec<String> {
    let mut wrong = Vec::new();
    // What the first run has unmounted before it was killed the second does not find, and says so. All is done then, once,
    // or twice where mounts were stacked.
    let is_done = |by: &Effect| state(seen, true) == state(by, true);
    let is_gone = case.line[0] == b"umount" && (is_done(whole) || is_done(once));
    if seen.lines().iter().any(|line| line == "timed out") {
        wrong.push("it hangs".to_string());
    } else if let (Some(second), unhindered) = (seen.of("status").get(1), whole.of("status"))
        && !unhindered.contains(second)
        && !is_gone
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

/// Commands of which what cannot be read of the machine is left out, as the originals leave it out. For lack of
/// descriptors or memory no line may go, but for those that go with the originals as well.
fn may_leave_out(applet: &[u8], fault: &Fault, whole: &Effect, seen: &Effect) -> bool {
    let is_short = seen.of("stdout").len() < whole.of("stdout").len();
    match applet {
        b"blkid" | b"losetup" => true,
        b"captree" | b"findmnt" | b"lsns" => !(is_short && [libc::EMFILE, libc::ENOMEM].contains(&fault.errno)),
        b"mount" => shows_devices(whole, seen),
        _ => false,
    }
}

/// Whether what differs are loop devices, which mount's list shows where their files cannot be asked for: so the kernel
/// names the sources, and no line goes.
fn shows_devices(whole: &Effect, seen: &Effect) -> bool {
    let (whole, seen) = (whole.of("stdout"), seen.of("stdout"));
    let mount = |line: &str| line.split_once(" on ").map(|(_, mount)| mount.to_string());
    let is_same = |(one, other): (&&str, &&str)| {
        one == other || other.starts_with("/dev/loop") && mount(one).is_some() && mount(one) == mount(other)
    };
    whole.len() == seen.len() && whole.iter().zip(&seen).all(is_same)
}

/// Whether a word asks for more than one: all, recursively, all targets, detach all.
fn is_of_many(word: &[u8]) -> bool {
    match (word.strip_prefix(b"--"), word.strip_prefix(b"-")) {
        (Some(name), _) => name == b"a" || [&b"al"[..], b"rec", b"detach-a"].iter().any(|it| name.starts_with(it)),
        // Up to a letter that has a value behind it.
        (None, Some(letters)) => {
            letters.iter().take_while(|letter| !b"otTOLUNj".contains(letter)).any(|letter| b"aARD".contains(letter))
        }
        (None, None) => false,
    }
}

/// Whether the line asks not to be told why, or the command is one that never tells: its status is the answer.
fn is_quiet(case: &Case, status: &str) -> bool {
    let is_short = |word: &[u8]| !word.starts_with(b"--") && word.starts_with(b"-") && word.contains(&b'q');
    match case.line[0].as_slice() {
        b"mountpoint" => case.line.iter().any(|word| word.starts_with(b"--q") || is_short(word)),
        b"blkid" => status == "2",
        _ => false,
    }
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
    // What children of mount -F do beside each other is seen by one, or not.
    let is_beside = |word: &Vec<u8>| word.starts_with(b"--fo") || !word.starts_with(b"--") && word.contains(&b'F');
    let is_beside = case.line[0] == b"mount" && case.line.iter().any(is_beside);
    let is_odd = |line: &&&str| !(programs.contains(**line) || is_beside && line.starts_with("mount"));
    if let Some(line) = seen.of("program").iter().find(is_odd) {
        wrong.push(format!("a program runs in something else than what was asked for: {line}"));
    }
    let stderr = seen.of("stderr").first().map(|line| line.to_string()).unwrap_or_default();
    let reported =
        stderr.contains("failed to update userspace mount table") || stderr.contains("was mounted, but failed");
    // Of several operands, or of a whole table, those before the failure stay.
    let allowed: BTreeSet<&String> = state(whole, true).into_iter().chain(state(before, true)).collect();
    // blkid's one effect is a cache: where a call fails it is left as it was, or has less in it.
    let without_size = |line: &&String| line.rsplit_once(' ').map_or(line.to_string(), |(rest, _)| rest.to_string());
    let is_cache = case.line[0] == b"blkid" && {
        let allowed: BTreeSet<String> = allowed.iter().map(without_size).collect();
        state(seen, true).iter().all(|line| allowed.contains(&without_size(line)))
    };
    // As with the original, of a file that may not be written a device is made that cannot be written.
    let is_write_protected = case.line[0] == b"losetup"
        && fault.errno == libc::EACCES
        && state(seen, true)
            .iter()
            .map(|line| line.replace(" ro 1 ", " ro 0 "))
            .eq(state(whole, true).into_iter().cloned());
    let done = state(seen, !reported) == state(whole, !reported) || is_cache || is_write_protected;
    let undone = state(seen, true) == state(before, true);
    if status(seen) == "0" {
        let complained = ["stderr", "later"].iter().any(|kind| seen.of(kind) != whole.of(kind));
        // A device or file that may not be opened blkid passes over without a word, as the original does.
        let is_passed_over = case.line[0] == b"blkid" && fault.errno == libc::EACCES;
        if status(whole) != "0" && !is_passed_over {
            wrong.push("it succeeds only when a call fails".to_string());
        } else if seen.of("program").len() != whole.of("program").len() {
            wrong.push("success, though a program did not run".to_string());
        } else if !done && !complained {
            wrong.push("success, though the work is not done".to_string());
        } else if printed(case, seen) != printed(case, whole)
            && !complained
            && !may_leave_out(&case.line[0], fault, whole, seen)
        {
            wrong.push("success, though something else is printed".to_string());
        }
    } else if status(seen).starts_with("SIG") && status(seen) != status(whole) {
        wrong.push(format!("it dies of {}", status(seen)));
    } else {
        let several = case.line.iter().any(|word| is_of_many(word))
            || case.line.iter().filter(|word| !word.starts_with(b"-")).count() > 2;
        let stepwise =
            several && state(seen, true).iter().all(|line| allowed.contains(line) || line.starts_with("mount "));
        // What unshare has bound it unbinds when a later step fails, mount removes what it has made, and that is what failed.
        let undoing = [(&b"unshare"[..], "umount2"), (b"mount", "unlinkat")];
        let is_undoing = undoing.contains(&(case.line[0].as_slice(), call_name(fault.number).as_str()));
        if !undone && !done && !stepwise && !reported && !is_undoing && !is_beside {
            let (seen, before) = (state(seen, true), state(before, true));
            let odd = seen.iter().find(|line| !allowed.contains(*line));
            let gone = before.iter().find(|line| !seen.contains(line));
            let line = odd.or(gone).map_or("", |line| line.as_str());
            wrong.push(format!("something half-made stays: {line}"));
        }
        if stderr.is_empty()
            && !is_quiet(case, &status(seen))
            && status(seen) != status(whole)
            && seen.of("stdout") == whole.of("stdout")
            && call_name(fault.number) != "write"
        {
            wrong.push("it fails without a word".to_string());
        }
    }
    wrong
}
