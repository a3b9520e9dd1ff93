//! Why a program could not be executed: execve(2).

use crate::environment::{Environment, Kind as FileKind};
use crate::hint::{Hint, is_one_of, list, on};
use cli::text;
use linux::Errno;
use linux::executable::{foreign, needed};
use linux::process::ExecError;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Where programs are in any Linux root, for a name that PATH does not lead to.
const USUAL: &str = "/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /busybox /usr/lib/ctrbox/bin";

/// Shells that a minimal root may have.
const SHELLS: &str = "bash sh ash dash zsh busybox ksh fish";

pub(crate) fn exec(error: &ExecError, environment: &dyn Environment) -> Vec<Hint> {
    let path = error.path.as_os_str();
    match error.errno {
        Errno::ENOENT if environment.exists(path) => interpreter(path, environment).into_iter().collect(),
        Errno::ENOENT => not_there(error, environment),
        Errno::ENOEXEC | Errno::ELIBBAD => {
            environment.file(path).map(|head| no_program(path, &head)).into_iter().collect()
        }
        Errno::EACCES => not_executable(path, environment).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The file exists, but its interpreter does not, or that one's own.
fn interpreter(path: &OsStr, environment: &dyn Environment) -> Option<Hint> {
    let mut path = path.to_os_string();
    // The kernel follows no more interpreters of interpreters.
    for _ in 0..5 {
        let head = environment.file(&path)?;
        let (next, what) = match needed(&head) {
            Some(next) if next.script => (next.path, "is named by its first line (#!) and runs it"),
            Some(next) => (next.path, "is its dynamic linker and runs it"),
            None if head.starts_with(b"\x7fELF") => return None,
            None => ("/bin/sh".into(), "runs what has no first line (#!)"),
        };
        if environment.exists(&next) {
            path = next;
            continue;
        }
        return Some(if next.as_bytes().ends_with(b"\r") {
            text![
                "the first line of '",
                path,
                "' ends as lines of DOS do; its carriage return is taken for a part of the name"
            ]
        } else {
            text!["'", path, "' exists, but '", next, "', which ", what, ", is not in this root"]
        });
    }
    None
}

fn not_there(error: &ExecError, environment: &dyn Environment) -> Vec<Hint> {
    if let Some(target) = environment.link(&error.path) {
        return vec![text!["'", error.path, "' is a symbolic link to '", target, "', which is not in this root"]];
    }
    if let Some(searched) = &error.searched {
        let mut hints = vec![text!["PATH searched: ", searched]];
        if let Some(found) = found_in(USUAL, &error.file, environment).into_iter().next() {
            hints.push(text!["it is there as ", found, ", which is not in that PATH"]);
        }
        return hints;
    }
    let name = cli::called::last_component(&error.file);
    if !is_one_of(name, SHELLS) {
        return Vec::new();
    }
    let mut there = Vec::new();
    for name in SHELLS.split(' ') {
        there.extend(found_in("/bin /usr/bin /busybox", OsStr::new(name), environment));
    }
    if there.is_empty() {
        return vec![text!["there is no shell in this root; name a program that is in it"]];
    }
    vec![text!["shells that are in this root: ", list(" ", &mut there.iter().map(|path| path.as_bytes()))]]
}

fn found_in(directories: &str, name: &OsStr, environment: &dyn Environment) -> Vec<OsString> {
    let mut found = Vec::new();
    for directory in directories.split(' ') {
        let mut path = OsString::from(directory);
        path.push("/");
        path.push(name);
        if environment.node(&path).is_some_and(|node| node.kind == FileKind::Regular) {
            found.push(path);
        }
    }
    found
}

/// The file is not executable on this machine: ENOEXEC.
fn no_program(path: &OsStr, head: &[u8]) -> Hint {
    match foreign(head) {
        Some(machine) => text![
            "'",
            path,
            "' is built for ",
            machine,
            "; running it here takes an emulator registered with binfmt_misc, such as qemu-user"
        ],
        None if head.is_empty() => text!["'", path, "' is empty"],
        None => text!["'", path, "' is neither a program of this kernel nor a script that begins with #!"],
    }
}

fn not_executable(path: &OsStr, environment: &dyn Environment) -> Option<Hint> {
    let node = environment.node(path)?;
    if node.kind == FileKind::Directory {
        return Some(text!["'", path, "' is a directory"]);
    }
    if node.mode & 0o111 == 0 {
        return Some(text!["'", path, "' may not be executed by anybody: chmod +x ", path]);
    }
    match on(path, environment) {
        Some(mount) if mount.has("noexec") => {
            Some(text!["'", path, "' is on ", mount.target, ", which is mounted noexec"])
        }
        None if environment.is_on_noexec(path) => Some(text!["'", path, "' is on a mount that is noexec"]),
        _ if node.kind == FileKind::Regular => None,
        _ => Some(text!["'", path, "' is no regular file"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{MadeUp, said};
    use crate::step::Step;

    fn told(file: &str, searched: Option<&str>, errno: Errno, environment: &MadeUp) -> String {
        let error = ExecError { file: file.into(), path: file.into(), searched: searched.map(OsString::from), errno };
        said(Step::Exec(&error), errno, environment)
    }

    #[test]
    fn the_interpreter_that_is_missing_is_named() {
        let environment = MadeUp {
            files: vec![("/run.py", "#!/usr/bin/python9 -u\n"), ("/dos", "#!/bin/sh\r\n")],
            ..MadeUp::default()
        };
        let said = told("/run.py", None, Errno::ENOENT, &environment);
        assert!(
            said.contains("'/run.py' exists, but '/usr/bin/python9', which is named by its first line (#!)"),
            "{said}"
        );
        assert!(told("/dos", None, Errno::ENOENT, &environment).contains("carriage return"));
    }

    #[test]
    fn a_link_to_nowhere_is_told_with_its_target() {
        let environment = MadeUp { links: vec![("/bin/bash", "/nix/bash")], ..MadeUp::default() };
        let said = told("/bin/bash", None, Errno::ENOENT, &environment);
        assert_eq!(said, "'/bin/bash' is a symbolic link to '/nix/bash', which is not in this root\n");
    }

    #[test]
    fn the_path_that_was_searched_is_told_and_where_the_program_is() {
        let environment = MadeUp { files: vec![("/usr/sbin/getcap", "")], ..MadeUp::default() };
        let said = told("getcap", Some("/bin:/opt"), Errno::ENOENT, &environment);
        assert_eq!(said, "PATH searched: /bin:/opt\nit is there as /usr/sbin/getcap, which is not in that PATH\n");
    }

    #[test]
    fn other_shells_are_listed_or_said_to_be_none() {
        let environment = MadeUp { files: vec![("/bin/sh", ""), ("/busybox/busybox", "")], ..MadeUp::default() };
        let said = told("/bin/bash", None, Errno::ENOENT, &environment);
        assert_eq!(said, "shells that are in this root: /bin/sh /busybox/busybox\n");
        assert!(told("/bin/zsh", None, Errno::ENOENT, &MadeUp::default()).contains("there is no shell in this root"));
        assert!(told("/bin/prog", None, Errno::ENOENT, &MadeUp::default()).is_empty());
    }

    #[test]
    fn a_file_for_another_machine_or_none_is_told() {
        let arm = "\u{7f}ELF\u{2}\u{1}\u{1}\0\0\0\0\0\0\0\0\0\u{2}\0\u{28}\0";
        let environment =
            MadeUp { files: vec![("/p", arm), ("/empty", ""), ("/text", "hello\n")], ..MadeUp::default() };
        assert!(told("/p", None, Errno::ENOEXEC, &environment).contains("'/p' is built for arm;"));
        assert_eq!(told("/empty", None, Errno::ENOEXEC, &environment), "'/empty' is empty\n");
        assert!(told("/text", None, Errno::ENOEXEC, &environment).contains("neither a program"));
    }

    #[test]
    fn what_may_not_be_executed_says_why() {
        let environment =
            MadeUp { files: vec![("/p", "x")], nodes: vec![("/d", FileKind::Directory)], ..MadeUp::default() };
        assert!(told("/p", None, Errno::EACCES, &environment).contains("chmod +x /p"));
        assert_eq!(told("/d", None, Errno::EACCES, &environment), "'/d' is a directory\n");
    }
}
