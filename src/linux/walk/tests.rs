use super::*;
use crate::caps::file::FileCapabilities;
use std::sync::Mutex;

/// A directory that is removed when dropped.
struct Tree(std::path::PathBuf);

impl Tree {
    fn new(name: &str) -> Tree {
        let path = std::env::temp_dir().join(format!("ctrbox-walk-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Tree(path)
    }

    fn walk(&self, walk: Walk) -> Vec<(String, Found)> {
        let root = open(self.0.as_os_str()).unwrap();
        let found = Mutex::new(Vec::new());
        super::walk(root, b"T", walk, &|path, what| {
            found.lock().unwrap().push((String::from_utf8(path.to_vec()).unwrap(), what));
        });
        found.into_inner().unwrap()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const EVERYTHING: Walk = Walk { one_file_system: false, everything: true };

#[test]
fn a_directory_comes_before_what_is_in_it_and_after_its_elder_siblings() {
    let mut paths = ["a/b", "a", "a.b", "a/b/c", "a-", "b"];
    paths.sort_by(|a, b| order(a.as_bytes(), b.as_bytes()));
    assert_eq!(paths, ["a", "a/b", "a/b/c", "a-", "a.b", "b"]);
}

#[test]
fn everything_is_told_of_in_order_and_links_are_not_followed() {
    let tree = Tree::new("everything");
    std::fs::create_dir(tree.0.join("b")).unwrap();
    for file in ["b/2", "b/1", "c", "a"] {
        std::fs::write(tree.0.join(file), "").unwrap();
    }
    std::os::unix::fs::symlink("b", tree.0.join("link")).unwrap();
    let found = tree.walk(EVERYTHING);
    let names: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["T/a", "T/b", "T/b/1", "T/b/2", "T/c", "T/link"]);
    assert_eq!(found[1].1, Found::NotRegular);
    assert_eq!(found[2].1, Found::Nothing);
    assert_eq!(found[5].1, Found::NotRegular);
}

#[test]
fn files_without_capabilities_are_not_told_of() {
    let tree = Tree::new("nothing");
    std::fs::write(tree.0.join("a"), "").unwrap();
    assert_eq!(tree.walk(Walk::default()), []);
}

#[test]
fn a_tree_deeper_than_directories_can_be_kept_open_is_walked_to_its_end() {
    let tree = Tree::new("deep");
    let mut directory = Arc::new(crate::directory::open(tree.0.as_os_str()).unwrap());
    let depth = 400;
    for _ in 0..depth {
        for name in [c"directory", c"sibling"] {
            nix::sys::stat::mkdirat(directory.as_ref(), name, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }
        directory = Arc::new(entries::open_directory(directory.as_fd(), c"directory").unwrap());
    }
    let found = tree.walk(EVERYTHING);
    assert_eq!(found.len(), 2 * depth);
    let last = "T".to_string() + &"/directory".repeat(depth);
    assert!(found.iter().any(|(path, _)| *path == last));
}

#[test]
fn a_large_tree_is_walked_by_several_threads_and_whole() {
    let tree = Tree::new("large");
    let mut given = 0;
    for directory in 0..40 {
        let path = tree.0.join(format!("{directory:02}"));
        std::fs::create_dir(&path).unwrap();
        for file in 0..100 {
            std::fs::write(path.join(file.to_string()), "").unwrap();
        }
        let deeper = path.join("deeper");
        std::fs::create_dir(&deeper).unwrap();
        std::fs::write(deeper.join("file"), "").unwrap();
        let file = crate::caps::file::File::open(deeper.join("file").as_os_str()).unwrap();
        let sets = crate::caps::Sets { permitted: crate::caps::CapSet(1), ..Default::default() };
        // Without privilege none has any, and none is found.
        given += usize::from(file.set(&FileCapabilities { sets, rootid: 0 }).is_ok());
    }
    assert_eq!(tree.walk(Walk::default()).len(), given);
    assert_eq!(tree.walk(EVERYTHING).len(), 40 * 103);
}

#[test]
fn what_waits_above_a_deep_directory_is_walked_after_it() {
    let tree = Tree::new("above");
    let mut path = tree.0.clone();
    for _ in 0..40 {
        for name in ["left", "right"] {
            std::fs::create_dir(path.join(name)).unwrap();
            std::fs::create_dir(path.join(name).join("leaf")).unwrap();
        }
        path.push("left");
    }
    let found = tree.walk(EVERYTHING);
    assert_eq!(found.len(), 40 * 4);
    assert_eq!(found.last().unwrap().0, "T/right/leaf");
}
