//! The texts of `--help` and `--version`, made of an applet's record and option table.

use crate::option::{Argument, Spec};
use crate::{Invocation, Origin, add, text};

/// `usage: NAME SYNOPSIS`, as libcap's tools begin theirs.
pub fn usage_line(invocation: &Invocation<'_>) -> Vec<u8> {
    let synopsis = invocation.applet.synopsis.lines().next().unwrap_or_default();
    text!["usage: ", invocation.name(), " ", synopsis]
}

/// The text of `--help`.
pub fn help(invocation: &Invocation<'_>) -> Vec<u8> {
    let applet = invocation.applet;
    let is_gnu = applet.origin == Origin::Coreutils;
    let (mut out, name) = match is_gnu {
        true => (text!["Usage:"], invocation.argv0),
        false => (text!["\nUsage:\n"], invocation.name()),
    };
    for form in applet.synopsis.lines() {
        add!(&mut out, " ", name, " ", form, "\n");
    }
    add!(&mut out, if is_gnu { "" } else { "\n" }, applet.summary, ".\n");
    let specs = applet.options;
    if !specs.is_empty() {
        out.extend_from_slice(b"\nOptions:\n");
        let has_short = specs.iter().any(|spec| spec.short.is_some());
        let (mut names, mut width) = (Vec::new(), 0);
        for spec in specs.iter() {
            let name = option_names(&spec, has_short);
            if name.len() <= 30 {
                width = width.max(name.len());
            }
            names.push(name);
        }
        for (spec, names) in specs.iter().zip(&names) {
            let mut beside = names.as_str();
            if names.len() > width {
                add!(&mut out, " ", names, "\n");
                beside = "";
            }
            for line in spec.help.split('\n') {
                let end = out.len() + 1 + width;
                add!(&mut out, " ", beside);
                out.resize(end, b' ');
                add!(&mut out, "  ", line, "\n");
                beside = "";
            }
        }
    }
    if !applet.notes.is_empty() {
        add!(&mut out, "\n", applet.notes, "\n");
    }
    out
}

/// `-m, --mount[=FILE]`; with `has_short` indented where there is no letter, so that long names stand below each other.
pub(crate) fn option_names(spec: &Spec, has_short: bool) -> String {
    let mut out = String::new();
    match spec.short {
        Some(letter) => {
            out.push('-');
            out.push(letter);
        }
        None if has_short => out.push_str("    "),
        None => {}
    }
    for (index, name) in spec.names().enumerate() {
        if index > 0 || spec.short.is_some() {
            out.push_str(", ");
        }
        out.push_str("--");
        out.push_str(name);
    }
    match spec.argument {
        Argument::None => {}
        Argument::Required(value) => {
            out.push_str(if spec.long.is_empty() { " " } else { "=" });
            out.push_str(value);
        }
        Argument::Optional(value) | Argument::OptionalLong(value) => {
            out.push_str(if spec.long.is_empty() { "[" } else { "[=" });
            out.push_str(value);
            out.push(']');
        }
    }
    out
}

/// The version of util-linux whose behaviour ours is held to.
macro_rules! util_linux {
    () => {
        "2.42"
    };
}
/// The newest originals that ours is held against: `scripts/originals` has them.
const HELD_AGAINST: &str = concat!("util-linux ", util_linux!(), ", libcap 2.78, coreutils 9.10");
/// The features that `--version` of mount and umount lists; scripts look for `fd-based`.
pub const LIBMOUNT: &str =
    concat!("libmount ", util_linux!(), ": btrfs, namespaces, idmapping, fd-based-mount, statmount, statx");
/// The version of ctrbox.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The text of `--version`: the original's shape, since scripts read its fields, with ours named.
pub fn version(invocation: &Invocation<'_>, features: &str) -> Vec<u8> {
    let name = invocation.name();
    match invocation.applet.origin {
        Origin::UtilLinux => {
            let mut line = text![name, concat!(" from util-linux ", util_linux!())];
            if !features.is_empty() {
                add!(&mut line, " (", features, ")");
            }
            add!(&mut line, " (ctrbox ", VERSION, ")\n");
            line
        }
        Origin::Coreutils | Origin::Libcap => text![name, " (ctrbox) ", VERSION, "\n"],
        Origin::Ctrbox => {
            text![name, " ", VERSION, "\n", invocation.applet.summary, "\nHeld against ", HELD_AGAINST, "\n"]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_shows_how_an_argument_is_attached() {
        let spec = |short, long, argument| option_names(&Spec { short, long, argument, help: "" }, true);
        assert_eq!(spec(Some('m'), "mount", Argument::OptionalLong("FILE")), "-m, --mount[=FILE]");
        assert_eq!(spec(None, "map-user", Argument::Required("UID")), "    --map-user=UID");
        assert_eq!(spec(Some('n'), "", Argument::Required("ID")), "-n ID");
    }
}
