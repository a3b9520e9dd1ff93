//! What is installed and packaged: where it goes, that it works there, and that it is the same bytes
//! wherever and whenever it is made.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tests::{document, needs, sandbox};

/// A directory that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("ctrbox-package-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
    output
}

/// A copy of what packages are made from, with the binary that is tested.
fn copy_of_tree(to: &Path) {
    fs::create_dir_all(to.join("target")).unwrap();
    for name in
        ["scripts", "man", "completions", "LICENSE-MIT", "LICENSE-APACHE", "README.md", "Cargo.toml", "sbom.cdx.json"]
    {
        run(Command::new("cp").arg("-r").arg(document::tree().join(name)).arg(to));
    }
    run(Command::new("cp").arg(sandbox::artefact().unwrap()).arg(to.join("target/ctrbox")));
}

fn names() -> Vec<String> {
    document::names(&sandbox::artefact().unwrap()).unwrap().into_iter().filter(|name| name != "ctrbox").collect()
}

#[test]
fn what_is_installed_works_and_all_of_it_can_be_removed() {
    let scratch = Scratch::new("install");
    copy_of_tree(&scratch.0.join("tree"));
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
        let left = run(Command::new("find").arg(&prefix).args(["-not", "-type", "d"])).stdout;
        assert!(left.is_empty(), "{}", String::from_utf8_lossy(&left));
    }
}

#[test]
fn two_trees_give_the_same_packages_byte_for_byte() {
    if !needs::present(&["ar", "xz"]) {
        return;
    }
    let scratch = Scratch::new("same");
    let mut sums = Vec::new();
    for (tree, zone, mask) in [("one", "UTC", "022"), ("another/place", "Asia/Tokyo", "077")] {
        let tree = scratch.0.join(tree);
        copy_of_tree(&tree);
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
    if needs::present(&["dpkg-deb"]) {
        let list = run(Command::new("bash").args(["-c", "dpkg-deb --contents *.deb"]).current_dir(&package)).stdout;
        let list = String::from_utf8_lossy(&list).to_string();
        assert!(list.contains("./usr/lib/ctrbox/bin/unshare -> ../../../bin/ctrbox"), "{list}");
        assert!(!list.contains("./usr/bin/unshare"), "it hides the host's own\n{list}");
    }
    if needs::present(&["lintian"]) {
        let lint = run(Command::new("bash")
            .args(["-c", "lintian --allow-root --fail-on error,warning *.deb"])
            .current_dir(&package));
        assert!(lint.stdout.is_empty(), "{}", String::from_utf8_lossy(&lint.stdout));
    }
}

#[test]
fn images_are_the_same_wherever_they_are_made_and_containers_run_from_them() {
    if !needs::present(&["busybox", "cpio", "file"]) {
        return;
    }
    let scratch = Scratch::new("image");
    let mut sums = Vec::new();
    for (tree, mask) in [("one", "022"), ("another/place", "077")] {
        let tree = scratch.0.join(tree);
        copy_of_tree(&tree);
        run(Command::new("bash").args(["-c", &format!("umask {mask}; exec scripts/image")]).current_dir(&tree));
        sums.push(fs::read_to_string(tree.join("target/image/SHA256SUMS")).unwrap());
    }
    assert_eq!(sums[0], sums[1]);
    let oci = scratch.0.join("one/target/image/oci");
    let reference = |tag: &str| format!("{}:{tag}", oci.display());
    if needs::present(&["skopeo"]) {
        for tag in ["bare", "shell"] {
            run(Command::new("skopeo").args(["inspect", &["oci:", &reference(tag)].concat()]));
        }
    }
    if !needs::present(&["root", "umoci", "runc", "python3"]) {
        return;
    }
    let bundle = scratch.0.join("bundle");
    run(Command::new("umoci").args(["unpack", "--image", &reference("shell")]).arg(&bundle));
    let adapt = "
import json, sys
config = json.load(open('config.json'))
process = config['process']
process['terminal'] = False
process.pop('rlimits', None)
process['args'] = ['/bin/sh', '-c', 'unshare --uts sh -c \"hostname in; hostname\"; capsh --print | head -n 1; mountpoint /proc']
for name in process['capabilities']:
    process['capabilities'][name] = ['CAP_CHOWN', 'CAP_SYS_ADMIN']
json.dump(config, open('config.json', 'w'))";
    run(Command::new("python3").args(["-c", adapt]).current_dir(&bundle));
    let name = format!("ctrbox-test-{}", std::process::id());
    // What runc mounts goes with these namespaces.
    let ran = Command::new("unshare")
        .args(["-m", "-p", "-f", "--kill-child", "--mount-proc", "runc", "run", &name])
        .current_dir(&bundle)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).to_string();
    assert!(ran.status.success(), "{said}");
    for line in ["in", "Current: cap_chown,cap_sys_admin=eip", "/proc is a mountpoint"] {
        assert!(said.lines().any(|it| it == line), "no '{line}' in\n{said}");
    }
}

#[test]
fn the_initramfs_boots_and_powers_off() {
    if cfg!(not(target_arch = "x86_64"))
        || !needs::present(&["qemu-system-x86_64", "busybox", "cpio", "file", "kernel"])
    {
        return;
    }
    let scratch = Scratch::new("boot");
    copy_of_tree(&scratch.0);
    let booted = run(Command::new(scratch.0.join("scripts/image")).arg("--boot").args(needs::kernel())).stdout;
    let said = String::from_utf8_lossy(&booted).to_string();
    assert!(said.contains("proc on /proc type proc") && said.contains("Power down"), "{said}");
}
