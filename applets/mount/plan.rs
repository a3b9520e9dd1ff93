//! The steps of one mount, in order, as a value. Nothing here touches the machine.
//!
//! The descriptor-based steps put a mount together out of sight and attach it
//! whole; the others are for kernels that have only mount(2).

use linux::mount;
use linux::mount::api::{Attributes, MOUNT_ATTR_NOSYMFOLLOW};
use linux::options::operation::{Mounting, Operation};
use linux::options::{AttributeChange, MountOption, Options as MountOptions};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// A superblock's option for fsconfig(2).
pub type Setting = (OsString, Option<OsString>);

/// One step. The first failure ends the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// fsopen, fsconfig, fsmount: a file system out of sight.
    Create {
        /// Its type.
        fstype: OsString,
        /// Its source.
        source: OsString,
        /// Its options in order.
        settings: Vec<Setting>,
        /// Not if the superblock exists already.
        exclusive: bool,
        /// MOUNT_ATTR_ bits of the mount.
        attributes: u64,
    },
    /// open_tree with OPEN_TREE_CLONE: a copy of a tree out of sight.
    Clone {
        /// Its path.
        path: OsString,
        /// With the mounts below it.
        recursive: bool,
        /// A symbolic link is taken itself.
        no_follow: bool,
    },
    /// open_tree: a mount that is there.
    Open {
        /// Its path.
        path: OsString,
    },
    /// Only a directory of the tree in hand is wanted.
    Subdirectory(OsString),
    /// fspick, fsconfig, FSCONFIG_CMD_RECONFIGURE.
    Reconfigure {
        /// The superblock's options in order.
        settings: Vec<Setting>,
        /// Those that it has and is to keep: they are given only if it has lost them.
        present: Vec<Setting>,
    },
    /// mount_setattr.
    SetAttributes {
        /// What changes.
        attributes: Attributes,
        /// Of the mounts below, too.
        recursive: bool,
    },
    /// mount_setattr with MOUNT_ATTR_IDMAP.
    MapIds {
        /// The value of X-mount.idmap.
        map: OsString,
        /// Of the mounts below, too.
        recursive: bool,
    },
    /// fchownat of the root of the tree in hand. It stays as it was if that fails, which is told at the end.
    SetOwner {
        /// The new owner.
        user: Option<u32>,
        /// The new group.
        group: Option<u32>,
    },
    /// fchmodat of the root of the tree in hand; as above.
    SetMode(u32),
    /// move_mount: the tree in hand appears, on what the target led to when it was opened.
    Attach {
        /// Where.
        target: OsString,
        /// Below the mount that is on top there.
        beneath: bool,
        /// A symbolic link is taken itself.
        no_follow: bool,
        /// The path is looked up again: what it led to was detached.
        again: bool,
    },
    /// A mount that id-mapping or a clone replaces goes.
    Detach {
        /// Its path.
        target: OsString,
    },
    /// mount(2).
    Mount2 {
        /// Its source.
        source: Option<OsString>,
        /// Where.
        target: OsString,
        /// Its type.
        fstype: Option<OsString>,
        /// MS_ flags.
        flags: u64,
        /// The file system's options.
        data: Option<OsString>,
    },
    /// With mount(2): a directory of a new file system, which is mounted elsewhere for a moment.
    Subdirectory2 {
        /// Its source.
        source: Option<OsString>,
        /// Where the directory is to be.
        target: OsString,
        /// The file system's type.
        fstype: OsString,
        /// MS_ flags.
        flags: u64,
        /// The file system's options.
        data: Option<OsString>,
        /// The directory.
        path: OsString,
    },
    /// With mount(2): what is mounted before it is asked for more.
    NoteMounts {
        /// Where the mount will be.
        target: OsString,
    },
    /// With mount(2): a mount that is there is the tree in hand.
    Open2 {
        /// Where it is.
        target: OsString,
    },
    /// With mount(2): the mount that has appeared since is the tree in hand.
    OpenAppeared {
        /// Where it is.
        target: OsString,
    },
    /// mount(2) in place of mount_setattr: flags of a mount that is there.
    Remount2 {
        /// Where it is.
        target: OsString,
        /// What changes.
        attributes: Attributes,
        /// Of the mounts below, too.
        recursive: bool,
    },
}

/// What a plan is made from: everything is known by now.
pub struct Facts<'a> {
    /// What is asked for.
    pub mounting: &'a Mounting<'a>,
    /// What else is asked for.
    pub hooks: &'a super::hooks::Hooks,
    /// With a remount: options that the mount has already, and that nobody asks for.
    pub present: &'a MountOptions,
    /// MOVE_MOUNT_BENEATH.
    pub beneath: bool,
    /// FSCONFIG_CMD_CREATE_EXCL.
    pub exclusive: bool,
    /// Fewer messages in the kernel's log: the type is being guessed.
    pub silent: bool,
}

/// The steps with the descriptor-based calls.
pub fn steps(facts: &Facts<'_>) -> Vec<Step> {
    let Mounting { operation, source, target, fstype, options } = *facts.mounting;
    let target = target.to_os_string();
    let source = source.unwrap_or(OsStr::new("none")).to_os_string();
    let mut steps = Vec::new();
    let change = options.attributes();
    let (beneath, no_follow) = (facts.beneath, facts.hooks.raw_target);
    let attach = Step::Attach { target: target.clone(), beneath, no_follow, again: false };
    match operation {
        Operation::New => {
            let attributes = change.single.set | change.recursive.set;
            steps.push(Step::Create {
                fstype: fstype.unwrap_or_default().to_os_string(),
                source,
                settings: by_layer(fstype, settings(options, options.read_only())),
                exclusive: facts.exclusive,
                attributes,
            });
            steps.extend(facts.hooks.subdir.clone().map(Step::Subdirectory));
            map_ids(facts, false, &mut steps);
            set_owner(facts.hooks, &mut steps);
            steps.push(attach);
        }
        Operation::Bind => {
            let recursive = options.mount_flags() & mount::MS_REC != 0;
            steps.push(Step::Clone { path: source, recursive, no_follow: facts.hooks.raw_source });
            set_attributes(change, &mut steps);
            map_ids(facts, recursive, &mut steps);
            set_owner(facts.hooks, &mut steps);
            steps.push(attach);
        }
        Operation::Move => {
            steps.push(Step::Open { path: source });
            set_attributes(change, &mut steps);
            set_owner(facts.hooks, &mut steps);
            steps.push(attach);
        }
        Operation::Remount => {
            steps.push(Step::Open { path: target.clone() });
            // Neither said: rw, as with mount(2), where a missing MS_RDONLY means it.
            let layered = options.0.iter().any(|option| matches!(option.name.as_slice(), b"ro" | b"rw"));
            let read_only = options.read_only().or((!layered).then_some(false));
            let is_present = |option: &MountOption| facts.present.0.contains(option);
            let (kept, asked) = options.0.iter().cloned().partition(is_present);
            steps.push(Step::Reconfigure {
                settings: settings(&MountOptions(asked), read_only),
                present: settings(&MountOptions(kept), None),
            });
            set_attributes(options.attributes_for_remount(), &mut steps);
            replace_mapped(facts, &target, &mut steps);
            set_owner(facts.hooks, &mut steps);
        }
        Operation::RemountBind => {
            steps.push(Step::Open { path: target.clone() });
            set_attributes(change, &mut steps);
            replace_mapped(facts, &target, &mut steps);
            set_owner(facts.hooks, &mut steps);
        }
        Operation::Propagation => {
            steps.push(Step::Open { path: target });
            set_attributes(change, &mut steps);
            set_owner(facts.hooks, &mut steps);
        }
        Operation::Contradiction => {}
    }
    spread(options, &mut steps);
    steps
}

fn remount2(target: &OsStr, attributes: Attributes, recursive: bool, steps: &mut Vec<Step>) {
    if !attributes.is_empty() {
        steps.push(Step::Remount2 { target: target.to_os_string(), attributes, recursive });
    }
}

/// The changes of propagation, in order.
fn spread(options: &MountOptions, steps: &mut Vec<Step>) {
    for (propagation, recursive) in options.propagation() {
        let attributes = Attributes { propagation: Some(propagation), ..Attributes::default() };
        steps.push(Step::SetAttributes { attributes, recursive });
    }
}

/// The steps that change the propagation of a mount that is there; none if the options say nothing of it.
pub fn propagation(target: &OsStr, options: &MountOptions) -> Vec<Step> {
    let mut steps = Vec::new();
    spread(options, &mut steps);
    if !steps.is_empty() {
        steps.insert(0, Step::Open2 { target: target.to_os_string() });
    }
    steps
}

/// What is to be done to the root of what a mount.TYPE program has mounted: with X-mount.subdir or X-mount.idmap it is in
/// hand and not attached yet.
pub fn after_helper(hooks: &super::hooks::Hooks, target: &OsStr) -> Vec<Step> {
    let mut steps = Vec::new();
    steps.extend(hooks.idmap.clone().map(|map| Step::MapIds { map, recursive: false }));
    set_owner(hooks, &mut steps);
    if hooks.idmap.is_some() || hooks.subdir.is_some() {
        let (target, no_follow) = (target.to_os_string(), hooks.raw_target);
        steps.push(Step::Attach { target, beneath: false, no_follow, again: false });
    }
    steps
}

/// Ids of a mount that is there cannot be mapped: a mapped copy takes its place.
fn replace_mapped(facts: &Facts<'_>, target: &OsStr, steps: &mut Vec<Step>) {
    if facts.hooks.idmap.is_none() {
        return;
    }
    let target = target.to_os_string();
    steps.push(Step::Clone { path: target.clone(), recursive: false, no_follow: false });
    map_ids(facts, false, steps);
    steps.push(Step::Detach { target: target.clone() });
    steps.push(Step::Attach { target, beneath: false, no_follow: false, again: true });
}

fn map_ids(facts: &Facts<'_>, recursive: bool, steps: &mut Vec<Step>) {
    steps.extend(facts.hooks.idmap.clone().map(|map| Step::MapIds { map, recursive }));
}

/// X-mount.owner, X-mount.group and X-mount.mode; the mode is last, since a change of owner clears set-user-ID.
fn set_owner(hooks: &super::hooks::Hooks, steps: &mut Vec<Step>) {
    let super::hooks::Hooks { owner: user, group, mode, .. } = *hooks;
    if user.is_some() || group.is_some() {
        steps.push(Step::SetOwner { user, group });
    }
    steps.extend(mode.map(Step::SetMode));
}

fn set_attributes(change: AttributeChange, steps: &mut Vec<Step>) {
    for (attributes, recursive) in [(change.single, false), (change.recursive, true)] {
        if !attributes.is_empty() {
            steps.push(Step::SetAttributes { attributes, recursive });
        }
    }
}

/// The superblock's options: ro or rw, its flags, the file system's own.
fn settings(options: &MountOptions, read_only: Option<bool>) -> Vec<Setting> {
    let flag = |name: &str| (OsString::from(name), None);
    let mut settings = Vec::new();
    settings.extend(read_only.map(|read_only| flag(if read_only { "ro" } else { "rw" })));
    settings.extend(options.superblock_flags().map(flag));
    settings.extend(
        options
            .filesystem()
            .map(|option| (OsString::from_vec(option.name.clone()), option.plain_value().map(OsString::from_vec))),
    );
    settings
}

/// What fsconfig(2) takes of a name, and of a value.
pub const FSCONFIG_LIMIT: usize = 255;
/// What mount(2) takes of a source.
const SOURCE_LIMIT: usize = 4095;

/// The layers of an overlay one by one, if their list is too long for fsconfig(2) and says the same so: `a:b::c` is two
/// `lowerdir+` and one `datadir+` (Linux 6.7). A backslash has a meaning in the list alone.
fn by_layer(fstype: Option<&OsStr>, settings: Vec<Setting>) -> Vec<Setting> {
    let is_list = |setting: &&Setting| setting.0 == "lowerdir";
    let mut lists = settings.iter().filter(is_list);
    let (Some((_, Some(list))), None) = (lists.next(), lists.next()) else { return settings };
    let bytes = list.as_bytes();
    if fstype != Some(OsStr::new("overlay")) || bytes.len() <= FSCONFIG_LIMIT || bytes.contains(&b'\\') {
        return settings;
    }
    let mut layers = Vec::new();
    let (mut name, mut rest) = ("lowerdir+", bytes);
    loop {
        let end = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
        let (layer, after) = rest.split_at(end);
        if layer.is_empty() || layer.len() > FSCONFIG_LIMIT {
            return settings;
        }
        layers.push((OsString::from(name), Some(OsStr::from_bytes(layer).to_os_string())));
        (name, rest) = match after {
            [] => break,
            [b':', b':', rest @ ..] => ("datadir+", rest),
            // After data nothing but data.
            [_, ..] if name == "datadir+" => return settings,
            [_, rest @ ..] => ("lowerdir+", rest),
        };
    }
    let mut all = Vec::with_capacity(settings.len() + layers.len());
    for setting in settings {
        if setting.0 == "lowerdir" { all.append(&mut layers) } else { all.push(setting) }
    }
    all
}

/// Whether a refused option is one of those that [`by_layer`] makes, which older kernels do not know.
pub fn is_layer(name: &OsStr) -> bool {
    name == "lowerdir+" || name == "datadir+"
}

/// The option of a plan that is longer than fsconfig(2) takes; `source` is one, too.
pub fn beyond_fsconfig(steps: &[Step]) -> Option<&OsStr> {
    let is_long = |text: &OsStr| text.len() > FSCONFIG_LIMIT;
    steps.iter().find_map(|step| {
        let settings = match step {
            Step::Create { source, .. } if is_long(source) => return Some(OsStr::new("source")),
            Step::Create { settings, .. } | Step::Reconfigure { settings, .. } => settings,
            _ => return None,
        };
        let long = settings.iter().find(|(name, value)| is_long(name) || value.as_deref().is_some_and(is_long));
        long.map(|(name, _)| name.as_os_str())
    })
}

/// Why mount(2) cannot take what is asked for: the kernel would cut it off at the end of a page.
pub fn too_long(facts: &Facts<'_>) -> Option<Vec<u8>> {
    let Mounting { operation, source, options, .. } = *facts.mounting;
    if !operation.has_type() {
        return None;
    }
    if source.is_some_and(|source| source.len() > SOURCE_LIMIT) {
        return Some(longer(OsStr::new("source"), SOURCE_LIMIT, "mount(2) takes of it"));
    }
    let longest =
        options.filesystem().max_by_key(|option| option.name.len() + option.value.as_ref().map_or(0, Vec::len))?;
    let limit = mount::data_limit();
    (options.data().len() > limit)
        .then(|| longer(OsStr::from_bytes(&longest.name), limit, "mount(2) takes of all options together"))
}

/// `option NAME is too long: more than LIMIT bytes, ...`.
pub fn longer(name: &OsStr, limit: usize, what: &str) -> Vec<u8> {
    let shown = name.as_bytes().get(..64).map_or(name, OsStr::from_bytes);
    cli::text!["option '", shown, "' is too long: ", limit as u64, " bytes are what ", what]
}

/// The steps with mount(2) alone.
pub fn old_steps(facts: &Facts<'_>) -> Vec<Step> {
    let Mounting { operation, source, target, fstype, options } = *facts.mounting;
    let mut flags = options.mount_flags();
    let data = options.data();
    let data = (!data.is_empty()).then(|| OsString::from_vec(data));
    let source = source.map(OsStr::to_os_string);
    let target = target.to_os_string();
    let fstype = fstype.map(OsStr::to_os_string);
    let none = || Some(OsString::from("none"));
    let mut steps = Vec::new();
    let call = |source, fstype, flags, data| Step::Mount2 { source, target: target.clone(), fstype, flags, data };
    const OPERATIONS: u64 = mount::MS_BIND | mount::MS_MOVE | mount::MS_REC;
    let AttributeChange { single, recursive } = options.attributes();
    let mut owner = Vec::new();
    set_owner(facts.hooks, &mut owner);
    if !owner.is_empty() {
        let target = target.clone();
        steps.push(match operation {
            Operation::New | Operation::Bind => Step::NoteMounts { target },
            Operation::Move => Step::Open2 { target: source.clone().unwrap_or_default() },
            _ => Step::Open2 { target },
        });
    }
    match operation {
        Operation::New => {
            if facts.silent {
                flags |= mount::MS_SILENT;
            }
            // mount(2) knows one kind of read-only, of superblock and mount together.
            if options.read_only() == Some(true) || options.read_only_mount() == Some(true) {
                flags |= mount::MS_RDONLY;
            }
            let source = source.or_else(none);
            let fstype = fstype.unwrap_or_default();
            match facts.hooks.subdir.clone() {
                Some(path) => {
                    let target = target.clone();
                    steps.push(Step::Subdirectory2 { source, target, fstype, flags, data, path });
                }
                None => steps.push(call(source, Some(fstype), flags, data)),
            }
            // Before Linux 5.10 mount(2) ignores it: asked for once more it is either there or refused.
            let set = single.set & MOUNT_ATTR_NOSYMFOLLOW;
            remount2(&target, Attributes { set, ..Attributes::default() }, false, &mut steps);
        }
        Operation::Bind | Operation::Move => {
            steps.push(call(source.or_else(none), None, flags & OPERATIONS, None));
            // mount(2) ignores the flags of a bind: they take more calls.
            remount2(&target, single, false, &mut steps);
            remount2(&target, recursive, true, &mut steps);
        }
        Operation::RemountBind => {
            remount2(&target, single, false, &mut steps);
            remount2(&target, recursive, true, &mut steps);
        }
        Operation::Remount => {
            steps.push(call(source.or_else(none), fstype, flags, data));
            remount2(&target, recursive, true, &mut steps);
        }
        Operation::Propagation | Operation::Contradiction => {}
    }
    if !owner.is_empty() && matches!(operation, Operation::New | Operation::Bind) {
        steps.push(Step::OpenAppeared { target: target.clone() });
    }
    steps.append(&mut owner);
    for (propagation, recursive) in options.propagation() {
        let flags = propagation.flag() | if recursive { mount::MS_REC } else { 0 };
        steps.push(call(none(), None, flags, None));
    }
    steps
}

/// `path` as it is looked up below the tree in hand.
pub fn relative(path: &OsStr) -> OsString {
    let bytes = path.as_bytes();
    let start = bytes.iter().take_while(|byte| **byte == b'/').count();
    OsStr::from_bytes(bytes.get(start..).unwrap_or_default()).to_os_string()
}

#[cfg(test)]
mod tests {
    use super::super::hooks::Hooks;
    use super::*;
    use linux::mount::api::{MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY};
    use linux::options::names::RESET_BY_REMOUNT;

    fn plan(list: &str, fstype: Option<&str>, make: fn(&Facts<'_>) -> Vec<Step>) -> Vec<Step> {
        let options = MountOptions::parse(list.as_bytes()).unwrap();
        let hooks = Hooks::parse(&options, OsStr::new("/m")).unwrap();
        let (source, target) = (Some(OsStr::new("/s")), OsStr::new("/m"));
        let (operation, fstype) = (Operation::of(&options, true), fstype.map(OsStr::new));
        let mounting = Mounting { operation, source, target, fstype, options: &options };
        let present = &MountOptions::default();
        make(&Facts { mounting: &mounting, hooks: &hooks, present, beneath: false, exclusive: false, silent: false })
    }

    fn attach() -> Step {
        Step::Attach { target: "/m".into(), beneath: false, no_follow: false, again: false }
    }

    fn flags(set: u64, clear: u64) -> Step {
        Step::SetAttributes { attributes: Attributes { set, clear, propagation: None }, recursive: false }
    }

    #[test]
    fn a_read_only_bind_is_read_only_before_it_is_attached() {
        let clone = Step::Clone { path: "/s".into(), recursive: false, no_follow: false };
        assert_eq!(plan("bind,ro", None, steps), [clone, flags(MOUNT_ATTR_RDONLY, 0), attach()]);
    }

    #[test]
    fn a_new_file_system_gets_its_options_in_order_and_the_flags_with_its_mount() {
        let steps = plan("ro,nosuid,sync,a,b=c\\,d,x-y,shared", Some("ext4"), steps);
        let Step::Create { settings, attributes, .. } = &steps[0] else { panic!("{steps:?}") };
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.to_str(), value.as_deref())).collect();
        let value = Some(OsStr::new("c,d"));
        assert_eq!(settings, [(Some("ro"), None), (Some("sync"), None), (Some("a"), None), (Some("b"), value)]);
        assert_eq!(*attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
        assert_eq!(steps[1], attach());
        assert!(matches!(steps[2], Step::SetAttributes { recursive: false, .. }));
        assert_eq!(steps.len(), 3);
    }

    #[test]
    fn a_remount_resets_what_is_not_mentioned_and_a_remount_of_a_bind_does_not() {
        let open = Step::Open { path: "/m".into() };
        let rw = Step::Reconfigure { settings: vec![("rw".into(), None)], present: Vec::new() };
        let all = plan("remount,noexec", None, steps);
        assert_eq!(all, [open.clone(), rw, flags(MOUNT_ATTR_NOEXEC, RESET_BY_REMOUNT & !MOUNT_ATTR_NOEXEC)]);
        assert_eq!(plan("remount,bind,noexec", None, steps), [open, flags(MOUNT_ATTR_NOEXEC, 0)]);
    }

    #[test]
    fn with_mount2_the_flags_of_a_bind_take_more_calls_and_those_of_the_tree_their_own() {
        let steps = plan("rbind,nosuid,ro=recursive,private", None, old_steps);
        let [Step::Mount2 { flags: first, .. }, single, recursive, Step::Mount2 { flags: last, .. }] = &*steps else {
            panic!("{steps:?}")
        };
        assert_eq!((*first, *last), (mount::MS_BIND | mount::MS_REC, mount::MS_PRIVATE));
        let change = |set, recursive| {
            let attributes = Attributes { set, ..Attributes::default() };
            Step::Remount2 { target: "/m".into(), attributes, recursive }
        };
        assert_eq!(*single, change(MOUNT_ATTR_NOSUID, false));
        assert_eq!(*recursive, change(MOUNT_ATTR_RDONLY, true));
    }

    #[test]
    fn owner_and_mode_are_set_before_the_mount_appears() {
        let steps = plan("X-mount.owner=5,X-mount.mode=700", Some("tmpfs"), steps);
        assert_eq!(steps[1..], [Step::SetOwner { user: Some(5), group: None }, Step::SetMode(0o700), attach()]);
    }

    #[test]
    fn a_list_of_layers_is_split_only_if_it_is_long_and_means_the_same_so() {
        let long = "l".repeat(200);
        let split = |list: &str| {
            let settings = vec![("a".into(), None), ("lowerdir".into(), Some(OsString::from(list)))];
            let all = by_layer(Some(OsStr::new("overlay")), settings);
            all.into_iter()
                .skip(1)
                .map(|(name, value)| (name.into_string().unwrap(), value.unwrap()))
                .collect::<Vec<_>>()
        };
        let names = |list: &str| split(list).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names("a:b"), ["lowerdir"]);
        assert_eq!(names(&format!("{long}:{long}")), ["lowerdir+", "lowerdir+"]);
        assert_eq!(names(&format!("{long}:{long}::d::e")), ["lowerdir+", "lowerdir+", "datadir+", "datadir+"]);
        for list in
            [format!("{long}:\\:{long}"), format!(":{long}:{long}"), format!("{long}::{long}:c"), "l".repeat(300)]
        {
            assert_eq!(names(&list), ["lowerdir"], "{list}");
        }
    }
}
