//! umount: detach file systems. umount(8) of util-linux is the reference.
//!
//! A directory is unmounted without reading the mount table, unless an option
//! or an entry of utab asks for what only the table tells.

mod explain;
mod find;
mod one;
mod options;
mod tree;

use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section};
use hints::{Step, hints, one_of_many};
use linux::mount::other_namespace::OtherMountNs;
use linux::mount::probe::Tag;
use linux::{Errno, credentials};
use options::{FAILED, OPTIONS, Options, SYSTEM, USAGE, Unmounting, check};
use std::cell::{Cell, RefCell};
use std::ffi::OsStr;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "umount",
    directory: Directory::Bin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Unmount filesystems",
    synopsis: "[-hV]\n\
        -a [options]\n\
        [options] <source> | <directory>",
    notes: "",
    usage_status: USAGE,
    options: &OPTIONS.specs,
    run,
    explain,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(0);
    };
    check(&options, &operands)?;
    let origin =
        options.namespace.as_deref().map(OtherMountNs::enter).transpose().map_err(|error| {
            cli::fail!(SYSTEM, "failed to set target namespace to ", error.object, ": ", error.errno)
        })?;
    let restricted = Cell::new(!credentials::effective_uid().is_root() && options.is_for_users());
    let settings = Unmounting { invocation, options, origin, busy: RefCell::default(), restricted };
    let outcome = if settings.options.all {
        one_of_many();
        tree::unmount_all(&settings, output)
    } else {
        unmount_each(&settings, &operands, output)
    };
    let busy = settings.busy.borrow();
    if !busy.is_empty() {
        let _ = output.flush();
        if busy.len() > 1 {
            one_of_many();
        }
        hints(Step::Busy(&busy), Errno::EBUSY).iter().for_each(|hint| cli::failure::hint(hint));
    }
    outcome
}

fn unmount_each(settings: &Unmounting<'_>, operands: &[&'static OsStr], output: &mut Output) -> Outcome {
    let mut status: u8 = 0;
    for operand in operands {
        let operand = match settings.restricted.get() && Tag::parse(operand).is_none() {
            true => &find::here(operand).map_err(|error| cli::fail!(USAGE, operand, ": ", error.errno))?,
            false => *operand,
        };
        let outcome = if settings.options.all_targets {
            tree::unmount_all_targets(settings, operand, output)
        } else if settings.options.recursive {
            tree::unmount_tree(settings, operand, output)
        } else {
            tree::with_utab(settings, &mut |known| one::unmount(settings, operand, known, output))
        };
        let one = outcome.unwrap_or_else(|failure| {
            // What was refused is no longer judged by the rules for an ordinary user, nor is what comes after it.
            if failure.status == FAILED {
                settings.restricted.set(false);
            }
            settings.report(&failure, output)
        });
        status = status.saturating_add(one);
    }
    Ok(status)
}

/// The steps in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut options = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut options, output)? else {
        return Ok(None);
    };
    check(&options, &operands)?;
    Ok(Some(explain::explanation(&options, &operands)))
}
