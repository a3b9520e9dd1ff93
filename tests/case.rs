//! Cases as data: one row of `tests/cases/*.toml` is a script and what must hold of it.
//!
//! With no expectation, ours and theirs must do the same: output, errors and status. With any,
//! both must meet them, but for an original that `differs` describes: see [`Difference`].

use crate::emulation::Kernel;
use crate::originals::{PROJECTS, Versions};
use crate::version;
use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;
use toml::{Table, Value};

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// A sentence about behaviour; unique in its file.
    pub name: String,
    /// A bash script; see [`crate::sandbox::Stage::run`].
    pub run: String,
    /// The exit status.
    pub status: Option<i32>,
    /// Everything on stdout; newlines at the end do not count.
    pub stdout: Option<String>,
    /// Everything on stderr but the `hint:` lines; newlines at the end do not count.
    pub stderr: Option<String>,
    /// Regular expressions that stdout matches; `^` and `$` are the ends of lines.
    pub stdout_matches: Vec<String>,
    /// The same of stderr, in which `hint:` lines are looked at, too.
    pub stderr_matches: Vec<String>,
    /// Which originals do not meet the expectations, and why. One that is described and meets them after all was
    /// mended: that is told, and is no failure.
    pub differs: Vec<Difference>,
    /// Theirs is not run where `differs` describes it: what the row is about is not there.
    pub only: Only,
    /// Why what the expectations leave open is not alike on both sides; see [`crate::judge::apart`].
    pub apart: Option<String>,
    /// Why a program that does nothing passes: what it does is nothing, or the row is about what does not happen.
    pub stub: Option<String>,
    /// What a machine may lack; see [`crate::needs`].
    pub needs: Vec<String>,
    /// The first kernel that has what the row asks for or, if it shows system calls, the calls that it shows.
    pub kernel: Option<Kernel>,
    /// The file's name without its ending, such as `capsh`.
    pub file: String,
}

/// Originals that do not do what a row expects.
///
/// In a row: `differs = "WHY"` where every version does (we do it in our own way), or
/// `differs = { of = "libcap", from = "2.70", before = "2.78", why = "WHY" }`, or a list of these. Versions are
/// ordered as Debian's are, so that `before = "2.66-4+deb12u3"` names a fix that Debian brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What the version is one of, of [`PROJECTS`]; empty for every original.
    pub of: String,
    /// The first version that differs.
    pub from: Option<String>,
    /// The first one that does not differ any more.
    pub before: Option<String>,
    /// What they do instead.
    pub why: String,
}

/// Whether an original is one of those that a row's `differs` describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Differs<'a> {
    /// No: it is held to what the row expects.
    No,
    /// Yes, for this reason.
    Yes(&'a str),
    /// Its version is not known: it may do either.
    Unknown,
}

impl Difference {
    /// Whether these versions are in the range.
    fn describes(&self, versions: &Versions) -> Differs<'_> {
        if self.from.is_none() && self.before.is_none() {
            return Differs::Yes(&self.why);
        }
        let Some(version) = versions.of(&self.of) else { return Differs::Unknown };
        let is_before =
            |limit: &Option<String>| limit.as_ref().map(|limit| version::compare(version, limit) == Ordering::Less);
        let is_in_range = is_before(&self.from) != Some(true) && is_before(&self.before) != Some(false);
        if is_in_range { Differs::Yes(&self.why) } else { Differs::No }
    }

    fn flaw(&self) -> Option<&'static str> {
        let has_range = self.from.is_some() || self.before.is_some();
        if self.why.trim().is_empty() {
            return Some("it says `differs` without a reason");
        }
        if has_range != PROJECTS.contains(&self.of.as_str()) {
            return Some("`differs` has a range and says of what (util-linux, libcap, coreutils), or neither");
        }
        None
    }
}

/// Which sides are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// Ours and theirs.
    #[default]
    Both,
    /// Ours alone.
    Ours,
}

impl Case {
    /// Whether the row says what must hold, rather than only that both do the same.
    pub fn has_expectations(&self) -> bool {
        self.status.is_some()
            || self.stdout.is_some()
            || self.stderr.is_some()
            || !self.stdout_matches.is_empty()
            || !self.stderr_matches.is_empty()
    }

    /// Whether the originals of these versions are said to differ.
    pub fn differs(&self, versions: &Versions) -> Differs<'_> {
        let mut found = Differs::No;
        for difference in &self.differs {
            match difference.describes(versions) {
                Differs::No => {}
                yes @ Differs::Yes(_) => return yes,
                Differs::Unknown => found = Differs::Unknown,
            }
        }
        found
    }

    fn flaw(&self) -> Option<&'static str> {
        if self.name.is_empty() || self.run.is_empty() {
            return Some("it needs a name and something to run");
        }
        if let Some(flaw) = self.differs.iter().find_map(Difference::flaw) {
            return Some(flaw);
        }
        // Where others do not differ, they say what ours must do.
        let is_range = |difference: &Difference| !difference.of.is_empty();
        if !self.differs.iter().all(is_range) && !self.has_expectations() {
            return Some("it says `differs` but not what ours must do");
        }
        if self.only == Only::Ours && self.differs.is_empty() {
            return Some("it is ours only but does not say why (`differs`)");
        }
        None
    }
}

fn row(file: &str, table: &Table) -> Result<Case, String> {
    let mut case = Case { file: file.to_string(), ..Case::default() };
    for (key, value) in table {
        match key.as_str() {
            "name" => case.name = text(key, value)?,
            "run" => case.run = text(key, value)?,
            "status" => {
                let status = value.as_integer().and_then(|status| i32::try_from(status).ok());
                case.status = Some(status.ok_or("status is not a small number")?);
            }
            "stdout" => case.stdout = Some(text(key, value)?),
            "stderr" => case.stderr = Some(text(key, value)?),
            "matches" | "stdout_matches" => case.stdout_matches.extend(texts(key, value)?),
            "stderr_matches" => case.stderr_matches = texts(key, value)?,
            "differs" => case.differs = differences(value)?,
            "only" if value.as_str() == Some("ours") => case.only = Only::Ours,
            "apart" => case.apart = Some(text(key, value)?),
            "stub" => case.stub = Some(text(key, value)?),
            "needs" => case.needs = texts(key, value)?,
            "kernel" => case.kernel = Some(text(key, value)?.parse()?),
            _ => return Err(format!("there is no such key, or no such value: {key}")),
        }
    }
    match case.flaw() {
        Some(flaw) => Err(flaw.to_string()),
        None => Ok(case),
    }
}

fn differences(value: &Value) -> Result<Vec<Difference>, String> {
    match value {
        Value::Array(list) => list.iter().map(difference).collect(),
        one => Ok(vec![difference(one)?]),
    }
}

fn difference(value: &Value) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let Some(table) = value.as_table() else {
        difference.why = text("differs", value)?;
        return Ok(difference);
    };
    for (key, value) in table {
        let text = text(key, value)?;
        match key.as_str() {
            "of" => difference.of = text,
            "from" => difference.from = Some(text),
            "before" => difference.before = Some(text),
            "why" => difference.why = text,
            _ => return Err(format!("differs has no such key: {key}")),
        }
    }
    Ok(difference)
}

fn text(key: &str, value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_string).ok_or_else(|| format!("{key} is not a string"))
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or_else(|| format!("{key} is not a list"))?;
    list.iter().map(|item| text(key, item)).collect()
}

/// The rows of one file's text.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let tables: Table = text.parse().map_err(|error| format!("{file}: {error}"))?;
    if let Some(key) = tables.keys().find(|key| *key != "case") {
        return Err(format!("{file}: only [[case]] is known, not {key}"));
    }
    let rows = tables.get("case").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    rows.iter()
        .map(|value| {
            let table = value.as_table().ok_or_else(|| format!("{file}: case is not a table"))?;
            let name = table.get("name").and_then(Value::as_str).unwrap_or_default();
            row(file, table).map_err(|error| format!("{file}: the case '{name}': {error}"))
        })
        .collect()
}

/// The rows of every `*.toml` in a directory, in the order of the files' names.
pub fn load(directory: &Path) -> io::Result<Vec<Case>> {
    let mut files: Vec<_> = fs::read_dir(directory)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    let mut cases: Vec<Case> = Vec::new();
    for file in files {
        let path = file.path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        for case in parse(&name, &fs::read_to_string(&path)?).map_err(io::Error::other)? {
            if cases.iter().any(|earlier| earlier.name == case.name && earlier.file == case.file) {
                return Err(io::Error::other(format!("{name}: two cases have the name '{}'", case.name)));
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(parse("x", "[[case]]\nname = 'a'\nrun = ':'\nstatsu = 0\n").is_err());
    }

    #[test]
    fn a_difference_needs_a_reason_and_an_expectation() {
        assert!(parse("x", "[[case]]\nname = 'a'\nrun = ':'\ndiffers = 'why'\n").is_err());
        assert!(parse("x", "[[case]]\nname = 'a'\nrun = ':'\nstatus = 0\ndiffers = ' '\n").is_err());
        assert!(parse("x", "[[case]]\nname = 'a'\nrun = ':'\nstatus = 0\nonly = 'ours'\n").is_err());
        assert!(parse("x", "[[case]]\nname = 'a'\nrun = ':'\nstatus = 0\nonly = 'ours'\ndiffers = 'why'\n").is_ok());
    }

    #[test]
    fn a_difference_is_of_every_version_or_of_a_range_of_something() {
        let parse =
            |differs: &str| parse("x", &format!("[[case]]\nname = 'a'\nrun = ':'\nstatus = 0\ndiffers = {differs}\n"));
        for refused in [
            "{ why = '' }",
            "{ before = '2.78', why = 'x' }",
            "{ of = 'libcap', why = 'x' }",
            "{ of = 'busybox', before = '2.78', why = 'x' }",
            "{ of = 'libcap', until = '2.78', why = 'x' }",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
        let range = "{ of = 'libcap', from = '2.70', before = '2.75-10+deb13u1', why = 'x' }";
        let rows = [parse("'y'").unwrap(), parse(range).unwrap(), parse(&format!("[{range}, 'y']")).unwrap()];
        let said = |version: Option<&str>| {
            let versions = Versions::new([("libcap", version)]);
            rows.iter().map(|rows| rows[0].differs(&versions)).collect::<Vec<_>>()
        };
        let (x, y) = (Differs::Yes("x"), Differs::Yes("y"));
        assert_eq!(said(Some("1:2.66-4+deb12u3")), [y, Differs::No, y]);
        assert_eq!(said(Some("1:2.70-1")), [y, x, x]);
        assert_eq!(said(Some("1:2.75-10")), [y, x, x]);
        assert_eq!(said(Some("1:2.75-10+deb13u1")), [y, Differs::No, y]);
        assert_eq!(said(None), [y, Differs::Unknown, y]);
    }
}
