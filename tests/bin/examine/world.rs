//! Where lines are run: for each side a helper process that has made a small root once, and forks a process into namespaces
//! of its own for each line. No shell, no program but the one under test and the probe.
//!
//! All that a line could change belongs to it alone: its root is a file system in memory of its own, /sys is one of the
//! helper's network namespace, /proc one of the line's PID namespace, and what is shared is mounted read-only from a file
//! system that nobody writes to.

use super::case::{Case, receive, send};
use super::perform::{self, Setting};
use super::probe::{LOG, PROC, REPORT, TOLD};
use super::{cgroup, effect, images, probe};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pivot_root};
use std::ffi::CString;
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a line may take.
const TIMEOUT: Duration = Duration::from_secs(8);
const NONE: Option<&str> = None;
/// One side's helper.
pub struct Helper {
    stream: UnixStream,
    number: usize,
    pid: Pid,
    /// Whether it has stopped answering.
    pub is_lost: bool,
}

impl Helper {
    /// Starts it. `stage` holds the side's commands in `ours` or `theirs`, `libraries`, and the images of
    /// the sandbox `number`.
    pub fn start(stage: &Path, side: &str, number: usize) -> Helper {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // SAFETY: this process has one thread.
        match unsafe { nix::unistd::fork() }.unwrap() {
            nix::unistd::ForkResult::Child => {
                drop(ours);
                nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
                let place = base(stage, side, number);
                serve(theirs, &place, number);
                std::process::exit(0);
            }
            nix::unistd::ForkResult::Parent { child } => {
                ours.set_read_timeout(Some(4 * TIMEOUT)).unwrap();
                Helper { stream: ours, number, pid: child, is_lost: false }
            }
        }
    }

    /// What the line does there, as the lines of `effect.rs`.
    pub fn run(&mut self, case: &Case) -> String {
        let mut case = case.clone();
        images::owned(&mut case, self.number);
        let told = send(&mut self.stream, &case.encode()).and_then(|()| receive(&mut self.stream));
        let Ok(mut told) = told else {
            self.is_lost = true;
            return "the helper is lost\n".to_string();
        };
        images::general(&mut told, self.number);
        String::from_utf8_lossy(&told).into_owned()
    }

    /// Ends it, whatever it waits for.
    pub fn end(&self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        ends(self.pid);
    }
}

/// Makes the root that all lines of this side start from; returns where the libraries are in it.
fn base(stage: &Path, side: &str, number: usize) -> PathBuf {
    cgroup::enter();
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS)
        .expect("namespaces can be made");
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    nix::unistd::sethostname("sandbox").unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE).unwrap();
    let root = stage.join("case");
    mount(Some("base"), &root, Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
    for name in ["bin", "cmd", "dev", "images", "lib", "lib64", "new", "sys"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    // Apart from the rest, so that the mount tables of both sides are alike.
    for entry in fs::read_dir(stage.join(side)).unwrap().flatten() {
        fs::copy(entry.path(), root.join("cmd").join(entry.file_name())).unwrap();
    }
    if side == "ours" {
        for applet in tests::sandbox::APPLETS {
            fs::hard_link(root.join("cmd/ctrbox"), root.join("cmd").join(applet)).unwrap();
        }
    }
    let images = format!("images-{number}");
    for (from, to) in [("bin", "bin"), ("dev", "dev"), (&images, "images"), ("libraries", "lib"), ("lib64", "lib64")] {
        mount(Some(&stage.join(from)), &root.join(to), NONE, MsFlags::MS_BIND, NONE).unwrap();
    }
    mount(Some("sysfs"), &root.join("sys"), Some("sysfs"), MsFlags::empty(), NONE).unwrap();
    std::env::set_current_dir(&root).unwrap();
    pivot_root(".", ".").unwrap();
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    std::env::set_current_dir("/").unwrap();
    cgroup::keep();
    // Without loop devices the lines that need one fail on both sides.
    let _ = images::level(number);
    stage.join("libraries")
}

fn serve(mut stream: UnixStream, libraries: &Path, number: usize) {
    while let Ok(bytes) = receive(&mut stream) {
        let case = Case::decode(&bytes).expect("what was sent");
        let (mut from, to) = UnixStream::pair().unwrap();
        let flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::SIGCHLD;
        // SAFETY: without a stack of its own it is a fork, and this process has one thread.
        let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
        if pid == 0 {
            drop(stream);
            drop(from);
            sandbox(&case, to, libraries, number);
            // SAFETY: it takes an integer.
            unsafe { libc::_exit(0) };
        }
        assert!(pid > 0, "a process can be made");
        let pid = Pid::from_raw(i32::try_from(pid).unwrap());
        drop(to);
        from.set_read_timeout(Some(TIMEOUT)).unwrap();
        let effect = receive(&mut from).unwrap_or_else(|error| match error.kind() {
            std::io::ErrorKind::WouldBlock => b"timed out\n".to_vec(),
            _ => format!("sandbox: {error}\n").into_bytes(),
        });
        let _ = kill(pid, Signal::SIGKILL);
        if !ends(pid) {
            eprintln!("examine: what runs this line does not end, and is left behind:\n{}", case.script());
        }
        images::let_go(number);
        if send(&mut stream, &effect).is_err() {
            return;
        }
        cgroup::forget();
    }
}

/// Whether a killed process ends in time. One that the kernel does not let go of is left behind.
fn ends(pid: Pid) -> bool {
    let last = Instant::now() + TIMEOUT;
    loop {
        match waitpid(pid, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) if Instant::now() < last => {
                std::thread::sleep(Duration::from_micros(200));
            }
            Ok(WaitStatus::StillAlive) => return false,
            _ => return true,
        }
    }
}

/// An anonymous file.
pub fn memory(name: &str) -> OwnedFd {
    let name = CString::new(name).unwrap();
    // SAFETY: the name is NUL-terminated; what is returned is a new descriptor.
    unsafe { OwnedFd::from_raw_fd(libc::memfd_create(name.as_ptr(), 0)) }
}

fn sandbox(case: &Case, to: UnixStream, libraries: &Path, number: usize) {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    // It has one number on both sides, since lines name descriptors of this process.
    // SAFETY: the first is a descriptor, and the second one is nobody else's.
    let mut to = unsafe {
        assert!(libc::dup3(to.into_raw_fd(), TOLD, libc::O_CLOEXEC) == TOLD);
        UnixStream::from_raw_fd(TOLD)
    };
    // A socket of another network namespace would be one more that lsns finds.
    for descriptor in 3..PROC {
        let _ = nix::unistd::close(descriptor);
    }
    root(libraries);
    if case.line[0] == b"losetup" {
        images::hide_others(number);
    }
    let device = fs::metadata("/").unwrap().dev();
    // /proc for us alone: what the line does to the mounted one does not reach it.
    // SAFETY: the path is NUL-terminated, the numbers are descriptors of this process or none.
    unsafe {
        let tree = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, c"/proc".as_ptr(), libc::OPEN_TREE_CLONE);
        assert!(tree >= 0 && libc::dup2(tree as RawFd, PROC) == PROC);
        libc::close(tree as RawFd);
    }
    let report = memory("report");
    // SAFETY: both are descriptors.
    unsafe { libc::dup2(report.as_raw_fd(), REPORT) };
    let (output, errors) = (memory("output"), memory("errors"));

    let mut told = String::new();
    let mut setting = Setting::default();
    std::env::set_current_dir("/here").unwrap();
    for (at, step) in case.surroundings.iter().enumerate() {
        if let Err(errno) = perform::surrounding(step, &mut setting) {
            told.push_str(&format!("step {at} {errno:?}\n"));
        }
    }
    // Its own directory would keep mounts busy.
    std::env::set_current_dir("/").unwrap();
    told.push_str(&effect::known_namespaces());
    let processes = probe::names(".");
    let program = format!("/cmd/{}", String::from_utf8_lossy(&case.line[0]));

    // With theirs the libraries are busy, so they are with ours.
    let _busy = fs::File::open(libraries).ok();
    let step = |name: &[u8]| case.caller.iter().find(|step| step[0] == name);
    let log = memory("log");
    if let Some(fault) = step(b"inject") {
        // SAFETY: both are descriptors.
        unsafe { libc::dup2(log.as_raw_fd(), LOG) };
        told.push_str(&format!("status {}\n", run(&program, case, &setting, Some(&fault[1]), &output, &errors)));
    }
    if step(b"inject").is_none() || step(b"twice").is_some() {
        told.push_str(&format!("status {}\n", run(&program, case, &setting, None, &output, &errors)));
    }
    told.push_str(&effect::new_processes(&processes, &String::from_utf8_lossy(&case.line[0])));
    let text = |descriptor: OwnedFd| {
        let mut file = fs::File::from(descriptor);
        let mut bytes = Vec::new();
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
        bytes
    };
    told.push_str(&String::from_utf8_lossy(&text(report)));
    told.extend(
        String::from_utf8_lossy(&text(log))
            .lines()
            .filter(|line| !line.starts_with("known "))
            .map(|line| format!("traced {line}\n")),
    );
    for line in text(output).split_inclusive(|&byte| byte == b'\n') {
        told.push_str(&format!("stdout {}\n", effect::text(line.strip_suffix(b"\n").unwrap_or(line))));
    }
    for line in text(errors).split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        told.push_str(&format!("stderr {}\n", effect::text(line)));
    }
    effect::mounts(&probe::read("self/mountinfo"), &mut told);
    effect::files(Path::new("/"), device, &mut told);
    // To look for them takes long.
    let names_one = |word: &Vec<u8>| word.windows(4).any(|part| part == b"loop" || part == b"disk");
    let has_images = case.surroundings.iter().any(images::is_step);
    if has_images || case.surroundings.iter().flatten().any(names_one) || case.line.iter().any(names_one) {
        told.push_str(&effect::loop_devices(device, case.line[0] == b"losetup"));
        if case.line[0] == b"losetup" {
            images::detach_nested(number);
        }
        if has_images {
            // The next line's are called the same, and the kernel lets go of them only when nothing holds them.
            release(device, setting);
        }
    }
    let _ = send(&mut to, told.as_bytes());
    let _ = to.flush();
}

/// Ends all processes of the sandbox and unmounts what is on a device.
fn release(device: u64, setting: Setting) {
    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    while waitpid(None, Some(WaitPidFlag::__WALL)).is_ok() {}
    let table = String::from_utf8_lossy(&probe::read("self/mountinfo")).into_owned();
    let on_device = |line: &&str| line.split(" - ").nth(1).is_some_and(|part| part.contains(" /dev/"));
    for line in table.lines().rev().filter(on_device) {
        let place = line.split(' ').nth(4).unwrap_or_default();
        if fs::metadata(place).is_ok_and(|about| about.dev() != device) {
            let _ = umount2(place, MntFlags::MNT_DETACH);
        }
    }
    drop(setting);
}

/// Runs the line and returns how it ended; with a fault under `inject`.
fn run(
    program: &str,
    case: &Case,
    setting: &Setting,
    fault: Option<&Vec<u8>>,
    output: &OwnedFd,
    errors: &OwnedFd,
) -> String {
    // SAFETY: this process has one thread.
    let child = match unsafe { nix::unistd::fork() }.unwrap() {
        nix::unistd::ForkResult::Child => {
            // SAFETY: these are descriptors.
            unsafe {
                let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
                libc::dup2(null, 0);
                libc::dup2(output.as_raw_fd(), 1);
                libc::dup2(errors.as_raw_fd(), 2);
                libc::syscall(libc::SYS_close_range, 3, PROC - 1, 0);
            }
            let _ = std::env::set_current_dir("/here");
            let errno = match fault {
                None => perform::start(program, program, &case.caller, &case.line, setting),
                Some(fault) => {
                    let log = format!("/proc/self/fd/{LOG}").into_bytes();
                    let words = ["inject", "run"].map(|word| word.as_bytes().to_vec());
                    let mut line = [words.to_vec(), vec![log, fault.clone()], case.line.clone()].concat();
                    line[4] = program.as_bytes().to_vec();
                    perform::start("/bin/inject", program, &case.caller, &line, setting)
                }
            };
            // SAFETY: it takes an integer.
            unsafe { libc::_exit(200 + errno % 50) };
        }
        nix::unistd::ForkResult::Parent { child } => child,
    };
    loop {
        match waitpid(child, Some(WaitPidFlag::__WALL)) {
            Ok(WaitStatus::Exited(_, code)) => return code.to_string(),
            Ok(WaitStatus::Signaled(_, signal, _)) => return signal.to_string(),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return format!("unknown: {errno}"),
        }
    }
}

/// The root of one line, with what every line finds in it.
fn root(libraries: &Path) {
    mount(Some("root"), "/new", Some("tmpfs"), MsFlags::empty(), Some("mode=0755")).unwrap();
    std::env::set_current_dir("/new").unwrap();
    for name in "cmd dev etc home images lib64 mnt proc root run run/mount sys tmp usr usr/bin here".split(' ') {
        fs::create_dir(name).unwrap();
    }
    for (target, name) in [("usr/bin", "bin"), ("usr/bin", "sbin"), ("bin", "usr/sbin"), ("lib64", "lib")] {
        symlink(target, name).unwrap();
    }
    let here = Path::new(".").join(libraries.strip_prefix("/").unwrap());
    fs::create_dir_all(&here).unwrap();
    for (from, to) in [
        ("/bin", Path::new("usr/bin")),
        ("/cmd", "cmd".as_ref()),
        ("/dev", "dev".as_ref()),
        ("/images", "images".as_ref()),
        ("/lib64", "lib64".as_ref()),
        ("/lib", &here),
    ] {
        mount(Some(from), to, NONE, MsFlags::MS_BIND, NONE).unwrap();
        mount(NONE, to, NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, NONE).unwrap();
    }
    // A line may have made the file system itself read-only, which is the helper's, too.
    mount(NONE, "/sys", NONE, MsFlags::MS_REMOUNT, NONE).unwrap();
    mount(Some("/sys"), "sys", NONE, MsFlags::MS_BIND, NONE).unwrap();
    mount(Some("proc"), "proc", Some("proc"), MsFlags::empty(), NONE).unwrap();
    pivot_root(".", ".").unwrap();
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    std::env::set_current_dir("/").unwrap();
    assert!(Path::new("/bin/probe").exists());
    let text = |path: &str, text: &str| fs::write(path, text).unwrap();
    text(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/bin/sh\n\
         nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\nordinary:x:1000:1000::/home:/bin/sh\n",
    );
    text(
        "/etc/group",
        "root:x:0:\ndaemon:x:1:\nadm:x:4:ordinary\nnogroup:x:65534:\nordinary:x:1000:\nextra:x:1001:ordinary\n",
    );
    text("/etc/subuid", "");
    text("/etc/subgid", "");
    std::env::set_current_dir("/here").unwrap();
    for name in ["a", "a/b", "a/b/c", "d", "with space", "back\\slash", "hash#", "new\nline", "comma,dir"] {
        fs::create_dir(name).unwrap();
    }
    for name in ["f", "a/f", "x", "full", "comma,file"] {
        text(name, "text\n");
    }
    // Two filters for seccomp(2): all is allowed, and mkdir(2) fails.
    let allow = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];
    fs::write("allow", allow).unwrap();
    let refuse = [0x20, 0, 0, 0, 0, 0, 0, 0, 0x15, 0, 0, 1, libc::SYS_mkdir as u8, 0, 0, 0, 6, 0, 0, 0, 1, 0, 5, 0];
    fs::write("refuse", [&refuse[..], &allow].concat()).unwrap();
    fs::set_permissions("x", fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe")).unwrap();
    for (target, name) in
        [("a", "link"), ("a/f", "filelink"), ("nowhere", "dangling"), ("loop", "loop"), ("/here/d", "whole")]
    {
        symlink(target, name).unwrap();
    }
    nix::unistd::mkfifo("pipe", nix::sys::stat::Mode::from_bits_truncate(0o644)).unwrap();
}
