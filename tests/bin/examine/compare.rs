//! Two effects, and what differs between them.

use regex::{Captures, Regex};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static INODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b402653\d{4}\b").unwrap());
static DEVICE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^stdout 0:\d+$").unwrap());
static BACKING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\[\d{4}\]:|\b(0:\d+ +0 +\d+ +)?7:\d+ +7 +\d+ +|\b0:\d+ *|\b7:\d+|"min": \d+|"back-min": "\d+"#)
        .unwrap()
});
static LOOP: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"/dev/loop\d+").unwrap());

/// What is told of a line that took too long.
const TIMED_OUT: &str = "timed out";

/// A UUID of random numbers, as each device of a btrfs has one.
static RANDOM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b").unwrap());

/// What one side did, without what differs from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    lines: Vec<String>,
}

impl Effect {
    /// Reads what `effect.rs` wrote.
    pub fn parse(applet: &[u8], text: &str) -> Effect {
        let mut known: BTreeMap<&str, &str> = BTreeMap::new();
        for line in text.lines() {
            if let Some((inode, name)) = line.strip_prefix("known ").and_then(|line| line.split_once(' ')) {
                known.entry(inode).or_insert(name);
            }
        }
        let mut lines = Vec::new();
        let mut said = false;
        for line in text.lines().filter(|line| !line.starts_with("known ")) {
            // What is below the first line of standard error is not the original's.
            if line.starts_with("stderr ") && std::mem::replace(&mut said, true) {
                continue;
            }
            if applet == b"blkid" && line.starts_with("stdout ") && RANDOM.is_match(line) {
                lines.push(LOOP.replace_all(&RANDOM.replace_all(line, "random"), "/dev/loopN").into_owned());
                continue;
            }
            if DEVICE.is_match(line) {
                lines.push("stdout 0:N".to_string());
                continue;
            }
            if !line.contains("402653") && !line.contains("/dev/loop") {
                lines.push(line.to_string());
                continue;
            }
            let line = INODE.replace_all(line, |found: &Captures| {
                known.get(&found[0]).map_or_else(|| "new".to_string(), |name| name.to_string())
            });
            let line = LOOP.replace_all(&line, |found: &Captures| {
                if found[0].len() > "/dev/loop5".len() && found[0].starts_with("/dev/loop6") {
                    found[0].to_string()
                } else {
                    "/dev/loopN".to_string()
                }
            });
            lines.push(line.into_owned());
        }
        if applet == b"losetup" {
            // The numbers of the device that the file is on, and its own.
            for line in &mut lines {
                *line = BACKING.replace_all(line, "N  ").into_owned();
            }
        }
        if applet == b"lsns" || applet == b"findmnt" {
            // It sorts by numbers that are not the same twice, and draws its tree by that order.
            for line in &mut lines {
                *line = line.replace("|-", "`-").replace("| ", "  ").trim_end().trim_end_matches(',').to_string();
            }
            // So does JSON what is inside of what.
            let is_bracket = |line: &String| {
                line.strip_prefix("stdout ").is_some_and(|text| {
                    text.trim().trim_end_matches("\"children\": [").chars().all(|letter| "{}[], ".contains(letter))
                        && !text.trim().is_empty()
                })
            };
            lines.retain(|line| !is_bracket(line));
            for line in lines.iter_mut().filter(|line| line.starts_with("stdout ") && line.contains("\": ")) {
                *line = format!("stdout {}", line.trim_start_matches("stdout ").trim_start());
            }
            if applet == b"findmnt" {
                without_numbers(&mut lines);
            }
            lines.sort_by_key(|line| if line.starts_with("stdout") { line.clone() } else { String::new() });
        }
        Effect { lines }
    }

    /// The lines of a kind, without it.
    pub fn of(&self, kind: &str) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).collect()
    }

    /// Whether it took too long.
    pub fn timed_out(&self) -> bool {
        self.lines.iter().any(|line| line == TIMED_OUT)
    }

    /// Every line.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

/// Takes the numbers of mounts and devices out of what findmnt printed, and with them the width of its columns.
fn without_numbers(lines: &mut [String]) {
    let is_number = |word: &str| {
        let word = word
            .strip_prefix("0:")
            .or(word.strip_prefix("7:"))
            .map_or(word, |rest| if rest.len() == 1 { "10" } else { rest });
        matches!(word.len(), 2..=4 | 10..) && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut is_any = false;
    for line in lines.iter_mut().filter(|line| line.starts_with("stdout ")) {
        let parts = line.split_inclusive([' ', '"', ',']).map(|part| {
            let word = part.trim_end_matches([' ', '"', ',']);
            if is_number(word) { format!("N{}", &part[word.len()..]) } else { part.to_string() }
        });
        let told: String = parts.collect();
        is_any |= told != *line;
        *line = told;
    }
    if is_any {
        for line in lines.iter_mut().filter(|line| line.starts_with("stdout ")) {
            *line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
}

/// What only ours did, and what only theirs did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Lines of ours.
    pub ours: Vec<String>,
    /// Lines of theirs.
    pub theirs: Vec<String>,
}

/// Compares; `None` if they are alike.
pub fn compare(ours: &Effect, theirs: &Effect) -> Option<Difference> {
    if ours == theirs {
        return None;
    }
    let only = |one: &Effect, other: &Effect| {
        let mut counts: BTreeMap<&String, i32> = BTreeMap::new();
        for line in &other.lines {
            *counts.entry(line).or_default() += 1;
        }
        let mut only = Vec::new();
        for line in &one.lines {
            let count = counts.entry(line).or_default();
            *count -= 1;
            if *count < 0 {
                only.push(line.clone());
            }
        }
        only
    };
    let mut difference = Difference { ours: only(ours, theirs), theirs: only(theirs, ours) };
    // Of a line that one side does not end there is only what the other one says of it.
    if ours.timed_out() || theirs.timed_out() {
        for lines in [&mut difference.ours, &mut difference.theirs] {
            lines.retain(|line| line == TIMED_OUT || line.starts_with("status ") || line.starts_with("stderr "));
        }
    }
    let is_order = difference.ours.is_empty() && difference.theirs.is_empty();
    Some(if is_order { Difference { ours: vec!["order".to_string()], theirs: vec![] } } else { difference })
}

static DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d+").unwrap());
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"'[^']*'|\x{2018}[^\x{2019}]*\x{2019}|'.*$|"[^"]*"|(/\S+|\b\w+/\S*)"#).unwrap());

impl Difference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.ours.is_empty() && self.theirs.is_empty()
    }

    /// What differences of one kind have in common.
    pub fn kind(&self) -> String {
        let mut parts = BTreeSet::new();
        for (side, lines) in [("ours", &self.ours), ("theirs", &self.theirs)] {
            for line in lines {
                let words: Vec<&str> = line.split(' ').take(2).collect();
                let part = match words.as_slice() {
                    ["status", ..] => line.clone(),
                    ["stderr" | "stdout", ..] => {
                        let line = QUOTED.replace_all(line, "X");
                        let line = DIGITS.replace_all(&line, "N").into_owned();
                        // Of what a line says what stands between colons matters.
                        line.split(": ")
                            .map(|part| if part.contains(' ') { part } else { "_" })
                            .collect::<Vec<_>>()
                            .join(": ")
                    }
                    ["program", what] => format!("program {what}"),
                    [kind, ..] => kind.to_string(),
                    [] => String::new(),
                };
                parts.insert(format!("{side} {part}"));
            }
        }
        parts.into_iter().collect::<Vec<_>>().join("; ")
    }

    /// For a person, with this before each line.
    pub fn show(&self, before: &str) -> String {
        let mut out = String::new();
        for (side, lines) in [("ours:   ", &self.ours), ("theirs: ", &self.theirs)] {
            for line in lines.iter().take(12) {
                out.push_str(&format!("{before}{side}{line}\n"));
            }
            if lines.len() > 12 {
                out.push_str(&format!("{before}{side}... {} more\n", lines.len() - 12));
            }
        }
        out
    }
}
