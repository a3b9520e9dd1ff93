//! Turns the options into steps, in order. Making the plan changes nothing.

use super::options::Options;
use cli::{Failure, text};
use linux::credentials::{Gid, Uid};
use linux::credentials::{effective_gid, effective_uid, groups};
use linux::mount::Propagation;
use linux::namespace::idmap::{self, Extent, Ids};
use linux::namespace::{Clock, Kind};
use linux::process::Variables;
use run::fork::ForkOptions;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// What is done, in the order of the fields.
#[derive(Debug, PartialEq, Eq)]
pub struct UnsharePlan {
    /// The process that stays outside and does what can only be done there: it is forked first.
    pub outside: Option<Outside>,
    /// Up to the maps that are written from outside, if there are any.
    pub making: Vec<UnshareStep>,
    /// From them to the fork.
    pub made: Vec<UnshareStep>,
    /// Whether the parent of a fork may not be traced from the new user namespace. It is in there with the ids that we
    /// have now, which a child that takes others would have again by tracing it, unless they are mapped. Where it may be
    /// traced, its owner outside can enter and look at it.
    pub guards_parent: bool,
    /// Whether its child may be traced again: it writes its own files in /proc, which belong to root until then. After
    /// a change of ids it may not, since the kernel would not permit it before the exec, either.
    pub frees_child: bool,
    /// How to fork, if it is asked for: the parent waits, and the child goes on. Then the namespaces are bound
    /// on their files, from outside.
    pub fork: Option<ForkOptions>,
    /// Up to the exec.
    pub inside: Vec<UnshareStep>,
    /// The program, or the login shell if there is none.
    pub operands: Vec<&'static OsStr>,
    /// Its environment variables.
    pub environment: Variables,
}

/// One step.
#[derive(Debug, PartialEq, Eq)]
pub enum UnshareStep {
    /// Become the user who will own the user namespace.
    BecomeOwner { uid: Uid, gid: Gid },
    /// unshare(2).
    Unshare(Vec<Kind>),
    /// Set a clock of the time namespace.
    Offset(Clock, i64),
    /// Map our own id, from inside.
    MapHere(Ids, Extent),
    /// Write `allow` or `deny` to setgroups.
    Setgroups(bool),
    /// Change the propagation of every mount.
    Propagate(Propagation),
    /// Keep an existing mount's propagation from what is mounted on it.
    MakePrivate(&'static OsStr),
    /// chroot(2).
    Chroot(&'static OsStr),
    /// chdir(2).
    Chdir(&'static OsStr),
    /// Mount proc.
    MountProc {
        directory: &'static OsStr,
        /// The root that was changed to before, if it was.
        root: Option<&'static OsStr>,
    },
    /// Mount binfmt_misc.
    MountBinfmt(&'static OsStr),
    /// Register an interpreter with the binfmt_misc mounted there.
    Register { directory: &'static OsStr, definition: &'static OsStr },
    /// Drop the supplementary groups.
    DropGroups,
    /// setgid(2).
    SetGid(Gid),
    /// setuid(2).
    SetUid(Uid),
    /// Let the capabilities survive the change of the user, which would clear them.
    KeepPermitted,
    /// Let the capabilities survive the exec.
    KeepCapabilities,
    /// Say that only the first child will be in the PID namespace.
    WarnOfPidWithoutFork,
}

/// The work of the process that stays outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// The maps to write.
    pub maps: Vec<(Ids, Vec<Extent>)>,
    /// The namespaces to bind on files.
    pub files: Vec<(Kind, &'static OsStr)>,
    /// Whether a child is forked before that.
    pub forks: bool,
}

/// The plan of a command line.
pub fn plan(mut options: Options, operands: &[&'static OsStr]) -> Result<UnsharePlan, Failure> {
    check(&options)?;
    let maps = maps(&mut options);
    let outside = Outside { files: std::mem::take(&mut options.files), maps: maps.outside, forks: options.fork };
    let is_needed = !outside.maps.is_empty() || !outside.files.is_empty();
    let mut making = Vec::new();
    making.extend(options.owner.map(|(uid, gid)| UnshareStep::BecomeOwner { uid, gid }));
    if !options.kinds.is_empty() {
        making.push(UnshareStep::Unshare(options.kinds.clone()));
    }
    if options.setgroups == Some(false) {
        // The kernel takes a denial only before the group map.
        making.push(UnshareStep::Setgroups(false));
    }
    let mut made = Vec::new();
    made.extend(options.boottime.map(|offset| UnshareStep::Offset(Clock::Boottime, offset)));
    made.extend(options.monotonic.map(|offset| UnshareStep::Offset(Clock::Monotonic, offset)));
    let fork = options
        .fork
        .then_some(ForkOptions { forward_signals: options.forward_signals, kill_child: options.kill_child });
    let changes_ids = options.uid.is_some() || options.gid.is_some() || effective_uid().is_root();
    // Who is privileged inside may have the ids that are mapped without tracing anybody. Groups that the child drops are not.
    let gains_nothing = options.owner.is_none()
        && options.map_user.is_some()
        && options.map_group.is_some()
        && (options.gid.is_none() || groups().is_ok_and(|own| own.iter().all(|gid| *gid == effective_gid())));
    let guards_parent = options.fork && options.wants(Kind::User) && changes_ids && !gains_nothing;
    let mut steps = Vec::new();
    inside(&options, maps.here, &mut steps);
    if options.wants(Kind::Pid) && !options.fork {
        steps.push(UnshareStep::WarnOfPidWithoutFork);
    }
    Ok(UnsharePlan {
        outside: is_needed.then_some(outside),
        making,
        made,
        guards_parent,
        frees_child: guards_parent && options.owner.is_none(),
        fork,
        inside: steps,
        operands: operands.to_vec(),
        environment: options.environment,
    })
}

fn check(options: &Options) -> Result<(), Failure> {
    if (options.monotonic.is_some() || options.boottime.is_some()) && !options.wants(Kind::Time) {
        let text = text!["options --monotonic and --boottime require unsharing of a time namespace (-T)"];
        return Err(Failure::new(1, text));
    }
    if options.setgroups == Some(true)
        && options.map_group.is_some()
        && options.group_ranges.is_empty()
        && options.auto_groups.is_empty()
        && options.owner.is_none()
    {
        let text = text!["options --setgroups=allow and --map-group are mutually exclusive"];
        return Err(Failure::new(1, text)
            .hint("the kernel lets a user map a group of their own only after setgroups is denied, or they could drop a group that denies them a file"));
    }
    Ok(())
}

/// The steps inside the new namespaces, up to the exec.
fn inside(options: &Options, maps: Vec<(Ids, Extent)>, steps: &mut Vec<UnshareStep>) {
    for (ids, extent) in maps {
        if ids == Ids::Groups && options.setgroups != Some(false) {
            steps.push(UnshareStep::Setgroups(false));
        }
        steps.push(UnshareStep::MapHere(ids, extent));
    }
    if options.setgroups == Some(true) {
        steps.push(UnshareStep::Setgroups(true));
    }
    let propagation = options.propagation.unwrap_or(Some(Propagation::Private));
    if options.wants(Kind::Mount) {
        steps.extend(propagation.map(UnshareStep::Propagate));
    }
    let register = |directory| options.load_interp.map(|definition| UnshareStep::Register { directory, definition });
    let opens_at_once = options.root.is_some() && options.load_interp.is_some_and(has_fixed_flag);
    if opens_at_once {
        // With flag F binfmt_misc opens the interpreter at registration, so register before chroot.
        let directory = OsStr::new("/proc/sys/fs/binfmt_misc");
        steps.push(UnshareStep::MountBinfmt(directory));
        steps.extend(register(directory));
    }
    if let Some(root) = options.root {
        steps.push(UnshareStep::Chroot(root));
        steps.push(UnshareStep::Chdir(options.wd.unwrap_or(OsStr::new("/"))));
    } else {
        steps.extend(options.wd.map(UnshareStep::Chdir));
    }
    if let Some(directory) = options.mount_proc {
        if options.root.is_none() && propagation != Some(Propagation::Private) {
            steps.push(UnshareStep::MakePrivate(directory));
        }
        steps.push(UnshareStep::MountProc { directory, root: options.root });
    }
    if let Some(directory) = options.mount_binfmt {
        steps.push(UnshareStep::MountBinfmt(directory));
        if !opens_at_once {
            steps.extend(register(directory));
        }
    }
    if let Some(gid) = options.gid {
        steps.push(UnshareStep::DropGroups);
        steps.push(UnshareStep::SetGid(gid));
    }
    let keeps = options.keep_caps && options.wants(Kind::User);
    if keeps && options.uid.is_some_and(|uid| !uid.is_root()) {
        steps.push(UnshareStep::KeepPermitted);
    }
    steps.extend(options.uid.map(UnshareStep::SetUid));
    if keeps {
        steps.push(UnshareStep::KeepCapabilities);
    }
}

/// Whether a binfmt_misc definition has the flag F: the interpreter is opened when it is registered.
/// Its first byte, mostly a colon, stands between its fields, of which the flags are the last.
fn has_fixed_flag(definition: &OsStr) -> bool {
    let Some((separator, fields)) = definition.as_bytes().split_first() else { return false };
    fields.split(|byte| byte == separator).nth(6).is_some_and(|flags| flags.contains(&b'F'))
}

/// Maps, by where they are written.
#[derive(Default)]
struct Maps {
    outside: Vec<(Ids, Vec<Extent>)>,
    here: Vec<(Ids, Extent)>,
}

/// A single id of the caller's own is mapped from inside, which needs no privilege. A list of ids, or a user namespace
/// with another owner, needs the process outside.
fn maps(options: &mut Options) -> Maps {
    let mut maps = Maps::default();
    let has_owner = options.owner.is_some();
    let sides = [
        (Ids::Users, options.map_user, std::mem::take(&mut options.user_ranges), &options.auto_users),
        (Ids::Groups, options.map_group, std::mem::take(&mut options.group_ranges), &options.auto_groups),
    ];
    for (ids, single, mut ranges, auto) in sides {
        let own = || if ids == Ids::Users { effective_uid().0 } else { effective_gid().0 };
        let single = single.map(|inner| Extent { inner, outer: own(), count: 1 });
        ranges.extend(auto.iter().map(|range| single.map_or(*range, |single| range.with_room(single))));
        match single {
            Some(single) if ranges.is_empty() && !has_owner => maps.here.push((ids, single)),
            Some(single) => maps.outside.push((ids, idmap::with_single(single, &ranges))),
            None if ranges.is_empty() => {}
            None => maps.outside.push((ids, ranges)),
        }
    }
    maps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(set: impl FnOnce(&mut Options)) -> UnsharePlan {
        let mut options = Options::default();
        set(&mut options);
        plan(options, &[OsStr::new("true")]).unwrap()
    }

    fn position(steps: &[UnshareStep], wanted: impl Fn(&UnshareStep) -> bool) -> usize {
        steps.iter().position(wanted).expect("the step is in the plan")
    }

    #[test]
    fn setgroups_is_denied_before_the_group_map_is_written() {
        let plan = planned(|options| {
            options.want(Kind::User);
            options.map_user = Some(0);
            options.map_group = Some(0);
        });
        let deny = position(&plan.inside, |step| *step == UnshareStep::Setgroups(false));
        let map = position(&plan.inside, |step| matches!(step, UnshareStep::MapHere(Ids::Groups, _)));
        assert!(deny < map);
    }

    #[test]
    fn a_list_is_mapped_from_outside_and_needs_no_denial() {
        let plan = planned(|options| {
            options.want(Kind::User);
            options.map_group = Some(0);
            options.group_ranges = vec![Extent { inner: 0, outer: 1000, count: 2 }];
        });
        assert!(plan.outside.is_some_and(|outside| outside.maps.len() == 1));
        assert!(
            !plan.making.contains(&UnshareStep::Setgroups(false))
                && !plan.inside.contains(&UnshareStep::Setgroups(false))
        );
    }

    #[test]
    fn a_denial_of_setgroups_comes_once_before_the_map_that_is_written_outside() {
        let plan = planned(|options| {
            options.want(Kind::User);
            options.setgroups = Some(false);
            options.map_group = Some(0);
            options.group_ranges = vec![Extent { inner: 0, outer: 1000, count: 2 }];
        });
        assert_eq!(plan.making, [UnshareStep::Unshare(vec![Kind::User]), UnshareStep::Setgroups(false)]);
        assert!(!plan.inside.contains(&UnshareStep::Setgroups(false)));
    }

    #[test]
    fn a_child_that_takes_other_ids_than_its_parent_cannot_trace_it() {
        let forks = |set: fn(&mut Options)| {
            let plan = planned(|options| {
                options.want(Kind::User);
                options.fork = true;
                set(options);
            });
            (plan.guards_parent, plan.frees_child)
        };
        assert_eq!(forks(|options| options.uid = Some(Uid(5))), (true, true));
        assert_eq!(
            forks(|options| (options.uid, options.owner) = (Some(Uid(5)), Some((Uid(7), Gid(7))))),
            (true, false)
        );
        assert_eq!(forks(|options| (options.uid, options.fork) = (Some(Uid(5)), false)), (false, false));
        let own = |options: &mut Options| {
            (options.map_user, options.map_group, options.uid) = (Some(0), Some(0), Some(Uid(5)))
        };
        assert_eq!(forks(own), (false, false));
    }

    #[test]
    fn the_process_outside_knows_that_a_pid_namespace_gets_its_first_process() {
        let plan = planned(|options| {
            options.want(Kind::Pid);
            options.files = vec![(Kind::Pid, OsStr::new("/run/ns"))];
            options.fork = true;
        });
        assert!(plan.fork.is_some() && plan.outside.is_some_and(|outside| outside.forks && outside.files.len() == 1));
    }

    #[test]
    fn the_flags_of_a_definition_stand_after_its_sixth_separator() {
        assert!(has_fixed_flag(OsStr::new(":n:M::\\x7fELF::/i:OCF")));
        assert!(has_fixed_flag(OsStr::new(",n,E,,f,,/i,F")));
        assert!(!has_fixed_flag(OsStr::new(":n:E::f::/F:")));
        assert!(!has_fixed_flag(OsStr::new(",n,E,,f,,/F,")));
        assert!(!has_fixed_flag(OsStr::new("")));
    }

    #[test]
    fn the_working_directory_is_inside_the_new_root() {
        let plan = planned(|options| options.root = Some(OsStr::new("/r")));
        assert_eq!(plan.inside[..2], [UnshareStep::Chroot(OsStr::new("/r")), UnshareStep::Chdir(OsStr::new("/"))]);
    }
}
