//! `--install` and `--uninstall`: links named after the applets.

use crate::Options;
use cli::{Failure, Outcome, text};
use std::ffi::OsString;
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// Makes or removes the links.
pub fn run(options: &Options, operands: &[OsString]) -> Outcome {
    if operands.len() > 1 {
        return Err(Failure::usage(1, text!["more than one directory"]));
    }
    if options.install && options.uninstall {
        return Err(Failure::usage(1, text!["options --install and --uninstall cannot be combined"]));
    }
    let program = fs::read_link("/proc/self/exe")
        .map_err(|error| failed("cannot find this program: ", Path::new("/proc/self/exe"), &error))?;
    if let (Some(directory), true) = (operands.first(), options.install) {
        linux::directory::make_all(directory, 0o777, &mut Vec::new())
            .map_err(|errno| Failure::new(1, text!["cannot make ", directory, ": ", errno]))?;
    }
    let mut failure = Failure::silent(1);
    for applet in applets::APPLETS {
        let link = match operands.first() {
            Some(directory) => Path::new(directory).join(applet.name),
            None => Path::new("/").join(applet.directory).join(applet.name),
        };
        let done = if options.uninstall { uninstall(&program, &link) } else { install(options, &program, &link) };
        if let Err(mut one) = done {
            failure.lines.append(&mut one.lines);
            // There is only one kind, which is the same for all of them.
            failure.hints.append(&mut one.hints);
            failure.hints.truncate(1);
        }
    }
    if failure.lines.is_empty() { Ok(0) } else { Err(failure) }
}

fn install(options: &Options, program: &Path, link: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed("cannot look at ", link, &error)),
        Ok(_) if options.force || is_ours(program, link) => {}
        Ok(_) => {
            let text = text![link.as_os_str(), " exists and is not ours; --force replaces it"];
            return Err(Failure::new(1, text));
        }
    }
    // Made beside it and renamed over it, so that the name is never missing.
    let mut temporary = link.as_os_str().to_os_string();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let made = if options.symbolic { symlink(program, &temporary) } else { fs::hard_link(program, &temporary) };
    made.and_then(|()| fs::rename(&temporary, link)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        let failure = failed("cannot link ", link, &error);
        if error.kind() == ErrorKind::CrossesDevices {
            return failure.hint("hard links stay on one file system; -s makes symbolic ones");
        }
        failure
    })?;
    // Renaming one hard link over another of the same file leaves both names.
    let _ = fs::remove_file(&temporary);
    Ok(())
}

fn uninstall(program: &Path, link: &Path) -> Result<(), Failure> {
    if !is_ours(program, link) {
        return Ok(());
    }
    fs::remove_file(link).map_err(|error| failed("cannot remove ", link, &error))
}

/// Whether a name leads to this very file, as a hard or a symbolic link.
fn is_ours(program: &Path, link: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino()));
    match (identity(program), identity(link)) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        _ => false,
    }
}

fn failed(what: &str, path: &Path, error: &Error) -> Failure {
    let errno = linux::Errno(error.raw_os_error().unwrap_or_default());
    Failure::new(1, text![what, path.as_os_str(), ": ", errno])
}
