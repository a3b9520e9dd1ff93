//! `ctrbox shell`: a shell whose commands are the applets, also under sudo.
//!
//! sudo replaces PATH (`secure_path`) and drops what it does not know from the environment, so links that are first in
//! PATH are passed over there, without a word. The shell therefore finds a `sudo` of its own beside them, which puts
//! both back for the command that is run. Links and files are in a directory that is removed when the shell ends.

use crate::{CTRBOX, OWN};
use cli::text::{Piece, disarm, fill};
use cli::{Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table};
use linux::process::{self, Forwarding, Status, Variables};
use linux::signal::Signal;
use linux::{Errno, directory, file, link, raw, stat, walk};
use run::exec::{Program, failed_to_execute};
use run::fork::{Forked, Forking, How};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

pub static SHELL: Applet = Applet {
    name: "ctrbox shell",
    directory: Directory::Bin,
    section: Section::Commands,
    origin: Origin::Ctrbox,
    summary: "Start a shell whose commands are the applets, also under sudo",
    synopsis: "[--rootfs DIR] [--trace]",
    notes: "It is $SHELL; its exit status is that of the shell.",
    usage_status: 1,
    options: &OPTIONS.specs,
    run,
    explain: |_, _| Ok(None),
};

#[derive(Default)]
struct Options {
    rootfs: Option<&'static OsStr>,
    trace: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::value(None, "rootfs", "dir", "a root file system to have at hand, as $ROOTFS", |options, value| {
        options.rootfs = Some(value);
        Ok(())
    }),
    Opt::flag(None, "trace", "show the system calls of every command", |options| options.trace = true),
    Opt::help(Some('h')),
];

static OPTIONS: Table<Options> = cli::table!(ROWS);

/// Blocked while the shell runs: what a terminal sends goes to the shell, and we are to live to clean up after it.
const BLOCKED: &[Signal] = &[
    linux::signal::SIGTERM,
    linux::signal::SIGINT,
    linux::signal::SIGCHLD,
    linux::signal::SIGHUP,
    linux::signal::SIGQUIT,
];

/// The `sudo` of the shell. What has no command of its own, as -l or -v, is left to sudo as it is; so is what it may not
/// understand. The inner text is for the shell that sudo runs before the command: that has PATH as sudo has made it.
const SUDO: &str = r#"#!/bin/sh
sudo={2} links={0} inner='PATH=$1:$PATH CTRBOX_TRACE=$2 CTRBOX_HINTS=$3 CTRBOX_CAPS_TEXT=$4
export PATH CTRBOX_TRACE CTRBOX_HINTS CTRBOX_CAPS_TEXT; shift 4; exec "$@"'
at=1
while [ $at -le $# ]; do
    eval "word=\${$at}"
    case $word in
    --) at=$((at + 1)); break ;;
    --user | --group | --prompt | --chdir | --chroot | --close-from | --command-timeout | --role | --type)
        at=$((at + 1)) ;;
    --*=* | --askpass | --bell | --background | --preserve-env | --set-home | --non-interactive | --preserve-groups | \
        --stdin | --no-update | --reset-timestamp) ;;
    --*) exec "$sudo" "$@" ;;
    -*)
        letters=${word#-}
        case ${letters#"${letters%%[!ABbEHkNnPS]*}"} in
        '' | [CDgpRrTtu]?*) ;;
        [CDgpRrTtu]) at=$((at + 1)) ;;
        [is]*) echo "ctrbox shell: 'sudo $word' starts a shell with the host's commands" >&2; exec "$sudo" "$@" ;;
        *) exec "$sudo" "$@" ;;
        esac ;;
    [!=]*=*) ;;
    *) break ;;
    esac
    at=$((at + 1))
done
[ $at -le $# ] || exec "$sudo" "$@"
for word do
    shift
    at=$((at - 1))
    if [ $at = 0 ]; then
        set -- "$@" /bin/sh -c "$inner" sh "$links" "$CTRBOX_TRACE" "$CTRBOX_HINTS" "$CTRBOX_CAPS_TEXT"
    fi
    set -- "$@" "$word"
done
exec "$sudo" "$@"
"#;

/// How an interactive shell begins: its own files first, which may put other directories before ours.
struct Beginning {
    shell: &'static str,
    /// One a line.
    arguments: &'static str,
    /// A variable that it needs, `NAME=VALUE`; may be empty.
    variable: &'static str,
    /// Files that it reads, with a NUL between them: the name in the first line, then the text.
    files: &'static str,
}

/// In all texts `{0}` is the directory of the links, in quotes, `{1}` the applets, `{2}` the path of sudo, `{3}` and `{4}`
/// what ZDOTDIR and ENV were, `{5}` the directory without quotes.
const BEGINNINGS: [Beginning; 4] = [
    Beginning {
        shell: "bash",
        arguments: "--rcfile\n{5}/.start\n-i",
        variable: "",
        files: ".start
if [ -r ~/.bashrc ]; then . ~/.bashrc; fi
PATH={0}:$PATH PS1=\"(ctrbox) $PS1\"; export PATH
unalias {1} 2>/dev/null
. {0}/.completion\n",
    },
    Beginning {
        shell: "zsh",
        arguments: "-i",
        variable: "ZDOTDIR={5}",
        files: ".zshenv
ZDOTDIR={3}
if [[ -r {3}/.zshenv ]]; then . {3}/.zshenv; fi
ZDOTDIR={0}
\0.zshrc
ZDOTDIR={3}
if [[ -r {3}/.zshrc ]]; then . {3}/.zshrc; fi
PATH={0}:$PATH PS1=\"(ctrbox) $PS1\"; export PATH
unalias {1} 2>/dev/null
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -D }
. {0}/.completion\n",
    },
    Beginning {
        shell: "fish",
        arguments: "-C\nset -gx PATH {0} $PATH; source {0}/.completion\n-i",
        variable: "",
        files: "",
    },
    Beginning {
        shell: "",
        arguments: "-i",
        variable: "ENV={5}/.start",
        files: ".start
if [ -r {4} ]; then . {4}; fi
PATH={0}:$PATH PS1=\"(ctrbox) $PS1\"; export PATH
unalias {1} 2>/dev/null\n",
    },
];

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut options, output)? else {
        return Ok(0);
    };
    if let Some(operand) = operands.first() {
        return Err(cli::fail!(usage 1, "unexpected argument '", operand, "'"));
    }
    let rootfs = options.rootfs.map(root_file_system).transpose()?;
    let itself = link::read(OsStr::new("/proc/self/exe"));
    let program = itself.map_err(|error| failed("cannot find this program", OsStr::new("/proc/self/exe"), error))?;
    let links = private_directory()?;
    let shell = Shell::new(links, options.trace, rootfs);
    let outcome = shell.prepare(&program).and_then(|()| shell.start(invocation, output));
    if let Ok(directory) = directory::open_to_list(&shell.links) {
        walk::remove_below(directory, (0, 0), &mut |_, _| {});
    }
    let removed = directory::remove(&shell.links);
    let status = outcome?;
    removed.map_err(|error| failed("cannot remove", &shell.links, error))?;
    Ok(status)
}

#[cold]
#[inline(never)]
fn failed(what: &str, path: &OsStr, error: linux::Error) -> Failure {
    cli::fail!(1, what, " ", path, ": ", error.errno)
}

/// The directory's path from the root, since the shell may go elsewhere.
fn root_file_system(path: &OsStr) -> Result<OsString, Failure> {
    let found = directory::canonical(path).map_err(|error| failed("no root file system in", path, error))?;
    let is_directory = stat::path(&found).is_ok_and(|stat| stat.is_directory());
    if is_directory { Ok(found) } else { Err(cli::fail!(1, path, ": ", Errno::ENOTDIR)) }
}

/// A new directory below $TMPDIR. Others may look in: `sudo -u` runs commands as them.
fn private_directory() -> Result<OsString, Failure> {
    let parent = linux::environment::variable("TMPDIR").unwrap_or_else(|| "/tmp".into());
    let mut parent =
        directory::canonical(&parent).map_err(|error| failed("no directory for the links:", &parent, error))?;
    if linux::executable::is_on_noexec(&parent) {
        let failure = cli::fail!(1, "no program can be run from ", parent, ", which is mounted noexec");
        return Err(failure.hint("TMPDIR names another directory for the links"));
    }
    parent.push("/ctrbox-shell.");
    let mut number = process::id().0;
    loop {
        let mut path = parent.clone();
        path.push(number.to_string());
        match directory::make(&path, 0o755) {
            Ok(()) => return Ok(path),
            Err(error) if error.errno == Errno::EEXIST => number += 1,
            Err(error) => return Err(failed("cannot make", &path, error)),
        }
    }
}

/// The text in single quotes.
fn quoted(text: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in text.as_bytes() {
        if *byte == b'\'' { quoted.extend_from_slice(b"'\\''") } else { quoted.push(*byte) }
    }
    quoted.push(b'\'');
    quoted
}

/// Where a program is along PATH, or where root's are.
fn find(program: &str) -> Option<OsString> {
    let path = linux::environment::variable("PATH").unwrap_or_default();
    let roots: [&[u8]; 3] = [b"/usr/sbin", b"/sbin", b"/usr/bin"];
    for place in path.as_bytes().split(|byte| *byte == b':').chain(roots) {
        let file = OsString::from_vec([place, b"/", program.as_bytes()].concat());
        if place.starts_with(b"/")
            && process::is_executable(&file)
            && stat::path(&file).is_ok_and(|stat| stat.is_regular())
        {
            return Some(file);
        }
    }
    None
}

struct Shell {
    /// The directory of the links, and of what the shell reads as it starts.
    links: OsString,
    /// What stands in the texts: see [`BEGINNINGS`].
    pieces: [Vec<u8>; 6],
    has_sudo: bool,
    /// Variables that are changed.
    changes: Vec<(&'static str, OsString)>,
}

impl Shell {
    fn new(links: OsString, trace: bool, rootfs: Option<OsString>) -> Shell {
        let names = cli::completion::names(applets::APPLETS);
        let variable = linux::environment::variable;
        let sudo = find("sudo");
        let has_sudo = sudo.is_some();
        let quotes = |text: Option<OsString>| quoted(&text.unwrap_or_default());
        let pieces = [
            quoted(&links),
            names.into_bytes(),
            quotes(sudo),
            quotes(variable("ZDOTDIR").or_else(|| variable("HOME"))),
            quotes(variable("ENV")),
            links.as_bytes().to_vec(),
        ];
        let path = variable("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let path = OsString::from_vec([links.as_bytes(), b":", path.as_bytes()].concat());
        let mut changes = vec![("PATH", path)];
        changes.extend(rootfs.map(|rootfs| ("ROOTFS", rootfs)));
        changes.extend(trace.then(|| ("CTRBOX_TRACE", "1".into())));
        Shell { links, pieces, has_sudo, changes }
    }

    fn file(&self, name: &str) -> OsString {
        OsString::from_vec([self.links.as_bytes(), b"/", name.as_bytes()].concat())
    }

    fn fill(&self, template: &str) -> Vec<u8> {
        fill(template, &self.pieces.each_ref().map(|piece| piece as &dyn Piece))
    }

    fn write(&self, name: &str, mode: u32, text: &[u8]) -> Result<(), Failure> {
        let path = self.file(name);
        file::create(&path, mode, text).map_err(|error| failed("cannot make", &path, error))
    }

    /// Makes the links and `sudo`.
    fn prepare(&self, program: &OsStr) -> Result<(), Failure> {
        for applet in applets::APPLETS.iter().chain([&&CTRBOX]) {
            let name = self.file(applet.name);
            link::symbolic(program, &name).map_err(|error| failed("cannot link", &name, error))?;
        }
        if self.has_sudo { self.write("sudo", 0o755, &self.fill(SUDO)) } else { Ok(()) }
    }

    /// The shell to run, with its environment; for an interactive one, the files that it begins with are written.
    fn program(&self) -> Result<Program, Failure> {
        let mut program = Program::or_shell(&[], Variables::Inherited);
        let mut argv = vec![program.file];
        let mut changes = self.changes.clone();
        let kind = cli::called::last_component(program.file);
        let is_interactive = linux::terminal::is_terminal(0);
        let mut beginnings = BEGINNINGS.iter().filter(|_| is_interactive);
        if let Some(beginning) = beginnings.find(|it| kind == it.shell || it.shell.is_empty()) {
            if let Some(script) = cli::completion::script(beginning.shell, OWN, applets::APPLETS) {
                self.write(".completion", 0o644, script.as_bytes())?;
            }
            for file in beginning.files.split('\0') {
                if let Some((name, text)) = file.split_once('\n') {
                    self.write(name, 0o644, &self.fill(text))?;
                }
            }
            for argument in beginning.arguments.split('\n') {
                argv.push(OsString::from_vec(self.fill(argument)).leak());
            }
            if let Some((name, value)) = beginning.variable.split_once('=') {
                changes.push((name, OsString::from_vec(self.fill(value))));
            }
        }
        program.argv = argv;
        program.environment = Variables::Inherited.with(&changes);
        Ok(program)
    }

    /// Says whose commands are whose, and runs the shell.
    fn start(&self, invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
        let program = self.program()?;
        self.tell();
        let mut forking = Forking::default();
        match forking.fork(How { blocked: BLOCKED, kill_child: None }, output)? {
            Forked::Child(_) => {
                let failure = match forking.restore_signals() {
                    Ok(()) => failed_to_execute(&program.exec(output)),
                    Err(failure) => failure,
                };
                failure.print(invocation);
                process::exit_child(failure.status)
            }
            Forked::Parent(child) => {
                let forwarding = Forwarding { forward_signals: true, job_control: true };
                let status = process::wait_forwarding(child, forwarding);
                Ok(match status.map_err(|error| failed("cannot wait for", program.file, error))? {
                    Status::Exited(status) => status,
                    Status::Signaled(signal) | Status::Stopped(signal) => 128_u8.saturating_add(signal as u8),
                })
            }
        }
    }

    /// Prints one line, to standard error, so that it does not mix with the output of a script read from standard
    /// input.
    fn tell(&self) {
        let theirs = find("chroot").unwrap_or_else(|| "not installed".into());
        let sudo = if self.has_sudo { " and in sudo's commands" } else { "" };
        let rootfs = self.changes.iter().find(|(name, _)| *name == "ROOTFS");
        let (rootfs, path) = rootfs.map_or(("", OsStr::new("")), |(_, path)| ("; $ROOTFS is ", path));
        let template = "ctrbox shell: chroot, mount and the others are ctrbox's here{0}; the host's chroot is {1}{2}{3}; exit ends it";
        let mut line = fill(template, &[&sudo, &theirs, &rootfs, &path]);
        disarm(&mut line, 0);
        line.push(b'\n');
        let _ = raw::write_all_to(2, &line);
    }
}
