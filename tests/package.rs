//! What is installed and packaged: where it goes, that it works there, and that it is the same bytes
//! wherever and whenever it is made.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::process::Command;
use tests::scratch::{Scratch, copy_of_tree, run};
use tests::{document, needs, sandbox};

fn names() -> Vec<String> {
    document::names(&sandbox::artefact().unwrap()).unwrap().into_iter().filter(|name| name != "ctrbox").collect()
}

#[test]
fn what_is_installed_works_and_all_of_it_can_be_removed() {
    let scratch = Scratch::new("install").unwrap();
    copy_of_tree(&scratch.0.join("tree")).unwrap();
    for how in [None, Some("--symlinks")] {
        let prefix = scratch.0.join("prefix");
        let install = || {
            let mut command = Command::new(scratch.0.join("tree/scripts/install"));
            command.args(["--prefix", prefix.to_str().unwrap()]);
            command
        };
        run(install().args(how));
        for name in names() {
            let link = prefix.join("lib/ctrbox/bin").join(&name);
            assert_eq!(fs::symlink_metadata(&link).unwrap().is_symlink(), how.is_some(), "{name}");
            // Some originals have no --help; each says its name.
            let help = Command::new(&link).arg("--help").output().unwrap();
            let said = String::from_utf8_lossy(&[help.stdout, help.stderr].concat()).to_string();
            assert!(said.contains(&name), "{name}: {said}");
        }
        run(install().arg("--uninstall"));
        let left = run(Command::new("find").arg(&prefix).args(["-not", "-type", "d", "-or", "-name", "ctrbox"])).stdout;
        assert!(left.is_empty(), "{}", String::from_utf8_lossy(&left));
    }
}

#[test]
fn to_remove_one_installation_leaves_the_links_of_another_program() {
    let scratch = Scratch::new("two").unwrap();
    let (prefix, tree) = (scratch.0.join("prefix"), scratch.0.join("tree"));
    copy_of_tree(&tree).unwrap();
    let install = || {
        let mut command = Command::new(tree.join("scripts/install"));
        command.arg("--prefix").arg(&prefix);
        command
    };
    run(&mut install());
    let another = scratch.0.join("ctrbox");
    fs::copy(sandbox::artefact().unwrap(), &another).unwrap();
    let links = prefix.join("lib/ctrbox/bin");
    run(Command::new(&another).args(["--install", "-s", "--force"]).arg(&links));
    run(install().arg("--uninstall"));
    assert!(names().iter().all(|name| links.join(name).exists()));
    run(Command::new(&another).arg("--uninstall").arg(&links));
    assert!(!prefix.join("lib/ctrbox").exists());
}

#[test]
fn cargo_installs_the_program_and_it_makes_its_links() {
    if !needs::present(&["root"]) {
        return;
    }
    let scratch = Scratch::new("cargo").unwrap();
    let root = scratch.0.join("root");
    // With what was built before, so that it is not built anew each time.
    run(Command::new("cargo")
        .args(["install", "--quiet", "--locked", "--path", ".", "--target-dir", "target/install", "--root"])
        .arg(&root)
        .current_dir(document::tree()));
    let links = root.join("lib/ctrbox/bin");
    run(Command::new(root.join("bin/ctrbox")).arg("--install").arg(&links));
    for name in names() {
        let help = run(Command::new(root.join("bin/ctrbox")).args(["man", &name])).stdout;
        assert!(String::from_utf8_lossy(&help).starts_with(".TH"), "{name}");
        assert!(links.join(&name).is_file(), "{name}");
    }
    let ran = run(Command::new(links.join("chroot")).args(["/", "sh", "-c", "echo it runs"])).stdout;
    assert_eq!(ran, b"it runs\n");
}

#[test]
fn two_trees_give_the_same_packages_byte_for_byte() {
    if !needs::present(&["dpkg-deb", "lintian"]) {
        return;
    }
    let scratch = Scratch::new("package").unwrap();
    let mut sums = Vec::new();
    for (tree, zone, mask) in [("one", "UTC", "022"), ("another/place", "Asia/Tokyo", "077")] {
        let tree = scratch.0.join(tree);
        copy_of_tree(&tree).unwrap();
        let script = format!("umask {mask}; exec scripts/package");
        run(Command::new("bash")
            .args(["-c", &script])
            .current_dir(&tree)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .env("TZ", zone));
        sums.push(run(Command::new("bash").args(["-c", "cd target/package && sha256sum *"]).current_dir(&tree)).stdout);
    }
    assert_eq!(String::from_utf8_lossy(&sums[0]), String::from_utf8_lossy(&sums[1]));
    let package = scratch.0.join("one/target/package");
    run(Command::new("bash").args(["-c", "sha256sum --check --quiet *.sha256"]).current_dir(&package));
    let list = run(Command::new("bash").args(["-c", "dpkg-deb --contents *.deb"]).current_dir(&package)).stdout;
    let list = String::from_utf8_lossy(&list).to_string();
    assert!(list.contains("./usr/lib/ctrbox/bin/unshare -> ../../../bin/ctrbox"), "{list}");
    assert!(!list.contains("./usr/bin/unshare"), "it hides the host's own\n{list}");
    let lint = run(Command::new("bash")
        .args(["-c", "lintian --allow-root --fail-on error,warning *.deb"])
        .current_dir(&package));
    assert!(lint.stdout.is_empty(), "{}", String::from_utf8_lossy(&lint.stdout));
}
