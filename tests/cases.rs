//! Runs the cases of `tests/cases/*.toml` on ours and on theirs and prints where they fail.
//!
//! `cargo test -p tests --test cases -- [--against NAME] [--ours|--theirs] [--emulate VERSION[,ERROR]] [--list]
//! [--verbose] [PATTERN...]`: patterns are regular expressions on `FILE: NAME`; the variable CASES is one, too. NAME is
//! debian12, debian13, unstable (the newest) or host. `--stub` runs programs that do nothing in place of ours, which
//! must not pass a row that does not say so (`stub`). It closes with a line `cases: N passed, N failed, N skipped`.

use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tests::case::{self, Case, Differs, Only};
use tests::emulation::Emulation;
use tests::judge;
use tests::needs;
use tests::originals::{Originals, Versions};
use tests::sandbox::{Run, Side, Stage, artefact};
use tests::scratch::Scratch;

#[derive(Default)]
struct Options {
    ours_only: bool,
    theirs_only: bool,
    list: bool,
    verbose: bool,
    stub: bool,
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
    if options.ours_only || options.theirs_only {
        let all = cases.len();
        cases.retain(Case::has_expectations);
        println!("cases: {} are compared with the other side, which is not run", all - cases.len());
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
            "--stub" => options.stub = true,
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
    let sandbox = Path::new(env!("CARGO_BIN_EXE_sandbox"));
    // Of ours nothing is run where stubs are.
    let ours = if options.stub { sandbox.to_path_buf() } else { artefact()? };
    let mut stage = Stage::with(sandbox, originals, &ours)?;
    stage.emulation = options.emulation;
    let stubs = if options.stub { stubs(originals)? } else { Vec::new() };
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, Outcome>> = Mutex::new(BTreeMap::new());
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
                            let _turn = needs::turn(case.needs.iter().any(|need| need == "loop"));
                            run_one(&stage, &stubs, originals, case, options)
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

/// Stages in which each of our commands is a program that does nothing and ends with 0, or with 1.
fn stubs(originals: &Originals) -> std::io::Result<Vec<(u8, Stage)>> {
    let made = Scratch::new("stub")?;
    let stage = |status: u8| {
        let program = made.0.join(status.to_string());
        fs::write(&program, format!("#!/bin/sh\nexit {status}\n"))?;
        let mut stage = Stage::with(Path::new(env!("CARGO_BIN_EXE_sandbox")), originals, &program)?;
        // What waits for an effect waits for ever.
        stage.timeout = Duration::from_secs(2);
        Ok((status, stage))
    };
    [0, 1].into_iter().map(stage).collect()
}

/// Whether a row passes where nothing is done, and whether it says that it is meant to.
fn run_stubs(stubs: &[(u8, Stage)], versions: &Versions, case: &Case, theirs: Option<&Run>) -> Outcome {
    let mut passed = Vec::new();
    for (status, stage) in stubs {
        let stub = stage.run(Side::Ours, needs::accounts(&case.needs), &case.run).unwrap_or_default();
        let is_compared = case.has_expectations() || (theirs.is_some() && case.differs(versions) == Differs::No);
        if is_compared && judge::judge(case, Some(&stub), theirs, versions).faults.is_empty() {
            passed.push(status.to_string());
        }
    }
    let verdict = match (&case.stub, passed.as_slice()) {
        (None, []) => Verdict::Passed(Vec::new()),
        (None, passed) => {
            Verdict::Failed(vec![format!("a program that only ends with {} passes", passed.join(" or "))])
        }
        (Some(_), []) => Verdict::Passed(vec!["no stub passes it (any more), whatever `stub` says".to_string()]),
        (Some(_), _) => Verdict::Passed(Vec::new()),
    };
    Outcome { verdict, runs: Vec::new() }
}

fn run_one(stage: &Stage, stubs: &[(u8, Stage)], originals: &Originals, case: &Case, options: &Options) -> Outcome {
    let versions = &originals.versions;
    let mut runs = Vec::new();
    let mut broken = Vec::new();
    for side in [Side::Theirs, Side::Ours] {
        let wanted = match side {
            Side::Ours => !options.theirs_only && !options.stub,
            Side::Theirs if options.stub && case.has_expectations() => false,
            Side::Theirs => !options.ours_only && (case.only == Only::Both || case.differs(versions) == Differs::No),
        };
        if wanted {
            match stage.run(side, needs::accounts(&case.needs), &stage.with_tools(&case.file, &case.run)) {
                Ok(run) => runs.push((side, run)),
                Err(error) => broken.push(format!("{}: the sandbox failed: {error}", side.name())),
            }
        }
    }
    let of = |wanted| runs.iter().find(|(side, _)| *side == wanted).map(|(_, run)| run);
    if options.stub {
        return run_stubs(stubs, versions, case, of(Side::Theirs));
    }
    let judge::Verdict { mut faults, mut notes } = judge::judge(case, of(Side::Ours), of(Side::Theirs), versions);
    // Where a kernel is emulated, it is for ours alone, and may be told of.
    if let (Some(ours), Some(theirs)) = (of(Side::Ours), of(Side::Theirs))
        && originals.are_newest()
        && options.emulation.is_none()
    {
        let open = judge::apart(case, ours, theirs, versions);
        faults.extend(open.faults);
        notes.extend(open.notes);
    }
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
