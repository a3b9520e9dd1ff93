//! `mount` without a mount to make: what is mounted, one line each.

use super::args::Options;
use super::errors::{SYSTEM, no_mounts};
use super::source;
use cli::text::disarm;
use cli::{Outcome, Output, text};
use linux::mount::probe::{self, Probed};
use linux::mount::{loopdev, mountinfo, options, table, utab};
use linux::{directory, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Prints `SOURCE on TARGET type TYPE (OPTIONS)` for every mount that -t selects, in the kernel's order. Not inlined, as
/// [`super::all::mount_all`].
#[inline(never)]
pub fn list(wanted: &Options, output: &mut Output) -> Outcome {
    let kept = utab::read();
    let kept = kept.index();
    let types = wanted.types.as_ref().map(|types| types.as_bytes());
    let mut sources = Sources { with_labels: wanted.show_labels, ..Sources::default() };
    let mut show = |entry: &mountinfo::Entry<'_>| {
        if types.is_some_and(|types| !options::type_matches(entry.fstype_text(), types)) || is_ignored(entry) {
            return;
        }
        output.print_with(&mut |line| {
            let start = line.len();
            line.extend_from_slice(sources.pretty(entry));
            if entry.plain {
                line.extend_from_slice(entry.target);
            } else {
                line.extend_from_slice(&mountinfo::unescape(entry.target));
            }
            line.extend_from_slice(b" type ");
            line.extend_from_slice(entry.fstype);
            line.extend_from_slice(b" (");
            entry.append_options(line);
            let kept_options = kept.find(entry).map(|kept| &kept.options).filter(|options| !options.is_empty());
            if let Some(options) = kept_options {
                line.push(b',');
                line.extend_from_slice(options);
            }
            line.push(b')');
            line.extend_from_slice(&sources.label);
            if !entry.plain || kept_options.is_some() || wanted.show_labels {
                disarm(line, start);
            }
            line.push(b'\n');
        });
    };
    table::for_each(&mut show).map_err(|error| no_mounts(SYSTEM, error))?;
    Ok(0)
}

/// autofs says of itself that it is not to be listed.
fn is_ignored(entry: &mountinfo::Entry<'_>) -> bool {
    entry.fstype == b"autofs" && entry.super_options.split(|&byte| byte == b',').any(|word| word == b"ignore")
}

/// The beginnings of lines, `SOURCE on `, disarmed. Many mounts in a row have the same source: the last is remembered.
#[derive(Default)]
struct Sources {
    last: Option<Vec<u8>>,
    shown: Vec<u8>,
    with_labels: bool,
    /// The ends of the lines, ` [LABEL]` or nothing.
    label: Vec<u8>,
}

impl Sources {
    /// The backing file of a loop device that clears itself, the canonical path of another device, else the name.
    fn pretty(&mut self, entry: &mountinfo::Entry<'_>) -> &[u8] {
        if self.last.as_deref() != Some(entry.source) {
            self.last = Some(entry.source.to_vec());
            let plain = mountinfo::unescape(entry.source).into_owned();
            self.shown = match plain.first() {
                Some(b'/') if source::is_path_type(entry.fstype) => pretty(plain),
                _ => plain,
            };
            self.shown.extend_from_slice(b" on ");
            disarm(&mut self.shown, 0);
            if self.with_labels {
                self.label = label(entry).map_or_else(Vec::new, |label| text![" [", label, "]"]);
            }
        }
        &self.shown
    }
}

fn pretty(path: Vec<u8>) -> Vec<u8> {
    let path = OsString::from_vec(path);
    let path = directory::canonical_source(&path).unwrap_or(path);
    match loopdev::backing(&path) {
        // Where /sys cannot be read there may be no name.
        Some(backing) if backing.autoclear && !backing.file.is_empty() => backing.file.into_vec(),
        _ => path.into_vec(),
    }
}

fn label(entry: &mountinfo::Entry<'_>) -> Option<Vec<u8>> {
    let source = entry.source_text();
    if !stat::path(&source).is_ok_and(|stat| stat.is_block_device()) {
        return None;
    }
    match probe::device(OsStr::from_bytes(source.as_bytes())) {
        Ok(Probed::One(found)) => found.label().map(<[u8]>::to_vec),
        _ => None,
    }
}
