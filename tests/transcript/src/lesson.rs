//! What `--step` says around a command: what it is for, what it will do, and what it has changed.
//!
//! The words are in `tests/transcripts/lesson/`, beside the transcripts; what changed is read from /proc, of the
//! process that a terminal's prompt belongs to. No verdict depends on any of it.

use crate::evidence::applets_named;
use crate::machine::capability_names;
use crate::sandbox;
use applets::APPLETS;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a line may be long, with its indentation.
const COLUMNS: usize = 80;

/// What stands in a lesson: commands as the transcript has them, and what each is for, in the same order.
pub struct Lesson {
    entries: Vec<(String, String)>,
    next: usize,
}

impl Lesson {
    /// Indented lines are a command, and the paragraph below is its text.
    pub fn parse(text: &str) -> Lesson {
        let mut entries: Vec<(String, String)> = Vec::new();
        let mut in_command = false;
        for line in text.lines() {
            match (line.strip_prefix("    "), entries.last_mut()) {
                (Some(more), Some((command, _))) if in_command => command.extend(["\n", more]),
                (Some(command), _) => {
                    entries.push((command.to_string(), String::new()));
                    in_command = true;
                }
                (None, Some((_, about))) if !line.is_empty() && !line.starts_with('#') => {
                    about.extend([if about.is_empty() { "" } else { " " }, line]);
                    in_command = false;
                }
                (None, _) => in_command = false,
            }
        }
        Lesson { entries, next: 0 }
    }

    /// The text for the next command of the transcript; empty where there is none.
    pub fn about(&mut self, command: &str) -> &str {
        match self.entries.get(self.next) {
            Some((next, about)) if next == command => {
                self.next += 1;
                about
            }
            _ => "",
        }
    }

    /// The command that the lesson goes on with; `None` at its end.
    #[cfg(test)]
    fn rest(&self) -> Option<&str> {
        self.entries.get(self.next).map(|(command, _)| command.as_str())
    }
}

/// The words of a text in lines that begin with `indent` and end before column 80; a word that is longer is cut.
pub fn wrapped(text: &str, first: &str, indent: &str) -> Vec<String> {
    let width = COLUMNS - 1;
    let mut lines = vec![first.to_string()];
    let mut fresh = true;
    for word in text.split_whitespace() {
        let mut word = word;
        while !word.is_empty() {
            let Some(line) = lines.last_mut() else { break };
            let blank = usize::from(!fresh);
            let left = width.saturating_sub(line.chars().count() + blank);
            let length = word.chars().count();
            if length > left && !fresh {
                lines.push(indent.to_string());
                fresh = true;
                continue;
            }
            let cut = word.char_indices().nth(left.max(1)).map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(cut);
            line.extend([if fresh { "" } else { " " }, head]);
            fresh = false;
            word = tail;
        }
    }
    lines
}

/// What `ctrbox explain` says of a command that begins with an applet, perhaps behind sudo: a line for each step, in
/// words. The system calls are shown when they have been made.
pub fn explained(command: &str, user: u32) -> Vec<String> {
    let line = command.strip_prefix("sudo ").unwrap_or(command);
    if !line.split_whitespace().next().is_some_and(|first| APPLETS.iter().any(|applet| applet.name == first)) {
        return Vec::new();
    }
    let mut shell = Command::new("/bin/bash");
    shell.args(["-c", &format!("ctrbox explain {line}")]).current_dir(sandbox::HOME).env("PATH", sandbox::PATH);
    shell.env_remove("CTRBOX_TRACE");
    if line == command && user != 0 {
        shell.uid(user).gid(user);
    }
    let Ok(output) = shell.output() else { return Vec::new() };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_call = |line: &&str| !line.starts_with("     ");
    said.lines().filter(is_call).map(|line| line.replace(&format!("{}/", sandbox::HOME), "")).collect()
}

/// What a process is in, as far as a lesson tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    namespaces: BTreeMap<&'static str, PathBuf>,
    root: PathBuf,
    mounts: BTreeSet<String>,
    cgroups: String,
    user: String,
    effective: u64,
    bounding: u64,
    file_capabilities: BTreeSet<String>,
}

const NAMESPACES: [(&str, &str); 7] = [
    ("user", "user"),
    ("mnt", "mount"),
    ("pid", "PID"),
    ("net", "network"),
    ("uts", "UTS"),
    ("ipc", "IPC"),
    ("cgroup", "cgroup"),
];

impl State {
    /// That of the process which a terminal's prompt belongs to: the last one in the line of a shell's descendants.
    pub fn of_prompt(shell: u32, command: &str) -> State {
        let mut pid = shell;
        while let Some(child) = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
            .ok()
            .and_then(|children| children.split_whitespace().last()?.parse().ok())
        {
            pid = child;
        }
        State::of(&format!("/proc/{pid}"), command)
    }

    fn of(process: &str, command: &str) -> State {
        let read = |name: &str| fs::read_to_string(format!("{process}/{name}")).unwrap_or_default();
        let status = read("status");
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
        let set = |name: &str| u64::from_str_radix(field(name), 16).unwrap_or_default();
        let link = |name: &str| fs::read_link(format!("{process}/{name}")).unwrap_or_default();
        let root = link("root");
        State {
            namespaces: NAMESPACES.iter().map(|(file, name)| (*name, link(&format!("ns/{file}")))).collect(),
            mounts: read("mountinfo").lines().filter_map(|line| mount(&root, line)).collect(),
            root,
            cgroups: read("cgroup"),
            user: field("Uid:").split_whitespace().nth(1).unwrap_or_default().to_string(),
            effective: set("CapEff:"),
            bounding: set("CapBnd:"),
            file_capabilities: file_capabilities(command),
        }
    }

    /// What is another than before: a line for each thing. `first` is the state at the beginning, `other` that of the
    /// other terminal.
    pub fn changed_since(&self, before: &State, first: &State, other: Option<&State>) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, namespace) in self.namespaces.iter().filter(|(name, it)| before.namespaces.get(*name) != Some(it)) {
            let is_of = |state: &State| state.namespaces.get(name) == Some(namespace);
            let which = match other {
                _ if is_of(first) => "the first one again",
                Some(other) if is_of(other) => "that of the shell in the other terminal",
                _ => "a new one",
            };
            lines.push(format!("{name} namespace: {which}"));
        }
        let is_as_before = self.root == before.root;
        if !is_as_before {
            lines.push(format!("root directory: {}", self.root.display()));
        }
        // From within another root only the mounts below it are seen.
        if is_as_before || self.root != first.root {
            let new = self.mounts.difference(&before.mounts);
            lines.extend(new.map(|mount| format!("mounted: {mount}")));
        }
        if is_as_before {
            lines.extend(before.mounts.difference(&self.mounts).map(|mount| format!("no longer mounted: {mount}")));
        }
        for line in self.cgroups.lines().filter(|line| !before.cgroups.lines().any(|old| old == *line)) {
            lines.push(format!("cgroup: {}", line.splitn(3, ':').last().unwrap_or_default()));
        }
        if self.user != before.user {
            lines.push(format!("user: {}, was {}", self.user, before.user));
        }
        let sets =
            [("capabilities", self.effective, before.effective), ("bounding set", self.bounding, before.bounding)];
        for (set, now, old) in sets {
            lines.extend(difference(set, "gained", now & !old, now));
            lines.extend(difference(set, "lost", old & !now, now));
        }
        for file in self.file_capabilities.difference(&before.file_capabilities) {
            lines.push(format!("file with capabilities: {file}"));
        }
        lines.into_iter().map(|line| line.replace(&format!("{}/", sandbox::HOME), "")).collect()
    }
}

/// A mount by what can be said of it in a line: where it is, its type, and whether it is read-only.
fn mount(root: &Path, line: &str) -> Option<String> {
    let (fields, source) = line.split_once(" - ")?;
    let mut fields = fields.split(' ').skip(4);
    let (point, flags) = (fields.next()?, fields.next()?);
    let read_only = if flags.split(',').any(|flag| flag == "ro") { ", read-only" } else { "" };
    let point = root.join(point.trim_start_matches('/'));
    Some(format!("{} ({}{read_only})", point.display(), source.split(' ').next()?))
}

/// What a set of capabilities gained or lost: by name if they are few.
fn difference(set: &str, how: &str, which: u64, now: u64) -> Option<String> {
    let words = match which.count_ones() {
        0 => return None,
        1..=6 => capability_names(which).join(", "),
        count => count.to_string(),
    };
    Some(format!("{set}: {how} {words}, has {} now", now.count_ones()))
}

/// What files in the home directory have, if the command is about that.
fn file_capabilities(command: &str) -> BTreeSet<String> {
    if !applets_named(command).contains("setcap") {
        return BTreeSet::new();
    }
    let files: Vec<PathBuf> =
        fs::read_dir(sandbox::HOME).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let ours = Path::new(sandbox::OURS).join("ctrbox");
    let output = Command::new(ours).arg("getcap").args(files).env_remove("CTRBOX_TRACE").output();
    let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    printed.lines().map(|line| line.replace(&format!("{}/", sandbox::HOME), "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::{Item, parse};

    #[test]
    fn every_command_of_the_transcripts_has_its_text_and_no_text_is_left_over() {
        let transcripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../transcripts");
        for name in ["tutorial.md", "today.md"] {
            let read = |path: PathBuf| fs::read_to_string(path).unwrap();
            let mut lesson = Lesson::parse(&read(transcripts.join("lesson").join(name)));
            for item in parse(&read(transcripts.join(name))).unwrap().items {
                let Item::Block(block) = item else { continue };
                for step in block.steps.iter().filter(|step| !step.is_comment()) {
                    let about = lesson.about(&step.command).to_string();
                    let sentences = about.matches(['.', ':']).count();
                    assert!(sentences > 0 && about.len() < 400, "{name}: {}: '{about}'", step.command);
                }
            }
            assert_eq!(lesson.rest(), None, "{name}");
        }
    }

    #[test]
    fn no_line_is_longer_than_the_terminal_is_wide() {
        let long = ["many words of a text ", "/a/path/without/a/blank".repeat(8).as_str(), " and more"].concat();
        let lines = wrapped(&long, "    1. ", "       ");
        assert!(lines.iter().all(|line| line.chars().count() < COLUMNS), "{lines:?}");
        assert!(lines[0].starts_with("    1. many") && lines.len() == 4, "{lines:?}");
        let letters = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(letters(&lines.concat()), ["1.", &letters(&long)].concat());
    }

    #[test]
    fn what_changed_is_told_by_its_name() {
        let namespaces = |mount: &str| BTreeMap::from([("mount", PathBuf::from(mount))]);
        let before = State { namespaces: namespaces("mnt:[1]"), root: "/".into(), bounding: 7, ..State::default() };
        let mut now = before.clone();
        now.namespaces = namespaces("mnt:[2]");
        now.bounding = 6;
        now.mounts.extend(mount(Path::new("/"), "30 20 0:5 / /a ro,relatime shared:1 - tmpfs tmpfs rw"));
        let lines = now.changed_since(&before, &before, None);
        assert_eq!(
            lines,
            ["mount namespace: a new one", "mounted: /a (tmpfs, read-only)", "bounding set: lost cap_chown, has 2 now"]
        );
        assert_eq!(before.changed_since(&now, &before, None)[0], "mount namespace: the first one again");
        let other = now.changed_since(&before, &before, Some(&now));
        assert_eq!(other[0], "mount namespace: that of the shell in the other terminal");
    }
}
