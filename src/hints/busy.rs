//! Why a mount is busy: mounts on it, the processes that use it, and what /proc/swaps lists.

use crate::environment::Environment;
use crate::hint::{Hint, NAMED};
use cli::columns::{Column, Listing, Shape, Style};
use cli::{Output, text};
use linux::mount::holders::{HeldMount, Holder, Holders};
use linux::mount::mountinfo::Entry;
use linux::mount::table::Tree;
use linux::process::Pid;
use std::cmp::Reverse;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// umount2(2) of the mounts at `targets`, which were busy. All are looked for in one pass over the table of mounts and
/// the processes. With several, each hint begins with its target.
pub(crate) fn unmount(targets: &[OsString], environment: &dyn Environment) -> Vec<Hint> {
    let Some(table) = environment.mounts() else { return Vec::new() };
    let entries: Vec<Entry<'_>> = table.entries().collect();
    let tree = Tree::new(&entries);
    let (mut busy, mut wanted) = (Vec::new(), Vec::new());
    for target in targets {
        let (mut held, mut below) = (None, Vec::new());
        if target != "/"
            && let Some(found) = environment.mount_of(target)
            && let Some(mount) = u32::try_from(found.id).ok().and_then(|id| tree.get(id))
        {
            below = draw(&tree, &entries, mount);
            held = Some(HeldMount {
                id: u64::from(mount.id),
                device: mount.device,
                group: tree.get(mount.parent).and_then(|parent| parent.group("shared:")),
                peers: mount.group("shared:"),
                limit: NAMED - tree.on(mount.id).len().min(NAMED),
            });
        }
        wanted.extend(held);
        busy.push(Busy { target, wanted: held, below });
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
    for Busy { target, wanted, below } in busy {
        let (name, colon) = if targets.len() > 1 { (target.as_bytes(), ": ") } else { (&b""[..], "") };
        let mut hints = Vec::new();
        if target == "/" {
            hints.push(text![
                "the root of a mount namespace stays while anything runs in it: pivot_root(8) puts another in its place"
            ]);
        }
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
            if found.is_cut_short && hints.len() < mount.limit {
                unfinished.get_or_insert(target);
            } else if hints.is_empty() && below.is_empty() {
                let who = "no process that may be looked at uses it: a loop device, an NFS export or another user of the kernel may";
                hints
                    .push(text![who, "; umount -l takes it out of sight and unmounts it when nobody uses it any more"]);
            }
        }
        if !below.is_empty() {
            all.push(text![name, colon, "what is mounted below keeps it busy; umount -R takes all of it:"]);
            all.extend(below);
        }
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
    /// The mounts below it, drawn.
    below: Vec<Hint>,
}

/// The tree of a mount and at most [`NAMED`] mounts below it, as findmnt(8) draws it; nothing if none is below it.
fn draw(tree: &Tree<'_, '_>, entries: &[Entry<'_>], mount: &Entry<'_>) -> Vec<Hint> {
    let (mut cells, mut parents) = (Vec::new(), Vec::new());
    let mut waiting = vec![(mount, None)];
    while parents.len() <= NAMED
        && let Some((entry, parent)) = waiting.pop()
    {
        let first = waiting.len();
        let children = tree.on(entry.id).iter().filter_map(|(_, place)| entries.get(*place));
        waiting.extend(children.map(|child| (child, Some(parents.len()))));
        waiting.get_mut(first..).unwrap_or_default().sort_unstable_by_key(|(child, _)| Reverse(child.id));
        parents.push(parent);
        cells.push(Some(entry.target_path().into_vec()));
        cells.push(Some(entry.source_text().into_vec()));
        cells.push(Some(entry.fstype_text().as_bytes().to_vec()));
    }
    if parents.len() < 2 {
        return Vec::new();
    }
    let columns = ["TARGET", "SOURCE", "FSTYPE"].map(|name| Column::new(name, Shape::Left, 0)).to_vec();
    let listing = Listing { name: "", columns, cells, parents, tree: "TARGET" };
    let text = Output::text(&mut |output| listing.print(Style::default(), output));
    let mut lines: Vec<Hint> = text.trim_ascii_end().split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if !waiting.is_empty() {
        lines.push(text!["and more: findmnt -R ", mount.target_path()]);
    }
    lines
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

    /// The tree as it is drawn where the locale is not UTF-8.
    fn ascii(text: &str) -> String {
        ["├─|-", "└─`-", "│ | "].iter().fold(text.to_string(), |text, pair| {
            let (from, to) = pair.split_at(pair.len() - 2);
            text.replace(from, to)
        })
    }

    #[test]
    fn the_mounts_below_come_first_as_a_tree_of_at_most_five() {
        let below = "40 30 0:50 / /mnt/a rw - tmpfs t rw\n42 40 0:51 / /mnt/a/b\\040c rw - ext4 /dev/b\\134 rw\n";
        let environment =
            MadeUp { more_mounts: [below, "41 30 0:52 / /mnt rw - ramfs r rw\n"].concat(), ..environment() };
        let lines = [
            "what is mounted below keeps it busy; umount -R takes all of it:",
            "TARGET         SOURCE  FSTYPE",
            "/mnt           tmpfs   tmpfs",
            "|-/mnt/a       t       tmpfs",
            "| `-/mnt/a/b c /dev/b\\ ext4",
            "`-/mnt         r       ramfs",
        ];
        assert_eq!(ascii(&busy(&environment)).lines().collect::<Vec<_>>(), lines);
        assert_eq!(environment.asked.borrow().first().map(|asked| asked[0].limit), Some(3));
        let below = (0..7).map(|n| format!("{} 30 0:{} / /mnt/{n} rw - tmpfs t rw\n", 40 + n, 50 + n)).collect();
        let environment = MadeUp { more_mounts: below, ..self::environment() };
        let said = busy(&environment);
        assert_eq!(said.matches(" t ").count(), 5, "{said}");
        assert!(ascii(&said).ends_with("\n`-/mnt/4 t      tmpfs\nand more: findmnt -R /mnt\n"), "{said}");
        assert_eq!(environment.asked.borrow().first().map(|asked| asked[0].limit), Some(0));
    }

    #[test]
    fn a_table_that_goes_in_a_circle_is_drawn_to_its_bound() {
        let circle = "40 41 0:50 / /mnt/a rw - tmpfs t rw\n41 40 0:51 / /mnt/a/b rw - tmpfs t rw\n";
        let environment = MadeUp { more_mounts: circle.to_string(), on: vec![("/mnt", 40)], ..environment() };
        assert_eq!(busy(&environment).matches("tmpfs\n").count(), 6);
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
