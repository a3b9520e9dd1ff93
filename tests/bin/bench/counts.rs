//! What a command costs apart from time: system calls, page faults and peak memory, of all its
//! processes up to their ends, counted by ptrace(2). The numbers do not depend on how busy the machine is.
//!
//! Memory is VmHWM of proc_pid_status(5), read where an address space ends (an exec, an exit):
//! getrusage's maximum has that of whoever spawned the command in it.

use crate::Result;
use crate::peers::Ready;
use crate::rows::Row;
use crate::scene::Scene;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, dup2_stdout, execve, fork};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// System calls after the exec that starts the command.
    pub calls: usize,
    /// Minor and major page faults, likewise.
    pub faults: usize,
    /// The largest address space of the command's own, in KiB of resident memory.
    pub peak: usize,
    /// What the program was in that the command ran at last.
    pub program: String,
    pub output: String,
    pub succeeds: bool,
}

/// Runs a command and counts.
pub fn count(command: &Ready, row: &Row, scene: &Scene) -> Result<Counts> {
    let output = scene.path("output");
    let root = start(command, &fs::File::create(&output)?)?;
    ptrace::syscall(root, None)?;
    let mut counts = Counts::default();
    // Faults of each process since its start. Those of the root before its exec are not the command's.
    let mut faults: BTreeMap<Pid, usize> = BTreeMap::new();
    let before = faults_of(root);
    let program = identity(&scene.word(row.program));
    let runs_program = |pid: Pid| identity(&format!("/proc/{pid}/exe")) == program;
    let is_program = runs_program(root);
    // There are other children: what a row has prepared.
    let mut tracees = BTreeSet::from([root]);
    while !tracees.is_empty() {
        let status = waitpid(None, Some(WaitPidFlag::__WALL))?;
        let (pid, signal) = match status {
            WaitStatus::PtraceSyscall(pid) => {
                let call = ptrace::syscall_info(pid)?;
                if call.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
                    counts.calls += 1;
                    // SAFETY: `op` says that this part of the union is filled.
                    let number = unsafe { call.u.entry.nr } as libc::c_long;
                    if number == libc::SYS_execve || number == libc::SYS_execveat {
                        counts.peak = counts.peak.max(peak_of(pid));
                    }
                }
                (pid, None)
            }
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXIT) => {
                faults.insert(group_of(pid), faults_of(pid));
                if runs_program(pid) {
                    counts.program = surroundings(pid, scene);
                }
                if is_program || !runs_program(pid) {
                    counts.peak = counts.peak.max(peak_of(pid));
                }
                (pid, None)
            }
            WaitStatus::PtraceEvent(pid, _, event) => {
                let makes = [libc::PTRACE_EVENT_FORK, libc::PTRACE_EVENT_VFORK, libc::PTRACE_EVENT_CLONE];
                if makes.contains(&event) {
                    tracees.insert(Pid::from_raw(ptrace::getevent(pid)? as i32));
                }
                (pid, None)
            }
            // What a new process begins with; a SIGSTOP of its own would be passed over, too.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => (pid, None),
            WaitStatus::Stopped(pid, signal) => (pid, Some(signal)),
            ended => {
                counts.succeeds |= ended == WaitStatus::Exited(root, 0);
                tracees.retain(|pid| ended.pid() != Some(*pid));
                continue;
            }
        };
        tracees.insert(pid);
        // A process that was killed meanwhile is no longer there.
        let _ = ptrace::syscall(pid, signal);
    }
    counts.faults = faults.values().sum::<usize>().saturating_sub(before);
    counts.output = fs::read_to_string(output)?;
    Ok(counts)
}

/// Starts a command under our eyes; it stands stopped after its exec.
pub fn start(command: &Ready, output: &fs::File) -> Result<Pid> {
    // SAFETY: this process has one thread; the child makes only system calls before its exec.
    let pid = match unsafe { fork() }? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let _ = dup2_stdout(output);
            let _ = ptrace::traceme();
            let _ = execve(&command.program, &command.argv, &command.environment);
            // SAFETY: it ends the process.
            unsafe { libc::_exit(127) }
        }
    };
    match waitpid(pid, None)? {
        WaitStatus::Stopped(..) => {}
        status => return Err(format!("{:?} does not start: {status:?}", command.program).into()),
    }
    ptrace::setoptions(
        pid,
        Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACEEXIT
            | Options::PTRACE_O_EXITKILL,
    )?;
    Ok(pid)
}

/// A line of `/proc/PID/status` by its name.
fn status_of(pid: Pid, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().trim().to_string()
}

fn peak_of(pid: Pid) -> usize {
    status_of(pid, "VmHWM").trim_end_matches(" kB").parse().unwrap_or(0)
}

fn group_of(pid: Pid) -> Pid {
    status_of(pid, "Tgid").parse().map_or(pid, Pid::from_raw)
}

/// The page faults of all of a process's threads: fields 10 and 12 of proc_pid_stat(5).
fn faults_of(pid: Pid) -> usize {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in brackets, may have spaces in it; field 3 follows.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = |number: usize| after_name.split_whitespace().nth(number - 3).and_then(|field| field.parse().ok());
    field(10).unwrap_or(0) + field(12).unwrap_or(0)
}

/// Which file a path leads to.
fn identity(path: &str) -> Option<(u64, u64)> {
    fs::metadata(path).map(|about| (about.dev(), about.ino())).ok()
}

/// What a process is in, without what differs from run to run.
fn surroundings(pid: Pid, scene: &Scene) -> String {
    let link = |pid: i32, name: &str| fs::read_link(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let us = std::process::id() as i32;
    let mut text = String::new();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let name = format!("ns/{kind}");
        let namespace = link(pid.as_raw(), &name);
        let whose = if namespace == link(us, &name) {
            "ours"
        } else if scene.target_pid().is_some_and(|target| namespace == link(target, &name)) {
            "the target's"
        } else {
            "new"
        };
        text += &format!("{kind} namespace: {whose}\n");
    }
    for name in ["root", "cwd"] {
        text += &format!("{name}: {}\n", link(pid.as_raw(), name).display());
    }
    for name in ["Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"] {
        text += &format!("{name}: {}\n", status_of(pid, name));
    }
    for name in ["uid_map", "gid_map", "setgroups", "mountinfo"] {
        let content = fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        for line in content.lines() {
            // The numbers of mounts, devices and peer groups.
            let words = line.split_whitespace().skip(if name == "mountinfo" { 3 } else { 0 });
            let words: Vec<&str> = words.map(|word| word.split(':').next().unwrap_or(word)).collect();
            text += &format!("{name}: {}\n", words.join(" "));
        }
    }
    text
}
