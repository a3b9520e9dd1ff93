//! Explains the steps from the command line alone, without looking at what is mounted.

use super::one::flags;
use super::options::Options;
use cli::explain::{Explanation, NO_CALL};
use cli::text::Piece;
use linux::mount::UMOUNT_NAMES;
use linux::trace::Flags;
use run::explain as shared;
use std::ffi::OsStr;

const TABLE: &str = "open(\"/proc/self/mountinfo\")";

/// Tells what becomes of each operand.
pub fn explanation(options: &Options, operands: &[&'static OsStr]) -> Explanation {
    let mut explanation = Explanation::default();
    if let Some(namespace) = &options.namespace {
        shared::enter_mounts(&mut explanation, namespace);
    }
    let flags = Flags(flags(options), &UMOUNT_NAMES).to_string();
    if options.all {
        explanation.tell("find the mounts that -t and -O select, which leave out /proc and the like", TABLE, &[]);
        unmount(options, &"each of them (the last first)", &"...", &flags, &mut explanation);
    }
    for operand in operands {
        match (options.all_targets, options.recursive) {
            (true, _) => explanation.tell("find every mount of the file system {0}", TABLE, &[operand]),
            (false, true) => explanation.tell("find the mounts on and below {0}", TABLE, &[operand]),
            (false, false) => {
                unmount(options, operand, operand, &flags, &mut explanation);
                continue;
            }
        }
        unmount(options, &"each of them (the last first)", &"...", &flags, &mut explanation);
    }
    explanation
}

fn unmount(options: &Options, what: &dyn Piece, operand: &dyn Piece, flags: &str, explanation: &mut Explanation) {
    if options.fake {
        return explanation.tell("leave {0} mounted (--fake)", NO_CALL, &[what]);
    }
    let words = match (options.lazy, options.force) {
        (true, _) => "take {0} out of sight now; it is unmounted when nobody uses it any more",
        (false, true) => "unmount {0}, and let what waits for its server fail",
        (false, false) => "unmount {0}, unless somebody uses it",
    };
    explanation.tell(words, "umount2(\"{1}\", {2})", &[what, operand, &flags]);
    if options.read_only {
        explanation.tell("if it is busy, make it read-only", "mount(\"{0}\", MS_REMOUNT|MS_RDONLY)", &[operand]);
    }
    if options.detach_loop {
        explanation.tell("free its loop device", "ioctl(LOOP_CLR_FD)", &[]);
    }
    if !options.no_mtab {
        explanation.tell("take it out of the userspace table, if it is there", "write(\"/run/mount/utab\")", &[]);
    }
}
