//! A process held by descriptors: pidfd_open(2), and its directory in proc(5).
//!
//! Both refer to the process that had the number when they were opened. After it has ended they give ESRCH, so a later
//! process with the same number is never taken for it.

use crate::credentials::{Gid, Uid};
use crate::{Errno, Result, error::Context, file, namespace, process, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A process to be looked at or entered.
pub struct ProcFd {
    /// Its number.
    pub pid: process::Pid,
    /// Its pidfd; `None` before Linux 5.3, or where a seccomp filter forbids it.
    pub pidfd: Option<OwnedFd>,
    /// Why it is missing is told by what asks for it: a pidfd takes no proc.
    directory: core::result::Result<OwnedFd, Errno>,
}

impl ProcFd {
    /// Pins the process `pid`. A missing one is ENOENT or ESRCH.
    ///
    /// ```
    /// use linux::procfd::ProcFd;
    /// let process = ProcFd::open(linux::process::id())?;
    /// assert!(!process.read("comm", 64)?.is_empty());
    /// # Ok::<(), linux::Error>(())
    /// ```
    pub fn open(pid: process::Pid) -> Result<ProcFd> {
        let path = OsString::from(format!("/proc/{pid}"));
        let directory = file::open_at(None, &path, libc::O_PATH | libc::O_DIRECTORY, 0);
        let pidfd = match process::pidfd_open(pid) {
            Ok(pidfd) => Some(pidfd),
            Err(error) if error.errno == Errno::ESRCH => {
                return directory.context("open", &path).and(Err(error));
            }
            Err(_) => None,
        };
        // If the directory, opened first, still answers, the pidfd refers to the same process.
        let target = ProcFd { pid, pidfd, directory };
        if target.directory.is_ok() || target.pidfd.is_none() {
            target.stat("stat")?;
        }
        Ok(target)
    }

    fn directory_fd(&self) -> core::result::Result<BorrowedFd<'_>, Errno> {
        self.directory.as_ref().map(AsFd::as_fd).map_err(|errno| *errno)
    }

    /// Opens a file of its /proc directory, such as `ns/net` or `root`.
    pub fn open_file(&self, name: &str, flags: i32) -> Result<OwnedFd> {
        let open = |directory| file::open_at(Some(directory), OsStr::new(name), flags, 0);
        self.directory_fd().and_then(open).context("open", self.path(name))
    }

    /// Opens one of its namespaces.
    pub fn namespace(&self, kind: namespace::Kind) -> Result<OwnedFd> {
        self.open_file(&format!("ns/{}", kind.file()), libc::O_RDONLY)
    }

    /// Opens its `root` or `cwd`.
    pub fn directory(&self, name: &str) -> Result<OwnedFd> {
        self.open_file(name, libc::O_PATH | libc::O_DIRECTORY)
    }

    /// Reads at most `limit` bytes of a file of its /proc directory.
    pub fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>> {
        let file = self.open_file(name, libc::O_RDONLY)?;
        file::read_to_end(file.as_fd(), limit).context("read", self.path(name))
    }

    /// Whether the kernel has this kind of namespace. An error if the target has ended and been reaped.
    pub fn has_kind(&self, kind: namespace::Kind) -> Result<bool> {
        let name = format!("ns/{}", kind.file());
        // The link itself, which a zombie has, too.
        match self.directory_fd().and_then(|directory| stat::link_below(directory, OsStr::new(&name))) {
            Err(Errno::ENOENT) => self.stat("stat").map(|_| false),
            found => found.map(|_| true).context("stat", self.path(&name)),
        }
    }

    /// What a file of its /proc directory is, links followed.
    fn stat(&self, name: &str) -> Result<stat::Stat> {
        let below = |directory| stat::below(directory, OsStr::new(name));
        self.directory_fd().and_then(below).context("stat", self.path(name))
    }

    /// The inode of its pidfd, unique until the next boot (Linux 6.9).
    pub fn inode(&self) -> Option<u64> {
        self.pidfd.as_ref().and_then(|pidfd| stat::of(pidfd.as_fd()).ok()).map(|stat| stat.inode())
    }

    /// Its user and group, as our user namespace calls them.
    pub fn owner(&self) -> Result<(Uid, Gid)> {
        let directory = self.directory_fd().context("open", self.path(""))?;
        stat::of(directory).map(|stat| (stat.uid(), stat.gid())).context("stat", self.path(""))
    }

    /// Whether it shares our namespace of a kind; `None` if that cannot be read.
    pub fn shares(&self, kind: namespace::Kind) -> Option<bool> {
        Some(self.identity(kind).ok()? == namespace::own(kind).ok()?)
    }

    /// Which namespace of a kind it is in: device and inode.
    pub fn identity(&self, kind: namespace::Kind) -> Result<(u64, u64)> {
        self.stat(&format!("ns/{}", kind.file())).map(|stat| stat.identity())
    }

    /// A copy of its descriptor `fd`.
    pub fn descriptor(&self, fd: i32) -> Result<OwnedFd> {
        match &self.pidfd {
            Some(pidfd) => namespace::descriptor_of(pidfd.as_fd(), fd),
            None => Err(Errno::ENOSYS).context("pidfd_getfd", fd.to_string()),
        }
    }

    /// The path of a file of its /proc directory, for messages.
    pub fn path(&self, name: &str) -> OsString {
        OsString::from(format!("/proc/{}/{name}", self.pid))
    }
}
