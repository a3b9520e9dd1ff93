//! The differences that are meant: `tests/examined.toml`.

use super::case::{Case, quoted};
use super::compare::{Difference, Effect};
use regex::{Regex, RegexSet};
use std::fmt::Write;
use std::sync::Mutex;
use tests::originals::Versions;
use tests::version;

/// How many cases of a row are kept.
const EXAMPLES: usize = 4;

/// A row of the file.
pub struct Meant {
    why: String,
    /// How often it was needed, and the first cases.
    used: Mutex<(usize, Vec<String>)>,
    applets: Vec<String>,
    of: String,
    from: String,
    before: String,
    /// What the command line must match.
    line: Option<Regex>,
    /// What a step of the surroundings or of the caller must match; of several one of each.
    with: Vec<Regex>,
    /// What a line of ours or of theirs, whether it differs or not, must match.
    seen: Option<Regex>,
    /// What may differ within a line: without what it matches both sides' lines are alike.
    but: Option<Regex>,
    ours: RegexSet,
    theirs: RegexSet,
}

/// Options that an original does not have.
pub struct Own {
    applet: String,
    options: Vec<String>,
}

/// The file, as far as it is about these originals.
pub struct Examined {
    meant: Vec<Meant>,
    own: Vec<Own>,
}

impl Examined {
    /// Reads the file.
    pub fn read(versions: &Versions) -> Examined {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examined.toml");
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().expect("examined.toml is TOML");
        let rows = |name: &str| table.get(name).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let text =
            |row: &toml::Value, key: &str| row.get(key).and_then(toml::Value::as_str).unwrap_or_default().to_string();
        let list = |row: &toml::Value, key: &str| -> Vec<String> {
            let words = match row.get(key) {
                Some(toml::Value::Array(words)) => words.clone(),
                Some(word) => vec![word.clone()],
                None => Vec::new(),
            };
            words.iter().filter_map(toml::Value::as_str).map(str::to_string).collect()
        };
        let pattern = |row: &toml::Value, key: &str| {
            row.get(key).and_then(toml::Value::as_str).map(|text| Regex::new(text).expect("a pattern"))
        };
        let whole = |patterns: Vec<String>| {
            RegexSet::new(patterns.iter().map(|pattern| format!("^(?:{pattern})$"))).expect("patterns")
        };
        let meant_rows = rows("meant");
        let meant = meant_rows.iter().map(|row| {
            assert!(!text(row, "why").is_empty(), "a difference without a reason: {row:?}");
            Meant {
                why: text(row, "why"),
                used: Mutex::default(),
                applets: list(row, "applets"),
                of: text(row, "of"),
                from: text(row, "from"),
                before: text(row, "before"),
                line: pattern(row, "line"),
                with: list(row, "with").iter().map(|text| Regex::new(text).expect("a pattern")).collect(),
                seen: pattern(row, "seen"),
                but: pattern(row, "but"),
                ours: whole(list(row, "ours")),
                theirs: whole(list(row, "theirs")),
            }
        });
        let holds = |row: &Meant| {
            row.of.is_empty()
                || versions.of(&row.of).is_some_and(|it| {
                    (row.from.is_empty() || version::compare(it, &row.from).is_ge())
                        && (row.before.is_empty() || version::compare(it, &row.before).is_lt())
                })
        };
        Examined {
            meant: meant.filter(holds).collect(),
            own: rows("own")
                .iter()
                .map(|row| Own { applet: text(row, "applet"), options: list(row, "options") })
                .collect(),
        }
    }

    /// Whether the original has this option of ours.
    pub fn is_shared(&self, applet: &str, option: &str) -> bool {
        !self.own.iter().any(|own| own.applet == applet && own.options.iter().any(|name| name == option))
    }

    /// The lines of a difference that are not meant.
    pub fn unexplained(&self, case: &Case, difference: &Difference, ours: &Effect, theirs: &Effect) -> Difference {
        let applet = String::from_utf8_lossy(&case.line[0]).into_owned();
        let words = |words: &Vec<Vec<u8>>| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let line = words(&case.line);
        let steps: Vec<String> = case.surroundings.iter().chain(&case.caller).map(words).collect();
        let applies = |row: &&Meant| {
            (row.applets.is_empty() || row.applets.contains(&applet))
                && row.line.as_ref().is_none_or(|pattern| pattern.is_match(&line))
                && row.with.iter().all(|pattern| steps.iter().any(|step| pattern.is_match(step)))
                && row
                    .seen
                    .as_ref()
                    .is_none_or(|pattern| ours.lines().iter().chain(theirs.lines()).any(|line| pattern.is_match(line)))
        };
        let rows: Vec<&Meant> = self.meant.iter().filter(applies).collect();
        // A row that is about both sides explains nothing where only one of them has what it says.
        let has = |set: &RegexSet, lines: &[String]| set.is_empty() || lines.iter().any(|line| set.is_match(line));
        let rows: Vec<&&Meant> = rows
            .iter()
            .filter(|row| has(&row.ours, &difference.ours) && has(&row.theirs, &difference.theirs))
            .collect();
        let covers = |set: &RegexSet, row: &Meant, line: &str, others: &[String]| match &row.but {
            None => set.is_match(line),
            Some(but) => {
                let rest = but.replace_all(line, "");
                (set.is_empty() || set.is_match(line)) && others.iter().any(|other| but.replace_all(other, "") == rest)
            }
        };
        let rest = |lines: &[String], covered: &dyn Fn(&Meant, &str) -> bool| -> Vec<String> {
            lines.iter().filter(|line| !rows.iter().any(|row| covered(row, line))).cloned().collect()
        };
        let left = Difference {
            ours: rest(&difference.ours, &|row, line| covers(&row.ours, row, line, &difference.theirs)),
            theirs: rest(&difference.theirs, &|row, line| covers(&row.theirs, row, line, &difference.ours)),
        };
        if left.is_empty() {
            for row in rows {
                let mut used = row.used.lock().unwrap();
                used.0 += 1;
                if used.1.len() < EXAMPLES {
                    used.1.push(format!("{}{}", case.script(), difference.show("#   ")));
                }
            }
        }
        left
    }

    /// What each row was needed for.
    pub fn told(&self) -> String {
        let mut out = String::new();
        for row in &self.meant {
            let used = row.used.lock().unwrap();
            let _ = writeln!(out, "## {} times: {}: {}", used.0, row.applets.join(" "), row.why);
            for example in &used.1 {
                let _ = writeln!(out, "{example}");
            }
        }
        out
    }
}
