//! Carries out the steps of a case.

use super::case::Step;
use super::probe::REPORT;
use super::{cgroup, changes, images};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

const NONE: Option<&str> = None;

/// What steps leave for later ones.
#[derive(Default)]
pub struct Setting {
    /// Processes that wait until they are killed.
    pub targets: Vec<Pid>,
    /// Devices that are there as long as they are open.
    pub kept: Vec<images::Device>,
}

type Done = Result<(), Errno>;

fn text(word: &[u8]) -> &str {
    std::str::from_utf8(word).unwrap_or_default()
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}

/// The flags that a list of mount options names.
fn flags(list: &[u8]) -> MsFlags {
    let mut flags = MsFlags::empty();
    for word in text(list).split(',') {
        flags |= match word {
            "ro" => MsFlags::MS_RDONLY,
            "nosuid" => MsFlags::MS_NOSUID,
            "nodev" => MsFlags::MS_NODEV,
            "noexec" => MsFlags::MS_NOEXEC,
            "noatime" => MsFlags::MS_NOATIME,
            _ => MsFlags::empty(),
        };
    }
    flags
}

/// Makes a part of the surroundings.
pub fn surrounding(step: &Step, setting: &mut Setting) -> Done {
    let words: Vec<&[u8]> = step.iter().map(Vec::as_slice).collect();
    let (verb, rest) = words.split_first().ok_or(Errno::EINVAL)?;
    let path = |at: usize| rest.get(at).map(|word| Path::new(OsStr::from_bytes(word))).ok_or(Errno::EINVAL);
    match text(verb) {
        "dir" => fs::create_dir_all(path(0)?).map_err(errno),
        "file" => fs::write(path(0)?, rest.get(1).copied().unwrap_or_default()).map_err(errno),
        "link" => symlink(path(0)?, path(1)?).map_err(errno),
        "remove" => path(0).and_then(|path| fs::remove_dir_all(path).or_else(|_| fs::remove_file(path)).map_err(errno)),
        "owner" => nix::unistd::chown(path(0)?, Some(1000.into()), Some(1000.into())),
        "mode" => {
            let mode = u32::from_str_radix(text(rest[1]), 8).map_err(|_| Errno::EINVAL)?;
            fs::set_permissions(path(0)?, std::os::unix::fs::PermissionsExt::from_mode(mode)).map_err(errno)
        }
        "tmpfs" => mount(Some("tmpfs"), path(0)?, Some("tmpfs"), flags(rest[1]), NONE),
        "bind" => mount(Some(path(0)?), path(1)?, NONE, MsFlags::MS_BIND, NONE),
        "rbind" => mount(Some(path(0)?), path(1)?, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE),
        "move" => mount(Some(path(0)?), path(1)?, NONE, MsFlags::MS_MOVE, NONE),
        "flags" => mount(NONE, path(1)?, NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags(rest[0]), NONE),
        "propagation" => {
            let flags = match text(rest[0]) {
                "shared" => MsFlags::MS_SHARED,
                "slave" => MsFlags::MS_SLAVE,
                "unbindable" => MsFlags::MS_UNBINDABLE,
                "rshared" => MsFlags::MS_SHARED | MsFlags::MS_REC,
                "rslave" => MsFlags::MS_SLAVE | MsFlags::MS_REC,
                _ => MsFlags::MS_PRIVATE,
            };
            mount(NONE, path(1)?, NONE, flags, NONE)
        }
        "detach" => umount2(path(0)?, MntFlags::MNT_DETACH),
        "overlay" => {
            for name in ["/tmp/l", "/tmp/u", "/tmp/w"] {
                fs::create_dir_all(name).map_err(errno)?;
            }
            let data = Some("lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w");
            mount(Some("overlay"), path(0)?, Some("overlay"), MsFlags::empty(), data)
        }
        "fstab" => rest.iter().try_for_each(|line| append("/etc/fstab", line)),
        "utab" => {
            fs::create_dir_all("/run/mount").map_err(errno)?;
            append("/run/mount/utab", rest[0])
        }
        "append" => append(text(rest[0]), rest[1]),
        "change" => changes::make(path(0)?, text(rest[1]), text(rest[2]), &bytes(rest[3])).map_err(errno),
        "image" => images::copy(&Path::new("/images").join(path(0)?), path(1)?).map_err(errno),
        "two" => images::two_devices(path(0)?).map(|device| setting.kept.push(device)),
        "mounted" => images::mounted(text(rest[0]), path(1)?, &mut setting.kept),
        "attached" => images::attached(text(rest[0]), path(1)?),
        "devices" => images::listed(&mut setting.kept),
        "cgroup" => cgroup::show(),
        // Its root is gone while it is mounted.
        "deleted" => {
            fs::create_dir("gone").map_err(errno)?;
            mount(Some("gone"), path(0)?, NONE, MsFlags::MS_BIND, NONE)?;
            fs::remove_dir("gone").map_err(errno)
        }
        "rootfs" => {
            for name in
                ["rootfs/bin", "rootfs/etc", "rootfs/proc", "rootfs/dev", "rootfs/old", "rootfs/sys", "rootfs/here"]
            {
                fs::create_dir_all(name).map_err(errno)?;
            }
            fs::write(
                "rootfs/etc/passwd",
                "root:x:0:0::/:/bin/sh\ninner:x:77:78::/:/bin/sh\nordinary:x:500:500::/:/bin/sh\n",
            )
            .map_err(errno)?;
            fs::write("rootfs/etc/group", "root:x:0:\ninner:x:78:\nextra:x:79:inner,ordinary\n").map_err(errno)?;
            mount(Some("/bin"), "rootfs/bin", NONE, MsFlags::MS_BIND, NONE)
        }
        "filecap" => {
            let name = CString::new(rest[0]).map_err(|_| Errno::EINVAL)?;
            let value = bytes(rest[1]);
            // SAFETY: the strings are NUL-terminated, the value is read as far as it is long.
            Errno::result(unsafe {
                libc::setxattr(name.as_ptr(), c"security.capability".as_ptr(), value.as_ptr().cast(), value.len(), 0)
            })
            .map(drop)
        }
        "target" => target(text(rest[0]), text(rest[1]), rest.get(2).copied().unwrap_or_default(), setting),
        "zombie" => {
            // SAFETY: this process has one thread.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: it takes an integer.
                unsafe { libc::_exit(3) };
            }
            // It is one when the line is run: until it has ended it has namespaces.
            waitid(Id::Pid(Pid::from_raw(child)), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).map(drop)
        }
        "dead" => {
            // SAFETY: this process has one thread.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: it takes an integer.
                unsafe { libc::_exit(3) };
            }
            nix::sys::wait::waitpid(Pid::from_raw(child), None).map(drop)
        }
        _ => Err(Errno::ENOSYS),
    }
}

fn append(path: &str, line: &[u8]) -> Done {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(errno)?;
    file.write_all(&[line, b"\n"].concat()).map_err(errno)
}

/// The bytes of a hexadecimal text.
fn bytes(text: &[u8]) -> Vec<u8> {
    text.chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// Clone flags by unshare's letters.
fn namespaces(letters: &str) -> i32 {
    letters.chars().fold(0, |flags, letter| {
        flags
            | match letter {
                'm' => libc::CLONE_NEWNS,
                'u' => libc::CLONE_NEWUTS,
                'i' => libc::CLONE_NEWIPC,
                'n' => libc::CLONE_NEWNET,
                'p' => libc::CLONE_NEWPID,
                'U' => libc::CLONE_NEWUSER,
                'C' => libc::CLONE_NEWCGROUP,
                _ => 0,
            }
    })
}

/// Leaves a process in new namespaces; `map` is what its uid_map and gid_map get, `doing` what it does there.
fn target(letters: &str, map: &str, doing: &[u8], setting: &mut Setting) -> Done {
    let (reader, writer) = nix::unistd::pipe()?;
    let (ready, told) = nix::unistd::pipe()?;
    let flags = namespaces(letters) | libc::SIGCHLD;
    // SAFETY: without a stack of its own it is a fork, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    if pid == 0 {
        drop((writer, ready));
        let mut byte = [0];
        let _ = nix::unistd::read(&reader, &mut byte);
        if letters.contains('u') {
            let _ = nix::unistd::sethostname("target");
        }
        for word in text(doing).split(',') {
            let _ = match word {
                "private" => mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE),
                "tmpfs" => mount(Some("inner"), "/mnt", Some("tmpfs"), MsFlags::empty(), NONE),
                "cd" => nix::unistd::chdir("/here/a"),
                "chroot" => nix::unistd::chroot("/here/rootfs"),
                "user" => nix::unistd::setgid(1000.into()).and_then(|()| nix::unistd::setuid(1000.into())),
                "caps" => capabilities(0x3000, 0x3000, 0x1000),
                "ambient" => inherit(0x3000, true),
                "bounding" => drop_bounding(0x20_0000),
                "securebits" => set_securebits(0x2f),
                "nest" => nest(0, 0, 0),
                "cgroup" => fs::write("/sys/fs/cgroup/t/cgroup.procs", "0").map_err(errno),
                "threads" | "leaderless" => {
                    std::thread::spawn(|| {
                        loop {
                            // SAFETY: it waits.
                            unsafe { libc::pause() };
                        }
                    });
                    Ok(())
                }
                _ => Ok(()),
            };
        }
        drop(told);
        // SAFETY: these take integers.
        unsafe {
            for descriptor in 3..=REPORT {
                libc::close(descriptor);
            }
            if text(doing).contains("leaderless") {
                // Only this thread: the process is a zombie with a thread that lives.
                libc::syscall(libc::SYS_exit, 0);
            }
            loop {
                libc::pause();
            }
        }
    }
    let pid = i32::try_from(Errno::result(pid)?).unwrap_or(0);
    if letters.contains('U') && map != "none" {
        for name in ["uid_map", "gid_map"] {
            fs::write(format!("/proc/{pid}/{name}"), map.replace('_', " ").replace('/', "\n")).map_err(errno)?;
        }
    }
    drop((writer, told, reader));
    let mut byte = [0];
    let _ = nix::unistd::read(&ready, &mut byte);
    // A leader that is to be dead is dead when the line is run.
    let is_leader_there = || !super::probe::link(&format!("{pid}/ns/uts")).is_empty();
    for _ in 0..200 {
        if !text(doing).contains("leaderless") || !is_leader_there() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    setting.targets.push(Pid::from_raw(pid));
    Ok(())
}

/// Enters a user namespace of its own, in which it is `inner`.
fn nest(inner: u32, uid: u32, gid: u32) -> Done {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER)?;
    let _ = fs::write("/proc/self/setgroups", "deny");
    fs::write("/proc/self/uid_map", format!("{inner} {uid} 1")).map_err(errno)?;
    fs::write("/proc/self/gid_map", format!("{inner} {gid} 1")).map_err(errno)
}

fn drop_bounding(mask: u64) -> Done {
    (0..41).filter(|bit| mask & (1 << bit) != 0).try_for_each(|bit| prctl(libc::PR_CAPBSET_DROP, bit))
}

fn set_securebits(bits: u64) -> Done {
    prctl(libc::PR_SET_SECUREBITS, bits)
}

fn prctl(operation: libc::c_int, value: u64) -> Done {
    // SAFETY: the operations that are asked for take integers.
    Errno::result(unsafe { libc::prctl(operation, value, 0, 0, 0) }).map(drop)
}

/// Sets the three sets of this process, of which only the first 32 bits are ever asked for here.
fn capabilities(permitted: u32, inheritable: u32, effective: u32) -> Done {
    let header: [u32; 2] = [0x2008_0522, 0];
    let data: [u32; 6] = [effective, permitted, inheritable, 0, 0, 0];
    // SAFETY: the structures have the kernel's layout.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) }).map(drop)
}

/// Adds to the inheritable set, and to the ambient one too.
fn inherit(mask: u64, ambient: bool) -> Done {
    let header: [u32; 2] = [0x2008_0522, 0];
    let mut data = [0_u32; 6];
    // SAFETY: the structures have the kernel's layout.
    unsafe {
        Errno::result(libc::syscall(libc::SYS_capget, header.as_ptr(), data.as_mut_ptr()))?;
        data[2] |= mask as u32;
        data[5] |= (mask >> 32) as u32;
        Errno::result(libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()))?;
        for bit in (0..41).filter(|bit| ambient && mask & (1 << bit) != 0) {
            Errno::result(libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, bit, 0, 0))?;
        }
    }
    Ok(())
}

/// Makes something of the calling process.
fn caller(step: &Step, environment: &mut Vec<OsString>) -> Done {
    let words: Vec<&[u8]> = step.iter().map(Vec::as_slice).collect();
    let (verb, rest) = words.split_first().ok_or(Errno::EINVAL)?;
    let word = rest.first().copied().unwrap_or_default();
    let hexadecimal = || u64::from_str_radix(text(word), 16).map_err(|_| Errno::EINVAL);
    match text(verb) {
        "user" => {
            let (uid, gid) = if word == b"nobody" { (65534, 65534) } else { (1000, 1000) };
            let groups: &[u32] = if word == b"nobody" { &[65534] } else { &[1000, 4, 1001] };
            let groups: Vec<_> = groups.iter().map(|&gid| gid.into()).collect();
            nix::unistd::setgroups(&groups)?;
            nix::unistd::setresgid(gid.into(), gid.into(), gid.into())?;
            nix::unistd::setresuid(uid.into(), uid.into(), uid.into())
        }
        "groups" => nix::unistd::setgroups(&[7.into(), 9.into()]),
        "euid" => nix::unistd::setresuid(1000.into(), 0.into(), 0.into()),
        "userns" => {
            let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
            nest(text(word).parse().unwrap_or(0), uid.as_raw(), gid.as_raw())
        }
        "unshare" => nix::sched::unshare(nix::sched::CloneFlags::from_bits_truncate(namespaces(text(word)))),
        "inheritable" => inherit(hexadecimal()?, false),
        "ambient" => inherit(hexadecimal()?, true),
        "bounding" => drop_bounding(hexadecimal()?),
        "lower" => {
            let mask = !hexadecimal()? as u32;
            capabilities(mask, 0, mask)
        }
        "securebits" => set_securebits(hexadecimal()?),
        "nnp" => prctl(libc::PR_SET_NO_NEW_PRIVS, 1),
        "umask" => {
            let mode = u32::from_str_radix(text(word), 8).unwrap_or(0o22);
            nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mode));
            Ok(())
        }
        "cd" => nix::unistd::chdir(OsStr::from_bytes(word)),
        "close" => text(word).split(' ').try_for_each(|number| nix::unistd::close(number.parse::<i32>().unwrap_or(0))),
        "nested" => {
            let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
            nest(1000, uid.as_raw(), gid.as_raw()).and_then(|()| nest(0, 1000, 1000))
        }
        "env" => {
            environment.push(OsStr::from_bytes(word).to_os_string());
            Ok(())
        }
        "unset" => {
            environment.retain(|variable| !variable.as_bytes().starts_with(&[word, b"="].concat()));
            Ok(())
        }
        "roroot" => mount(NONE, "/", NONE, MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, NONE),
        "noproc" => umount2("/proc", MntFlags::MNT_DETACH),
        "limit" => {
            let number = text(word).parse().unwrap_or(64);
            nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, number, number)
        }
        "ignore" => {
            // SAFETY: it takes integers.
            unsafe { libc::signal(text(word).parse().unwrap_or(0), libc::SIG_IGN) };
            Ok(())
        }
        _ => Err(Errno::ENOSYS),
    }
}

/// Becomes the command; returns the error number if it cannot.
pub fn start(program: &str, tested: &str, steps: &[Step], line: &[Vec<u8>], _setting: &Setting) -> i32 {
    let mut environment: Vec<OsString> =
        ["PATH=/cmd:/bin", "HOME=/root", "LC_ALL=C", "SHELL=/bin/sh", "TZ=UTC", "TERM=dumb", "CTRBOX_HINTS=never"]
            .map(OsString::from)
            .into();
    if program != tested {
        environment.push(format!("TESTED={tested}").into());
    }
    // Whoever started the examination may ignore what a terminal sends.
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: it takes integers.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    for step in steps.iter().filter(|step| step[0] != b"inject" && step[0] != b"twice") {
        if let Err(error) = caller(step, &mut environment) {
            return error as i32;
        }
    }
    let string = |bytes: &[u8]| CString::new(bytes).unwrap_or_default();
    let program = string(program.as_bytes());
    let line: Vec<CString> = line.iter().map(|word| string(word)).collect();
    let environment: Vec<CString> = environment.iter().map(|word| string(word.as_bytes())).collect();
    // SAFETY: SIGPIPE, which Rust's start has ignored, is put back.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    nix::unistd::execve(&program, &line, &environment).map_or_else(|error| error as i32, |never| match never {})
}
