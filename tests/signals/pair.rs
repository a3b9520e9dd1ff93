//! A command and the child that it waits for, and what can be seen of them.

use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tests::sandbox::{Side, Stage};

/// How long something may take that must happen.
const BOUND: Duration = Duration::from_secs(20);

/// The program: it says that it is there, and answers until it is told to exit with 5.
const PROGRAM: &str =
    "echo ready; while read word; do case $word in ping) echo pong ;; *) exit 5 ;; esac; done; exit 6";

/// One at a time: orphans become children of this process and are told apart by number only.
pub fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    let guard = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    guard
}

/// A command with every signal as a shell gives it: default, and none blocked. Its process group is
/// its own but not an orphan, which the terminal's stop signals would not stop.
pub fn command(stage: &Stage, side: Side, words: &[&str]) -> Command {
    let mut command = Command::new(stage.root().join(side.name()).join(words[0]));
    command.args(&words[1..]).process_group(0);
    // SAFETY: between fork and exec only system calls are made, which allocate nothing.
    unsafe {
        command.pre_exec(|| {
            for number in Signal::iterator().filter(|it| !matches!(it, Signal::SIGKILL | Signal::SIGSTOP)) {
                signal(number, SigHandler::SigDfl)?;
            }
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0)?;
            Ok(())
        });
    }
    command
}

pub fn until<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> Result<T, String> {
    let start = Instant::now();
    loop {
        if let Some(seen) = seen() {
            return Ok(seen);
        }
        if start.elapsed() > BOUND {
            return Err(format!("in vain: {what}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub fn field(pid: Pid, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_string()))
}

pub fn has(pid: Pid, set: &str, signal: Signal) -> bool {
    field(pid, set)
        .and_then(|set| u64::from_str_radix(&set, 16).ok())
        .is_some_and(|set| set & 1 << (signal as i32 - 1) != 0)
}

pub fn is_stopped(pid: Pid) -> Option<()> {
    field(pid, "State").filter(|state| state.starts_with('T')).map(drop)
}

pub fn children(pid: Pid) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect()
}

/// The end of a process that is our child, or becomes it when its parent ends.
pub fn end(pid: Pid) -> Result<WaitStatus, String> {
    until(&format!("the end of {pid}"), || match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => None,
        Ok(status) => Some(status),
        Err(errno) => panic!("waitpid: {errno}"),
    })
}

pub fn name(signal: Signal) -> &'static str {
    signal.as_str().trim_start_matches("SIG")
}

/// A command that waits for its child, both ready.
pub struct Pair {
    pub parent: Child,
    pub child: Pid,
}

impl Pair {
    pub fn start(mut command: Command) -> Result<Pair, String> {
        let mut parent = command
            .args(["/bin/sh", "-c", PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let pid = Pid::from_raw(parent.id() as i32);
        let mut word = [0; 6];
        parent.stdout.as_mut().unwrap().read_exact(&mut word).map_err(|error| format!("no program: {error}"))?;
        // It sits in wait4, or in rt_sigtimedwait where it forwards signals.
        let child = until("the parent's wait", || {
            let call = fs::read_to_string(format!("/proc/{pid}/syscall")).ok()?;
            let waits = call.starts_with("61 ") || call.starts_with("128 ");
            children(pid).first().copied().filter(|_| waits)
        })?;
        Ok(Pair { parent, child })
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.parent.id() as i32)
    }

    pub fn say(&mut self, word: &str) {
        // A child that is gone shows by what follows.
        let _ = self.parent.stdin.as_mut().unwrap().write_all(word.as_bytes());
    }

    /// The child answers, so it runs and nothing that would end it is pending.
    pub fn answers(&mut self) -> Result<(), String> {
        self.say("ping\n");
        let mut word = [0; 5];
        self.parent.stdout.as_mut().unwrap().read_exact(&mut word).map_err(|error| format!("no answer: {error}"))
    }

    /// How the parent ended, as a shell shows it.
    pub fn status(&self) -> Result<i32, String> {
        Ok(match end(self.pid())? {
            WaitStatus::Exited(_, status) if status < 128 => status,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            // A status that only looks like a signal's, too.
            other => return Err(format!("{other:?}")),
        })
    }

    /// After the parent's end: whether the child lives.
    pub fn fate(&mut self) -> Result<String, String> {
        // The kernel sends the parent-death signal before the parent can be waited for.
        let ends = until("the child's answer or its end", || match waitpid(self.child, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => Some(None),
            Ok(status) => Some(Some(status)),
            // Its parent had waited for it.
            Err(_) if !Path::new(&format!("/proc/{}", self.child)).exists() => Some(None),
            Err(_) => None,
        })?;
        match ends {
            Some(WaitStatus::Signaled(_, signal, _)) => Ok(name(signal).to_string()),
            Some(other) => Ok(format!("{other:?}")),
            None if self.answers().is_ok() => {
                self.say("exit\n");
                end(self.child)?;
                Ok("lives".to_string())
            }
            None => match end(self.child)? {
                WaitStatus::Signaled(_, signal, _) => Ok(name(signal).to_string()),
                other => Ok(format!("{other:?}")),
            },
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for pid in [self.child, self.pid()] {
            let _ = kill(pid, Signal::SIGCONT);
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        }
        let _ = self.parent.wait();
        let _ = waitpid(self.child, Some(WaitPidFlag::WNOHANG));
    }
}
