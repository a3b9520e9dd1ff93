//! The committed manual pages and completions are current, and well formed. (That their examples run is in `printed.rs`.)

#![allow(clippy::unwrap_used, clippy::panic)]

use regex::Regex;
use std::cmp::Ordering;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tests::originals::{Originals, PROJECTS};
use tests::sandbox::artefact;
use tests::scratch::Scratch;
use tests::{document, needs, version};

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
fn the_page_of_nsenter_says_what_all_leaves_out_and_what_its_numbers_are() {
    let page = fs::read_to_string(document::tree().join("man/nsenter.1")).unwrap();
    let page = page.replace("\\-", "-").replace("\\(aq", "'").replace("\n.PP\n", "\n");
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "--all means every namespace of the process.",
        "--root and --wd without an argument take the target's.",
        "A target written PID:INODE is entered only if the process has that inode in the kernel's pidfs",
        "the inode is what fstat(2) says of a pidfd.",
        ":NSID in the place of a file is the 64-bit number of a namespace",
        "ioctl(2) NS_GET_ID tells it.",
    ] {
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
}

#[test]
fn the_version_names_originals_that_the_rows_are_compared_with() {
    let shown = run(artefact().unwrap().to_str().unwrap(), &["--version"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let newest = Originals::chosen().unwrap();
    for project in PROJECTS {
        let named = Regex::new(&format!("{project} ([0-9.]+)")).unwrap();
        let named = &named.captures(&shown).unwrap_or_else(|| panic!("no {project}: {shown}"))[1];
        // An original that was released since fails nothing.
        if let Some(there) = newest.versions.of(project).filter(|_| newest.are_newest()) {
            assert_ne!(version::compare(named, there), Ordering::Greater, "{project} {named}, but {there} is here");
        }
    }
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
fn the_shells_take_their_completions() {
    let completions = document::tree().join("completions");
    for (shell, file) in [("bash", "ctrbox.bash"), ("zsh", "_ctrbox"), ("fish", "ctrbox.fish")] {
        if needs::present(&[shell]) {
            let read = run(shell, &["-n", completions.join(file).to_str().unwrap()]);
            assert!(read.status.success(), "{shell}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

/// Command lines, and one word that is offered for the last of each: an option of every applet, and every kind of argument.
const COMPLETED: &[(&str, &str)] = &[
    ("ctrbox expl", "explain"),
    ("ctrbox nsen", "nsenter"),
    ("ctrbox man getp", "getpcaps"),
    ("ctrbox completion z", "zsh"),
    ("ctrbox explain unsh", "unshare"),
    ("ctrbox explain unshare --setgr", "--setgroups"),
    ("ctrbox capsh --addam", "--addamb="),
    ("ctrbox chroot --usersp", "--userspec"),
    ("ctrbox getcap -", "-r"),
    ("ctrbox getpcaps --leg", "--legacy"),
    ("ctrbox lsns --notr", "--notruncate"),
    ("ctrbox mount --make-rsh", "--make-rshared"),
    ("ctrbox mountpoint --nof", "--nofollow"),
    ("ctrbox nsenter --preserve-cr", "--preserve-credentials"),
    ("ctrbox pivot_root --ver", "--version"),
    ("ctrbox setcap --lic", "--license"),
    ("ctrbox setpriv --bounding-s", "--bounding-set"),
    ("ctrbox switch_root --ver", "--version"),
    ("ctrbox umount --la", "--lazy"),
    ("ctrbox unshare --propagation sl", "slave"),
    ("ctrbox unshare --propagation=pr", "private"),
    ("ctrbox unshare --wd /us", "/usr"),
    ("ctrbox setpriv --reuid=roo", "root"),
    ("ctrbox setpriv --regid=roo", "root"),
    ("ctrbox capsh --has-p=cap_sys_ch", "cap_sys_chroot"),
    ("ctrbox capsh --drop=cap_sys_ch", "cap_sys_chroot"),
    ("ctrbox capsh --drop=cap_kill,cap_sys_ch", "cap_kill,cap_sys_chroot"),
    ("ctrbox capsh --caps=cap_kill,cap_sys_ch", "cap_kill,cap_sys_chroot"),
    ("ctrbox capsh --iab=cap_sys_ch", "cap_sys_chroot"),
    ("ctrbox setpriv --inh-caps=-kill,+sys_ch", "-kill,+sys_chroot"),
    ("ctrbox setpriv --ambient-caps +sys_ch", "+sys_chroot"),
    ("ctrbox setpriv --bounding-set=-al", "-all"),
    ("ctrbox mount -t tmp", "tmpfs"),
    ("ctrbox mount -o ro,nosu", "ro,nosuid"),
    ("ctrbox doc", "doctor"),
    ("ctrbox shel", "shell"),
    ("ctrbox doctor --js", "--json"),
    ("ctrbox shell --tra", "--trace"),
    ("ctrbox setpriv --pdeathsig=TER", "TERM"),
    ("ctrbox setpriv --pdeathsig=cl", "clear"),
    ("ctrbox unshare --kill-child=TER", "TERM"),
    ("ctrbox unshare mountpoi", "mountpoint"),
    ("ctrbox unshare --propagation slave mountpoi", "mountpoint"),
    ("ctrbox explain setpriv --reuid 5 mountpoi", "mountpoint"),
    ("ctrbox chroot /us", "/usr"),
    ("ctrbox chroot / mountpoi", "mountpoint"),
];

/// Words that are not offered, since the command would refuse them.
const NOT_COMPLETED: &[(&str, &str)] =
    &[("ctrbox setpriv --pdeathsig=si", "signame"), ("ctrbox unshare --kill-child=EX", "EXIT")];

/// What a shell offers for the last word of a line, one a line, and perhaps with what stands before it in that word.
fn offered(shell: &str, line: &str) -> String {
    let bash = r#"
        . "$1"; words=${2//=/ = }; read -ra COMP_WORDS <<<"$words"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _ctrbox ctrbox; printf '%s\n' "${COMPREPLY[@]}""#;
    let zsh = r#"
        zmodload zsh/zpty; hits=$(mktemp); zpty z zsh -f -i
        zpty -w z "PS1= PS2= RPS1=; autoload -Uz compinit; compinit -u -D; . $1
        compadd() {
            local -a hits; local hit
            if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \"\$@\"; return; fi
            builtin compadd -A hits \"\$@\"; for hit in \$hits; do print -r -- \"\$IPREFIX\$hit\" >>$hits; done
            builtin compadd \"\$@\"
        }
        complete-and-tell() { zle expand-or-complete; print -r -- DO''NE }
        zle-line-init() { print -r -- REA''DY }
        zle -N complete-and-tell; zle -N zle-line-init; bindkey '^I' complete-and-tell"
        zpty -r z shown '*READY*'; zpty -w -n z "$2"$'\t'; zpty -r z shown '*DONE*'; zpty -d z; cat $hits; rm $hits"#;
    let fish = r#"source $argv[1]; complete -C $argv[2] | string replace -r '\t.*' ''"#;
    let (script, file) = match shell {
        "bash" => (bash, "ctrbox.bash"),
        "zsh" => (zsh, "_ctrbox"),
        _ => (fish, "ctrbox.fish"),
    };
    let file = document::tree().join("completions").join(file);
    let before: &[&str] = match shell {
        "bash" => &["-c", script, "bash"],
        "zsh" => &["-f", "-c", script, "zsh"],
        _ => &["--no-config", "-c", script],
    };
    let arguments = [before, &[file.to_str().unwrap(), line]].concat();
    String::from_utf8_lossy(&run(shell, &arguments).stdout).into_owned()
}

#[test]
fn each_shell_offers_options_and_what_their_arguments_can_be() {
    let mut wrong = Vec::new();
    for shell in ["bash", "zsh", "fish"] {
        if !needs::present(&[shell]) {
            continue;
        }
        for (line, word) in COMPLETED {
            let all = offered(shell, line);
            let found = |said: &str| {
                let value = said.split_once('=').map_or(said, |(_, value)| value);
                // zsh and fish put the sign, or the slash of a directory, there by themselves.
                [said, value].iter().any(|said| said.trim_end_matches('/') == word.trim_end_matches('='))
                    || said == *word
                    || said == word.trim_start_matches("/")
            };
            if !all.lines().any(found) {
                wrong.push(format!("{shell}: {line}: not {word}, but:\n{all}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_shell_offers_what_would_be_refused() {
    for shell in ["bash", "zsh", "fish"] {
        for (line, word) in NOT_COMPLETED.iter().filter(|_| needs::present(&[shell])) {
            let all = offered(shell, line);
            assert!(!all.lines().any(|said| said.ends_with(word)), "{shell}: {line}: {all}");
        }
    }
}

#[test]
fn fish_completes_the_program_that_a_link_runs_and_the_directory_before_it() {
    if !needs::present(&["fish"]) {
        return;
    }
    let scratch = Scratch::new("completion").unwrap();
    fs::copy(artefact().unwrap(), scratch.0.join("ctrbox")).unwrap();
    for applet in ["unshare", "chroot"] {
        std::os::unix::fs::symlink("ctrbox", scratch.0.join(applet)).unwrap();
    }
    let script = r#"
        set -x PATH $argv[2] $PATH; source $argv[1]
        for line in "unshare mountpoi" "unshare --wd / mountpoi" "unshare -r chroot / mountpoi" "chroot /us" "unshare --pro" "unshare -r chroot --users"
            complete -C $line | string replace -r '\t.*' ''
        end"#;
    let file = document::tree().join("completions/ctrbox.fish");
    let arguments = ["--no-config", "-c", script, file.to_str().unwrap(), scratch.0.to_str().unwrap()];
    let shown = run("fish", &arguments);
    let said = [shown.stdout, shown.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(said, ["mountpoint\nmountpoint\nmountpoint\n/usr/\n--propagation\n--userspec\n", ""]);
}

#[test]
fn bash_completes_an_applet_once_its_name_is_a_link_and_leaves_it_to_the_host_before() {
    let script = r#"
        _completion_loader() { _host() { COMPREPLY=("host $1"); }; complete -F _host "$1"; }
        . "$1"; links=$(mktemp -d); PATH=$links:$PATH
        try() { COMP_WORDS=(unshare --map-us); COMP_CWORD=1; _ctrbox_applet unshare --map-us unshare; echo "${COMPREPLY[*]}"; }
        try; ln -s "$2" $links/ctrbox; ln -s ctrbox $links/unshare; hash -r; try; rm $links/unshare; hash -r; try
        complete -p unshare; rm -r $links"#;
    let ours = artefact().unwrap();
    let file = document::tree().join("completions/ctrbox.bash");
    let shown = run("bash", &["-c", script, "bash", file.to_str().unwrap(), ours.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&shown.stdout);
    assert!(
        said.starts_with("host unshare\n--map-user --map-users\nhost unshare\n") && said.contains("_ctrbox_applet"),
        "{said}{}",
        String::from_utf8_lossy(&shown.stderr)
    );
}

#[test]
fn bash_ends_the_word_of_an_option_that_takes_a_value_with_the_sign() {
    assert_eq!(offered("bash", "ctrbox capsh --dro"), "--drop=\n--dropped=\n");
}

#[test]
fn every_script_has_its_line_in_the_index_and_every_line_its_script() {
    let scripts = document::tree().join("scripts");
    let mut there: Vec<String> =
        fs::read_dir(&scripts).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    there.retain(|name| name != "README.md");
    there.sort();
    let index = fs::read_to_string(scripts.join("README.md")).unwrap();
    let row = Regex::new(r"(?m)^\| `([\w-]+)` \| \w").unwrap();
    assert_eq!(row.captures_iter(&index).map(|row| row[1].to_string()).collect::<Vec<_>>(), there);
}

#[test]
fn the_workflows_of_a_forge_only_call_scripts_of_ours() {
    let tree = document::tree();
    let script = Regex::new(r"^(?:scripts|\.ci)/[\w-]+").unwrap();
    let claimed = fs::read_to_string(tree.join("Cargo.toml")).unwrap();
    let claimed = Regex::new("rust-version = \"(.*)\"").unwrap().captures(&claimed).unwrap()[1].to_string();
    let named = Regex::new("toolchain: \"(.*)\"").unwrap();
    let mut called = Vec::new();
    for entry in fs::read_dir(tree.join(".github/workflows")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for command in text.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("run: "))
        {
            match script.find(command) {
                Some(script) => called.push(script.as_str().to_string()),
                // What a forge's machine lacks before the source is there, and the forge's own client.
                None => assert!(command.starts_with("apt-get ") || command.starts_with("gh release "), "{command}"),
            }
        }
        assert!(named.captures_iter(&text).all(|named| named[1] == claimed), "another Rust than {claimed}");
    }
    assert!(called.len() >= 2 && called.iter().all(|script| tree.join(script).is_file()), "{called:?}");
}

#[test]
fn the_target_of_nsenter_is_a_process_with_other_namespaces() {
    if !needs::present(&["root"]) {
        return;
    }
    let mut other = Command::new(artefact().unwrap()).args(["unshare", "--uts", "sleep", "100"]).spawn().unwrap();
    let numbers = [other.id(), std::process::id()].map(|number| number.to_string());
    let mut wrong = Vec::new();
    for shell in ["bash", "zsh", "fish"] {
        // It may not have come to its namespace yet.
        let offers = |number: &str| {
            let (typed, _) = number.split_at(1);
            let line = format!("ctrbox nsenter --target {typed}");
            offered(shell, &line).lines().any(|line| line.trim() == number)
        };
        let begun = std::time::Instant::now();
        if needs::present(&[shell]) {
            while !offers(&numbers[0]) && begun.elapsed().as_secs() < 20 {}
            wrong.extend((!offers(&numbers[0]) || offers(&numbers[1])).then_some(shell));
        }
    }
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(wrong.is_empty(), "{wrong:?}: {numbers:?}");
}

#[test]
fn zsh_and_fish_complete_an_applet_once_its_name_is_a_link_and_leave_it_to_others_before() {
    let scratch = Scratch::new("completion").unwrap();
    let completions = document::tree().join("completions");
    fs::copy(artefact().unwrap(), scratch.0.join("ctrbox")).unwrap();
    // zsh finds the file by its first line, as it does where it is installed.
    let zsh = r#"
        hits=$2/hits; : >$hits; zmodload zsh/zpty; zpty z zsh -f -i
        zpty -w z "PS1= PS2= RPS1=; PATH=$2/bin:\$PATH; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D
        compadd() {
            local -a hits; local hit
            if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd \"\$@\"; return; fi
            builtin compadd -A hits \"\$@\"; for hit in \$hits; do print -r -- \"\$hit\" >>$hits; done
            builtin compadd \"\$@\"
        }
        complete-and-tell() { zle expand-or-complete; print -r -- DO''NE }
        zle-line-init() { print -r -- REA''DY }
        zle -N complete-and-tell; zle -N zle-line-init; bindkey '^I' complete-and-tell"
        zpty -r z shown '*READY*'; zpty -w -n z "unshare --map-us"$'\t'; zpty -r z shown '*DONE*'; zpty -d z
        grep -c -e --map-users $hits"#;
    // fish has none of its own for unshare, and then offers files.
    let fish = r#"
        set -x PATH $argv[2]/bin $PATH; source $argv[1]/ctrbox.fish
        complete -C "unshare --map-us" | grep -c -e --map-users"#;
    for (shell, script) in [("zsh", zsh), ("fish", fish)] {
        if !needs::present(&[shell]) {
            continue;
        }
        let offers = || {
            let before: &[&str] =
                if shell == "zsh" { &["-f", "-c", script, "zsh"] } else { &["--no-config", "-c", script] };
            let arguments = [before, &[completions.to_str().unwrap(), scratch.0.to_str().unwrap()]].concat();
            String::from_utf8_lossy(&run(shell, &arguments).stdout).trim() != "0"
        };
        let link = scratch.0.join("bin/unshare");
        fs::create_dir_all(scratch.0.join("bin")).unwrap();
        assert!(!offers(), "{shell}: of the host's");
        std::os::unix::fs::symlink("../ctrbox", &link).unwrap();
        assert!(offers(), "{shell}: not of ours");
        fs::remove_file(&link).unwrap();
        assert!(!offers(), "{shell}: of the host's again");
    }
}
