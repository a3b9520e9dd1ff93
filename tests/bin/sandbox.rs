//! Makes the namespaces that a test's script runs in; see `tests/sandbox.rs` for what they promise.
//!
//! `sandbox run STAGE SIDE ACCOUNTS REPORT SCRIPT SECONDS [VERSION ERROR]`: three processes. The outer one makes the
//! namespaces; its child, started again as `sandbox init ...`, is PID 1, sets up, keeps the time and
//! cleans up; the third is the shell. `sandbox ordinary COMMAND...` runs a command as the ordinary user.
//! `sandbox target OPTION...` leaves a process in the namespaces that the host's unshare makes with
//! these options, and prints its number. `sandbox state` prints what a process is in: it stands for
//! the program that a command runs, and needs no file but itself. `sandbox caps [PID]` prints what the crate caps reads of
//! the capabilities of a process, its own or another's: a witness that shares no code with ours.

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid};
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use tests::emulation::{self, Emulation};
use tests::sandbox::{Accounts, ORDINARY_IDS, TIMED_OUT, device_of_file, unique_name};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let done = match verb.to_str() {
        Some("run") => run(&rest),
        Some("init") => init(&rest),
        Some("ordinary") => ordinary(&rest),
        Some("target") => target(&rest),
        Some("state") => state(),
        Some("caps") => caps_of(&rest),
        _ => Err("usage: sandbox run|init|ordinary|target|state|caps ...".into()),
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            // Not the script's failure but the sandbox's: told apart by the report.
            let report = rest.get(3).filter(|_| verb == "run");
            let _ = match report {
                Some(report) => fs::write(report, format!("error: {error}\n")),
                None if verb == "init" => tell(&format!("error: {error}\n")),
                None => Ok(()),
            };
            eprintln!("sandbox: {error}");
            ExitCode::from(125)
        }
    }
}

fn run(arguments: &[OsString]) -> Result<u8> {
    // A script starts with the standard descriptors alone, whatever the test program's caller left open.
    for descriptor in 3..256 {
        let _ = nix::unistd::close(descriptor);
    }
    let report = arguments.get(3).ok_or("no report")?;
    // `init` keeps the time; this is for one that hangs itself.
    let seconds: u32 = arguments.get(5).and_then(|text| text.to_str()?.parse().ok()).ok_or("no time limit")?;
    nix::unistd::alarm::set(seconds + 60);
    // Opened where the machine's files can still be written.
    let told = fs::OpenOptions::new().create(true).append(true).open(report)?;
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)
        .map_err(|errno| format!("cannot make namespaces: {errno}"))?;
    let status = Command::new("/proc/self/exe").arg("init").args(arguments).stdin(told).status()?;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(u8::try_from(code).unwrap_or(255))
}

/// Writes to the report, which is what `init` has for its standard input.
fn tell(text: &str) -> std::io::Result<()> {
    use std::os::fd::AsFd;
    fs::File::from(std::io::stdin().as_fd().try_clone_to_owned()?).write_all(text.as_bytes())
}

fn init(arguments: &[OsString]) -> Result<u8> {
    let [stage, side, accounts, report, script, seconds, emulated @ ..] = arguments else {
        return Err("init STAGE SIDE ACCOUNTS REPORT SCRIPT SECONDS [VERSION ERROR]".into());
    };
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let stage = Path::new(stage);
    let accounts = accounts.to_str().and_then(Accounts::from_name).ok_or("unknown accounts")?;
    // Waited for, so that what outlives the namespaces is undone however the script ends: by itself, because its time is
    // over, or because the test program is gone.
    let signals = SigSet::from_iter([Signal::SIGCHLD, Signal::SIGALRM, Signal::SIGTERM]);
    signals.thread_block()?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
    let seconds = seconds.to_str().and_then(|text| text.parse().ok()).ok_or("no time limit")?;
    nix::unistd::setsid()?;
    nix::unistd::sethostname("sandbox")?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));

    // Kept open, since a script may cover /proc.
    let mut mounts = fs::File::open("/proc/self/mountinfo")?;
    let of_the_machine = devices(&mut mounts)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)?;
    detach_other_views()?;
    // The directory for temporary files stays writable when all the rest is not, further down.
    let temporary = std::env::temp_dir();
    mount(Some(&temporary), &temporary, none, MsFlags::MS_BIND, none)?;
    let case = stage.join("case");
    mount(Some("case"), &case, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    // The userspace mount table is there: the machine's own must not learn of our mounts.
    mount(Some("sandbox"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    if umount2("/dev/shm", MntFlags::MNT_DETACH).is_ok() {
        // To remount one that the machine uses changes it for the machine, too.
        while umount2("/dev/shm", MntFlags::MNT_DETACH).is_ok() {}
        mount(Some("sandbox"), "/dev/shm", Some("tmpfs"), MsFlags::empty(), Some("mode=1777"))?;
    }
    if accounts > Accounts::Host {
        let subordinate = if accounts == Accounts::Subordinate { "subordinate" } else { "no-subordinate" };
        for (file, over) in [
            ("passwd", "/etc/passwd"),
            ("group", "/etc/group"),
            (subordinate, "/etc/subuid"),
            (subordinate, "/etc/subgid"),
        ] {
            mount(Some(&stage.join("etc").join(file)), over, none, MsFlags::MS_BIND, none)
                .map_err(|errno| format!("cannot put a file over {over}: {errno}"))?;
        }
    }
    std::env::set_current_dir(&case)?;
    // Whatever a script does when a command of it fails, the machine's files stay as they are.
    mount(none, "/", none, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none)?;

    let mut path = stage.join(side).into_os_string();
    path.push(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    let verb = |name: &str| format!("{} {name}", stage.join("bin/sandbox").display());
    let unique = unique_name(Path::new(report));
    // Not before: the sandbox itself is made with all that this kernel has.
    if let [kernel, answer] = emulated {
        let emulation = Emulation { kernel: text(kernel).parse()?, answer: text(answer).parse()? };
        emulation::install(emulation.filter())?;
    }
    let mut shell = Command::new("/bin/bash");
    // SAFETY: between fork and exec only a system call is made.
    unsafe { shell.pre_exec(move || Ok(signals.thread_unblock()?)) };
    let shell = shell
        .arg("-c")
        .arg(script)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", path)
        .env("ORDINARY", verb("ordinary"))
        .env("TARGET", verb("target"))
        .env("HOME", "/root")
        .env("IMAGES", stage.join("images"))
        .env("LC_ALL", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .env("TZ", "UTC")
        .env("UNIQUE", &unique)
        .spawn()
        .map_err(|error| format!("/bin/bash: {error}"))?;
    let shell = Pid::from_raw(i32::try_from(shell.id())?);
    nix::unistd::alarm::set(seconds);
    let mut left = Vec::new();
    let status = loop {
        match signals.wait()? {
            Signal::SIGCHLD => {
                if let Some(status) = reap(shell)? {
                    break status;
                }
            }
            signal => {
                left.extend((signal == Signal::SIGALRM).then(|| TIMED_OUT.to_string()));
                break 128 + signal as i32;
            }
        }
    };
    // All but this process.
    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    let own: Vec<u64> = devices(&mut mounts)?.into_iter().filter(|device| !of_the_machine.contains(device)).collect();
    left.extend(left_behind(stage, &own, &unique));
    if !left.is_empty() {
        tell(&left.join("\n"))?;
    }
    Ok(u8::try_from(status).unwrap_or(255))
}

/// Takes note of all who have ended (PID 1 is the parent of whoever has lost theirs); the shell's status if it has.
fn reap(shell: Pid) -> nix::Result<Option<i32>> {
    let mut status = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) if pid == shell => status = Some(code),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == shell => status = Some(128 + signal as i32),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(status),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Detaches every proc and sysfs but those on /proc and /sys. Where one is wholly visible anywhere (a root that is being
/// installed has both), the kernel allows a new one in a user namespace, whatever covers parts of the others.
fn detach_other_views() -> std::io::Result<()> {
    for line in String::from_utf8_lossy(&fs::read("/proc/self/mountinfo")?).lines() {
        let (mount, file_system) = line.split_once(" - ").unwrap_or_default();
        let place = mount.split(' ').nth(4).unwrap_or_default();
        if matches!(file_system.split(' ').next(), Some("proc" | "sysfs")) && !matches!(place, "/proc" | "/sys") {
            // One whose name has blanks or that another covers stays.
            let _ = umount2(place, MntFlags::MNT_DETACH);
        }
    }
    Ok(())
}

/// The devices (`st_dev`) of what is mounted.
fn devices(mountinfo: &mut fs::File) -> std::io::Result<Vec<u64>> {
    let device = |line: &str| {
        let (major, minor) = line.split(' ').nth(2)?.split_once(':')?;
        Some(nix::sys::stat::makedev(major.parse().ok()?, minor.parse().ok()?))
    };
    mountinfo.rewind()?;
    // A script may have mounted something on any name.
    let mut table = Vec::new();
    mountinfo.read_to_end(&mut table)?;
    Ok(String::from_utf8_lossy(&table).lines().filter_map(device).collect())
}

/// What outlives the namespaces, undone and named: loop devices that do not free themselves, on files of the file
/// systems that this script alone has (`own`), and cgroups whose name begins with `unique`.
fn left_behind(stage: &Path, own: &[u64], unique: &str) -> Vec<String> {
    let mut left = Vec::new();
    let text = |path: PathBuf| fs::read_to_string(path).unwrap_or_default().trim_end().to_string();
    for device in entries(Path::new("/sys/block")) {
        let name = device.file_name().unwrap_or_default();
        let file = text(device.join("loop/backing_file"));
        let is_own = || device_of_file(name).is_some_and(|device| own.contains(&device));
        if !file.is_empty() && text(device.join("loop/autoclear")) == "0" && is_own() {
            let name = name.to_string_lossy();
            left.push(format!("/dev/{name} on {file}"));
            let tool = stage.join("tools/losetup");
            let tool = if tool.exists() { tool } else { PathBuf::from("/usr/sbin/losetup") };
            let _ = Command::new(tool).arg("-d").arg(format!("/dev/{name}")).status();
        }
    }
    let hierarchies = entries(Path::new("/sys/fs/cgroup"));
    for cgroup in hierarchies.iter().flat_map(|hierarchy| entries(hierarchy)).chain(hierarchies.clone()) {
        if cgroup.file_name().is_some_and(|name| name.to_string_lossy().starts_with(unique)) {
            left.push(format!("cgroup {}", cgroup.display()));
            let _ = fs::remove_dir(&cgroup);
        }
    }
    left
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn ordinary(command: &[OsString]) -> Result<u8> {
    let (program, arguments) = command.split_first().ok_or("ordinary COMMAND...")?;
    let (uid, gid, extra) = ORDINARY_IDS;
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    nix::unistd::setgroups(&[gid, Gid::from_raw(extra)])?;
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    Err(Command::new(program).args(arguments).exec().into())
}

fn target(options: &[OsString]) -> Result<u8> {
    let mut unshare = Command::new("/usr/bin/unshare")
        .args(options)
        .args(["sleep", "1000"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // Read until sleep runs only: what unshare says of its end would stand among the words of what the script runs then.
        .stderr(Stdio::piped())
        .spawn()?;
    let mut pid = unshare.id();
    // There once sleep runs; unshare may have forked it.
    while fs::read_to_string(format!("/proc/{pid}/comm"))?.trim_end() != "sleep" {
        if let Some(status) = unshare.try_wait()? {
            let said = unshare.stderr.take().map(std::io::read_to_string).transpose()?.unwrap_or_default();
            return Err(format!("unshare: {status} {said}").into());
        }
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        match children.split_whitespace().next() {
            Some(child) => pid = child.parse()?,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    println!("{pid}");
    Ok(0)
}

/// Ids, directory, root and capabilities; and of each namespace whether it is the one that the
/// variable NAMESPACES lists.
fn state() -> Result<u8> {
    use std::os::unix::fs::MetadataExt;
    let groups: Vec<u32> = nix::unistd::getgroups()?.into_iter().map(Gid::as_raw).collect();
    let directory = nix::unistd::getcwd().unwrap_or_default();
    let mut line = format!(
        "ran as {}:{} {groups:?} in {} of {}",
        nix::unistd::geteuid(),
        nix::unistd::getegid(),
        directory.display(),
        fs::metadata("/")?.ino()
    );
    let before = std::env::var("NAMESPACES").unwrap_or_default();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"] {
        if let Ok(namespace) = fs::read_link(format!("/proc/self/ns/{kind}")) {
            let is_old = before.split_whitespace().any(|old| Path::new(old) == namespace);
            line.push_str(&format!(" {}{kind}", if is_old { "old " } else { "new " }));
        }
    }
    for status in fs::read_to_string("/proc/self/status").unwrap_or_default().lines() {
        if status.starts_with("Cap") {
            line.push_str(&format!(" {}", status.replace('\t', "")));
        }
    }
    println!("{line}");
    Ok(0)
}

/// Each set of a process by its names, and whether it keeps capabilities, as the crate caps has them. Of another process
/// it reads the first three.
fn caps_of(arguments: &[OsString]) -> Result<u8> {
    use caps::CapSet;
    let pid = arguments.first().and_then(|pid| pid.to_str()).map(str::parse).transpose()?;
    let own = [("bounding", CapSet::Bounding), ("ambient", CapSet::Ambient)];
    let sets =
        [("effective", CapSet::Effective), ("permitted", CapSet::Permitted), ("inheritable", CapSet::Inheritable)];
    for (name, set) in sets.into_iter().chain(own.into_iter().filter(|_| pid.is_none())) {
        let held = caps::read(pid, set).map_err(|error| error.to_string())?;
        let mut numbers: Vec<u8> = held.iter().map(caps::Capability::index).collect();
        numbers.sort_unstable();
        // The crate's two ways to ask must agree.
        for capability in caps::all() {
            let has = caps::has_cap(pid, set, capability).map_err(|error| error.to_string())?;
            if has != held.contains(&capability) {
                return Err(format!("{name}: {capability}").into());
            }
        }
        println!("{name} {}", numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(" "));
    }
    if pid.is_none() {
        let keeps = caps::securebits::has_keepcaps().map_err(|error| error.to_string())?;
        println!("keeps {keeps}");
    }
    Ok(0)
}
