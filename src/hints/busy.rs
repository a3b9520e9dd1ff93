//! Why a mount is busy: mounts on it, the processes that use it, and what /proc/swaps lists.

use crate::environment::Environment;
use crate::hint::{Hint, NAMED};
use cli::text;
use linux::mount::holders::{HeldMount, Holder, Holders};
use linux::mount::mountinfo::Entry;
use linux::mount::table::Tree;
use linux::process::Pid;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// umount2(2) of the mounts at `targets`, which were busy. All are looked for in one pass over the table of mounts and
/// the processes. With several, each hint begins with its target.
pub(crate) fn unmount(targets: &[OsString], environment: &dyn Environment) -> Vec<Hint> {
    let Some(table) = environment.mounts() else { return Vec::new() };
    let entries: Vec<Entry<'_>> = table.entries().collect();
    let tree = Tree::new(&entries);
    let (mut busy, mut wanted) = (Vec::new(), Vec::new());
    for target in targets {
        let mount = environment.mount_of(target).and_then(|found| tree.get(u32::try_from(found.id).ok()?));
        let mut hints = Vec::new();
        if target == "/" {
            hints.push(text![
                "the root of a mount namespace stays while anything runs in it: pivot_root(8) puts another in its place"
            ]);
        } else if let Some(mount) = mount {
            for (_, place) in tree.on(mount.id).iter().take(NAMED) {
                if let Some(entry) = entries.get(*place) {
                    let what =
                        text![entry.target_path(), " (", entry.fstype, ") is mounted on it; umount -R takes both"];
                    hints.push(what);
                }
            }
        }
        let held = mount.filter(|_| target != "/").map(|mount| HeldMount {
            id: u64::from(mount.id),
            device: mount.device,
            group: tree.get(mount.parent).and_then(|parent| parent.group("shared:")),
            peers: mount.group("shared:"),
            limit: NAMED - hints.len(),
        });
        wanted.extend(held);
        busy.push(Busy { target, wanted: held, hints });
    }
    let found = if wanted.is_empty() { Holders::default() } else { environment.holders(&wanted) };
    let (shell, swaps) = (environment.parent(), environment.file(OsStr::new("/proc/swaps")).unwrap_or_default());
    let mut by_mount: Vec<(u64, usize)> = Vec::with_capacity(found.holders.len());
    for (place, holder) in found.holders.iter().enumerate() {
        by_mount.push((holder.mount, place));
    }
    by_mount.sort_unstable();
    let mut all = Vec::new();
    let mut unfinished = None;
    for Busy { target, wanted, mut hints } in busy {
        if let Some(mount) = wanted {
            let first = by_mount.partition_point(|(holds, _)| *holds < mount.id);
            for (holds, place) in by_mount.iter().skip(first) {
                if *holds != mount.id {
                    break;
                }
                if let Some(holder) = found.holders.get(*place) {
                    hints.push(used_by(holder, shell));
                }
            }
            if let Some(swap) = swap_on(target, &swaps) {
                hints.push(text!["swap is on its file ", swap, ": swapoff ", swap]);
            }
            if found.is_cut_short && hints.len() < NAMED {
                unfinished.get_or_insert(target);
            } else if hints.is_empty() {
                let who = "no process that may be looked at uses it: a loop device, an NFS export or another user of the kernel may";
                hints
                    .push(text![who, "; umount -l takes it out of sight and unmounts it when nobody uses it any more"]);
            }
        }
        let (name, colon) = if targets.len() > 1 { (target.as_bytes(), ": ") } else { (&b""[..], "") };
        for hint in hints {
            all.push(text![name, colon, hint]);
        }
    }
    if let Some(target) = unfinished {
        all.push(text!["not every process was looked at, there are many; 'fuser -vm ", target, "' looks at all"]);
    }
    all
}

/// A busy mount, and what is known of it before processes are searched.
struct Busy<'a> {
    target: &'a OsString,
    /// What to look for in processes; `None` if its mount is not known, or its root is ours: every process uses that.
    wanted: Option<HeldMount>,
    hints: Vec<Hint>,
}

fn used_by(holder: &Holder, shell: Pid) -> Hint {
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

/// The first file in use for swapping that is below `target`; `swaps` is what /proc/swaps says.
fn swap_on(target: &OsStr, swaps: &[u8]) -> Option<Vec<u8>> {
    let prefix = [target.as_bytes(), b"/"].concat();
    let mut files = swaps.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').next());
    files.find(|file| file.starts_with(&prefix)).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made_up::{MadeUp, said};
    use crate::step::Step;
    use linux::Errno;

    const MOUNTS: &str = "20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n30 20 0:40 / /mnt rw - tmpfs tmpfs rw\n";

    fn environment() -> MadeUp {
        MadeUp { mounts: MOUNTS, on: vec![("/mnt", 30)], shell: Pid(7), ..MadeUp::default() }
    }

    fn holder(pid: i32, how: &str, elsewhere: bool) -> Holder {
        Holder { mount: 30, pid: Pid(pid), name: "sleep".into(), how: how.into(), elsewhere }
    }

    fn busy(environment: &MadeUp) -> String {
        said(Step::Busy(&["/mnt".into()]), Errno::EBUSY, environment)
    }

    #[test]
    fn each_user_is_named_with_what_it_uses() {
        let holders = vec![holder(7, "cwd", false), holder(8, "cwd", false), holder(9, "fd/3", true)];
        let environment = MadeUp { found: Holders { holders, is_cut_short: false }, ..environment() };
        let said = busy(&environment);
        assert!(said.starts_with("your shell's working directory is on it"), "{said}");
        assert!(said.contains("process 8 (sleep) uses it: working directory\n"), "{said}");
        assert!(said.contains("process 9 (sleep) uses it in another mount namespace: open file fd/3\n"), "{said}");
        let wanted = environment.asked.borrow().clone();
        assert_eq!(wanted, [[HeldMount { id: 30, device: (0, 40), group: Some(1), peers: None, limit: 5 }]]);
    }

    #[test]
    fn mounts_on_it_come_first_and_at_most_five_are_named() {
        let below: String =
            (0..7).map(|n| format!("{} 30 0:{} / /mnt/{n} rw - tmpfs t rw\n", 40 + n, 50 + n)).collect();
        let environment = MadeUp { more_mounts: below, ..environment() };
        let said = busy(&environment);
        assert_eq!(said.matches("is mounted on it; umount -R takes both\n").count(), 5, "{said}");
        assert_eq!(environment.asked.borrow().first().map(|asked| asked[0].limit), Some(0));
    }

    #[test]
    fn what_was_not_looked_at_is_said_and_so_is_that_nobody_was_found() {
        let cut = MadeUp { found: Holders { holders: Vec::new(), is_cut_short: true }, ..environment() };
        assert!(busy(&cut).contains("fuser -vm /mnt"));
        assert!(busy(&environment()).contains("no process that may be looked at"));
        let swaps = "Filename\tType\n/mnt/swapfile file 1 0 -2\n";
        let swap = MadeUp { files: vec![("/proc/swaps", swaps)], ..environment() };
        assert_eq!(busy(&swap), "swap is on its file /mnt/swapfile: swapoff /mnt/swapfile\n");
    }

    #[test]
    fn nobody_is_told_to_unmount_all_below_the_root() {
        let root = MadeUp { on: vec![("/", 20)], ..environment() };
        let said = said(Step::Busy(&["/".into()]), Errno::EBUSY, &root);
        assert!(said.contains("pivot_root") && !said.contains("-R"), "{said}");
        assert!(!busy(&environment()).contains("pivot_root"));
    }

    #[test]
    fn many_mounts_are_looked_for_in_one_pass_and_each_is_told_by_its_name() {
        let mounts: String = (0..40).map(|n| format!("{} 20 0:{n} / /m/{n} rw - tmpfs t rw\n", 100 + n)).collect();
        let on = (0..40).map(|n| (&*format!("/m/{n}").leak(), 100 + n)).collect();
        let used = Holder { mount: 139, pid: Pid(8), name: "sleep".into(), how: "cwd".into(), elsewhere: false };
        let found = Holders { holders: vec![used, holder(9, "cwd", false)], is_cut_short: false };
        let environment = MadeUp { more_mounts: mounts, on, found, ..environment() };
        let targets: Vec<OsString> = (0..40).map(|n| format!("/m/{n}").into()).collect();
        let said = said(Step::Busy(&targets), Errno::EBUSY, &environment);
        assert_eq!(environment.asked.borrow().len(), 1);
        assert!(said.ends_with("\n/m/39: process 8 (sleep) uses it: working directory\n"), "{said}");
        assert!(said.starts_with("/m/0: no process that may be looked at"), "{said}");
        assert_eq!(said.lines().count(), 40);
    }
}
