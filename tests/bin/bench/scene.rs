//! What the rows need on disk: the peers' commands, the floors, and what a row prepares.

use crate::Result;
use crate::peers::Peer;
use crate::rows::ROWS;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A directory of its own, and the process that a row enters.
pub struct Scene {
    root: PathBuf,
    target: Option<Target>,
}

/// A process with namespaces of its own, and the one that ends it when it ends.
struct Target {
    pid: i32,
    parent: Child,
}

/// Where the originals are looked for.
const HOST_PATH: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

fn host_command(name: &str) -> Option<PathBuf> {
    HOST_PATH.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.exists())
}

impl Scene {
    /// Puts the commands of every peer into an empty directory.
    pub fn make(root: &Path) -> Result<Scene> {
        let scene = Scene { root: root.to_path_buf(), target: None };
        for directory in ["ours", "again", "theirs", "busybox", "floor", "root/proc", "from", "to"] {
            fs::create_dir_all(scene.path(directory))?;
        }
        for row in ROWS {
            scene.compile(row.floor.first().ok_or("no floor")?)?;
        }
        scene.compile("EMPTY")?;
        scene.copy_programs()?;
        fs::hard_link(scene.path("floor/EMPTY"), scene.path("empty"))?;
        fs::hard_link(scene.path("empty"), scene.path("root/empty"))?;
        fs::write(scene.path("listen"), "")?;
        give_capability(&scene.path("listen"))?;
        Ok(scene)
    }

    /// Copies the programs of every peer, one after the other and all in one way. How a file's pages came into memory
    /// decides what a start costs: two copies of one program, made at different times, were a tenth of a start apart.
    fn copy_programs(&self) -> Result<()> {
        let program = tests::sandbox::artefact()?;
        let applets = lines_of(&program)?;
        for directory in [Peer::Ours.directory(), Peer::Control.directory()] {
            let ours = self.path(directory).join("ctrbox");
            fresh_copy(&program, &ours)?;
            for applet in &applets {
                fs::hard_link(&ours, self.path(directory).join(applet))?;
            }
        }
        for applet in &applets {
            if let Some(original) = host_command(applet) {
                fresh_copy(&original, &self.path("theirs").join(applet))?;
            }
        }
        if let Some(host) = host_command("busybox") {
            let busybox = self.path("busybox/busybox");
            fresh_copy(&host, &busybox)?;
            for applet in lines_of(&busybox)?.iter().filter(|applet| *applet != "busybox") {
                fs::hard_link(&busybox, self.path("busybox").join(applet))?;
            }
        }
        for floor in fs::read_dir(self.path("floor"))? {
            let floor = floor?.path();
            let built = floor.with_extension("built");
            fs::rename(&floor, &built)?;
            fresh_copy(&built, &floor)?;
            fs::remove_file(built)?;
        }
        Ok(())
    }

    /// What is called so in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes the floor of a row: the part of `tests/floor/floor.c` that is `ROW_` and this name.
    pub fn compile(&self, name: &str) -> Result<PathBuf> {
        let program = self.path("floor").join(name);
        if !program.exists() {
            let flags = "-Os -nostdlib -static -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
                         -Wl,--build-id=none -Wl,-z,noseparate-code";
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("floor/floor.c");
            let mut compiler = Command::new("gcc");
            compiler.args(flags.split_whitespace()).arg(format!("-DROW_{name}")).arg("-o").arg(&program).arg(source);
            if !compiler.status()?.success() {
                return Err(format!("gcc could not make the floor {name}").into());
            }
        }
        Ok(program)
    }

    /// A word of a command: `$` is the scene, `%` the target process.
    pub fn word(&self, word: &str) -> String {
        let target = self.target.as_ref().map_or(String::new(), |target| target.pid.to_string());
        word.replace('$', &self.root.to_string_lossy()).replace('%', &target)
    }

    /// Starts a process that has every namespace but the user's to itself.
    pub fn start_target(&mut self) -> Result<()> {
        let mut parent = Command::new(self.path("ours/unshare"))
            .args(["-m", "-u", "-i", "-n", "-p", "-C", "-T", "-f", "--kill-child", "/bin/sh", "-c"])
            .arg("echo ready; exec sleep infinity")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(parent.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let id = parent.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        self.target = Some(Target { pid: children.trim().parse()?, parent });
        Ok(())
    }

    /// Ends it.
    pub fn end_target(&mut self) {
        if let Some(mut target) = self.target.take() {
            let _ = target.parent.kill();
            let _ = target.parent.wait();
        }
    }

    /// Its number, if there is one.
    pub fn target_pid(&self) -> Option<i32> {
        self.target.as_ref().map(|target| target.pid)
    }

    /// A directory with this many mounts below it, which are bound from another and are one file system.
    pub fn mount_many(&self, count: usize) -> Result<()> {
        let many = self.path("many");
        fs::create_dir_all(&many)?;
        bind(&many, &many)?;
        for number in 0..count {
            let place = many.join(number.to_string());
            fs::create_dir_all(&place)?;
            bind(&self.path("from"), &place)?;
        }
        Ok(())
    }

    /// Takes them away.
    pub fn unmount_many(&self) {
        let _ = umount2(&self.path("many"), MntFlags::MNT_DETACH);
    }

    /// What is mounted at or below a directory of the scene: one line for each mount, without numbers.
    pub fn mounts_below(&self, name: &str) -> String {
        let place = self.path(name);
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let fields = |line: &str| line.split(' ').skip(3).take(3).map(str::to_string).collect::<Vec<_>>();
        let mounts = table.lines().map(fields);
        let mounts = mounts.filter(|fields| fields.get(1).is_some_and(|at| Path::new(at).starts_with(&place)));
        mounts.map(|fields| fields.join(" ") + "\n").collect()
    }

    /// What the host's getcap says of a file.
    pub fn capability(&self, name: &str) -> String {
        let getcap = host_command("getcap").map(|getcap| Command::new(getcap).arg(self.path(name)).output());
        getcap.and_then(|output| String::from_utf8(output.ok()?.stdout).ok()).unwrap_or_default()
    }

    /// Makes a tree of `directories`, each with `files`, of which `capable` in all have a capability,
    /// and sees that ours and the originals find the same in it.
    pub fn make_tree(&self, directories: usize, files: usize, capable: usize) -> Result<()> {
        let root = self.path("tree");
        // Ten subdirectories in each, breadth first.
        let mut paths = vec![root.clone()];
        fs::create_dir(&root)?;
        let every = directories * files / capable;
        let mut count = 0;
        for index in 0..directories {
            let Some(path) = paths.get(index).cloned() else { break };
            for name in 0..10 {
                if paths.len() < directories {
                    let child = path.join(format!("directory{name}"));
                    fs::create_dir(&child)?;
                    paths.push(child);
                }
            }
            for name in 0..files {
                let file = path.join(format!("file{name}"));
                fs::write(&file, "")?;
                if count % every == every / 2 {
                    give_capability(&file)?;
                }
                count += 1;
            }
        }
        let found = |peer: Peer| -> Result<Vec<u8>> {
            let program = self.path(peer.directory()).join("getcap");
            let lines = Command::new(program).arg("-r").arg(&root).output()?.stdout;
            let mut sorted: Vec<&[u8]> = lines.split_inclusive(|byte| *byte == b'\n').collect();
            sorted.sort_unstable();
            Ok(sorted.concat())
        };
        if found(Peer::Ours)? != found(Peer::Theirs)? {
            return Err("ours and the originals do not find the same".into());
        }
        Ok(())
    }

    /// Has the kernel let go of everything that it keeps of file systems, and reads the programs in
    /// again: they are not what is measured.
    pub fn forget_files(&self) {
        nix::unistd::sync();
        let _ = fs::write("/proc/sys/vm/drop_caches", "3");
        for program in ["ours/getcap", "theirs/getcap", "floor/GETCAP_TREE"] {
            let mut program = Command::new(self.path(program));
            let _ = program.arg("/dev/null").stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.end_target();
    }
}

fn lines_of(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).arg("--list").output()?;
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_string).collect())
}

/// Writes a program anew, as nothing but its bytes.
pub fn fresh_copy(from: &Path, to: &Path) -> Result<()> {
    fs::write(to, fs::read(from)?)?;
    Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
}

pub fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

fn give_capability(file: &Path) -> Result<()> {
    let setcap = host_command("setcap").ok_or("no setcap on this machine")?;
    let status = Command::new(setcap).arg("cap_net_bind_service=ep").arg(file).status()?;
    if status.success() { Ok(()) } else { Err("setcap failed".into()) }
}
