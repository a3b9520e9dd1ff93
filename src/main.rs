//! ctrbox: the commands that containers are made of, in one program.
//!
//! The exact last component of `argv[0]` chooses the applet; called by its own name it takes the
//! applet as its first argument, lists them, or makes links to itself.
#![no_main]

mod doctor;
mod install;
mod shell;

use cli::{
    Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, failure::Line, text,
};
use run::exec::Program;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicUsize, Ordering};

linux::entry!(start);

#[global_allocator]
static HEAP: linux::heap::Heap = linux::heap::Heap::new(memory_exhausted);

/// Which of the applets this process is, for [`memory_exhausted`].
static RUNNING: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Reports that memory is exhausted and exits with failure, without allocating.
fn memory_exhausted() -> ! {
    let applet = applets::APPLETS.get(RUNNING.load(Ordering::Relaxed)).copied().unwrap_or(&CTRBOX);
    for piece in [applet.name.as_bytes(), b": memory exhausted\n"] {
        let _ = linux::raw::write_all_to(2, piece);
    }
    linux::process::exit_child(applet.usage_status)
}

/// The exit status for a name that is no applet, the shell's for a command not found.
const UNKNOWN: u8 = 127;

static CTRBOX: Applet = Applet {
    name: "ctrbox",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::Ctrbox,
    summary: "The commands that containers are made of, in one program",
    synopsis: "APPLET [ARGUMENT]...\n\
        --list | --list-full\n\
        --install [-s] [--force] [DIR]\n\
        --uninstall [DIR]\n\
        doctor [--json]\n\
        shell [--rootfs DIR] [--trace]\n\
        explain APPLET [ARGUMENT]...\n\
        man [APPLET]\n\
        completion bash|zsh|fish",
    notes: "Called by the name of an applet (a link makes one), it is that applet.",
    usage_status: 1,
    options: &OPTIONS.specs,
    run: run_ctrbox,
    explain: |_, _| Ok(None),
};

/// ctrbox and its commands that are no applets but have options.
static OWN: &[&Applet] = &[&CTRBOX, &doctor::DOCTOR, &shell::SHELL];

/// What ctrbox is asked to do by its own name.
#[derive(Default)]
struct Options {
    list: bool,
    list_full: bool,
    install: bool,
    uninstall: bool,
    symbolic: bool,
    force: bool,
    version: bool,
    verbose: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(None, "list", "list the applets", |options| options.list = true),
    Opt::flag(None, "list-full", "list the applets with the directory each belongs in", |options| {
        options.list_full = true;
    }),
    Opt::flag(None, "install", "link every applet into DIR, or each into its directory below /", |options| {
        options.install = true;
    }),
    Opt::flag(None, "uninstall", "remove those links", |options| options.uninstall = true),
    Opt::flag(Some('s'), "symbolic", "make symbolic links, not hard ones", |options| options.symbolic = true),
    Opt::flag(None, "force", "replace files that are not ours", |options| options.force = true),
    Opt::help(Some('h')),
    Opt::flag(Some('V'), "version", "display version", |options| options.version = true),
    Opt::flag(None, "verbose", "with --version: tell how it was built", |options| options.verbose = true),
];

/// How it was built, which scripts/build says when it compiles.
const BUILT: &str = match option_env!("CTRBOX_BUILD") {
    Some(how) => how,
    None => "by cargo alone; scripts/build makes a smaller one",
};

/// The C library that is in it.
const LIBC: &str = if cfg!(target_env = "musl") { "musl" } else { "glibc" };

/// The rows, packed.
static OPTIONS: Table<Options> = cli::table!(ROWS);

/// What the C entry point calls.
fn start(arguments: &[&'static OsStr]) -> u8 {
    let (argv0, args) =
        arguments.split_first().map_or((OsStr::new("ctrbox"), arguments), |(first, rest)| (*first, rest));
    // login(1) and its like put a hyphen before the name.
    let name = argv0.as_bytes().strip_prefix(b"-").map_or(argv0, OsStr::from_bytes);
    let name = cli::called::last_component(name);
    let applet = if name == CTRBOX.name { Some(&CTRBOX) } else { become_applet(name) };
    let invocation = Invocation::new(applet.unwrap_or(&CTRBOX), argv0, args);
    if let Some(status) = refused(&invocation) {
        return status;
    }
    // After the AT_SECURE check: a set-user-ID process would create the trace file as its owner.
    linux::start::trace();
    if applet.is_none() {
        unknown(name).print(&invocation);
        return UNKNOWN;
    }
    invocation.run()
}

/// The applet of a name, which this process is from now on.
fn become_applet(name: &OsStr) -> Option<&'static Applet> {
    let index = applets::APPLETS.iter().position(|applet| name == applet.name)?;
    RUNNING.store(index, Ordering::Relaxed);
    applets::APPLETS.get(index).copied()
}

/// Refuses to run with privilege that the kernel marked as borrowed (AT_SECURE), unless nobody gains by it.
fn refused(invocation: &Invocation<'_>) -> Option<u8> {
    if !linux::secure::is_secure_execution() {
        return None;
    }
    let applet = invocation.applet;
    let [real, effective, _] = linux::credentials::all_uids();
    let hint = if linux::secure::file_gives_privilege() {
        "the file of this program gives it: one privileged file would be every applet at once; remove its set-user-ID and \
         set-group-ID bits and its file capabilities"
    } else if matches!(applet.name, "mount" | "umount") && !real.is_root() && real != effective {
        "the real user and the effective one differ, and there is no restricted mode for the real one: become root wholly"
    } else {
        return None;
    };
    let failure = Failure::new(applet.usage_status, text!["refuses to run with more privilege than its caller"]);
    failure.hint(hint).print(invocation);
    Some(applet.usage_status)
}

fn unknown(name: &OsStr) -> Failure {
    let names: Vec<&str> = applets::APPLETS.iter().map(|applet| applet.name).collect();
    cli::fail!(plain UNKNOWN, "ctrbox: '", name, "' is not an applet")
        .and(Line::Plain(text!["The applets are: ", names.join(" ")]))
}

fn run_ctrbox(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    if options.version {
        output.print(cli::help::version(invocation, ""));
        if options.verbose {
            output.print(text!["Built for ", std::env::consts::ARCH, " with ", LIBC, ", ", BUILT, "\n"]);
        }
        return Ok(0);
    }
    if options.list || options.list_full {
        for applet in applets::APPLETS {
            if options.list_full {
                output.print(text![applet.directory.path(), "/"]);
            }
            output.print(text![applet.name, "\n"]);
        }
        return Ok(0);
    }
    if options.install || options.uninstall {
        return install::run(&options, &operands);
    }
    run_applet(&operands, output)
}

/// `ctrbox APPLET ARGUMENT...`.
fn run_applet(operands: &[&'static OsStr], output: &mut Output) -> Outcome {
    let Some((name, args)) = operands.split_first() else {
        return Err(cli::fail!(usage 1, "no applet specified"));
    };
    let Some(applet) = become_applet(name) else {
        return match (name.to_str(), args) {
            (Some("doctor"), _) => run_own(&doctor::DOCTOR, args),
            (Some("shell"), _) => run_own(&shell::SHELL, args),
            (Some("explain" | "man" | "completion"), [word]) if *word == "-h" || *word == "--help" => {
                run_own(&CTRBOX, args)
            }
            (Some("explain"), _) => explain(args, output),
            (Some("man"), _) => print_page(args.first(), output),
            (Some("completion"), [shell]) => print_completion(shell, output),
            (Some("completion"), _) => Err(cli::fail!(usage 1, "completion takes one shell: bash, zsh or fish")),
            _ => Err(unknown(name)),
        };
    };
    let invocation = Invocation::new(applet, name, args);
    Ok(refused(&invocation).unwrap_or_else(|| invocation.run()))
}

/// A command that ctrbox has beside its applets, with options of its own.
fn run_own(command: &'static Applet, args: &[&'static OsStr]) -> Outcome {
    Ok(Invocation::new(command, OsStr::new(command.name), args).run())
}

/// `ctrbox explain COMMAND...`: what the command would do, and the command of ours that it runs.
fn explain(words: &[&'static OsStr], output: &mut Output) -> Outcome {
    let words = match words.split_first() {
        Some((name, applet)) if cli::called::last_component(name) == CTRBOX.name => applet,
        _ => words,
    };
    let Some((name, args)) = words.split_first() else {
        return Err(cli::fail!(usage 1, "explain takes a command line"));
    };
    let applet = applets::find(cli::called::last_component(name)).ok_or_else(|| unknown(name))?;
    let invocation = Invocation::new(applet, name, args);
    let explanation = match (applet.explain)(&invocation, output) {
        Ok(Some(explanation)) => explanation,
        Ok(None) => return Ok(0),
        Err(failure) => {
            failure.print(&invocation);
            return Ok(failure.status);
        }
    };
    explanation.print(name, output);
    match explanation.program.first() {
        Some(program) if is_ours(cli::called::last_component(program)) => explain(&explanation.program, output),
        _ => Ok(0),
    }
}

fn is_ours(name: &OsStr) -> bool {
    name == CTRBOX.name || applets::find(name).is_some()
}

/// Where the whole pages are, from the directory of the program: installed (with a directory for each section), or in
/// the source.
const PAGES: &str = "/../lib/ctrbox/share/man/man /../share/man/man /../man";

/// `ctrbox man APPLET`: the whole page where it is installed beside the program, else what the table says; as man(7)
/// source.
fn print_page(name: Option<&&'static OsStr>, output: &mut Output) -> Outcome {
    let applet = match name {
        Some(name) if *name != CTRBOX.name => applets::find(name).ok_or_else(|| unknown(name))?,
        _ => &CTRBOX,
    };
    match whole_page(applet, output) {
        Some(page) => output.print(page),
        None => output.print(cli::man::page(applet)),
    }
    Ok(0)
}

/// The page that is installed beside the program. A compressed one is left to gzip(1), which is run in our place.
fn whole_page(applet: &Applet, output: &mut Output) -> Option<Vec<u8>> {
    const LIMIT: usize = 1 << 20;
    // Without a proc: where packages and images have it.
    let program = linux::link::read(OsStr::new("/proc/self/exe"));
    let program = program.unwrap_or_else(|_| "/usr/bin/ctrbox".into());
    let directory = linux::directory::parent(&program)?;
    let number = applet.section.number();
    PAGES.split(' ').find_map(|place| {
        let mut path = OsString::from(directory);
        let section = if place.ends_with("/man/man") { number } else { "" };
        for part in [place, section, "/", applet.name, ".", number] {
            path.push(part);
        }
        if let Ok(page) = linux::file::read_head(&path, LIMIT) {
            return Some(page);
        }
        path.push(".gz");
        if linux::stat::path(&path).is_ok_and(|stat| stat.is_regular()) {
            let words = [OsStr::new("gzip"), OsStr::new("-dc"), path.leak()];
            // It returns where there is no gzip.
            let _ = Program::from_operands(&words).map(|gzip| gzip.exec(output));
        }
        None
    })
}

/// `ctrbox completion SHELL`.
fn print_completion(shell: &OsStr, output: &mut Output) -> Outcome {
    let script = shell.to_str().and_then(|shell| cli::completion::script(shell, OWN, applets::APPLETS));
    let script = script.ok_or_else(|| cli::fail!(usage 1, "no completion for '", shell, "': bash, zsh or fish"))?;
    output.print(script);
    Ok(0)
}
