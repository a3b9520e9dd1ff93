//! The rooms of the sources, read as text: no circle of files in a crate, no file that is too long to be read at once,
//! no two public types of one crate with one name.
//!
//! What is not so yet is listed here, and the lists only become shorter: who mends one takes it off.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates: their name and their folder.
const CRATES: [(&str, &str); 5] =
    [("linux", "src/linux"), ("cli", "src/cli"), ("hints", "src/hints"), ("run", "src/run"), ("applets", "applets")];

/// Files that are still in a circle.
const CIRCLES: &[(&str, &[&str])] = &[];

/// Files that are still longer than [`LINES`].
const LONG: &[&str] = &[];

/// How many lines a file of code may have.
const LINES: usize = 400;

/// Public types that still share a name, beside the `Options` that each applet has.
const NAMES: &[(&str, &[&str])] = &[];

/// A module as it is in the crate, `process::exec`; the root is empty.
type Module = Vec<String>;

/// The modules of a crate.
struct Crate(BTreeMap<Module, File>);

/// A module's code, without comments and tests.
struct File {
    code: String,
    /// The paths of its `use` lines, and whether they are handed on (`pub use`).
    uses: Vec<(bool, Module)>,
    /// The paths elsewhere in it.
    paths: BTreeSet<Module>,
}

impl File {
    fn read(text: &str) -> File {
        let use_line = Regex::new(r"(?m)^\s*(pub(?:\([a-z]+\))? )?use ([^;]+);").unwrap();
        let path = Regex::new(r"\b\w+(?:::\w+)+").unwrap();
        let code = without_tests(text);
        let uses = use_line.captures_iter(&code);
        let uses = uses.flat_map(|line| {
            let is_handed_on = line.get(1).is_some();
            expand(&line[2]).into_iter().map(move |path| (is_handed_on, path))
        });
        let uses = uses.collect();
        let rest = use_line.replace_all(&code, "").replace("$crate", "crate");
        let paths = path.find_iter(&rest).map(|path| path.as_str().split("::").map(str::to_string).collect()).collect();
        File { code, uses, paths }
    }

    /// Whether it defines something with this name for others.
    fn defines(&self, name: &str) -> bool {
        self.code.lines().filter(|line| line.starts_with("pub")).any(|line| {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let kinds = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod"];
            words.by_ref().any(|word| kinds.contains(&word)) && words.find(|word| !kinds.contains(word)) == Some(name)
        })
    }
}

impl Crate {
    fn read(folder: &str) -> Crate {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
        let mut code = BTreeMap::new();
        for file in files(&root) {
            let name = file.strip_prefix(&root).unwrap().with_extension("");
            let mut module: Module = name.iter().map(|part| part.to_str().unwrap().to_string()).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            if module.last().is_none_or(|last| last != "tests") {
                code.insert(module, File::read(&fs::read_to_string(&file).unwrap()));
            }
        }
        Crate(code)
    }

    /// The modules that a module names: in `use` lines, and in paths of its code.
    fn named_by(&self, module: &Module) -> BTreeSet<Module> {
        let file = &self.0[module];
        // A facade hands on what its own folder has: that is no tie.
        let hands_on = |to: &Module| to.starts_with(module) && to.len() > module.len();
        let uses = file.uses.iter().filter_map(|(is_handed_on, path)| {
            self.absolute(module, path).filter(|to| !(*is_handed_on && hands_on(to)))
        });
        let paths = file.paths.iter().filter_map(|path| self.absolute(module, path));
        let mut found: BTreeSet<Module> = uses.chain(paths).filter_map(|path| self.module_of(&path)).collect();
        let trace = vec!["trace".to_string()];
        if file.code.contains("traced!(") && self.0.contains_key(&trace) {
            found.insert(trace);
        }
        found.remove(module);
        // The root only names the rooms.
        found.remove(&Vec::new());
        found
    }

    /// A path from the crate's root; nothing if it is another crate's.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let mut base = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    base.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                base.push(child.to_string());
                if !self.0.contains_key(&base) {
                    return None;
                }
                rest = &path[1..];
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The module that what a path leads to is written in: of a facade's name the one that it hands on.
    fn module_of(&self, path: &[String]) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
        let (module, item) = (path[..length].to_vec(), path.get(length));
        let Some(item) = item else { return Some(module) };
        for (_, handed) in self.0[&module].uses.iter().filter(|(is_handed_on, _)| *is_handed_on) {
            let Some(mut to) = self.absolute(&module, handed).filter(|to| to.starts_with(&module)) else { continue };
            let last = to.pop().unwrap();
            let is_in = |to: &Module| self.0.get(to).is_some_and(|file| file.defines(item));
            if to != module && (last == *item || last == "*" && is_in(&to)) {
                to.push(item.clone());
                return self.module_of(&to);
            }
        }
        Some(module)
    }

    /// Circles: files of which each leads to each other one.
    fn circles(&self) -> Vec<BTreeSet<Module>> {
        let named: BTreeMap<&Module, BTreeSet<Module>> =
            self.0.keys().map(|module| (module, self.named_by(module))).collect();
        let reached = |from: &Module| {
            let mut seen: BTreeSet<Module> = BTreeSet::new();
            let mut next: Vec<Module> = named[from].iter().cloned().collect();
            while let Some(module) = next.pop() {
                next.extend(named.get(&module).into_iter().flatten().filter(|other| !seen.contains(*other)).cloned());
                seen.insert(module);
            }
            seen
        };
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            named.keys().map(|module| (*module, reached(module))).collect();
        let circle = |module: &Module| -> BTreeSet<Module> {
            reached[module]
                .iter()
                .filter(|other| reached.get(other).is_some_and(|back| back.contains(module)))
                .cloned()
                .collect()
        };
        let all: BTreeSet<_> = named.keys().map(|module| circle(module)).filter(|circle| circle.len() > 1).collect();
        all.into_iter().collect()
    }

    /// Why a circle is one: who in it names whom.
    fn ties(&self, circle: &BTreeSet<Module>) -> String {
        let tie = |module: &Module| {
            let named: Vec<_> = self.named_by(module).intersection(circle).map(|other| other.join("::")).collect();
            format!("    {} -> {}\n", module.join("::"), named.join(", "))
        };
        circle.iter().map(tie).collect()
    }
}

/// The paths of a `use`, with every brace opened: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Module> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap().trim();
        return vec![path.split("::").map(|part| part.trim().to_string()).filter(|part| part != "self").collect()];
    };
    let prefix: Module =
        tree[..open].split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_string).collect();
    let inside = &tree[open + 1..tree.rfind('}').unwrap()];
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for character in inside.chars() {
        match character {
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    parts
        .iter()
        .filter(|part| !part.trim().is_empty())
        .flat_map(|part| expand(part))
        .map(|rest| prefix.iter().cloned().chain(rest).collect())
        .collect()
}

/// Code without lines of comments, and without what is compiled for tests only, which stands at the end.
fn without_tests(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_string() + "\n").collect()
}

/// The Rust files below a folder, but for what is built.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn no_circle_of_files_is_in_a_crate() {
    let mut wrong = String::new();
    for (name, folder) in CRATES {
        let read = Crate::read(folder);
        let known = CIRCLES.iter().filter(|(of, _)| *of == name).flat_map(|(_, files)| files.iter());
        let mut known: BTreeSet<String> = known.map(ToString::to_string).collect();
        for circle in read.circles() {
            let is_known = circle.iter().all(|module| known.contains(&module.join("::")));
            if !is_known {
                wrong += &format!("  a circle in {name}:\n{}", read.ties(&circle));
            }
            known.retain(|module| !circle.contains(&module.split("::").map(str::to_string).collect::<Module>()));
        }
        wrong += &known
            .iter()
            .map(|module| format!("  {name}: {module} is in no circle any more: take it off\n"))
            .collect::<String>();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_file_of_code_is_longer_than_can_be_read_at_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["src", "applets", "tests", "fuzz/fuzz_targets"];
    let mut wrong = String::new();
    let mut known: BTreeSet<&str> = LONG.iter().copied().collect();
    for file in folders.iter().flat_map(|folder| files(&root.join(folder))) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        let is_known = known.remove(name);
        if lines > LINES && !is_known {
            wrong += &format!("  {name} has {lines} lines\n");
        } else if lines <= LINES && is_known {
            wrong += &format!("  {name} has {lines} lines only: take it off\n");
        }
    }
    wrong += &known.iter().map(|name| format!("  {name} is not there: take it off\n")).collect::<String>();
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// So many lines of code in a row, the same to the letter, are written once.
const ROW: usize = 13;

#[test]
fn no_long_row_of_lines_stands_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    for file in ["src", "applets", "tests", "fuzz/fuzz_targets"].iter().flat_map(|folder| files(&root.join(folder))) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<String> = text.lines().map(|line| line.trim().to_string()).filter(|it| !it.is_empty()).collect();
        for (at, row) in lines.windows(ROW).enumerate() {
            // The record of an applet is a table.
            if row.iter().any(|line| line.starts_with("options: &")) {
                continue;
            }
            if let Some(other) = seen.insert(row.to_vec(), name.clone()) {
                wrong.insert(format!("  {name} and {other}, from '{}', after {at} lines", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_two_public_types_of_a_crate_share_a_name() {
    let types = Regex::new(r"(?m)^pub (?:struct|enum|union|trait|type) (\w+)").unwrap();
    let mut wrong = String::new();
    for (name, folder) in CRATES {
        let mut known: BTreeSet<&str> =
            NAMES.iter().filter(|(of, _)| *of == name).flat_map(|(_, names)| names.iter().copied()).collect();
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (module, file) in &Crate::read(folder).0 {
            for item in types.captures_iter(&file.code).filter(|item| &item[1] != "Options") {
                found.entry(item[1].to_string()).or_default().push(module.join("::"));
            }
        }
        for (item, modules) in found {
            let is_known = known.remove(item.as_str());
            if modules.len() > 1 && !is_known {
                wrong += &format!("  {name}: {item} is in {}\n", modules.join(", "));
            } else if modules.len() < 2 && is_known {
                wrong += &format!("  {name}: {item} is one type only: take it off\n");
            }
        }
        wrong += &known.iter().map(|item| format!("  {name}: {item} is not there: take it off\n")).collect::<String>();
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_circle_is_found_through_a_facade() {
    let module =
        |path: &str| -> Module { path.split("::").filter(|part| !part.is_empty()).map(str::to_string).collect() };
    let read = Crate(BTreeMap::from([
        (module(""), File::read("pub mod a;\npub mod b;\n")),
        (module("a"), File::read("mod inner;\npub use inner::Thing;\n")),
        (module("a::inner"), File::read("use crate::b::Other;\npub struct Thing;\n")),
        (module("b"), File::read("// crate::a::Nothing\npub struct Other;\nfn f() { crate::a::Thing; }\n")),
    ]));
    assert_eq!(read.circles(), [BTreeSet::from([module("a::inner"), module("b")])]);
    assert_eq!(expand("a::{b, c::{self, d}}"), [module("a::b"), module("a::c"), module("a::c::d")]);
}
