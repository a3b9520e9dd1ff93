//! The steps in words, from the command line alone: what is mounted is not looked at.

use super::Options;
use super::one::flags;
use cli::explain::{NO_CALL, Story};
use cli::text::Piece;
use linux::mount::UMOUNT_NAMES;
use linux::trace::Flags;
use run::explain as shared;
use std::ffi::OsString;

const TABLE: &str = "open(\"/proc/self/mountinfo\")";

/// Tells what becomes of each operand.
pub fn story(options: &Options, operands: &[OsString]) -> Story {
    let mut story = Story::default();
    if let Some(namespace) = &options.namespace {
        shared::enter_mounts(&mut story, namespace);
    }
    let flags = Flags(flags(options), UMOUNT_NAMES).to_string();
    if options.all {
        story.tell("find the mounts that -t and -O select, which leave out /proc and the like", TABLE, &[]);
        unmount(options, &"each of them (the last first)", &"...", &flags, &mut story);
    }
    for operand in operands {
        match (options.all_targets, options.recursive) {
            (true, _) => story.tell("find every mount of the file system {0}", TABLE, &[operand]),
            (false, true) => story.tell("find the mounts on and below {0}", TABLE, &[operand]),
            (false, false) => {
                unmount(options, operand, operand, &flags, &mut story);
                continue;
            }
        }
        unmount(options, &"each of them (the last first)", &"...", &flags, &mut story);
    }
    story
}

fn unmount(options: &Options, what: &dyn Piece, operand: &dyn Piece, flags: &str, story: &mut Story) {
    if options.fake {
        return story.tell("leave {0} mounted (--fake)", NO_CALL, &[what]);
    }
    let words = match (options.lazy, options.force) {
        (true, _) => "take {0} out of sight now; it is unmounted when nobody uses it any more",
        (false, true) => "unmount {0}, and let what waits for its server fail",
        (false, false) => "unmount {0}, unless somebody uses it",
    };
    story.tell(words, "umount2(\"{1}\", {2})", &[what, operand, &flags]);
    if options.read_only {
        story.tell("if it is busy, make it read-only", "mount(\"{0}\", MS_REMOUNT|MS_RDONLY)", &[operand]);
    }
    if options.detach_loop {
        story.tell("free its loop device", "ioctl(LOOP_CLR_FD)", &[]);
    }
    if !options.no_mtab {
        story.tell("take it out of the userspace table, if it is there", "write(\"/run/mount/utab\")", &[]);
    }
}
