//! Who runs a row, and one run of it: posix_spawn(3) to waitpid(2).

use crate::Result;
use crate::rows::{Row, Same};
use crate::scene::Scene;
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, posix_spawn};
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

/// Who runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Ours,
    /// Another copy of ours, as a control of the method.
    Control,
    Theirs,
    Busybox,
    /// A program without a C library that makes only the calls which the row needs.
    Floor,
    /// The empty program alone.
    Empty,
}

impl Peer {
    pub const ALL: [Peer; 6] = [Peer::Ours, Peer::Control, Peer::Theirs, Peer::Busybox, Peer::Floor, Peer::Empty];

    pub fn name(self) -> &'static str {
        match self {
            Peer::Ours => "ours",
            Peer::Control => "ours again",
            Peer::Theirs => "originals",
            Peer::Busybox => "busybox",
            Peer::Floor => "floor",
            Peer::Empty => "empty alone",
        }
    }

    /// The directory of the scene that has its commands.
    pub fn directory(self) -> &'static str {
        match self {
            Peer::Theirs => "theirs",
            Peer::Busybox => "busybox",
            Peer::Floor => "floor",
            Peer::Control => "again",
            Peer::Ours | Peer::Empty => "ours",
        }
    }
}

/// A command ready to be spawned: nothing is worked out in the timed part.
pub struct Ready {
    pub program: CString,
    pub argv: Vec<CString>,
    pub environment: Vec<CString>,
}

impl Ready {
    /// A row's command for a peer, if it has it. It gets no environment but the PATH of its own commands.
    pub fn new(row: &Row, peer: Peer, scene: &Scene) -> Result<Option<Ready>> {
        let words = match (peer, row.busybox) {
            (Peer::Empty, _) => &["empty"],
            (Peer::Floor, _) => row.floor,
            (Peer::Busybox, Same::No) => return Ok(None),
            (Peer::Busybox, Same::Written(words)) => words,
            _ => row.command,
        };
        let Some(name) = words.first() else { return Err("no command".into()) };
        let directory = scene.path(peer.directory());
        let program = match peer {
            Peer::Floor => scene.compile(name)?,
            Peer::Empty => scene.path("empty"),
            _ => directory.join(name),
        };
        if !program.exists() {
            return Ok(None);
        }
        let argv = words.iter().map(|word| CString::new(scene.word(word)));
        let mut path = b"PATH=".to_vec();
        path.extend_from_slice(directory.as_os_str().as_bytes());
        Ok(Some(Ready {
            program: CString::new(program.as_os_str().as_bytes())?,
            argv: argv.collect::<std::result::Result<_, _>>()?,
            environment: vec![CString::new(path)?],
        }))
    }

    /// How long it takes, and whether it succeeds. What it prints goes nowhere.
    pub fn run(&self) -> Result<(Duration, bool)> {
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_open(1, "/dev/null", OFlag::O_WRONLY, Mode::empty())?;
        let attributes = PosixSpawnAttr::init()?;
        let start = Instant::now();
        let pid = posix_spawn(self.program.as_c_str(), &actions, &attributes, &self.argv, &self.environment)?;
        let status = waitpid(pid, None)?;
        let time = start.elapsed();
        Ok((time, matches!(status, WaitStatus::Exited(_, 0))))
    }
}
