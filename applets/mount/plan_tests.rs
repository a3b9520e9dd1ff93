//! Plans as data.

use super::super::args::Options;
use super::super::mount2;
use super::super::request::{Request, Settings};
use super::super::resolve::Mount;
use super::super::step::MountStep;
use super::steps;
use cli::Invocation;
use linux::mount;
use linux::mount::api::{Attributes, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY};
use linux::mount::options::Options as MountOptions;
use linux::mount::options::names::RESET_BY_REMOUNT;
use std::ffi::OsStr;

fn of(list: &str) -> Mount {
    let typed = Options::default();
    let invocation = Invocation::new(&super::super::APPLET, OsStr::new("mount"), &[]);
    let settings = Settings::of(&invocation, &typed);
    let options = MountOptions::parse(list.as_bytes()).unwrap();
    let request = Request { source: Some("/s".into()), target: Some("/m".into()), options, ..Request::default() };
    Mount::of(&settings, request).ok().unwrap()
}

const ATTACH: MountStep<'_> = MountStep::Attach { beneath: false, no_follow: false, again: false };

fn flags(set: u64, clear: u64) -> MountStep<'static> {
    MountStep::SetAttributes { attributes: Attributes { set, clear, propagation: None }, recursive: false }
}

#[test]
fn a_read_only_bind_is_read_only_before_it_is_attached() {
    let clone = MountStep::Clone { path: OsStr::new("/s"), recursive: false, no_follow: false };
    assert_eq!(steps(&of("bind,ro"), None), [clone, flags(MOUNT_ATTR_RDONLY, 0), ATTACH]);
}

#[test]
fn a_new_file_system_gets_its_options_in_order_and_the_flags_with_its_mount() {
    let mount = of("ro,nosuid,sync,a,b=c\\,d,x-y,shared");
    let steps = steps(&mount, Some(OsStr::new("ext4")));
    let MountStep::Create { settings, attributes, .. } = &steps[0] else { panic!("{steps:?}") };
    let settings: Vec<_> = settings.iter().map(|(name, value)| (name.to_str(), value.as_deref())).collect();
    let value = Some(OsStr::new("c,d"));
    assert_eq!(settings, [(Some("ro"), None), (Some("sync"), None), (Some("a"), None), (Some("b"), value)]);
    assert_eq!(*attributes, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
    assert_eq!(steps[1], ATTACH);
    assert!(matches!(steps[2], MountStep::SetAttributes { recursive: false, .. }));
    assert_eq!(steps.len(), 3);
}

#[test]
fn a_remount_resets_what_is_not_mentioned_and_a_remount_of_a_bind_does_not() {
    let open = MountStep::Open(OsStr::new("/m"));
    let rw = MountStep::Reconfigure { settings: vec![(OsStr::new("rw"), None)], present: Vec::new() };
    assert_eq!(
        steps(&of("remount,noexec"), None),
        [open.clone(), rw, flags(MOUNT_ATTR_NOEXEC, RESET_BY_REMOUNT & !MOUNT_ATTR_NOEXEC)]
    );
    assert_eq!(steps(&of("remount,bind,noexec"), None), [open, flags(MOUNT_ATTR_NOEXEC, 0)]);
}

#[test]
fn with_mount2_the_flags_of_a_bind_take_more_calls_and_those_of_the_tree_their_own() {
    let mount = of("rbind,nosuid,ro=recursive,private");
    let steps = mount2::steps(&mount, None, false, OsStr::new(""));
    let [
        MountStep::NoteMounts,
        MountStep::Mount2 { flags: first, .. },
        MountStep::OpenAppeared,
        recursive,
        single,
        MountStep::Mount2 { flags: last, .. },
    ] = &*steps
    else {
        panic!("{steps:?}")
    };
    assert_eq!((*first, *last), (mount::MS_BIND | mount::MS_REC, mount::MS_PRIVATE));
    let change = |set, recursive| {
        let attributes = Attributes { set, ..Attributes::default() };
        MountStep::Remount2 { attributes, recursive }
    };
    assert_eq!(*single, change(MOUNT_ATTR_NOSUID, false));
    assert_eq!(*recursive, change(MOUNT_ATTR_RDONLY, true));
}

#[test]
fn owner_and_mode_are_set_before_the_mount_appears() {
    let mount = of("X-mount.owner=5,X-mount.mode=700");
    let steps = steps(&mount, Some(OsStr::new("tmpfs")));
    assert_eq!(
        steps[1..],
        [
            MountStep::SetOwner { user: Some(linux::credentials::Uid(5)), group: None },
            MountStep::SetMode(0o700),
            ATTACH
        ]
    );
}
