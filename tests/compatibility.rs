//! The rows of docs/compatibility.md are the option tables', and no option of an original (the newest, if none is chosen) is missing.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;
use tests::originals::Originals;
use tests::scratch::Scratch;
use tests::{document, sandbox};

/// The options of each applet, with what the document says of them.
fn rows() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(document::tree().join("docs/compatibility.md")).unwrap();
    let name = Regex::new("`(-[^`]+)`").unwrap();
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut applet = String::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            applet = heading.to_string();
            found.insert(applet.clone(), BTreeMap::new());
        } else if let Some(row) = line.strip_prefix("| `") {
            let mut cells = line.split(" | ");
            let (options, verdict) = (cells.next().unwrap(), cells.next().unwrap());
            assert!(["same", "better", "newer", "refused"].contains(&verdict), "{row}");
            let has_note = cells.next().is_some_and(|note| note.trim_end_matches('|').trim().len() > 3);
            assert!(has_note || ["same", "newer"].contains(&verdict), "no reason: {row}");
            for option in name.captures_iter(options) {
                found.get_mut(&applet).unwrap().insert(option[1].to_string(), verdict.to_string());
            }
        }
    }
    found
}

/// The options of an applet's table, as its manual page has them.
fn table(applet: &str) -> BTreeSet<String> {
    let page = Command::new(sandbox::artefact().unwrap()).args(["man", applet]).output().unwrap().stdout;
    let page = String::from_utf8(page).unwrap();
    let options = page.split(".SH ").find(|section| section.starts_with("OPTIONS")).unwrap_or_default();
    let names = Regex::new(r"(?m)^\\fB(.*?)\\fP").unwrap();
    names
        .captures_iter(options)
        .flat_map(|names| names[1].replace("\\-", "-").split(", ").map(str::to_string).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_option_of_every_table_has_its_row() {
    let rows = rows();
    for applet in document::names(&sandbox::artefact().unwrap()).unwrap().into_iter().skip(1) {
        let rows = rows.get(&applet).unwrap_or_else(|| panic!("docs/compatibility.md has no {applet}"));
        let here: BTreeSet<String> =
            rows.iter().filter(|(_, verdict)| *verdict != "refused").map(|(name, _)| name.clone()).collect();
        assert_eq!(here, table(&applet), "{applet}: left the document, right the table");
    }
}

#[test]
fn the_document_begins_with_a_table_of_what_is_not_the_same() {
    let text = fs::read_to_string(document::tree().join("docs/compatibility.md")).unwrap();
    let (mut applet, mut below) = ("", Vec::new());
    for line in text.lines() {
        applet = line.strip_prefix("## ").unwrap_or(applet);
        let is_same = line.contains(" | same |") || line.ends_with(" | newer | |");
        if line.starts_with("| `") && !is_same {
            below.push([&format!("| {applet} "), line].concat());
        }
    }
    let (head, _) = text.split_once("\n## ").unwrap();
    let first: Vec<&str> = head.lines().skip_while(|line| !line.starts_with("| ---")).skip(1).collect();
    let first: Vec<&str> = first.into_iter().take_while(|line| line.starts_with("| ")).collect();
    assert_eq!(first, below);
    assert!(head.contains("LD_PRELOAD"));
}

#[test]
fn no_option_in_the_help_of_an_original_is_left_out() {
    let option = Regex::new(r"(?m)^\s+(-[A-Za-z]|--[a-z][\w-]*)(?:, (--[a-z][\w-]*))?").unwrap();
    let made = Scratch::new("help").unwrap();
    let commands = made.0.join("commands");
    fs::create_dir(&commands).unwrap();
    Originals::chosen().unwrap().copy(&sandbox::APPLETS, &made.0, &commands).unwrap();
    for (applet, rows) in rows() {
        let original = commands.join(&applet);
        if !original.exists() {
            continue;
        }
        // Each of them prints its help for this and does nothing else.
        let help = Command::new(original).arg("--help").output().unwrap();
        let help = String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).to_string();
        assert!(help.contains("--help") || help.contains("-h"), "{applet}: {help}");
        for found in option.captures_iter(&help) {
            for name in found.iter().skip(1).flatten() {
                assert!(rows.contains_key(name.as_str()), "{applet}: no row for {}", name.as_str());
            }
        }
    }
}
