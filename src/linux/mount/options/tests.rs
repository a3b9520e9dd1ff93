use super::*;
use crate::mount::api::{
    MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
};
use crate::mount::{MS_BIND, MS_NOEXEC, MS_RDONLY, MS_REC, Propagation};
use std::ffi::OsStr;

fn parse(text: &str) -> Options {
    Options::parse(text.as_bytes()).expect("well-formed")
}

fn text(options: &Options) -> String {
    String::from_utf8_lossy(&options.to_text()).into_owned()
}

fn deduplicated(list: &str) -> String {
    let mut options = parse(list);
    options.deduplicate();
    text(&options)
}

#[test]
fn commas_separate_but_not_inside_quotes_or_after_a_backslash() {
    let options = parse(",,a,,b=\"x,y\",c\\,d,e=,");
    assert_eq!(options.0.len(), 4);
    assert_eq!(text(&options), "a,b=\"x,y\",c\\,d,e=");
    assert_eq!(options.get("b").and_then(MountOption::plain_value).expect("b"), b"x,y");
    assert_eq!(options.get("e").and_then(MountOption::plain_value).expect("e"), b"");
    assert_eq!(options.get("a").and_then(MountOption::plain_value), None);
    assert_eq!(parse("o=a\\,b\\\"").get("o").and_then(MountOption::plain_value).expect("o"), b"a,b\"");
}

#[test]
fn an_item_without_a_name_and_an_open_quote_are_malformed() {
    assert_eq!(Options::parse(b"a,=b"), Err(Malformed::NoName));
    assert_eq!(Options::parse(b"a=\"b,c"), Err(Malformed::OpenQuote));
    assert_eq!(Options::parse(b""), Ok(Options::default()));
}

#[test]
fn the_last_of_equal_and_of_opposite_options_stays() {
    assert_eq!(deduplicated("a,b,a"), "b,a");
    assert_eq!(deduplicated("a=1,b,a=2"), "a=1,b,a=2");
    assert_eq!(deduplicated("ro,rw,x"), "rw,x");
    assert_eq!(deduplicated("exec,user,noexec"), "user,noexec");
    assert_eq!(deduplicated("atime,noatime,relatime"), "noatime,relatime");
    assert_eq!(deduplicated("user,user=x,nouser"), "nouser");
    assert_eq!(deduplicated("x-a=1,x-a=2,x-a=1"), "x-a=2,x-a=1");
    assert_eq!(deduplicated("shared,private,shared"), "private,shared");
}

#[test]
fn sixty_four_kilobytes_of_options_are_deduplicated_quickly() {
    let long = "a,".repeat(32 * 1024);
    assert_eq!(deduplicated(&long), "a");
}

#[test]
fn user_words_imply_flags_at_their_place() {
    let mut options = parse("exec,user,abc");
    options.imply_user_flags();
    assert_eq!(text(&options), "exec,user,noexec,nosuid,nodev,abc");
    let mut options = parse("owner,user=name");
    options.imply_user_flags();
    assert_eq!(text(&options), "owner,nosuid,nodev,user=name");
}

#[test]
fn flags_for_mount2_are_the_union_and_inverses_clear() {
    assert_eq!(parse("ro,noexec,exec,rbind").mount_flags(), MS_RDONLY | MS_BIND | MS_REC);
    assert_eq!(parse("user,noexec,data=x").mount_flags(), MS_NOEXEC);
    assert_eq!(parse("rshared").mount_flags(), 0);
}

#[test]
fn attributes_are_set_cleared_and_made_recursive() {
    let change = parse("ro,nosuid,dev").attributes();
    assert_eq!(change.single.set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
    assert_eq!(change.single.clear, MOUNT_ATTR_NODEV);
    let change = parse("ro=recursive,noexec").attributes();
    assert_eq!(change.recursive.set, MOUNT_ATTR_RDONLY);
    assert_eq!(change.single.set, MOUNT_ATTR_NOEXEC);
    assert!(parse("ro=fs").attributes().single.is_empty());
    assert_eq!(parse("ro=vfs").read_only(), None);
    assert_eq!(parse("\"ro=vfs\"").attributes(), AttributeChange::default());
    assert_eq!(parse("ro=\"vfs,recursive\"").attributes().recursive.set, MOUNT_ATTR_RDONLY);
}

#[test]
fn the_last_word_about_a_flag_counts_in_the_tree_and_at_its_root() {
    let both = |text: &str| {
        let AttributeChange { single, recursive } = parse(text).attributes();
        [single.set, single.clear, recursive.set, recursive.clear]
    };
    let flag = MOUNT_ATTR_RDONLY;
    assert_eq!(both("ro=recursive,rw"), [0, flag, 0, 0]);
    assert_eq!(both("rw=recursive,ro"), [flag, 0, 0, flag]);
    assert_eq!(both("ro,rw=recursive"), [0, 0, 0, flag]);
    assert_eq!(both("rw,ro=recursive"), [0, 0, flag, 0]);
    assert_eq!(both("relatime=recursive,noatime"), [0, 0, 0, MOUNT_ATTR__ATIME]);
}

#[test]
fn the_last_way_to_keep_access_times_wins() {
    let change = parse("relatime,noatime").attributes().single;
    assert_eq!((change.set, change.clear), (MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME));
    let change = parse("noatime,relatime").attributes().single;
    assert_eq!((change.set, change.clear), (0, MOUNT_ATTR__ATIME));
    let change = parse("atime").attributes().single;
    assert_eq!((change.set, change.clear), (0, MOUNT_ATTR__ATIME));
}

#[test]
fn a_remount_clears_what_it_does_not_mention() {
    let change = parse("nosuid").attributes_for_remount().single;
    assert_eq!(change.set, MOUNT_ATTR_NOSUID);
    assert_eq!(change.clear, names::RESET_BY_REMOUNT & !MOUNT_ATTR_NOSUID);
    assert_eq!(parse("ro=fs").attributes_for_remount().single.clear & MOUNT_ATTR_RDONLY, 0);
}

#[test]
fn helpers_see_everything_but_what_is_mounts_own() {
    let shown = |list: &str| String::from_utf8_lossy(&parse(list).for_helper()).into_owned();
    assert_eq!(shown("foo,defaults"), "rw,foo");
    assert_eq!(shown("ro,a=\"x,y\",x-b,X-c,comment=d,loop,auto,_netdev,shared"), "ro,a=\"x,y\",_netdev");
    assert_eq!(shown("user=name,abc"), "rw,user=name,abc");
}

#[test]
fn utab_keeps_what_umount_and_remount_need() {
    let kept = |list: &str, with_loop| String::from_utf8_lossy(&parse(list).for_utab(with_loop)).into_owned();
    assert_eq!(kept("ro,user=a,x-b=1,X-c,_netdev,noauto,helper=h,size=1", false), "x-b=1,_netdev,helper=h");
    assert_eq!(kept("user,user=a", false), "user");
    assert_eq!(kept("loop=/dev/loop0,x-a", true), "loop=/dev/loop0,x-a");
    assert_eq!(kept("loop", false), "");
}

#[test]
fn propagation_is_a_list_of_steps() {
    assert_eq!(parse("rprivate,x,shared").propagation(), [(Propagation::Private, true), (Propagation::Shared, false)]);
}

#[test]
fn options_are_matched_as_with_capital_o() {
    let have = parse("noauto,_netdev,a=1");
    for (wanted, is) in [
        ("_netdev", true),
        ("no_netdev", false),
        ("noa", false),
        ("nob", true),
        ("+noauto", true),
        ("noauto", true),
        ("a=1", true),
        ("a=2", false),
        ("a,_netdev", true),
        ("a,b", false),
    ] {
        assert_eq!(matches(&have, wanted.as_bytes()), is, "{wanted}");
    }
}

#[test]
fn types_are_matched_as_with_small_t() {
    for (fstype, list, is) in [
        ("ext4", "ext4", true),
        ("ext4", "EXT4", true),
        ("ext4", "xfs,ext4", true),
        ("ext4", "noext4", false),
        ("ext4", "noxfs,ext4", false),
        ("btrfs", "noxfs,ext4", true),
        ("ext4", "noxfs,noext4", false),
        ("btrfs", "noxfs,noext4", true),
        ("ext4", "xfs,noext4", false),
        ("ext4", "xfs,nobtrfs", false),
        ("ext4", "no", true),
        ("xfs", "ext4", false),
    ] {
        assert_eq!(type_matches(OsStr::new(fstype), list.as_bytes()), is, "{fstype} {list}");
    }
}

#[test]
fn no_name_is_both_the_vfss_and_mounts() {
    let all: Vec<_> = names::VFS_NAMES.lines().chain(names::USERSPACE_NAMES.lines()).collect();
    assert_eq!(all.len(), names::VFS.len() + names::USERSPACE.len());
    for (index, name) in all.iter().enumerate() {
        assert!(!all[index + 1..].contains(name), "{name}");
    }
}
