//! One mount option, and what its value says: `ro`, `ro=recursive`, `size=1m`, `context="a,b"`.

use super::names::{self, Meaning};

/// One option: `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption {
    /// The part before `=`.
    pub name: Vec<u8>,
    /// The text after `=` as typed, with quotes and backslashes. `None` without `=`, which differs from an empty
    /// value.
    pub value: Option<Vec<u8>>,
    /// Looked up once, since each step of a mount asks for it.
    meaning: Meaning,
}

/// The layers that the value of a VFS option selects: `ro=vfs`, `"ro=fs,recursive"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layers {
    pub(super) vfs: bool,
    pub(super) fs: bool,
    pub(super) recursive: bool,
}

impl MountOption {
    /// An option, and what is typed behind its `=` if it has one.
    pub fn new(name: &[u8], value: Option<&[u8]>) -> MountOption {
        MountOption { name: name.to_vec(), value: value.map(<[u8]>::to_vec), meaning: names::meaning(name) }
    }

    /// Who it is for.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// The value without its quotes, and without the backslashes before comma, quote and backslash.
    pub fn plain_value(&self) -> Option<Vec<u8>> {
        let raw = self.value.as_deref()?;
        let raw = match raw {
            [b'"', inner @ .., b'"'] => inner,
            other => other,
        };
        Some(unescape(raw))
    }

    /// Whether it is `ro` or `rw`, of whichever layer.
    pub fn is_access(&self) -> bool {
        self.is("ro") || self.is("rw")
    }

    /// Whether it is `user=NAME`, which is for a mount.TYPE program only.
    pub(super) fn names_user(&self) -> bool {
        self.is("user") && self.value.as_ref().is_some_and(|name| !name.is_empty())
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// Appends the option to a list.
    pub fn append_to(&self, text: &mut Vec<u8>) {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend_from_slice(&self.name);
        if let Some(value) = &self.value {
            text.push(b'=');
            text.extend_from_slice(value);
        }
    }

    pub(super) fn layers(&self) -> Layers {
        let mut layers = Layers { vfs: false, fs: false, recursive: false };
        for word in self.plain_value().unwrap_or_default().split(|&byte| byte == b',') {
            match word {
                b"vfs" => layers.vfs = true,
                b"fs" => layers.fs = true,
                b"recursive" => layers.recursive = true,
                _ => {}
            }
        }
        // Only `ro` and `rw` are for one layer or the other.
        if !layers.vfs && !layers.fs || !self.is_access() {
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
