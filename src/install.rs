//! `--install` and `--uninstall`: links named after the applets.
//!
//! A symbolic link names the program by a relative path where both are in one tree, such as a root
//! file system that is being built: the link still leads there when that tree is somebody's root.

use crate::{CTRBOX, Options};
use cli::{Failure, Outcome, text};
use linux::{Errno, Error, directory, link, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where programs are below the top of a tree.
const PROGRAM_DIRECTORIES: &str = "usr/local/bin usr/local/sbin usr/bin usr/sbin bin sbin";

/// Makes or removes the links.
pub fn run(options: &Options, operands: &[&'static OsStr]) -> Outcome {
    if operands.len() > 1 {
        return Err(cli::fail!(usage 1, "more than one directory"));
    }
    if options.install && options.uninstall {
        return Err(cli::fail!(usage 1, "options --install and --uninstall cannot be combined"));
    }
    let itself = OsStr::new("/proc/self/exe");
    let program = link::read(itself).map_err(|error| failed("cannot find this program: ", itself, &error))?;
    if let (Some(parent), true) = (operands.first(), options.install) {
        directory::make_all(parent, 0o777, &mut Vec::new())
            .map_err(|errno| cli::fail!(1, "cannot make ", parent, ": ", errno))?;
    }
    let mut failure = Failure::silent(1);
    for applet in applets::APPLETS {
        let name = match operands.first() {
            Some(parent) => directory::join(parent, applet.name),
            None => OsString::from_vec(text!["/", applet.directory.path(), "/", applet.name]),
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
    if let (Some(parent), true) = (operands.first(), options.uninstall) {
        remove_empty(parent);
    }
    if failure.lines.is_empty() { Ok(0) } else { Err(failure) }
}

/// Removes `lib/ctrbox/bin`, and `lib/ctrbox` with it, when nothing is left there: whoever installed the links has no
/// other use for them. Any other directory stays.
fn remove_empty(directory: &OsStr) {
    if let Some(parent) = directory::parent(directory)
        && let [.., b"lib", b"ctrbox"] = components(parent).as_slice()
    {
        for empty in [directory, parent] {
            let _ = directory::remove(empty);
        }
    }
}

fn install(options: &Options, program: &OsStr, name: &OsStr) -> Result<(), Failure> {
    match stat::link(name) {
        Err(error) if error.errno == Errno::ENOENT => {}
        Err(error) => return Err(failed("cannot look at ", name, &error)),
        Ok(_) if options.force || is_ours(program, name) || is_link_to_ctrbox(name) => {}
        Ok(_) => return Err(cli::fail!(1, name, " exists and is not ours; --force replaces it")),
    }
    // Made beside it and renamed over it, so that the name is never missing.
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{}", linux::process::id()));
    let made = if options.symbolic {
        link::symbolic(&symbolic_target(program, name), &temporary)
    } else {
        link::hard(program, &temporary)
    };
    let made = made.and_then(|()| link::rename(&temporary, name));
    // rename(2) of a hard link over another of the same file does nothing and leaves both names.
    let _ = link::unlink(&temporary);
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
    link::unlink(name).map_err(|error| failed("cannot remove ", name, &error))
}

/// Whether a name leads to this very file, as a hard or a symbolic link; or to nothing any more, as the link of a
/// program that was moved. What another one installed is not removed.
fn is_ours(program: &OsStr, name: &OsStr) -> bool {
    match (stat::path(program), stat::path(name)) {
        (Ok(ours), Ok(theirs)) => ours.identity() == theirs.identity(),
        (Ok(_), Err(error)) if error.errno == Errno::ENOENT => is_link_to_ctrbox(name),
        _ => false,
    }
}

/// Whether a name is a symbolic link to a program called ctrbox, such as another version: nothing is lost with it. A file
/// may be anybody's, and is not looked into.
fn is_link_to_ctrbox(name: &OsStr) -> bool {
    link::read(name).is_ok_and(|target| cli::called::last_component(&target) == CTRBOX.name)
}

/// What a symbolic link of this name says: a relative path where the link is in the program's tree, else an absolute one.
fn symbolic_target(program: &OsStr, name: &OsStr) -> OsString {
    let directory = directory::parent(name).and_then(|parent| directory::canonical(parent).ok());
    let relative = directory.and_then(|directory| {
        let (from, to) = (components(&directory), components(program));
        from.starts_with(top_of_tree(to.split_last()?.1)).then(|| relative(&from, &to))
    });
    relative.unwrap_or_else(|| program.to_os_string())
}

/// The components of a path.
fn components(path: &OsStr) -> Vec<&[u8]> {
    path.as_bytes().split(|byte| *byte == b'/').filter(|component| !component.is_empty()).collect()
}

/// The tree that a program in this directory belongs to: what lies above its `usr/bin` or the like, but never `/`,
/// where an absolute path means the same.
fn top_of_tree<'a>(directory: &'a [&'a [u8]]) -> &'a [&'a [u8]] {
    let mut tops = PROGRAM_DIRECTORIES
        .split(' ')
        .filter_map(|below| directory.strip_suffix(components(OsStr::new(below)).as_slice()));
    tops.find(|top| !top.is_empty()).unwrap_or(directory)
}

/// The way from a directory to a file; both absolute and without symbolic links.
fn relative(directory: &[&[u8]], file: &[&[u8]]) -> OsString {
    let shared = directory.iter().zip(file).take_while(|(one, other)| one == other).count();
    let mut path = b"../".repeat(directory.len() - shared);
    for (index, component) in file.iter().skip(shared).enumerate() {
        path.extend_from_slice(if index > 0 { b"/" } else { b"" });
        path.extend_from_slice(component);
    }
    OsString::from_vec(path)
}

fn failed(what: &str, path: &OsStr, error: &Error) -> Failure {
    cli::fail!(1, what, path, ": ", error.errno)
}
