//! What an argument can be, read off the name that the help gives it.

use crate::Applet;
use crate::called::Origin;
use crate::option::{Argument, Spec};
use crate::text::push_all;
use linux::caps::NAMES;
use linux::signal;

/// What an argument can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    User,
    Group,
    Pid,
    /// A process in other namespaces than the shell's.
    Target,
    Capability,
    /// Several, with commas between them, and what libcap's texts have behind those.
    Capabilities,
    /// The same in setpriv's way: each gained or lost, and without `cap_`.
    SignedCapabilities,
    /// File system types, with commas between them.
    Types,
    /// Options of a mount, likewise.
    MountOptions,
    Program,
    /// One of the words between the bars, but those with a colon; for [`SIGNAL`] the names of signals.
    Words(&'static str),
    Other,
}

/// Kinds that are known by a name of the argument.
const NAMED: [Kind; 8] = [
    Kind::File,
    Kind::Directory,
    Kind::User,
    Kind::Group,
    Kind::Pid,
    Kind::Capability,
    Kind::Capabilities,
    Kind::SignedCapabilities,
];

/// The names of each of them, in a line.
const NAMES_OF: &str = "file path ns source target device\ndir directory\nuid user USER\ngid group\npid\n\
                        xxx\nxxx,... text\ncaps caps,...";

fn mentions(applet: &Applet, word: &str) -> bool {
    applet.synopsis.split(['[', ' ', ']', '\n']).any(|part| part == word)
}

/// A signal's name.
const SIGNAL: &str = "signame";

impl Kind {
    pub(super) fn of(name: &'static str) -> Kind {
        let word = name.split(['|', '[', ':']).next().unwrap_or_default().trim_matches(['<', '>']);
        let known = NAMES_OF.split('\n').position(|names| names.split(' ').any(|known| known == word));
        match known.and_then(|place| NAMED.get(place)) {
            Some(Kind::Pid) if name.starts_with("pid[") => Kind::Target,
            Some(kind) => *kind,
            None if name.as_bytes().contains(&b'|') || name == SIGNAL => Kind::Words(name),
            None => Kind::Other,
        }
    }

    /// Whether a directory stands before the program that an applet runs.
    pub(super) fn begins_with_directory(applet: &Applet) -> bool {
        mentions(applet, "NEWROOT")
    }

    /// What the operands of an applet are.
    pub(super) fn of_operands(applet: &Applet) -> Kind {
        if applet.origin == Origin::Ctrbox {
            Kind::Other
        } else if mentions(applet, "<program>") || mentions(applet, "COMMAND") {
            Kind::Program
        } else if mentions(applet, "<pid>") {
            Kind::Pid
        } else {
            Kind::File
        }
    }

    pub(super) fn words(self) -> String {
        match self {
            Kind::Words(name) => {
                let mut words = String::new();
                for word in name.split('|').filter(|word| !word.as_bytes().contains(&b':')) {
                    let word = if word == SIGNAL { signal::NAMES } else { word };
                    let before = if words.is_empty() { "" } else { " " };
                    push_all(&mut words, &[before, word]);
                }
                words.replace('/', " ")
            }
            Kind::Capability | Kind::Capabilities => NAMES.into(),
            Kind::SignedCapabilities => {
                let mut words = String::new();
                for name in NAMES.split(' ') {
                    let name = name.strip_prefix("cap_").unwrap_or(name);
                    push_all(&mut words, &["+", name, " -", name, " "]);
                }
                words + "+all -all"
            }
            _ => String::new(),
        }
    }
}

impl Spec {
    /// The kind of its argument, and whether it must have one.
    pub(super) fn value(&self) -> Option<(Kind, bool)> {
        match self.argument {
            Argument::None => None,
            Argument::Required("list") if self.name() == "types" => Some((Kind::Types, true)),
            Argument::Required("list") if self.name() == "options" => Some((Kind::MountOptions, true)),
            Argument::Required(name) => Some((Kind::of(name), true)),
            Argument::Optional(name) | Argument::OptionalLong(name) => Some((Kind::of(name), false)),
        }
    }

    /// Its names as they are typed.
    pub(super) fn typed(&self) -> Vec<String> {
        let mut typed = Vec::new();
        typed.extend(self.short.map(|letter| format!("-{letter}")));
        typed.extend(self.names().map(|name| ["--", name].concat()));
        typed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_argument_can_be_is_read_off_its_name() {
        assert_eq!(Kind::of("dir"), Kind::Directory);
        assert_eq!(Kind::of("uid|name"), Kind::User);
        assert_eq!((Kind::of("pid"), Kind::of("pid[:inode]")), (Kind::Pid, Kind::Target));
        assert_eq!(Kind::of("offset"), Kind::Other);
        assert_eq!(Kind::of("allow|deny").words(), "allow deny");
        assert!(
            Kind::of("signame").words().starts_with("HUP INT ") && Kind::of("a|signame").words().contains("a HUP INT ")
        );
        assert_eq!(Kind::of("inner:outer:count|auto|all").words(), "auto all");
    }
}
