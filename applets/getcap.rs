//! getcap: show the capabilities of files. libcap's getcap(8) is the reference.

use cli::failure::{Line, warn};
use cli::{Applet, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Parsed, capability, text};
use linux::Errno;
use linux::filecap::{File, FileCapabilities};
use std::ffi::OsStr;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "getcap",
    directory: "usr/sbin",
    origin: Origin::Libcap,
    summary: "displays the capabilities on the queried file(s)",
    synopsis: &["[-h] [-l] [-n] [-r] [-v] <filename> [<filename> ...]"],
    notes: "",
    usage_status: 1,
    options: || cli::table::specs(OPTIONS),
    run,
};

/// What was typed.
#[derive(Default, Debug)]
struct Options {
    help: bool,
    license: bool,
    rootid: bool,
    recursive: bool,
    verbose: bool,
}

const OPTIONS: &[Opt<Options>] = &[
    Opt::flag(Some('h'), &[], "display this message", |options| options.help = true),
    Opt::flag(Some('l'), &[], "display the license", |options| options.license = true),
    Opt::flag(Some('n'), &[], "show the root user id of the namespaces a file's capabilities count in", |options| {
        options.rootid = true;
    }),
    Opt::flag(Some('r'), &[], "search directories recursively", |options| options.recursive = true),
    Opt::flag(Some('v'), &[], "show every file, also those without capabilities", |options| options.verbose = true),
];

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let (options, files) = match cli::table::parse(invocation, OPTIONS, Order::Permuted, output)? {
        Parsed::Done(outcome) => return outcome,
        Parsed::Run(options, files) => (options, files),
    };
    let usage = text![cli::table::usage_line(invocation), "\n\n\t", APPLET.summary, "."];
    if options.help {
        warn(invocation, &Line::Plain(usage));
        return Ok(0);
    }
    if options.license {
        output.print(cli::capability::license(invocation));
        return Ok(0);
    }
    if files.is_empty() {
        return Err(Failure::plain(1, usage));
    }
    for file in &files {
        show(file, &options, invocation, output);
    }
    // Whatever was met: scripts rely on it.
    Ok(0)
}

fn show(path: &OsStr, options: &Options, invocation: &Invocation<'_>, output: &mut Output) {
    match look(path) {
        Ok(Found::Capabilities(found)) => output.print(line(path, &found, options)),
        Ok(Found::Nothing) if options.verbose => output.print(text![path, "\n"]),
        Ok(Found::NotRegular) if options.verbose => output.print(text![path, " (Not a regular file)\n"]),
        Ok(_) => {}
        Err(message) => {
            // In the order in which things were met, where both go to one place.
            let _ = output.flush();
            warn(invocation, &Line::Plain(message));
        }
    }
}

enum Found {
    Capabilities(FileCapabilities),
    Nothing,
    NotRegular,
}

fn look(path: &OsStr) -> Result<Found, Vec<u8>> {
    let file = File::open(path).map_err(|errno| text![path, " (", errno, ")"])?;
    if !file.is_regular() {
        return Ok(Found::NotRegular);
    }
    match file.get() {
        Ok(found) => Ok(Found::Capabilities(found)),
        Err(Errno::ENODATA | Errno::EOPNOTSUPP) => Ok(Found::Nothing),
        Err(errno) => Err(text!["Failed to get capabilities of file '", path, "' (", errno, ")"]),
    }
}

fn line(path: &OsStr, found: &FileCapabilities, options: &Options) -> Vec<u8> {
    // The equals sign went with the old text, in the same release.
    let separator = if capability::is_classic() { " = " } else { " " };
    let body = capability::print(&found.sets);
    let body = if capability::is_classic() { body.trim_start_matches("= ") } else { &body };
    let mut line = text![path, separator, body];
    if options.rootid && found.rootid != 0 {
        line.extend_from_slice(&text![" [rootid=", found.rootid, "]"]);
    }
    line.push(b'\n');
    line
}
