//! What holds for every input of every parser, whoever wrote it: cargo-fuzz looks for inputs for which
//! it does not (`scripts/fuzz`), and a test tries those of fuzz/seeds.

// A property that does not hold panics, and what makes it panic is the finding.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use cli::columns::filter::Filter;
use cli::columns::{Cell, Column, Columns, Shape};
use cli::regex::Regex;
use cli::{Invocation, Output};
use linux::mount::mountinfo::{Entry, escape, unescape};
use linux::mount::options::{Options, matches, type_matches};
use linux::mount::probe::{CacheEntry, Disk, HEAD, Place, Probed, entry, search, table, types};
use linux::mount::table::tree_backward;
use linux::mount::{fstab, table, utab};
use linux::namespace::idmap;
use linux::namespace::idmap::{Extent, with_single};
use linux::{accounts, caps};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// A property of one parser; it panics where it does not hold.
pub type Property = fn(&[u8]);

/// Every property, by the name of its fuzz target and of its folder in fuzz/seeds.
pub const ALL: [(&str, Property); 15] = [
    ("accounts", accounts),
    ("blkid_tab", blkid_tab),
    ("captext", captext),
    ("command_line", command_line),
    ("executable", executable),
    ("filecap", filecap),
    ("filter", filter),
    ("fstab", fstab),
    ("iab", iab),
    ("idmap", idmap),
    ("mountinfo", mountinfo),
    ("options", options),
    ("regex", regex),
    ("superblock", superblock),
    ("utab", utab),
];

/// An expression is one or is refused with a line; what it says of a row is the opposite of what its negation says, and the
/// same each time. Behind a NUL are the row's text and its number.
pub fn filter(input: &[u8]) {
    static COLUMNS: Columns = cli::columns!(&[
        Column::new("NAME", Shape::Left, 0),
        Column::new("ID", Shape::Number, 0),
        Column::new("NONE", Shape::Size, 0),
    ]);
    let mut parts = input.splitn(3, |&byte| byte == 0);
    let expression = parts.next().unwrap_or_default();
    let cells: [Cell; 3] = [parts.next().map(<[u8]>::to_vec), parts.next().map(<[u8]>::to_vec), None];
    let accepts = |filter: &Filter| filter.accepts(&mut |field| cells.get(field).cloned().flatten());
    match Filter::parse(expression, COLUMNS) {
        Err(line) => assert!(!line.is_empty()),
        Ok(filter) => {
            let told = accepts(&filter);
            assert_eq!(accepts(&filter), told);
            // One level deeper may be too deep.
            if let Ok(negated) = Filter::parse(&[b"!(", expression, b")"].concat(), COLUMNS) {
                assert_eq!(accepts(&negated), told.map(|told| !told));
            }
        }
    }
}

/// An extended regular expression, with the text that it is tried on behind a NUL: a group of its own changes nothing, a
/// pattern of letters is found where it is, and one from beginning to end is found nowhere else.
pub fn regex(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let (pattern, text) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(regex) = Regex::new(pattern) else { return };
    let is_found = regex.matches(text);
    // A parenthesis that nothing opens is a character like others, and would end the group.
    if !pattern.contains(&b')')
        && let Ok(grouped) = Regex::new(&[b"(", pattern, b")"].concat())
    {
        assert_eq!(grouped.matches(text), is_found);
    }
    if !pattern.is_empty() && pattern.iter().all(u8::is_ascii_alphanumeric) {
        assert_eq!(text.windows(pattern.len()).any(|part| part == pattern), is_found);
        let whole = Regex::new(&[b"^", pattern, b"$"].concat()).expect("letters between anchors");
        assert_eq!(whole.matches(text), text == pattern);
    }
}

/// Each line of passwd, group and subuid is an entry or is passed over, and what is read is in the line.
pub fn accounts(text: &[u8]) {
    for line in text.split(|&byte| byte == b'\n') {
        let field = line.trim_ascii_start().split(|&byte| byte == b':').next().unwrap_or_default();
        if let Some(user) = accounts::parse_user(line) {
            assert_eq!(user.name, field);
        }
        if let Some(group) = accounts::parse_group(line) {
            assert_eq!(group.name, field);
            let members = line.splitn(4, |&byte| byte == b':').nth(3).unwrap_or_default();
            let names = || members.split(|&byte| byte == b',');
            for name in names().chain([members, field, b"a"]) {
                let is_listed = !name.is_empty() && names().any(|member| member.trim_ascii_start() == name);
                assert_eq!(group.has_member(name), is_listed);
            }
        }
        if let Some(range) = accounts::parse_range(line) {
            assert!(range.count > 0 && range.start.checked_add(range.count - 1).is_some());
        }
    }
}

/// Whatever is read as a capability text prints as one that reads back as the same sets, and whatever is
/// not is pointed at within the text. The first byte is how many capabilities the kernel has.
pub fn captext(input: &[u8]) {
    let Some((count, text)) = input.split_first() else { return };
    let count = count % 65;
    match caps::parse(text, count) {
        Ok(sets) => {
            let printed = caps::print(&sets, count);
            assert_eq!(caps::parse(printed.as_bytes(), count), Ok(sets), "{printed}");
            // All 64 are what `=` meant in the years of the classic text.
            let classic = caps::print_classic(&sets);
            assert_eq!(caps::parse(classic.as_bytes(), 64), Ok(sets), "{classic}");
        }
        Err(error) => assert!(error.offset + error.length <= text.len()),
    }
}

/// Every applet reads any command line and makes its plan of it, without carrying it out. NUL separates
/// the applet's name and the arguments.
pub fn command_line(input: &[u8]) {
    // As the kernel's, arguments are there until the process ends.
    let mut words = input.to_vec().leak().split(|&byte| byte == 0).map(OsStr::from_bytes);
    let Some(applet) = words.next().and_then(applets::find) else { return };
    let args: Vec<&OsStr> = words.collect();
    let invocation = Invocation::new(applet, OsStr::new(applet.name), &args);
    match (applet.explain)(&invocation, &mut Output::default()) {
        Ok(Some(story)) => assert!(!story.steps.is_empty()),
        Ok(None) => {}
        Err(failure) => assert!(failure.status != 0, "{}", applet.name),
    }
}

/// The head of a file that could not be executed may be anything; an interpreter it names is in it.
pub fn executable(head: &[u8]) {
    let _ = linux::executable::foreign(head);
    if let Some(interpreter) = linux::executable::needed(head) {
        let path = interpreter.path.as_bytes();
        assert!(!path.is_empty() && head.windows(path.len()).any(|window| window == path));
    }
}

/// Whatever is read as a file's capabilities is written as a value that reads back as the same.
pub fn filecap(value: &[u8]) {
    if let Ok(file) = caps::file::decode(value) {
        let written = caps::file::encode(&file).expect("what a value says is all or nothing");
        assert_eq!(caps::file::decode(&written), Ok(file));
    }
}

/// Each line of fstab is an entry, is reported, or is blank or a comment.
pub fn fstab(text: &[u8]) {
    let mut table = fstab::Fstab::default();
    table.add_text(text, OsStr::new("fstab"));
    let lines = text.split(|&byte| byte == b'\n').count();
    assert!(table.entries.len() + table.bad_lines.len() <= lines);
    assert!(table.bad_lines.iter().all(|(_, line)| (1..=lines).contains(line)));
}

/// Whatever is read as an IAB tuple prints as one that reads back as the same, and whatever is not is
/// pointed at within the text.
pub fn iab(text: &[u8]) {
    match caps::parse_iab(text) {
        Ok(iab) => assert_eq!(caps::parse_iab(iab.print(64).as_bytes()), Ok(iab)),
        Err(error) => assert!(error.offset + error.length <= text.len()),
    }
}

/// A map that is read is not empty and fits in 32 bits, and one id taken out of ranges is in no other.
/// Four bytes are the id inside, four the one outside, and ranges follow, with blanks between them.
pub fn idmap(input: &[u8]) {
    let Some((ids, specs)) = input.split_first_chunk::<8>() else { return };
    let [a, b, c, d, e, f, g, h] = *ids;
    let (inner, outer) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let read = specs.split(|&byte| byte == b' ').filter_map(|spec| idmap::parse(OsStr::from_bytes(spec)));
    let ranges: Vec<Extent> = read.take(8).collect();
    assert!(ranges.iter().all(|range| range.count > 0));
    let map = with_single(Extent { inner, outer, count: 1 }, &ranges);
    let last = |first: u32, count: u32| first.checked_add(count - 1).expect("a range fits in 32 bits");
    let with_inner = map.iter().filter(|range| (range.inner..=last(range.inner, range.count)).contains(&inner));
    let with_outer = map.iter().filter(|range| (range.outer..=last(range.outer, range.count)).contains(&outer));
    assert_eq!((with_inner.count(), with_outer.count()), (1, 1), "{map:?}");
    assert_eq!(idmap::text(&map).split(|&byte| byte == b'\n').count(), map.len() + 1);
}

/// A line that is read as a mount has its fields where a plain split at blanks finds them, and escaping a
/// path and undoing it gives the path.
pub fn mountinfo(text: &[u8]) {
    assert_eq!(&*unescape(&escape(text)), text);
    if let Some(entry) = Entry::parse(text) {
        let words: Vec<&[u8]> = text.split(|&byte| byte == b' ').collect();
        assert_eq!((entry.root, entry.target, entry.options), (words[3], words[4], words[5]));
        let dash = words.iter().skip(6).position(|word| *word == b"-").expect("a lone dash") + 6;
        assert_eq!((entry.fstype, entry.source), (words[dash + 1], words[dash + 2]));
        assert_eq!(entry.plain, text.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\'));
        let _ = entry.all_options();
    }
    let table = table::Table::from_text(text.to_vec());
    let entries: Vec<Entry<'_>> = table.entries().collect();
    for entry in entries.iter().take(8) {
        if let Ok(order) = tree_backward(&entries, entry.id) {
            assert!(order.len() <= entries.len());
        }
    }
}

/// Whatever is read as options is written as a list that reads back as the same, and taking repetitions
/// out twice changes no more than doing it once. Behind a NUL stands what the options are compared with.
pub fn options(input: &[u8]) {
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let (text, other) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let _ = type_matches(OsStr::from_bytes(text), other);
    let Ok(mut options) = Options::parse(text) else { return };
    assert_eq!(Options::parse(&options.to_text()), Ok(options.clone()));
    options.imply_user_flags();
    options.deduplicate();
    let once = options.clone();
    options.deduplicate();
    assert_eq!(options, once);
    let _ = (options.attributes_for_remount(), options.mount_flags(), options.propagation(), options.data());
    let _ = (options.for_helper(), options.for_utab(true), options.read_only());
    options.0.iter().for_each(|option| drop(option.plain_value()));
    let _ = matches(&options, other);
}

/// Whatever is read from blkid's cache is written as a line that reads back as the same.
pub fn blkid_tab(text: &[u8]) {
    for line in text.split(|&byte| byte == b'\n') {
        let Some(entry) = CacheEntry::parse(line) else { continue };
        let mut written = Vec::new();
        entry.append_to(&mut written);
        assert_eq!(CacheEntry::parse(&written), Some(entry));
    }
}

/// Nothing outside of a device is read, and what is found has a name. The first byte says where the rest is put, so that
/// it need not grow to be where a signature is; the second one how large the device is.
pub fn superblock(input: &[u8]) {
    const PLACES: [usize; 7] = [0, 3, 510, 1024, 4086, 32_768, 65_536];
    let Some((place, text)) = input.split_first() else { return };
    let at = PLACES[usize::from(*place) % PLACES.len()];
    let mut head = vec![0; HEAD];
    let length = text.len().min(HEAD - at);
    head[at..at + length].copy_from_slice(&text[..length]);
    let size = HEAD as u64 * (1 + u64::from(text.first().copied().unwrap_or(0)));
    // What lies further on is the input, too.
    let padded = |offset: u64, buffer: &mut [u8]| {
        assert!(offset + buffer.len() as u64 <= size);
        for (index, byte) in buffer.iter_mut().enumerate() {
            let place = offset as usize + index;
            *byte = head.get(place).or(text.get(place % (text.len() + 1))).copied().unwrap_or(0);
        }
        buffer.len()
    };
    let plain = |offset: u64, buffer: &mut [u8]| {
        assert!(offset + buffer.len() as u64 <= text.len() as u64);
        buffer.copy_from_slice(&text[offset as usize..offset as usize + buffer.len()]);
        buffer.len()
    };
    for disk in [Disk::new(&padded, size), Disk::new(&plain, text.len() as u64)] {
        let all = search(&disk, &|_| true);
        for found in &all {
            assert!(types().any(|known| known == found.fstype));
            assert!(found.values.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
        }
        let mut found = table(&disk, &mut Probed::of(all));
        for place in [Place { start: 64, size: 256 }, Place { start: 576, size: 256 }, Place { start: 0, size: 0 }] {
            let _ = entry(&disk, place, &mut found);
        }
        assert!(found.values.iter().all(|(_, value)| !value.is_empty()));
    }
}

/// Whatever is read from utab is written as lines that read back as the same.
pub fn utab(text: &[u8]) {
    let table = utab::Utab::parse(text);
    let mut written = Vec::new();
    for entry in &table.entries {
        entry.append_to(&mut written);
    }
    let again = utab::Utab::parse(&written);
    assert_eq!(again.entries.len(), table.entries.len());
    for (one, other) in table.entries.iter().zip(&again.entries) {
        assert_eq!((&one.target, &one.source, &one.options), (&other.target, &other.source, &other.options));
    }
}
