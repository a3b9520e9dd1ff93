//! The committed manual pages and completions are current, well formed, and their examples run.

#![allow(clippy::unwrap_used, clippy::panic)]

use regex::Regex;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tests::sandbox::{Accounts, Side, Stage, artefact};
use tests::{document, needs};

/// What is there when an example begins: a root file system with a static busybox in it.
const ROOTFS: &str = "
set -e
mkdir -p rootfs/bin rootfs/proc rootfs/dev
cp /bin/busybox rootfs/bin/busybox
for name in sh ls id cat mount; do ln -s busybox rootfs/bin/$name; done
";

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

#[test]
fn what_is_committed_is_what_the_tables_and_texts_make() {
    for (path, text) in document::all(&artefact().unwrap()).unwrap() {
        let committed = fs::read_to_string(document::tree().join(&path)).unwrap_or_default();
        assert!(committed == text, "{} is not current: scripts/documents writes it", path.display());
    }
}

#[test]
fn nothing_else_is_committed_beside_them() {
    let documents = document::all(&artefact().unwrap()).unwrap();
    for directory in ["man", "completions"] {
        for entry in fs::read_dir(document::tree().join(directory)).unwrap() {
            let name = entry.unwrap().file_name();
            let path = Path::new(directory).join(&name);
            assert!(name == "source" || documents.contains_key(&path), "{} belongs to no applet", path.display());
        }
    }
}

#[test]
fn every_test_that_the_list_of_old_wounds_names_is_there() {
    let text = fs::read_to_string(document::tree().join("docs/security.md")).unwrap();
    let read =
        |path: String| fs::read_to_string(document::tree().join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let named = Regex::new(r#"`([\w-]+\.toml)`, "([^"]+)"|`([\w-]+\.rs)`, `(\w+)`|faults row "([^"]+)""#).unwrap();
    let mut count = 0;
    for found in named.captures_iter(&text) {
        let part = |index| found.get(index).map(|part| part.as_str());
        let (file, words) = match (part(1), part(3)) {
            (Some(cases), _) => (format!("tests/cases/{cases}"), format!("name = {:?}", part(2).unwrap())),
            (_, Some(source)) => (format!("tests/{source}"), format!("fn {}()", part(4).unwrap())),
            _ => ("tests/faults.toml".to_string(), format!("name = {:?}", part(5).unwrap())),
        };
        assert!(read(file.clone()).contains(&words), "{file} has no {words}");
        count += 1;
    }
    let wounds = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).count() - 1;
    assert!(wounds >= 20 && count >= 15, "{wounds} rows name {count} tests");
}

#[test]
fn mandoc_finds_nothing_wrong_with_the_pages() {
    if !needs::present(&["mandoc"]) {
        return;
    }
    for path in document::all(&artefact().unwrap()).unwrap().into_keys().filter(|path| path.starts_with("man")) {
        let lint = run("mandoc", &["-Tlint", document::tree().join(&path).to_str().unwrap()]);
        let said = String::from_utf8_lossy(&lint.stdout);
        assert!(said.is_empty() && lint.status.success(), "{said}");
    }
}

#[test]
fn every_page_has_the_sections_that_a_reader_looks_for() {
    for (path, text) in document::all(&artefact().unwrap()).unwrap() {
        for heading in ["DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "DIFFERENCES", "SEE ALSO"] {
            let has = !path.starts_with("man") || text.contains(&format!(".SH {heading}\n"));
            assert!(
                has || (heading == "OPTIONS" && text.contains("takes no options")),
                "{}: no {heading}",
                path.display()
            );
        }
    }
}

#[test]
fn every_example_runs() {
    let Ok(stage) = Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))) else { panic!("no stage") };
    if !nix::unistd::geteuid().is_root() || !needs::present(&["busybox"]) {
        return;
    }
    for name in document::names(&artefact().unwrap()).unwrap() {
        let examples = document::examples(&document::manual(&name).unwrap());
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let run = stage.run(Side::Ours, Accounts::Host, &[ROOTFS, &example].concat()).unwrap();
            assert_eq!(run.status, 0, "{name}: {example}\n{}{}", run.stdout, run.stderr);
            assert!(run.left.is_empty(), "{name}: {example}\nleaves {:?}", run.left);
        }
    }
}

#[test]
fn the_shells_take_their_completions() {
    let completions = document::tree().join("completions");
    for (shell, file) in [("bash", "ctrbox.bash"), ("zsh", "_ctrbox"), ("fish", "ctrbox.fish")] {
        if needs::present(&[shell]) {
            let read = run(shell, &["-n", completions.join(file).to_str().unwrap()]);
            assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let script = "
        . \"$1\"; shift
        COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1))
        _ctrbox \"$1\"; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let file = document::tree().join("completions/ctrbox.bash");
    let mut arguments = vec!["-c", script, "bash", file.to_str().unwrap()];
    arguments.extend(words);
    String::from_utf8_lossy(&run("bash", &arguments).stdout).lines().map(str::to_string).collect()
}

#[test]
fn bash_completes_options_and_what_their_arguments_can_be() {
    assert_eq!(offered(&["unshare", "--prop"]), ["--propagation"]);
    assert_eq!(offered(&["unshare", "--propagation", "sl"]), ["slave"]);
    assert_eq!(offered(&["unshare", "--propagation", "=", "p"]), ["private"]);
    assert_eq!(offered(&["capsh", "--dro"]), ["--drop=", "--dropped="]);
    assert_eq!(offered(&["capsh", "--drop", "=", "cap_sys_ch"]), ["cap_sys_chroot"]);
    assert_eq!(offered(&["ctrbox", "nsen"]), ["nsenter"]);
    assert_eq!(offered(&["ctrbox", "unshare", "--setgr"]), ["--setgroups"]);
    assert_eq!(offered(&["ctrbox", "completion", "z"]), ["zsh"]);
    assert!(offered(&["getpcaps", "1"]).contains(&"1".to_string()));
    assert!(offered(&["unshare", "--wd", "/us"]).contains(&"/usr".to_string()));
}
