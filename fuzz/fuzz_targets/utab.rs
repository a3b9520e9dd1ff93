//! Whatever is read from utab is written as lines that read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::utab::Table;

fuzz_target!(|text: &[u8]| {
    let table = Table::parse(text);
    let mut written = Vec::new();
    for entry in &table.entries {
        entry.append_to(&mut written);
    }
    let again = Table::parse(&written);
    assert_eq!(again.entries.len(), table.entries.len());
    for (one, other) in table.entries.iter().zip(&again.entries) {
        assert_eq!((&one.target, &one.source, &one.options), (&other.target, &other.source, &other.options));
    }
});
