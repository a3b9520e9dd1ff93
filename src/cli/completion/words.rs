//! The words that the scripts of all three shells have, and how they are put in.

use super::kind::Kind;
use crate::Applet;

/// The words that `ctrbox` takes in the place of an applet.
pub(super) const WORDS: &str = "doctor shell explain man completion";

/// What any file system takes, and what is asked of mount itself.
pub(super) const MOUNT_OPTIONS: &str = "ro rw nosuid nodev noexec noatime relatime remount bind rbind private rprivate shared rshared \
                             slave rslave loop defaults X-mount.mkdir X-mount.owner= X-mount.mode= X-mount.idmap=";

/// The numbers of processes of which a namespace is not the shell's, in words that bash, zsh and fish understand alike.
/// Those that may not be looked into may not be entered either.
const TARGETS: &str = r#"stat -Lc "%n %i" /proc/self/ns/* /proc/*/ns/* 2>/dev/null |
        awk -F "[/ ]" '$3 == "self" { own[$5] = $6 } $3 + 0 && $5 !~ /_/ && own[$5] != $6 && !seen[$3]++ { print $3 }'"#;

/// Adds a template with the applets' names and other words in their places; two signs are one.
pub(super) fn fill(template: &str, names: &str, out: &mut String) {
    for piece in template.split('%') {
        match piece {
            "NAMES" => out.push_str(names),
            "WORDS" => out.push_str(WORDS),
            "CAPABILITIES" => out.push_str(&Kind::Capability.words()),
            "OPTIONS" => out.push_str(MOUNT_OPTIONS),
            "TARGETS" => out.push_str(TARGETS),
            "" => out.push('%'),
            "SIGNED" => out.push_str(&Kind::SignedCapabilities.words()),
            _ => out.push_str(piece),
        }
    }
}

/// The word that is typed for an applet behind `ctrbox`, or for a command that ctrbox has of its own.
pub(super) fn word(applet: &Applet) -> &'static str {
    applet.name.strip_prefix("ctrbox ").unwrap_or(applet.name)
}

/// Whether it is ctrbox itself, whose operand is an applet or another of its words.
pub(super) fn is_ctrbox(applet: &Applet) -> bool {
    applet.name == "ctrbox"
}

/// Text inside single quotes, with a backslash before these characters.
pub(super) fn quoted(text: &str, special: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(&character) {
            out.push('\\');
        }
        if character == '\'' {
            out.push_str("'\\'");
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_ends_and_begins_the_quotes_again() {
        assert_eq!(quoted("don't [x]", &['[', ']']), "don'\\'t \\[x\\]".replace("'\\'t", "'\\''t"));
    }
}
