//! Mount options: the comma separated words of mount(8), fstab(5) and utab.
//!
//! A word belongs to one of three: the VFS and its mount attributes
//! ([`names::VFS`]), mount itself ([`names::USERSPACE`]), or the file system.

pub mod names;
pub mod operation;

use crate::mount::api::{Attributes, MOUNT_ATTR_ATIME, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_RDONLY};
use crate::mount::{MS_NOATIME, MS_RELATIME, MS_STRICTATIME, Propagation};
use names::{Layer, Meaning, meaning};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// One option: `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption {
    /// The part before `=`.
    pub name: Vec<u8>,
    /// The part behind `=` as written, quotes and backslashes included; `None` without `=`, which differs from empty.
    pub value: Option<Vec<u8>>,
}

/// Options in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(pub Vec<MountOption>);

/// Why a string is no list of options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// This item begins with `=`.
    NoName(Vec<u8>),
    /// A quote is opened and not closed.
    OpenQuote,
}

/// Mount attributes to change, those of one mount and those of the whole tree (`ro=recursive`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeChange {
    /// Of the mount itself.
    pub single: Attributes,
    /// Of the mount and all below it.
    pub recursive: Attributes,
}

/// The layers a VFS option with a value is for: `ro=vfs`, `"ro=fs,recursive"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layers {
    vfs: bool,
    fs: bool,
    recursive: bool,
}

impl MountOption {
    /// An option without a value.
    pub fn flag(name: &str) -> MountOption {
        MountOption { name: name.as_bytes().to_vec(), value: None }
    }

    /// The value as it is used: without the quotes around it, and without backslashes before comma, quote and
    /// backslash.
    pub fn plain_value(&self) -> Option<Vec<u8>> {
        let raw = self.value.as_deref()?;
        let raw = match raw {
            [b'"', inner @ .., b'"'] => inner,
            other => other,
        };
        Some(unescape(raw))
    }

    fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    fn append_to(&self, text: &mut Vec<u8>) {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(&self.name);
        if let Some(value) = &self.value {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }

    fn layers(&self) -> Layers {
        let mut layers = Layers { vfs: false, fs: false, recursive: false };
        for word in self.plain_value().unwrap_or_default().split(|&byte| byte == b',') {
            match word {
                b"vfs" => layers.vfs = true,
                b"fs" => layers.fs = true,
                b"recursive" => layers.recursive = true,
                _ => {}
            }
        }
        if !layers.vfs && !layers.fs {
            layers = Layers { vfs: true, fs: true, ..layers };
        }
        layers
    }
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        match rest {
            [b'\\', next @ (b',' | b'"'), tail @ ..] => {
                plain.push(*next);
                rest = tail;
            }
            [first, tail @ ..] => {
                plain.push(*first);
                rest = tail;
            }
            [] => return plain,
        }
    }
}

impl Options {
    /// Parses `a,b=c,d="x,y"`. Empty items are skipped; a comma inside quotes or after a backslash does not separate.
    pub fn parse(text: &[u8]) -> Result<Options, Malformed> {
        let mut list = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (item, after) = split_item(rest)?;
            rest = after;
            if item.is_empty() {
                continue;
            }
            let option = match item.iter().position(|&byte| byte == b'=') {
                Some(0) => return Err(Malformed::NoName(item.to_vec())),
                Some(end) => MountOption {
                    name: item.get(..end).unwrap_or_default().to_vec(),
                    value: item.get(end + 1..).map(<[u8]>::to_vec),
                },
                None => MountOption { name: item.to_vec(), value: None },
            };
            list.push(option);
        }
        Ok(Options(list))
    }

    /// The options as one string again.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for option in &self.0 {
            option.append_to(&mut text);
        }
        text
    }

    /// The options as messages show them: without repetitions, rw or ro first.
    pub fn shown(&self) -> Vec<u8> {
        let mut options = self.clone();
        options.deduplicate();
        options.0.retain(|option| !((option.is("ro") || option.is("rw")) && option.value.is_none()));
        let mut text = if self.read_only_mount() == Some(true) { b"ro".to_vec() } else { b"rw".to_vec() };
        options.0.iter().for_each(|option| option.append_to(&mut text));
        text
    }

    /// Adds options behind these, where they win.
    pub fn append(&mut self, more: Options) {
        self.0.extend(more.0);
    }

    /// Adds options before these, where they lose.
    pub fn prepend(&mut self, mut more: Options) {
        more.0.append(&mut self.0);
        self.0 = more.0;
    }

    /// Adds one option behind these.
    pub fn push(&mut self, name: &str, value: Option<&[u8]>) {
        self.0.push(MountOption { name: name.as_bytes().to_vec(), value: value.map(<[u8]>::to_vec) });
    }

    /// The last option of that name.
    pub fn get(&self, name: &str) -> Option<&MountOption> {
        self.0.iter().rev().find(|option| option.is(name))
    }

    /// Whether there is an option of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes every option of that name out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|option| !option.is(name));
    }

    /// The state of a switch and its inverse: `auto` and `noauto`.
    pub fn switch(&self, on: &str, off: &str) -> Option<bool> {
        self.0.iter().rev().find(|option| option.is(on) || option.is(off)).map(|option| option.is(on))
    }

    /// Leaves of equal options the last, and of options that exclude each other (a flag and its inverse, an option of
    /// mount itself with another value) the last. The same option of a file system with different values stays.
    pub fn deduplicate(&mut self) {
        let mut keys: Vec<_> = self.0.iter().enumerate().map(|(index, option)| (key(option), index)).collect();
        keys.sort_unstable();
        let mut kept: Vec<usize> = Vec::with_capacity(keys.len());
        for (position, (key, index)) in keys.iter().enumerate() {
            if keys.get(position + 1).is_none_or(|(next, _)| next != key) {
                kept.push(*index);
            }
        }
        kept.sort_unstable();
        let mut kept = kept.into_iter().peekable();
        let mut index = 0;
        self.0.retain(|_| {
            let keep = kept.next_if_eq(&index).is_some();
            index += 1;
            keep
        });
    }

    /// `user` and `users` imply noexec, nosuid and nodev, `owner` and `group` nosuid and nodev, at the place of the word.
    /// `user=NAME`, which is how the one who mounted is recorded, implies nothing.
    pub fn imply_user_flags(&mut self) {
        let mut list = Vec::with_capacity(self.0.len());
        for option in self.0.drain(..) {
            let implied: &[&str] = match (option.name.as_slice(), &option.value) {
                (b"user" | b"users", None) => &["noexec", "nosuid", "nodev"],
                (b"owner" | b"group", None) => &["nosuid", "nodev"],
                _ => &[],
            };
            list.push(option);
            list.extend(implied.iter().map(|name| MountOption::flag(name)));
        }
        self.0 = list;
    }

    /// Whether any flag of a mount or a superblock is asked for, other than how it spreads.
    pub fn has_flags(&self) -> bool {
        self.0.iter().any(|option| match meaning(&option.name) {
            Meaning::Vfs(vfs) => !vfs.inverse && !matches!(vfs.layer, Layer::Propagation(..)),
            _ => false,
        })
    }

    /// What `ro` and `rw` say about the superblock, the last one counting; `None` if neither is there.
    pub fn read_only(&self) -> Option<bool> {
        self.0
            .iter()
            .rev()
            .find(|option| (option.is("ro") || option.is("rw")) && option.layers().fs)
            .map(|o| o.is("ro"))
    }

    /// What `ro` and `rw` say about the mount, the last one counting.
    pub fn read_only_mount(&self) -> Option<bool> {
        self.0
            .iter()
            .rev()
            .find(|option| (option.is("ro") || option.is("rw")) && option.layers().vfs)
            .map(|o| o.is("ro"))
    }

    /// MS_ flags for mount(2), without those of propagation; layers and `=recursive` are unknown to it.
    pub fn mount_flags(&self) -> u64 {
        let mut flags = 0;
        for option in &self.0 {
            if let Meaning::Vfs(vfs) = meaning(&option.name) {
                match vfs.layer {
                    Layer::Propagation(..) => {}
                    // The last way to keep access times wins; of several flags the kernel would choose.
                    _ if vfs.is_access_time() && !vfs.inverse => {
                        flags = flags & !(MS_NOATIME | MS_RELATIME | MS_STRICTATIME) | vfs.flags;
                    }
                    _ if vfs.inverse => flags &= !vfs.flags,
                    _ => flags |= vfs.flags,
                }
            }
        }
        flags
    }

    /// What mount_setattr(2) has to change.
    pub fn attributes(&self) -> AttributeChange {
        let mut change = AttributeChange::default();
        for option in &self.0 {
            let Meaning::Vfs(vfs) = meaning(&option.name) else { continue };
            let Layer::Attribute(bits) = vfs.layer else { continue };
            let layers = option.layers();
            if !layers.vfs {
                continue;
            }
            let to = if layers.recursive { &mut change.recursive } else { &mut change.single };
            if vfs.is_access_time() {
                // They exclude each other: the last one that sets something wins, and an inverse undoes its own only.
                to.clear |= MOUNT_ATTR_ATIME;
                if !vfs.inverse {
                    to.set = to.set & !MOUNT_ATTR_ATIME | bits;
                } else if to.set & MOUNT_ATTR_ATIME == bits {
                    to.set &= !MOUNT_ATTR_ATIME;
                }
            } else if vfs.inverse {
                to.clear |= bits;
                to.set &= !bits;
            } else {
                to.set |= bits;
                to.clear &= !bits;
            }
        }
        change
    }

    /// As [`Options::attributes`], with the reset that mount(2)'s remount makes: what is not mentioned is cleared.
    pub fn attributes_for_remount(&self) -> AttributeChange {
        let mut change = self.attributes();
        let mentioned = change.single.set | change.single.clear | change.recursive.set | change.recursive.clear;
        let others = names::RESET_BY_REMOUNT & !mentioned;
        // `ro=fs` says nothing of the mount, and must not make it writable.
        let spared = if self.has("ro") && mentioned & MOUNT_ATTR_RDONLY == 0 { MOUNT_ATTR_RDONLY } else { 0 };
        change.single.clear |= others & !spared;
        change
    }

    /// Changes of propagation in the order given, with whether the tree below is meant, too.
    pub fn propagation(&self) -> Vec<(Propagation, bool)> {
        self.0
            .iter()
            .filter_map(|option| match meaning(&option.name) {
                Meaning::Vfs(vfs) => match vfs.layer {
                    Layer::Propagation(propagation, recursive) => Some((propagation, recursive)),
                    _ => None,
                },
                _ => None,
            })
            .collect()
    }

    /// The options that are the file system's own, in order.
    pub fn filesystem(&self) -> impl Iterator<Item = &MountOption> {
        self.0.iter().filter(|option| matches!(meaning(&option.name), Meaning::Filesystem))
    }

    /// The data string of mount(2): the file system's options as they were written, but for quotes, which only SELinux
    /// reads (`context="a,b"`); elsewhere a comma in a value takes a backslash.
    pub fn data(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for option in self.filesystem() {
            match option.value.as_deref() {
                Some([b'"', .., b'"']) if !option.name.ends_with(b"context") => {
                    let mut value = Vec::new();
                    for byte in option.plain_value().unwrap_or_default() {
                        value.extend_from_slice(if byte == b',' { b"\\" } else { b"" });
                        value.push(byte);
                    }
                    MountOption { name: option.name.clone(), value: Some(value) }.append_to(&mut text);
                }
                _ => option.append_to(&mut text),
            }
        }
        text
    }

    /// What utab keeps; `with_loop` if the loop device must be detached by umount.
    pub fn for_utab(&self, with_loop: bool) -> Vec<u8> {
        let mut text = Vec::new();
        for option in &self.0 {
            match meaning(&option.name) {
                Meaning::Userspace(user) if user.utab && (with_loop || *user.name != *"loop") => {
                    option.append_to(&mut text);
                }
                _ => {}
            }
        }
        text
    }

    /// What a mount.TYPE program is given: rw or ro first, then the rest in order without what is mount's own.
    pub fn for_helper(&self) -> Vec<u8> {
        let mut text = if self.read_only_mount() == Some(true) { b"ro".to_vec() } else { b"rw".to_vec() };
        for option in &self.0 {
            let shown = match meaning(&option.name) {
                Meaning::Vfs(vfs) => vfs.flags != crate::mount::MS_RDONLY && vfs.is_shown(),
                Meaning::Userspace(user) => user.helper,
                Meaning::Filesystem => true,
            };
            if shown {
                option.append_to(&mut text);
            }
        }
        text
    }
}

/// The text to the next separating comma, and the text behind it.
fn split_item(text: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                return Ok((text.get(..index).unwrap_or_default(), text.get(index + 1..).unwrap_or_default()));
            }
            _ => {}
        }
    }
    if quoted { Err(Malformed::OpenQuote) } else { Ok((text, &[])) }
}

/// Options with the same key exclude each other.
fn key(option: &MountOption) -> (u64, &[u8], Option<&[u8]>) {
    let whole = (0, option.name.as_slice(), option.value.as_deref());
    match meaning(&option.name) {
        Meaning::Vfs(vfs) => match vfs.layer {
            // Each change of propagation is a step of its own.
            Layer::Propagation(..) => whole,
            // `ro=vfs` and `ro=fs` speak of different layers.
            _ if option.value.is_some() => whole,
            _ => (vfs.flags, &[], None),
        },
        // Above every MS_ flag.
        Meaning::Userspace(user) if user.family != 0 => (1 << 40 | u64::from(user.family), &[], None),
        _ => whole,
    }
}

/// Whether the options `have` satisfy the comma separated `wanted` of mount -O: each must be there with its value, one
/// that begins with `no` must be absent, `+no...` means the word itself.
pub fn matches(have: &Options, wanted: &[u8]) -> bool {
    wanted.split(|&byte| byte == b',').filter(|item| !item.is_empty()).all(|item| {
        let (item, absent) = match item {
            [b'+', rest @ ..] => (rest, false),
            [b'n', b'o', rest @ ..] => (rest, true),
            plain => (plain, false),
        };
        let (name, value) = match item.iter().position(|&byte| byte == b'=') {
            Some(end) => (item.get(..end).unwrap_or_default(), item.get(end + 1..)),
            None => (item, None),
        };
        let found = have.0.iter().any(|option| {
            option.name == name && (value.is_none_or(|value| option.plain_value().is_some_and(|have| have == value)))
        });
        found != absent
    })
}

/// Whether a file system type is in the comma separated list of mount -t. A leading `no` turns the whole list around,
/// in which each type may then be written with `no` before it.
pub fn type_matches(fstype: &OsStr, list: &[u8]) -> bool {
    let fstype = fstype.as_bytes();
    let negated = list.starts_with(b"no");
    for item in list.split(|&byte| byte == b',') {
        let without = item.strip_prefix(b"no").is_some_and(|item| item.eq_ignore_ascii_case(fstype));
        if without || item.eq_ignore_ascii_case(fstype) {
            return !negated && !without;
        }
    }
    negated
}

const _: () = assert!(MOUNT_ATTR_NODIRATIME & MOUNT_ATTR_ATIME == 0);

#[cfg(test)]
mod tests;
