//! `CTRBOX_TRACE` against strace(1): the same calls, in the same order, with the same results.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;
use tests::sandbox::{Accounts, Side, Stage};

/// The calls that change state, and exec, fork and wait. Writes are those to files that steer the kernel.
const CALLS: &str = "unshare,setns,mount,umount2,chroot,chdir,fchdir,setuid,setgid,setgroups,setresuid,setresgid,\
                     capset,fork,wait4,execve,fsopen,fspick,fsconfig,fsmount,open_tree,move_mount,mount_setattr,\
                     pidfd_open,pidfd_getfd,mkdir,rmdir,unlink,kill,setsid,prctl,fsetxattr,setxattr,removexattr,\
                     ?setxattrat,?removexattrat";

const SCENE: &str = r#"
mount -t tmpfs run /run; mkdir /run/mount
mkdir -p rootfs/proc rootfs/etc view there
cp "${ORDINARY%% *}" rootfs/state; cp /etc/passwd /etc/group rootfs/etc/
cp rootfs/state one; cp rootfs/state two; setcap cap_kill=p two
truncate -s 2M image; mkfs.ext4 -q image
printf 'tmpfs %s tmpfs size=64k 0 0\n' $PWD/view >fstab
target=$($TARGET -u -m -p -f)
"#;

/// What is done before, and the command line.
const LINES: [(&str, &str); 32] = [
    ("", "chroot rootfs /state state"),
    ("", "chroot --userspec=ordinary:extra --groups=adm rootfs /state state"),
    ("", "chroot nowhere"),
    ("", "chroot rootfs /missing"),
    ("", "unshare -m -u -i -n -C rootfs/state state"),
    ("", "unshare -p -f --mount-proc=$PWD/rootfs/proc chroot rootfs /state state"),
    ("", "unshare -r -m rootfs/state state"),
    ("", "unshare --map-users=0:1000:5 --map-groups=0:1000:5 -S 0 -G 0 rootfs/state state"),
    ("touch net", "unshare --net=net rootfs/state state"),
    ("", "unshare -pf --kill-child -R rootfs -w /proc -G 5 -S 5 /state state"),
    ("", "unshare -T --boottime 100 -f rootfs/state state"),
    ("", "unshare -U -c --keep-caps rootfs/state state"),
    ("", "nsenter -t $target -u -m rootfs/state state"),
    ("", "nsenter -t $target -p rootfs/state state"),
    ("", "nsenter -t $target -u -r$PWD/rootfs -w$PWD/there -S 5 -G 6 /state state"),
    ("", "nsenter --uts=/proc/$target/ns/uts rootfs/state state"),
    ("", "setcap cap_chown=ep one"),
    ("", "setcap -r two"),
    ("", "setcap cap_chown=ep rootfs"),
    ("", "getcap one two"),
    ("", "capsh --drop=cap_chown,cap_sys_admin --chroot=rootfs --shell=/state -- state"),
    ("", "capsh --mode=NOPRIV --shell=rootfs/state -- state"),
    ("", "capsh --keep=1 --user=ordinary --inh=cap_kill --addamb=cap_kill --shell=rootfs/state -- state"),
    ("", "capsh --secbits=0x2f --no-new-privs --shell=rootfs/state -+ state"),
    ("", "mount -t tmpfs -o size=64k,noexec,X-mount.mkdir tmpfs made"),
    ("", "mount --bind -o ro rootfs view"),
    ("mount -t tmpfs tmpfs view", "mount -o remount,ro,noexec view"),
    ("mount -t tmpfs tmpfs view", "mount --make-rshared view"),
    ("mount -t tmpfs tmpfs view", "mount --move view there"),
    ("", "mount -a -T fstab"),
    ("mount -t tmpfs tmpfs view", "umount view"),
    ("mount -t tmpfs tmpfs view; mkdir view/in; mount -t tmpfs tmpfs view/in", "umount -R view"),
];

/// What strace saw of ctrbox's own processes: for each, its calls by name, and what they returned.
fn seen_by_strace(log: &str) -> BTreeMap<String, Vec<String>> {
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut elsewhere: Vec<String> = Vec::new();
    let mut begun: BTreeMap<String, String> = BTreeMap::new();
    // The first line is the shell's exec of the command itself.
    for line in log.lines().skip(1) {
        let (pid, call) = line.split_once(' ').unwrap();
        let mut call = call.trim().to_string();
        if let Some(start) = call.strip_suffix("<unfinished ...>") {
            begun.insert(pid.to_string(), start.to_string());
            continue;
        }
        if let Some((_, rest)) = call.split_once("resumed>").filter(|_| call.starts_with("<... ")) {
            call = begun.remove(pid).unwrap_or_default() + rest;
        }
        let Some((name, rest)) = call.split_once('(') else { continue };
        let Some((arguments, result)) = rest.rsplit_once(" = ") else { continue };
        // Asking changes nothing; calls that strace has no name for yet are questions, too.
        let asks =
            ["PR_CAPBSET_READ", "PR_CAP_AMBIENT_IS_SET", "PR_GET_"].iter().any(|option| arguments.contains(option));
        if asks || name.starts_with("syscall_") || result == "?" || elsewhere.iter().any(|other| other == pid) {
            continue;
        }
        if name == "execve" && result == "0" && !arguments.contains("/ours/") {
            elsewhere.push(pid.to_string());
        }
        calls.entry(pid.to_string()).or_default().push(shown(name, result));
    }
    calls
}

/// What the trace says.
fn traced(log: &str) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for line in log.lines() {
        let (name, rest) = line.split_once('(').unwrap_or_else(|| panic!("not a call: {line}"));
        if matches!(name, "rt_sigprocmask" | "rt_sigaction" | "write" | "ioctl" | "open_by_handle_at" | "open") {
            continue;
        }
        match rest.rsplit_once(") = ") {
            // An exec is written before it is made, and once more if it fails.
            Some((_, result)) if name == "execve" => {
                let made = calls.iter().rposition(|call| call == "execve 0").expect("an exec before its failure");
                calls[made] = shown(name, result);
            }
            Some((_, result)) => calls.push(shown(name, result)),
            None => calls.push(format!("{name} 0")),
        }
    }
    calls
}

fn shown(name: &str, result: &str) -> String {
    let name = match name {
        "wait4" => "waitpid",
        "clone" | "vfork" => "fork",
        other => other,
    };
    let words: Vec<&str> = result.split_whitespace().collect();
    match words.as_slice() {
        ["-1", errno, ..] => format!("{name} {errno}"),
        [number, ..] => format!("{name} {number}"),
        [] => name.to_string(),
    }
}

/// Whether all of `part` is in `whole`, in this order.
fn is_in_order(part: &[String], whole: &[String]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|call| rest.any(|other| other == call))
}

#[test]
fn the_trace_tells_the_calls_that_strace_sees_in_their_order_with_their_results() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (before, command) in LINES {
        let script = format!(
            "{SCENE}\n{before}\nCTRBOX_TRACE=$PWD/trace strace -f -qq -o log -s 200 -e trace={CALLS} {command} >/dev/null 2>&1 </dev/null\n\
             cat log; echo ----; cat trace"
        );
        let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        // The sandbox takes the directory of the commands out of what is printed.
        let Some((log, trace)) = run.stdout.split_once("----\n") else { panic!("{command}: {run:?}") };
        let log = log.replace("execve(\"chroot\"", "execve(\"/ours/chroot\"");
        let (strace, trace_calls) = (seen_by_strace(&log), traced(trace));
        let mut all: Vec<String> = strace.values().flatten().cloned().collect();
        let mut told = trace_calls.clone();
        all.sort();
        told.sort();
        if all != told || !strace.values().all(|calls| is_in_order(calls, &trace_calls)) {
            wrong.push(format!("{command}:\nstrace: {strace:?}\ntrace: {trace_calls:?}"));
        }
        count += told.len();
    }
    assert!(count > 3 * LINES.len(), "only {count} calls were compared");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), LINES.len(), wrong.join("\n\n"));
}
