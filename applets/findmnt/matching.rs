//! Which file systems are wanted.

use super::options::Options;
use super::tables::Filesystem;
use linux::directory::{absolute_as_typed, canonical};
use linux::mount::filesystems::{is_network, is_pseudo};
use linux::mount::options::{self, type_matches};
use linux::mount::probe::NamedDevice;
use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What is wanted.
pub struct Matcher<'a> {
    options: &'a Options,
    /// A mount point, as it was typed, and where that leads.
    target: Option<(Vec<u8>, Option<Vec<u8>>)>,
    source: Option<&'a OsStr>,
    inverts: bool,
    /// The device that the source means.
    device: OnceCell<Option<NamedDevice>>,
}

impl<'a> Matcher<'a> {
    pub fn new(options: &'a Options) -> Matcher<'a> {
        // As mount looks a line of fstab up: the first with this source, else the first with this target. -i does not
        // invert that.
        let is_as_mount = options.first_only && options.source.is_some() && options.types.or(options.options).is_none();
        let inverts = options.invert && !is_as_mount;
        let (source, device) = (options.source, OnceCell::new());
        let mut matcher = Matcher { options, target: None, source, inverts, device };
        matcher.set_target(options.target.map(OsStr::as_bytes));
        matcher
    }

    /// Whether what was given as a source may be meant as a target.
    pub fn can_swap(&self) -> bool {
        self.source.is_some() && self.target.is_none() && !self.options.no_swap
    }

    /// The same, but what was given as a source is the target.
    pub fn swapped(&self) -> Matcher<'a> {
        let mut matcher = Matcher { source: None, device: OnceCell::new(), target: None, ..*self };
        matcher.set_target(self.source.map(OsStr::as_bytes));
        matcher
    }

    fn set_target(&mut self, target: Option<&[u8]>) {
        let Some(target) = target else { return };
        let leads_to = if self.options.as_typed { None } else { canonical(OsStr::from_bytes(target)).ok() };
        self.target = Some((target.to_vec(), leads_to.map(OsString::into_encoded_bytes)));
    }

    /// With --target, if it is no mount point, the file system is meant whose mount point is the last one on the way to it.
    pub fn climb(&mut self, table: &[Filesystem<'_>]) {
        let Some((typed, leads_to)) = &self.target else { return };
        let path = leads_to.as_ref().unwrap_or(typed).clone();
        let is_typed = |filesystem: &Filesystem<'_>| is_same_path(&filesystem.target(), typed);
        if linux::stat::path(OsStr::from_bytes(&path)).is_err() || table.iter().any(is_typed) {
            return;
        }
        let mut lines: Vec<(OsString, &Filesystem<'_>)> = Vec::new();
        for line in table {
            lines.extend(self.leads_to(line).map(|path| (path, line)));
        }
        let mut top = path.as_slice();
        loop {
            let prefix = if top.is_empty() { b"/" } else { top };
            let absolute = self.options.as_typed.then(|| absolute_as_typed(OsStr::from_bytes(prefix)));
            let prefix = absolute.as_ref().map_or(prefix, |path| path.as_bytes());
            let written = table.iter().rev().find(|filesystem| is_same_path(&filesystem.target(), prefix));
            let leading = || lines.iter().find(|(path, _)| path.as_bytes() == prefix).map(|(_, line)| *line);
            if let Some(found) = written.or_else(leading) {
                let target = found.target();
                return self.set_target(Some(&target));
            }
            if top.is_empty() {
                return;
            }
            let slash = top.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            top = top.get(..slash).unwrap_or_default();
        }
    }

    /// Where the target of a line leads: in fstab it may be a link, or a path from the working directory. That of swap
    /// space is no path.
    fn leads_to(&self, filesystem: &Filesystem<'_>) -> Option<OsString> {
        if self.options.as_typed || filesystem.line.is_none() || *filesystem.fstype() == *b"swap" {
            return None;
        }
        canonical(OsStr::from_bytes(&filesystem.target())).ok()
    }

    /// Whether one is wanted. `is_shadowed` is asked for with --shadowed.
    pub fn wants(&self, filesystem: &Filesystem<'_>, is_shadowed: bool) -> bool {
        self.is_match(filesystem, is_shadowed) != self.inverts
    }

    fn is_match(&self, filesystem: &Filesystem<'_>, is_shadowed: bool) -> bool {
        let wanted = self.options;
        if !self.is_target(filesystem)
            || !self.is_source(filesystem)
            || wanted.device.is_some_and(|device| filesystem.entry.device != device || filesystem.line.is_some())
            || wanted.id.is_some_and(|id| u64::from(filesystem.entry.id) != id)
            || wanted.unique.is_some_and(|unique| filesystem.unique != unique)
        {
            return false;
        }
        let fstype = filesystem.fstype();
        if wanted.types.is_some_and(|types| !type_matches(OsStr::from_bytes(&fstype), types.as_bytes())) {
            return false;
        }
        if let Some(list) = wanted.options {
            let own = options::Options::parse(&filesystem.options().unwrap_or_default()).unwrap_or_default();
            if !options::matches(&own, list.as_bytes()) {
                return false;
            }
        }
        if wanted.df && !wanted.all {
            // What is in memory counts.
            if fstype.windows(5).any(|part| part == b"tmpfs") {
                return true;
            }
            if is_pseudo(&fstype) {
                return false;
            }
        }
        !(wanted.real && is_pseudo(&fstype) || wanted.pseudo && !is_pseudo(&fstype) || wanted.shadowed && !is_shadowed)
    }

    fn is_target(&self, filesystem: &Filesystem<'_>) -> bool {
        let Some((typed, leads_to)) = &self.target else { return true };
        let own = filesystem.target();
        if is_same_path(&own, typed) {
            return true;
        }
        let Some(leads_to) = leads_to else { return false };
        is_same_path(&own, leads_to) || self.leads_to(filesystem).is_some_and(|own| own.as_bytes() == leads_to)
    }

    fn is_source(&self, filesystem: &Filesystem<'_>) -> bool {
        let Some(wanted) = self.source else { return true };
        let (own, fstype) = (filesystem.source(), filesystem.fstype());
        let is_name = is_pseudo(&fstype) || is_network(&fstype);
        let is_same = if is_name { *own == *wanted.as_bytes() } else { is_same_path(&own, wanted.as_bytes()) };
        if is_same || is_name || self.options.as_typed {
            return is_same;
        }
        let device = self.device.get_or_init(|| NamedDevice::of(wanted));
        device.as_ref().is_some_and(|device| device.is(OsStr::from_bytes(&own)))
    }
}

/// Whether two paths are the same but for slashes that say nothing.
pub fn is_same_path(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        let (rest, is_slash) = skip_slashes(one);
        let (other_rest, is_other_slash) = skip_slashes(other);
        if rest.is_empty() || other_rest.is_empty() {
            return rest.len() == other_rest.len();
        }
        if is_slash != is_other_slash || rest.first() != other_rest.first() {
            return false;
        }
        (one, other) = (rest.get(1..).unwrap_or_default(), other_rest.get(1..).unwrap_or_default());
    }
}

/// What is behind slashes, and whether there were any.
fn skip_slashes(path: &[u8]) -> (&[u8], bool) {
    let mut rest = path;
    while let [b'/', after @ ..] = rest {
        rest = after;
    }
    (rest, rest.len() < path.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_that_say_nothing_do_not_matter() {
        for (one, other, is_same) in [
            ("/a", "/a/", true),
            ("//a//b", "/a/b/", true),
            ("/", "", true),
            ("/a", "a", false),
            ("/ab", "/a/b", false),
            ("/a", "/a/b", false),
            ("", "/a", false),
        ] {
            assert_eq!(is_same_path(one.as_bytes(), other.as_bytes()), is_same, "{one} {other}");
        }
    }
}
