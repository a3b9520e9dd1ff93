//! The player itself: what differs is seen, and whatever happens the machine is left as it was.
//!
//! Needs root, sudo and target/ctrbox (scripts/build).

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::scratch::Scratch;

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

/// Plays a lesson at a terminal, and presses these keys, one at each question; the exit status, what was shown as
/// lines, and whether the terminal reads lines again.
fn at_a_terminal(file: &Path, keys: &[u8]) -> (i32, Vec<String>, bool) {
    let pty = nix::pty::openpty(None, None).unwrap();
    let end = || pty.slave.try_clone().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_transcript"))
        .arg("--step")
        .arg(file)
        .env("NO_COLOR", "1")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .unwrap();
    let (slave, mut master) = (pty.slave, fs::File::from(pty.master));
    let mut shown = String::new();
    for key in keys {
        let asked = shown.matches("q quits ").count();
        let mut bytes = [0; 4096];
        while shown.matches("q quits ").count() == asked || !shown.ends_with("q quits ") {
            let count = master.read(&mut bytes).unwrap();
            shown += &String::from_utf8_lossy(bytes.get(..count).unwrap());
        }
        master.write_all(&[*key]).unwrap();
    }
    let status = child.wait().unwrap().code().unwrap();
    let flags = nix::sys::termios::tcgetattr(&slave).unwrap().local_flags;
    let reads_lines = flags.contains(nix::sys::termios::LocalFlags::ICANON | nix::sys::termios::LocalFlags::ECHO);
    // All that is in the terminal once nobody has its other end.
    drop(slave);
    let mut rest = Vec::new();
    let _ = master.read_to_end(&mut rest);
    shown += &String::from_utf8_lossy(&rest);
    let lines = shown.lines().map(|line| line.rsplit("\x1b[K").next().unwrap().trim_end().to_string()).collect();
    (status, lines, reads_lines)
}

#[test]
fn a_lesson_says_what_a_command_is_for_what_it_calls_and_changes_and_goes_back_and_quits() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new("lesson").unwrap();
    fs::create_dir(scratch.0.join("lesson")).unwrap();
    let text = "```console\n$ echo one\none\n$ sudo unshare -m true\n$ sudo su\n# echo four\nfour\n```\n";
    fs::write(scratch.0.join("x.md"), text).unwrap();
    let about =
        "## x\n\n    echo one\n\nThe first.\n\n    sudo unshare -m true\n\nA table of mounts\nfor one command.\n";
    fs::write(scratch.0.join("lesson/x.md"), about).unwrap();
    let (status, lines, reads_lines) = at_a_terminal(&scratch.0.join("x.md"), b"\nba\n\n\nq");
    let count = |text: &str| lines.iter().filter(|line| line.trim() == text).count();
    assert_eq!(status, 0, "{lines:#?}");
    // Once at its time, once back, once again.
    assert_eq!((count("The first."), count("one"), count("(1 of 2, again)")), (3, 3, 2), "{lines:#?}");
    assert_eq!(count("A table of mounts for one command."), 2, "{lines:#?}");
    for line in ["1. get a new mount namespace", "calls    unshare(CLONE_NEWNS) = 0", "changed  nothing that lasts"] {
        assert!(lines.iter().any(|it| it.ends_with(line)), "no '{line}' in {lines:#?}");
    }
    assert!(lines.iter().any(|line| line.starts_with("    changed  user: 0, was ")), "{lines:#?}");
    assert_eq!(count("four"), 0, "{lines:#?}");
    assert_eq!(count("stopped here, as you asked; what follows was not typed"), 1, "{lines:#?}");
    assert!(lines.iter().any(|line| line.ends_with("x: 3 commands, 3 as printed, 0 differ")), "{lines:#?}");
    let long: Vec<_> = lines.iter().filter(|line| line.chars().count() > 80).collect();
    assert!(long.is_empty(), "{long:?}");
    assert!(reads_lines, "the terminal is left without lines or echo");
}

#[test]
fn what_is_not_possible_here_is_said_once_and_is_no_difference() {
    // A kernel binds the memory controller to one version at most.
    let section =
        |version| format!("## {version}\n<!-- needs: {version}-memory -->\n```console\n$ true\n$ true\n```\n");
    let text = ["```console\n$ true\n```\n", &section("cgroup1"), &section("cgroup2")].concat();
    if is_root() {
        for options in [&[][..], &["--step"]] {
            let (status, printed) = Written::new("possible", &text).result(options);
            assert_eq!(status, 0, "{printed}");
            let said = printed.matches("- not possible here, up to the next heading: ").count();
            assert!((1..=2).contains(&said) && printed.contains(" as printed, 0 differ"), "{printed}");
            assert!(printed.contains(&format!("{} commands, ", 1 + 2 * (2 - said))), "{printed}");
        }
    }
}

#[test]
fn a_transcript_that_cannot_be_read_says_where() {
    if is_root() {
        let (status, printed) = Written::new("syntax", "# x\n<!-- shapes: no -->\n").result(&[]);
        assert_eq!(status, 2, "{printed}");
        assert!(printed.contains("line 2: no rule is called 'shapes'"), "{printed}");
    }
}
