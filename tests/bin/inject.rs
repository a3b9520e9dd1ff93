//! Runs a command and makes one of its system calls fail, as `strace -f -e inject=CALL:error=E:when=N`
//! does, but of one process only: a child's first call is reached, too, where its parent's first
//! would have ended it before the fork.
//!
//! `inject run LOG FAULT COMMAND...`: FAULT is `PROCESS:NUMBER:N:ERRNO` or `-`. A process is `0`, its
//! second child `0.2`, and so on; only what the tested program does is counted and made to fail, up
//! to its exec of another program. What that program is in, as /proc shows it from outside at the
//! very moment of the exec, goes to LOG. `inject snapshot` prints what a command could have left
//! behind in the working directory, in the mount table, in /run/mount and among the processes. Both
//! look at `$PROC`, if that is set, in place of a /proc that the command takes away. Called `probe` it stands for the program that a command runs.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(target_arch = "x86_64")]
mod tracer {
    use std::collections::BTreeMap;
    use std::ffi::{CString, OsString, c_void};
    use std::fmt::Write as _;
    use std::fs;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::os::unix::fs::MetadataExt;
    use tests::fault::{Fault, call_name};

    /// A traced process.
    struct Tracee {
        /// `0`, `0.1`.
        name: String,
        children: usize,
        /// Whether it runs the tested program.
        ours: bool,
        /// How often it made each call, by number.
        made: BTreeMap<u64, usize>,
        /// The call it is in, if that is recorded, and whether it is made to fail.
        call: Option<(u64, usize, bool)>,
    }

    fn ptrace(request: libc::c_uint, pid: i32, address: usize, data: usize) -> i64 {
        // SAFETY: the requests used here take integers, or pointers to live values of the right size.
        unsafe { libc::ptrace(request, pid, address as *mut c_void, data as *mut c_void) }
    }

    const RAX: usize = 10 * 8;
    const ORIG_RAX: usize = 15 * 8;
    /// A PTRACE_SYSCALL stop, told apart from a SIGTRAP by PTRACE_O_TRACESYSGOOD.
    const SYSCALL_STOP: i32 = libc::SIGTRAP | 0x80;

    pub fn run(log_path: &OsString, fault: Option<Fault>, command: &[OsString]) -> u8 {
        let tested = tested_program();
        let mut log = known("host", "self");
        if let Ok(target) = std::env::var("target") {
            log += &known("target", &target);
        }
        let root = start(command);
        let mut tracees = BTreeMap::from([(root, Tracee::new("0".to_string(), false))]);
        let mut orphans: BTreeMap<i32, i32> = BTreeMap::new();
        let mut status = 125;
        while !tracees.is_empty() {
            let mut wait_status = 0;
            // SAFETY: the status is valid for a write.
            let pid = unsafe { libc::waitpid(-1, &mut wait_status, libc::__WALL) };
            if pid < 0 {
                break;
            }
            if libc::WIFEXITED(wait_status) || libc::WIFSIGNALED(wait_status) {
                let signal = libc::WIFSIGNALED(wait_status).then(|| libc::WTERMSIG(wait_status));
                if pid == root {
                    status = signal.map_or_else(|| libc::WEXITSTATUS(wait_status), |signal| 128 + signal);
                }
                if let (Some(tracee), Some(signal)) = (tracees.remove(&pid), signal)
                    && tracee.ours
                {
                    let _ = writeln!(log, "killed {} {signal}", tracee.name);
                }
                continue;
            }
            // A child may stop before its parent's event tells of it.
            let Some(tracee) = tracees.get_mut(&pid) else {
                orphans.insert(pid, wait_status);
                continue;
            };
            let event = wait_status >> 16;
            let signal = libc::WSTOPSIG(wait_status);
            match event {
                libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => {
                    let mut child: libc::c_ulong = 0;
                    ptrace(libc::PTRACE_GETEVENTMSG, pid, 0, (&raw mut child) as usize);
                    tracee.children += 1;
                    let new = Tracee::new(format!("{}.{}", tracee.name, tracee.children), tracee.ours);
                    let child = child as i32;
                    tracees.insert(child, new);
                    if orphans.remove(&child).is_some() {
                        ptrace(libc::PTRACE_SYSCALL, child, 0, 0);
                    }
                    ptrace(libc::PTRACE_SYSCALL, pid, 0, 0);
                }
                libc::PTRACE_EVENT_EXEC => {
                    let was_ours = tracee.ours;
                    tracee.ours = identity(pid) == Some(tested);
                    if let Some((number, count, _)) = tracee.call.take() {
                        let _ = writeln!(log, "call {} {number} {count} 0 {}", tracee.name, call_name(number));
                    }
                    if was_ours && !tracee.ours {
                        let _ = write!(log, "program {}\n{}end\n", tracee.name, state(pid));
                        ptrace(libc::PTRACE_DETACH, pid, 0, 0);
                        // Still our child, and waited for, if it is the first.
                        if pid != root {
                            tracees.remove(&pid);
                        }
                    } else {
                        ptrace(libc::PTRACE_SYSCALL, pid, 0, 0);
                    }
                }
                libc::PTRACE_EVENT_STOP => {
                    let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
                    // A group-stop, or the first stop of a new tracee, which is reported as SIGTRAP.
                    let request = if stops.contains(&signal) { libc::PTRACE_LISTEN } else { libc::PTRACE_SYSCALL };
                    ptrace(request, pid, 0, 0);
                }
                _ if signal == SYSCALL_STOP => {
                    tracee.syscall(pid, fault.as_ref(), &mut log);
                    ptrace(libc::PTRACE_SYSCALL, pid, 0, 0);
                }
                _ => {
                    ptrace(libc::PTRACE_SYSCALL, pid, 0, if signal == libc::SIGTRAP { 0 } else { signal as usize });
                }
            }
        }
        fs::write(log_path, log).expect("the log can be written");
        u8::try_from(status).unwrap_or(255)
    }

    impl Tracee {
        fn new(name: String, ours: bool) -> Tracee {
            Tracee { name, children: 0, ours, made: BTreeMap::new(), call: None }
        }

        fn syscall(&mut self, pid: i32, fault: Option<&Fault>, log: &mut String) {
            // SAFETY: all zero is a valid value of this plain structure.
            let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
            let size = size_of::<libc::ptrace_syscall_info>();
            if !self.ours || ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, (&raw mut info) as usize) <= 0 {
                return;
            }
            if info.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
                // SAFETY: `op` says that this part of the union is filled.
                let number = unsafe { info.u.entry.nr };
                let count = self.made.entry(number).or_default();
                *count += 1;
                let fails = fault
                    .is_some_and(|fault| fault.process == self.name && fault.number == number && fault.count == *count);
                if fails && fault.is_some_and(|fault| fault.errno == tests::fault::KILLED) {
                    // SAFETY: it takes two integers.
                    unsafe { libc::kill(pid, libc::SIGKILL) };
                    let _ = writeln!(log, "injected {} {number} {count} 0 {}", self.name, call_name(number));
                    return;
                }
                // close(2) and its like do their work even when they report an error.
                if fails && number != libc::SYS_close as u64 {
                    ptrace(libc::PTRACE_POKEUSER, pid, ORIG_RAX, usize::MAX);
                }
                self.call = Some((number, *count, fails));
            } else if info.op == libc::PTRACE_SYSCALL_INFO_EXIT
                && let Some((number, count, fails)) = self.call.take()
            {
                if fails {
                    let errno = fault.map_or(0, |fault| fault.errno);
                    ptrace(libc::PTRACE_POKEUSER, pid, RAX, (-i64::from(errno)) as usize);
                }
                // SAFETY: `op` says that this part of the union is filled.
                let result = unsafe { info.u.exit.sval };
                let what = if fails { "injected" } else { "call" };
                let _ = writeln!(log, "{what} {} {number} {count} {result} {}", self.name, call_name(number));
            }
        }
    }

    /// Starts the command, stopped until it is traced.
    fn start(command: &[OsString]) -> i32 {
        let words: Vec<CString> = command.iter().map(|word| CString::new(word.as_bytes()).unwrap()).collect();
        let mut pointers: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let mut ends = [0; 2];
        // SAFETY: `ends` is valid for two descriptors.
        assert_eq!(unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
        // SAFETY: this process has one thread.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let mut byte = 0_u8;
            // SAFETY: the buffer is one byte, the strings and their array live on.
            unsafe {
                libc::read(ends[0], (&raw mut byte).cast(), 1);
                libc::execvp(pointers[0], pointers.as_ptr());
                libc::_exit(125);
            }
        }
        let options = libc::PTRACE_O_TRACESYSGOOD
            | libc::PTRACE_O_TRACEFORK
            | libc::PTRACE_O_TRACEVFORK
            | libc::PTRACE_O_TRACECLONE
            | libc::PTRACE_O_TRACEEXEC
            | libc::PTRACE_O_EXITKILL;
        assert_eq!(ptrace(libc::PTRACE_SEIZE, pid, 0, options as usize), 0, "ptrace is permitted");
        // Calls are stopped at only from PTRACE_SYSCALL on, which needs a stop.
        ptrace(libc::PTRACE_INTERRUPT, pid, 0, 0);
        // SAFETY: the buffer is one byte.
        unsafe {
            libc::write(ends[1], b"x".as_ptr().cast(), 1);
            libc::close(ends[0]);
            libc::close(ends[1]);
        }
        pid
    }

    fn tested_program() -> (u64, u64) {
        let path = std::env::var_os("TESTED").expect("TESTED names the tested program");
        let about = fs::metadata(path).expect("it is there");
        (about.dev(), about.ino())
    }

    fn identity(pid: i32) -> Option<(u64, u64)> {
        fs::metadata(super::proc(&format!("{pid}/exe"))).ok().map(|about| (about.dev(), about.ino()))
    }

    /// The namespaces of a process, to be called by a name.
    fn known(name: &str, pid: &str) -> String {
        let mut out = String::new();
        for entry in fs::read_dir(super::proc(&format!("{pid}/ns"))).into_iter().flatten().flatten() {
            let link = fs::read_link(entry.path()).unwrap_or_default();
            let _ = writeln!(out, "known {name} {}", link.display());
        }
        out
    }

    /// What a process is in. Numbers that differ from run to run are left out or named.
    fn state(pid: i32) -> String {
        let read = |name: &str| {
            let bytes = fs::read(super::proc(&format!("{pid}/{name}"))).unwrap_or_default();
            OsString::from_vec(bytes).to_string_lossy().into_owned()
        };
        let link = |name: &str| {
            fs::read_link(super::proc(&format!("{pid}/{name}"))).unwrap_or_default().to_string_lossy().into_owned()
        };
        let mut out = String::new();
        let _ = writeln!(out, "exe {}", link("exe"));
        let _ = writeln!(out, "argv {}", read("cmdline").replace('\0', " "));
        let mut environment: Vec<String> = read("environ").split('\0').map(str::to_string).collect();
        environment.sort();
        let _ = writeln!(out, "environment {}", environment.join(" "));
        for line in read("status").lines() {
            let wanted = [
                "Uid:",
                "Gid:",
                "Groups:",
                "CapInh:",
                "CapPrm:",
                "CapEff:",
                "CapBnd:",
                "CapAmb:",
                "NoNewPrivs:",
                "Seccomp_filters:",
            ];
            if wanted.iter().any(|name| line.starts_with(name)) {
                let _ = writeln!(out, "{}", line.trim_end());
            }
            // In a PID namespace of its own a process has a second number there.
            if let Some(numbers) = line.strip_prefix("NSpid:") {
                let inner: Vec<&str> = numbers.split_whitespace().skip(1).collect();
                let _ = writeln!(out, "inner pids {}", inner.join(" "));
            }
        }
        for kind in
            ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"]
        {
            let _ = writeln!(out, "namespace {kind} {}", link(&format!("ns/{kind}")));
        }
        for name in ["uid_map", "gid_map", "setgroups", "timens_offsets", "cgroup"] {
            let _ = writeln!(out, "{name} {}", read(name).split_whitespace().collect::<Vec<_>>().join(" "));
        }
        for name in ["root", "cwd"] {
            let inode = fs::metadata(super::proc(&format!("{pid}/{name}"))).map_or(0, |about| about.ino());
            let _ = writeln!(out, "{name} {} {inode}", link(name));
        }
        let mut descriptors: Vec<String> = fs::read_dir(super::proc(&format!("{pid}/fd")))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| {
                let number = entry.file_name().to_string_lossy().into_owned();
                format!("descriptor {number} {}", link(&format!("fd/{number}")))
            })
            .collect();
        descriptors.sort();
        for line in descriptors {
            let _ = writeln!(out, "{line}");
        }
        out + &super::mounts(&read("mountinfo"))
    }
}

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of procfs.
fn proc(name: &str) -> PathBuf {
    Path::new(&std::env::var_os("PROC").unwrap_or("/proc".into())).join(name)
}

/// A mount table without the numbers that differ from run to run.
fn mounts(table: &str) -> String {
    let mut out = String::new();
    for line in table.lines() {
        let mut fields = line.split(' ').skip(3);
        let before: Vec<String> = fields
            .by_ref()
            .take_while(|field| *field != "-")
            .map(|field| match field.split_once(':') {
                Some((tag @ ("shared" | "master" | "propagate_from"), _)) => tag.to_string(),
                _ => field.to_string(),
            })
            .collect();
        let after: Vec<&str> = fields.collect();
        let _ = writeln!(out, "mount {} - {}", before.join(" "), after.join(" "));
    }
    out
}

/// What a command could have left behind.
fn snapshot() -> String {
    let mut out = mounts(&fs::read_to_string(proc("self/mountinfo")).unwrap_or_default());
    files(Path::new("."), &mut out);
    files(Path::new("/run/mount"), &mut out);
    for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let file = fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
        if !file.is_empty() && tests::sandbox::is_of_this_script(&entry.file_name()) {
            let _ = writeln!(out, "loop device on {}", file.trim_end());
        }
    }
    out
}

fn files(directory: &Path, out: &mut String) {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        // Where something is mounted the mount table says so.
        // Locks and signs for watchers are no state.
        if ["utab.lock", "utab.act", "utab.event"].iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.ends_with(".faults") || fs::metadata(directory).is_ok_and(|parent| parent.dev() != about.dev()) {
            continue;
        }
        let capability = capability(&path);
        let text =
            if path.starts_with("/run/mount") { fs::read_to_string(&path).unwrap_or_default() } else { String::new() };
        let _ = writeln!(
            out,
            "file {} {:o} {}:{} {capability} {text:?}",
            path.display(),
            about.mode(),
            about.uid(),
            about.gid()
        );
        if about.is_dir() {
            files(&path, out);
        }
    }
}

/// The file capabilities in hexadecimal.
fn capability(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    let mut value = [0_u8; 64];
    // SAFETY: the strings are NUL-terminated, the buffer is valid for writes of its length.
    let length = unsafe {
        libc::lgetxattr(path.as_ptr(), c"security.capability".as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    value.iter().take(usize::try_from(length).unwrap_or(0)).map(|byte| format!("{byte:02x}")).collect()
}

/// What /proc does not show.
fn probe() -> u8 {
    // SAFETY: these operations take no pointers.
    let (bits, signal) = unsafe {
        let mut signal = 0;
        libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal);
        (libc::prctl(libc::PR_GET_SECUREBITS), signal)
    };
    println!("ran with securebits {bits:#x}, parent-death signal {signal}");
    0
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let called = arguments.first().map(|name| Path::new(name).file_name().unwrap_or_default().to_os_string());
    if called.is_some_and(|name| name == "probe") {
        return probe().into();
    }
    match arguments.get(1).and_then(|verb| verb.to_str()) {
        #[cfg(target_arch = "x86_64")]
        Some("run") => {
            let fault = arguments[3].to_str().and_then(tests::fault::Fault::parse);
            tracer::run(&arguments[2], fault, &arguments[4..]).into()
        }
        Some("snapshot") => {
            print!("{}", snapshot());
            0.into()
        }
        _ => 2.into(),
    }
}
