//! Proof of whose commands ran: inotify(7) on the directories that they are started from.
//!
//! execve(2) opens the program's file, and the kernel reports that under the name it was called by, so
//! nothing depends on what a command says of itself. When ours are played, the host's originals are
//! covered besides ([`crate::sandbox`]), so an original cannot have run at all.

use crate::Result;
use applets::APPLETS;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The directories that the originals are in.
pub const ORIGINALS: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What was started since it was last asked.
pub struct Evidence {
    inotify: Inotify,
    trace: Option<PathBuf>,
    trace_read: usize,
    /// How often each command was started.
    pub started: BTreeMap<&'static str, usize>,
}

impl Evidence {
    /// Watches the directory of ours, whose trace goes to a file, or those of the originals.
    pub fn new(ours: Option<(&Path, &Path)>) -> Result<Evidence> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let directories: BTreeSet<PathBuf> = match ours {
            Some((directory, _)) => BTreeSet::from([directory.to_path_buf()]),
            None => ORIGINALS.iter().filter_map(|directory| fs::canonicalize(directory).ok()).collect(),
        };
        for directory in &directories {
            inotify.add_watch(directory, AddWatchFlags::IN_OPEN)?;
        }
        let trace = ours.map(|(_, trace)| trace.to_path_buf());
        Ok(Evidence { inotify, trace, trace_read: 0, started: BTreeMap::new() })
    }

    /// The commands that were started since the last call.
    pub fn started_now(&mut self) -> Result<BTreeSet<&'static str>> {
        let mut names = BTreeSet::new();
        loop {
            match self.inotify.read_events() {
                Ok(events) => {
                    for name in events.into_iter().filter_map(|event| event.name) {
                        if let Some(applet) = APPLETS.iter().map(|applet| applet.name).find(|applet| name == *applet) {
                            names.insert(applet);
                            *self.started.entry(applet).or_default() += 1;
                        }
                    }
                }
                Err(Errno::EAGAIN) => return Ok(names),
                Err(errno) => return Err(format!("inotify: {errno}").into()),
            }
        }
    }

    /// What was traced since the last call.
    pub fn traced_now(&mut self) -> Result<String> {
        let Some(path) = &self.trace else { return Ok(String::new()) };
        let all = fs::read(path)?;
        let new = all.get(self.trace_read..).unwrap_or_default();
        self.trace_read = all.len();
        Ok(String::from_utf8_lossy(new).into_owned())
    }
}

/// The commands of ours that a line names.
pub fn applets_named(command: &str) -> BTreeSet<&'static str> {
    let words: BTreeSet<&str> = command.split_whitespace().collect();
    APPLETS.iter().map(|applet| applet.name).filter(|applet| words.contains(applet)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_an_applet_as_a_word_of_its_own() {
        let named = |line| applets_named(line).into_iter().collect::<Vec<_>>();
        assert_eq!(named("sudo unshare -p --mount-proc=x \\\n    chroot rootfs"), ["chroot", "unshare"]);
        assert!(named("capsh.txt --chroot=x").is_empty());
    }
}
