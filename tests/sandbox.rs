//! Where a script is tried: its own mount, PID, UTS and IPC namespaces, a directory in memory,
//! a fixed environment, and the commands' names meaning ours or the originals.
//!
//! It ends with its script: every process of its is killed, every mount is gone. What outlives
//! namespaces (loop devices, cgroups) is looked for, removed, and reported as left behind. The
//! namespaces are made by `bin/sandbox.rs` itself, so the tested tools have no part in it.

use crate::document;
use crate::emulation::Emulation;
use crate::originals::{self, Originals};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The commands whose names mean ours or the originals: what `ctrbox --list` prints.
#[allow(clippy::indexing_slicing)]
pub const APPLETS: [&str; applets::APPLETS.len()] = {
    let mut names = [""; applets::APPLETS.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = applets::APPLETS[index].name;
        index += 1;
    }
    names
};

/// What the name of a stage's directory begins with.
const PREFIX: &str = "ctrbox-test.";

/// The name of the ordinary account that a script may be given.
pub const ORDINARY: &str = "ordinary";
/// Its user and group number, and those of the group `extra` that it is a member of.
pub const ORDINARY_IDS: (u32, u32, u32) = (1000, 1000, 1001);
/// The first of its 65536 subordinate user and group numbers.
pub const SUBORDINATE: u32 = 100_000;

/// The tools by which rows of other commands look at what was done. `CTRBOX_TOOLS` says whose they are, on both sides:
/// `ours`, `theirs`, or the `host`'s; else each side has its own.
const TOOLS: [&str; 4] = ["blkid", "findfs", "findmnt", "losetup"];

/// How long a script may take.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What the sandbox reports of a script that took longer.
pub const TIMED_OUT: &str = "timed out";

/// Whose commands a script gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// ctrbox.
    Ours,
    /// util-linux, coreutils and libcap: see [`Originals`].
    Theirs,
}

impl Side {
    /// `ours` or `theirs`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Ours => "ours",
            Side::Theirs => "theirs",
        }
    }
}

/// The account files a script sees; each next one has what the one before has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Accounts {
    /// The host's.
    #[default]
    Host,
    /// Ones of its own with root, daemon, nobody and `ordinary`, and nothing in /etc/subuid.
    Ordinary,
    /// `ordinary` has subordinate ids, too.
    Subordinate,
}

impl Accounts {
    /// The word that tells `bin/sandbox.rs`.
    pub fn name(self) -> &'static str {
        match self {
            Accounts::Host => "host",
            Accounts::Ordinary => "ordinary",
            Accounts::Subordinate => "subordinate",
        }
    }

    /// The reverse of [`Accounts::name`].
    pub fn from_name(name: &str) -> Option<Accounts> {
        [Accounts::Host, Accounts::Ordinary, Accounts::Subordinate].into_iter().find(|one| one.name() == name)
    }
}

/// What a script did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Its exit status, 128+N if it was killed by signal N.
    pub status: i32,
    /// What it wrote; the sandbox's directories are `$DIR` and gone, see [`Stage::run`].
    pub stdout: String,
    /// As `stdout`.
    pub stderr: String,
    /// What it left on the machine, one line each.
    pub left: Vec<String>,
    /// It was ended because it took longer than [`Stage::timeout`].
    pub timed_out: bool,
}

/// The directory that scripts are run from; made once, used by many, removed when dropped.
///
/// `ours/` and `theirs/` hold the commands, `libraries/` what theirs need, `bin/` the sandbox, `etc/` account files, and `case/` is
/// where each script has a file system in memory mounted (seen by it alone).
pub struct Stage {
    root: PathBuf,
    /// Held locked as long as the stage is in use; the kernel lets go of it if we are killed.
    _lock: fs::File,
    scripts: AtomicUsize,
    /// How long a script may take, in whole seconds; [`TIMEOUT`] if nobody changes it.
    pub timeout: Duration,
    /// The kernel that our commands' scripts find; this machine's if nobody changes it.
    pub emulation: Option<Emulation>,
}

impl Stage {
    /// Prepares a stage with the originals that are chosen. `sandbox` is the program of `bin/sandbox.rs`.
    pub fn new(sandbox: &Path) -> io::Result<Stage> {
        Stage::with(sandbox, &Originals::chosen()?, &artefact()?)
    }

    /// Prepares a stage with these originals, in which `ours` is the program to be tested.
    pub fn with(sandbox: &Path, originals: &Originals, ours: &Path) -> io::Result<Stage> {
        remove_abandoned();
        let root = nix::unistd::mkdtemp(&std::env::temp_dir().join(PREFIX.to_string() + &"X".repeat(6)))?;
        let lock = fs::File::open(&root)?;
        lock.lock()?;
        // From here on dropping it removes what was made.
        let stage = Stage { root, _lock: lock, scripts: AtomicUsize::new(0), timeout: TIMEOUT, emulation: None };
        stage.fill(sandbox, originals, ours)?;
        Ok(stage)
    }

    fn fill(&self, sandbox: &Path, originals: &Originals, artefact: &Path) -> io::Result<()> {
        let searchable = || fs::Permissions::from_mode(0o755);
        fs::set_permissions(&self.root, searchable())?;
        for name in ["ours", "theirs", "bin", "etc", "case", "reports"] {
            let directory = self.root.join(name);
            fs::create_dir(&directory)?;
            fs::set_permissions(&directory, searchable())?;
        }
        let ours = self.root.join("ours/ctrbox");
        if !artefact.exists() {
            return Err(io::Error::other(format!("{} is not there: scripts/build makes it", artefact.display())));
        }
        // Copies: an ordinary user need not be able to search the directories that lead to these.
        for (from, to) in [(sandbox, &self.root.join("bin/sandbox")), (artefact, &ours)] {
            originals::copy(from, to)?;
            fs::set_permissions(to, searchable())?;
        }
        for applet in APPLETS {
            fs::hard_link(&ours, self.root.join("ours").join(applet))?;
        }
        let images = self.root.join("images");
        fs::create_dir(&images)?;
        for image in fs::read_dir(document::tree().join("tests/images"))? {
            let image = image?;
            fs::copy(image.path(), images.join(image.file_name()))?;
        }
        originals.copy(&APPLETS, &self.root, &self.root.join("theirs"))?;
        self.fill_tools()?;
        let (uid, gid, extra) = ORDINARY_IDS;
        let etc = self.root.join("etc");
        fs::write(
            etc.join("passwd"),
            format!(
                "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
                 nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n{ORDINARY}:x:{uid}:{gid}::/:/bin/sh\n"
            ),
        )?;
        fs::write(
            etc.join("group"),
            format!(
                "root:x:0:\ndaemon:x:1:\nadm:x:4:\nnogroup:x:65534:\n{ORDINARY}:x:{gid}:\nextra:x:{extra}:{ORDINARY}\n"
            ),
        )?;
        fs::write(etc.join("subordinate"), format!("{ORDINARY}:{SUBORDINATE}:65536\n"))?;
        fs::write(etc.join("no-subordinate"), "")
    }

    /// What `CTRBOX_TOOLS` asks for.
    fn fill_tools(&self) -> io::Result<()> {
        let whose = std::env::var("CTRBOX_TOOLS").unwrap_or_default();
        if whose.is_empty() {
            return Ok(());
        }
        let directory = self.root.join("tools");
        fs::create_dir(&directory)?;
        for tool in TOOLS {
            let (link, program) = (directory.join(tool), self.root.join(&whose).join(tool));
            match whose.as_str() {
                "ours" => fs::hard_link(program, link)?,
                "theirs" => std::os::unix::fs::symlink(program, link)?,
                "host" => std::os::unix::fs::symlink(originals::installed(tool).unwrap_or_default(), link)?,
                other => return Err(io::Error::other(format!("CTRBOX_TOOLS={other}: ours, theirs or host"))),
            }
        }
        Ok(())
    }

    /// The script of a row of `tests/cases/FILE.toml`, with the tools that [`TOOLS`] tells of.
    pub fn with_tools(&self, file: &str, script: &str) -> String {
        let tools = self.root.join("tools");
        if TOOLS.contains(&file) || !tools.exists() {
            return script.to_string();
        }
        format!("PATH={}:$PATH\n{script}", tools.display())
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Runs a bash script as root in a sandbox, in an empty directory that it alone sees.
    ///
    /// In what it wrote that directory's path is replaced by `$DIR`, the path before a command's name
    /// is taken away, and that of the commands' directory is `$COMMANDS` elsewhere. The environment is fixed: `LC_ALL=C.UTF-8`, `TZ=UTC`, `SHELL=/bin/sh`,
    /// `HOME=/root`, PATH, and some for the script: `$ORDINARY COMMAND` runs a command as [`ORDINARY`];
    /// `$TARGET OPTION...` leaves a process in the namespaces that the host's unshare makes with these
    /// options, and prints its number; `$IMAGES` is a directory with the images of `tests/images`; `$UNIQUE` is a name that no other script uses, for a cgroup or
    /// what else is not in a namespace.
    pub fn run(&self, side: Side, accounts: Accounts, script: &str) -> io::Result<Run> {
        let report = self.root.join("reports").join(self.scripts.fetch_add(1, Ordering::Relaxed).to_string());
        let emulated = self.emulation.filter(|_| side == Side::Ours);
        let output = Command::new(self.root.join("bin/sandbox"))
            .args(["run".as_ref(), self.root.as_os_str(), side.name().as_ref(), accounts.name().as_ref()])
            .arg(&report)
            .args([script, &self.timeout.as_secs().to_string()])
            .args(emulated.iter().flat_map(|it| [it.kernel.to_string(), it.answer.to_string()]))
            .env_clear()
            .stdin(Stdio::null())
            .output()?;
        let reported = fs::read_to_string(&report).unwrap_or_default();
        if let Some(error) = reported.strip_prefix("error: ") {
            return Err(io::Error::other(error.trim_end().to_string()));
        }
        let unique = unique_name(&report);
        let seen = |bytes: &[u8]| self.without_paths(side, &String::from_utf8_lossy(bytes)).replace(&unique, "$UNIQUE");
        Ok(Run {
            status: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or(0)),
            stdout: seen(&output.stdout),
            stderr: seen(&output.stderr),
            left: reported.lines().filter(|line| *line != TIMED_OUT).map(str::to_string).collect(),
            timed_out: reported.lines().any(|line| line == TIMED_OUT),
        })
    }

    fn without_paths(&self, side: Side, text: &str) -> String {
        let path = |name: &str| self.root.join(name).to_string_lossy().into_owned();
        let commands = path(side.name());
        text.replace(&format!("{commands}/"), "").replace(&commands, "$COMMANDS").replace(&path("case"), "$DIR")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        remove(&self.root);
    }
}

fn remove(stage: &Path) {
    // Nothing is mounted there in our own namespace; if anything were, it must not be emptied.
    if mounts_below(stage).is_ok_and(|mounts| mounts.is_empty()) {
        let _ = fs::remove_dir_all(stage);
    }
}

/// Removes the stages of test programs that were killed.
fn remove_abandoned() {
    let is_old = |path: &Path| {
        // A new one is locked a moment after it is made.
        let age = fs::metadata(path).and_then(|about| about.modified()).map(|made| made.elapsed().unwrap_or_default());
        age.is_ok_and(|age| age > Duration::from_secs(60))
    };
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_unlocked = || fs::File::open(&path).is_ok_and(|directory| directory.try_lock().is_ok());
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_old(&path) && is_unlocked() {
            remove(&path);
        }
    }
}

/// The program under test: the file that `CTRBOX` names, else `target/ctrbox`, which is built where it is not there or
/// older than what it is made from.
pub fn artefact() -> io::Result<PathBuf> {
    static BUILT: Mutex<bool> = Mutex::new(false);
    if let Some(path) = std::env::var_os("CTRBOX") {
        return fs::canonicalize(path);
    }
    let path = document::tree().join("target/ctrbox");
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*built {
        // Test programs that run side by side wait for the one that builds.
        let lock = fs::File::create(document::tree().join("target/ctrbox.lock"))?;
        lock.lock()?;
        if let Some(reason) = outdated(&path)? {
            eprintln!("{reason}: scripts/build makes it now");
            let made = Command::new(document::tree().join("scripts/build")).arg("--quiet").status()?;
            if !made.success() {
                return Err(io::Error::other(format!("{reason}, and scripts/build fails: {made}")));
            }
        }
        *built = true;
    }
    Ok(path)
}

/// Why a program is not what the sources make.
fn outdated(program: &Path) -> io::Result<Option<String>> {
    let Ok(made) = fs::metadata(program).and_then(|about| about.modified()) else {
        return Ok(Some(format!("{} is not there", program.display())));
    };
    let mut left: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "src", "applets", "scripts/build"].map(|name| document::tree().join(name)).into();
    while let Some(path) = left.pop() {
        let about = fs::metadata(&path)?;
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        } else if about.modified()? > made {
            return Ok(Some(format!("{} is older than {}", program.display(), path.display())));
        }
    }
    Ok(None)
}

/// The value of `UNIQUE` for the script with this report.
pub fn unique_name(report: &Path) -> String {
    let of = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    let stage = of(report.parent().and_then(Path::parent));
    format!("{stage}-{}", of(Some(report)))
}

/// The mount points at and below a directory, as this process sees them.
pub fn mounts_below(directory: &Path) -> io::Result<Vec<String>> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let directory = directory.to_string_lossy();
    Ok(table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|point| point.strip_prefix(&*directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
        .map(str::to_string)
        .collect())
}

/// Whether the file of `/dev/loopN` is on the file system of the working directory. Another script's file has the same
/// path, but not the same file system.
pub fn is_of_this_script(loop_device: &OsStr) -> bool {
    use std::os::unix::fs::MetadataExt;
    device_of_file(loop_device).is_some_and(|device| fs::metadata(".").is_ok_and(|here| here.dev() == device))
}

/// The device (`st_dev`) of the file system that the file of `/dev/loopN` is on; `None` if it has no file.
pub fn device_of_file(loop_device: &OsStr) -> Option<u64> {
    use std::os::fd::AsRawFd;
    const LOOP_GET_STATUS64: libc::Ioctl = 0x4c05;
    // struct loop_info64, which begins with the device number.
    let mut status = [0_u64; 29];
    let file = fs::File::open(Path::new("/dev").join(loop_device)).ok()?;
    // SAFETY: the buffer has the size of the structure.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), LOOP_GET_STATUS64, status.as_mut_ptr()) };
    status.first().copied().filter(|_| done == 0)
}
