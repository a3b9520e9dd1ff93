//! What stands for the arguments of options and for operands: the usual, and what nobody expects.

use proptest::prelude::*;
use proptest::sample::select;

/// A word of a command line.
pub type Word = Vec<u8>;

/// One of these.
pub fn one_of(words: &[&str]) -> BoxedStrategy<Word> {
    select(words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>()).boxed()
}

/// Mostly the first, at times something nobody expects.
pub fn mostly(usual: BoxedStrategy<Word>) -> BoxedStrategy<Word> {
    prop_oneof![24 => usual, 1 => hostile()].boxed()
}

/// Words that were not thought of.
pub fn hostile() -> BoxedStrategy<Word> {
    let mut words: Vec<Word> = [
        "",
        " ",
        "\n",
        "-",
        "--",
        "-x",
        "=",
        ",",
        ":",
        "/",
        "//",
        ".",
        "..",
        "0",
        "-1",
        "1",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "0x10",
        "010",
        " 1",
        "1 ",
        "+1",
        "\\",
        "#",
        "%s",
        "a=b",
        "A,B",
        "all",
        "none",
        "\u{e9}",
        "\\040",
        "loop",
        "dangling",
        "missing",
        "missing/x",
        "a/../d",
        "a//b/",
        "./a/",
        "pipe",
        "f",
        "f/",
        "*",
        "'",
        "\"",
    ]
    .map(|word| word.as_bytes().to_vec())
    .into();
    words.extend([b"\xff\xfe".to_vec(), vec![b'n'; 256], vec![b'p'; 5000]]);
    select(words).boxed()
}

/// A list of words joined by a separator.
pub fn list(words: BoxedStrategy<Word>, separator: &'static str, most: usize) -> BoxedStrategy<Word> {
    proptest::collection::vec(words, 1..=most).prop_map(move |words| words.join(separator.as_bytes())).boxed()
}

/// Directories, by every kind of path.
pub fn directory() -> BoxedStrategy<Word> {
    let usual = one_of(&["a", "a/b", "d", "/here/a", "/here/d", "/here/a/b", "/mnt", "a/b/c"]);
    let rarer = one_of(&[
        "link",
        "link/b",
        "whole",
        "./d",
        "a/",
        "/here/../here/d",
        "with space",
        "back\\slash",
        "hash#",
        "new\nline",
        "/",
        "/here",
        "/proc",
        "/run",
        "/tmp",
        "f",
        "filelink",
        "/here/f",
        "comma,dir",
        "/dev/null",
        "/here/link",
        "missing",
        "rootfs",
    ]);
    mostly(prop_oneof![4 => usual, 1 => rarer].boxed())
}

/// Files and directories.
pub fn file() -> BoxedStrategy<Word> {
    let usual = one_of(&["f", "x", "a/f", "/here/x", "filelink", "/here/f", "a/one"]);
    prop_oneof![3 => usual, 1 => directory()].boxed()
}

/// A user or a group.
pub fn id() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0",
        "1000",
        "1",
        "7",
        "root",
        "ordinary",
        "nobody",
        "daemon",
        "65534",
        "+5",
        "inner",
        "extra",
        "adm",
        "99999",
        "-1",
        "4294967294",
        "4294967295",
        "0x1",
        "ordinary ",
        "nosuch",
    ]))
}

/// A process.
pub fn process() -> BoxedStrategy<Word> {
    prop_oneof![
        12 => one_of(&["2", "3", "1", "2", "3"]),
        2 => one_of(&["4", "5", "99999", "0", "-1", "self", "1x", "", " 2", "2147483648", "+2", "02", "2:", "2:1"]),
        1 => hostile()
    ]
    .boxed()
}

/// A file of a namespace.
pub fn namespace() -> BoxedStrategy<Word> {
    let of = (
        one_of(&["/proc/2", "/proc/3", "/proc/self", "/proc/1", "/proc/9"]),
        one_of(&["mnt", "uts", "user", "pid", "net", "ipc", "cgroup", "time"]),
    )
        .prop_map(|(process, kind)| [process, b"/ns/".to_vec(), kind].concat())
        .boxed();
    prop_oneof![4 => of, 1 => process(), 1 => file()].boxed()
}

/// A map of ids.
pub fn id_map() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0:0:1",
        "0:1000:1",
        "0:1000:5",
        "1000:0:1",
        "0:0:4294967295",
        "0,0,1",
        "0,1000,10",
        "auto",
        "all",
        "subids",
        "0:0:0",
        "0:1000",
        "inner:outer:1",
        "0:1:2:3",
        "1000",
        "0:0:1 1:1:1",
        "0:-1:1",
        "5:5:5",
        "0:4294967295:1",
        "0::1",
        "u:0:0:1",
        "b:0:1000:1",
        "g:0:1000:3",
    ]))
}

/// Numbers.
pub fn number() -> BoxedStrategy<Word> {
    mostly(one_of(&[
        "0",
        "1",
        "2",
        "-1",
        "10",
        "1000",
        "0x1",
        "07",
        "0x2f",
        "3600",
        "99999999999999999999",
        "1.5",
        "x",
    ]))
}
