//! No applet lacks what each has: cases, a manual page, faults, hostile forms and the rest of `scripts/new-applet`.

#![allow(clippy::unwrap_used)]

use std::process::Command;
use tests::document::{names, tree};
use tests::sandbox::artefact;

#[test]
fn no_applet_lacks_what_scripts_new_applet_asks_for() {
    let names: Vec<String> = names(&artefact().unwrap()).unwrap().into_iter().skip(1).collect();
    assert_eq!(names, tests::sandbox::APPLETS, "ctrbox --list");
    let lacking = Command::new(tree().join("scripts/new-applet")).args(names).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&lacking.stdout), "");
    assert!(lacking.status.success(), "{lacking:?}");
}

#[test]
fn what_a_new_applet_lacks_is_told_with_the_file_to_touch() {
    let told = Command::new(tree().join("scripts/new-applet")).arg("nosuch").output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout);
    assert!(told.lines().count() > 10 && told.lines().all(|line| line.starts_with("nosuch: ")), "{told}");
}
