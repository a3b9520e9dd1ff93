//! The options that change or test users, groups and the root directory.

use super::session::{Session, StepResult, fail, failed, integer};
use cli::{Failure, number, text};
use hints::explained;
use linux::caps::{self, Cap};
use linux::credentials::{self, Gid, Uid};
use linux::{accounts, directory, environment};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

impl Session<'_> {
    pub(super) fn set_uid(&mut self, value: &OsStr) -> StepResult {
        let uid = Uid(integer("--uid value", value)?);
        credentials::set_uid(uid)
            .map_err(|error| why(fail(text!["Failed to set uid=", uid, ": ", error.errno]), Cap::SETUID, &error))
    }

    pub(super) fn set_gid(&mut self, value: &OsStr) -> StepResult {
        let gid = Gid(integer("--gid value", value)?);
        credentials::set_gid(gid)
            .map_err(|error| why(fail(text!["Failed to set gid=", gid, ": ", error.errno]), Cap::SETGID, &error))
    }

    pub(super) fn capability_set_uid(&mut self, value: &OsStr) -> StepResult {
        let uid = Uid(integer("--cap-uid value", value)?);
        set_uid_keeping(uid)
            .map_err(|error| why(fail(text!["Failed to cap_setuid(", uid, "): ", error.errno]), Cap::SETUID, &error))
    }

    pub(super) fn become_user(&mut self, name: &OsStr) -> StepResult {
        let user = accounts::passwd_by_name(name).ok_or_else(|| {
            fail(text!["User [", name, "] not known"]).hint("looked for in /etc/passwd of the current root")
        })?;
        let groups =
            accounts::groups_of(name, user.gid).map_err(|error| failed("Unable to get group list for user", &error))?;
        set_groups_raised(user.gid, &groups)
            .map_err(|error| why(failed("Unable to set group list for user", &error), Cap::SETGID, &error))?;
        set_uid_keeping(user.uid).map_err(|error| {
            why(fail(text!["Failed to set uid=", user.uid, "(user=", name, "): ", error.errno]), Cap::SETUID, &error)
        })?;
        if !self.keep_environment {
            // Only what is there is replaced, and USER beside HOME alone.
            self.variables = vec![("HOME", user.home), ("USER", user.name)];
            let there = self.variables.iter().take_while(|(name, _)| environment::value(name).is_some()).count();
            self.variables.truncate(there);
        }
        Ok(())
    }

    pub(super) fn leave_environment(&mut self) -> StepResult {
        self.keep_environment = true;
        Ok(())
    }

    pub(super) fn set_groups(&mut self, list: &OsStr) -> StepResult {
        let mut groups = Vec::new();
        for item in list.as_bytes().split(|byte| *byte == b',').filter(|item| !item.is_empty()) {
            groups.push(gid(item).ok_or_else(|| fail(text!["Failed to identify gid for group [", item, "]"]))?);
        }
        credentials::set_groups(&groups).map_err(|error| {
            why(fail(text!["Failed to setgroups."]).hint(text!["setgroups: ", error.errno]), Cap::SETGID, &error)
        })
    }

    pub(super) fn is_uid(&mut self, value: &OsStr) -> StepResult {
        let wanted = integer("--is-uid value", value)?;
        compare("uid", credentials::real_uid().0, wanted)
    }

    pub(super) fn is_gid(&mut self, value: &OsStr) -> StepResult {
        let wanted = integer("--is-gid value", value)?;
        compare("gid", credentials::real_gid().0, wanted)
    }

    pub(super) fn chroot(&mut self, path: &OsStr) -> StepResult {
        let change = || directory::chroot(path).and_then(|()| directory::chdir(OsStr::new("/")));
        match caps::with_raised(Cap::SYS_CHROOT, change) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                // libcap does not say why.
                Err(fail(text!["Unable to chroot/chdir to [", path, "]"]).hint(text![error.call, ": ", error.errno]))
            }
            Err(error) => {
                let failure = failed("unable to raise CAP_SYS_CHROOT", &error);
                Err(explained(failure, hints::Step::Raise(Cap::SYS_CHROOT), error.errno))
            }
        }
    }
}

/// A failure to do what takes this capability.
fn why(failure: Failure, number: Cap, error: &linux::Error) -> Failure {
    explained(failure, hints::Step::SetIds(number), error.errno)
}

fn compare(what: &str, got: u32, wanted: u32) -> StepResult {
    if got == wanted { Ok(()) } else { Err(fail(text![what, ": got=", got, ", want=", wanted])) }
}

/// A group by number (decimal, octal after 0, hexadecimal after 0x) or by name.
fn gid(item: &[u8]) -> Option<Gid> {
    if item.first().is_some_and(u8::is_ascii_digit) {
        return u32::try_from(number::natural(item, 0)?).ok().map(Gid);
    }
    accounts::group_by_name(OsStr::from_bytes(item)).map(|group| group.gid)
}

/// setuid(2) with CAP_SETUID raised for it: cap_setuid(3). The permitted set is kept, and the effective set is empty
/// afterwards.
fn set_uid_keeping(uid: Uid) -> linux::Result<()> {
    let done = (|| {
        caps::raise(Cap::SETUID)?;
        // A locked securebit may refuse this. The user changes all the same, as with libcap: the result is less
        // privilege, not more.
        let kept = caps::set_keep_capabilities(1);
        let done = credentials::set_uid(uid);
        if kept.is_ok() {
            caps::set_keep_capabilities(0)?;
        }
        done
    })();
    caps::clear_effective()?;
    done
}

/// setgid(2) and setgroups(2) with CAP_SETGID raised for them. The effective set is empty afterwards.
fn set_groups_raised(gid: Gid, groups: &[Gid]) -> linux::Result<()> {
    let done = (|| {
        caps::raise(Cap::SETGID)?;
        credentials::set_gid(gid)?;
        credentials::set_groups(groups)
    })();
    caps::clear_effective()?;
    done
}
