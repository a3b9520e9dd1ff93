//! The file of utab: read without the lock, changed under it, and replaced atomically: flock(2), rename(2).

use super::entry::UtabEntry;
use super::table::Utab;
use crate::quiet::discard;
use crate::trace::Quoted;
use crate::{Errno, Result, error::Context, file, raw};
use nix::fcntl::FlockArg;
use nix::sys::signal::Signal::SIGXFSZ;
use nix::sys::stat::futimens;
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchown};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Where the table is, unless `LIBMOUNT_UTAB` names another file.
const DEFAULT: &str = "/run/mount/utab";
/// A table longer than this is not ours, in bytes.
const LIMIT: usize = 64 * 1024 * 1024;

/// Reads the table; one that is missing or may not be read is empty.
pub fn read() -> Utab {
    try_read().unwrap_or_default()
}

/// Reads the table; one that is missing is empty, as is a FIFO.
pub fn try_read() -> Result<Utab> {
    match read_text() {
        Ok(text) => Ok(Utab::parse(&text)),
        Err(error) if matches!(error.errno, Errno::ENOENT | Errno::EAGAIN) => Ok(Utab::default()),
        Err(error) => Err(error),
    }
}

/// The table's path.
pub fn path() -> OsString {
    crate::environment::trusted_variable("LIBMOUNT_UTAB").unwrap_or_else(|| OsString::from(DEFAULT))
}

/// Whether the table is empty, so that unmounting and moving need not read it.
pub fn is_empty() -> bool {
    match crate::stat::path(&path()) {
        Ok(stat) => stat.size() == 0,
        // What cannot be looked at may hold something.
        Err(error) => matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR),
    }
}

/// Reads the file with few calls: read(2) of a regular file fills the buffer except at the end, so a short read is the
/// last. Each further read asks for much more than the one before.
fn read_text() -> Result<Vec<u8>> {
    let path = path();
    let file = file::open_at(None, &path, file::AT_ONCE, 0).context("open", &path)?;
    let (mut text, mut filled, mut room) = (Vec::new(), 0, 2048);
    loop {
        text.resize(filled + room, 0);
        let got = raw::read_some(file.as_fd(), text.get_mut(filled..).unwrap_or_default()).context("read", &path)?;
        filled += got;
        if got < room || filled > LIMIT {
            text.truncate(filled.min(LIMIT));
            return Ok(text);
        }
        room = filled * 15;
    }
}

fn beside(suffix: &str) -> OsString {
    let mut path = path();
    path.push(suffix);
    path
}

/// Changes the table under its lock: reads it, calls `change`, and if that returns true replaces the file atomically.
/// If the table cannot be written (a read-only /run, no permission), nothing happens, without an error.
pub fn update(change: &mut dyn FnMut(&mut Utab) -> bool) -> Result<()> {
    let path = path();
    let Some(_lock) = lock()? else { return Ok(()) };
    // If reading fails, stop: a new table would lack the entries of the old one.
    let mut table = try_read()?;
    if !change(&mut table) {
        return Ok(());
    }
    replace(&path, &table.to_text())?;
    touch_event();
    Ok(())
}

/// Adds an entry. It is appended under the lock rather than by rewriting the table, since many mounts in a row would
/// each rewrite it. The line is written at once and within a page, so readers see all of it or nothing.
pub fn add(entry: UtabEntry) -> Result<()> {
    let path = path();
    let Some(lock) = lock()? else { return Ok(()) };
    let mut line = Vec::new();
    entry.append_to(&mut line);
    if append(&path, &line).context("write", &path)? {
        touch_event();
        return Ok(());
    }
    drop(lock);
    update(&mut |table| {
        table.entries.push(entry.clone());
        true
    })
}

/// Appends a line to an existing table that ends in a newline. `false`: the table must be rewritten instead.
fn append(path: &OsStr, line: &[u8]) -> core::result::Result<bool, Errno> {
    const PAGE: usize = 4096;
    let flags = libc::O_RDWR | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let Ok(file) = file::open_at(None, path, flags, 0) else { return Ok(false) };
    let stat = crate::stat::of(file.as_fd())?;
    let size = stat.size() as usize;
    if !stat.is_regular() || size == 0 || size > LIMIT || line.len() > PAGE {
        return Ok(false);
    }
    let mut last = [0_u8];
    if nix::sys::uio::pread(&file, &mut last, size as i64 - 1)? != 1 || last != *b"\n" {
        return Ok(false);
    }
    let fd = file.as_raw_fd();
    let room = PAGE - size % PAGE;
    let write = |text: &[u8]| {
        traced!(raw::write_all(file.as_fd(), text).map(|()| text.len()), "write({fd}, {})", Quoted(text)).map(drop)
    };
    // If the line would cross a page boundary, it is preceded by empty lines up to the boundary; readers skip them.
    let filled = if line.len() > room { write(&vec![b'\n'; room]) } else { Ok(()) };
    let done = filled.and_then(|()| write(line));
    if done.is_err() {
        discard(SIGXFSZ);
        // A part of a line must not stay.
        let _ = nix::unistd::ftruncate(&file, size as i64);
    }
    done.map(|()| true)
}

/// The lock on utab, held until dropped. Signals are blocked meanwhile, so that a killed process does not leave others
/// waiting, or a part of the table, as with SIGXFSZ.
struct Lock {
    _file: OwnedFd,
    mask: Option<crate::signal::SignalMask>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(mask) = self.mask {
            // The mask came from the kernel. If restoring it fails, drop cannot report it.
            let _ = mask.restore();
        }
    }
}

/// `None`: the table is in a place that cannot be written.
fn lock() -> Result<Option<Lock>> {
    let path = beside(".lock");
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_NOFOLLOW;
    let mut opened = file::open_at(None, &path, flags, 0o600);
    if matches!(opened, Err(Errno::ENOENT))
        && let Some(slash) = path.as_bytes().iter().rposition(|&byte| byte == b'/')
        && let Some(directory) = path.as_bytes().get(..slash)
        && crate::directory::make(OsStr::from_bytes(directory), 0o755).is_ok()
    {
        opened = file::open_at(None, &path, flags, 0o600);
    }
    let file = match opened {
        Ok(file) => file,
        Err(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(errno) => return Err(crate::Error::new("open", path, errno)),
    };
    let signals = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGALRM, libc::SIGXFSZ];
    let mask = crate::signal::block(&signals).ok();
    loop {
        // Not nix's Flock, which makes one more call when it is dropped: closing the file unlocks it.
        #[expect(deprecated)]
        let locked = nix::fcntl::flock(file.as_raw_fd(), FlockArg::LockExclusive);
        match locked.map_err(Errno::from) {
            Ok(()) => return Ok(Some(Lock { _file: file, mask })),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(crate::Error::new("flock", path, errno)),
        }
    }
}

/// Writes a file beside the table and renames it over it.
fn replace(path: &OsStr, text: &[u8]) -> Result<()> {
    let temporary = beside(&format!(".{}", nix::unistd::getpid()));
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW;
    // A process with our pid may have been killed and left its temporary file. We hold the lock, so nobody else is
    // writing it.
    let open = || file::open_at(None, &temporary, flags, 0o644);
    let file = open().or_else(|errno| match errno {
        Errno::EEXIST => crate::link::unlink(&temporary).map_err(|error| error.errno).and_then(|()| open()),
        errno => Err(errno),
    });
    let file = file.context("open", &temporary)?;
    let write = || -> core::result::Result<(), Errno> {
        let fd = file.as_raw_fd();
        if !text.is_empty() {
            traced!(raw::write_all(file.as_fd(), text).map(|()| text.len()), "write({fd}, {})", Quoted(text))?;
        }
        let mode = nix::sys::stat::Mode::from_bits_retain(0o644);
        traced!(nix::sys::stat::fchmod(&file, mode).map_err(Errno::from), "fchmod({fd}, 0644)")?;
        if let Ok(old) = crate::stat::path(path) {
            let (uid, gid) = (old.uid().0, old.gid().0);
            let done = fchown(&file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            traced!(done.map_err(Errno::from), "fchown({fd}, {uid}, {gid})")?;
        }
        Ok(())
    };
    let done = write().context("write", path).and_then(|()| crate::link::rename(&temporary, path));
    if done.is_err() {
        discard(SIGXFSZ);
        let _ = crate::link::unlink(&temporary);
    }
    done
}

/// Tells watchers (libmount's monitor, systemd) that the table has changed.
fn touch_event() {
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    // Errors are ignored: the table has been written, and this only notifies watchers.
    let Ok(file) = file::open_at(None, &beside(".event"), flags, 0o644) else { return };
    let fd = file.as_raw_fd();
    let done = futimens(&file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW).map_err(Errno::from);
    let _ = traced!(done, "utimensat({fd}, NULL, [UTIME_NOW, UTIME_NOW], 0)");
}
