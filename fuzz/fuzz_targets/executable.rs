//! The head of a file that could not be executed may be anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::executable::{foreign, needed};

fuzz_target!(|head: &[u8]| {
    let _ = foreign(head);
    if let Some(interpreter) = needed(head) {
        assert!(!interpreter.path.is_empty());
    }
});
