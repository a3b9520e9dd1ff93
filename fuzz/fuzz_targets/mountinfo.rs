//! A line that is read as a mount has its fields where a plain split at blanks finds them, and
//! escaping a path and undoing it gives the path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::mountinfo::{Entry, Table, escape, tree_backward, unescape};

fuzz_target!(|text: &[u8]| {
    assert_eq!(&*unescape(&escape(text)), text);
    if let Some(entry) = Entry::parse(text) {
        let words: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
        assert_eq!((entry.root, entry.target, entry.options), (words[3], words[4], words[5]));
        let dash = words.iter().skip(6).position(|word| *word == b"-").expect("a lone dash") + 6;
        assert_eq!((entry.fstype, entry.source), (words[dash + 1], words[dash + 2]));
        assert_eq!(entry.plain, !text.iter().any(|byte| *byte == b'\\' || byte.is_ascii_control()));
        let _ = entry.all_options();
    }
    let table = Table::from_text(text.to_vec());
    let entries: Vec<Entry<'_>> = table.entries().collect();
    for entry in entries.iter().take(8) {
        if let Ok(order) = tree_backward(&entries, entry.id) {
            assert!(order.len() <= entries.len());
        }
    }
});
