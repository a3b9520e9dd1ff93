//! The options that print: the state of the process, and descriptions of capabilities.

use super::descriptions::TEXTS;
use super::session::{Session, StepResult, fail, unreadable_text};
use cli::capability::{is_classic, parse_one, print};
use cli::{Failure, number, text};
use linux::caps::{self, Cap, CapSet, Iab, Mode, NAMES, Own, names};
use linux::credentials::{Gid, Uid};
use linux::{Errno, accounts, credentials};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The failure to read a part of the state. Fail rather than print something in its place that could be true.
pub(super) fn unreadable(error: linux::Error) -> Failure {
    fail(text!["cannot read the state of this process: ", error.call, ": ", error.errno])
}

impl Session<'_> {
    pub(super) fn print_current(&mut self) -> StepResult {
        let own = Own::read().map_err(unreadable)?;
        self.print_sets(&own);
        self.print_iab(&own);
        Ok(())
    }

    /// Prints the whole state or, with the classic text, the lines that capsh printed up to 2019.
    pub(super) fn print_all(&mut self) -> StepResult {
        let classic = is_classic();
        let own = Own::read().map_err(unreadable)?;
        self.print_sets(&own);
        self.print_set("Bounding set =", (caps::in_bounding(Cap(0)) != Err(Errno::EINVAL)).then_some(own.bounding));
        if !classic {
            self.print_set("Ambient set =", own.ambient);
            self.print_iab(&own);
        }
        self.print_securebits(classic, &own)?;
        self.print_ids(classic)?;
        if !classic {
            let mode = Mode::of(&own).map_err(unreadable)?;
            self.output.print(text!["Guessed mode: ", mode.name(), " (", mode.number(), ")\n"]);
        }
        Ok(())
    }

    fn print_sets(&mut self, own: &Own) {
        self.output.print(text!["Current: ", print(&own.sets), "\n"]);
    }

    fn print_iab(&mut self, own: &Own) {
        self.output.print(text!["Current IAB: ", Iab::of(own).print(own.count), "\n"]);
    }

    fn print_set(&mut self, title: &str, set: Option<CapSet>) {
        let list = set.map_or_else(|| String::from(" <unsupported>"), names);
        self.output.print(text![title, list, "\n"]);
    }

    fn print_securebits(&mut self, classic: bool, own: &Own) -> StepResult {
        let yes = |set: bool| if set { "yes" } else { "no" };
        let bits = match caps::securebits() {
            Err(error) if error.errno == Errno::EINVAL => {
                let keep = yes(caps::keeps_capabilities().map_err(unreadable)?);
                self.output.print(text![
                    "[Securebits ABI not supported]\n prctl-keep-caps: ",
                    keep,
                    " (locking not supported)\n"
                ]);
                return Ok(());
            }
            bits => bits.map_err(unreadable)?,
        };
        let digits = (u32::BITS - bits.leading_zeros()).max(1);
        self.output.print(text!["Securebits: 0", format!("{bits:o}/{bits:#x}/{digits}'b{bits:b}")]);
        if !classic {
            let limited = match caps::no_new_privileges() {
                Ok(true) => "1",
                Ok(false) => "0",
                Err(error) => {
                    unreadable(error).print(self.invocation);
                    "-1"
                }
            };
            self.output.print(text![" (no-new-privs=", limited, ")"]);
        }
        self.output.print("\n");
        let rows = [
            ("secure-noroot", true),
            ("secure-no-suid-fixup", true),
            ("secure-keep-caps", true),
            ("secure-no-ambient-raise", !classic && own.ambient.is_some()),
        ];
        for (index, (name, shown)) in rows.into_iter().enumerate() {
            if shown {
                let has = |bit: usize| bits >> bit & 1 != 0;
                let locked = if has(index * 2 + 1) { "locked" } else { "unlocked" };
                self.output.print(text![" ", name, ": ", yes(has(index * 2)), " (", locked, ")\n"]);
            }
        }
        Ok(())
    }

    fn print_ids(&mut self, classic: bool) -> StepResult {
        let (uid, euid) = (credentials::real_uid(), credentials::effective_uid());
        let named = user(uid);
        self.output.print(text!["uid=", named]);
        if !classic {
            self.output.print(text![" euid=", if euid == uid { named } else { user(euid) }]);
        }
        self.output.print(text!["\ngid=", group(credentials::real_gid()), "\ngroups="]);
        for (index, gid) in credentials::groups().map_err(unreadable)?.into_iter().enumerate() {
            self.output.print(text![if index == 0 { "" } else { "," }, group(gid)]);
        }
        self.output.print("\n");
        Ok(())
    }

    pub(super) fn decode(&mut self, hexadecimal: &OsStr) -> StepResult {
        // strtoull(3): no digits are 0, and what does not fit is all ones.
        let mask = match number::read(hexadecimal.as_bytes(), 16) {
            None => 0,
            Some(read) => match read.value {
                Some(value) if read.negative => value.wrapping_neg(),
                value => value.unwrap_or(u64::MAX),
            },
        };
        self.output.print(text![format!("{mask:#018x}="), names(CapSet(mask)), "\n"]);
        Ok(())
    }

    pub(super) fn explain(&mut self, text: &OsStr) -> StepResult {
        let capability = parse_one(text).map_err(|error| unreadable_text("unrecognised value '", text, "'", error))?;
        self.print_explanation(capability);
        Ok(())
    }

    pub(super) fn suggest(&mut self, word: &OsStr) -> StepResult {
        let word = word.as_bytes().to_ascii_lowercase();
        let mentions = |line: &str| {
            let line = line.to_ascii_lowercase();
            word.is_empty() || line.as_bytes().windows(word.len()).any(|part| part == word)
        };
        let mut first = true;
        for (capability, (name, text)) in (0..).map(Cap).zip(NAMES.split(' ').zip(TEXTS.split('|'))) {
            if mentions(name) || text.lines().any(mentions) {
                if !first {
                    self.output.print("\n");
                }
                first = false;
                self.print_explanation(capability);
            }
        }
        Ok(())
    }

    fn print_explanation(&mut self, capability: Cap) {
        let known = capability.0 < caps::count();
        let name = caps::known_name(capability);
        let (prefix, name) = match (name, known) {
            (Some(name), true) => ("", name),
            (Some(name), false) => ("<reserved for> ", name),
            (None, true) => ("", "<unnamed in libcap>"),
            (None, false) => ("", "<unsupported>"),
        };
        let mask = format!("{:#018x}", CapSet::of(capability).0);
        self.output.print(text![prefix, name, " (", capability, ") [/proc/self/status:CapXXX: ", mask, "]\n"]);
        if let Some(text) = TEXTS.split('|').nth(usize::from(capability.0)) {
            self.output.print("\n");
            for line in text.lines() {
                self.output.print(text!["    ", line, "\n"]);
            }
        }
    }
}

fn user(uid: Uid) -> Vec<u8> {
    with_name(uid.0, accounts::passwd_by_uid(uid).map(|user| user.name))
}

fn group(gid: Gid) -> Vec<u8> {
    with_name(gid.0, accounts::group_by_gid(gid).map(|group| group.name))
}

fn with_name(id: u32, name: Option<std::ffi::OsString>) -> Vec<u8> {
    match name {
        Some(name) => text![id, "(", name, ")"],
        None => text![id, "(???)"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_capability_has_a_description_that_fits_a_terminal() {
        assert_eq!(TEXTS.split('|').count(), NAMES.split(' ').count());
        for (name, text) in NAMES.split(' ').zip(TEXTS.split('|')) {
            assert!(!text.is_empty() && !text.starts_with('\n') && !text.ends_with('\n'), "{name:?}");
            assert!(text.lines().all(|line| line.len() <= 72), "{name:?}");
        }
    }
}
