//! What this machine has: what sections need, and root's capabilities by name.

use crate::{Result, sandbox};
use nix::mount::{MsFlags, mount};
use std::fs;
use std::path::Path;

/// Why this machine lacks what a section needs; `None` if it has it.
pub fn need(what: &str) -> Result<Option<String>> {
    let cgroup = Path::new("/sys/fs/cgroup");
    let has = |path: &str| cgroup.join(path).exists();
    let reason = match what {
        "cgroup1-memory" => (!has("memory/memory.limit_in_bytes")).then(|| {
            "no v1 memory controller is mounted; tests/transcripts/today.md tells the story with v2".to_string()
        }),
        "cgroup2" => match sandbox::cgroup_mounts()?.into_iter().find(|(_, version_2)| *version_2) {
            // Where both versions are mounted, v2 is put where a machine with v2 alone has it.
            Some((directory, _)) if directory != cgroup => {
                mount(Some(&directory), cgroup, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
                None
            }
            Some(_) => None,
            None => Some("no v2 hierarchy is mounted".to_string()),
        },
        "cgroup2-memory" => {
            let controllers = fs::read_to_string(cgroup.join("cgroup.controllers")).unwrap_or_default();
            (!controllers.split_whitespace().any(|name| name == "memory"))
                .then(|| "the kernel has bound the memory controller to a v1 hierarchy (/proc/cgroups)".to_string())
        }
        "unprivileged-userns" => {
            let setting = |path: &str| fs::read_to_string(Path::new("/proc/sys").join(path)).unwrap_or_default();
            let off = [
                ("user/max_user_namespaces", "0"),
                ("kernel/unprivileged_userns_clone", "0"),
                ("kernel/apparmor_restrict_unprivileged_userns", "1"),
            ];
            off.iter()
                .find(|(path, value)| setting(path).trim() == *value)
                .map(|(path, value)| format!("ordinary users may not make user namespaces ({path} is {value})"))
        }
        _ => return Err(format!("nothing is known of a need '{what}'").into()),
    };
    Ok(reason)
}

/// The names of a set's capabilities, lowest first, as the crate caps has them; a number that it does not know is the name.
pub fn capability_names(set: u64) -> Vec<String> {
    let known = caps::all();
    let name = |number: u8| match known.iter().find(|known| known.index() == number) {
        Some(known) => known.to_string().to_ascii_lowercase(),
        None => number.to_string(),
    };
    (0..64).filter(|number| set & (1 << number) != 0).map(name).collect()
}

/// The capabilities of a set of root's, as /proc/self/status has it: names with commas between, lowest first.
pub fn capabilities(line: &str) -> Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap_or_default();
    Ok(capability_names(u64::from_str_radix(value.trim(), 16)?).join(","))
}
