//! The options that change or test capability sets, securebits and modes.

use super::report::unreadable;
use super::session::{Session, StepResult, fail, failed, integer, unreadable_text};
use cli::capability::{parse, parse_one, without_flags};
use cli::{Failure, text};
use hints::explained;
use hints::point_at;
use linux::Errno;
use linux::caps::{self, Cap, CapSet, Mode, Sets, TextError};
use linux::process::Pid;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

impl Session<'_> {
    /// Calls `change` with CAP_SETPCAP raised to effective (not with `--strict`), then restores the effective set.
    /// `Err`: it could not be raised.
    fn with_help<T>(&self, change: impl FnOnce() -> linux::Result<T>) -> linux::Result<linux::Result<T>> {
        if self.strict { Ok(change()) } else { caps::with_raised(Cap::SETPCAP, change) }
    }

    pub(super) fn toggle_strict(&mut self) -> StepResult {
        self.strict = !self.strict;
        Ok(())
    }

    pub(super) fn set_caps(&mut self, text: &OsStr) -> StepResult {
        let sets = parse(text.as_bytes())
            .map_err(|error| unreadable_text("unable to interpret [--caps=", text, "]", error))?;
        let before = caps::get(Pid::SELF).unwrap_or_default();
        // CAP_SETPCAP lets the inheritable set gain capabilities that are not permitted. Without it go on: the kernel
        // decides.
        let raised = !self.strict && caps::raise(Cap::SETPCAP).is_ok();
        let done = caps::set(&sets);
        if done.is_err() && raised {
            let _ = caps::set(&before);
        }
        done.map_err(|error| {
            let failure = fail(text!["Unable to set capabilities [--caps=", text, "]"]);
            explained(failure, hints::Step::SetSets(sets.permitted | sets.effective), error.errno)
        })
    }

    pub(super) fn set_inheritable(&mut self, list: &OsStr) -> StepResult {
        let set = inheritable(list.as_bytes()).map_err(|error| {
            let failure = fail(text!["Fatal error internalizing capabilities: Invalid argument"]);
            match error {
                Some(error) => point_at(failure, list.as_bytes(), error),
                None => failure.hint("names and numbers joined by commas, 'all' or 'none'"),
            }
        })?;
        let change = || caps::set(&Sets { inheritable: set, ..caps::get(Pid::SELF)? });
        // As for --caps, the raise is only a help.
        let done = self.with_help(change).unwrap_or_else(|_| change());
        done.map_err(|error| {
            let failure = failed("Unable to set inheritable capabilities", &error);
            explained(failure, hints::Step::SetInheritable(set), error.errno)
        })
    }

    pub(super) fn drop(&mut self, list: &OsStr) -> StepResult {
        if list.is_empty() {
            return Ok(());
        }
        // Parse the whole list before dropping anything, since a drop cannot be undone.
        let whole = list == "all";
        let wanted = read_list(list)?;
        let drop_each = || -> Result<(), (Cap, Errno)> {
            wanted.into_iter().try_for_each(|it| caps::drop_bounding(it).map_err(|error| (it, error.errno)))
        };
        match self.with_help(|| Ok(drop_each())) {
            Ok(Ok(dropped)) => dropped.map_err(|(capability, errno)| {
                let name = caps::name(capability);
                let failure = if whole {
                    fail(text!["Unable to drop bounding capability [", name, "]"])
                } else {
                    fail(text!["failed to drop [", name, "=", capability, "]"])
                };
                explained(failure, hints::Step::Drop(capability), errno)
            }),
            Ok(Err(error)) | Err(error) => {
                let failure = failed("unable to raise CAP_SETPCAP for BSET changes", &error);
                Err(explained(failure, hints::Step::Raise(Cap::SETPCAP), error.errno))
            }
        }
    }

    pub(super) fn add_ambient(&mut self, list: &OsStr) -> StepResult {
        change_ambient(list, caps::raise_ambient, "raise", |failure, capability, errno| {
            explained(failure, hints::Step::RaiseAmbient(capability), errno)
        })
    }

    pub(super) fn delete_ambient(&mut self, list: &OsStr) -> StepResult {
        change_ambient(list, caps::lower_ambient, "clear", |failure, _, _| failure)
    }

    pub(super) fn clear_ambient(&mut self) -> StepResult {
        if caps::ambient().is_ok_and(CapSet::is_empty) {
            return Ok(());
        }
        caps::clear_ambient().map_err(|error| failed("failed to reset ambient set", &error))
    }

    pub(super) fn set_iab(&mut self, text: &OsStr) -> StepResult {
        let iab =
            caps::parse_iab(text.as_bytes()).map_err(|error| unreadable_text("iab: '", text, "' malformed", error))?;
        iab.set().map_err(|error| {
            let failure = failed("unable to set IAB tuple", &error);
            let step = hints::Step::SetIab { ambient: iab.ambient, blocked: iab.blocked };
            explained(failure, step, error.errno)
        })
    }

    pub(super) fn set_securebits(&mut self, value: &OsStr) -> StepResult {
        let bits = integer("--secbits value", value)?;
        caps::set_securebits(bits).map_err(|error| {
            let failure = fail(text!["failed to set securebits to 0", format!("{bits:o}/{bits:#x}")]);
            explained(failure, hints::Step::SetPrivileges, error.errno)
        })
    }

    pub(super) fn set_keep(&mut self, value: &OsStr) -> StepResult {
        let keep = integer("--keep value", value)?;
        caps::set_keep_capabilities(keep)
            .map_err(|error| fail(text!["prctl(PR_SET_KEEPCAPS, ", keep, ") failed: ", error.errno]))
    }

    pub(super) fn set_no_new_privileges(&mut self) -> StepResult {
        caps::set_no_new_privileges().map_err(|error| failed("unable to set no-new-privs", &error))
    }

    pub(super) fn has_no_new_privileges(&mut self) -> StepResult {
        match caps::no_new_privileges() {
            Ok(true) => Ok(()),
            _ => Err(fail(text!["no-new-privs not set"])),
        }
    }

    pub(super) fn mode(&mut self, name: Option<&OsStr>) -> StepResult {
        let Some(name) = name else {
            self.output.print(text!["Mode: ", Mode::current().map_err(unreadable)?.name(), "\n"]);
            return Ok(());
        };
        let Some(mode) = Mode::SETTABLE.into_iter().find(|mode| name == mode.name()) else {
            return Err(self.fail_on_stdout(text!["unsupported mode: ", name]));
        };
        mode.set().map_err(|error| {
            let failure = self.fail_on_stdout(text!["failed to set mode [", name, "]: ", error.errno]);
            explained(failure, hints::Step::SetPrivileges, error.errno)
        })
    }

    pub(super) fn list_modes(&mut self) -> StepResult {
        self.output.print("Supported modes:");
        for mode in Mode::SETTABLE {
            self.output.print(text![" ", mode.name()]);
        }
        self.output.print("\n");
        Ok(())
    }

    pub(super) fn in_mode(&mut self, wanted: &OsStr) -> StepResult {
        let current = Mode::current().map_err(unreadable)?.name();
        if wanted == current {
            return Ok(());
        }
        Err(self.fail_on_stdout(text!["mismatched mode got=", current, " want=", wanted]))
    }

    pub(super) fn supports(&mut self, text: &OsStr) -> StepResult {
        let capability = recognized(text)?;
        if caps::in_bounding(capability).is_ok() {
            return Ok(());
        }
        Err(fail(text!["cap[", text, "=", capability, "] not supported by kernel"]))
    }

    pub(super) fn has_permitted(&mut self, text: &OsStr) -> StepResult {
        require(text, "not permitted", |it| caps::get(Pid::SELF).is_ok_and(|sets| sets.permitted.has(it)))
    }

    pub(super) fn has_inheritable(&mut self, text: &OsStr) -> StepResult {
        require(text, "not inheritable", |it| caps::get(Pid::SELF).is_ok_and(|sets| sets.inheritable.has(it)))
    }

    pub(super) fn has_ambient(&mut self, text: &OsStr) -> StepResult {
        require(text, "not in ambient vector", |it| caps::in_ambient(it) == Ok(true))
    }

    pub(super) fn has_bounding(&mut self, text: &OsStr) -> StepResult {
        require(text, "not in bounding vector", |it| caps::in_bounding(it) == Ok(true))
    }

    pub(super) fn is_dropped(&mut self, text: &OsStr) -> StepResult {
        require(text, "raised in bounding vector", |it| matches!(caps::in_bounding(it), Ok(false) | Err(Errno::EINVAL)))
    }

    pub(super) fn kernel_has_ambient(&mut self) -> StepResult {
        if caps::in_ambient(Cap(0)).is_ok() {
            return Ok(());
        }
        Err(fail(text!["ambient set not supported"]))
    }
}

/// The capabilities that `--inh` lists. `Err(None)`: the text would change other sets as well.
fn inheritable(list: &[u8]) -> Result<CapSet, Option<TextError>> {
    if list.is_empty() || list == b"none" {
        return Ok(CapSet::EMPTY);
    }
    let sets = parse(&[without_flags(list), b"+i"].concat()).map_err(Some)?;
    if !(sets.permitted | sets.effective).is_empty() { Err(None) } else { Ok(sets.inheritable) }
}

/// The capabilities of a comma-separated list, in its order, or `all`; empty items are skipped.
fn read_list(list: &OsStr) -> Result<Vec<Cap>, Failure> {
    if list == "all" {
        return Ok(CapSet::first(caps::count()).members().collect());
    }
    let mut found = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b',').filter(|item| !item.is_empty()) {
        let item = OsStr::from_bytes(item);
        let known = parse_one(item);
        found.push(known.map_err(|error| unreadable_text("capability [", item, "] is unknown to libcap", error))?);
    }
    Ok(found)
}

fn change_ambient(
    list: &OsStr,
    change: fn(Cap) -> linux::Result<()>,
    verb: &str,
    hint: fn(Failure, Cap, Errno) -> Failure,
) -> StepResult {
    let is_all = list == "all";
    for capability in read_list(list)? {
        change(capability).map_err(|error| {
            let name = caps::name(capability);
            let failure = match is_all {
                true => fail(text!["Unable to ", verb, " ambient capability [", name, "]"]),
                false => fail(text!["failed to ", verb, " ambient [", name, "=", capability, "]"]),
            };
            hint(failure, capability, error.errno)
        })?;
    }
    Ok(())
}

fn recognized(text: &OsStr) -> Result<Cap, Failure> {
    parse_one(text).map_err(|error| unreadable_text("cap[", text, "] not recognized by library", error))
}

/// Fails unless it holds of each name in a list.
fn require(list: &OsStr, otherwise: &str, holds: fn(Cap) -> bool) -> StepResult {
    for item in list.as_bytes().split(|byte| *byte == b',').map(OsStr::from_bytes) {
        if !holds(recognized(item)?) {
            return Err(fail(text!["cap[", item, "] ", otherwise]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inheritable_lists_are_names_numbers_all_or_none() {
        assert_eq!(inheritable(b""), Ok(CapSet::EMPTY));
        assert_eq!(inheritable(b"none"), Ok(CapSet::EMPTY));
        assert_eq!(inheritable(b"cap_kill,0"), Ok(CapSet(33)));
        assert_eq!(inheritable(b"all"), Ok(CapSet::first(caps::count())));
        assert_eq!(inheritable(b"cap_kill,0=eip"), Ok(CapSet(33)));
        assert_eq!(inheritable(b"cap_chown=p cap_kill"), Err(None));
        assert_eq!(inheritable(b"cap_chown=p cap_kill=eip"), Err(None));
        for wrong in ["none,cap_kill", "none=eip", "=eip", "+i", "cap_kill=e+p"] {
            assert!(inheritable(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
