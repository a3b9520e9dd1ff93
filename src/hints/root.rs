//! Why the root could not be changed: chroot(2), pivot_root(2), and the moves of switch_root.

use crate::environment::Environment;
use crate::hint::Hint;
use crate::user_namespaces::needs;
use cli::text;
use linux::Errno;
use linux::caps::Cap;
use std::ffi::OsStr;

pub(crate) fn chroot(directory: &OsStr, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    match errno {
        Errno::EPERM => {
            let own = ", or make a user namespace that has it: unshare -r chroot ...";
            let mut hints = needs(Cap::SYS_CHROOT, own, environment);
            if directory == "/host" {
                hints.truncate(1);
                hints.push(text!["in a pod of 'kubectl debug node', ask for the privilege: --profile=sysadmin; and since chroot keeps the pod's namespaces, 'nsenter -a -t 1' may be what is meant"]);
            }
            hints
        }
        Errno::EACCES => vec![text!["every directory on the way to it must be searchable (x) for this user"]],
        _ => Vec::new(),
    }
}

/// Which of the conditions of pivot_root(2) does not hold, as far as can be seen.
pub(crate) fn pivot(new_root: &OsStr, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    let root = OsStr::new("/");
    let is_root = |path| environment.mount_of(path).and_then(|mount| mount.is_root);
    let identity = |path| environment.node(path).map(|node| node.identity);
    let hint = match errno {
        Errno::EPERM => {
            let own = ", and 'unshare --map-root-user --mount' gives it in a new namespace";
            return needs(Cap::SYS_ADMIN, own, environment);
        }
        Errno::EBUSY if identity(new_root) == identity(root) => text!["the new root is the present one"],
        Errno::EBUSY | Errno::EINVAL if is_root(new_root) == Some(false) => {
            text!["'", new_root, "' is no mount point: 'mount --bind ", new_root, " ", new_root, "' makes it one"]
        }
        Errno::EINVAL if is_root(root) == Some(false) => text!["the present root is no mount point, as after chroot"],
        Errno::EINVAL => text![
            "the mounts may be shared ('unshare --mount' makes them private), or put_old is not at or below new_root"
        ],
        _ => return Vec::new(),
    };
    vec![hint]
}

/// A refused move of a mount by switch_root, or a mount that it cannot move.
pub(crate) fn move_root(moved: &OsStr, errno: Errno, environment: &dyn Environment) -> Vec<Hint> {
    if errno != Errno::EINVAL {
        return Vec::new();
    }
    let Some(mount) = environment.mount_of(moved) else { return Vec::new() };
    if mount.is_root == Some(false) {
        return vec![text!["'", moved, "' is no mount point; nothing was changed"]];
    }
    let table = environment.mounts();
    let find = |id: u32| table.as_ref().and_then(|table| table.find_id(id));
    let parent = u32::try_from(mount.id).ok().and_then(find).and_then(|entry| find(entry.parent));
    let shared = parent.filter(|parent| parent.group("shared:").is_some());
    let hint = shared.map(|shared| {
        let place = shared.target_path();
        text![
            moved,
            " is mounted on ", place, ", which is shared, and from a shared mount none is moved; everything is where it was: mount --make-private ", place
        ]
    });
    hint.into_iter().collect()
}

/// switch_root found no program to run in the new root.
pub(crate) fn find_init(new_root: &OsStr) -> Vec<Hint> {
    vec![text!["it is looked for in '", new_root, "'; nothing was changed"]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Kind as FileKind;
    use crate::environment::Privileges;
    use crate::made_up::{MadeUp, said};
    use crate::step::Step;
    use linux::caps::{CapSet, Sets};

    fn with(effective: CapSet) -> MadeUp {
        let sets = Sets { effective, permitted: effective, inheritable: CapSet::EMPTY };
        MadeUp {
            privileges: Some(Privileges { euid: linux::credentials::Uid(0), sets, bounding: CapSet::EMPTY }),
            ..MadeUp::default()
        }
    }

    #[test]
    fn a_missing_capability_is_shown_with_the_set_there_is() {
        let told = |directory: &str, environment: &MadeUp| {
            said(Step::Chroot(OsStr::new(directory)), Errno::EPERM, environment)
        };
        let files = vec![("/proc/self/status", "Seccomp:\t2\n")];
        let filtered = MadeUp { files, ..with(CapSet::of(Cap::SYS_CHROOT)) };
        let told_filtered = told("/srv", &filtered);
        assert!(told_filtered.starts_with("a seccomp filter is on this process"), "{told_filtered}");
        let pod = told("/host", &with(CapSet::EMPTY));
        assert!(pod.starts_with("this process has no CAP_SYS_CHROOT (CapEff=0000000000000000)\n"), "{pod}");
        assert!(pod.contains("--profile=sysadmin") && pod.contains("nsenter -a -t 1"));
        assert!(said(Step::Chroot(OsStr::new("/srv")), Errno::EACCES, &with(CapSet::EMPTY)).contains("searchable"));
    }

    #[test]
    fn the_condition_of_pivot_root_that_does_not_hold_is_told() {
        let mounts = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 20 0:40 / /new rw - tmpfs t rw\n";
        let environment = MadeUp {
            mounts,
            on: vec![("/", 20), ("/new", 30), ("/dir", 20)],
            nodes: vec![("/", FileKind::Directory), ("/new", FileKind::Directory), ("/dir", FileKind::Directory)],
            ..with(CapSet::EMPTY)
        };
        let told = |new_root, errno| said(Step::Pivot { new_root: OsStr::new(new_root) }, errno, &environment);
        assert!(told("/dir", Errno::EINVAL).contains("'mount --bind /dir /dir' makes it one"));
        assert_eq!(told("/", Errno::EBUSY), "the new root is the present one\n");
        assert!(told("/new", Errno::EINVAL).contains("shared"));
        assert!(told("/new", Errno::EPERM).contains("--map-root-user"));
        let moved = |new_root| said(Step::MoveRoot(OsStr::new(new_root)), Errno::EINVAL, &environment);
        assert_eq!(moved("/dir"), "'/dir' is no mount point; nothing was changed\n");
        assert_eq!(moved("/new"), "");
        let mounts = "20 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n30 20 0:40 / /new rw - tmpfs t rw\n";
        let shared = MadeUp { mounts, on: vec![("/new", 30)], ..MadeUp::default() };
        let moved = said(Step::MoveRoot(OsStr::new("/new")), Errno::EINVAL, &shared);
        assert!(moved.ends_with(": mount --make-private /\n"), "{moved}");
    }
}
