//! The timing loop of `scripts/bench`, which prepares the scene: `bench SCENE [OPTION]... [ROW]...`.
//!
//! Method: what is timed is posix_spawn(3) to wait4(2), pinned to one processor, with a fixed small
//! environment. The peers of a row take turns, one run each, in an order that is reversed each round,
//! so that drift hits all alike; a round gives one ratio to ours for each peer, and their median and
//! quartiles are printed. Ours is one of its own peers: a run in which that is not 1 is void.
//!
//! The rows that walk a tree use every processor, as that is what they measure, and fewer rounds.
//!
//! A row is an element of `ROWS`: a new one may prepare the scene and undo that again.

use nix::mount::{MntFlags, MsFlags, mount, umount, umount2};
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::unistd::Pid;
use std::error::Error;
use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Rounds at the start of a row whose times are thrown away. A peer that fails in them is left out.
const WARM_UP: usize = 10;
/// How far ours may be from itself.
const CONTROL: f64 = 0.03;

/// Who runs a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Ours,
    /// Ours once more, as a control of the method.
    Control,
    Theirs,
    Busybox,
    /// The empty program alone.
    Floor,
}

impl Peer {
    const ALL: [Peer; 5] = [Peer::Ours, Peer::Control, Peer::Theirs, Peer::Busybox, Peer::Floor];

    fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Control => "ours again",
            Peer::Theirs => "originals",
            Peer::Busybox => "busybox",
            Peer::Floor => "empty alone",
        }
    }

    /// The directory of the scene that has its commands.
    fn directory(self) -> &'static str {
        match self {
            Peer::Theirs => "theirs",
            Peer::Busybox => "busybox",
            Peer::Ours | Peer::Control | Peer::Floor => "ours",
        }
    }
}

/// What is measured.
struct Row {
    name: &'static str,
    /// The command, whose first word is found in the peer's directory. `$` is the scene.
    command: &'static [&'static str],
    /// Whether busybox has it.
    busybox: bool,
    /// How many times as long each peer must take.
    bar: f64,
    /// The same of busybox, where it differs.
    busybox_bar: Option<f64>,
    /// What there is at least to do, in place of starting an empty program; an absolute path.
    floor: &'static [&'static str],
    /// How long that must take of our time.
    floor_bar: f64,
    /// At most so many rounds, for what takes long.
    rounds: usize,
    /// How far ours may be from itself.
    control: f64,
    /// Whether it may run on every processor, or on one.
    all_processors: bool,
    /// Done once before, not timed.
    prepare: fn(&Path) -> Result<()>,
    /// Done once after, whatever happened.
    undo: fn(&Path),
    /// Done before each run, not timed.
    before_each: fn(&Path),
    /// Done after each run, not timed.
    after_each: fn(&Path),
}

const ROW: Row = Row {
    name: "",
    command: &[],
    busybox: true,
    bar: 4.0,
    busybox_bar: None,
    floor: &["empty"],
    floor_bar: 0.0,
    rounds: usize::MAX,
    control: CONTROL,
    all_processors: false,
    prepare: |_| Ok(()),
    undo: |_| {},
    before_each: |_| {},
    after_each: |_| {},
};

/// A walk of a large tree: seconds, not microseconds.
const WALK: Row = Row {
    command: &["getcap", "-r", "$/tree"],
    busybox: false,
    rounds: 7,
    control: 0.25,
    all_processors: true,
    prepare: |scene| tree(scene, 20_000, 10, 50),
    undo: |scene| {
        let _ = std::fs::remove_dir_all(scene.join("tree"));
    },
    ..ROW
};

const ROWS: &[Row] = &[
    Row { name: "unshare -m", command: &["unshare", "-m", "$/empty"], ..ROW },
    Row { name: "unshare -r", command: &["unshare", "-r", "$/empty"], ..ROW },
    Row { name: "chroot", command: &["chroot", "$/root", "/empty"], ..ROW },
    Row {
        name: "mount --bind -o ro",
        command: &["mount", "--bind", "-o", "ro", "$/from", "$/to"],
        prepare: two_directories,
        after_each: unmount,
        ..ROW
    },
    Row {
        name: "umount",
        command: &["umount", "$/to"],
        prepare: two_directories,
        before_each: bind_to,
        // What does not unmount it, the empty program, must not leave it to the next.
        after_each: unmount,
        ..ROW
    },
    Row {
        name: "mount: a list of 20000",
        command: &["mount"],
        // It reads a shorter table.
        busybox: false,
        bar: 1.0 / 0.6,
        floor: &["/bin/dd", "if=/proc/self/mountinfo", "of=/dev/null", "bs=64k", "status=none"],
        floor_bar: 1.0 / 1.15,
        rounds: 30,
        prepare: |scene| many_mounts(scene, 20_000),
        undo: unmount_many,
        ..ROW
    },
    Row {
        name: "umount among 20",
        command: &["umount", "$/to"],
        bar: 1.0,
        prepare: |scene| many_mounts(scene, 20),
        before_each: bind_to,
        after_each: unmount,
        undo: unmount_many,
        ..ROW
    },
    Row {
        name: "umount among 20000",
        command: &["umount", "$/to"],
        bar: 1.0,
        busybox_bar: Some(10.0),
        rounds: 30,
        prepare: |scene| many_mounts(scene, 20_000),
        before_each: bind_to,
        after_each: unmount,
        undo: unmount_many,
        ..ROW
    },
    Row {
        name: "umount -R of 1000",
        command: &["umount", "-R", "$/many"],
        busybox: false,
        bar: 10.0,
        rounds: 5,
        before_each: |scene| {
            let _ = many_mounts(scene, 1000);
        },
        after_each: unmount_many,
        ..ROW
    },
    Row {
        name: "umount -R of 5000",
        command: &["umount", "-R", "$/many"],
        busybox: false,
        bar: 30.0,
        rounds: 1,
        before_each: |scene| {
            let _ = many_mounts(scene, 5000);
        },
        after_each: unmount_many,
        ..ROW
    },
    Row {
        name: "setcap",
        command: &["setcap", "cap_net_bind_service=ep", "$/listen"],
        busybox: false,
        prepare: file_with_capability,
        ..ROW
    },
    Row { name: "capsh --print", command: &["capsh", "--print"], busybox: false, ..ROW },
    Row { name: "getcap FILE", command: &["getcap", "$/listen"], busybox: false, prepare: file_with_capability, ..ROW },
    Row {
        name: "getcap -r of 20 files",
        bar: 1.0,
        rounds: usize::MAX,
        control: CONTROL,
        all_processors: false,
        prepare: |scene| tree(scene, 4, 5, 2),
        ..WALK
    },
    Row { name: "getcap -r of 200000 files in 20000 directories, warm", bar: 1.0 / 0.42, ..WALK },
    Row {
        name: "getcap -r of 200000 files in 20000 directories, cold",
        bar: 1.0 / 0.35,
        before_each: forget_files,
        ..WALK
    },
    Row {
        name: "tutorial: unshare -p -f --mount-proc=DIR chroot",
        command: &["unshare", "-p", "-f", "--mount-proc=$/root/proc", "chroot", "$/root", "/empty"],
        prepare: proc_is_a_mount_point,
        undo: |scene| {
            let _ = umount(&scene.join("root/proc"));
        },
        ..ROW
    },
];

/// A directory with this many mounts below it, which are bound from another and are one file system.
fn many_mounts(scene: &Path, count: usize) -> Result<()> {
    two_directories(scene)?;
    let many = scene.join("many");
    std::fs::create_dir_all(&many)?;
    bind(&many, &many)?;
    for number in 0..count {
        let place = many.join(number.to_string());
        std::fs::create_dir_all(&place)?;
        bind(&scene.join("from"), &place)?;
    }
    Ok(())
}

fn unmount_many(scene: &Path) {
    let _ = umount2(&scene.join("many"), MntFlags::MNT_DETACH);
}

/// What binds `to` for a row that unmounts it.
fn bind_to(scene: &Path) {
    let _ = bind(&scene.join("from"), &scene.join("to"));
}

/// Makes a tree of `directories`, each with `files`, of which `capable` in all have a capability,
/// and sees that ours and the originals find the same in it.
fn tree(scene: &Path, directories: usize, files: usize, capable: usize) -> Result<()> {
    let root = scene.join("tree");
    // Ten subdirectories in each, breadth first.
    let mut paths = vec![root.clone()];
    std::fs::create_dir(&root)?;
    let every = directories * files / capable;
    let mut count = 0;
    for index in 0..directories {
        let Some(path) = paths.get(index).cloned() else { break };
        for name in 0..10 {
            if paths.len() < directories {
                let child = path.join(format!("directory{name}"));
                std::fs::create_dir(&child)?;
                paths.push(child);
            }
        }
        for name in 0..files {
            let file = path.join(format!("file{name}"));
            std::fs::write(&file, "")?;
            if count % every == every / 2 {
                give_capability(&file)?;
            }
            count += 1;
        }
    }
    let found = |peer: Peer| -> Result<Vec<u8>> {
        let program = scene.join(peer.directory()).join("getcap");
        let lines = Command::new(program).arg("-r").arg(&root).output()?.stdout;
        let mut sorted: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
        sorted.sort_unstable();
        Ok(sorted.concat())
    };
    if found(Peer::Ours)? != found(Peer::Theirs)? {
        return Err("ours and the originals do not find the same".into());
    }
    Ok(())
}

/// Has the kernel let go of everything that it keeps of file systems, and reads the programs in
/// again: they are not what is measured.
fn forget_files(scene: &Path) {
    nix::unistd::sync();
    let _ = std::fs::write("/proc/sys/vm/drop_caches", "3");
    for peer in [Peer::Ours, Peer::Theirs] {
        let mut program = Command::new(scene.join(peer.directory()).join("getcap"));
        let _ = program.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// busybox's unshare can mount only over what is a mount point already.
fn proc_is_a_mount_point(scene: &Path) -> Result<()> {
    let place = scene.join("root/proc");
    Ok(bind(&place, &place)?)
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

fn two_directories(scene: &Path) -> Result<()> {
    for name in ["from", "to"] {
        std::fs::create_dir_all(scene.join(name))?;
    }
    Ok(())
}

fn unmount(scene: &Path) {
    let _ = umount(&scene.join("to"));
}

fn file_with_capability(scene: &Path) -> Result<()> {
    let file = scene.join("listen");
    std::fs::write(&file, "")?;
    give_capability(&file)
}

fn give_capability(file: &Path) -> Result<()> {
    let status = Command::new("/usr/sbin/setcap").arg("cap_net_bind_service=ep").arg(file).status()?;
    if status.success() { Ok(()) } else { Err("setcap failed".into()) }
}

struct Options {
    scene: PathBuf,
    rounds: usize,
    json: bool,
    check: bool,
    rows: Vec<String>,
}

/// A command ready to be spawned: no allocation in the timed part.
struct Ready {
    peer: Peer,
    program: CString,
    argv: Vec<CString>,
    environment: Vec<CString>,
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
    processor.set(0)?;
    sched_setaffinity(Pid::from_raw(0), &processor)?;
    // What a row mounts is gone with this process.
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;

    if !options.json {
        about_this_run(&options);
    }
    let mut holds = true;
    let mut objects = Vec::new();
    for row in ROWS {
        if !options.rows.is_empty() && !options.rows.iter().any(|part| row.name.contains(part.as_str())) {
            continue;
        }
        sched_setaffinity(Pid::from_raw(0), if row.all_processors { &every_processor } else { &processor })?;
        let measured = (row.prepare)(&options.scene).and_then(|()| measure(row, &options));
        (row.undo)(&options.scene);
        let measured = measured.map_err(|error| format!("{}: {error}", row.name))?;
        let results = judge(row, &measured);
        if results.is_empty() {
            eprintln!("bench: {}: not measured", row.name);
            holds = false;
            continue;
        }
        holds &= results.iter().all(|result| result.holds);
        if options.json {
            objects.push(as_json(row, &results));
        } else {
            print_table(row, &results);
        }
    }
    if options.json {
        println!("{{\"rounds\":{},\"rows\":[{}]}}", options.rounds, objects.join(","));
    }
    Ok(holds || !options.check)
}

fn options() -> Result<Options> {
    let mut arguments = std::env::args().skip(1);
    let scene = PathBuf::from(arguments.next().ok_or("no scene")?);
    let mut options = Options { scene, rounds: 200, json: false, check: false, rows: Vec::new() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => options.rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            "--json" => options.json = true,
            "--check" => options.check = true,
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            _ => options.rows.push(argument),
        }
    }
    if options.rounds < 3 {
        return Err("fewer than 3 rounds say nothing".into());
    }
    Ok(options)
}

fn about_this_run(options: &Options) {
    let first_line = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    println!("kernel {}", first_line("/proc/sys/kernel/osrelease").trim());
    let size = std::fs::metadata(options.scene.join("ours/ctrbox")).map_or(0, |about| about.len());
    println!("ours: {size} bytes");
    for (name, arguments) in [("unshare", vec!["--version"]), ("chroot", vec!["--version"])] {
        if let Ok(output) = Command::new(options.scene.join("theirs").join(name)).args(arguments).output() {
            println!("originals: {}", String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default());
        }
    }
    if let Ok(output) = Command::new(options.scene.join("busybox/busybox")).stderr(Stdio::null()).output() {
        println!("busybox: {}", String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default());
    }
    // Where it traps (in a virtual machine) every start of a glibc program pays for it dozens of times.
    if let Some(nanoseconds) = cost_of_cpuid() {
        println!("one CPUID instruction: {nanoseconds} ns");
    }
    println!("{} rounds; medians in microseconds, net: without what the empty program takes alone;", options.rounds);
    println!("ratios: peer / ours, median (quartiles)");
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

fn measure(row: &Row, options: &Options) -> Result<Vec<Ready>> {
    let mut commands: Vec<Ready> = Vec::new();
    for peer in Peer::ALL {
        if let Some(ready) = ready(row, peer, options)? {
            commands.push(ready);
        }
    }
    let rounds = options.rounds.min(row.rounds);
    let warm_up = WARM_UP.min(rounds.div_ceil(3));
    for round in 0..warm_up + rounds {
        let count = commands.len();
        for turn in 0..count {
            let index = if round % 2 == 0 { turn } else { count - 1 - turn };
            let Some(command) = commands.get_mut(index) else { continue };
            if round < warm_up && command.failures > 0 {
                continue;
            }
            (row.before_each)(&options.scene);
            let (time, status) = spawn_and_wait(command)?;
            (row.after_each)(&options.scene);
            command.failures += usize::from(status != 0);
            if round >= warm_up {
                command.times.push(time);
            }
        }
        if round + 1 == warm_up {
            for command in commands.extract_if(.., |command| command.failures > 0) {
                eprintln!("bench: {}: {} cannot do this and is left out", row.name, command.peer.name());
            }
        }
    }
    Ok(commands)
}

fn ready(row: &Row, peer: Peer, options: &Options) -> Result<Option<Ready>> {
    if peer == Peer::Busybox && !row.busybox {
        return Ok(None);
    }
    let command = if peer == Peer::Floor { row.floor } else { row.command };
    let directory = options.scene.join(peer.directory());
    let Some(name) = command.first() else { return Err("no command".into()) };
    // An absolute path stays as it is.
    let program = if peer == Peer::Floor { options.scene.join(name) } else { directory.join(name) };
    if !program.exists() {
        return Ok(None);
    }
    let scene = options.scene.to_str().ok_or("the scene's path is not UTF-8")?;
    let argv =
        command.iter().map(|word| CString::new(word.replace('$', scene))).collect::<std::result::Result<_, _>>()?;
    let mut path = b"PATH=".to_vec();
    path.extend_from_slice(directory.as_os_str().as_bytes());
    Ok(Some(Ready {
        peer,
        program: CString::new(program.as_os_str().as_bytes())?,
        argv,
        environment: vec![CString::new(path)?],
        times: Vec::with_capacity(options.rounds),
        failures: 0,
    }))
}

fn pointers(strings: &[CString]) -> Vec<*mut c_char> {
    strings.iter().map(|text| text.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn spawn_and_wait(command: &Ready) -> Result<(Duration, i32)> {
    let argv = pointers(&command.argv);
    let environment = pointers(&command.environment);
    let mut actions = std::mem::MaybeUninit::<libc::posix_spawn_file_actions_t>::uninit();
    let (mut pid, mut status) = (0, 0);
    // SAFETY: `actions` is initialised by the first call and destroyed by the last; every string and
    // array is NUL- or null-terminated and lives longer than the calls.
    let (time, spawned, waited) = unsafe {
        libc::posix_spawn_file_actions_init(actions.as_mut_ptr());
        libc::posix_spawn_file_actions_addopen(actions.as_mut_ptr(), 1, c"/dev/null".as_ptr(), libc::O_WRONLY, 0);
        let start = Instant::now();
        let spawned = libc::posix_spawn(
            &mut pid,
            command.program.as_ptr(),
            actions.as_ptr(),
            std::ptr::null(),
            argv.as_ptr(),
            environment.as_ptr(),
        );
        let waited = if spawned == 0 { libc::wait4(pid, &mut status, 0, std::ptr::null_mut()) } else { 0 };
        let time = start.elapsed();
        libc::posix_spawn_file_actions_destroy(actions.as_mut_ptr());
        (time, spawned, waited)
    };
    if spawned != 0 {
        return Err(format!("{:?}: {}", command.program, std::io::Error::from_raw_os_error(spawned)).into());
    }
    if waited != pid {
        return Err(std::io::Error::last_os_error().into());
    }
    Ok((time, status))
}

/// What a row says of one peer.
struct Verdict {
    peer: Peer,
    /// The median time in microseconds.
    time: f64,
    /// The same without the time that the empty program takes by itself.
    net: f64,
    /// The quartiles of the rounds' ratios of its time to ours.
    ratio: [f64; 3],
    failures: usize,
    holds: bool,
}

fn judge(row: &Row, commands: &[Ready]) -> Vec<Verdict> {
    let times = |peer| commands.iter().find(|command| command.peer == peer).map(|command| &command.times);
    let (Some(ours), Some(floor)) = (times(Peer::Ours), times(Peer::Floor)) else { return Vec::new() };
    let [_, floor, _] = quartiles(in_microseconds(floor));
    commands
        .iter()
        .map(|command| {
            let ratios = command.times.iter().zip(ours).map(|(peer, ours)| peer.as_secs_f64() / ours.as_secs_f64());
            let ratio = quartiles(ratios.collect());
            let [_, time, _] = quartiles(in_microseconds(&command.times));
            let [_, median, _] = ratio;
            let holds = command.failures == 0
                && match command.peer {
                    Peer::Ours => true,
                    Peer::Floor => median >= row.floor_bar,
                    Peer::Control => (median - 1.0).abs() <= row.control,
                    Peer::Theirs => median >= row.bar,
                    Peer::Busybox => median >= row.busybox_bar.unwrap_or(row.bar),
                };
            Verdict { peer: command.peer, time, net: time - floor, ratio, failures: command.failures, holds }
        })
        .collect()
}

fn in_microseconds(times: &[Duration]) -> Vec<f64> {
    times.iter().map(|time| time.as_secs_f64() * 1e6).collect()
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let at = |quarter: usize| values.get(values.len() * quarter / 4).copied().unwrap_or(f64::NAN);
    [at(1), at(2), at(3)]
}

fn print_table(row: &Row, results: &[Verdict]) {
    println!("\n{}", row.name);
    println!("  {:12} {:>8} {:>8}  ratio to ours", "", "time", "net");
    for result in results {
        let [low, median, high] = result.ratio;
        let remark = match result.peer {
            _ if result.failures > 0 => format!("{} runs FAILED", result.failures),
            Peer::Control if !result.holds => "VOID: ours differs from itself".to_string(),
            Peer::Busybox if !result.holds => format!("MISSES {:.1}", row.busybox_bar.unwrap_or(row.bar)),
            Peer::Theirs if !result.holds => format!("MISSES {:.1}", row.bar),
            Peer::Floor if !result.holds => format!("MISSES {:.2}", row.floor_bar),
            _ => String::new(),
        };
        let line = format!(
            "  {:12} {:8.0} {:8.0}  {median:6.2} ({low:.2} .. {high:.2})  {remark}",
            result.peer.name(),
            result.time,
            result.net
        );
        println!("{}", line.trim_end());
    }
}

fn as_json(row: &Row, results: &[Verdict]) -> String {
    let peers: Vec<String> = results
        .iter()
        .map(|result| {
            let [low, median, high] = result.ratio;
            format!(
                "{{\"peer\":\"{}\",\"microseconds\":{:.1},\"net\":{:.1},\"ratio\":{median:.4},\"quartiles\":[{low:.4},{high:.4}],\
                 \"failures\":{},\"holds\":{}}}",
                result.peer.name(),
                result.time,
                result.net,
                result.failures,
                result.holds
            )
        })
        .collect();
    format!("{{\"row\":\"{}\",\"bar\":{:.1},\"peers\":[{}]}}", row.name, row.bar, peers.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_those_of_the_sorted_values() {
        assert_eq!(quartiles(vec![5.0, 1.0, 4.0, 2.0, 3.0]), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn rows_have_names_of_their_own() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(!row.command.is_empty() && ROWS[..index].iter().all(|earlier| earlier.name != row.name));
        }
    }
}
