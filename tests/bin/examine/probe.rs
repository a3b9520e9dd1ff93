//! The program that commands run, by whatever name: it writes what it is in to the descriptor [`REPORT`], as /proc shows it
//! through the descriptor [`PROC`], which no mount can take away.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// A /proc that is mounted nowhere.
pub const PROC: RawFd = 100;
/// Where a program tells of itself.
pub const REPORT: RawFd = 101;

/// Where the calls of ours are told of, if one is to fail.
pub const LOG: RawFd = 102;

/// Where what was found is told, in the process that makes a sandbox.
pub const TOLD: RawFd = 103;

/// The bytes of a file of [`PROC`].
pub fn read(name: &str) -> Vec<u8> {
    let Ok(path) = std::ffi::CString::new(name) else { return Vec::new() };
    // SAFETY: the path is NUL-terminated.
    let descriptor = unsafe { libc::openat(PROC, path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if descriptor < 0 {
        return Vec::new();
    }
    // SAFETY: the descriptor was just opened and belongs to nobody else.
    let mut file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    let mut bytes = Vec::new();
    let _ = file.read_to_end(&mut bytes);
    bytes
}

/// What a symbolic link of [`PROC`] says.
pub fn link(name: &str) -> String {
    let Ok(path) = std::ffi::CString::new(name) else { return String::new() };
    let mut target = [0_u8; 4096];
    // SAFETY: the path is NUL-terminated, the buffer valid for writes of its length.
    let length = unsafe { libc::readlinkat(PROC, path.as_ptr(), target.as_mut_ptr().cast(), target.len()) };
    usize::try_from(length).map_or(String::new(), |length| String::from_utf8_lossy(&target[..length]).into_owned())
}

/// The names in a directory of [`PROC`].
pub fn names(name: &str) -> Vec<String> {
    let Ok(directory) = nix::dir::Dir::openat(
        // SAFETY: it is open as long as this program runs.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(PROC) },
        name,
        nix::fcntl::OFlag::O_RDONLY | nix::fcntl::OFlag::O_CLOEXEC,
        nix::sys::stat::Mode::empty(),
    ) else {
        return Vec::new();
    };
    let mut names: Vec<String> = directory
        .into_iter()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "." && name != "..")
        .collect();
    names.sort_by_key(|name| name.parse::<u64>().unwrap_or(0));
    names
}

/// Every kind of namespace.
pub const KINDS: [&str; 10] =
    ["cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"];

/// Writes the report.
pub fn tell() {
    let mut out = String::new();
    let words: Vec<String> = std::env::args_os().map(|word| word.as_bytes().escape_ascii().to_string()).collect();
    let _ = writeln!(out, "argv {words:?}");
    let mut variables: Vec<String> = std::env::vars_os()
        .map(|(name, value)| format!("{}={}", name.as_bytes().escape_ascii(), value.as_bytes().escape_ascii()))
        .collect();
    variables.sort();
    let _ = writeln!(out, "environment {}", variables.join(" "));
    state("self", &mut out);
    // SAFETY: these operations take integers, or a pointer to one that lives on.
    unsafe {
        let mut signal = 0;
        libc::prctl(libc::PR_GET_PDEATHSIG, &mut signal);
        let bits = libc::prctl(libc::PR_GET_SECUREBITS);
        let name = nix::unistd::gethostname().unwrap_or_default();
        let mask = libc::umask(0);
        let persona = libc::personality(0xffff_ffff);
        let _ =
            writeln!(out, "securebits {bits:#x}\nparent-death signal {signal}\nhostname {}", name.to_string_lossy());
        let _ = writeln!(out, "umask {mask:o}\npersonality {persona:#x}");
    }
    confinement(&mut out);
    let block: String = out.lines().map(|line| format!("program {line}\n")).collect();
    // SAFETY: if it is open at all it is the report's.
    let mut report = std::mem::ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(REPORT) });
    let _ = report.write_all(block.as_bytes());
}

/// What it may do: rules of Landlock and filters are shown nowhere.
fn confinement(out: &mut String) {
    use std::fs::{self, File, OpenOptions};
    let mut may = |what: &str, done: std::io::Result<()>| {
        let _ =
            writeln!(out, "may {what} {}", done.map_err(|error| error.raw_os_error().unwrap_or(0)).err().unwrap_or(0));
    };
    may("read", File::open("/here/f").map(drop));
    may("write", OpenOptions::new().append(true).open("/here/f").map(drop));
    may(
        "shorten",
        OpenOptions::new().write(true).truncate(true).open("/here/full").and_then(|mut full| full.write_all(b"text\n")),
    );
    may("list", fs::read_dir("/here/d").map(drop));
    may("list /bin", fs::read_dir("/bin").map(drop));
    may("make a directory", fs::create_dir("/here/d/made").and_then(|()| fs::remove_dir("/here/d/made")));
    may("make a link", fs::hard_link("/here/f", "/here/d/made").and_then(|()| fs::remove_file("/here/d/made")));
    may("run", File::open("/bin/true").map(drop));
    may("listen", std::net::TcpListener::bind("0.0.0.0:80").map(drop));
    may("listen higher", std::net::TcpListener::bind("0.0.0.0:8080").map(drop));
    // SAFETY: it takes integers; the process is its own.
    may("signal", nix::errno::Errno::result(unsafe { libc::kill(1, 0) }).map(drop).map_err(Into::into));
}

/// What a process is in.
fn state(pid: &str, out: &mut String) {
    let status = read(&format!("{pid}/status"));
    *out += &tests::status::shown(&String::from_utf8_lossy(&status), &["Seccomp:", "SigBlk:", "SigIgn:"]);
    for kind in KINDS {
        let _ = writeln!(out, "namespace {kind} {}", link(&format!("{pid}/ns/{kind}")));
    }
    for name in ["uid_map", "gid_map", "setgroups", "timens_offsets"] {
        let text = read(&format!("{pid}/{name}"));
        let text = String::from_utf8_lossy(&text);
        let _ = writeln!(out, "{name} {}", text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    for (name, path) in [("root", "/"), ("cwd", ".")] {
        use std::os::unix::fs::MetadataExt;
        let about =
            std::fs::metadata(path).map_or_else(|error| error.to_string(), |about| format!("{:o}", about.mode()));
        let _ = writeln!(out, "{name} {} {about}", link(&format!("{pid}/{name}")).escape_default());
    }
    for number in names(&format!("{pid}/fd")) {
        let target = link(&format!("{pid}/fd/{number}"));
        // Its own look at /proc.
        if !target.starts_with("/proc/") && target != "anon_inode:[pidfd]" && !target.ends_with("/fd") {
            let _ = writeln!(out, "descriptor {number} {}", target.escape_default());
        }
    }
    // With the machine's older hierarchies a process stays where the machine has it.
    for line in String::from_utf8_lossy(&read(&format!("{pid}/cgroup"))).lines().filter(|line| line.starts_with("0::"))
    {
        let _ = writeln!(out, "cgroup {line}");
    }
    super::effect::mounts(&read(&format!("{pid}/mountinfo")), out);
}
