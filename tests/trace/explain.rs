//! `ctrbox explain` against the trace: what is explained is what is done.

use crate::lines::{CALLS, LINES, SCENE, is_in_order, without_pid};
use std::collections::BTreeSet;
use std::path::Path;
use tests::needs;
use tests::sandbox::{Accounts, Side, Stage};

/// The calls that a trace shows.
const TRACED: &[&str] = &[
    "unshare",
    "setns",
    "mount",
    "umount2",
    "chroot",
    "chdir",
    "fchdir",
    "setuid",
    "setgid",
    "setgroups",
    "setresuid",
    "setresgid",
    "capset",
    "fork",
    "waitpid",
    "execve",
    "fsopen",
    "fspick",
    "fsconfig",
    "fsmount",
    "open_tree",
    "move_mount",
    "mount_setattr",
    "pidfd_open",
    "mkdir",
    "prctl",
    "setxattr",
    "removexattr",
    "pivot_root",
    "write",
    "ioctl",
    "fchownat",
    "fchmodat",
    "open_by_handle_at",
    "landlock_create_ruleset",
    "landlock_add_rule",
    "landlock_restrict_self",
];

/// More command lines than [`LINES`] that end well.
const TOLD: &[(&str, &str)] = &[
    ("", "unshare -m rootfs/state state"),
    ("", "unshare -p -f rootfs/state state"),
    ("", "unshare -r rootfs/state state"),
    ("", "unshare -f --map-users 0:100000:9 --map-groups 0:100000:9 -S 0 -G 0 rootfs/state state"),
    ("", "unshare -r -f --owner 7:7 rootfs/state state"),
    ("", "unshare -c -m rootfs/state state"),
    ("", "unshare -m --propagation unchanged rootfs/state state"),
    ("", "unshare -R rootfs /state state"),
    ("", "unshare -m -w rootfs ./state state"),
    ("", "nsenter -t $target -a rootfs/state state"),
    ("", "nsenter -t $target -m -u -n -i rootfs/state state"),
    ("", "nsenter -t $target -p -F rootfs/state state"),
    ("", "nsenter -t $target -U --preserve-credentials rootfs/state state"),
    ("", "chroot --userspec=+5:+6 rootfs /state state"),
    ("", "chroot --groups=+7 rootfs /state state"),
    ("", "setpriv --regid=6 --keep-groups rootfs/state state"),
    ("", "setpriv --bounding-set=-all rootfs/state state"),
    ("", "mount -t tmpfs tmpfs view"),
    ("", "mount -t tmpfs -o ro,nosuid tmpfs view"),
    ("", "mount --rbind rootfs view"),
    ("", "mount --bind rootfs view"),
    ("", "mount -t tmpfs -o X-mount.owner=5,X-mount.mode=700 tmpfs view"),
    ("", "mount -t tmpfs -o X-mount.owner=5,x-name tmpfs view"),
    ("mount -t tmpfs tmpfs view", "mount --make-private view"),
    ("mount -t tmpfs tmpfs view", "mount -o remount,bind,ro view"),
    ("mount -t tmpfs tmpfs view", "umount -l view"),
    ("mount -t tmpfs tmpfs view", "umount -i view"),
    ("", "setcap cap_kill=p one"),
    ("", "setcap cap_kill=p one -r two"),
    ("", "mount image view"),
    ("", "lsns"),
    ("", "findmnt view"),
    ("", "captree --depth=1 1"),
    ("", "losetup -l -j rootfs/state"),
    ("", "lsns -t uts -p $target"),
    ("", "capsh --drop=cap_chown -- -c true"),
    ("", "capsh --caps=cap_kill=p -- -c true"),
    ("", "capsh --chroot=rootfs --shell=/state -- state"),
];

/// What is left out, and why.
const NOT_TOLD: &[(&str, &str)] = &[
    ("nowhere", "fails"),
    ("/missing", "fails"),
    ("setcap cap_chown=ep rootfs", "fails"),
    ("mount -a", "explain does not read fstab"),
    ("umount -d", "explain does not look whether a loop device is there"),
    ("-S follow", "explain does not look whose ids are followed"),
    ("--dump", "asks only"),
];

/// The names of the calls in a text, such as `setgroups(), setgid(5)`: what stands before a parenthesis.
fn call_names(text: &str) -> Vec<String> {
    let name = regex::Regex::new(r"\b([a-z][a-z_0-9]+)\(").unwrap();
    name.captures_iter(text).map(|found| found[1].to_string()).collect()
}

#[test]
fn what_is_explained_is_what_is_done_in_that_order() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let (mut wrong, mut count, mut applets) = (Vec::new(), 0, BTreeSet::new());
    for (before, command) in LINES.iter().chain(TOLD) {
        if NOT_TOLD.iter().any(|(command_part, _)| command.contains(command_part)) {
            continue;
        }
        let within = if command.contains("_root") { "unshare -m" } else { "" };
        let script = format!(
            "{SCENE}\n{before}\nctrbox explain {command} </dev/null | sed -e 1d -e '2,$''{{/^[a-z_]*:$/,$d}}'; echo ----\n\
             {within} env CTRBOX_TRACE=$PWD/trace {command} >/dev/null 2>&1 </dev/null; cat trace"
        );
        let _turn = needs::turn([before, command].iter().any(|part| part.contains("image")));
        let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        let Some((explained, trace)) = run.stdout.split_once("----\n") else { panic!("{command}: {run:?}") };
        // Where a step fails, nothing is done after it. What parent and child do has no order between them.
        if trace.contains(" = -1 E") {
            continue;
        }
        let between = ["fork", "waitpid", "pidfd_open"];
        let done: Vec<String> =
            trace.lines().filter_map(|line| Some(without_pid(line).split_once('(')?.0.to_string())).collect();
        let is_told = |name: &&String| TRACED.contains(&name.as_str()) && !between.contains(&name.as_str());
        let mut done: Vec<String> = done.iter().filter(is_told).cloned().collect();
        // A program that is ours goes on with its own story.
        done.truncate(done.iter().position(|name| name == "execve").map_or(done.len(), |at| at + 1));
        // Words and call of each step in turn; what has a condition may be left out.
        let lines: Vec<&str> = explained.lines().collect();
        let mut certain = Vec::new();
        let mut all = Vec::new();
        for step in lines.chunks(2) {
            let names: Vec<String> = call_names(step[1]).iter().filter(is_told).cloned().collect();
            all.extend(names.clone());
            if !step[0].contains(" if ") {
                certain.extend(names);
            }
        }
        count += 1;
        applets.insert(command.split(' ').next().unwrap());
        if !is_in_order(&certain, &done) || done.iter().any(|name| !all.contains(name)) {
            wrong.push(format!("{command}:\n  explain: {certain:?}\n  done:    {done:?}"));
        }
    }
    assert!(count >= 60, "only {count} were compared");
    assert_eq!(Vec::from_iter(applets), tests::sandbox::APPLETS);
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// One command line of each applet, which would change something if it were carried out.
const EXPLAINED: [&str; 20] = [
    "blkid image",
    "capsh --drop=all --caps=all=p --uid=5 --chroot=rootfs -- -c true",
    "captree --depth=1 1",
    "chroot --userspec=5:6 rootfs mount --move a b",
    "findfs LABEL=x",
    "findmnt --poll view",
    "getcap -r .",
    "getpcaps --iab 1",
    "losetup -L -f --show image",
    "lsns --tree",
    "mount -t tmpfs -o X-mount.mkdir,x-name tmpfs made",
    "mount -o loop,X-mount.owner=5 image view",
    "mountpoint /",
    "nsenter -t $target -a umount -lR view",
    "pivot_root view view/old",
    "setcap cap_kill=ep one -r two",
    "setpriv --reuid=5 --clear-groups --no-new-privs unshare -r true",
    "switch_root view /state",
    "umount -a",
    "unshare --map-users=0:1000:5 --uts=one -pf --mount-proc --kill-child true",
];

#[test]
fn explaining_makes_no_call_that_changes_anything() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    for applet in tests::sandbox::APPLETS {
        assert!(EXPLAINED.iter().any(|line| line.split(' ').next() == Some(applet)), "{applet} is not explained");
    }
    for command in EXPLAINED {
        // What opens for writing or makes a file counts, too; the first line is the command's own start.
        let script = format!(
            "{SCENE}\nstrace -f -qq -y -o log -e trace={CALLS},openat,unlinkat ctrbox explain {command} >out || echo WRONG $?\n\
             sed 1d log | grep -v -e O_RDONLY -e O_PATH -e 'write(1<' -e PR_CAPBSET_READ\ngrep -c '^ *1\\. ' out"
        );
        let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        assert!(run.stdout.trim().parse::<usize>().is_ok_and(|stories| stories > 0), "{command}: {run:#?}");
    }
}
