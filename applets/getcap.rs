//! getcap: show the capabilities of files. libcap's getcap(8) is the reference.

use cli::explain::{Explanation, NO_CALL};
use cli::failure::{Line, warn};
use cli::{
    Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, add, capability, text,
};
use linux::caps::{self, file::FileCapabilities};
use linux::walk::{self, Walk};
use linux::{Errno, stat};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Mutex, PoisonError};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "getcap",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::Libcap,
    summary: "displays the capabilities on the queried file(s)",
    synopsis: "[-h] [-l] [-n] [-r] [-u] [-v] [-x] <filename> [<filename> ...]",
    notes: "",
    usage_status: 1,
    options: &OPTIONS.specs,
    run,
    explain,
};

/// The options of a command line.
#[derive(Default, Debug)]
struct Options {
    help: bool,
    license: bool,
    rootid: bool,
    recursive: bool,
    verbose: bool,
    unsorted: bool,
    one_file_system: bool,
}

const ROWS: &[Opt<Options>] = &[
    Opt::flag(Some('h'), "", "display this message", |options| options.help = true),
    Opt::flag(Some('l'), "", "display the license", |options| options.license = true),
    Opt::flag(Some('n'), "", "show the root user id of the namespaces a file's capabilities count in", |options| {
        options.rootid = true;
    }),
    Opt::flag(Some('r'), "", "search directories recursively", |options| options.recursive = true),
    Opt::flag(Some('u'), "unsorted", "with -r, show files as they are found, not sorted", |options| {
        options.unsorted = true;
    }),
    Opt::flag(Some('v'), "", "show every file, also those without capabilities", |options| options.verbose = true),
    Opt::flag(Some('x'), "one-file-system", "with -r, stay on the file system of each directory given", |options| {
        options.one_file_system = true;
    }),
];

/// The rows, packed.
static OPTIONS: Table<Options> = cli::table!(ROWS);

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(files) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(0);
    };
    let usage = text![cli::help::usage_line(invocation), "\n\n\t", APPLET.summary, "."];
    if options.help {
        warn(invocation, &Line::Text(usage));
        return Ok(0);
    }
    if options.license {
        output.print(cli::capability::license(invocation));
        return Ok(0);
    }
    if files.is_empty() {
        return Err(Failure::silent(1).and(Line::Text(usage)));
    }
    for file in &files {
        show(file, &options, invocation, output);
    }
    // The status is 0 whatever failed on the way: scripts rely on it.
    Ok(0)
}

/// The explanation: which files are read.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(files) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    let mut explanation = Explanation::default();
    if options.help || options.license || files.is_empty() {
        explanation.tell("print the usage or the licence", NO_CALL, &[]);
        return Ok(Some(explanation));
    }
    for file in &files {
        if !options.recursive {
            let call = "lgetxattr({0}, \"security.capability\")";
            explanation.tell("print the capabilities of {0} itself, if it is a regular file", call, &[file]);
            continue;
        }
        let stays = if options.one_file_system { ", on the same file system" } else { "" };
        explanation.tell("list {0} and every directory below it{1}", "getdents64(FD)", &[file, &stays]);
        let order = if options.unsorted || options.verbose { "as they are found" } else { "sorted by path" };
        let call = "getxattrat(FD, NAME, \"security.capability\")";
        explanation.tell("print the capabilities of each regular file in them, {0}", call, &[&order]);
    }
    Ok(Some(explanation))
}

/// What getcap prints of a path.
type Found = walk::Found;

fn show(path: &OsStr, options: &Options, invocation: &Invocation<'_>, output: &mut Output) {
    let mut printer = Printer { options, invocation, output };
    if !options.recursive {
        printer.tell_one(path);
        return;
    }
    let path = without_slashes(path);
    let root = match walk::open(path) {
        Ok(root) => root,
        Err(errno) => {
            // Of anything but a directory that is all there is to say.
            if printer.tell_one(path) && !matches!(errno, Errno::ENOTDIR | Errno::ELOOP | Errno::ENOENT) {
                printer.tell(path.as_bytes(), Found::Unreadable(errno));
            }
            return;
        }
    };
    printer.tell(path.as_bytes(), Found::NotRegular);
    let walk = Walk { one_file_system: options.one_file_system, everything: options.verbose };
    if options.unsorted || options.verbose {
        let printer = Mutex::new(printer);
        walk::walk(root, path.as_bytes(), walk, &|path, found| {
            printer.lock().unwrap_or_else(PoisonError::into_inner).tell(path, found);
        });
        return;
    }
    let all = Mutex::new(Vec::new());
    walk::walk(root, path.as_bytes(), walk, &|path, found| {
        all.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_vec(), found));
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_unstable_by(|(a, _), (b, _)| walk::order(a, b));
    for (path, found) in all {
        printer.tell(&path, found);
    }
}

/// The path as it is printed before those below it: nftw(3) takes the slashes at its end away.
fn without_slashes(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    let length = bytes.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
    OsStr::from_bytes(bytes.get(..length).unwrap_or(bytes))
}

/// What is at a path, whose last component is not followed. Most files have no capabilities, and one call tells that.
fn look(path: &OsStr, everything: bool) -> linux::Result<Found> {
    let found = match caps::file::at(path) {
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Found::Nothing,
        Err(errno) => Found::Failed(errno),
        Ok(found) => Found::Capabilities(found),
    };
    if found == Found::Nothing && !everything {
        return Ok(found);
    }
    // Nothing else can have capabilities, whatever its attributes say.
    Ok(if stat::link(path)?.is_regular() { found } else { Found::NotRegular })
}

/// The printer: one line for each path.
struct Printer<'a> {
    options: &'a Options,
    invocation: &'a Invocation<'a>,
    output: &'a mut Output,
}

impl Printer<'_> {
    fn tell(&mut self, path: &[u8], found: Found) {
        let message = match found {
            Found::Capabilities(found) => return self.print(line(path, &found, self.options.rootid)),
            Found::Nothing if self.options.verbose => return self.print(text![path]),
            Found::NotRegular if self.options.verbose => return self.print(text![path, " (Not a regular file)"]),
            Found::Nothing | Found::NotRegular => return,
            Found::Failed(errno) => text!["Failed to get capabilities of file '", path, "' (", errno, ")"],
            Found::Unreadable(errno) => text!["Failed to read directory '", path, "' (", errno, ")"],
        };
        self.warn(message);
    }

    /// Looks at one path and tells of it. Whether it is there.
    fn tell_one(&mut self, path: &OsStr) -> bool {
        match look(path, self.options.verbose) {
            Ok(found) => self.tell(path.as_bytes(), found),
            Err(error) => {
                self.warn(text![path, " (", error.errno, ")"]);
                return false;
            }
        }
        true
    }

    fn warn(&mut self, message: Vec<u8>) {
        // In the order in which things were met, where both go to one place.
        let _ = self.output.flush();
        warn(self.invocation, &Line::Plain(message));
    }

    fn print(&mut self, line: Vec<u8>) {
        self.output.print_shown(line);
        if self.options.unsorted {
            // As found, so at once. A failure is kept and reported at the end.
            let _ = self.output.flush();
        }
    }
}

fn line(path: &[u8], found: &FileCapabilities, with_rootid: bool) -> Vec<u8> {
    let mut line = text![path, " ", capability::print(&found.sets)];
    if with_rootid && found.rootid != 0 {
        add!(&mut line, " [rootid=", found.rootid, "]");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_are_not_part_of_what_is_printed() {
        for (path, printed) in [("a", "a"), ("a//", "a"), ("/", "/"), ("//", "/"), ("a/b/", "a/b"), ("", "")] {
            assert_eq!(without_slashes(OsStr::new(path)), OsStr::new(printed));
        }
    }
}
