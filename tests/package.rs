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

/// The lines of README that take a release.
fn printed() -> String {
    let readme = fs::read_to_string(document::tree().join("README.md")).unwrap();
    let lines = document::listings(&readme).swap_remove(0);
    assert!(lines.starts_with("sha256sum --check"), "README does not begin with how to take a release: {lines}");
    lines
}

/// What scripts/build and scripts/fetch made for the other processor, where they did.
fn copy_of_foreign(tree: &std::path::Path) -> bool {
    let made = document::tree().join("target/aarch64");
    if cfg!(target_arch = "aarch64") || !made.join("ctrbox").exists() || !made.join("debian").exists() {
        return false;
    }
    let foreign = tree.join("target/aarch64");
    fs::create_dir_all(&foreign).unwrap();
    for name in ["ctrbox", "debian"] {
        std::os::unix::fs::symlink(fs::canonicalize(made.join(name)).unwrap(), foreign.join(name)).unwrap();
    }
    true
}

#[test]
fn two_trees_give_the_same_release_byte_for_byte_and_it_is_taken_as_readme_says() {
    if !needs::present(&["root", "dpkg-deb", "lintian", "cpio", "readelf", "busybox", "mksh"]) {
        return;
    }
    let scratch = Scratch::new("release").unwrap();
    let mut sums = Vec::new();
    for (tree, zone, mask) in [("one", "UTC", "022"), ("another/place", "Asia/Tokyo", "077")] {
        let tree = scratch.0.join(tree);
        copy_of_tree(&tree).unwrap();
        let arch = if copy_of_foreign(&tree) { "" } else { "--arch $(uname -m)" };
        let script = format!("umask {mask}; exec scripts/release --as-built {arch}");
        let made = run(Command::new("bash")
            .args(["-c", &script])
            .current_dir(&tree)
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .env("TZ", zone));
        let shown = String::from_utf8_lossy(&made.stderr);
        for step in ["release: packing for ", "release: images for "] {
            assert!(shown.contains(step), "it does not show what takes long\n{shown}");
        }
        sums.push(fs::read_to_string(tree.join("target/publish/SHA256SUMS")).unwrap());
    }
    assert_eq!(sums[0], sums[1]);
    let release = scratch.0.join("one/target/publish");
    let here = |script: &str| {
        let ran = run(Command::new("bash").args(["-ec", script]).current_dir(&release).env("HOME", &scratch.0));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    here("[ $(ls | wc -l) = $(($(wc -l <SHA256SUMS) + 1)) ]; sha256sum --check --strict SHA256SUMS");
    let list = here("dpkg-deb --contents *_$(dpkg --print-architecture).deb");
    assert!(list.contains("./usr/lib/ctrbox/bin/unshare -> ../../../bin/ctrbox"), "{list}");
    assert!(!list.contains("./usr/bin/unshare"), "it hides the host's own\n{list}");
    let lint = here("lintian --allow-root --fail-on error,warning *.deb");
    assert!(lint.is_empty(), "{lint}");
    let page = here(
        "dpkg-deb --extract *_$(dpkg --print-architecture).deb unpacked; unpacked/usr/bin/ctrbox man mount | grep -c '^.SH EXAMPLES'
         unpacked/usr/lib/ctrbox/bin/unshare --version | head -n 1; rm -r unpacked",
    );
    assert!(page.starts_with("1\nunshare "), "{page}");
    if needs::present(&["skopeo"]) {
        here("for tag in bare shell; do skopeo inspect oci-archive:$(echo *.oci.tar):$tag; done");
    }
    // README names the processor that most have.
    here(&printed().replace("x86_64", std::env::consts::ARCH));
    let used = here(
        "cd ctrbox-*-linux; ls; PATH=$PWD/lib/ctrbox/bin:$PATH unshare --uts sh -c 'hostname one; hostname'
         ~/.local/lib/ctrbox/bin/chroot / echo it runs
         ~/.local/bin/ctrbox man unshare | grep -c -e EXAMPLES -e 'EXIT STATUS' -e DIFFERENCES
         ./install --prefix ~/.local --uninstall; find ~/.local -not -type d",
    );
    assert_eq!(
        used,
        "CHANGELOG.md\nLICENSE-APACHE\nLICENSE-MIT\nLICENSES-THIRD-PARTY\nREADME.md\nbin\ninstall\nlib\nshare\none\nit runs\n3\n"
    );
}

#[test]
fn a_release_is_of_the_version_that_its_tag_names() {
    let release = |tag: &str| {
        let script = document::tree().join("scripts/release");
        let ran = Command::new(script).args(["--as-built", "--tag", tag]).output().unwrap();
        (ran.status.code(), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    let (status, said) = release("v0.0.0");
    assert_eq!(status, Some(1));
    assert!(said.contains("the tag is v0.0.0, the version in Cargo.toml"), "{said}");
}
