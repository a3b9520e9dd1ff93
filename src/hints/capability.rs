//! Why capabilities could not be changed: capset(2), prctl(2), setxattr(2); capabilities(7).

use crate::environment::{Environment, Kind as FileKind};
use crate::hint::{Hint, lacks, on, who_has};
use cli::text;
use linux::Errno;
use linux::caps::{Cap, CapSet, count, may_raise_ambient, name, names};
use std::ffi::OsStr;

/// A capability that the command needs cannot be made effective.
pub(crate) fn raise(number: Cap, environment: &dyn Environment) -> Vec<Hint> {
    if number == Cap::SETPCAP {
        return setpcap(environment);
    }
    vec![text!["this takes ", name(number), ", which is not permitted to this process; ", who_has(number, environment)]]
}

/// A change of users or groups that takes this capability.
pub(crate) fn set_ids(number: Cap, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let has =
        |file: &str, word: &[u8]| environment.file(OsStr::new(file)).is_some_and(|text| text.trim_ascii() == word);
    match errno {
        Errno::EPERM if environment.privileges().is_some_and(|own| !own.sets.permitted.has(number)) => {
            raise(number, environment)
        }
        Errno::EPERM if number == Cap::SETGID && has("/proc/self/setgroups", b"deny") => {
            vec![text!["setgroups(2) is denied in this user namespace: see /proc/self/setgroups"]]
        }
        Errno::EINVAL if environment.in_user_namespace() => {
            vec![text!["this user namespace maps no such id: see /proc/self/uid_map and gid_map"]]
        }
        _ => Vec::new(),
    }
}

/// Why CAP_SETPCAP is not there, if it is not.
pub(crate) fn setpcap(environment: &dyn Environment) -> Vec<Hint> {
    let Some(own) = environment.privileges() else { return Vec::new() };
    let why = match () {
        () if own.sets.effective.has(Cap::SETPCAP) => return Vec::new(),
        () if own.sets.permitted.has(Cap::SETPCAP) => text!["permitted but not effective"],
        () if !own.bounding.has(Cap::SETPCAP) => {
            text!["no longer to be had: an earlier drop took it away; drop everything at once, or it last"]
        }
        () => text!["not permitted to this process; ", who_has(Cap::SETPCAP, environment)],
    };
    vec![text!["this takes cap_setpcap, which is ", why]]
}

pub(crate) fn set_on_file(path: &OsStr, rootid: u32, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let hint = match errno {
        Errno::EINVAL
            if environment.link(path).is_none()
                && environment.node(path).is_some_and(|node| node.kind == FileKind::Regular) =>
        {
            // Sets that no file can hold are said before.
            if rootid == 0 {
                return Vec::new();
            }
            text![
                "it is a regular file, but user ",
                rootid,
                " is not mapped in this user namespace, or the kernel is one before 4.14"
            ]
        }
        Errno::EINVAL => text!["it is not a regular file; symbolic links are not followed"],
        Errno::EOPNOTSUPP => match on(path, environment) {
            Some(on) => {
                text![
                    "it is on ",
                    on.target,
                    ", a file system (",
                    on.fstype,
                    ") that keeps no extended attributes, so no capabilities"
                ]
            }
            None => text!["its file system keeps no extended attributes, so no capabilities"],
        },
        Errno::EPERM => match lacks(Cap::SETFCAP, environment) {
            Some(hint) => hint,
            None if environment.in_user_namespace() => text![
                "in a user namespace, the file's owner and group must be mapped, and its file system be mounted there or allow it"
            ],
            None => text!["it may be immutable: 'lsattr' shows an i, and 'chattr -i' takes it away"],
        },
        _ => return Vec::new(),
    };
    vec![hint]
}

/// `what` and the names of the set, if there are any in it.
fn members(what: &str, set: CapSet) -> Vec<Hint> {
    if set.is_empty() { Vec::new() } else { vec![text![what, names(set)]] }
}

pub(crate) fn set(wanted: CapSet, environment: &dyn Environment) -> Vec<Hint> {
    let permitted = environment.privileges().map_or(CapSet::FULL, |own| own.sets.permitted);
    members("these are not permitted to this process: ", wanted & !permitted)
}

pub(crate) fn set_inheritable(wanted: CapSet, environment: &dyn Environment) -> Vec<Hint> {
    let allowed = environment.privileges().map_or(CapSet::FULL, |own| own.sets.inheritable | own.bounding);
    members("these are not in the bounding set: ", wanted & !allowed)
}

/// Why no capability can be made ambient.
pub const NO_AMBIENT_RAISE: &str = "the securebit no_cap_ambient_raise is set";

pub(crate) fn raise_ambient(number: Cap, environment: &dyn Environment) -> Vec<Hint> {
    if !may_raise_ambient() {
        return vec![text![NO_AMBIENT_RAISE]];
    }
    let sets = environment.privileges().unwrap_or_default().sets;
    if (sets.permitted & sets.inheritable).has(number) {
        return Vec::new();
    }
    vec![text!["an ambient capability must be permitted and inheritable first: --inh, then --addamb"]]
}

pub(crate) fn set_iab(ambient: CapSet, blocked: CapSet, environment: &dyn Environment) -> Vec<Hint> {
    let own = environment.privileges().unwrap_or_default();
    let mut hints = members("these are not permitted, so cannot be ambient: ", ambient & !own.sets.permitted);
    if !ambient.is_empty() && !may_raise_ambient() {
        hints.push(text![NO_AMBIENT_RAISE]);
    }
    if !(blocked & own.bounding).is_empty() {
        hints.extend(setpcap(environment));
    }
    hints
}

pub(crate) fn drop_bounding(number: Cap, environment: &dyn Environment) -> Vec<Hint> {
    let mut hints = setpcap(environment);
    if number.0 >= count() {
        hints.push(text!["this kernel's capabilities end at ", count() - 1]);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Privileges;
    use crate::made_up::{MadeUp, said};
    use crate::step::Step;
    use linux::caps::Sets;

    fn own(effective: u64, permitted: u64, inheritable: u64, bounding: u64) -> MadeUp {
        let sets =
            Sets { effective: CapSet(effective), permitted: CapSet(permitted), inheritable: CapSet(inheritable) };
        MadeUp {
            privileges: Some(Privileges { euid: linux::credentials::Uid(0), sets, bounding: CapSet(bounding) }),
            ..MadeUp::default()
        }
    }

    #[test]
    fn where_setpcap_went_is_told() {
        let it = CapSet::of(Cap::SETPCAP).0;
        let told = |environment: MadeUp| said(Step::Drop(Cap(0)), Errno::EPERM, &environment);
        assert_eq!(told(own(it, it, 0, it)), "");
        assert!(told(own(0, it, 0, it)).contains("permitted but not effective"));
        assert!(told(own(0, 0, 0, 0)).contains("an earlier drop took it away"));
        assert!(
            told(own(0, 0, 0, it)).contains("root is without it here") && !told(own(0, 0, 0, it)).contains("root has")
        );
        let mut user = own(0, 0, 0, it);
        user.privileges = user.privileges.map(|own| Privileges { euid: linux::credentials::Uid(1000), ..own });
        assert!(told(user).contains("root has it"));
        assert!(said(Step::Drop(Cap(63)), Errno::EINVAL, &own(it, it, 0, it)).contains("capabilities end at"));
        assert!(said(Step::Raise(Cap::SETFCAP), Errno::EPERM, &own(0, 0, 0, 0)).contains("cap_setfcap"));
    }

    #[test]
    fn members_that_are_not_to_be_had_are_named() {
        let environment = own(1, 1, 0, 1);
        assert_eq!(
            said(Step::SetSets(CapSet(3)), Errno::EPERM, &environment),
            "these are not permitted to this process: cap_dac_override\n"
        );
        assert_eq!(
            said(Step::SetInheritable(CapSet(3)), Errno::EPERM, &environment),
            "these are not in the bounding set: cap_dac_override\n"
        );
        assert!(said(Step::RaiseAmbient(Cap(0)), Errno::EPERM, &environment).contains("permitted and inheritable"));
        let iab = Step::SetIab { ambient: CapSet(2), blocked: CapSet(1) };
        let said = said(iab, Errno::EPERM, &environment);
        assert!(said.contains("cannot be ambient: cap_dac_override\n") && said.contains("cap_setpcap"), "{said}");
    }

    #[test]
    fn why_a_file_cannot_have_them_is_told() {
        let step = |rootid| Step::SetCapability { path: OsStr::new("/mnt/f"), rootid };
        let mounts = "20 1 8:1 / / rw - ext4 a rw\n30 20 0:9 / /mnt rw - vfat b rw\n";
        let files = vec![("/mnt/f", ""), ("/proc/self/uid_map", "0 1000 1\n")];
        let environment =
            MadeUp { files, mounts, on: vec![("/mnt/f", 30)], ..own(CapSet::of(Cap::SETFCAP).0, 0, 0, 0) };
        assert!(said(step(0), Errno::EOPNOTSUPP, &environment).starts_with("it is on /mnt, a file system (vfat)"));
        assert!(said(step(5), Errno::EINVAL, &environment).contains("user 5 is not mapped"));
        assert!(said(step(0), Errno::EPERM, &environment).contains("owner and group must be mapped"));
        assert!(said(step(0), Errno::EPERM, &own(0, 0, 0, 0)).contains("no CAP_SETFCAP"));
        assert!(said(step(0), Errno::EPERM, &own(CapSet::of(Cap::SETFCAP).0, 0, 0, 0)).contains("lsattr"));
        assert!(said(step(0), Errno::EINVAL, &own(0, 0, 0, 0)).contains("not a regular file"));
    }

    #[test]
    fn why_ids_could_not_be_set_is_told_where_it_can_be_seen() {
        let told = |errno, environment: &MadeUp| said(Step::SetIds(Cap::SETGID), errno, environment);
        assert!(told(Errno::EPERM, &own(0, 0, 0, 0)).starts_with("this takes cap_setgid, which is not permitted"));
        assert_eq!(told(Errno::EPERM, &own(0, CapSet::of(Cap::SETGID).0, 0, 0)), "");
        let files = vec![("/proc/self/setgroups", "deny\n"), ("/proc/self/uid_map", "0 1000 1\n")];
        let inside = MadeUp { files, ..own(0, CapSet::of(Cap::SETGID).0, 0, 0) };
        assert!(told(Errno::EPERM, &inside).contains("setgroups(2) is denied"));
        assert!(told(Errno::EINVAL, &inside).contains("maps no such id"));
        assert_eq!(told(Errno::EINVAL, &own(0, 0, 0, 0)), "");
    }
}
