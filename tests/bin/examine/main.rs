//! Examines the applets by command lines that nobody wrote, in surroundings that nobody thought of, each run with ours and
//! with the original and compared by effect; see `scripts/examine`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod arguments;
mod capabilities;
mod case;
mod cgroup;
mod changes;
mod compare;
mod effect;
mod faults;
mod filesystems;
mod grammar;
mod images;
mod meant;
mod perform;
mod probe;
mod stage;
mod surroundings;
mod usual;
mod values;
mod world;

use case::Case;
use compare::{Difference, Effect, compare};
use meant::Examined;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::originals::Originals;
use tests::sandbox::APPLETS;
use tests::scratch::Scratch;
use world::Helper;

/// How often a difference is tried anew to make it smaller, and how long.
const SHRINKS: usize = 200;
const SHRINKING: Duration = Duration::from_secs(20);
/// How many numbers sandboxes can have: their loop devices have one digit of their own.
const NUMBERS: usize = 10;

struct Asked {
    seed: u64,
    lines: usize,
    only: Vec<usize>,
    jobs: usize,
    against: String,
    verbose: bool,
    shrinks: usize,
    faults: bool,
    kills: bool,
    meant: bool,
    applets: Vec<&'static str>,
}

fn asked() -> Asked {
    let mut asked = Asked {
        seed: 1,
        lines: 1000,
        only: Vec::new(),
        // Another examination may run beside it.
        jobs: std::thread::available_parallelism().map_or(1, usize::from).min(NUMBERS / 4),
        against: std::env::var("CTRBOX_AGAINST").ok().filter(|name| !name.is_empty()).unwrap_or("unstable".to_string()),
        verbose: false,
        shrinks: SHRINKS,
        faults: false,
        kills: false,
        meant: false,
        applets: Vec::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match argument.as_str() {
            "--seed" => asked.seed = value().parse().expect("a number"),
            "--lines" => asked.lines = value().parse().expect("a number"),
            "--only" => asked.only = value().split(',').map(|line| line.parse().expect("a number")).collect(),
            "--jobs" => asked.jobs = value().parse::<usize>().expect("a number").clamp(1, NUMBERS / 2),
            "--against" => asked.against = value(),
            "--shrinks" => asked.shrinks = value().parse().expect("a number"),
            "--faults" => asked.faults = true,
            "--kills" => asked.kills = true,
            "--meant" => asked.meant = true,
            "--verbose" => asked.verbose = true,
            name => asked.applets.push(APPLETS.iter().find(|applet| **applet == name).expect("an applet")),
        }
    }
    if asked.applets.is_empty() {
        asked.applets = APPLETS.to_vec();
    }
    if !asked.only.is_empty() {
        asked.lines = asked.only.len();
    }
    asked
}

/// Both sides, for one thread.
struct Sides {
    ours: Helper,
    theirs: Helper,
}

impl Sides {
    fn run(&mut self, case: &Case) -> (Effect, Effect) {
        let applet = &case.line[0];
        (Effect::parse(applet, &self.ours.run(case)), Effect::parse(applet, &self.theirs.run(case)))
    }

    /// What differs and is not meant, if it does so whenever it is run.
    fn difference(&mut self, case: &Case, examined: &Examined) -> Outcome {
        let (ours, theirs) = self.run(case);
        let Some(first) = compare(&ours, &theirs) else { return Outcome::Alike };
        let first = examined.unexplained(case, &first, &ours, &theirs);
        if first.is_empty() {
            return Outcome::Meant;
        }
        // Surroundings that came about on one side only say nothing of what is examined.
        if ours.of("step") != theirs.of("step") {
            return Outcome::Unsteady;
        }
        // What the kernel numbers, and when a process is seen, is not the same twice.
        for _ in 0..3 {
            let (again, other) = self.run(case);
            let second = compare(&again, &other).map(|second| examined.unexplained(case, &second, &again, &other));
            if second.is_none_or(|second| first.kind() != second.kind()) {
                return Outcome::Unsteady;
            }
        }
        if self.is_order(case, &first, &ours, &theirs) {
            return Outcome::Order;
        }
        Outcome::Differs(first)
    }

    /// Whether one of them has stopped answering.
    fn is_lost(&self) -> bool {
        self.ours.is_lost || self.theirs.is_lost
    }

    /// Whether a line has two faults, and the sides name another one first: each names the other's when a word less is given.
    fn is_order(&mut self, case: &Case, difference: &Difference, ours: &Effect, theirs: &Effect) -> bool {
        let refused = |effect: &Effect| effect.of("status") != ["0"] && effect.of("program").is_empty();
        let said =
            |line: &String| line.starts_with("stderr ") || line.starts_with("status ") || line.starts_with("stdout ");
        let mut differing = difference.ours.iter().chain(&difference.theirs);
        if !refused(ours) || !refused(theirs) || !differing.all(said) {
            return false;
        }
        let first = |effect: &Effect| effect.of("stderr").first().map(|line| line.to_string());
        let (mut ours_named, mut theirs_named) = (false, false);
        for length in [1, 2] {
            for at in 1..(case.line.len() + 1).saturating_sub(length) {
                let mut less = case.clone();
                less.line.drain(at..at + length);
                let (one, other) = self.run(&less);
                ours_named |= first(&one) == first(theirs);
                theirs_named |= first(&other) == first(ours);
                if ours_named && theirs_named {
                    return true;
                }
            }
        }
        false
    }
}

/// What became of a line.
enum Outcome {
    Alike,
    Meant,
    /// Two faults, in another order.
    Order,
    /// Not the same when it was run again.
    Unsteady,
    Differs(Difference),
}

/// The cases of an applet.
fn cases(applet: &'static str, examined: &Examined) -> BoxedStrategy<Case> {
    (surroundings::surroundings(applet), surroundings::caller(applet), grammar::line(applet, examined))
        .prop_map(|(surroundings, caller, line)| Case { surroundings, caller, line })
        .boxed()
}

/// A runner that makes the same case for the same seed, applet and line.
fn runner(seed: u64, applet: &str, line: usize) -> TestRunner {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(line as u64).to_le_bytes());
    for (byte, letter) in bytes[16..].iter_mut().zip(applet.bytes()) {
        *byte = letter;
    }
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The smallest case that differs in the same way.
fn shrink(
    tree: &mut dyn ValueTree<Value = Case>,
    sides: &mut Sides,
    kind: &str,
    most: usize,
    examined: &Examined,
) -> (Case, Difference) {
    let mut best = None;
    let mut step = tree.simplify();
    let started = Instant::now();
    for _ in 0..most {
        if !step || started.elapsed() > SHRINKING || sides.is_lost() {
            break;
        }
        let case = tree.current();
        match sides.difference(&case, examined) {
            Outcome::Differs(difference) if difference.kind() == kind => {
                best = Some((case, difference));
                step = tree.simplify();
            }
            _ => step = tree.complicate(),
        }
    }
    best.unwrap_or_else(|| (tree.current(), Difference::default()))
}

struct Found {
    line: usize,
    case: Case,
    difference: Difference,
    count: usize,
}

fn main() {
    let called = std::env::args_os().next().unwrap_or_default();
    if Path::new(&called).file_name().is_none_or(|name| name != "examine") {
        probe::tell();
        return;
    }
    let asked = asked();
    // One processor's worth of helpers a job: forked before there are threads.
    let scratch = Scratch::new("examine").unwrap();
    // In memory, and gone with this process.
    unshare(CloneFlags::CLONE_NEWNS).expect("root is needed");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).unwrap();
    mount(Some("stage"), &scratch.0, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
    let (first, _held) = numbers(2 * asked.jobs, &scratch.0);
    let originals = Originals::named(&asked.against).unwrap();
    let examined = Examined::read(&originals.versions);
    stage::prepare(&scratch.0, &originals, first..first + 2 * asked.jobs);
    let mut sides: Vec<Sides> = (0..asked.jobs)
        .map(|job| Sides {
            ours: Helper::start(&scratch.0, "ours", first + 2 * job),
            theirs: Helper::start(&scratch.0, "theirs", first + 2 * job + 1),
        })
        .collect();
    let mut failed = 0;
    for applet in &asked.applets {
        if !asked.faults && !asked.kills && !scratch.0.join("theirs").join(applet).exists() {
            println!("{applet}: these originals have none");
            continue;
        }
        failed += if asked.faults || asked.kills {
            faults::examine(applet, &asked, &examined, &mut sides)
        } else {
            examine(applet, &asked, &examined, &mut sides)
        };
    }
    if asked.meant {
        print!("{}", examined.told());
    }
    if sides.iter().any(Sides::is_lost) {
        eprintln!("examine: helpers have stopped answering, and not all lines were run");
        failed += 1;
    }
    sides.iter().for_each(|sides| {
        sides.ours.end();
        sides.theirs.end();
    });
    cgroup::clean();
    // What is mounted there goes with the namespace.
    let _ = nix::mount::umount2(&scratch.0, nix::mount::MntFlags::MNT_DETACH);
    drop(scratch);
    std::process::exit(i32::from(failed > 0));
}

/// So many numbers of sandboxes in a row that no other examination on this machine has, as long as the files are open: labels
/// and loop devices are called after them. Waits until there are as many. `directory` takes the nodes of devices meanwhile.
fn numbers(count: usize, directory: &Path) -> (usize, Vec<std::fs::File>) {
    let hold = |number: usize| images::hold(number, directory);
    loop {
        for first in 0..=NUMBERS - count {
            if let Some(held) = (first..first + count).map(hold).collect() {
                return (first, held);
            }
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}

/// Examines one applet; returns the number of kinds of differences that are not meant.
fn examine(applet: &'static str, asked: &Asked, examined: &Examined, sides: &mut [Sides]) -> usize {
    let found: Mutex<BTreeMap<String, Found>> = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let total = AtomicUsize::new(0);
    let counts: [AtomicUsize; 4] = std::array::from_fn(|_| AtomicUsize::new(0));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for sides in sides.iter_mut() {
            let (found, next, total, counts) = (&found, &next, &total, &counts);
            scope.spawn(move || {
                let strategy = cases(applet, examined);
                loop {
                    let mut line = next.fetch_add(1, Ordering::Relaxed);
                    if line >= asked.lines || sides.is_lost() {
                        break;
                    }
                    line = asked.only.get(line).copied().unwrap_or(line);
                    let mut runner = runner(asked.seed, applet, line);
                    let mut tree = strategy.new_tree(&mut runner).expect("a case");
                    let case = tree.current();
                    if asked.verbose {
                        println!("{}", case.script());
                    }
                    total.fetch_add(1, Ordering::Relaxed);
                    if asked.verbose {
                        let (ours, theirs) = sides.run(&case);
                        println!("--- ours\n{}\n--- theirs\n{}", ours.lines().join("\n"), theirs.lines().join("\n"));
                    }
                    let outcome = sides.difference(&case, examined);
                    let difference = match outcome {
                        Outcome::Differs(difference) => difference,
                        other => {
                            counts[match other {
                                Outcome::Meant => 0,
                                Outcome::Order => 1,
                                Outcome::Unsteady => 2,
                                _ => 3,
                            }]
                            .fetch_add(1, Ordering::Relaxed);
                            continue;
                        }
                    };
                    let kind = difference.kind();
                    if let Some(known) = found.lock().unwrap().get_mut(&kind) {
                        known.count += 1;
                        continue;
                    }
                    found.lock().unwrap().insert(kind.clone(), Found { line, case, difference, count: 1 });
                    let (case, difference) = shrink(&mut tree, sides, &kind, asked.shrinks, examined);
                    if !difference.ours.is_empty() || !difference.theirs.is_empty() {
                        let mut found = found.lock().unwrap();
                        let known = found.get_mut(&kind).expect("it was inserted");
                        known.case = case;
                        known.difference = difference;
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    for it in found.values() {
        println!("# {applet}, line {} of seed {} (and {} more)", it.line, asked.seed, it.count - 1);
        println!("{}{}", it.case.script(), it.difference.show("#   "));
    }
    let total = total.into_inner();
    println!(
        "{applet}: {total} lines of seed {}: {} alike, {} meant, {} with two faults in another order, {} unsteady, {} differ, in {} kinds ({seconds:.0} s, {:.0} lines a second)",
        asked.seed,
        counts[3].load(Ordering::Relaxed),
        counts[0].load(Ordering::Relaxed),
        counts[1].load(Ordering::Relaxed),
        counts[2].load(Ordering::Relaxed),
        found.values().map(|it| it.count).sum::<usize>(),
        found.len(),
        total as f64 / seconds
    );
    found.len()
}
