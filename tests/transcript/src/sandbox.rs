//! Where a transcript is played: namespaces of its own, so that nothing on the machine changes.
//!
//! The outer process waits, and cleans up what outlives namespaces. Its child is PID 1 of a new PID namespace; it
//! mounts everything that a play writes to in memory, over /run, /tmp, /home, /root, /usr/local/sbin and /etc, whose
//! copy has accounts and rules for sudo and PAM of its own. The player is PID 2. When PID 1 ends, for whatever reason,
//! the kernel ends every process and takes the mounts away. What remains is cgroups: the outer process removes them.

use crate::play::QUIT;
use crate::terminal::ENVIRONMENT;
use crate::{Options, Result, evidence};
use applets::APPLETS;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::{Gid, Pid, Uid, chown, geteuid, sethostname};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The first argument of PID 1.
pub const INIT: &str = "init";
/// The first argument of the player.
pub const PLAYER: &str = "player";

/// Everything that is written, in memory.
const STAGE: &str = "/run/ctrbox-transcript";
/// Where our applets are: the first directory of PATH.
pub const OURS: &str = "/usr/local/sbin";
/// Where our applets write their trace.
pub const TRACE: &str = "/run/ctrbox-transcript/trace";
/// A copy of the transcript, which may be in a directory that is mounted over.
pub const TRANSCRIPT: &str = "/run/ctrbox-transcript/transcript.md";
/// A copy of what the lesson says beside the transcript; perhaps there is none.
pub const LESSON: &str = "/run/ctrbox-transcript/lesson.md";
/// The ordinary user.
pub const USER: &str = "learner";
/// The user's home directory.
pub const HOME: &str = "/home/learner";
/// PATH, of the user and of root behind sudo.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What the tutorial downloads: made only for a transcript that speaks of it.
const ARCHIVE: &str = "rootfs.tar.gz";
/// The cgroup that transcripts make.
const GROUP: &str = "demo";

/// The outer process: plays each transcript in namespaces of its own, up to the first that differs, and cleans up.
pub fn enter(options: &Options) -> Result<u8> {
    if !geteuid().is_root() {
        return Err("must run as root: it makes namespaces and mounts".into());
    }
    // Two plays at once would have one cgroup between them.
    let turn = fs::File::open("/sys/fs/cgroup")?;
    if turn.try_lock().is_err() {
        eprintln!("transcript: another play is going on here; waiting for its end");
        turn.lock()?;
    }
    let groups: Vec<PathBuf> = cgroup_mounts()?.into_iter().map(|(directory, _)| directory.join(GROUP)).collect();
    if let Some(group) = groups.iter().find(|group| group.exists()) {
        return Err(
            format!("{} exists; the transcript makes and removes a cgroup of that name", group.display()).into()
        );
    }
    let controllers = Controllers::read()?;
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGCHLD] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let own = fs::File::open("/proc/self/ns/pid")?;
    // A player that is stopped in the middle of a question cannot give the terminal back as it was.
    let terminal = tcgetattr(std::io::stdin()).ok().filter(|_| options.step);
    for file in &options.files {
        setns(&own, CloneFlags::CLONE_NEWPID)?;
        unshare(CloneFlags::CLONE_NEWPID).map_err(|errno| format!("cannot make a PID namespace: {errno}"))?;
        let child = Command::new("/proc/self/exe").arg(INIT).args(options.arguments(file)).spawn()?;
        let status = wait_for(Pid::from_raw(i32::try_from(child.id())?), &signals)?;
        if let Some(terminal) = &terminal {
            tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, terminal)?;
        }
        for group in &groups {
            remove_group(group)?;
        }
        controllers.restore()?;
        if status != 0 {
            return Ok(if status == QUIT { 0 } else { status });
        }
    }
    Ok(0)
}

/// Waits for PID 1, or for a signal that ends the play; the exit status.
fn wait_for(init: Pid, signals: &SigSet) -> Result<u8> {
    loop {
        match signals.wait()? {
            Signal::SIGCHLD => match waitpid(init, Some(WaitPidFlag::WNOHANG))? {
                WaitStatus::Exited(_, status) => return Ok(u8::try_from(status).unwrap_or(1)),
                WaitStatus::Signaled(..) => return Ok(1),
                _ => {}
            },
            signal => {
                // Its end is the end of every process in its namespace.
                kill(init, Signal::SIGKILL)?;
                waitpid(init, None)?;
                eprintln!("\ntranscript: {signal}: stopped, and everything taken away");
                return Ok(u8::try_from(128 + signal as i32).unwrap_or(255));
            }
        }
    }
}

/// Removes a cgroup; the kernel may need a moment to let go of the last process that died in it.
fn remove_group(group: &Path) -> Result<()> {
    let started = Instant::now();
    loop {
        match fs::remove_dir(group) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) if started.elapsed() > Duration::from_secs(30) => {
                return Err(format!("{}: {error}", group.display()).into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

/// Where cgroup file systems are mounted, and whether each is version 2.
pub fn cgroup_mounts() -> Result<Vec<(PathBuf, bool)>> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let fields = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    Ok(fields
        .filter_map(|fields| match fields.as_slice() {
            [_, directory, kind @ ("cgroup" | "cgroup2"), ..] => Some((PathBuf::from(directory), *kind == "cgroup2")),
            _ => None,
        })
        .collect())
}

/// The controllers that the root cgroup of version 2 hands down; a transcript may have turned memory on.
struct Controllers {
    file: Option<PathBuf>,
    had_memory: bool,
}

impl Controllers {
    fn read() -> Result<Controllers> {
        let root = cgroup_mounts()?.into_iter().find(|(_, version_2)| *version_2);
        let file = root.map(|(directory, _)| directory.join("cgroup.subtree_control"));
        let had_memory = file.as_deref().is_some_and(hands_down_memory);
        Ok(Controllers { file, had_memory })
    }

    fn restore(&self) -> Result<()> {
        match &self.file {
            Some(file) if !self.had_memory && hands_down_memory(file) => Ok(fs::write(file, "-memory")?),
            _ => Ok(()),
        }
    }
}

fn hands_down_memory(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.split_whitespace().any(|name| name == "memory"))
}

/// PID 1: mounts, starts the player, and is the parent of whoever has lost theirs.
pub fn init(options: &Options) -> Result<u8> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNET)
        .map_err(|errno| format!("cannot make namespaces: {errno}"))?;
    umask(Mode::from_bits_truncate(0o022));
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(|errno| format!("cannot make the mounts private: {errno} (is / a mount point?)"))?;
    prepare(options)?;
    let child = Command::new("/proc/self/exe").arg(PLAYER).args(options.arguments(options.file())).spawn()?;
    let player = Pid::from_raw(i32::try_from(child.id())?);
    loop {
        match wait()? {
            WaitStatus::Exited(pid, status) if pid == player => return Ok(u8::try_from(status).unwrap_or(1)),
            WaitStatus::Signaled(pid, ..) if pid == player => return Ok(1),
            _ => {}
        }
    }
}

/// Makes the machine that the transcript is played on.
fn prepare(options: &Options) -> Result<()> {
    let stage = Path::new(STAGE);
    // Without /run nothing reaches the machine's log, its login records or its services either.
    in_memory(Path::new("/run"))?;
    for name in ["", "home", "home/learner", "root", "sbin", "tmp"] {
        fs::create_dir(stage.join(name))?;
    }
    run(Command::new("cp").args(["-a", "/etc"]).arg(stage.join("etc")))?;
    fs::copy(options.file(), TRANSCRIPT).map_err(|error| format!("{}: {error}", options.file().display()))?;
    let lesson = Path::new("lesson").join(options.file().file_name().unwrap_or_default());
    if let Ok(text) = fs::read(options.file().with_file_name(lesson)) {
        fs::write(LESSON, text)?;
    }
    let user = free_id()?;
    let home = stage.join("home/learner");
    if fs::read_to_string(TRANSCRIPT)?.contains(ARCHIVE) {
        archive(&home.join(ARCHIVE), user)?;
    }

    // What both users see of the tutorial's time: its prompts, and a `python`.
    // (bash reads the one or the other, by whether it is a login shell.)
    for file in [".bashrc", ".bash_profile"] {
        for home in [home.clone(), stage.join("root")] {
            fs::write(home.join(file), "PS1='\\$ '\n")?;
        }
    }
    copy_executable(Path::new("scripts/python2"), &stage.join("sbin/python"))?;
    if !options.theirs {
        let ours = stage.join("sbin/ctrbox");
        copy_executable(&artefact()?, &ours)?;
        run(Command::new(&ours).arg("--install").arg(stage.join("sbin")))?;
    }
    fs::write(TRACE, "")?;
    fs::set_permissions(TRACE, fs::Permissions::from_mode(0o666))?;
    fs::set_permissions(stage.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    for path in [".", ".bashrc", ".bash_profile"].map(|name| home.join(name)) {
        chown(&path, Some(Uid::from_raw(user)), Some(Gid::from_raw(user)))?;
    }

    let mut put_over = vec![
        (stage.join("home"), PathBuf::from("/home")),
        (stage.join("root"), PathBuf::from("/root")),
        (stage.join("tmp"), PathBuf::from("/tmp")),
        (stage.join("sbin"), PathBuf::from(OURS)),
        (stage.join("etc"), PathBuf::from("/etc")),
    ];
    for (path, text) in accounts(user)? {
        let file = stage.join("etc").join(path);
        // What is a link there would be written where it leads.
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(format!("{}: {error}", file.display()).into());
        }
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(if path == "sudoers" { 0o440 } else { 0o644 }))?;
    }
    if !options.theirs {
        let cover = stage.join("original");
        fs::write(&cover, "#!/bin/sh\necho \"${0##*/}: the machine's own, not ctrbox\" >&2\nexit 99\n")?;
        fs::set_permissions(&cover, fs::Permissions::from_mode(0o755))?;
        let paths = evidence::ORIGINALS
            .iter()
            .flat_map(|directory| APPLETS.iter().map(|applet| Path::new(directory).join(applet.name)));
        let originals: BTreeSet<PathBuf> = paths.filter_map(|path| fs::canonicalize(path).ok()).collect();
        put_over.extend(originals.into_iter().map(|original| (cover.clone(), original)));
    }
    for (what, over) in put_over {
        mount(Some(&what), &over, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .map_err(|errno| format!("cannot put something over {}: {errno}", over.display()))?;
    }
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>)?;
    sethostname("localhost")?;
    Ok(())
}

fn in_memory(directory: &Path) -> Result<()> {
    mount(Some("transcript"), directory, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
        .map_err(|errno| format!("cannot mount a tmpfs on {}: {errno}", directory.display()).into())
}

/// The first user and group number from 1000 on that nobody has.
fn free_id() -> Result<u32> {
    let taken: BTreeSet<u32> = ["/etc/passwd", "/etc/group"]
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap_or_default().lines().map(str::to_string).collect::<Vec<_>>())
        .filter_map(|line| line.split(':').nth(2)?.parse().ok())
        .collect();
    (1000..60_000).find(|id| !taken.contains(id)).ok_or_else(|| "no user number is free".into())
}

/// What takes the place of files in /etc: their names there, and their text.
fn accounts(user: u32) -> Result<Vec<(&'static str, String)>> {
    let with_line = |file: &str, line: String| -> Result<String> {
        let mut text = fs::read_to_string(file)?;
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&line);
        text.push('\n');
        Ok(text)
    };
    // No password is asked for, and none is looked up: `*`, not `x`.
    let passwd: String =
        with_line("/etc/passwd", format!("{USER}:*:{user}:{user}::{HOME}:/bin/bash"))?
            .lines()
            .map(|line| {
                if line.starts_with("root:") { "root:x:0:0:root:/root:/bin/bash\n".into() } else { format!("{line}\n") }
            })
            .collect();
    let kept = ENVIRONMENT.join(" ") + " LC_ALL CTRBOX_TRACE CTRBOX_CAPS_TEXT";
    let sudoers = format!(
        "Defaults env_reset\nDefaults use_pty\nDefaults secure_path=\"{PATH}\"\nDefaults env_keep += \"{kept}\"\n\
         root ALL=(ALL:ALL) ALL\n{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n"
    );
    let pam = ["auth", "account", "session"].map(|what| format!("{what} required pam_permit.so\n")).concat();
    Ok(vec![
        ("passwd", passwd),
        ("group", with_line("/etc/group", format!("{USER}:*:{user}:"))?),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n".to_string()),
        ("sudoers", sudoers),
        ("pam.d/sudo", pam.clone()),
        ("pam.d/su", pam),
    ])
}

/// The program that is played with: the file that `CTRBOX` names, else `target/ctrbox`, which scripts/tutorial makes.
fn artefact() -> Result<PathBuf> {
    Ok(fs::canonicalize(std::env::var_os("CTRBOX").unwrap_or("target/ctrbox".into()))?)
}

/// Makes the archive that the tutorial downloads, with our own root file system in it.
fn archive(path: &Path, user: u32) -> Result<()> {
    let made = Path::new(STAGE).join("made");
    run(Command::new("scripts/rootfs").arg(made.join("rootfs")).env("CTRBOX", artefact()?))?;
    run(Command::new("tar").args(["-c", "-I", "gzip -1", "-f"]).arg(path).arg("-C").arg(&made).arg("rootfs"))?;
    chown(path, Some(Uid::from_raw(user)), Some(Gid::from_raw(user)))?;
    Ok(fs::remove_dir_all(made)?)
}

/// Runs a command that prints only if it fails.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", printed.trim_end()).into())
}

fn copy_executable(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map_err(|error| format!("{}: {error}", from.display()))?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}
