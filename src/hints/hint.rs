//! One hint, and what several diagnoses say alike.

use crate::environment::Environment;
use cli::{add, text};
use linux::caps::Cap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// How many mounts, processes or namespaces a hint names.
pub(crate) const NAMED: usize = 5;

/// One hint, without `hint: ` before it.
pub type Hint = Vec<u8>;

/// The mount that a path is on.
pub(crate) struct On {
    pub(crate) fstype: OsString,
    pub(crate) target: OsString,
    pub(crate) options: Vec<u8>,
}

impl On {
    /// Whether it has one of the options of a mount: `noexec`.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.options.split(|byte| *byte == b',').any(|word| word == option.as_bytes())
    }
}

pub(crate) fn on(path: &OsStr, environment: &dyn Environment) -> Option<On> {
    let id = u32::try_from(environment.mount_of(path)?.id).ok()?;
    let table = environment.mounts()?;
    let entry = table.find_id(id)?;
    let fstype = entry.fstype_text().to_os_string();
    Some(On { fstype, target: entry.target_path(), options: entry.options.to_vec() })
}

/// `this process has no CAP_X`, if it has not.
pub(crate) fn lacks(number: Cap, environment: &dyn Environment) -> Option<Hint> {
    let effective = environment.privileges()?.sets.effective;
    let name = linux::caps::name(number).to_ascii_uppercase();
    let lacks = !effective.has(number);
    lacks.then(|| text!["this process has no ", name, " (CapEff=", format!("{:016x}", effective.0), ")"])
}

/// The command that gives a user 65536 ids that are nobody's yet.
pub fn more_ids(user: &OsStr, environment: &dyn Environment) -> Hint {
    let first = environment.free_id();
    let range = text![first, "-", first.saturating_add(65_535)];
    text!["as root: usermod --add-subuids ", range, " --add-subgids ", range, " ", user]
}

/// Who has a capability that this process lacks, as the end of a hint. Root is not advised to become root.
pub(crate) fn who_has(number: Cap, environment: &dyn Environment) -> Vec<u8> {
    if environment.privileges().is_none_or(|own| !own.euid.is_root()) {
        return text!["root has it"];
    }
    let name = linux::caps::name(number).to_ascii_uppercase();
    let name = name.strip_prefix("CAP_").unwrap_or(&name);
    text!["root is without it here, as in a container, which is given it when it is started: --cap-add ", name]
}

/// Whether a name is a word of a text.
pub(crate) fn is_one_of(name: &OsStr, words: &str) -> bool {
    linux::mount::filesystems::is_listed(name.as_bytes(), words)
}

/// Up to [`NAMED`] of them, and how many more there are.
pub(crate) fn list(separator: &str, all: &mut dyn Iterator<Item = &[u8]>) -> Vec<u8> {
    let mut list = Vec::new();
    let mut count: usize = 0;
    for one in all {
        if count < NAMED {
            if count > 0 {
                list.extend_from_slice(separator.as_bytes());
            }
            list.extend_from_slice(one);
        }
        count += 1;
    }
    if count > NAMED {
        add!(&mut list, " and ", count - NAMED, " more");
    }
    list
}
