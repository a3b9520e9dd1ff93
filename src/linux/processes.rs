//! Reads about every process from /proc: proc_pid_stat(5), proc_pid_ns(5), proc_pid_fd(5).
//!
//! Each process is read through a descriptor of its directory, so that everything read is about one process even if
//! its number is reused. A process that ends meanwhile, or may not be read, is left out.

use crate::namespace::{self, Kind};
use crate::process::Pid;
use crate::{Errno, credentials, directory, file, number, process, stat, walk};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};

/// A process whose directory in /proc is open.
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Its directory.
    pub directory: OwnedFd,
}

/// Drops the error if the process has ended or may not be read. Other errors are returned (our own lack of descriptors
/// or memory, a failed read), or the list would silently be incomplete.
pub fn seen<T>(got: Result<T, Errno>) -> Result<Option<T>, Errno> {
    match got {
        Ok(found) => Ok(Some(found)),
        Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EIO)) => Err(errno),
        Err(_) => Ok(None),
    }
}

/// Calls `each` with every process of the proc mounted at `proc`, in the order of their numbers, until it returns an
/// error.
pub fn for_each(proc: &OsStr, each: &mut dyn FnMut(&Process) -> Result<(), Errno>) -> Result<(), Errno> {
    let list = directory::open_to_list(proc).map_err(|error| error.errno)?;
    let mut done = Ok(());
    walk::each_name(list.as_fd(), &mut |name| {
        if let Some(pid) = number::decimal(name.as_encoded_bytes()).and_then(Pid::new) {
            let directory = file::open_at(Some(list.as_fd()), name, libc::O_PATH | libc::O_DIRECTORY, 0);
            done = match seen(directory) {
                Ok(Some(directory)) => each(&Process { pid, directory }),
                Ok(None) => Ok(()),
                Err(errno) => Err(errno),
            };
        }
        done.is_ok()
    })?;
    done
}

/// What of a command line is read, in bytes.
const COMMAND_LIMIT: usize = 8191;

/// The command line of a process with blanks between the words, or its name if it has none.
///
/// ```
/// assert!(!linux::processes::command(linux::process::id()).is_empty());
/// ```
pub fn command(pid: Pid) -> Vec<u8> {
    let mut line = file::read_file(format!("/proc/{pid}/cmdline"), COMMAND_LIMIT).unwrap_or_default();
    if line.is_empty() {
        line = file::read_file(format!("/proc/{pid}/comm"), 64).unwrap_or_default();
        line.pop_if(|last| *last == b'\n');
    }
    if line.len() < COMMAND_LIMIT {
        line.pop_if(|last| *last == 0);
    }
    line.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b' ');
    line
}

impl Process {
    fn open(&self, name: &str, flags: i32) -> Result<OwnedFd, Errno> {
        file::open_at(Some(self.directory.as_fd()), OsStr::new(name), libc::O_RDONLY | flags, 0)
    }

    /// At most `limit` bytes of one of its files.
    pub fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, Errno> {
        file::read_to_end(self.open(name, 0)?.as_fd(), limit)
    }

    /// Its parent's number; 0 if that is not in our PID namespace.
    pub fn parent(&self) -> Result<Pid, Errno> {
        parse_parent(&self.read("stat", 512)?).ok_or(Errno::EINVAL)
    }

    /// The process's effective user; root if its /proc files belong to root (PR_SET_DUMPABLE).
    pub fn uid(&self) -> Result<credentials::Uid, Errno> {
        stat::of(self.directory.as_fd()).map(|stat| stat.uid())
    }

    /// The directory of its descriptors, to be listed.
    pub fn descriptors(&self) -> Result<OwnedFd, Errno> {
        self.open("fd", libc::O_DIRECTORY)
    }

    /// The inode of the namespace of a kind that it is in.
    pub fn namespace(&self, kind: Kind) -> Result<u64, Errno> {
        stat::below(self.directory.as_fd(), OsStr::new(&file_of(kind))).map(|stat| stat.inode())
    }

    /// Opens the namespace of a kind that it is in.
    pub fn open_namespace(&self, kind: Kind) -> Result<OwnedFd, Errno> {
        self.open(&file_of(kind), 0)
    }

    /// Calls `each` with the namespaces that the process has open and, with `sockets`, those of its sockets. `nsfs` is
    /// the device number of namespace files.
    pub fn for_each_open_namespace(
        &self,
        nsfs: u64,
        sockets: bool,
        each: &mut dyn FnMut(OwnedFd) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let Some(list) = seen(self.descriptors())? else { return Ok(()) };
        let mut pidfd = None;
        for name in seen(walk::names(list.as_fd()))?.unwrap_or_default() {
            let Some(stat) = seen(stat::below(list.as_fd(), &name))? else { continue };
            let found = if stat.identity().0 == nsfs {
                seen(file::open_at(Some(list.as_fd()), &name, libc::O_RDONLY, 0))?
            } else if sockets && stat.is_socket() {
                if pidfd.is_none() {
                    pidfd = seen(process::pidfd_open(self.pid).map_err(|error| error.errno))?;
                }
                let fd = number::decimal(name.as_encoded_bytes()).and_then(|fd| i32::try_from(fd).ok());
                let (Some(pidfd), Some(fd)) = (&pidfd, fd) else { continue };
                let socket = namespace::descriptor_of(pidfd.as_fd(), fd);
                let found = socket.and_then(|socket| namespace::of_socket(socket.as_fd()));
                seen(found.map_err(|error| error.errno))?
            } else {
                None
            };
            if let Some(found) = found {
                each(found)?;
            }
        }
        Ok(())
    }
}

fn file_of(kind: Kind) -> String {
    ["ns/", kind.file()].concat()
}

/// The fourth field of proc_pid_stat(5). The second is the name in parentheses, which may itself contain blanks and
/// parentheses.
fn parse_parent(stat: &[u8]) -> Option<Pid> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let parent = stat.get(name_end + 1..)?.split(|byte| *byte == b' ').nth(2)?;
    number::decimal(parent).and_then(Pid::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_found_behind_any_name() {
        assert_eq!(parse_parent(b"12 (cat) S 7 12 3 0"), Some(Pid(7)));
        assert_eq!(parse_parent(b"12 (a) S 5 (b) R 7 12"), Some(Pid(7)));
        assert_eq!(parse_parent(b"12 (cat S 7"), None);
        assert_eq!(parse_parent(b"12 (cat)"), None);
    }
}
