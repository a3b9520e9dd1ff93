//! The state that `--dump` shows.

use super::values::{SECUREBITS, SECUREBITS_COUNT, capability_name};
use cli::failure::{Line, warn};
use cli::{Invocation, Output, add, text};
use linux::caps::{self, CapSet};
use linux::process::Pid;
use linux::{credentials, file, process, signal, stat};
use std::ffi::OsStr;

/// The security modules that label processes: the path that shows the module, and what setpriv calls its label.
const MODULES: [(&str, &str); 2] =
    [("/sys/fs/selinux", "SELinux label"), ("/sys/kernel/security/apparmor", "AppArmor profile")];

/// Prints the state. Twice `--dump` adds two sets of capabilities, three times the saved ids. What cannot be read is said,
/// and the rest is right all the same.
pub fn print(level: u32, invocation: &Invocation<'_>, output: &mut Output) {
    let shown = if level > 2 { 3 } else { 2 };
    for (kind, ids) in
        [("uid", credentials::all_uids().map(|id| id.0)), ("gid", credentials::all_gids().map(|id| id.0))]
    {
        for (whose, id) in ["", "e", "s"].iter().zip(ids).take(shown) {
            output.print(text![whose, kind, ": ", id, "\n"]);
        }
    }
    let mut line = |name: &str, value: linux::Result<Vec<u8>>| match value {
        Ok(value) if value.is_empty() => output.print(text![name, ": [none]\n"]),
        Ok(value) => output.print(text![name, ": ", value, "\n"]),
        Err(error) => warn(invocation, &Line::Named(text!["cannot read ", name, ": ", error.errno])),
    };
    let groups = credentials::groups().map(|groups| {
        let mut list = Vec::new();
        groups.iter().for_each(|group| push(&group.0.to_string(), &mut list));
        list
    });
    line("Supplementary groups", groups);
    line("no_new_privs", caps::no_new_privileges().map(|set| text![u8::from(set)]));
    match caps::get(Pid::SELF) {
        Ok(sets) => {
            if level > 1 {
                line("Effective capabilities", Ok(names(sets.effective)));
                line("Permitted capabilities", Ok(names(sets.permitted)));
            }
            line("Inheritable capabilities", Ok(names(sets.inheritable)));
        }
        Err(error) => line("capabilities", Err(error)),
    }
    let has_ambient = caps::has_ambient();
    line("Ambient capabilities", if has_ambient { caps::ambient().map(names) } else { Ok(text!["[unsupported]"]) });
    line("Capability bounding set", caps::bounding(caps::count()).map(names));
    line("Securebits", caps::securebits().map(securebits));
    let named = |signal| if signal != 0 { signal::name(signal).into_bytes() } else { Vec::new() };
    line("Parent death signal", process::death_signal().map(named));
    for (module, name) in MODULES {
        if stat::path(OsStr::new(module)).is_ok() {
            let label = file::read_file("/proc/self/attr/current", 4096)
                .map(|label| label.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default().to_vec());
            line(name, label);
        }
    }
}

fn names(set: CapSet) -> Vec<u8> {
    let mut list = Vec::new();
    set.members().for_each(|number| push(&capability_name(number), &mut list));
    list
}

fn securebits(bits: u32) -> Vec<u8> {
    let mut list = Vec::new();
    for (bit, name) in SECUREBITS.split(' ').enumerate() {
        if bits & 1 << bit != 0 {
            push(name, &mut list);
        }
    }
    let rest = bits >> SECUREBITS_COUNT << SECUREBITS_COUNT;
    if rest != 0 {
        push(&format!("{rest:#x}"), &mut list);
    }
    list
}

fn push(member: &str, list: &mut Vec<u8>) {
    add!(list, if list.is_empty() { "" } else { "," }, member);
}
