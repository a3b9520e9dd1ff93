//! What proc_pid_status(5) tells of a task: its name, its parent and its capabilities.

use super::{CapSet, Iab, Sets, process};
use crate::credentials::Pid;
use crate::{Errno, Error, Result, file, number};
use std::os::fd::AsFd;

/// A task as its status file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus<'a> {
    /// Its name, in which the kernel escapes newlines and backslashes.
    pub name: &'a [u8],
    /// The parent of its process; 0 if that is not in the PID namespace of the proc file system.
    pub parent: Pid,
    /// Its effective, permitted and inheritable sets.
    pub sets: Sets,
    /// Its inheritable and ambient set, and what is not in its bounding set.
    pub iab: Iab,
}

impl<'a> TaskStatus<'a> {
    /// Reads the text of a status file; `None` if it lacks one of the fields.
    ///
    /// ```
    /// use linux::caps::{CapSet, TaskStatus};
    /// let text = b"Name:\tcat\nPPid:\t7\nCapInh:\t0\nCapPrm:\t3\nCapEff:\t2\nCapBnd:\t0\nCapAmb:\t0\n";
    /// let status = TaskStatus::parse(text).expect("all fields");
    /// assert_eq!((status.name, status.sets.permitted), (&b"cat"[..], CapSet(3)));
    /// ```
    pub fn parse(text: &'a [u8]) -> Option<TaskStatus<'a>> {
        let set = |name: &str| number::in_base(field(text, name)?, 16).map(CapSet);
        let known = CapSet::first(process::count());
        let inheritable = set("CapInh:")?;
        Some(TaskStatus {
            name: field(text, "Name:")?,
            parent: Pid::new(number::decimal(field(text, "PPid:")?)?)?,
            sets: Sets { effective: set("CapEff:")?, permitted: set("CapPrm:")?, inheritable },
            iab: Iab {
                inheritable: inheritable & known,
                ambient: set("CapAmb:")? & known,
                blocked: !set("CapBnd:")? & known,
            },
        })
    }
}

impl Iab {
    /// That of a process, from /proc/PID/status.
    pub fn of_process(pid: Pid) -> Result<Iab> {
        let path = format!("/proc/{pid}/status");
        let file = file::open_read(path.as_ref())?;
        let text = file::read_to_end(file.as_fd(), 64 * 1024).map_err(|errno| Error::new("read", &path, errno))?;
        let status = TaskStatus::parse(&text).ok_or_else(|| Error::new("read", &path, Errno::EINVAL))?;
        Ok(status.iab)
    }
}

/// The value of the line that begins with `name`.
fn field<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    for line in text.split(|byte| *byte == b'\n') {
        if let Some(value) = line.strip_prefix(name.as_bytes()) {
            return Some(value.strip_prefix(b"\t").unwrap_or(value));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_a_name_a_parent_and_five_sets() {
        let text = b"Name:\ta b\nPPid:\t7\nCapInh:\t0000000000000001\nCapPrm:\t3\nCapEff:\t2\nCapBnd:\t0\nCapAmb:\t1\n";
        let status = TaskStatus::parse(text).unwrap();
        assert_eq!((status.name, status.parent), (b"a b".as_slice(), Pid(7)));
        assert_eq!(status.sets, Sets { effective: CapSet(2), permitted: CapSet(3), inheritable: CapSet(1) });
        assert_eq!((status.iab.inheritable, status.iab.ambient), (CapSet(1), CapSet(1)));
        assert_eq!(status.iab.blocked, CapSet::first(process::count()));
        assert_eq!(TaskStatus::parse(b"Name:\tx\nPPid:\t7\n"), None);
        assert_eq!(TaskStatus::parse(b""), None);
    }
}
