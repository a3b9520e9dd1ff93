//! pivot_root: make another mount the root of our mount namespace. util-linux's pivot_root(8) is the
//! reference; pivot_root(2) says what the kernel wants.

use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, text};
use hints::{Step, explained};
use linux::pivot;
use std::ffi::OsStr;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "pivot_root",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Change the root filesystem",
    synopsis: "[options] new_root put_old",
    notes: "",
    usage_status: 1,
    options: &OPTIONS.specs,
    run,
    explain,
};

const ROWS: &[Opt<()>] = &[Opt::help(Some('h')), Opt::version(Some('V'))];

/// The rows, packed.
static OPTIONS: Table<()> = cli::table!(ROWS);

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut (), output)? else {
        return Ok(0);
    };
    let [new_root, put_old] = two(&operands)?;
    pivot::pivot(new_root, put_old).map_err(|error| {
        let text = text!["failed to change root from `", new_root, "' to `", put_old, "': ", error.errno];
        explained(Failure::new(1, text), Step::Pivot { new_root }, error.errno)
    })?;
    Ok(0)
}

/// The one step in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut (), output)? else {
        return Ok(None);
    };
    let [new_root, put_old] = two(&operands)?;
    let mut explanation = Explanation::default();
    let words = "make the mount at {0} the root of this mount namespace, and put the present root on {1}";
    explanation.tell(words, "pivot_root(\"{0}\", \"{1}\")", &[&new_root, &put_old]);
    Ok(Some(explanation))
}

fn two(operands: &[&'static OsStr]) -> Result<[&'static OsStr; 2], Failure> {
    operands.try_into().map_err(|_| cli::fail!(usage 1, "bad usage"))
}
