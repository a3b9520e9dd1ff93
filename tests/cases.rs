//! Runs the cases of `tests/cases/*.toml` on ours and on theirs and prints where they fail.
//!
//! `cargo test -p tests --test cases -- [--against NAME] [--ours|--theirs] [--emulate VERSION[,ERROR]] [--list]
//! [--verbose] [PATTERN...]`: patterns are regular expressions on `FILE: NAME`; the variable CASES is one, too. NAME is
//! debian12, debian13, unstable (the newest) or host. It closes with a line `cases: N passed, N failed, N skipped`.

use regex::Regex;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::case::{self, Case, Differs, Only};
use tests::emulation::Emulation;
use tests::judge;
use tests::needs;
use tests::originals::{Originals, Versions};
use tests::sandbox::{Run, Side, Stage, artefact};

#[derive(Default)]
struct Options {
    ours_only: bool,
    theirs_only: bool,
    list: bool,
    verbose: bool,
    emulation: Option<Emulation>,
    against: Option<String>,
    patterns: Vec<Regex>,
}

enum Verdict {
    Passed(Vec<String>),
    Failed(Vec<String>),
    Skipped(String),
}

struct Outcome {
    verdict: Verdict,
    runs: Vec<(Side, Run)>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cases: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let options = options()?;
    let mut cases = case::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"))?;
    cases.retain(|case| {
        let title = title(case);
        options.patterns.is_empty() || options.patterns.iter().any(|pattern| pattern.is_match(&title))
    });
    if let Some(emulation) = options.emulation {
        let all = cases.len();
        cases.retain(|case| case.kernel.is_none_or(|kernel| kernel <= emulation.kernel));
        println!("cases: {} ask for a newer kernel than {}", all - cases.len(), emulation.kernel);
    }
    if options.list {
        for case in &cases {
            println!("{}", title(case));
        }
        return Ok(true);
    }
    let originals = options.against.as_deref().map_or_else(Originals::chosen, Originals::named)?;
    println!("cases: against {}: {}", originals.name, originals.versions);
    let outcomes = run_all(&cases, &options, &originals)?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (case, outcome) in cases.iter().zip(&outcomes) {
        match &outcome.verdict {
            Verdict::Passed(notes) => {
                passed += 1;
                for note in notes {
                    println!("note {}: {note}", title(case));
                }
            }
            Verdict::Failed(faults) => {
                failed += 1;
                report(case, faults, &outcome.runs);
            }
            Verdict::Skipped(reason) => {
                skipped += 1;
                println!("skipped {}: {reason}", title(case));
            }
        }
    }
    println!("cases: {passed} passed, {failed} failed, {skipped} skipped");
    Ok(failed == 0)
}

fn options() -> Result<Options, Box<dyn std::error::Error>> {
    let mut options = Options::default();
    if let Some(pattern) = std::env::var("CASES").ok().filter(|pattern| !pattern.is_empty()) {
        options.patterns.push(Regex::new(&pattern)?);
    }
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--emulate" => {
                let wanted = arguments.next().unwrap_or_default();
                let (kernel, answer) = wanted.split_once(',').unwrap_or((&wanted, "ENOSYS"));
                options.emulation = Some(Emulation { kernel: kernel.parse()?, answer: answer.parse()? });
            }
            "--ours" => options.ours_only = true,
            "--theirs" => options.theirs_only = true,
            "--list" => options.list = true,
            "--against" => options.against = Some(arguments.next().ok_or("--against NAME")?),
            "-v" | "--verbose" => options.verbose = true,
            // What `cargo test` hands to every test program.
            "--nocapture" | "--quiet" | "-q" | "--include-ignored" => {}
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            pattern => options.patterns.push(Regex::new(pattern)?),
        }
    }
    Ok(options)
}

fn title(case: &Case) -> String {
    format!("{}: {}", case.file, case.name)
}

/// One outcome for each case, in their order; as many at a time as there are processors.
fn run_all(cases: &[Case], options: &Options, originals: &Originals) -> std::io::Result<Vec<Outcome>> {
    let mut known = BTreeMap::new();
    let root = ["root".to_string()];
    let lacks: Vec<Option<String>> = cases
        .iter()
        .map(|case| needs::missing(&root, &mut known).or_else(|| needs::missing(&case.needs, &mut known)))
        .collect();
    let mut stage = Stage::with(Path::new(env!("CARGO_BIN_EXE_sandbox")), originals, &artefact()?)?;
    stage.emulation = options.emulation;
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Outcome>> = Mutex::new(BTreeMap::new());
    // Loop devices have one set of numbers for the whole machine: a case would detach another's.
    let loops = Mutex::new(());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(case), Some(lack)) = (cases.get(index), lacks.get(index)) else { break };
                    let outcome = match lack {
                        Some(reason) => Outcome { verdict: Verdict::Skipped(reason.clone()), runs: Vec::new() },
                        None => {
                            let alone = case.needs.iter().any(|need| need == "loop");
                            let _turn = alone.then(|| loops.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
                            run_one(&stage, &originals.versions, case, options)
                        }
                    };
                    if options.verbose {
                        println!("ran {}", title(case));
                    }
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(index, outcome);
                }
            });
        }
    });
    Ok(done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect())
}

fn run_one(stage: &Stage, versions: &Versions, case: &Case, options: &Options) -> Outcome {
    let mut runs = Vec::new();
    let mut broken = Vec::new();
    for side in [Side::Theirs, Side::Ours] {
        let wanted = match side {
            Side::Ours => !options.theirs_only,
            Side::Theirs => !options.ours_only && (case.only == Only::Both || case.differs(versions) == Differs::No),
        };
        if wanted {
            match stage.run(side, needs::accounts(&case.needs), &case.run) {
                Ok(run) => runs.push((side, run)),
                Err(error) => broken.push(format!("{}: the sandbox failed: {error}", side.name())),
            }
        }
    }
    let of = |wanted| runs.iter().find(|(side, _)| *side == wanted).map(|(_, run)| run);
    let judge::Verdict { mut faults, notes } = judge::judge(case, of(Side::Ours), of(Side::Theirs), versions);
    faults.extend(broken);
    let verdict = if faults.is_empty() { Verdict::Passed(notes) } else { Verdict::Failed(faults) };
    Outcome { verdict, runs }
}

fn report(case: &Case, faults: &[String], runs: &[(Side, Run)]) {
    println!("FAILED {}", title(case));
    for line in case.run.trim().lines() {
        println!("    $ {line}");
    }
    for fault in faults {
        println!("  {fault}");
    }
    for (side, run) in runs {
        println!("  {}: status {}", side.name(), run.status);
        for (name, text) in [("out", &run.stdout), ("err", &run.stderr)] {
            for line in text.lines() {
                println!("    {name}| {line}");
            }
        }
    }
}
