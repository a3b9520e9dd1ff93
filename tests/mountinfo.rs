//! The kernel's own table of mounts whose paths and sources hold every byte there is: each is read back as it was.
//! Needs root.

#![allow(clippy::unwrap_used, clippy::panic)]

use linux::mount::table::Table;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

const NOTHING: Option<&str> = None;

/// Every byte alone and between others, what looks like an escape, and mixtures from a generator with a fixed seed.
fn names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = (1..=255_u8).map(|byte| vec![b'a', byte, b'b']).collect();
    names.extend((1..=255_u8).filter(|byte| *byte != b'.').map(|byte| vec![byte]));
    names.extend(["\\040", "\\043", "#\\043", "a\\", "\\134040", "##", "  ", "\n\n"].map(|name| name.into()));
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    const LIKELY: &[u8] = b" \t\n\\#043a\xff\xc3";
    for _ in 0..200 {
        let length = 1 + next() % 40;
        names.push((0..length).map(|_| LIKELY.get(next() % LIKELY.len()).copied().unwrap_or(b'x')).collect());
    }
    names.retain(|name| !name.contains(&b'/'));
    names.sort();
    names.dedup();
    names
}

#[test]
fn any_bytes_in_a_path_and_a_source_are_read_back_as_they_were() {
    if !tests::needs::present(&["root"]) {
        return;
    }
    // A mount namespace of this thread's own.
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NOTHING, "/", NOTHING, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NOTHING).unwrap();
    let top =
        fs::canonicalize(nix::unistd::mkdtemp(&std::env::temp_dir().join("ctrbox-test.XXXXXX")).unwrap()).unwrap();
    mount(Some("top"), &top, Some("tmpfs"), MsFlags::empty(), NOTHING).unwrap();
    for name in names() {
        let target = top.join(OsStr::from_bytes(&name));
        fs::create_dir(&target).unwrap();
        // A source may hold a slash, too, and is no path.
        let source = OsString::from_vec([b"s/", name.as_slice()].concat());
        mount(Some(source.as_os_str()), &target, Some("tmpfs"), MsFlags::empty(), NOTHING).unwrap();
        let bound = target.join("of");
        let root = target.join(OsStr::from_bytes(&name));
        fs::create_dir(&root).unwrap();
        fs::create_dir_all(&bound).unwrap();
        mount(Some(&root), &bound, NOTHING, MsFlags::MS_BIND, NOTHING).unwrap();
        check(&target, &bound, &source, &name);
        umount2(&target, MntFlags::MNT_DETACH).unwrap();
    }
    umount2(&top, MntFlags::MNT_DETACH).unwrap();
    fs::remove_dir(&top).unwrap();
}

fn check(target: &Path, bound: &Path, source: &OsStr, name: &[u8]) {
    let table = Table::read_from(OsStr::new("/proc/thread-self/mountinfo")).unwrap();
    let entry = table.find_target(target.as_os_str()).unwrap_or_else(|| panic!("{target:?} is not found"));
    assert_eq!(entry.target_path(), target, "{target:?}");
    assert_eq!(entry.source_text(), source, "{target:?}");
    assert!(entry.is_from(source), "{target:?}");
    assert_eq!(table.entries().filter(|other| other.is_on(target.as_os_str())).count(), 1, "{target:?}");
    let entry = table.find_target(bound.as_os_str()).unwrap_or_else(|| panic!("{bound:?} is not found"));
    assert_eq!(entry.root_path().as_bytes(), [b"/", name].concat(), "{bound:?}");
}
