//! The state that `--dump` shows.

use super::values::{SECUREBITS, SECUREBITS_COUNT, capability_name};
use cli::failure::{Line, named, warn};
use cli::text::push_all;
use cli::{Failure, Invocation, Output, text};
use linux::caps::{self, CapSet, Own};
use linux::{credentials, file, process, stat};
use std::ffi::OsStr;

/// The security modules that label processes: the path that shows the module, and what setpriv calls its label.
const MODULES: [(&str, &str); 2] =
    [("/sys/fs/selinux", "SELinux label"), ("/sys/kernel/security/apparmor", "AppArmor profile")];

/// Prints the state. Twice `--dump` adds two sets of capabilities, three times the saved ids.
pub fn print(level: u32, invocation: &Invocation<'_>, output: &mut Output) -> Result<(), Failure> {
    let shown = if level > 2 { 3 } else { 2 };
    for (kind, ids) in
        [("uid", credentials::all_uids().map(|id| id.0)), ("gid", credentials::all_gids().map(|id| id.0))]
    {
        for (whose, id) in ["", "e", "s"].iter().zip(ids).take(shown) {
            output.print(text![whose, kind, ": ", id, "\n"]);
        }
    }
    let groups = credentials::groups().map_err(named("getgroups failed"))?;
    let mut list = String::new();
    groups.iter().for_each(|group| add(&group.0.to_string(), &mut list));
    line("Supplementary groups", &list, output);
    let no_new_privileges = caps::no_new_privileges().map_err(named("getting no_new_privs failed"))?;
    output.print(text!["no_new_privs: ", u8::from(no_new_privileges), "\n"]);
    let Own { sets, bounding, ambient, .. } = Own::read().map_err(named("getting capabilities failed"))?;
    let mut set = |name: &str, set: CapSet| {
        let mut list = String::new();
        set.members().for_each(|number| add(&capability_name(number), &mut list));
        line(name, &list, output);
    };
    if level > 1 {
        set("Effective capabilities", sets.effective);
        set("Permitted capabilities", sets.permitted);
    }
    set("Inheritable capabilities", sets.inheritable);
    if let Some(ambient) = ambient {
        set("Ambient capabilities", ambient);
    }
    set("Capability bounding set", bounding);
    let bits = caps::securebits().map_err(named("getting process secure bits failed"))?;
    let mut list = String::new();
    for (bit, name) in SECUREBITS.split(' ').enumerate() {
        if bits & 1 << bit != 0 {
            add(name, &mut list);
        }
    }
    let rest = bits >> SECUREBITS_COUNT << SECUREBITS_COUNT;
    if rest != 0 {
        add(&format!("{rest:#x}"), &mut list);
    }
    line("Securebits", &list, output);
    let signal = process::death_signal().map_err(named("get pdeathsig failed"))?;
    line("Parent death signal", &if signal != 0 { linux::signal::name(signal) } else { String::new() }, output);
    for (module, name) in MODULES {
        if stat::path(OsStr::new(module)).is_err() {
            continue;
        }
        match file::read_file("/proc/self/attr/current", 4096) {
            Ok(label) => output.print(text![
                name,
                ": ",
                label.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default(),
                "\n"
            ]),
            // The rest of the dump is right all the same.
            Err(error) => warn(invocation, &Line::Named(text!["cannot read ", name, ": ", error.errno])),
        }
    }
    Ok(())
}

fn add(member: &str, list: &mut String) {
    let separator = if list.is_empty() { "" } else { "," };
    push_all(list, &[separator, member]);
}

fn line(name: &str, list: &str, output: &mut Output) {
    output.print(text![name, ": ", if list.is_empty() { "[none]" } else { list }, "\n"]);
}
