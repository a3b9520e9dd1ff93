//! Which of our functions the rows' commands run: the linker puts them side by side, as `scripts/link-static-pie` says.

use crate::Result;
use crate::counts::start;
use crate::peers::{Peer, Ready};
use crate::rows::ROWS;
use crate::scene::{Scene, fresh_copy};
use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

/// Prints the functions that quick rows run in `program`, which has symbols: first those of the row that runs fewest,
/// then what the next one runs besides. A command that starts in little time touches a short piece of the program so.
pub fn print(program: &Path, scene: &mut Scene) -> Result<()> {
    let directory = scene.path("functions");
    fs::create_dir(&directory)?;
    let symbols = symbols_of(program)?;
    let mut rows: Vec<BTreeSet<&String>> = Vec::new();
    for row in ROWS.iter().filter(|row| !row.large) {
        (row.prepare)(scene)?;
        let Some(mut ready) = Ready::new(row, Peer::Ours, scene)? else { return Err("no such command".into()) };
        let copy = directory.join(row.command.first().ok_or("no command")?);
        fresh_copy(program, &copy)?;
        ready.program = CString::new(copy.as_os_str().as_bytes())?;
        (row.before_each)(scene);
        let addresses = step(&ready, scene)?;
        (row.after_each)(scene);
        (row.undo)(scene);
        let functions = addresses.iter().filter_map(|address| symbols.range(..=address).next_back());
        rows.push(functions.map(|(_, name)| name).collect());
    }
    rows.sort_by_key(BTreeSet::len);
    let mut printed = BTreeSet::new();
    for name in rows.into_iter().flatten() {
        // How the outliner numbers what it makes differs from build to build; the linker has all of them first.
        if !name.starts_with("OUTLINED_FUNCTION_") && printed.insert(name) {
            println!("{name}");
        }
    }
    Ok(())
}

/// The functions of a program by their offset, with their names demangled.
fn symbols_of(program: &Path) -> Result<BTreeMap<u64, String>> {
    let output = Command::new("nm").args(["--defined-only", "--demangle"]).arg(program).output()?;
    let mut symbols = BTreeMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let mut fields = line.splitn(3, ' ');
        let (Some(address), Some(kind), Some(name)) = (fields.next(), fields.next(), fields.next()) else { continue };
        if matches!(kind, "t" | "T" | "w" | "W") {
            symbols.insert(u64::from_str_radix(address, 16)?, name.to_string());
        }
    }
    Ok(symbols)
}

/// Runs a command one instruction after the other, to its end or to another exec. What it ran: addresses in the program.
fn step(command: &Ready, scene: &Scene) -> Result<BTreeSet<u64>> {
    let root = start(command, &File::create(scene.path("output"))?)?;
    let memory = memory_of(root, command)?;
    let mut addresses = BTreeSet::new();
    let mut pid = root;
    let mut tracees = BTreeSet::from([root]);
    loop {
        // The memory of a child is where its parent's is.
        let address = ptrace::syscall_info(pid)?.instruction_pointer;
        if memory.contains(&address) {
            addresses.insert(address - memory.start);
        }
        ptrace::step(pid, None)?;
        loop {
            let status = waitpid(None, Some(WaitPidFlag::__WALL))?;
            pid = status.pid().ok_or("no process")?;
            match status {
                WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => ptrace::detach(pid, None)?,
                WaitStatus::PtraceEvent(..) | WaitStatus::Stopped(..) => break,
                _ => {}
            }
            tracees.remove(&pid);
            if tracees.is_empty() {
                return Ok(addresses);
            }
        }
        tracees.insert(pid);
    }
}

/// Where a process has the file of its program.
fn memory_of(pid: Pid, command: &Ready) -> Result<Range<u64>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let program = command.program.to_str()?;
    let ranges = maps.lines().filter(|line| line.ends_with(program)).filter_map(|line| {
        let (start, end) = line.split_once(' ')?.0.split_once('-')?;
        Some(u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?)
    });
    ranges.reduce(|all, next| all.start..next.end).ok_or_else(|| "the program is not in memory".into())
}
