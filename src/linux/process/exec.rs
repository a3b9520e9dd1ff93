//! execve(2), and the search along PATH that execvp(3) makes before it.

use crate::{Errno, environment, file, raw, start, trace};
use nix::unistd::{execv, execve};
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The environment a program gets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Variables {
    /// Ours, as it is.
    #[default]
    Inherited,
    /// Exactly these `NAME=value` strings.
    Exactly(Vec<OsString>),
}

/// Whether the file is looked for along PATH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchPath {
    /// As execvp(3): searches PATH for a name without a slash, and runs a file without `#!` by /bin/sh.
    Yes,
    /// As execv(3): the path as it is.
    No,
}

/// Why a program could not be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecError {
    /// What was asked for.
    pub file: OsString,
    /// The last path tried that was a file, else the last path tried.
    pub path: OsString,
    /// The PATH that was searched; `None` if none was.
    pub searched: Option<OsString>,
    /// The kernel's answer.
    pub errno: Errno,
}

impl ExecError {
    /// The exit status by the shell's convention: 127 if the program was not found (ENOENT), 126 if it could not be
    /// run.
    pub fn status(&self) -> u8 {
        if self.errno == Errno::ENOENT { 127 } else { 126 }
    }
}

impl Variables {
    /// The value of a variable in it.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        match self {
            Variables::Inherited => environment::value(name),
            Variables::Exactly(list) => list.iter().find_map(|entry| {
                let value = entry.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
                Some(OsStr::from_bytes(value).to_os_string())
            }),
        }
    }

    /// This one, with these variables set.
    pub fn with(&self, changes: &[(&str, OsString)]) -> Variables {
        let mut list = Vec::new();
        let mut add = |entry: &[u8]| {
            let name = entry.split(|byte| *byte == b'=').next();
            if !changes.iter().any(|(changed, _)| name == Some(changed.as_bytes())) {
                list.push(OsStr::from_bytes(entry).to_os_string());
            }
        };
        match self {
            Variables::Inherited => environment::entries().for_each(&mut add),
            Variables::Exactly(list) => list.iter().for_each(|entry| add(entry.as_bytes())),
        }
        for (name, value) in changes {
            let mut entry = OsString::from(name);
            entry.push("=");
            entry.push(value);
            list.push(entry);
        }
        Variables::Exactly(list)
    }

    /// The PATH execvp(3) searches: that of this environment, or glibc's default where there is none.
    pub fn search_path(&self) -> OsString {
        self.variable("PATH").unwrap_or_else(|| OsString::from("/bin:/usr/bin"))
    }
}

/// Replaces this process by a program. Returns only if that fails.
pub fn exec(file: &OsStr, argv: &[&OsStr], environment: &Variables, search: SearchPath) -> ExecError {
    let numbered = with_number(environment);
    let environment = numbered.as_ref().unwrap_or(environment);
    let fail = |path: &OsStr, searched: Option<&OsStr>, errno| ExecError {
        file: file.to_os_string(),
        path: path.to_os_string(),
        searched: searched.map(OsStr::to_os_string),
        errno,
    };
    let Ok(vectors) = Vectors::new(argv, environment) else { return fail(file, None, Errno::EINVAL) };
    if search == SearchPath::No {
        return fail(file, None, vectors.execve(file));
    }
    if file.is_empty() {
        return fail(file, None, Errno::ENOENT);
    }
    if file.as_bytes().contains(&b'/') {
        return fail(file, None, vectors.execve_or_shell(file));
    }
    // execvp(3) looks no name up that no directory can hold.
    const NAME_MAX: usize = 255;
    if file.len() > NAME_MAX {
        return fail(file, None, Errno::ENAMETOOLONG);
    }
    let path = environment.search_path();
    let mut last = file.to_os_string();
    let mut errno = Errno::ENOENT;
    let mut lacking = Lacking { file, directories: Vec::new() };
    for directory in path.as_bytes().split(|&byte| byte == b':') {
        let mut candidate = directory.to_vec();
        if !candidate.is_empty() {
            candidate.push(b'/');
        }
        candidate.extend_from_slice(file.as_bytes());
        let candidate = OsString::from_vec(candidate);
        if trace::enabled() && super::is_missing(&candidate) {
            // The same call, but told in one line for all directories.
            if vectors.call(&candidate, &vectors.argv) == Errno::ENOENT {
                lacking.add(directory);
                continue;
            }
        }
        lacking.tell();
        match vectors.execve_or_shell(&candidate) {
            // EACCES may mean that the directory cannot be searched: reported only if no later directory has the
            // program.
            Errno::EACCES => {
                errno = Errno::EACCES;
                last = candidate;
            }
            Errno::ENOENT | Errno::ENOTDIR | Errno::ESTALE | Errno::ENODEV | Errno::ETIMEDOUT => {}
            other => return fail(&candidate, Some(&path), other),
        }
    }
    lacking.tell();
    fail(&last, Some(&path), errno)
}

/// The directories of PATH that were found to lack the program, for the trace.
struct Lacking<'a> {
    file: &'a OsStr,
    directories: Vec<u8>,
}

impl Lacking<'_> {
    fn add(&mut self, directory: &[u8]) {
        self.directories.extend_from_slice(if self.directories.is_empty() { b"" } else { b":" });
        self.directories.extend_from_slice(directory);
    }

    fn tell(&mut self) {
        if !self.directories.is_empty() {
            let (file, places, errno) =
                (trace::Quoted::new(self.file), trace::Quoted(&self.directories), Errno::ENOENT);
            trace::line(format_args!("execve({file}) = -1 {errno:?} ({errno}) in {places}"), None);
            self.directories.clear();
        }
    }
}

/// Copies that end in a NUL.
fn strings<T: AsRef<OsStr>>(list: &[T]) -> Result<Vec<CString>, Errno> {
    let mut strings = Vec::with_capacity(list.len());
    for text in list {
        strings.push(raw::cstring(text.as_ref())?);
    }
    Ok(strings)
}

/// Argument and environment strings as execve(2) takes them.
struct Vectors {
    argv: Vec<CString>,
    /// `None`: the process's own environment.
    environment: Option<Vec<CString>>,
}

impl Vectors {
    fn new(argv: &[&OsStr], environment: &Variables) -> Result<Vectors, Errno> {
        Ok(Vectors {
            argv: strings(argv)?,
            environment: match environment {
                Variables::Inherited => None,
                Variables::Exactly(list) => Some(strings(list)?),
            },
        })
    }

    fn execve(&self, path: &OsStr) -> Errno {
        self.execve_with(path, &self.argv)
    }

    /// As execvp(3): a file the kernel does not recognise is taken for a shell script.
    fn execve_or_shell(&self, path: &OsStr) -> Errno {
        let errno = self.execve(path);
        if errno != Errno::ENOEXEC {
            return errno;
        }
        // A program for another processor is not passed to a shell, which would read it as a script.
        if file::read_head(path, 4).is_ok_and(|head| head == b"\x7fELF") {
            return errno;
        }
        let Ok(script) = raw::cstring(path) else { return errno };
        let mut argv = vec![c"/bin/sh".to_owned(), script];
        for word in self.argv.iter().skip(1) {
            argv.push(word.clone());
        }
        self.execve_with(OsStr::new("/bin/sh"), &argv)
    }

    fn execve_with(&self, path: &OsStr, argv: &[CString]) -> Errno {
        if trace::enabled() {
            // Traced before the call, since a successful execve(2) does not return.
            trace::line(format_args!("execve({}, {})", trace::Quoted::new(path), Strings(argv)), None);
        }
        let errno = self.call(path, argv);
        if trace::enabled() {
            let failed: Result<(), Errno> = Err(errno);
            trace::line(format_args!("execve({})", trace::Quoted::new(path)), Some(&failed));
        }
        errno
    }

    /// execve(2) without tracing. The C library's execv passes our own environment.
    fn call(&self, path: &OsStr, argv: &[CString]) -> Errno {
        let Ok(file) = raw::cstring(path) else { return Errno::EINVAL };
        let done = match &self.environment {
            None => execv(&file, argv),
            Some(environment) => execve(&file, argv, environment),
        };
        match done {
            Ok(never) => match never {},
            Err(errno) => errno.into(),
        }
    }
}

/// The environment for the program that replaces this process. If there was a fork, it tells a traced ctrbox its
/// process number.
fn with_number(environment: &Variables) -> Option<Variables> {
    let number = trace::number().filter(|_| environment.variable("CTRBOX_TRACE").is_some())?;
    Some(environment.with(&[(start::NUMBER, format!("{number}:{}", super::id()).into())]))
}

struct Strings<'a>(&'a [CString]);

impl core::fmt::Display for Strings<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, text) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "[" } else { ", " })?;
            core::fmt::Display::fmt(&trace::Quoted(text.as_bytes()), f)?;
        }
        f.write_str("]")
    }
}
