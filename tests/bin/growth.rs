//! `growth SCENE [--memory] [--check] [--times K] [FORM...]`: what `scripts/bench --growth` prints. SCENE is an empty directory.
//!
//! Each form is a command whose work has a size. It is run with a size N, with twice and with four times as much, by
//! ours and by the original, and its peak memory and time are told. Peak memory is ru_maxrss of getrusage(2), which
//! includes what this program itself has in memory: below about 2 MB it says nothing. The bars: memory grows at most
//! 1.2 times as fast as the size and is at most the original's, time at most 2.3 times for twice the size and at most
//! the original's. The time is the shortest of three, by turns. With `--memory` only memory counts, which does not
//! depend on how busy the machine is. `--times` makes every size K times as large.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use tests::originals::Originals;
use tests::sandbox::APPLETS;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Form {
    name: &'static str,
    /// The smallest size.
    size: usize,
    /// A shell script that makes what the command works on; `$N` is the size, `$S` the scene.
    prepare: &'static str,
    /// The command, run by exec from a shell.
    command: &'static str,
}

const TABLE: &str =
    r#"cd $S/m; seq $N | xargs mkdir; seq $N | sed "s|.*|none $S/m/& tmpfs rw,size=4k,_netdev,x-a=& 0 0|" >$S/fstab"#;
const MOUNTED: &str = r#"cd $S/m; seq $N | xargs mkdir; seq $N | sed "s|.*|none $S/m/& tmpfs rw,size=4k,_netdev,x-a=& 0 0|" >$S/fstab
    $S/ours/mount -a -T $S/fstab"#;
const BOUND: &str = r#"mkdir $S/m/top; mount -i -t tmpfs top $S/m/top; cd $S/m/top; seq $N | xargs mkdir
    seq -f "$S/m/top $S/m/top/%.0f none bind 0 0" $N >$S/fstab; $S/ours/mount -a -T $S/fstab"#;
const PROCESSES: &str = "for i in $(seq $N); do sleep 1000 & done; sleep 0.2";

const FORMS: &[Form] = &[
    Form { name: "mount -a", size: 75, prepare: TABLE, command: "mount -a -T $S/fstab" },
    Form { name: "mount -a, again", size: 75, prepare: MOUNTED, command: "mount -a -T $S/fstab" },
    Form { name: "umount -a", size: 75, prepare: MOUNTED, command: "umount -a -O _netdev" },
    Form { name: "umount -R", size: 75, prepare: MOUNTED, command: "umount -R $S/m" },
    Form { name: "umount -A -R", size: 100, prepare: BOUND, command: "umount -A -R $S/m/top" },
    Form { name: "mount, list", size: 300, prepare: BOUND, command: "mount" },
    Form { name: "mount -l, list", size: 300, prepare: BOUND, command: "mount -l" },
    Form { name: "mount -a -o remount", size: 75, prepare: MOUNTED, command: "mount -a -O _netdev -o remount" },
    Form {
        name: "one line of fstab",
        size: 10_000,
        prepare: r#"mkdir -p $S/m/last; { seq -f "none /nowhere/%.0f tmpfs rw 0 0" $N; echo "none $S/m/last tmpfs rw 0 0"; } >$S/fstab"#,
        command: "mount -f -n -T $S/fstab $S/m/last",
    },
    Form {
        name: "nsenter -e",
        size: 2_000,
        prepare: "env $(seq -f V%.0f=1 $N) sleep 1000 & echo $! >$S/pid; sleep 0.2",
        command: "nsenter -t $(cat $S/pid) -e /bin/true",
    },
    Form {
        name: "chroot --userspec",
        size: 1_000,
        prepare: "mkdir -p $S/root/etc; cp $S/ours/ctrbox $S/root/; echo u:x:1000:1000::/: >$S/root/etc/passwd
            members=$(yes a | head -n 500 | paste -sd,); seq -f g%.0f:x:7:$members $N >$S/root/etc/group",
        command: "chroot --userspec=u $S/root /ctrbox --list",
    },
    Form {
        name: "chroot, groups",
        size: 15_000,
        prepare: "mkdir -p $S/root/etc; cp $S/ours/ctrbox $S/root/; echo u:x:1000:1000::/: >$S/root/etc/passwd
            seq -f g:x:%.0f:u $N >$S/root/etc/group",
        command: "chroot --userspec=u $S/root /ctrbox --list",
    },
    Form {
        name: "chroot --groups",
        size: 2_000,
        prepare: "mkdir -p $S/root/etc; cp $S/ours/ctrbox $S/root/; seq $N | sed 's/.*/g&:x:&:/' >$S/root/etc/group",
        command: "chroot --groups=$(seq -f g%.0f -s, $N) $S/root /ctrbox --list",
    },
    Form {
        name: "getcap -r, depth",
        size: 500,
        prepare: "d=.; for i in $(seq 25); do l=\"$l $d/a $d/b\"; d=$d/a; done
            mkdir $S/m/deep; cd $S/m/deep; for i in $(seq $((N / 25))); do mkdir -p $l; cd -P $d; done",
        command: "getcap -r $S/m/deep",
    },
    Form { name: "lsns", size: 200, prepare: PROCESSES, command: "lsns" },
    Form { name: "lsns -p", size: 200, prepare: PROCESSES, command: "lsns -p $$" },
    Form { name: "getpcaps, operands", size: 2_000, prepare: "", command: "getpcaps $(yes $$ | head -n $N)" },
    Form { name: "getcap, operands", size: 2_000, prepare: "", command: "getcap $(yes /bin/true | head -n $N)" },
    Form {
        name: "unshare --forward-signals",
        size: 2_000,
        prepare: "",
        command: r#"unshare --fork --forward-signals sh -c 'trap "" INT; for i in $(seq $0); do kill -INT $PPID; done' $N"#,
    },
];

/// What one run took.
#[derive(Clone, Copy)]
struct Run {
    /// In KiB.
    peak: usize,
    time: Duration,
    succeeds: bool,
}

impl Run {
    /// What several take: the largest peak, the shortest time.
    fn and(self, other: Option<Run>) -> Run {
        let other = other.unwrap_or(self);
        Run {
            peak: self.peak.max(other.peak),
            time: self.time.min(other.time),
            succeeds: self.succeeds && other.succeeds,
        }
    }
}

/// How often a command is measured whose time counts.
const ROUNDS: usize = 3;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("growth: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let mut arguments = std::env::args().skip(1);
    let scene = PathBuf::from(arguments.next().ok_or("no scene")?).canonicalize()?;
    let (mut memory, mut check, mut times, mut names) = (false, false, 1, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--memory" => memory = true,
            "--times" => times = arguments.next().ok_or("--times K")?.parse()?,
            "--check" => check = true,
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}").into()),
            _ => names.push(argument),
        }
    }
    let originals = make(&scene)?;
    unshare(CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    println!("peak memory in KiB and time in ms at N, 2N and 4N; originals: {originals}");
    let mut missed = Vec::new();
    for form in
        FORMS.iter().filter(|form| names.is_empty() || names.iter().any(|name| form.name.contains(name.as_str())))
    {
        let size = form.size * times;
        let (mut ours, mut theirs) = measure(form, size, &scene, if memory { 1 } else { ROUNDS })?;
        if memory && !misses(&ours, &theirs, memory).is_empty() {
            // The kernel counts pages per processor and adds them up in batches: by chance a peak is told some hundred KiB
            // too high.
            (ours, theirs) = measure(form, size, &scene, 1)?;
        }
        println!("{:<26} N={size:<6} ours   {}", form.name, shown(&ours));
        println!("{:<26} {:<8} theirs {}", "", "", shown(&theirs));
        missed.extend(misses(&ours, &theirs, memory).into_iter().map(|miss| format!("{}: {miss}", form.name)));
    }
    for miss in &missed {
        println!("missed: {miss}");
    }
    Ok(missed.is_empty() || !check)
}

/// The commands of both peers; the versions of the originals.
fn make(scene: &Path) -> Result<String> {
    for directory in ["ours", "theirs", "stage", "m"] {
        fs::create_dir_all(scene.join(directory))?;
    }
    let ours = scene.join("ours/ctrbox");
    fs::copy(tests::sandbox::artefact()?, &ours)?;
    for applet in APPLETS {
        fs::hard_link(&ours, scene.join("ours").join(applet))?;
    }
    let originals = Originals::chosen()?;
    originals.copy(&APPLETS, &scene.join("stage"), &scene.join("theirs"))?;
    Ok(format!("{} ({})", originals.name, originals.versions))
}

/// The runs of ours and of the original. A command that unmounts finds each time what is made for it alone.
fn measure(form: &Form, size: usize, scene: &Path, rounds: usize) -> Result<(Vec<Run>, Vec<Run>)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let uses_up = ["mount -a", "umount"].iter().any(|start| form.command.starts_with(start));
    for size in [size, 2 * size, 4 * size] {
        let (mut our, mut their) = (None, None);
        for _ in 0..rounds {
            let both = if uses_up {
                let mut both = measure_in_scene(form, scene, size, &["ours"])?;
                both.extend(measure_in_scene(form, scene, size, &["theirs"])?);
                both
            } else {
                measure_in_scene(form, scene, size, &["ours", "theirs"])?
            };
            let [one, other] = both.as_slice() else { return Err("two peers have two runs".into()) };
            our = Some(one.and(our));
            their = Some(other.and(their));
        }
        ours.extend(our);
        theirs.extend(their);
    }
    Ok((ours, theirs))
}

fn measure_in_scene(form: &Form, scene: &Path, size: usize, peers: &[&str]) -> Result<Vec<Run>> {
    let none: Option<&str> = None;
    let place = scene.join("m");
    mount(Some("growth"), &place, Some("tmpfs"), MsFlags::empty(), none)?;
    let shell = |program: &str, script: String| {
        let mut command = Command::new(program);
        if program == "setsid" {
            command.arg("sh");
        }
        command.arg("-c").arg(script).env("S", scene).env("N", size.to_string());
        command.env("LIBMOUNT_UTAB", scene.join("m/utab"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // What it leaves running is in a session of its own and ends with it.
    let mut prepared =
        shell("setsid", format!("set -e; {}\ncd /; echo ready >$S/ready; read -r wait <&0", form.prepare));
    let mut prepared = prepared.stdin(Stdio::piped()).spawn()?;
    while !scene.join("ready").exists() {
        if prepared.try_wait()?.is_some() {
            return Err(format!("{}: what it works on cannot be made", form.name).into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    fs::remove_file(scene.join("ready"))?;
    let mut runs = Vec::new();
    for peer in peers {
        let start = Instant::now();
        let command = format!("exec {}/{}", scene.join(peer).display(), form.command);
        runs.push(finish(shell("sh", command).spawn()?, start));
    }
    // SAFETY: the call takes integers; the process leads a group of its own.
    unsafe { libc::kill(-(prepared.id() as i32), libc::SIGKILL) };
    prepared.wait()?;
    // The command may have unmounted it.
    let _ = umount2(&place, MntFlags::MNT_DETACH);
    let _ = fs::remove_dir_all(scene.join("root"));
    runs.into_iter().collect()
}

/// Waits for a command: wait4(2), for its peak.
fn finish(child: Child, start: Instant) -> Result<Run> {
    let mut status = 0;
    // SAFETY: all zero is a valid struct rusage, and both pointers are valid for writes.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage), usage)
    };
    nix::errno::Errno::result(waited)?;
    Ok(Run { peak: usage.ru_maxrss.unsigned_abs() as usize, time: start.elapsed(), succeeds: status == 0 })
}

fn shown(runs: &[Run]) -> String {
    let peaks: Vec<String> = runs.iter().map(|run| format!("{:>7}", run.peak)).collect();
    let times: Vec<String> = runs.iter().map(|run| format!("{:>6}", run.time.as_millis())).collect();
    let failed = if runs.iter().all(|run| run.succeeds) { "" } else { "  fails" };
    format!("{} KiB {} ms{failed}", peaks.concat(), times.concat())
}

/// The pages that a run may have more than another one, in KiB.
const SLACK: usize = 256;
/// A time below this says nothing.
const SHORT: Duration = Duration::from_millis(50);

fn misses(ours: &[Run], theirs: &[Run], memory: bool) -> Vec<String> {
    let mut missed = Vec::new();
    let ([first, second, third], [_, _, theirs_third]) = (ours, theirs) else { return missed };
    if !ours.iter().all(|run| run.succeeds) {
        missed.push("ours fails".to_string());
    }
    let growth = |from: &Run, to: &Run| to.peak.saturating_sub(from.peak);
    if growth(second, third) * 10 > growth(first, second).max(SLACK) * 24 {
        missed.push("memory grows faster than the work".to_string());
    }
    let comparable = theirs.iter().all(|run| run.succeeds);
    if comparable && third.peak > theirs_third.peak + SLACK {
        missed.push("memory is more than the original's".to_string());
    }
    if !memory {
        if third.time > SHORT && third.time.as_secs_f64() > 2.3 * second.time.as_secs_f64() {
            missed.push("time grows faster than the work".to_string());
        }
        if comparable && third.time > SHORT && third.time > theirs_third.time {
            missed.push("time is more than the original's".to_string());
        }
    }
    missed
}
