//! switch_root: leave the initramfs for the real root file system. util-linux's switch_root(8) is the reference.
//!
//! Everything that can be checked is checked before the first mount is moved, so that a mistake leaves the machine
//! with its root, /dev, /proc and /sys.

use cli::explain::Explanation;
use cli::failure::{Line, warn};
use cli::{Applet, Directory, Failure, Invocation, Opt, Order, Origin, Outcome, Output, Section, Table, text};
use hints::{Step, explained};
use linux::mount::{self, statmount};
use linux::namespace::{self, Kind};
use linux::pivot::{self, OldRoot};
use linux::process::{ExecError, Fork, SearchPath, Status, Variables, Wait};
use linux::{Errno, directory, executable, file, process, stat};
use run::exec::{Program, failed_to_execute};
use run::explain as steps;
use run::fork::{Forked, Forking, How};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

/// The record of this applet.
pub static APPLET: Applet = Applet {
    name: "switch_root",
    directory: Directory::Sbin,
    section: Section::Administration,
    origin: Origin::UtilLinux,
    summary: "Switch to another filesystem as the root of the mount tree",
    synopsis: "[options] <newrootdir> <init> <args to init>",
    notes: "",
    usage_status: 1,
    options: &OPTIONS.specs,
    run,
    explain,
};

const ROWS: &[Opt<()>] = &[Opt::help(Some('h')), Opt::version(Some('V'))];

/// The rows, packed.
static OPTIONS: Table<()> = cli::table!(ROWS);

/// What moves along if it is a mount.
const KEPT: &str = "/dev /proc /sys /run";

/// What happens to one of [`KEPT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    /// It is no mount.
    Nothing,
    /// It moves to the same place in the new root.
    Move,
    /// The new root has a mount of its own there, or lacks the directory: the old mount is detached with the old root.
    Detach,
}

fn run(invocation: &Invocation<'_>, output: &mut Output) -> Outcome {
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut (), output)? else {
        return Ok(0);
    };
    let (new_root, init) = operands_of(&operands)?;
    let old = switch(invocation, new_root, init, output)?;
    match old.is_in_memory() {
        Ok(true) => empty_in_the_background(invocation, old),
        Ok(false) => warn(invocation, &Line::Named(text!["old root filesystem is not an initramfs"])),
        Err(error) => warn(invocation, &Line::Named(text!["stat of old root failed: ", error.errno])),
    }
    let argv = operands.get(1..).unwrap_or_default().to_vec();
    let program = Program { file: init, argv, environment: Variables::Inherited, search: SearchPath::No };
    Err(failed_to_execute(&program.exec(output)))
}

/// The steps in words.
fn explain(invocation: &Invocation<'_>, output: &mut Output) -> Result<Option<Explanation>, Failure> {
    let Some(operands) = cli::parse(invocation, &OPTIONS, Order::UntilOperand, &mut (), output)? else {
        return Ok(None);
    };
    let (new_root, init) = operands_of(&operands)?;
    let mut explanation = Explanation::default();
    let words = "see in a child, which has mounts of its own, that {1} can be executed in {0}, or change nothing";
    explanation.tell(
        words,
        "fork(), unshare(CLONE_NEWNS), mount(...), fchdir(...), chroot(\".\"), chdir(\"/\"), access(\"{1}\", X_OK), waitpid()",
        &[&new_root, &init],
    );
    for kept in KEPT.split(' ') {
        let words = "if {0} is a mount, move it to {1}, or detach it where there is no empty place for it";
        explanation.tell(
            words,
            "mount(\"{0}\", \"{1}\", NULL, MS_MOVE, NULL) or umount2(\"{0}\", MNT_DETACH)",
            &[&kept, &below(new_root, kept)],
        );
    }
    steps::chdir(&mut explanation, new_root);
    explanation.tell("move the mount there over the root", "mount(\".\", \"/\", NULL, MS_MOVE, NULL)", &[]);
    steps::chroot(&mut explanation, OsStr::new("."));
    let words = "if the old root is in memory, empty it in a child, to have the memory back";
    explanation.tell(words, "fork(), unlinkat(...)", &[]);
    explanation.run(operands.get(1..).unwrap_or_default(), "");
    Ok(Some(explanation))
}

/// The new root and its init.
fn operands_of(operands: &[&'static OsStr]) -> Result<(&'static OsStr, &'static OsStr), Failure> {
    let [new_root, init, ..] = operands else {
        return Err(cli::fail!(usage 1, "not enough arguments"));
    };
    if new_root.is_empty() || init.is_empty() {
        return Err(cli::fail!(usage 1, "bad usage"));
    }
    Ok((new_root, init))
}

/// Makes `new_root` the root, and returns the old one.
fn switch(
    invocation: &Invocation<'_>,
    new_root: &OsStr,
    init: &OsStr,
    output: &mut Output,
) -> Result<OldRoot, Failure> {
    let failed_stat = |path: &OsStr, errno: Errno| sorry(text!["stat of ", path, " failed: ", errno]);
    let root = OsStr::new("/");
    let device = |path: &OsStr| stat::path(path).map(|stat| stat.identity().0);
    let old_device = device(root).map_err(|error| failed_stat(root, error.errno))?;
    let new_device = device(new_root).map_err(|error| failed_stat(new_root, error.errno))?;
    let not_moved = |errno: Errno| sorry(text!["failed to mount moving ", new_root, " to /: ", errno]);

    if statmount::mountinfo_id(None, new_root, 0).ok().and_then(|id| id.is_root) == Some(false) {
        return Err(explained(not_moved(Errno::EINVAL), Step::MoveRoot(new_root), Errno::EINVAL));
    }
    let old = OldRoot::open(root).map_err(|error| sorry(text!["cannot open ", error.object, ": ", error.errno]))?;
    // Absolute, since the working directory will have changed when the move is undone.
    let absolute = directory::canonical(new_root).map_err(|error| failed_stat(new_root, error.errno))?;
    let device_if_there = |path: &OsStr| match device(path) {
        Ok(device) => Ok(Some(device)),
        Err(error) if matches!(error.errno, Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => Ok(None),
        Err(error) => Err(failed_stat(path, error.errno)),
    };
    let mut moving = Vec::new();
    let mut detached = Vec::new();
    for kept in KEPT.split(' ') {
        if leads_into(OsStr::new(kept), &absolute) {
            continue;
        }
        let place = below(&absolute, kept);
        match disposition(old_device, new_device, device_if_there(OsStr::new(kept))?, device_if_there(&place)?) {
            Disposition::Nothing => {}
            Disposition::Detach => detached.push(kept),
            Disposition::Move => moving.push((kept, place)),
        }
    }
    check_init(invocation, new_root, init, &moving, output)?;
    let here = OsStr::new(".");
    let mut root_moved = false;
    let mut refused = None;
    let result = (|| {
        for (kept, place) in &moving {
            if let Err(error) = move_mount(OsStr::new(kept), place) {
                let text = text!["failed to mount moving ", kept, " to ", below(new_root, kept), ": ", error.errno];
                // The new root is below that mount, or has a file there.
                let has_no_place = error.errno == Errno::ELOOP || stat::path(place).is_ok_and(|it| !it.is_directory());
                if !has_no_place {
                    refused = Some((OsStr::new(*kept), error.errno));
                    return Err(sorry(text));
                }
                Failure::new(1, text).and(Line::Named(text!["forcing unmount of ", kept])).print(invocation);
                detached.push(*kept);
            }
        }
        directory::chdir(&absolute)
            .map_err(|error| sorry(text!["failed to change directory to ", new_root, ": ", error.errno]))?;
        move_mount(here, root).map_err(|error| {
            refused = Some((new_root, error.errno));
            not_moved(error.errno)
        })?;
        root_moved = true;
        // Until we change root, too, a path begins in the old one, below what has been moved on it.
        for kept in detached {
            if let Err(error) = mount::umount2(OsStr::new(kept), mount::MNT_DETACH) {
                warn(invocation, &Line::Named(text!["failed to unmount ", kept, ": ", error.errno]));
            }
        }
        directory::chroot(here).map_err(|error| sorry(text!["failed to change root: ", error.errno]))
    })();
    if result.is_err() {
        // Roll back as far as possible; report the first error. What has not moved is no mount there.
        if root_moved {
            let _ = move_mount(here, &absolute);
        }
        for (kept, place) in moving.iter().rev() {
            let _ = move_mount(place, OsStr::new(kept));
        }
    }
    match (result, refused) {
        // Now that /proc is back.
        (Err(failure), Some((place, errno))) => Err(explained(failure, Step::MoveRoot(place), errno)),
        (result, _) => result.map(|()| old),
    }
}

fn move_mount(from: &OsStr, to: &OsStr) -> linux::Result<()> {
    mount::mount2(Some(from), to, None, mount::MS_MOVE, None)
}

/// Devices tell mounts from directories: `old` and `new` of the roots, `kept` of the directory here,
/// `place` of the one it would move to.
fn disposition(old: u64, new: u64, kept: Option<u64>, place: Option<u64>) -> Disposition {
    match kept {
        None => Disposition::Nothing,
        Some(kept) if kept == old => Disposition::Nothing,
        Some(_) if place == Some(new) => Disposition::Move,
        Some(_) => Disposition::Detach,
    }
}

/// Whether a path is a symbolic link into the new root: initramfs-tools moves /dev itself and leaves such a link.
fn leads_into(path: &OsStr, new_root: &OsStr) -> bool {
    stat::link(path).is_ok_and(|stat| stat.is_symlink())
        && directory::canonical(path).is_ok_and(|target| {
            let below = target.as_bytes().strip_prefix(new_root.as_bytes());
            below.is_some_and(|below| matches!(below, [] | [b'/', ..]))
        })
}

/// Looks at init as the exec will, while the old root is whole. A child does it from inside of the new root, with what
/// moves along in place, where symbolic links and interpreters mean what they will mean, and says what is wrong.
fn check_init(
    invocation: &Invocation<'_>,
    new_root: &OsStr,
    init: &OsStr,
    moving: &[(&str, OsString)],
    output: &mut Output,
) -> Result<(), Failure> {
    let mut forking = Forking::default();
    let Forked::Parent(child) = forking.fork(How { blocked: &[], kill_child: None }, output)? else {
        let status = match look_inside(new_root, init, moving) {
            Ok(()) => 0,
            Err(failure) => {
                failure.print(invocation);
                failure.status
            }
        };
        process::exit_child(status)
    };
    let ended = process::wait(child, Wait::End);
    forking.restore_signals()?;
    match ended {
        Ok(Status::Exited(0)) => Ok(()),
        Ok(Status::Exited(status)) => Err(Failure::silent(status)),
        // The child was killed or cannot be waited for: its answer is lost.
        _ => Err(cli::fail!(1, "cannot access ", init, ": ", Errno::EIO)),
    }
}

fn look_inside(new_root: &OsStr, init: &OsStr, moving: &[(&str, OsString)]) -> Result<(), Failure> {
    let not_usable = |errno: Errno| {
        let failure = cli::fail!(1, "cannot access ", init, ": ", errno);
        explained(failure, Step::FindInit(new_root), errno)
    };
    let has_handlers = executable::has_handlers();
    let alone = namespace::unshare(Kind::Mount.flag())
        .and_then(|()| mount::propagation::set_recursive("/", mount::Propagation::Private));
    if alone.is_err() {
        // What init will be cannot be known. Without the privilege the switch is refused, too, and undone.
        return Ok(());
    }
    // Opened before its path may move away.
    let entered = file::open_path(new_root).and_then(|root| {
        for (kept, place) in moving {
            // The switch says what is wrong with it.
            let _ = move_mount(OsStr::new(kept), place);
        }
        pivot::change_root(root.as_fd())
    });
    match entered {
        Ok(()) => {}
        Err(error) if error.errno == Errno::EPERM => return Ok(()),
        Err(error) => return Err(not_usable(error.errno)),
    }
    match executable::obstacle(init, has_handlers) {
        None => Ok(()),
        Some((path, errno)) => {
            let error = ExecError { file: init.to_os_string(), path, searched: None, errno };
            Err(explained(not_usable(errno), Step::Exec(&error), errno))
        }
    }
}

fn below(root: &OsStr, path: &str) -> OsString {
    let mut joined = root.to_os_string();
    if joined.as_bytes().ends_with(b"/") {
        joined.push(path.trim_start_matches('/'));
    } else {
        joined.push(path);
    }
    joined
}

/// The original's second line is always the same.
fn sorry(text: Vec<u8>) -> Failure {
    Failure::new(1, text).and(Line::Named(text!["failed. Sorry."]))
}

/// A child empties the old root while the new system starts. What cannot be removed only wastes memory.
fn empty_in_the_background(invocation: &Invocation<'_>, old: OldRoot) {
    if let Ok(Fork::Child) = process::fork() {
        // We are in the new root, which may be a directory of the old one.
        if let Ok(new) = stat::path(OsStr::new("/")) {
            old.empty(new.identity(), &mut |name, errno| {
                warn(invocation, &Line::Named(text!["failed to unlink ", name, ": ", errno]));
            });
        }
        process::exit_child(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_moves_where_there_is_an_empty_place_for_it() {
        assert_eq!(disposition(1, 2, Some(1), Some(2)), Disposition::Nothing);
        assert_eq!(disposition(1, 2, None, Some(2)), Disposition::Nothing);
        assert_eq!(disposition(1, 2, Some(3), Some(2)), Disposition::Move);
        assert_eq!(disposition(1, 2, Some(3), None), Disposition::Detach);
        assert_eq!(disposition(1, 2, Some(3), Some(4)), Disposition::Detach);
    }
}
