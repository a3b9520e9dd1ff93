//! From what was measured to ratios, bars missed, a table and JSON.

use crate::peers::Peer;
use crate::rows::Row;
use crate::scene::Scene;
use crate::{Measured, Result};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How large the program may be, in bytes.
const SIZE_BAR: u64 = 545_000;

/// What a run is about.
pub struct About {
    kernel: String,
    size: u64,
    /// What each original says of its version, and busybox.
    peers: Vec<String>,
    /// What one CPUID takes: where it traps (in a virtual machine) every start of a glibc program pays
    /// for it dozens of times.
    cpuid: Option<u128>,
    rounds: usize,
}

impl About {
    pub fn new(scene: &Scene, rounds: usize) -> Result<About> {
        let mut peers = Vec::new();
        for (program, argument) in
            [("theirs/unshare", "--version"), ("theirs/chroot", "--version"), ("busybox/busybox", "--help")]
        {
            if let Ok(output) = Command::new(scene.path(program)).arg(argument).stderr(Stdio::null()).output() {
                peers.extend(String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_string));
            }
        }
        Ok(About {
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_string(),
            size: fs::metadata(scene.path("ours/ctrbox"))?.len(),
            peers,
            cpuid: cost_of_cpuid(),
            rounds,
        })
    }

    pub fn print(&self) {
        println!("kernel {}", self.kernel);
        println!("ours: {} bytes", self.size);
        println!("peers: {}", self.peers.join("; "));
        if let Some(nanoseconds) = self.cpuid {
            println!("one CPUID instruction: {nanoseconds} ns");
        }
        println!("calls: system calls; faults: page faults; peak: KiB of memory; each of all processes of a command");
        if self.rounds > 0 {
            println!("{} rounds; time: median in microseconds; ratio to ours: median (quartiles)", self.rounds);
        }
    }

    /// Counts alone are of the commands; scripts/build looks at the size, too.
    pub fn misses(&self) -> Vec<String> {
        let miss = || format!("target/ctrbox has {} bytes, more than {SIZE_BAR}", self.size);
        if self.size > SIZE_BAR && self.rounds > 0 { vec![miss()] } else { Vec::new() }
    }
}

#[cfg(target_arch = "x86_64")]
fn cost_of_cpuid() -> Option<u128> {
    let mut times: Vec<u128> = (0..1000)
        .map(|_| {
            let start = Instant::now();
            // SAFETY: every x86-64 processor has CPUID. (Newer compilers need no `unsafe` here.)
            #[allow(unused_unsafe)]
            std::hint::black_box(unsafe { std::arch::x86_64::__cpuid(0) });
            start.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(not(target_arch = "x86_64"))]
fn cost_of_cpuid() -> Option<u128> {
    None
}

/// What a row says.
pub struct Verdict {
    name: &'static str,
    lines: Vec<Line>,
}

/// What a row says of one peer.
struct Line {
    peer: Peer,
    calls: usize,
    faults: usize,
    peak: usize,
    /// Without rounds there is no time.
    time: Option<Time>,
    failures: usize,
    /// What differs from ours in its effect.
    remark: String,
    misses: Vec<String>,
}

pub struct Time {
    /// The median in microseconds.
    pub median: f64,
    /// The quartiles of the rounds' ratios of its time to ours.
    pub ratio: [f64; 3],
}

pub fn judge(row: &Row, measured: &[Measured]) -> Verdict {
    let Some(ours) = measured.iter().find(|other| other.peer == Peer::Ours) else {
        return Verdict { name: row.name, lines: Vec::new() };
    };
    let floor =
        measured.iter().find(|other| other.peer == Peer::Floor).and_then(|floor| time(&ours.times, &floor.times));
    let floor = floor.map_or(f64::NAN, |Time { ratio: [_, ratio, _], .. }| ratio);
    let lines = measured.iter().map(|peer| line(row, ours, peer, floor)).collect();
    Verdict { name: row.name, lines }
}

/// `floor` is the ratio of the floor's time to ours.
fn line(row: &Row, ours: &Measured, peer: &Measured, floor: f64) -> Line {
    let mut misses = Vec::new();
    let counts = &peer.counts;
    let time = time(&ours.times, &peer.times);
    if peer.failures > 0 {
        misses.push(format!("{} of {} runs fail", peer.failures, peer.times.len()));
    }
    if let Some(Time { ratio: [_, ratio, _], .. }) = time {
        // Where the floor cannot reach the bar either, nobody can.
        let at_least = |bar: f64| {
            let of_floor = ratio / floor;
            (ratio < bar).then(|| format!("takes {ratio:.2} of our time, not {bar:.2}; {of_floor:.2} of the floor's"))
        };
        misses.extend(match peer.peer {
            Peer::Ours | Peer::Empty => None,
            Peer::Control => {
                ((ratio - 1.0).abs() > row.control).then(|| format!("void: ours takes {ratio:.3} of its own time"))
            }
            Peer::Floor => {
                let ours = 1.0 / ratio;
                (ours > row.floor_bar)
                    .then(|| format!("ours takes {ours:.2} of the floor, more than {}", row.floor_bar))
            }
            Peer::Theirs => at_least(row.bar),
            Peer::Busybox => at_least(row.busybox_bar.unwrap_or(row.bar)),
        });
    }
    if peer.peer == Peer::Busybox && ours.counts.calls > counts.calls {
        misses.push(format!("ours makes {} system calls, it makes {}", ours.counts.calls, counts.calls));
    }
    if matches!(peer.peer, Peer::Theirs | Peer::Busybox) && ours.counts.peak > counts.peak {
        misses.push(format!("ours takes {} KiB, it takes {}", ours.counts.peak, counts.peak));
    }
    let differs = peer.peer != Peer::Empty && peer.effect != ours.effect;
    if differs && peer.peer == Peer::Floor {
        misses.push("the floor does not do the same".to_string());
    }
    let remark = if differs { difference(&ours.effect, &peer.effect) } else { String::new() };
    Line {
        peer: peer.peer,
        calls: counts.calls,
        faults: counts.faults,
        peak: counts.peak,
        time,
        failures: peer.failures,
        remark,
        misses,
    }
}

/// The first line in which an effect differs from ours.
fn difference(ours: &str, other: &str) -> String {
    let mut others = other.lines();
    for line in ours.lines() {
        match others.next() {
            Some(other) if other == line => {}
            other => return format!("does: {}", other.unwrap_or("less")),
        }
    }
    format!("does: {}", others.next().unwrap_or_default())
}

pub fn time(ours: &[Duration], times: &[Duration]) -> Option<Time> {
    let ratios = times.iter().zip(ours).map(|(peer, ours)| peer.as_secs_f64() / ours.as_secs_f64());
    let [_, median, _] = quartiles(times.iter().map(|time| time.as_secs_f64() * 1e6).collect());
    (!times.is_empty()).then(|| Time { median, ratio: quartiles(ratios.collect()) })
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values.get(values.len() * quarter / 4).copied().unwrap_or(f64::NAN);
    [at(1), at(2), at(3)]
}

impl Verdict {
    pub fn print(&self) {
        println!("\n{}", self.name);
        println!("  {:12} {:>7} {:>7} {:>6} {:>9}  ratio to ours", "", "calls", "faults", "peak", "time");
        for line in &self.lines {
            let time = line.time.as_ref().map_or(String::new(), |Time { median, ratio: [low, middle, high] }| {
                format!("{median:9.0}  {middle:6.2} ({low:.2} .. {high:.2})")
            });
            let remark =
                if line.misses.is_empty() { String::new() } else { format!("MISSES {}  ", line.misses.join(", ")) };
            let counts = format!("{:7} {:7} {:6}", line.calls, line.faults, line.peak);
            println!("{}", format!("  {:12} {counts} {time}  {remark}{}", line.peer.name(), line.remark).trim_end());
        }
    }

    /// What missed its bar, a line each.
    pub fn misses(&self) -> Vec<String> {
        let of = |line: &Line| {
            let about = format!("{}, {}: ", self.name, line.peer.name());
            line.misses.iter().map(move |miss| about.clone() + miss).collect::<Vec<_>>()
        };
        self.lines.iter().flat_map(of).collect()
    }
}

pub fn print_misses(missed: &[String]) {
    println!("\n{} bars missed", missed.len());
    for miss in missed {
        println!("  {miss}");
    }
}

/// Everything. The texts have no character that Rust writes otherwise than JSON does.
pub fn as_json(about: &About, verdicts: &[Verdict], missed: &[String]) -> String {
    let peers = |verdict: &Verdict| {
        let lines = verdict.lines.iter().map(|line| {
            let time = line.time.as_ref().map_or(String::new(), |Time { median, ratio: [low, middle, high] }| {
                format!(",\"microseconds\":{median:.1},\"ratio\":{middle:.4},\"quartiles\":[{low:.4},{high:.4}]")
            });
            format!(
                "{{\"peer\":{:?},\"calls\":{},\"faults\":{},\"peak\":{}{time},\"failures\":{},\"remark\":{:?},\"misses\":{:?}}}",
                line.peer.name(),
                line.calls,
                line.faults,
                line.peak,
                line.failures,
                line.remark,
                line.misses
            )
        });
        lines.collect::<Vec<_>>().join(",")
    };
    let rows: Vec<String> = verdicts
        .iter()
        .map(|verdict| format!("{{\"row\":{:?},\"peers\":[{}]}}", verdict.name, peers(verdict)))
        .collect();
    format!(
        "{{\"kernel\":{:?},\"size\":{},\"versions\":{:?},\"cpuid_nanoseconds\":{},\"rounds\":{},\"rows\":[{}],\"missed\":{:?}}}",
        about.kernel,
        about.size,
        about.peers,
        about.cpuid.map_or("null".to_string(), |nanoseconds| nanoseconds.to_string()),
        about.rounds,
        rows.join(","),
        missed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_values() {
        assert_eq!(quartiles(vec![5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_difference_is_the_first_line_that_is_not_ours() {
        assert_eq!(difference("a\nb\n", "a\nc\n"), "does: c");
        assert_eq!(difference("a\nb\n", "a\n"), "does: less");
        assert_eq!(difference("a\n", "a\nb\n"), "does: b");
    }
}
