//! What /proc/PID/status tells of a process, without what differs from run to run: proc_pid_status(5).

use std::fmt::Write as _;

/// Ids, capabilities and filters.
const LINES: [&str; 10] = [
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

/// The lines of ids, capabilities and filters, those that begin with `more`, and the process's numbers in the PID
/// namespaces below ours.
pub fn shown(status: &str, more: &[&str]) -> String {
    let mut out = String::new();
    for line in status.lines() {
        if LINES.iter().chain(more).any(|name| line.starts_with(name)) {
            let _ = writeln!(out, "{}", line.trim_end());
        }
        // Its first number, ours, differs by how many processes there were.
        if let Some(numbers) = line.strip_prefix("NSpid:") {
            let inner: Vec<&str> = numbers.split_whitespace().skip(1).collect();
            let _ = writeln!(out, "inner pids {}", inner.join(" "));
        }
    }
    out
}
