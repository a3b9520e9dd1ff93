//! What is measured, and the bar of each: a new row is an element of [`ROWS`].

use crate::Result;
use crate::scene::{Scene, bind};
use nix::mount::umount;

/// Whether busybox has a row's command.
#[derive(Clone, Copy)]
pub enum Same {
    /// Written in the same way.
    Yes,
    /// Written like this.
    Written(&'static [&'static str]),
    No,
}

/// What must be the same whoever runs a row.
#[derive(Clone, Copy)]
pub enum Effect {
    /// What the program that is run at last is in: namespaces, maps, root, mounts, capabilities.
    OnProgram,
    /// What is printed.
    Output,
    /// What this finds.
    Found(fn(&Scene) -> String),
    /// Not looked at.
    Unknown,
}

/// What is measured.
pub struct Row {
    pub name: &'static str,
    /// The command, whose first word is found in the peer's directory; see [`Scene::word`].
    pub command: &'static [&'static str],
    pub busybox: Same,
    /// The row of `tests/floor/floor.c`, and its arguments.
    pub floor: &'static [&'static str],
    pub effect: Effect,
    /// What is run at last. Its memory is not the command's.
    pub program: &'static str,
    /// At most how many times as long as the floor ours may take.
    pub floor_bar: f64,
    /// How many times as long as ours each peer must take.
    pub bar: f64,
    /// The same of busybox, where it differs.
    pub busybox_bar: Option<f64>,
    /// At most so many rounds, for what takes long.
    pub rounds: usize,
    /// How far ours may be from itself.
    pub control: f64,
    /// Whether it may run on every processor, or on one.
    pub all_processors: bool,
    /// Whether what it needs takes seconds to make: such a row is only counted if it is named.
    pub large: bool,
    /// Done once before, not timed.
    pub prepare: fn(&mut Scene) -> Result<()>,
    /// Done once after, whatever happened.
    pub undo: fn(&mut Scene),
    /// Done before each run, not timed.
    pub before_each: fn(&Scene),
    /// Done after each run, not timed.
    pub after_each: fn(&Scene),
}

/// How many times as long as the floor a command may take that makes one step.
const ONE_STEP: f64 = 1.4;
/// The same of one that must read something or take several steps.
const READS: f64 = 1.65;

/// A command that starts quickly and is measured often.
const ROW: Row = Row {
    name: "",
    command: &[],
    busybox: Same::Yes,
    floor: &[],
    effect: Effect::OnProgram,
    program: "$/empty",
    floor_bar: READS,
    bar: 4.0,
    busybox_bar: None,
    rounds: usize::MAX,
    control: 0.03,
    all_processors: false,
    large: false,
    prepare: |_| Ok(()),
    undo: |_| {},
    before_each: |_| {},
    after_each: |_| {},
};

/// A walk of a large tree: seconds, not microseconds.
const WALK: Row = Row {
    command: &["getcap", "-r", "$/tree"],
    busybox: Same::No,
    floor: &["GETCAP_TREE", "$/tree"],
    effect: Effect::Unknown,
    rounds: 7,
    control: 0.25,
    all_processors: true,
    large: true,
    prepare: |scene| scene.make_tree(20_000, 10, 50),
    undo: |scene| {
        let _ = std::fs::remove_dir_all(scene.path("tree"));
    },
    ..ROW
};

/// The mount table, printed.
const LIST: Row = Row {
    command: &["mount"],
    // It reads a shorter table.
    busybox: Same::No,
    floor: &["MOUNT_LIST"],
    effect: Effect::Unknown,
    floor_bar: 1.15,
    bar: 1.0 / 0.6,
    rounds: 30,
    large: true,
    undo: |scene| scene.unmount_many(),
    ..ROW
};

const UMOUNT: Row = Row {
    command: &["umount", "$/to"],
    floor: &["UMOUNT", "$/to"],
    effect: Effect::Found(mounts_on_to),
    before_each: |scene| {
        let _ = bind(&scene.path("from"), &scene.path("to"));
    },
    // What does not unmount it, the empty program, must not leave it to the next.
    after_each: unmount_to,
    undo: |scene| scene.unmount_many(),
    ..ROW
};

const UMOUNT_TREE: Row = Row {
    command: &["umount", "-R", "$/many"],
    busybox: Same::No,
    effect: Effect::Found(|scene| scene.mounts_below("many")),
    large: true,
    after_each: |scene| scene.unmount_many(),
    ..ROW
};

pub const ROWS: &[Row] = &[
    Row {
        name: "unshare",
        command: &["unshare", "$/empty"],
        floor: &["UNSHARE", "$/empty"],
        floor_bar: ONE_STEP,
        ..ROW
    },
    Row {
        name: "unshare -m",
        command: &["unshare", "-m", "$/empty"],
        floor: &["UNSHARE_MOUNT", "$/empty"],
        floor_bar: ONE_STEP,
        ..ROW
    },
    Row {
        name: "unshare -r",
        command: &["unshare", "-r", "$/empty"],
        floor: &["UNSHARE_ROOT", "$/empty"],
        floor_bar: ONE_STEP,
        ..ROW
    },
    Row {
        name: "tutorial: unshare -p -f --mount-proc=DIR chroot",
        command: &["unshare", "-p", "-f", "--mount-proc=$/root/proc", "chroot", "$/root", "/empty"],
        // In one program what takes the others two: the bar of single commands is not this row's.
        floor: &["TUTORIAL", "$/root", "$/root/proc", "/empty"],
        floor_bar: f64::INFINITY,
        busybox_bar: Some(1.0),
        // busybox's unshare can mount only over what is a mount point already.
        prepare: |scene| Ok(bind(&scene.path("root/proc"), &scene.path("root/proc"))?),
        undo: |scene| {
            let _ = umount(&scene.path("root/proc"));
        },
        ..ROW
    },
    Row {
        name: "nsenter -t PID -a",
        command: &["nsenter", "-t", "%", "-a", "$/empty"],
        // It does not know the namespaces of time and control groups.
        busybox: Same::Written(&["nsenter", "-t", "%", "-m", "-u", "-i", "-n", "-p", "$/empty"]),
        floor: &["NSENTER", "%", "$/empty"],
        bar: 1.0,
        prepare: Scene::start_target,
        undo: Scene::end_target,
        ..ROW
    },
    Row {
        name: "chroot",
        command: &["chroot", "$/root", "/empty"],
        floor: &["CHROOT", "$/root", "/empty"],
        floor_bar: ONE_STEP,
        ..ROW
    },
    Row {
        name: "mount --bind -o ro",
        command: &["mount", "--bind", "-o", "ro", "$/from", "$/to"],
        floor: &["BIND_READ_ONLY", "$/from", "$/to"],
        effect: Effect::Found(mounts_on_to),
        after_each: unmount_to,
        ..ROW
    },
    Row { name: "umount", ..UMOUNT },
    Row {
        name: "setcap",
        command: &["setcap", "cap_net_bind_service=ep", "$/bind"],
        busybox: Same::No,
        floor: &["SETCAP", "$/bind"],
        effect: Effect::Found(|scene| scene.capability("bind")),
        before_each: |scene| {
            let _ = std::fs::remove_file(scene.path("bind")).and_then(|()| std::fs::write(scene.path("bind"), ""));
        },
        prepare: |scene| Ok(std::fs::write(scene.path("bind"), "")?),
        ..ROW
    },
    Row {
        name: "getcap FILE",
        command: &["getcap", "$/listen"],
        busybox: Same::No,
        floor: &["GETCAP", "$/listen"],
        effect: Effect::Output,
        floor_bar: ONE_STEP,
        ..ROW
    },
    Row {
        name: "mountpoint",
        command: &["mountpoint", "-q", "$/point"],
        floor: &["MOUNTPOINT", "$/point"],
        effect: Effect::Unknown,
        floor_bar: ONE_STEP,
        prepare: |scene| {
            std::fs::create_dir_all(scene.path("point"))?;
            Ok(bind(&scene.path("from"), &scene.path("point"))?)
        },
        undo: |scene| {
            let _ = umount(&scene.path("point"));
        },
        ..ROW
    },
    Row {
        name: "capsh --print",
        command: &["capsh", "--print"],
        busybox: Same::No,
        floor: &["CAPSH_PRINT"],
        effect: Effect::Unknown,
        ..ROW
    },
    Row {
        name: "capsh -- -c",
        command: &["capsh", "--", "-c", ":"],
        busybox: Same::No,
        floor: &["UNSHARE", "/bin/bash", "-c", ":"],
        effect: Effect::Unknown,
        program: "/bin/bash",
        bar: 1.0,
        ..ROW
    },
    Row { name: "mount: a list of 5000", prepare: |scene| scene.mount_many(5000), ..LIST },
    Row { name: "mount: a list of 20000", prepare: |scene| scene.mount_many(20_000), ..LIST },
    Row { name: "umount among 20", prepare: |scene| scene.mount_many(20), ..UMOUNT },
    Row {
        name: "umount among 20000",
        bar: 1.0,
        busybox_bar: Some(10.0),
        rounds: 30,
        large: true,
        prepare: |scene| scene.mount_many(20_000),
        ..UMOUNT
    },
    Row {
        name: "umount -R of 1000",
        floor: &["UMOUNT_TREE", "$/many", "1000"],
        bar: 10.0,
        rounds: 5,
        before_each: |scene| {
            let _ = scene.mount_many(1000);
        },
        ..UMOUNT_TREE
    },
    Row {
        name: "umount -R of 5000",
        floor: &["UMOUNT_TREE", "$/many", "5000"],
        bar: 30.0,
        rounds: 1,
        before_each: |scene| {
            let _ = scene.mount_many(5000);
        },
        ..UMOUNT_TREE
    },
    Row {
        name: "getcap -r of 20 files",
        bar: 1.0,
        rounds: usize::MAX,
        control: 0.03,
        all_processors: false,
        large: false,
        prepare: |scene| scene.make_tree(4, 5, 2),
        ..WALK
    },
    Row { name: "getcap -r of 200000 files in 20000 directories, warm", bar: 1.0 / 0.42, ..WALK },
    Row {
        name: "getcap -r of 200000 files in 20000 directories, cold",
        bar: 1.0 / 0.35,
        before_each: Scene::forget_files,
        ..WALK
    },
];

fn mounts_on_to(scene: &Scene) -> String {
    scene.mounts_below("to")
}

fn unmount_to(scene: &Scene) {
    let _ = umount(&scene.path("to"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(!row.command.is_empty() && !row.floor.is_empty());
            assert!(ROWS[..index].iter().all(|earlier| earlier.name != row.name));
        }
    }
}
