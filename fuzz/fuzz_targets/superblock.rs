//! No beginning of a device makes probing read past it. What lies further on is the input, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::probe::{HEAD, probe};

/// Where signatures are: the input is put there, so that it need not grow to be found.
const PLACES: [usize; 6] = [0, 3, 510, 1024, 32_768, 65_536];

fuzz_target!(|input: (u8, &[u8])| {
    let (place, text) = input;
    let at = PLACES[usize::from(place) % PLACES.len()];
    let mut head = vec![0; HEAD];
    let length = text.len().min(HEAD - at);
    head[at..at + length].copy_from_slice(&text[..length]);
    let read = |offset: u64, buffer: &mut [u8]| {
        let length = text.len().min(buffer.len());
        buffer[..length].copy_from_slice(&text[..length]);
        let _ = offset;
        length
    };
    let _ = probe(&head, &read);
    let _ = probe(text, &read);
});
