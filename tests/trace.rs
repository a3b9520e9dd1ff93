//! `CTRBOX_TRACE` against strace(1): the same calls, in the same order, with the same results.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::needs;
use tests::sandbox::{Accounts, Side, Stage};

/// The calls that change state, and exec, fork and wait. Writes are those to files that steer the kernel.
const CALLS: &str = "unshare,setns,mount,umount2,chroot,chdir,fchdir,setuid,setgid,setgroups,setresuid,setresgid,\
                     capset,clone,fork,wait4,execve,fsopen,fspick,fsconfig,fsmount,open_tree,move_mount,mount_setattr,\
                     pidfd_open,pidfd_getfd,mkdir,mkdirat,rmdir,unlinkat,unlink,kill,setsid,prctl,fsetxattr,setxattr,removexattr,\
                     ?setxattrat,?removexattrat,pivot_root,write,ioctl,fchownat,fchmodat,renameat,prlimit64,\
                     open_by_handle_at,openat,fchmod,fchown,utimensat,unlinkat,\
                     landlock_create_ruleset,landlock_add_rule,landlock_restrict_self";

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
const LINES: &[(&str, &str)] = &[
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
    ("", "mount -t ext4 -o X-mount.owner=5,X-mount.mode=700 image view"),
    ("mount image view", "umount -d view"),
    ("mount -t tmpfs tmpfs view; exec 3>view/busy", "umount view"),
    ("", "mount -t tmpfs -o x-name,uid=5 tmpfs view"),
    ("mount -t tmpfs -o x-name tmpfs view", "umount view"),
    ("", "nsenter -t $target -u -e -c -S follow -G follow rootfs/state state"),
    ("", "unshare -r --propagation slave -m -f --forward-signals rootfs/state state"),
    ("", "unshare -f bash -c 'kill -TERM $$'"),
    ("", "unshare -pf --mount-proc unshare -f setpriv --nnp chroot rootfs /state state"),
    ("", "nsenter -t $target -p -F chroot rootfs /state state"),
    ("", "nsenter -t $target -p unshare -f chroot rootfs /state state"),
    ("", "setpriv --reuid=5 --regid=6 --groups=7 --inh-caps=-all --bounding-set=-chown,-kill rootfs/state state"),
    ("", "setpriv --no-new-privs --securebits=+noroot --pdeathsig=TERM rootfs/state state"),
    ("", "setpriv --reuid=5 --clear-groups --inh-caps=+kill --ambient-caps=+kill rootfs/state state"),
    (
        "",
        "setpriv --landlock-access=fs:truncate,make-dir --landlock-rule=path-beneath::rootfs --ptracer=any rootfs/state state",
    ),
    ("", "setpriv --landlock-access=fs --landlock-rule=path-beneath::/ rootfs/state state"),
    ("printf '\\x06\\0\\0\\0\\0\\0\\xff\\x7f' >filter", "setpriv --seccomp-filter=filter rootfs/state state"),
    ("", "setpriv --dump"),
    ("", "mountpoint /proc"),
    ("", "getpcaps 1"),
    ("", "getcap -r rootfs"),
    ("mount -t tmpfs tmpfs view; mkdir view/old", "pivot_root rootfs view/old"),
    // In the namespace of the line alone: what is traced is written outside of it.
    ("mount -t tmpfs tmpfs view; mkdir view/proc view/dev; cp rootfs/state view", "switch_root view /state state"),
    ("mount -t tmpfs tmpfs view; mkdir view/old", "pivot_root view view/old"),
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
        let asks = ["PR_CAPBSET_READ", "PR_CAP_AMBIENT_IS_SET", "PR_GET_", "LOOP_GET_", "TCGETS", "NS_GET_NSTYPE"]
            .iter()
            .any(|option| arguments.contains(option))
            // What is written to other files than the kernel's is no step.
            || name == "write" && !["</proc/", "</sys/", "</run/"].iter().any(|place| arguments.contains(place))
            || name == "openat" && (!arguments.contains("O_CREAT") || arguments.contains("/trace\""))
            || name == "prlimit64" && arguments.contains(", NULL, ");
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

/// A line without the number of its process, which stands there once there is more than one.
fn without_pid(line: &str) -> &str {
    line.strip_prefix("[pid ").and_then(|rest| rest.split_once("] ")).map_or(line, |(_, call)| call)
}

/// What the trace says.
fn traced(log: &str) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for line in log.lines().map(without_pid) {
        let (name, rest) = line.split_once('(').unwrap_or_else(|| panic!("not a call: {line}"));
        // The C library makes some of its own around a fork.
        if matches!(name, "rt_sigprocmask" | "rt_sigaction") {
            continue;
        }
        match rest.rsplit_once(") = ") {
            // The directories of PATH that lack a program are in one line.
            Some((_, result)) if name == "execve" && result.contains(") in \"") => {
                let directories = result.rsplit_once(" in ").map_or(0, |(_, list)| list.split(':').count());
                calls.extend(vec![shown(name, result); directories]);
            }
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
    let words: Vec<&str> = result.split(|end: char| end.is_whitespace() || end == '<').collect();
    match words.as_slice() {
        ["-1", errno, ..] => format!("{name} {errno}"),
        [number, ..] => format!("{name} {number}"),
        [] => name.to_string(),
    }
}

/// The first line that breaks a rule of the trace: each process's lines have its number from the first fork on, whatever
/// program it becomes, and none comes before its parent told of its fork.
fn misplaced(log: &str) -> Option<&str> {
    let mut known: Vec<&str> = Vec::new();
    for line in log.lines() {
        let number = line.strip_prefix("[pid ").and_then(|rest| rest.split_once(']')).map(|(number, _)| number);
        match (number, line.split_once("fork() = ")) {
            (Some(number), Some((_, child))) => known.extend([number, child]),
            (Some(number), None) if known.contains(&number) => {}
            // Before the first fork, or of one that failed.
            (None, _) if known.is_empty() => {}
            _ => return Some(line),
        }
    }
    None
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
        let within = if command.contains("_root") { "unshare -m" } else { "" };
        let script = format!(
            "{SCENE}\n{before}\n{within} env CTRBOX_TRACE=$PWD/trace strace -f -qq -y -o $PWD/log -s 200 -e trace={CALLS} {command} >/dev/null 2>&1 </dev/null\n\
             cat log; echo ----; cat trace"
        );
        let _turn = needs::turn([before, command].iter().any(|part| part.contains("image")));
        let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
        // The sandbox takes the directory of the commands out of what is printed.
        let Some((log, trace)) = run.stdout.split_once("----\n") else { panic!("{command}: {run:?}") };
        let ours =
            |log: String, name: &str| log.replace(&format!("execve(\"{name}\""), &format!("execve(\"/ours/{name}\""));
        let log = ["chroot", "setpriv", "unshare"].into_iter().fold(log.to_string(), ours);
        let (strace, trace_calls) = (seen_by_strace(&log), traced(trace));
        let mut all: Vec<String> = strace.values().flatten().cloned().collect();
        let mut told = trace_calls.clone();
        all.sort();
        told.sort();
        if all != told || !strace.values().all(|calls| is_in_order(calls, &trace_calls)) {
            wrong.push(format!("{command}:\nstrace: {strace:?}\ntrace: {trace_calls:?}"));
        }
        if let Some(line) = misplaced(trace) {
            wrong.push(format!("{command}: the process of '{line}' in\n{trace}"));
        }
        count += told.len();
    }
    assert!(count > 3 * LINES.len(), "only {count} calls were compared");
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), LINES.len(), wrong.join("\n\n"));
}

/// `probe` tells of the program's ids, capabilities, signals and descriptors.
const FORMS: [&str; 9] = [
    "unshare -m -u sh probe",
    "unshare -pf --mount-proc --kill-child sh probe",
    "chroot --userspec=5:6 / sh $PWD/probe",
    "chroot nowhere true",
    "nsenter -t $target -u sh probe",
    "setpriv --reuid=5 --clear-groups sh probe",
    "capsh --drop=cap_kill --shell=/bin/sh -+ probe",
    "unshare -uf sh -c 'kill -KILL $$'",
    "setcap - two <probe",
];

#[test]
fn a_trace_changes_neither_status_nor_output_nor_descriptors() {
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap();
    let forms: String = FORMS
        .iter()
        .map(|form| format!("try {}\n", form.replace('$', "\\$").replace('\'', "\\'").replace('<', "\\<")))
        .collect();
    let script = format!(
        r#"{SCENE}
cat >probe <<'END'
grep -E '^(Uid|Gid|Groups|Cap|Sig[PBIC]|NoNew)' /proc/self/status; ls /proc/self/fd
END
mkfifo fifo full
exec 8<>full
# A pipe without a reader.
exec 9<>fifo 7>fifo 9<&-
dd if=/dev/zero of=full bs=4096 count=16 oflag=nonblock 2>/dev/null
# What a command does with the words before it: nothing, or other surroundings.
run() {{
    local status=0
    eval "$with $1" >out 2>err || status=$?
    # The trace, and what the shell says of a signal.
    sed -i -e '/^\(\[pid [0-9]*\] \)\?[a-z_0-9]*(.*/d' -e '/Killed/d' err
    echo "== $1: $status"; cat out err
}}
closed() {{ case $1 in 0) shift; "$@" <&- ;; 1) shift; "$@" >&- ;; 2) shift; "$@" 2>&- ;; esac; }}
unread() {{ "$@" 2>&7; }}
try() {{
    form=$*
    with= CTRBOX_TRACE= run "$*" >want
    for trace in 1 "$PWD/file" /no/such/file /dev/full "$PWD" "$PWD/fifo" "$PWD/full" /dev/null; do
        export CTRBOX_TRACE=$trace
        with= run "$*" >got; diff want got || echo "WRONG $trace"
    done
    for descriptor in 0 1 2; do
        unset CTRBOX_TRACE; with="closed $descriptor" run "$*" >want
        for trace in 1 "$PWD/file"; do
            export CTRBOX_TRACE=$trace
            with="closed $descriptor" run "$*" >got; diff want got || echo "WRONG $trace without $descriptor"
        done
    done
    unset CTRBOX_TRACE; with=unread run "$*" >want
    export CTRBOX_TRACE=1; with=unread run "$*" >got; diff want got || echo "WRONG unread"
    unset CTRBOX_TRACE
}}
{forms}
[ -s file ] || echo "WRONG: nothing was traced"
"#
    );
    let run = stage.run(Side::Ours, Accounts::Ordinary, &script).unwrap();
    assert!(run.status == 0 && run.stdout.is_empty(), "{run:#?}");
}

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
    ("", "lsns"),
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
    ("image view", "explain does not look whether the source is a file, which takes a loop device"),
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
    assert_eq!(applets.len(), 14, "{applets:?}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// One command line of each applet, which would change something if it were carried out.
const EXPLAINED: [&str; 15] = [
    "capsh --drop=all --caps=all=p --uid=5 --chroot=rootfs -- -c true",
    "chroot --userspec=5:6 rootfs mount --move a b",
    "getcap -r .",
    "getpcaps --iab 1",
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
