//! The processes, who is whose child, and how they are drawn.

use cli::capability::print_with_iab;
use cli::text::disarm;
use cli::{Output, text};
use linux::caps::TaskStatus;
use linux::process::Pid;
use linux::{Errno, file, number, pattern, processes, walk};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

/// How much of a status file is read, in bytes.
const STATUS_LIMIT: usize = 64 * 1024;

/// How the tree is drawn.
pub struct Style {
    /// Sets are shown even if they are empty, or said already.
    pub verbose: bool,
    /// How many processes are shown one below the other; 0 and less is all.
    pub depth: i64,
    /// What was asked for is red.
    pub red: bool,
}

struct Node {
    pid: Pid,
    parent: Pid,
    name: Vec<u8>,
    is_chosen: bool,
}

/// Every process of a proc file system, with the kernel as number 0, the parent of those without one.
pub struct Processes<'a> {
    proc: &'a OsStr,
    /// Sorted by number.
    nodes: Vec<Node>,
    /// The parent and the index of each of `nodes`, sorted.
    by_parent: Vec<(Pid, usize)>,
}

impl<'a> Processes<'a> {
    /// Reads those of the proc file system at `proc`.
    pub fn read(proc: &'a OsStr) -> Result<Processes<'a>, Errno> {
        let mut nodes = vec![Node { pid: Pid(0), parent: Pid(-1), name: b"<kernel>".to_vec(), is_chosen: false }];
        processes::for_each(proc, &mut |process| {
            if let Some(text) = processes::seen(process.read("status", STATUS_LIMIT))?
                && let Some(status) = TaskStatus::parse(&text)
            {
                let name = status.name.to_vec();
                nodes.push(Node { pid: process.pid, parent: status.parent, name, is_chosen: false });
            }
            Ok(())
        })?;
        nodes.sort_unstable_by_key(|node| node.pid);
        let mut by_parent: Vec<(Pid, usize)> = nodes.iter().map(|node| node.parent).zip(0..).collect();
        by_parent.sort_unstable();
        Ok(Processes { proc, nodes, by_parent })
    }

    /// Whether there is none but the kernel.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    fn find(&self, pid: Pid) -> Option<usize> {
        self.nodes.binary_search_by_key(&pid, |node| node.pid).ok()
    }

    /// Marks the processes that numbers or name patterns select. Returns the numbers that no process has, or the first
    /// pattern that matches none.
    pub fn choose<'t>(&mut self, targets: &[&'t [u8]]) -> Result<Vec<&'t [u8]>, &'t [u8]> {
        let mut missing = Vec::new();
        for target in targets {
            if let Some(pid) = number::decimal(target) {
                // A number is compared as it is written: no process is called 01.
                let is_plain = *target == b"0" || !target.starts_with(b"0");
                let found = Pid::new(pid).filter(|_| is_plain).and_then(|pid| self.find(pid));
                match found.and_then(|index| self.nodes.get_mut(index)) {
                    Some(node) => node.is_chosen = true,
                    None if missing.contains(target) => {}
                    None => missing.push(*target),
                }
                continue;
            }
            let mut found = false;
            for node in &mut self.nodes {
                if pattern::matches(target, &node.name) {
                    node.is_chosen = true;
                    found = true;
                }
            }
            if !found {
                return Err(*target);
            }
        }
        Ok(missing)
    }

    /// The indices in `by_parent` of a process's children.
    fn children(&self, pid: Pid) -> core::ops::Range<usize> {
        let first = self.by_parent.partition_point(|(parent, _)| *parent < pid);
        let end = self.by_parent.partition_point(|(parent, _)| *parent <= pid);
        first..end
    }

    /// The chosen ones that are not below another one.
    fn roots(&self) -> Vec<usize> {
        let mut roots = Vec::new();
        // Processes whose parent is not in the list, each with whether an ancestor of it was selected.
        let mut waiting: Vec<(usize, bool)> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if self.find(node.parent).is_none() {
                waiting.push((index, false));
            }
        }
        while let Some((index, is_covered)) = waiting.pop() {
            let Some(node) = self.nodes.get(index) else { continue };
            if node.is_chosen && !is_covered {
                roots.push(index);
            }
            for (_, child) in self.by_parent.get(self.children(node.pid)).unwrap_or_default() {
                waiting.push((*child, is_covered || node.is_chosen));
            }
        }
        roots.sort_unstable();
        roots
    }

    /// Draws the chosen ones, with what is below them.
    pub fn print(&self, style: &Style, output: &mut Output) -> Result<(), Errno> {
        for root in self.roots() {
            self.print_tree(root, style, output)?;
        }
        Ok(())
    }

    fn print_tree(&self, root: usize, style: &Style, output: &mut Output) -> Result<(), Errno> {
        let mut lead = b"  ".to_vec();
        output.print("--");
        let mut levels = vec![self.print_process(root, &lead, style, output)?];
        loop {
            let depth = i64::try_from(levels.len()).unwrap_or(i64::MAX);
            let Some(level) = levels.last_mut() else { return Ok(()) };
            let child = if style.depth > 0 && depth >= style.depth { None } else { level.next() };
            let Some((_, index)) = child.and_then(|child| self.by_parent.get(child)) else {
                levels.pop();
                lead.truncate(lead.len().saturating_sub(2));
                continue;
            };
            output.print(text![lead, "+-"]);
            lead.extend_from_slice(if level.start == level.end { b"  " } else { b"| " });
            levels.push(self.print_process(*index, &lead, style, output)?);
        }
    }

    /// Prints a process and, below it, those of its threads that differ. Returns its children.
    fn print_process(
        &self,
        index: usize,
        lead: &[u8],
        style: &Style,
        output: &mut Output,
    ) -> Result<core::ops::Range<usize>, Errno> {
        let Some(node) = self.nodes.get(index) else { return Ok(0..0) };
        let pid = node.pid.to_string();
        // Groups threads by name and capabilities as printed, each group with its thread numbers; the process's own
        // comes first.
        let mut kinds: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = Vec::new();
        let mut ids = if node.pid > Pid(0) { self.threads(&pid) } else { Vec::new() };
        ids.sort_unstable();
        ids.insert(0, OsString::from(&pid));
        for (position, id) in ids.iter().enumerate() {
            if position > 0 && *id == *pid {
                continue;
            }
            let path = text![self.proc, "/", pid, "/task/", id, "/status"];
            let text = file::read_file(OsStr::from_bytes(&path), STATUS_LIMIT).map_err(|error| error.errno);
            let text = processes::seen(text)?.unwrap_or_default();
            let (name, shown) = match TaskStatus::parse(&text) {
                Some(status) => (status.name.to_vec(), print_with_iab(&status.sets, &status.iab, style.verbose)),
                // It has ended meanwhile, or is the kernel.
                None if position > 0 => continue,
                None => (node.name.clone(), Vec::new()),
            };
            let mut is_new = true;
            for kind in &mut kinds {
                if kind.0 == name && kind.1 == shown {
                    kind.2.extend_from_slice(if kind.2.is_empty() { b"" } else { b"," });
                    kind.2.extend_from_slice(id.as_bytes());
                    is_new = false;
                }
            }
            if is_new {
                let ids = if position > 0 { id.as_bytes().to_vec() } else { Vec::new() };
                kinds.push((name, shown, ids));
            }
        }
        for (position, (mut name, shown, ids)) in kinds.into_iter().enumerate() {
            disarm(&mut name, 0);
            if position > 0 {
                output.print(text![lead, ":>-", name, "{", ids, "}", shown, "\n"]);
                continue;
            }
            let (red, plain) = if style.red && node.is_chosen { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
            output.print(text![name, "(", red, pid, plain]);
            if !ids.is_empty() {
                output.print(text!["+{", ids, "}"]);
            }
            output.print(text![")", shown, "\n"]);
        }
        Ok(self.children(node.pid))
    }

    /// The numbers of a process's threads.
    fn threads(&self, pid: &str) -> Vec<OsString> {
        let path = text![self.proc, "/", pid, "/task"];
        let directory = linux::directory::open_to_list(OsStr::from_bytes(&path));
        directory.ok().and_then(|directory| walk::names(directory.as_fd()).ok()).unwrap_or_default()
    }
}
