//! Plays a transcript through a real terminal, and says of each command whether it printed what the transcript shows.
//!
//! What a transcript may say is in [`transcript`]; where it is played, and what keeps the machine as it was, in
//! [`sandbox`]. Run as root, at the top of the repository: `transcript [OPTION]... FILE...`.

mod evidence;
mod key;
mod lesson;
mod machine;
mod pattern;
mod play;
mod sandbox;
mod terminal;
mod transcript;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;
type Result<T> = std::result::Result<T, Error>;

const USAGE: &str = "\
Usage: transcript [--theirs] [--step] [--trace] FILE...

Types the commands of transcripts, tests/transcripts/*.md, into a real bash as an
ordinary user, and compares what is printed with what the transcript shows.

  --theirs  play it with the host's own commands instead of ctrbox
  --step    a lesson: what each command is for, a key to go on (b back, a again,
            q quit), and after it the system calls and what has changed
  --trace   show the system calls that ctrbox makes
";

/// What was asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// With the host's originals.
    pub theirs: bool,
    /// Say what each command is for and what it changed, and wait before each.
    pub step: bool,
    /// Show the system calls.
    pub trace: bool,
    /// The transcripts, one after the other; PID 1 and the player have one.
    pub files: Vec<PathBuf>,
}

impl Options {
    /// The arguments that say the same for one of the files.
    pub fn arguments<'a>(&self, file: &'a Path) -> Vec<&'a OsStr> {
        let flags = [(self.theirs, "--theirs"), (self.step, "--step"), (self.trace, "--trace")];
        let flags = flags.into_iter().filter_map(|(set, flag)| set.then_some(OsStr::new(flag)));
        flags.chain([file.as_os_str()]).collect()
    }

    /// The first of the files.
    pub fn file(&self) -> &Path {
        self.files.first().map_or(Path::new(""), PathBuf::as_path)
    }
}

/// The three processes of a play, told apart by the first argument: see [`sandbox`].
enum Role {
    Outer,
    Init,
    Player,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (role, rest) = match arguments.split_first() {
        Some((first, rest)) if first == sandbox::INIT => (Role::Init, rest),
        Some((first, rest)) if first == sandbox::PLAYER => (Role::Player, rest),
        _ => (Role::Outer, arguments.as_slice()),
    };
    let done = options(rest).and_then(|options| match (options, role) {
        (None, _) => {
            print!("{USAGE}");
            Ok(0)
        }
        (Some(options), Role::Outer) => sandbox::enter(&options),
        (Some(options), Role::Init) => sandbox::init(&options),
        (Some(options), Role::Player) => play::play(&options),
    });
    match done {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("transcript: {error}");
            ExitCode::from(2)
        }
    }
}

/// The command line; `None` is `--help`.
fn options(arguments: &[OsString]) -> Result<Option<Options>> {
    use lexopt::Arg::{Long, Short, Value};
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("theirs") => options.theirs = true,
            Long("step") => options.step = true,
            Long("trace") => options.trace = true,
            Long("help") | Short('h') => return Ok(None),
            Value(file) => options.files.push(file.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.files.is_empty() {
        return Err("which transcript? (try --help)".into());
    }
    Ok(Some(options))
}
