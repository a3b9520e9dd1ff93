//! Mount options: the comma-separated words of mount(8), fstab(5) and utab.
//!
//! Each word is for the VFS and its mount attributes ([`names::VFS`]), for mount itself ([`names::USERSPACE`]), or for
//! the file system.

mod matching;
mod meaning;
pub mod names;
pub mod operation;
mod option;

pub use matching::{matches, type_matches};
pub use meaning::AttributeChange;
pub use option::MountOption;

use crate::index::Index;
use names::{Layer, Meaning};

/// Options in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(pub Vec<MountOption>);

/// Why a string is no list of options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// An item begins with `=`.
    NoName,
    /// A quote is opened and not closed.
    OpenQuote,
}

impl Options {
    /// Parses `a,b=c,d="x,y"`. Empty items are skipped; a comma inside quotes or after a backslash does not separate.
    ///
    /// ```
    /// use linux::mount::options::Options;
    /// let options = Options::parse(b"ro,size=\"1,2\"").expect("a list");
    /// assert!(options.has("ro"));
    /// assert_eq!(options.get("size").and_then(|size| size.plain_value()).as_deref(), Some(&b"1,2"[..]));
    /// assert!(Options::parse(b"a=\"").is_err());
    /// ```
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
                Some(0) => return Err(Malformed::NoName),
                Some(end) => MountOption::new(item.get(..end).unwrap_or_default(), item.get(end + 1..)),
                None => MountOption::new(item, None),
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
        self.0.push(MountOption::new(name.as_bytes(), value));
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
    ///
    /// ```
    /// use linux::mount::options::Options;
    /// let options = Options::parse(b"ro,rw").expect("a list");
    /// assert_eq!([options.switch("rw", "ro"), options.switch("exec", "noexec")], [Some(true), None]);
    /// ```
    pub fn switch(&self, on: &str, off: &str) -> Option<bool> {
        self.0.iter().rev().find(|option| option.is(on) || option.is(off)).map(|option| option.is(on))
    }

    /// Removes duplicates and keeps the last. Options that exclude each other (a flag and its inverse, an option of
    /// mount itself with another value) count as duplicates; a file system's option with different values does not.
    pub fn deduplicate(&mut self) {
        let names: Vec<Vec<u8>> = self.0.iter().map(hashed).collect();
        let index = Index::of(&names);
        let is_same = |place: usize, option| self.0.get(place).is_some_and(|other| key(other) == key(option));
        let mut kept = Vec::with_capacity(self.0.len());
        for (place, (option, name)) in self.0.iter().zip(&names).enumerate() {
            kept.push(index.places(name).rev().find(|other| is_same(*other, option)) == Some(place));
        }
        let mut kept = kept.into_iter();
        self.0.retain(|_| kept.next() == Some(true));
    }

    /// Inserts the flags that a word implies after the last one of it: noexec, nosuid and nodev for `user` and `users`,
    /// nosuid and nodev for `owner` and `group`. `user=NAME` is for a mount.TYPE program and implies none, nor does a word
    /// whose inverse, `nouser`, comes later.
    pub fn imply_user_flags(&mut self) -> &Options {
        for word in "user users owner group".split(' ') {
            let is_inverse = |option: &MountOption| option.name.strip_prefix(b"no") == Some(word.as_bytes());
            let is_told = |option: &MountOption| is_inverse(option) || option.is(word) && !option.names_user();
            let Some(place) = self.0.iter().rposition(is_told) else { continue };
            if self.0.get(place).is_some_and(is_inverse) {
                continue;
            }
            let flags = if word.starts_with('u') { "nodev nosuid noexec" } else { "nodev nosuid" };
            for flag in flags.split(' ') {
                self.0.insert(place + 1, MountOption::new(flag.as_bytes(), None));
            }
        }
        self
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
    match option.meaning() {
        Meaning::Vfs(vfs) => match vfs.layer {
            // Each change of propagation is a step of its own.
            Layer::Propagation(..) => whole,
            // `ro=vfs` and `ro=fs` speak of different layers.
            _ if option.value.is_some() => whole,
            _ => (u64::from(vfs.flags), &[], None),
        },
        // Above every MS_ flag.
        Meaning::Userspace(user) if user.family != 0 => (1 << 40 | u64::from(user.family), &[], None),
        _ => whole,
    }
}

/// What options with the same key have in common.
fn hashed(option: &MountOption) -> Vec<u8> {
    let (_, name, value) = key(option);
    [name, value.unwrap_or_default()].concat()
}

#[cfg(test)]
mod tests;
