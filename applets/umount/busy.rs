//! Why a mount is busy: mounts on it, and the processes that use it.

use super::find::Found;
use cli::failure::hints_wanted;
use cli::{Failure, text};
use linux::mount::{holders, statmount};
use linux::mountinfo;
use std::ffi::OsStr;

/// How many culprits are named.
const SHOWN: usize = 5;

/// Adds what keeps the mount busy.
pub fn explain(mut failure: Failure, found: &Found) -> Failure {
    if !hints_wanted() {
        return failure;
    }
    let Ok(ids) = statmount::mountinfo_id(None, &found.target, 0) else { return failure };
    let mut left = SHOWN;
    if let Ok(table) = mountinfo::Table::read() {
        for entry in table.entries().filter(|entry| u64::from(entry.parent) == ids.id).take(left) {
            left -= 1;
            failure = failure.hint(text![entry.target_path(), " (", entry.fstype, ") is mounted on it; umount -R takes both"]);
        }
    }
    let shell = linux::process::parent();
    for holder in holders::of_mount(ids.id, left) {
        let own = holder.pid == shell && holder.how == "cwd";
        failure = failure.hint(if own {
            text!["your shell's working directory is on it: cd elsewhere first"]
        } else {
            text!["process ", holder.pid, " (", holder.name, ") uses it: ", describe(&holder.how)]
        });
    }
    failure
}

fn describe(how: &str) -> Vec<u8> {
    match how {
        "cwd" => text!["working directory"],
        "root" => text!["root directory"],
        "exe" => text!["the program it runs"],
        other => text!["open file ", OsStr::new(other)],
    }
}
