//! `bench SCENE [OPTION]... [ROW]...`: what `scripts/bench` prints. SCENE is an empty directory.
//!
//! Method: counts first ([`counts`]), each command once. Then time: from posix_spawn(3) to waitpid(2),
//! with no environment but PATH, pinned to one processor and there before everything else (SCHED_FIFO).
//! The peers of a row take turns, one run each, in an order that is reversed each round ([`Turns`]), so
//! that drift hits all alike; a round gives one ratio to ours for each peer, and their median and
//! quartiles are printed. Ours is one of its own peers: a row in which that is not 1 is void.
//! The rows that walk a tree use every processor, as any other program, as that is what they measure.

mod builds;
mod counts;
mod functions;
mod peers;
mod report;
mod rows;
mod scene;

use builds::Build;
use counts::Counts;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::unistd::Pid;
use peers::{Peer, Ready};
use rows::{Effect, ROWS, Row};
use scene::Scene;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// At most so many rounds at the start of a row whose times are thrown away.
const WARM_UP: usize = 10;

struct Options {
    scene: PathBuf,
    rounds: usize,
    counts: bool,
    json: bool,
    check: bool,
    rows: Vec<String>,
    /// Compared with each other, in place of the rows.
    builds: Vec<Build>,
    /// A program with symbols, whose functions are printed in place of the rows.
    functions: Option<PathBuf>,
}

/// What one peer did.
struct Measured {
    peer: Peer,
    counts: Counts,
    /// What [`Row::effect`] asks for.
    effect: String,
    times: Vec<Duration>,
    failures: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let options = options()?;
    let every_processor = sched_getaffinity(Pid::from_raw(0))?;
    let mut processor = CpuSet::new();
    let first = (0..CpuSet::count()).find(|number| every_processor.is_set(*number).unwrap_or(false));
    processor.set(first.ok_or("no processor")?)?;
    // What a row mounts is gone with this process.
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    // How many calls umount makes depends on what the machine has in utab: here it has nothing.
    std::fs::create_dir_all("/run/mount")?;
    mount(Some("utab"), "/run/mount", Some("tmpfs"), MsFlags::empty(), none)?;

    let mut scene = Scene::make(&options.scene)?;
    if let Some(program) = &options.functions {
        functions::print(program, &mut scene)?;
        return Ok(true);
    }
    let about = report::About::new(&scene, options.rounds)?;
    if !options.json {
        about.print();
    }
    if !options.builds.is_empty() {
        sched_setaffinity(Pid::from_raw(0), &processor)?;
        set_realtime(true)?;
        builds::print(&options.builds, &scene, options.rounds)?;
        return Ok(true);
    }
    let mut verdicts = Vec::new();
    for row in ROWS {
        let named = options.rows.iter().any(|part| row.name.contains(part.as_str()));
        if !named && (!options.rows.is_empty() || (options.counts && row.large)) {
            continue;
        }
        sched_setaffinity(Pid::from_raw(0), if row.all_processors { &every_processor } else { &processor })?;
        // Counts do not depend on who else runs, and a cgroup without time for it refuses SCHED_FIFO.
        set_realtime(!options.counts && !row.all_processors)?;
        let measured = (row.prepare)(&mut scene).and_then(|()| measure(row, &scene, &options));
        (row.undo)(&mut scene);
        let measured = measured.map_err(|error| format!("{}: {error}", row.name))?;
        let verdict = report::judge(row, &measured);
        if !options.json {
            verdict.print();
        }
        verdicts.push(verdict);
    }
    if verdicts.is_empty() {
        return Err("there is no such row".into());
    }
    let missed: Vec<String> =
        about.misses().into_iter().chain(verdicts.iter().flat_map(report::Verdict::misses)).collect();
    if options.json {
        println!("{}", report::as_json(&about, &verdicts, &missed));
    } else {
        report::print_misses(&missed);
    }
    Ok(missed.is_empty() || !options.check)
}

/// Whether other programs wait while this one, or what it starts, can run: sched(7).
fn set_realtime(realtime: bool) -> Result<()> {
    let policy = if realtime { libc::SCHED_FIFO } else { libc::SCHED_OTHER };
    // SAFETY: all zero is a valid value of this plain structure, and the call only reads it.
    let status = unsafe {
        let mut parameters: libc::sched_param = std::mem::zeroed();
        parameters.sched_priority = i32::from(realtime);
        libc::sched_setscheduler(0, policy, &parameters)
    };
    nix::errno::Errno::result(status)?;
    Ok(())
}

fn options() -> Result<Options> {
    let mut arguments = std::env::args().skip(1);
    let scene = PathBuf::from(arguments.next().ok_or("no scene")?).canonicalize()?;
    let mut options = Options {
        scene,
        rounds: 200,
        counts: false,
        json: false,
        check: false,
        rows: Vec::new(),
        builds: Vec::new(),
        functions: None,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => options.rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            "--counts" => options.counts = true,
            "--json" => options.json = true,
            "--check" => options.check = true,
            "--build" => options.builds.push(Build::parse(&arguments.next().ok_or("--build needs NAME=FILE")?)?),
            "--functions" => options.functions = Some(arguments.next().ok_or("--functions needs a program")?.into()),
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            _ => options.rows.push(argument),
        }
    }
    if options.counts {
        options.rounds = 0;
    } else if options.rounds < 3 {
        return Err("fewer than 3 rounds say nothing".into());
    }
    Ok(options)
}

fn measure(row: &Row, scene: &Scene, options: &Options) -> Result<Vec<Measured>> {
    let mut commands: Vec<(Ready, Measured)> = Vec::new();
    for peer in Peer::ALL {
        let Some(ready) = Ready::new(row, peer, scene)? else { continue };
        (row.before_each)(scene);
        let counts = counts::count(&ready, row, scene)?;
        let effect = match row.effect {
            _ if peer == Peer::Empty => String::new(),
            Effect::OnProgram => counts.program.clone(),
            Effect::Output => counts.output.clone(),
            Effect::Found(look) => look(scene),
            Effect::Unknown => String::new(),
        };
        (row.after_each)(scene);
        if counts.succeeds {
            commands.push((ready, Measured { peer, counts, effect, times: Vec::new(), failures: 0 }));
        } else if matches!(peer, Peer::Theirs | Peer::Busybox) {
            eprintln!("bench: {}: {} cannot do this and is left out", row.name, peer.name());
        } else {
            return Err(format!("{} fails", peer.name()).into());
        }
    }
    let rounds = options.rounds.min(row.rounds);
    let warm_up = WARM_UP.min(rounds / 3);
    let mut turns = Turns::new(commands.len());
    for round in 0..warm_up + rounds {
        for &index in turns.next() {
            let Some((command, measured)) = commands.get_mut(index) else { continue };
            (row.before_each)(scene);
            let (time, succeeds) = command.run()?;
            (row.after_each)(scene);
            measured.failures += usize::from(!succeeds);
            if round >= warm_up {
                measured.times.push(time);
            }
        }
    }
    Ok(commands.into_iter().map(|(_, measured)| measured).collect())
}

/// The order in which peers take turns: another one every other round, and between them its reverse. A command
/// takes longer after a large one, so none is to come after the same one always.
struct Turns {
    order: Vec<usize>,
    reverse: bool,
    /// The state of a linear congruential generator, the same in every run.
    random: u64,
}

impl Turns {
    fn new(count: usize) -> Turns {
        Turns { order: (0..count).collect(), reverse: false, random: 1 }
    }

    fn next(&mut self) -> &[usize] {
        if self.reverse {
            self.order.reverse();
        } else {
            for last in (1..self.order.len()).rev() {
                self.random =
                    self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                self.order.swap(last, (self.random >> 33) as usize % (last + 1));
            }
        }
        self.reverse = !self.reverse;
        &self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_round_is_the_one_before_in_reverse() {
        let mut turns = Turns::new(5);
        for _ in 0..10 {
            let there = turns.next().to_vec();
            let mut back = turns.next().to_vec();
            back.reverse();
            assert_eq!(there, back);
            back.sort_unstable();
            assert_eq!(back, [0, 1, 2, 3, 4]);
        }
    }
}
