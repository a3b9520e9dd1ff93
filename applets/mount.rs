//! mount: attach a file system. mount(8) of util-linux is the reference.
//!
//! The command line becomes a [`request::Request`], which the tables may complete. With what the machine shows it becomes
//! a [`resolve::Mount`]. Its types are tried one after another ([`perform`]): each is a plan, a list of [`step::MountStep`]s,
//! which [`execute`] carries out, so that a mount appears whole or not at all.

mod all;
mod args;
mod errors;
mod execute;
mod explain;
mod fstab;
mod helper;
mod idmap;
mod limits;
mod list;
mod mount2;
mod perform;
mod plan;
mod record;
mod request;
mod resolve;
mod source;
mod step;
mod target;
mod types;
mod xmount;

use args::{OPTIONS, Options};
use cli::explain::Explanation;
use cli::{Applet, Directory, Failure, Invocation, Order, Origin, Outcome, Output, Section};
use request::{Request, Settings, enter_namespace};

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "mount",
    directory: Directory::Bin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Mount a filesystem",
    synopsis: "[-lhV]\n\
        -a [options]\n\
        [options] [--source] <source> | [--target] <directory>\n\
        [options] <source> <directory>\n\
        <operation> <mountpoint> [<target>]",
    notes: "Source:\n\
            \x20 LABEL=<label>, UUID=<uuid>, PARTLABEL=<label>, PARTUUID=<uuid>, ID=<id>\n\
            \x20                        a device by its filesystem's or partition's name\n\
            \x20 <device>               a device by path\n\
            \x20 <directory>            what is bound (see --bind, --rbind)\n\
            \x20 <file>                 a regular file, through a loop device",
    usage_status: errors::USAGE,
    options: &OPTIONS.specs,
    run,
    explain,
};

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let mut typed = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut typed, output)? else {
        return Ok(0);
    };
    let nothing_named = typed.check(&operands)?;
    idmap::add_option(&typed.id_maps, &mut typed.options)?;
    let request = if nothing_named || typed.all { None } else { Some(Request::of(&mut typed, &operands)?) };
    let mut settings = Settings::of(invocation, &typed);
    let is_elsewhere = typed.namespace.is_some() && !typed.fstab.is_empty();
    let lines = if is_elsewhere { Some(fstab::read(&settings)?) } else { None };
    let entered = enter_namespace(typed.namespace.as_deref())?;
    (settings.origin, settings.lines) = (entered.as_ref(), lines.as_ref());
    match request {
        _ if typed.all => all::mount_all(&settings, output),
        None => fstab::check(&settings).and_then(|()| list::list(&typed, output)),
        Some(request) => {
            let request = fstab::complete(&settings, request)?;
            perform::perform(&settings, request, output).map(|status| status.unwrap_or(0))
        }
    }
}

/// The steps in words. A list of mounts, and -a, which depends on a table, have none.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let mut typed = Options::default();
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::Permuted, &mut typed, output)? else {
        return Ok(None);
    };
    let nothing_named = typed.check(&operands)?;
    if !nothing_named && !typed.all {
        idmap::add_option(&typed.id_maps, &mut typed.options)?;
        let request = Request::of(&mut typed, &operands)?;
        return explain::explanation(invocation, &typed, request).map(Some);
    }
    let mut explanation = Explanation::default();
    if typed.all {
        explanation.tell("mount every line of fstab that is not mounted yet", "open(\"/etc/fstab\")", &[]);
    } else {
        explanation.tell("list what is mounted", "open(\"/proc/self/mountinfo\")", &[]);
    }
    Ok(Some(explanation))
}
