//! Small file systems, and what of a machine belongs to one sandbox alone: the labels of its images, and the loop devices
//! that command lines name. Elsewhere two lines that run at once would find each other's.

use super::case::Case;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

/// What command lines call the parts that each sandbox has of its own, and where the number stands in them.
const CALLED: [&[u8]; 4] = [b"disk-", b"big-", b"two-", b"-5555555555"];

/// Images of `tests/images`, and how long each is at least, in KiB.
pub const COMMITTED: [(&str, u64); 10] = [
    ("bcachefs", 128),
    ("dos", 1024),
    ("exfat", 2048),
    ("f2fs", 65_536),
    ("gpt", 1024),
    ("iso9660", 364),
    ("luks1", 1024),
    ("luks2", 1024),
    ("lvm", 4096),
    ("ntfs", 2048),
];

/// Makes the images of the sandbox `number` in a directory.
pub fn make(directory: &Path, number: usize) {
    let tree = directory.join("tree");
    fs::create_dir(directory).unwrap();
    // A file system of its own: a mount table tells which directory of one is mounted.
    mount(Some("images"), directory, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs::create_dir_all(tree.join("b")).unwrap();
    fs::write(tree.join("inside"), "text\n").unwrap();
    fs::write(tree.join("one"), "text\n").unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let made = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            // mkfs.xfs makes small file systems for tests only.
            .envs([("TEST_DIR", "tree"), ("TEST_DEV", "xfs"), ("QA_CHECK_FS", "1")])
            .output();
        if !made.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("examine: no image by {program}");
        }
    };
    let uuid = |digit: &str| {
        let part = |length| digit.repeat(length);
        format!("{}-{}-{}-{}-5555555555{number:02}", part(8), part(4), part(4), part(4))
    };
    let label = |name: &str| format!("{name}-{number:02}");
    let empty = |name: &str, size: u64| fs::File::create(directory.join(name)).unwrap().set_len(size).unwrap();
    let first = "11111111-2222-3333-4444-5555555555".to_string() + &format!("{number:02}");
    run("mkfs.ext4", &["-q", "-O", "^has_journal", "-L", &label("disk"), "-U", &first, "-d", "tree", "ext4", "512k"]);
    // No call of today's kernels makes an attribute of the first revision; old disks have it.
    fs::write(directory.join("attribute"), [1, 0, 0, 1, 0, 0x30, 0, 0, 0, 0, 0, 0]).unwrap();
    run("debugfs", &["-w", "-R", "ea_set -f attribute one security.capability", "ext4"]);
    run("mkfs.ext2", &["-q", "-L", "old", "-U", &uuid("2"), "-d", "tree", "ext2", "256k"]);
    run("mksquashfs", &["tree", "squashfs", "-quiet", "-no-progress"]);
    run("mkfs.erofs", &["-Enoinline_data", "-U", &uuid("3"), "erofs", "tree"]);
    for (name, size) in COMMITTED {
        let from = format!("{}/images/{name}.gz", env!("CARGO_MANIFEST_DIR"));
        run("sh", &["-c", &format!("zcat '{from}' >{name} && truncate --size={size}K {name}")]);
    }
    empty("xfs", 20 << 20);
    run("mkfs.xfs", &["-q", "-f", "-d", "size=16m", "-L", &label("big"), "-m", &format!("uuid={}", uuid("4")), "xfs"]);
    empty("btrfs", 16 << 20);
    empty("second", 16 << 20);
    // The kernel knows the devices of all by this: it is not another examination's on the same machine.
    let own = format!("{:08x}-6666-6666-6666-5555555555{number:02}", std::process::id());
    let two = ["-q", "-M", "-m", "single", "-d", "single", "-L", &label("two"), "-U", &own, "btrfs", "second"];
    run("mkfs.btrfs", &two);
    fs::remove_dir_all(tree).unwrap();
    fs::remove_file(directory.join("attribute")).unwrap();
    for name in ["xfs", "btrfs", "second"] {
        let full = directory.join(name);
        copy(&full, &directory.join("sparse")).unwrap();
        fs::rename(directory.join("sparse"), full).unwrap();
    }
}

/// Copies an image, but not its zeros: memory is what it is kept in.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut from = fs::File::open(from)?;
    let to = fs::File::create(to)?;
    let length = from.metadata()?.len();
    to.set_len(length)?;
    let (mut to, mut at, mut block) = (to, 0, vec![0; 4096]);
    while at < length {
        // SAFETY: it takes integers.
        let data = unsafe { libc::lseek(from.as_raw_fd(), at.cast_signed(), libc::SEEK_DATA) };
        let Ok(data) = u64::try_from(data) else { break };
        at = data - data % 4096;
        from.seek(SeekFrom::Start(at))?;
        let count = from.read(&mut block)?;
        if block.iter().take(count).any(|&byte| byte != 0) {
            to.seek(SeekFrom::Start(at))?;
            to.write_all(&block[..count])?;
        }
        at += 4096;
    }
    Ok(())
}

/// Gives a loop device a file.
fn configure(device: &fs::File, file: &fs::File, flags: u32) -> Result<(), Errno> {
    const LOOP_CONFIGURE: libc::Ioctl = 0x4c0a;
    // struct loop_config: fd, block_size, struct loop_info64 (232 bytes, its flags at 52), 64 bytes to spare.
    let mut config = [0_u32; 76];
    config[0] = file.as_raw_fd().cast_unsigned();
    config[2 + 13] = flags;
    // SAFETY: the buffer has the size of struct loop_config.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CONFIGURE, config.as_mut_ptr()) }).map(drop)
}

/// Attaches a free loop device to a file; it goes when the last one that has it open, or mounted, has closed it.
pub fn attach(path: &Path) -> Result<Device, Errno> {
    const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4c82;
    const LO_FLAGS_AUTOCLEAR: u32 = 4;
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(0));
    let open = |path: &str| fs::OpenOptions::new().read(true).write(true).open(path).map_err(errno);
    let file = fs::OpenOptions::new().read(true).write(true).open(path).map_err(errno)?;
    let control = open("/dev/loop-control")?;
    loop {
        // SAFETY: it takes no argument.
        let number = Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), LOOP_CTL_GET_FREE) })?;
        let name = format!("/dev/loop{number}");
        let device = open(&name)?;
        match configure(&device, &file, LO_FLAGS_AUTOCLEAR) {
            // Another one was faster.
            Err(Errno::EBUSY) => {}
            Err(errno) => return Err(errno),
            Ok(()) => return Ok(Device { name, _open: OwnedFd::from(device) }),
        }
    }
}

/// Attaches a loop device to a file; it stays.
pub fn attached(device: &str, path: &Path) -> Result<(), Errno> {
    const LOOP_SET_FD: libc::Ioctl = 0x4c00;
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(0));
    let open = |path: &Path| fs::OpenOptions::new().read(true).write(true).open(path).map_err(errno);
    let (device, file) = (open(Path::new(device))?, open(path)?);
    // SAFETY: it takes a descriptor.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_SET_FD, file.as_raw_fd()) }).map(drop)
}

/// Hides the machine's loop devices, but for those of this sandbox, from who lists them.
pub fn hide_others(number: usize) {
    const NONE: Option<&str> = None;
    let place = Path::new("/sys/block");
    mount(Some("block"), place, Some("tmpfs"), MsFlags::empty(), NONE).expect("a tmpfs on /sys/block");
    for (_, own) in loops(number) {
        let name = own.trim_start_matches("/dev/");
        let target = format!("/sys/devices/virtual/block/{name}");
        std::os::unix::fs::symlink(target, place.join(name)).expect("a link in /sys/block");
    }
}

/// Takes a loop device's file from it.
pub fn clear(device: &fs::File) -> Result<(), Errno> {
    const LOOP_CLR_FD: libc::Ioctl = 0x4c01;
    // SAFETY: it takes no argument.
    Errno::result(unsafe { libc::ioctl(device.as_raw_fd(), LOOP_CLR_FD) }).map(drop)
}

/// Makes the loop devices of a sandbox as those of all others: one that was ever looked at for partitions is told of as one
/// that is. What was attached to them is let go of first.
pub fn level(number: usize) -> Result<(), Errno> {
    const LO_FLAGS_PARTSCAN: u32 = 8;
    let open = |path: &str| fs::OpenOptions::new().read(true).write(true).open(path).map_err(|_| Errno::ENODEV);
    let file = fs::File::from(super::world::memory("level"));
    file.set_len(4096).map_err(|_| Errno::EIO)?;
    let_go(number);
    for (_, own) in loops(number) {
        let device = open(&own)?;
        configure(&device, &file, LO_FLAGS_PARTSCAN)?;
        clear(&device)?;
    }
    Ok(())
}

/// Detaches what an examination that was killed has left on this sandbox's loop devices.
pub fn let_go(number: usize) {
    for (_, own) in loops(number) {
        let is_attached = Path::new("/sys/block").join(own.trim_start_matches("/dev/")).join("loop").exists();
        if let (true, Ok(device)) = (is_attached, fs::File::open(own)) {
            let _ = clear(&device);
        }
    }
}

/// Detaches loop devices whose file is one of this sandbox's devices.
pub fn detach_nested(number: usize) {
    let own = loops(number).map(|(_, own)| own.trim_start_matches("/dev").to_string());
    for number in 0..64 {
        let file = fs::read_to_string(format!("/sys/devices/virtual/block/loop{number}/loop/backing_file"));
        let is_own = file.is_ok_and(|file| own.iter().any(|own| file.trim_end().ends_with(own)));
        if let (true, Ok(device)) = (is_own, fs::File::open(format!("/dev/loop{number}"))) {
            let _ = clear(&device);
        }
    }
}

/// A loop device that is there as long as it is open.
pub struct Device {
    name: String,
    _open: OwnedFd,
}

impl Drop for Device {
    /// btrfs would look for it when the next file system of the same name is mounted.
    fn drop(&mut self) {
        let _ = told_to_btrfs(BTRFS_IOC_FORGET_DEV, &self.name);
    }
}

const BTRFS_IOC_SCAN_DEV: libc::Ioctl = 0x5000_9404;
const BTRFS_IOC_FORGET_DEV: libc::Ioctl = 0x5000_9405;

/// Tells the kernel that a device belongs to a btrfs, or does no longer.
fn told_to_btrfs(request: libc::Ioctl, device: &str) -> Result<(), Errno> {
    let control = fs::File::open("/dev/btrfs-control").map_err(|_| Errno::ENODEV)?;
    // struct btrfs_ioctl_vol_args: a descriptor, and a name.
    let mut volume = [0_u8; 4096];
    volume[8..8 + device.len()].copy_from_slice(device.as_bytes());
    // SAFETY: the buffer has the size of struct btrfs_ioctl_vol_args.
    Errno::result(unsafe { libc::ioctl(control.as_raw_fd(), request, volume.as_mut_ptr()) }).map(drop)
}

/// Tells the kernel that no loop device without a file belongs to a btrfs: it remembers the one of a mount that failed, and
/// would look there for the first device of a later line's.
fn forget_free_devices() {
    for number in 0..256 {
        let loops = format!("/sys/devices/virtual/block/loop{number}");
        if Path::new(&loops).exists() && !Path::new(&loops).join("loop").exists() {
            let _ = told_to_btrfs(BTRFS_IOC_FORGET_DEV, &format!("/dev/loop{number}"));
        }
    }
}

/// The two devices of a btrfs: the second one is attached and known, as a machine does it at boot.
pub fn two_devices(path: &Path) -> Result<Device, Errno> {
    let errno = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or(0));
    let second = Path::new("/tmp/second.btrfs");
    copy(Path::new("/images/btrfs"), path).map_err(errno)?;
    copy(Path::new("/images/second"), second).map_err(errno)?;
    forget_free_devices();
    let device = attach(second)?;
    // The one of the line before is let go of a little later than its last mount.
    patiently(|| told_to_btrfs(BTRFS_IOC_SCAN_DEV, &device.name)).map(|()| device)
}

/// Mounts an image of this kind.
pub fn mounted(kind: &str, place: &Path, kept: &mut Vec<Device>) -> Result<(), Errno> {
    let file = Path::new("/tmp").join(kind);
    match kind {
        "btrfs" => kept.push(two_devices(&file)?),
        _ => copy(&Path::new("/images").join(kind), &file).map_err(|_| Errno::EIO)?,
    }
    let device = attach(&file)?;
    let flags = if ["squashfs", "erofs"].contains(&kind) { MsFlags::MS_RDONLY } else { MsFlags::empty() };
    let done = patiently(|| mount(Some(device.name.as_str()), place, Some(kind), flags, None::<&str>));
    if kind == "btrfs" {
        kept.push(device);
    }
    done
}

/// Whether a step of the surroundings makes images.
pub fn is_step(step: &super::case::Step) -> bool {
    ["image", "two", "mounted", "devices"].map(str::as_bytes).contains(&&step[0][..])
}

/// Two loop devices, which are all block devices that this sandbox has: those of others come and go.
pub fn listed(kept: &mut Vec<Device>) -> Result<(), Errno> {
    let mut text = "major minor  #blocks  name\n\n".to_string();
    mount(Some("block"), "/sys/block", Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
    for kind in ["ext4", "squashfs"] {
        let file = Path::new("/tmp").join(kind);
        copy(&Path::new("/images").join(kind), &file).map_err(|_| Errno::EIO)?;
        let device = attach(&file)?;
        let name = device.name.trim_start_matches("/dev/");
        text.push_str(&format!("   7  {}  512 {name}\n", name.trim_start_matches("loop")));
        let to = format!("/sys/devices/virtual/block/{name}");
        std::os::unix::fs::symlink(to, Path::new("/sys/block").join(name)).map_err(|_| Errno::EIO)?;
        kept.push(device);
    }
    // Where a file's length is not compared.
    fs::write("/run/partitions", text).map_err(|_| Errno::EIO)?;
    mount(Some("/run/partitions"), "/proc/partitions", None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

/// Tries again while something of the same name is there.
fn patiently(try_it: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    for _ in 0..200 {
        match try_it() {
            Err(Errno::EEXIST | Errno::EBUSY) => std::thread::sleep(std::time::Duration::from_millis(5)),
            done => return done,
        }
    }
    try_it()
}

/// Writes the sandbox's number, or 00 for it, in what is called after it.
fn renumber(text: &mut [u8], from: usize, to: usize) {
    let (from, to) = (format!("{from:02}").into_bytes(), format!("{to:02}").into_bytes());
    for called in CALLED {
        for at in 0..text.len().saturating_sub(called.len() + 1) {
            let end = at + called.len();
            if text[at..].starts_with(called) && text[end..end + 2] == *from {
                text[end..end + 2].copy_from_slice(&to);
            }
        }
    }
}

/// The loop devices that lines name, and those of this sandbox: of as many digits.
fn loops(number: usize) -> [(&'static str, String); 2] {
    [("/dev/loop60", format!("/dev/loop{}", 40 + number)), ("/dev/loop63", format!("/dev/loop{}", 50 + number))]
}

/// Holds the number of a sandbox as long as the file is open; `None` if another examination has it. What is held is a loop
/// device that nobody uses, since these, and nothing in a directory, are the same ones for every container on a machine.
pub fn hold(number: usize, directory: &Path) -> Option<fs::File> {
    let node = directory.join(format!("held-{number}"));
    if !node.exists() {
        let device = makedev(7, 70 + number as u64);
        mknod(&node, SFlag::S_IFBLK, Mode::S_IRUSR, device).expect("a node of a loop device");
    }
    match fs::OpenOptions::new().read(true).custom_flags(libc::O_EXCL).open(node) {
        Ok(device) => Some(device),
        Err(error) if error.raw_os_error() == Some(libc::EBUSY) => None,
        // Where there are no loop devices nobody shares them.
        Err(_) => fs::File::open(directory).ok(),
    }
}

fn replace(text: &mut [u8], from: &str, to: &str) {
    for at in 0..(text.len() + 1).saturating_sub(from.len()) {
        if text[at..].starts_with(from.as_bytes()) {
            text[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
}

/// The case with what is this sandbox's.
pub fn owned(case: &mut Case, number: usize) {
    for word in case.surroundings.iter_mut().flatten().chain(case.caller.iter_mut().flatten()).chain(&mut case.line) {
        renumber(word, 0, number);
        for (general, own) in loops(number) {
            replace(word, general, &own);
        }
    }
}

/// What was told of it, as every sandbox would.
pub fn general(told: &mut [u8], number: usize) {
    renumber(told, number, 0);
    for (general, own) in loops(number) {
        replace(told, &own, general);
    }
}
