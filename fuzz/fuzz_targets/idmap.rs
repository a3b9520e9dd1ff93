//! A map that is read is not empty and fits in 32 bits, and one id taken out of ranges is in no other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linux::idmap::{Extent, parse, text, with_single};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|input: (&[u8], u32, u32)| {
    let (specs, inner, outer) = input;
    let ranges: Vec<Extent> =
        specs.split(|&byte| byte == b' ').filter_map(|spec| parse(OsStr::from_bytes(spec))).take(8).collect();
    assert!(ranges.iter().all(|range| range.count > 0));
    let map = with_single(Extent { inner, outer, count: 1 }, &ranges);
    let holds = |extent: &Extent| (extent.inner..=extent.inner.saturating_add(extent.count - 1)).contains(&inner);
    assert_eq!(map.iter().filter(|extent| holds(extent)).count().min(1), 1);
    let _ = text(&map);
});
