//! findfs: find the device with a label or UUID. util-linux's findfs(8) is the reference.

use cli::explain::{Explanation, NO_CALL};
use cli::{Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, text};
use linux::mount::probe::Tag;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// No device has it.
const NOT_FOUND: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "findfs",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Find a filesystem by label or UUID",
    synopsis: "[options] {LABEL,UUID,PARTUUID,PARTLABEL}=<value>",
    notes: "",
    usage_status: USAGE,
    options: &OPTIONS.specs,
    run,
    explain,
};

const ROWS: &[Opt<()>] = &[Opt::help(Some('h')), Opt::version(Some('V'))];

/// The rows, packed.
static OPTIONS: Table<()> = cli::table!(ROWS);

/// The tag to look for; `None` for --help and --version.
fn wanted(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<&'static OsStr>, Failure> {
    // An option must be the only argument; not even `--` may accompany it.
    let [_] = invocation.args else { return Err(Failure::usage(USAGE, text!["bad usage"])) };
    let operands = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut (), output)?;
    match operands {
        None => Ok(None),
        // The mark of the end of options alone is a name, too.
        Some(mut operands) => Ok(operands.pop().or_else(|| Some(OsStr::new("--")))),
    }
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    if let Some(wanted) = wanted(invocation, output)? {
        // A word without a tag is a device name.
        let device = match (Tag::parse(wanted), wanted.as_bytes().contains(&b'=')) {
            (Some(tag), _) => tag.resolve(),
            (None, true) => None,
            (None, false) => Some(wanted.to_os_string()),
        };
        let device = device.ok_or_else(|| Failure::new(NOT_FOUND, text!["unable to resolve '", wanted, "'"]))?;
        output.print(text![device, "\n"]);
    }
    output.flush().map_err(|errno| Failure::new(NOT_FOUND, text!["write error: ", errno]))?;
    Ok(0)
}

fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some(wanted) = wanted(invocation, output)? else { return Ok(None) };
    let mut explanation = Explanation::default();
    if let Some(tag) = Tag::parse(wanted) {
        let directory = OsStr::new(tag.kind.directory());
        explanation.tell("look for udev's link", "readlink(\"{0}...\")", &[&directory]);
        explanation.tell("if there is none, read each block device", "open(\"/sys/block\")", &[]);
    }
    explanation.tell("print the name of the device", NO_CALL, &[]);
    Ok(Some(explanation))
}
