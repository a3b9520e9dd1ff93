//! What the manual pages, README and docs print is run as it is printed, where damage would show.

#![allow(clippy::unwrap_used, clippy::panic)]

use regex::Regex;
use std::fs;
use std::path::Path;
use std::process::Command;
use tests::sandbox::{Accounts, Run, Side, Stage, artefact};
use tests::scratch::{Scratch, copy_of_tree};
use tests::{document, needs};

/// What is there when an example of a page begins: a root file system with a static busybox in it.
const ROOTFS: &str = "
mkdir -p rootfs/bin rootfs/proc rootfs/sys rootfs/dev
cp /bin/busybox rootfs/bin/busybox
for name in sh ls id cat mount umount rmdir; do ln -s busybox rootfs/bin/$name; done
";

/// The commands that change the mounts or the root of whoever shares the caller's mount namespace.
const CHANGE_MOUNTS: [&str; 4] = ["mount", "umount", "pivot_root", "switch_root"];

fn stage() -> Stage {
    Stage::new(Path::new(env!("CARGO_BIN_EXE_sandbox"))).unwrap()
}

/// Runs what is printed in a shell that goes on afterwards, and gives what it did, and what of the shell's
/// surroundings is another than before: its root and directories, mounts, namespaces, capabilities, names.
fn pasted(stage: &Stage, accounts: Accounts, before: &str, printed: &str) -> (Run, String) {
    let script = [
        "seen() {
            exec 3>/dev/null; stat -c '%n %d:%i' / .; ls -Al --time-style=+ . /mnt; uname -n
            sed 's/^[0-9]* [0-9]* //' /proc/self/mountinfo; ls -l --time-style=+ /proc/self/ns; grep Cap /proc/self/status
        }\n",
        before,
        "seen >/run/before 2>&1\n",
        printed,
        "\nstatus=$?\n",
        "exec </dev/null; seen >/run/after 2>&1\n",
        "diff /run/before /run/after >/run/changed || { echo; echo CHANGED; echo before and after:; cat /run/changed; }; exit $status\n",
    ]
    .concat();
    let mut run = stage.run(Side::Ours, accounts, &script).unwrap();
    let changed = run.stdout.split_once("\nCHANGED\n").map(|(_, changed)| changed.to_string()).unwrap_or_default();
    run.stdout.truncate(run.stdout.find("\nCHANGED\n").unwrap_or(run.stdout.len()));
    (run, changed)
}

/// The commands of a script that change mounts, and are not in quotes, as what `unshare` runs is.
fn unguarded(script: &str) -> Vec<String> {
    let outside = Regex::new("(?s)'[^']*'").unwrap().replace_all(script, "''").into_owned();
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().trim_start_matches("sudo ").to_string();
    outside.split(['\n', ';', '&', '|']).map(first).filter(|word| CHANGE_MOUNTS.contains(&word.as_str())).collect()
}

#[test]
fn every_example_of_a_page_runs_as_printed_and_leaves_everything_as_it_was() {
    if !needs::present(&["root", "busybox"]) {
        return;
    }
    let stage = stage();
    let mut wrong = Vec::new();
    for name in document::names(&artefact().unwrap()).unwrap() {
        let examples = document::examples(&document::manual(&name).unwrap());
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            let (run, changed) = pasted(&stage, Accounts::Host, ROOTFS, &example);
            if run.status != 0 || !changed.is_empty() || !run.left.is_empty() || !unguarded(&example).is_empty() {
                let Run { status, stdout, stderr, left, .. } = run;
                wrong.push(format!("{name}: {example}\n{status} {stdout}{stderr}changed: {changed} left: {left:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_example_that_changed_the_shell_it_is_pasted_into_would_be_noticed() {
    if !needs::present(&["root", "busybox"]) {
        return;
    }
    let stage = stage();
    for dangerous in [
        "mount --bind rootfs rootfs; mkdir rootfs/old; cd rootfs; pivot_root . old",
        "mount --bind rootfs rootfs; unshare --mount switch_root $PWD/rootfs /bin/sh -c 'ls /'",
        "mount -t tmpfs tmpfs /mnt",
        "mkdir left",
        "hostname other",
    ] {
        let (_, changed) = pasted(&stage, Accounts::Host, ROOTFS, dangerous);
        // Without its root the shell cannot even say so.
        let (control, _) = pasted(&stage, Accounts::Host, ROOTFS, "true");
        assert!(!changed.is_empty(), "{dangerous}");
        assert_eq!(control.status, 0);
    }
    assert_eq!(unguarded("mount a b\nunshare -m sh -c '\numount a'; umount b"), ["mount", "umount"]);
}

#[test]
fn a_page_shows_an_example_letter_by_letter() {
    if !needs::present(&["mandoc"]) {
        return;
    }
    let overstruck = Regex::new(".\x08").unwrap();
    for (path, _) in
        document::all(&artefact().unwrap()).unwrap().into_iter().filter(|(path, _)| path.starts_with("man"))
    {
        let page = document::tree().join(&path);
        let shown = Command::new("mandoc").args(["-Tutf8", "-Owidth=100"]).arg(page).output().unwrap().stdout;
        let shown = overstruck.replace_all(&String::from_utf8(shown).unwrap(), "").into_owned();
        let name = path.file_stem().unwrap().to_string_lossy();
        for line in document::examples(&document::manual(&name).unwrap()).iter().flat_map(|example| example.lines()) {
            assert!(shown.lines().any(|it| it.trim_start() == line), "{}: {line}\n{shown}", path.display());
        }
    }
}

/// The recipes of docs/cookbook.md: what each needs, and lines that it prints (regular expressions).
const RECIPES: [(&str, &[&str], &[&str]); 10] = [
    (
        "A rootless container with a network of its own",
        &["user", "ip", "ping"],
        &["^inside@.* 10.0.0.2/24", " 0% packet loss"],
    ),
    ("Look into a pod's network with the host's tools", &["ip"], &["^lo .*DOWN", "^State"]),
    ("Join a container wholly", &["pgrep"], &["^bin$", "^ +1 .* sleep$"]),
    ("A read-only tree", &[], &["^refused", "^written"]),
    ("An idmapped bind mount", &[], &["disk/file is owned by 0:0", "home/file is owned by 1000:1000"]),
    ("An initramfs by hand", &["cpio", "busybox"], &["^proc on /proc type proc"]),
    ("pivot_root", &[], &["^bin$", "^/mnt:$", "/rootfs / rw"]),
    ("File capabilities, from a build to an image", &["tar"], &["unpacked/bin/listen cap_net_bind_service=ep", "OK$"]),
    ("A shell without a dangerous capability", &[], &["^no modules", "^no mounts", "!cap_sys_admin"]),
    ("Landlock, by setpriv", &["user", "landlock"], &["^written", "^refused"]),
];

#[test]
fn every_recipe_of_the_cookbook_runs_as_printed_does_what_it_says_and_leaves_everything_as_it_was() {
    if !needs::present(&["root", "python3"]) {
        return;
    }
    let scratch = Scratch::new("cookbook").unwrap();
    copy_of_tree(&scratch.0).unwrap();
    let text = fs::read_to_string(document::tree().join("docs/cookbook.md")).unwrap();
    let mut parts = text.split("\n## ");
    let [made] = &document::listings(parts.next().unwrap())[..] else {
        panic!("one listing makes the root file system")
    };
    let told = tests::scratch::run(Command::new("bash").args(["-ec", made]).current_dir(&scratch.0)).stdout;
    let stage = stage();
    let bound = format!("mkdir rootfs; mount --bind {}/rootfs rootfs\n", scratch.0.display());
    let told = String::from_utf8(told).unwrap();
    // What is proposed when the root file system is made begins a shell in it, which has nothing to read here.
    let proposed: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    assert!(told.starts_with("rootfs: made rootfs: bash, ") && proposed.len() == 3, "{told}");
    for line in proposed {
        let (run, changed) = pasted(&stage, Accounts::Host, &bound, line);
        assert!(run.status == 0 && changed.is_empty() && unguarded(line).is_empty(), "{line}: {run:?} {changed}");
    }
    let parts: Vec<&str> = parts.collect();
    let titles: Vec<&str> = parts.iter().filter_map(|part| part.lines().next()).collect();
    assert_eq!(titles, RECIPES.map(|(title, ..)| title));
    let mut wrong = Vec::new();
    for (part, (title, needs, lines)) in parts.iter().zip(RECIPES) {
        let [recipe] = &document::listings(part)[..] else { panic!("{title} is not one listing") };
        if !needs::present(needs) {
            continue;
        }
        let as_user = if needs.contains(&"user") { "$ORDINARY " } else { "" };
        let before = format!(
            "mkdir -p here/rootfs; cd here; chown 1000:1000 .; mount --bind {}/rootfs rootfs\n\
             cat >/run/recipe <<'END OF RECIPE'\n{recipe}END OF RECIPE\n",
            scratch.0.display()
        );
        let paste = format!("{as_user}bash -e /run/recipe");
        let (run, changed) = pasted(&stage, Accounts::Subordinate, &before, &paste);
        let missing = lines.iter().filter(|line| !run.stdout.lines().any(|it| Regex::new(line).unwrap().is_match(it)));
        let missing: Vec<_> = missing.collect();
        let harmless = unguarded(recipe).is_empty() && changed.is_empty() && run.left.is_empty();
        if run.status != 0 || !harmless || !missing.is_empty() {
            let Run { status, stdout, stderr, left, .. } = run;
            wrong.push(format!("{title}: {status} {stdout}{stderr}missing: {missing:?} {changed} {left:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The lines that are not run here: what they begin with, and why. (A shell's lines; a listing that is none is told
/// by its first line.)
const ELSEWHERE: [(&str, &str); 21] = [
    ("scripts/tutorial", "tests/transcript plays it, and scripts/test the whole"),
    ("scripts/test ", "it runs this test"),
    ("cargo test", "scripts/test runs all of them"),
    ("scripts/build", "scripts/test builds with it what is tested here"),
    ("scripts/package", "package.rs: in another copy of the tree, for it takes a while"),
    ("scripts/release", "package.rs, the same"),
    ("sha256sum", "package.rs, as printed, on a release that was made there"),
    ("tar -xzf ctrbox-", "package.rs, as printed"),
    ("ctrbox-0.1.0-x86_64-linux/install", "package.rs, as printed"),
    ("scripts/image --install-deps", "image.rs makes and boots the images"),
    ("scripts/image --shell", "it leaves the prompt to who reads; image.rs boots the same"),
    ("scripts/image --arch", "image.rs makes them for both processors, where what it needs was fetched"),
    ("sudo apt-get", "it fetches packages"),
    ("skopeo inspect oci:target/image", "image.rs, as printed"),
    ("sudo umoci unpack", "image.rs, as printed"),
    ("sudo runc run", "image.rs, as printed"),
    ("skopeo --override-arch arm64 inspect", "image.rs, where the other processor's programs are"),
    ("skopeo copy", "it needs a registry"),
    ("[[case]]", "a row, not a command"),
    ("name = ", "a row, not a command"),
    ("run = ", "a row, not a command"),
];

/// What is at hand for README and docs: a copy of the tree, an empty home, and a /usr/local in memory.
const CLONE: &str = "
export HOME=$PWD/home USER=root
mkdir home
mount -t tmpfs tmpfs /usr/local
cd TREE
";

#[test]
fn every_line_of_readme_and_docs_runs_as_printed_or_is_known_to_run_elsewhere() {
    if !needs::present(&["root", "sudo", "man"]) {
        return;
    }
    let scratch = Scratch::new("printed").unwrap();
    copy_of_tree(&scratch.0).unwrap();
    let stage = stage();
    let tree = document::tree();
    let docs = fs::read_dir(tree.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| tree.join(name)).into_iter().chain(docs);
    let mut listed = std::collections::BTreeSet::new();
    let mut count = 0;
    for page in pages.filter(|page| page.extension().is_some_and(|it| it == "md") && !page.ends_with("cookbook.md")) {
        let text = fs::read_to_string(&page).unwrap();
        assert!(!text.contains("```"), "{}: listings are indented, so that they are found", page.display());
        let mut script = CLONE.replace("TREE", &scratch.0.display().to_string());
        for line in document::listings(&text).iter().flat_map(|listing| listing.lines()) {
            match ELSEWHERE.iter().find(|(start, _)| line.starts_with(start)) {
                Some((start, _)) => drop(listed.insert(*start)),
                None => {
                    count += 1;
                    script.extend([line, "\n", "status=$?; [ $status = 0 ] || exit $status\n"]);
                }
            }
        }
        let run = stage.run(Side::Ours, Accounts::Host, &script).unwrap();
        assert!(
            run.status == 0 && run.left.is_empty(),
            "{}: {}{} {:?}",
            page.display(),
            run.stdout,
            run.stderr,
            run.left
        );
    }
    assert!(count >= 8, "{count} lines");
    for (start, why) in ELSEWHERE {
        assert!(listed.contains(start), "no line begins with {start} any more ({why})");
    }
}

#[test]
fn a_long_step_shows_that_it_goes_on_and_what_it_printed_only_if_it_fails() {
    let scratch = Scratch::new("steadily").unwrap();
    let said = scratch.0.join("said");
    let run = |script: &str| {
        let mut steadily = Command::new(document::tree().join("scripts/steadily"));
        steadily.args(["waiting", "sh", "-c", script]).current_dir(&scratch.0).stderr(fs::File::create(&said).unwrap());
        (steadily.status().unwrap().code(), fs::read_to_string(&said).unwrap())
    };
    // It goes on until it has seen that this is shown.
    let (status, said) = run("echo detail; until grep -q 'waiting [.][.]' said; do sleep 0.1; done; exit 3");
    assert_eq!(status, Some(3));
    assert!(said.starts_with("waiting ..") && said.ends_with("\ndetail\n"), "{said}");
    let (status, said) = run("echo detail");
    assert_eq!(status, Some(0));
    assert!(said.starts_with("waiting ") && !said.contains("detail"), "{said}");
}
