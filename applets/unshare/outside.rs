//! The process that stays in the outer namespaces: it writes maps that only the parent user namespace may write, and
//! binds namespaces on files where the inner mount namespace would hide the bind.

use super::plan::Outside;
use cli::failure::{Line, named};
use cli::{Failure, text};
use hints::{Step, explained};
use linux::Errno;
use linux::mount;
use linux::namespace::idmap::{self, Extent, Ids};
use linux::namespace::{self, Kind};
use linux::process::{self, Channel, Fork, Pid, SearchPath, Status, Variables, Wait};
use run::fork::fork_failed;
use std::ffi::OsStr;

/// Asks for the maps.
const MAP: u8 = b'm';
/// Asks for the binds.
const KEEP: u8 = b'k';
/// The message that everything has been done. A closed socket without it means that the command failed, and the binds
/// are undone.
const DONE: u8 = b'd';

/// The process outside, as the one inside sees it.
pub struct Helper<'a> {
    pid: Pid,
    channel: Channel,
    work: &'a Outside,
}

impl<'a> Helper<'a> {
    /// Forks it.
    pub fn start(work: &'a Outside) -> Result<Helper<'a>, Failure> {
        let insider = process::id();
        let (ours, theirs) = process::channel().map_err(fork_failed)?;
        match process::fork().map_err(fork_failed)? {
            Fork::Parent(pid) => Ok(Helper { pid, channel: ours, work }),
            Fork::Child => {
                drop(ours);
                serve(insider, work, &theirs);
                process::exit_child(0)
            }
        }
    }

    /// Has the maps written, if there are any.
    pub fn map(&self) -> Result<(), Failure> {
        if self.work.maps.is_empty() { Ok(()) } else { self.ask(MAP) }
    }

    /// Has the namespaces bound on their files, if there are any.
    pub fn keep(&self) -> Result<(), Failure> {
        if self.work.files.is_empty() { Ok(()) } else { self.ask(KEEP) }
    }

    fn ask(&self, what: u8) -> Result<(), Failure> {
        let mut answer = [0; 8192];
        self.channel.send(&[what]).map_err(|_| lost())?;
        let answer = self.channel.receive(&mut answer).map_err(|_| lost())?.ok_or_else(lost)?;
        match answer.split_first() {
            Some((0, _)) => Ok(()),
            Some((status, said)) => Err(unpack(*status, said)),
            None => Err(lost()),
        }
    }

    /// Lets the process end once everything is done, so that the program has no child that it does not know.
    pub fn release(self) -> Result<(), Failure> {
        let told = self.channel.send(&[DONE]).map_err(|_| lost());
        self.finish();
        told
    }

    /// Hangs up and, where it is our own child, waits for its end. What it has bound it undoes,
    /// unless it was told that all is done.
    pub fn finish(self) {
        drop(self.channel);
        let _ = process::wait(self.pid, Wait::End);
    }
}

fn lost() -> Failure {
    cli::fail!(1, "the helper process ended early")
}

/// Serves the process inside until that hangs up.
fn serve(insider: Pid, work: &Outside, channel: &Channel) {
    let mut request = [0];
    let mut kept: &[(Kind, &'static OsStr)] = &[];
    while let Ok(Some([what])) = channel.receive(&mut request) {
        let done = match *what {
            MAP => write_maps(insider, &work.maps),
            KEEP => keep(insider, &work.files, work.forks).map(|()| kept = &work.files),
            _ => return,
        };
        let answer = match done {
            Ok(()) => vec![0],
            Err(failure) => pack(&failure),
        };
        if channel.send(&answer).is_err() {
            break;
        }
    }
    undo(kept);
}

/// Takes namespaces off their files.
fn undo(files: &[(Kind, &'static OsStr)]) {
    for (_, file) in files.iter().rev() {
        let _ = mount::umount2(file, mount::MNT_DETACH);
    }
}

type Done = Result<(), Failure>;

/// A failure as a message: the status, the line, and the hints, separated by NUL.
fn pack(failure: &Failure) -> Vec<u8> {
    let mut message = vec![failure.status];
    if let Some(Line::Named(line)) = failure.lines.first() {
        message.extend_from_slice(line);
    }
    for hint in &failure.hints {
        message.push(0);
        message.extend_from_slice(hint);
    }
    message
}

fn unpack(status: u8, said: &[u8]) -> Failure {
    let mut parts = said.split(|byte| *byte == 0);
    let mut failure = match parts.next() {
        Some(line) if !line.is_empty() => Failure::new(status, line.to_vec()),
        _ => Failure::silent(status),
    };
    for hint in parts {
        failure.hints.push(hint.to_vec());
    }
    failure
}

/// Writes each map directly, and where that is not permitted by newuidmap or newgidmap.
fn write_maps(pid: Pid, maps: &[(Ids, Vec<Extent>)]) -> Done {
    for (ids, map) in maps {
        if idmap::text(map).len() > idmap::MAP_LIMIT {
            let text = text!["/proc/", pid, "/", ids.file(), " too large for kernel 4k limit"];
            return Err(Failure::new(1, text));
        }
        match idmap::write(&pid.to_string(), *ids, map) {
            Ok(()) => {}
            // EACCES: a process that may not be dumped has its maps from root.
            Err(error)
                if matches!(error.errno, Errno::EPERM | Errno::EACCES)
                    && !linux::credentials::effective_uid().is_root() =>
            {
                run_newidmap(pid, *ids, map)?;
            }
            Err(error) => {
                let failure = cli::fail!(1, "failed to write ", error.object, ": ", error.errno);
                return Err(explained(failure, Step::Map, error.errno));
            }
        }
    }
    Ok(())
}

/// `newuidmap PID INNER OUTER COUNT ...`.
fn run_newidmap(pid: Pid, ids: Ids, map: &[Extent]) -> Done {
    let program = OsStr::new(ids.program());
    let mut numbers = vec![pid.to_string()];
    for extent in map {
        for number in [extent.inner, extent.outer, extent.count] {
            numbers.push(number.to_string());
        }
    }
    let (ours, theirs) = process::channel().map_err(fork_failed)?;
    match process::fork().map_err(fork_failed)? {
        Fork::Child => {
            let mut argv = vec![program];
            for number in &numbers {
                argv.push(OsStr::new(number));
            }
            let error = process::exec(program, &argv, &Variables::Inherited, SearchPath::Yes);
            let mut text = text!["failed to execute ", program, ": ", error.errno];
            if error.errno == Errno::ENOENT {
                text.extend_from_slice(b"\0it writes the maps that only root may write; it is in the package uidmap (Debian) or shadow-utils");
            }
            let _ = theirs.send(&text);
            process::exit_child(error.status())
        }
        Fork::Parent(child) => {
            drop(theirs);
            let mut message = [0; 512];
            // The channel closes on exec; a message tells that there was none.
            let message = ours.receive(&mut message).ok().flatten().unwrap_or_default().to_vec();
            match process::wait(child, Wait::End).map_err(named("waitpid failed"))? {
                Status::Exited(0) => Ok(()),
                Status::Exited(status) => Err(unpack(status, &message)),
                _ => Err(cli::fail!(1, program, " was killed")),
            }
        }
    }
}

/// Binds the namespaces of `pid` on files; the ones already bound are undone if one fails.
/// `forks` says whether `pid` has or will have a child, without which a PID namespace has no file.
fn keep(pid: Pid, files: &[(Kind, &'static OsStr)], forks: bool) -> Done {
    for (index, (kind, file)) in files.iter().enumerate() {
        let namespace = namespace::path(pid, kind.file_for_children());
        if let Err(error) = mount::bind_file(&namespace, file) {
            undo(files.get(..index).unwrap_or_default());
            let text = text!["mount ", namespace, " on ", file, " failed: ", error.errno];
            let step = Step::Keep { kind: *kind, namespace: &namespace, file, forks };
            return Err(explained(Failure::new(1, text), step, error.errno));
        }
    }
    Ok(())
}
