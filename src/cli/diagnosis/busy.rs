//! Why a mount is busy: mounts on it, the processes that use it, and what /proc/swaps lists.

use super::{Facts, Hint, NAMED};
use crate::text;
use linux::Errno;
use linux::mount::holders::{Holder, Wanted};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// umount2(2) of the mount at `target`.
pub(super) fn unmount(target: &OsStr, errno: Errno, facts: &dyn Facts) -> Vec<Hint> {
    if errno != Errno::EBUSY {
        return Vec::new();
    }
    if target == "/" {
        return vec![text![
            "the root of a mount namespace stays while anything runs in it: pivot_root(8) puts another in its place"
        ]];
    }
    let Some((id, table)) = facts.mount_of(target).map(|found| found.id).zip(facts.mounts()) else { return Vec::new() };
    let on_it = table.entries().filter(|entry| u64::from(entry.parent) == id);
    let mut hints: Vec<Hint> = on_it
        .take(NAMED)
        .map(|entry| text![entry.target_path(), " (", entry.fstype, ") is mounted on it; umount -R takes both"])
        .collect();
    let Some(mount) = u32::try_from(id).ok().and_then(|id| table.find_id(id)) else { return hints };
    let group = table.find_id(mount.parent).and_then(|parent| parent.group("shared:"));
    let found = facts.holders(Wanted { id, device: mount.device, group }, NAMED - hints.len());
    let shell = facts.parent();
    hints.extend(found.holders.iter().map(|holder| used_by(holder, shell)));
    if let Some(swap) = swap_on(target, facts) {
        hints.push(text!["swap is on its file ", swap, ": swapoff ", swap]);
    }
    if found.is_cut_short && hints.len() < NAMED {
        hints.push(text!["not every process was looked at, there are many; 'fuser -vm ", target, "' looks at all"]);
    } else if hints.is_empty() {
        let who =
            "no process that may be looked at uses it: a loop device, an NFS export or another user of the kernel may";
        hints.push(text![who, "; umount -l takes it out of sight and unmounts it when nobody uses it any more"]);
    }
    hints
}

fn used_by(holder: &Holder, shell: i32) -> Hint {
    if holder.pid == shell && holder.how == "cwd" {
        return text!["your shell's working directory is on it: cd elsewhere first"];
    }
    let (what, which) = match holder.how.as_str() {
        "cwd" => ("working directory", ""),
        "root" => ("root directory", ""),
        "exe" => ("the program it runs", ""),
        other => ("open file ", other),
    };
    let place = if holder.elsewhere { " in another mount namespace" } else { "" };
    text!["process ", holder.pid, " (", holder.name, ") uses it", place, ": ", what, which]
}

/// The first file in use for swapping that is below `target`.
fn swap_on(target: &OsStr, facts: &dyn Facts) -> Option<Vec<u8>> {
    let prefix = [target.as_bytes(), b"/"].concat();
    let swaps = facts.file(OsStr::new("/proc/swaps"))?;
    let mut files = swaps.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').next());
    files.find(|file| file.starts_with(&prefix)).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::super::made_up::{MadeUp, said};
    use super::*;
    use linux::mount::holders::Found;

    const MOUNTS: &str = "20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n30 20 0:40 / /mnt rw - tmpfs tmpfs rw\n";

    fn facts() -> MadeUp {
        MadeUp { mounts: MOUNTS, on: vec![("/mnt", 30)], shell: 7, ..MadeUp::default() }
    }

    fn holder(pid: i32, how: &str, elsewhere: bool) -> Holder {
        Holder { pid, name: "sleep".into(), how: how.into(), elsewhere }
    }

    fn busy(facts: &MadeUp) -> String {
        said(Step::Unmount(OsStr::new("/mnt")), Errno::EBUSY, facts)
    }

    #[test]
    fn each_user_is_named_with_what_it_uses() {
        let holders = vec![holder(7, "cwd", false), holder(8, "cwd", false), holder(9, "fd/3", true)];
        let facts = MadeUp { found: Found { holders, is_cut_short: false }, ..facts() };
        let said = busy(&facts);
        assert!(said.starts_with("your shell's working directory is on it"), "{said}");
        assert!(said.contains("process 8 (sleep) uses it: working directory\n"), "{said}");
        assert!(said.contains("process 9 (sleep) uses it in another mount namespace: open file fd/3\n"), "{said}");
        let wanted = facts.asked.borrow().clone();
        assert_eq!(wanted, [(Wanted { id: 30, device: (0, 40), group: Some(1) }, 5)]);
    }

    #[test]
    fn mounts_on_it_come_first_and_at_most_five_are_named() {
        let below: String =
            (0..7).map(|n| format!("{} 30 0:{} / /mnt/{n} rw - tmpfs t rw\n", 40 + n, 50 + n)).collect();
        let facts = MadeUp { more_mounts: below, ..facts() };
        let said = busy(&facts);
        assert_eq!(said.matches("is mounted on it; umount -R takes both\n").count(), 5, "{said}");
        assert_eq!(facts.asked.borrow().first().map(|asked| asked.1), Some(0));
    }

    #[test]
    fn what_was_not_looked_at_is_said_and_so_is_that_nobody_was_found() {
        let cut = MadeUp { found: Found { holders: Vec::new(), is_cut_short: true }, ..facts() };
        assert!(busy(&cut).contains("fuser -vm /mnt"));
        assert!(busy(&facts()).contains("no process that may be looked at"));
        let swaps = "Filename\tType\n/mnt/swapfile file 1 0 -2\n";
        let swap = MadeUp { files: vec![("/proc/swaps", swaps)], ..facts() };
        assert_eq!(busy(&swap), "swap is on its file /mnt/swapfile: swapoff /mnt/swapfile\n");
        assert!(said(Step::Unmount(OsStr::new("/mnt")), Errno::EINVAL, &facts()).is_empty());
    }

    #[test]
    fn nobody_is_told_to_unmount_all_below_the_root() {
        let root = MadeUp { on: vec![("/", 20)], ..facts() };
        let said = said(Step::Unmount(OsStr::new("/")), Errno::EBUSY, &root);
        assert!(said.contains("pivot_root") && !said.contains("-R"), "{said}");
        assert!(!busy(&facts()).contains("pivot_root"));
    }
}
