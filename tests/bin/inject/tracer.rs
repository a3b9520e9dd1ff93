//! Following a command and its children by ptrace(2), and making one of its system calls fail.

use crate::snapshot::proc;
use crate::state::{known, state};
use std::collections::BTreeMap;
use std::ffi::{CString, OsString, c_void};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
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
    fs::metadata(proc(&format!("{pid}/exe"))).ok().map(|about| (about.dev(), about.ino()))
}
