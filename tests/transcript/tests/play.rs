//! The player itself: what differs is seen, and whatever happens the machine is left as it was.
//!
//! Needs root, sudo and target/ctrbox (scripts/build).

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A transcript in a file of its own, removed when dropped.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, text: &str) -> Written {
        let path = std::env::temp_dir().join(format!("ctrbox-{name}-{}.md", std::process::id()));
        fs::write(&path, text).unwrap();
        Written(path)
    }

    fn play(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transcript"));
        command
            .args(options)
            .arg(&self.0)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdin(Stdio::null());
        command
    }

    /// The exit status and what was printed.
    fn result(&self, options: &[&str]) -> (i32, String) {
        let output = self.play(options).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), printed)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: not root");
    }
    root
}

#[test]
fn a_wrong_output_is_a_difference_and_the_play_goes_on() {
    let text = "```console\n$ echo one\ntwo\n$ echo three\nthree\n$\n```\n";
    if is_root() {
        let (status, printed) = Written::new("output", text).result(&[]);
        assert_eq!(status, 1, "{printed}");
        assert!(printed.contains(": 2 commands, 1 as printed, 1 differ"), "{printed}");
    }
}

#[test]
fn a_wrong_prompt_ends_the_play() {
    let text = "```console\n$ echo one\none\n# echo two\ntwo\n```\n";
    if is_root() {
        let (status, printed) = Written::new("prompt", text).result(&[]);
        assert_eq!(status, 1, "{printed}");
        assert!(printed.contains("the prompt is '$', and the transcript shows '#'"), "{printed}");
    }
}

#[test]
fn the_hosts_own_commands_cannot_pass_for_ours() {
    // Named by their paths they are found, but covered.
    let text = "```console\n$ /usr/bin/unshare --version\nunshare: the machine's own, not ctrbox\n$\n```\n";
    if is_root() {
        let (status, printed) = Written::new("covered", text).result(&[]);
        assert_eq!(status, 0, "{printed}");
    }
    // A name that something else answers to is not an applet that ran.
    let text = "```console\n$ chroot() { :; }\n$ chroot rootfs\n$\n```\n";
    if is_root() {
        let (status, printed) = Written::new("function", text).result(&[]);
        assert_eq!(status, 1, "{printed}");
        assert!(printed.contains("ctrbox was not what ran as chroot"), "{printed}");
    }
}

/// What a play could change, as text.
fn machine() -> String {
    let mut state = fs::read_to_string("/proc/self/mountinfo").unwrap();
    for file in ["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/sudoers", "/proc/sys/kernel/hostname"] {
        state += &fs::read_to_string(file).unwrap();
    }
    for directory in ["/home", "/root", "/run", "/usr/local/sbin", "/usr/local/bin"] {
        let mut names: Vec<_> =
            fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        state += &format!("{directory}: {names:?}\n");
    }
    state
}

#[test]
fn a_signal_in_the_middle_leaves_nothing_behind() {
    if !is_root() {
        return;
    }
    // The cgroup is the one thing that does not go with the namespaces.
    let text = "```console\n$ sudo su\n# for memory in /sys/fs/cgroup/memory /sys/fs/cgroup/unified /sys/fs/cgroup; do \
                mkdir $memory/demo && echo $$ > $memory/demo/cgroup.procs && break; done\n# sleep 1000\n```\n";
    let before = machine();
    for signal in [nix::sys::signal::SIGINT, nix::sys::signal::SIGTERM] {
        let written = Written::new("signal", text);
        let mut child = written.play(&[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "# sleep 1000"));
        let groups = || {
            let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
            let cgroups: Vec<String> =
                mounts.lines().filter(|line| line.contains(" cgroup")).map(str::to_string).collect();
            cgroups.iter().filter(|line| Path::new(line.split(' ').nth(1).unwrap()).join("demo").exists()).count()
        };
        assert!(groups() > 0);
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal as i32));
        assert_eq!(groups(), 0);
    }
    assert_eq!(before, machine());
}

#[test]
fn a_transcript_that_cannot_be_read_says_where() {
    if is_root() {
        let (status, printed) = Written::new("syntax", "# x\n<!-- shapes: no -->\n").result(&[]);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains("line 2: no rule is called 'shapes'"), "{printed}");
    }
}
