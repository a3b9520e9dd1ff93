//! `--install` and `--uninstall`: links named after the applets.

use crate::Options;
use cli::{Failure, Outcome, text};
use linux::{Errno, Error, directory, link, stat};
use std::ffi::{OsStr, OsString};
use std::path::Path;

/// Makes or removes the links.
pub fn run(options: &Options, operands: &[OsString]) -> Outcome {
    if operands.len() > 1 {
        return Err(Failure::usage(1, text!["more than one directory"]));
    }
    if options.install && options.uninstall {
        return Err(Failure::usage(1, text!["options --install and --uninstall cannot be combined"]));
    }
    let itself = OsStr::new("/proc/self/exe");
    let program = directory::read_link(itself).map_err(|error| failed("cannot find this program: ", itself, &error))?;
    if let (Some(parent), true) = (operands.first(), options.install) {
        directory::make_all(parent, 0o777, &mut Vec::new())
            .map_err(|errno| Failure::new(1, text!["cannot make ", parent, ": ", errno]))?;
    }
    let mut failure = Failure::silent(1);
    for applet in applets::APPLETS {
        let name = match operands.first() {
            Some(parent) => Path::new(parent).join(applet.name),
            None => Path::new("/").join(applet.directory).join(applet.name),
        };
        let name = name.as_os_str();
        let done = if options.uninstall { uninstall(&program, name) } else { install(options, &program, name) };
        if let Err(mut one) = done {
            failure.lines.append(&mut one.lines);
            // There is only one kind, which is the same for all of them.
            failure.hints.append(&mut one.hints);
            failure.hints.truncate(1);
        }
    }
    if failure.lines.is_empty() { Ok(0) } else { Err(failure) }
}

fn install(options: &Options, program: &OsStr, name: &OsStr) -> Result<(), Failure> {
    match stat::link(name) {
        Err(error) if error.errno == Errno::ENOENT => {}
        Err(error) => return Err(failed("cannot look at ", name, &error)),
        Ok(_) if options.force || is_ours(program, name) => {}
        Ok(_) => return Err(Failure::new(1, text![name, " exists and is not ours; --force replaces it"])),
    }
    // Made beside it and renamed over it, so that the name is never missing.
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{}", linux::process::id()));
    let made = if options.symbolic { link::symbolic(program, &temporary) } else { link::hard(program, &temporary) };
    let made = made.and_then(|()| link::rename(&temporary, name));
    // Renaming one hard link over another of the same file leaves both names.
    let _ = directory::unlink(&temporary);
    made.map_err(|error| {
        let failure = failed("cannot link ", name, &error);
        if error.errno == Errno::EXDEV {
            return failure.hint("hard links stay on one file system; -s makes symbolic ones");
        }
        failure
    })
}

fn uninstall(program: &OsStr, name: &OsStr) -> Result<(), Failure> {
    if !is_ours(program, name) {
        return Ok(());
    }
    directory::unlink(name).map_err(|error| failed("cannot remove ", name, &error))
}

/// Whether a name leads to this very file, as a hard or a symbolic link.
fn is_ours(program: &OsStr, name: &OsStr) -> bool {
    match (stat::path(program), stat::path(name)) {
        (Ok(ours), Ok(theirs)) => ours.identity() == theirs.identity(),
        _ => false,
    }
}

fn failed(what: &str, path: &OsStr, error: &Error) -> Failure {
    Failure::new(1, text![what, path, ": ", error.errno])
}
