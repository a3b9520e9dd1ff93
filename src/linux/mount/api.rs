//! The descriptor-based mount calls: fsopen(2), fsconfig(2), fsmount(2), fspick(2), open_tree(2), move_mount(2),
//! mount_setattr(2).
//!
//! A mount is built on a descriptor, invisible to others, and appears complete with [`move_mount`]. A [`FsContext`]
//! holds the kernel's messages.

use super::Propagation;
use crate::filtered::unless_filtered;
use crate::raw::{self, NumberCall};
use crate::trace::{self, FlagNames};
use crate::{Errno, Result, error::Context};
use core::ffi::{c_char, c_long};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// Mount attribute: read-only.
pub const MOUNT_ATTR_RDONLY: u64 = 0x1;
/// Mount attribute: ignore set-user-ID bits and file capabilities.
pub const MOUNT_ATTR_NOSUID: u64 = 0x2;
/// Mount attribute: refuse device files.
pub const MOUNT_ATTR_NODEV: u64 = 0x4;
/// Mount attribute: refuse to execute programs.
pub const MOUNT_ATTR_NOEXEC: u64 = 0x8;
/// The bits that choose how access times are kept; all three clear is relatime.
pub const MOUNT_ATTR__ATIME: u64 = 0x70;
/// Mount attribute: no access times.
pub const MOUNT_ATTR_NOATIME: u64 = 0x10;
/// Mount attribute: every access time.
pub const MOUNT_ATTR_STRICTATIME: u64 = 0x20;
/// Mount attribute: no access times of directories.
pub const MOUNT_ATTR_NODIRATIME: u64 = 0x80;
/// Mount attribute: ids are mapped by a user namespace.
pub const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;
/// Mount attribute: symbolic links are not followed.
pub const MOUNT_ATTR_NOSYMFOLLOW: u64 = 0x20_0000;

/// The MOUNT_ATTR_ bits by name.
pub static ATTRIBUTE_NAMES: FlagNames = flag_names!(
    MOUNT_ATTR_RDONLY,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR__ATIME,
    MOUNT_ATTR_NOATIME,
    MOUNT_ATTR_STRICTATIME,
    MOUNT_ATTR_NODIRATIME,
    MOUNT_ATTR_IDMAP,
    MOUNT_ATTR_NOSYMFOLLOW
);

/// open_tree(2): a detached copy of the tree instead of the tree itself.
pub const OPEN_TREE_CLONE: u64 = 1;
/// An empty path means the descriptor itself.
pub const AT_EMPTY_PATH: u64 = 0x1000;
/// The whole tree below, too.
pub const AT_RECURSIVE: u64 = 0x8000;
/// A symbolic link at the end of the path is not followed.
pub const AT_SYMLINK_NOFOLLOW: u64 = 0x100;
/// An automount point at the end of the path is not triggered.
pub const AT_NO_AUTOMOUNT: u64 = 0x800;

const OPEN_TREE_CLOEXEC: u64 = libc::O_CLOEXEC as u64;

static OPEN_TREE_NAMES: FlagNames =
    flag_names!(OPEN_TREE_CLONE, AT_EMPTY_PATH, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, OPEN_TREE_CLOEXEC);

/// move_mount(2): follow a symbolic link at the end of the target.
pub const MOVE_MOUNT_T_SYMLINKS: u64 = 0x10;
/// move_mount(2): the empty source path means the descriptor.
pub const MOVE_MOUNT_F_EMPTY_PATH: u64 = 0x4;
/// move_mount(2): the empty target path means the descriptor.
pub const MOVE_MOUNT_T_EMPTY_PATH: u64 = 0x40;
/// move_mount(2): under the mount that is on top there (Linux 6.5).
pub const MOVE_MOUNT_BENEATH: u64 = 0x200;

static MOVE_MOUNT_NAMES: FlagNames =
    flag_names!(MOVE_MOUNT_T_SYMLINKS, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, MOVE_MOUNT_BENEATH);

const FSOPEN_CLOEXEC: c_long = 1;
const FSPICK_CLOEXEC: c_long = 1;
const FSPICK_NO_AUTOMOUNT: c_long = 4;
const FSPICK_EMPTY_PATH: c_long = 8;
const FSMOUNT_CLOEXEC: c_long = 1;
const FSCONFIG_SET_FLAG: c_long = 0;
const FSCONFIG_SET_STRING: c_long = 1;
const FSCONFIG_CMD_CREATE: c_long = 6;
const FSCONFIG_CMD_RECONFIGURE: c_long = 7;
const FSCONFIG_CMD_CREATE_EXCL: c_long = 8;

/// How serious a message of the kernel's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// `e`: why the call failed.
    Error,
    /// `w`: what was done otherwise than asked for.
    Warning,
    /// `i`: for information.
    Info,
}

/// One message that the kernel left in a file system context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its class.
    pub severity: Severity,
    /// Its text, such as `tmpfs: Unknown parameter 'bogus'`.
    pub text: Vec<u8>,
}

/// A file system that is being configured: the descriptor of fsopen(2) or fspick(2).
pub struct FsContext(OwnedFd);

impl FsContext {
    /// fsopen(2): a new context for a file system type. ENODEV: the kernel does not know the type.
    pub fn open(fstype: &OsStr) -> Result<FsContext> {
        let name = raw::cstring(fstype).context("fsopen", fstype)?;
        // SAFETY: `name` is NUL-terminated and lives until the call returns.
        let fd = unsafe { libc::syscall(libc::SYS_fsopen, name.as_ptr(), FSOPEN_CLOEXEC) };
        traced!(raw::owned(fd as i32), "fsopen({}, FSOPEN_CLOEXEC)", trace::Quoted::new(fstype))
            .map_err(|errno| unless_filtered(libc::SYS_fsopen, errno))
            .context("fsopen", fstype)
            .map(FsContext)
    }

    /// fspick(2): a context to reconfigure the file system of the mount whose root is `tree`.
    pub fn pick(tree: BorrowedFd<'_>) -> Result<FsContext> {
        let flags = FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH;
        // SAFETY: the path is a NUL-terminated literal.
        let fd = unsafe { libc::syscall(libc::SYS_fspick, tree.as_raw_fd(), c"".as_ptr(), flags) };
        traced!(raw::owned(fd as i32), "fspick({}, \"\", FSPICK_NO_AUTOMOUNT|FSPICK_EMPTY_PATH)", tree.as_raw_fd())
            .map_err(|errno| unless_filtered(libc::SYS_fspick, errno))
            .context("fspick", "")
            .map(FsContext)
    }

    /// fsconfig(2), FSCONFIG_SET_FLAG: an option without a value.
    pub fn set_flag(&self, name: &OsStr) -> Result<()> {
        self.config(FSCONFIG_SET_FLAG, "FSCONFIG_SET_FLAG", Some(name), None)
    }

    /// fsconfig(2), FSCONFIG_SET_STRING: an option with a value, which may be empty.
    pub fn set_string(&self, name: &OsStr, value: &OsStr) -> Result<()> {
        self.config(FSCONFIG_SET_STRING, "FSCONFIG_SET_STRING", Some(name), Some(value))
    }

    /// fsconfig(2), FSCONFIG_CMD_CREATE: makes the superblock, or shares one that exists.
    pub fn create(&self) -> Result<()> {
        self.config(FSCONFIG_CMD_CREATE, "FSCONFIG_CMD_CREATE", None, None)
    }

    /// fsconfig(2), FSCONFIG_CMD_CREATE_EXCL: makes a superblock that nobody shares (Linux 6.6).
    pub fn create_exclusive(&self) -> Result<()> {
        self.config(FSCONFIG_CMD_CREATE_EXCL, "FSCONFIG_CMD_CREATE_EXCL", None, None)
    }

    /// fsconfig(2), FSCONFIG_CMD_RECONFIGURE: applies the options to the superblock.
    pub fn reconfigure(&self) -> Result<()> {
        self.config(FSCONFIG_CMD_RECONFIGURE, "FSCONFIG_CMD_RECONFIGURE", None, None)
    }

    /// The error's object is the option, or the command.
    fn config(&self, command: c_long, shown: &'static str, name: Option<&OsStr>, value: Option<&OsStr>) -> Result<()> {
        let object = name.unwrap_or(OsStr::new(shown));
        let string = |text: Option<&OsStr>| text.map(raw::cstring).transpose().context("fsconfig", object);
        let (key, text) = (string(name)?, string(value)?);
        let fd = self.0.as_raw_fd();
        // SAFETY: key and value are null or NUL-terminated strings that live until the call returns.
        let done =
            raw::checked(unsafe { libc::syscall(libc::SYS_fsconfig, fd, command, pointer(&key), pointer(&text), 0) });
        let done = done.map(drop);
        traced!(done, "fsconfig({fd}, {shown}, {}, {}, 0)", trace::Optional(name), trace::Optional(value))
            .map_err(|errno| unless_filtered(libc::SYS_fsconfig, errno))
            .context("fsconfig", object)
    }

    /// fsmount(2): the configured file system as a detached mount; `attributes` are MOUNT_ATTR_ bits.
    pub fn mount(&self, attributes: u64) -> Result<OwnedFd> {
        let opened = NumberCall::FSMOUNT.open([self.0.as_raw_fd().into(), FSMOUNT_CLOEXEC, attributes.cast_signed()]);
        traced!(
            opened,
            "fsmount({}, FSMOUNT_CLOEXEC, {})",
            self.0.as_raw_fd(),
            trace::Flags(attributes, &ATTRIBUTE_NAMES)
        )
        .map_err(|errno| unless_filtered(libc::SYS_fsmount, errno))
        .context("fsmount", "")
    }

    /// The kernel's messages since the last call, oldest first. Not inlined: its buffer would enlarge every caller's
    /// frame.
    #[inline(never)]
    pub fn messages(&self) -> Vec<Message> {
        use std::os::fd::AsFd;
        let mut found = Vec::new();
        let mut buffer = [0_u8; 4096];
        // One read gives one message; ENODATA means there are no more. The loop is bounded in case a kernel never
        // returns that.
        for _ in 0..64 {
            let Ok(length) = raw::read_some(self.0.as_fd(), &mut buffer) else { break };
            let Some(line) = buffer.get(..length).filter(|line| !line.is_empty()) else { break };
            found.push(Message::parse(line));
        }
        found
    }
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(core::ptr::null(), |text| text.as_ptr())
}

impl Message {
    /// Parses `e tmpfs: Unknown parameter 'bogus'`.
    fn parse(line: &[u8]) -> Message {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (severity, text) = match line {
            [b'e', b' ', text @ ..] => (Severity::Error, text),
            [b'w', b' ', text @ ..] => (Severity::Warning, text),
            [b'i', b' ', text @ ..] => (Severity::Info, text),
            text => (Severity::Info, text),
        };
        Message { severity, text: text.to_vec() }
    }
}

/// Where a path starts: a directory's descriptor, or `None` for the working directory.
pub type At<'a> = Option<BorrowedFd<'a>>;

/// open_tree(2), close-on-exec; `flags` are OPEN_TREE_CLONE and AT_ bits.
pub fn open_tree(at: At<'_>, path: &OsStr, flags: u64) -> Result<OwnedFd> {
    let c_path = raw::cstring(path).context("open_tree", path)?;
    let flags = flags | libc::O_CLOEXEC as u64;
    // SAFETY: `c_path` is NUL-terminated and lives until the call returns.
    let fd = unsafe { libc::syscall(libc::SYS_open_tree, raw::from_directory(at).as_raw_fd(), c_path.as_ptr(), flags) };
    traced!(
        raw::owned(fd as i32),
        "open_tree({}, {}, {})",
        trace::Directory(raw::from_directory(at).as_raw_fd()),
        trace::Quoted::new(path),
        trace::Flags(flags, &OPEN_TREE_NAMES)
    )
    .map_err(|errno| unless_filtered(libc::SYS_open_tree, errno))
    .context("open_tree", path)
}

/// move_mount(2) of the tree with root `tree` onto the descriptor `place`, or onto the mount that covers it by now;
/// `flags` are the MOVE_MOUNT_ bits for the target. No path is looked up: `target` only appears in the trace and the
/// error.
pub fn move_mount_onto(tree: BorrowedFd<'_>, place: BorrowedFd<'_>, target: &OsStr, flags: u64) -> Result<()> {
    let flags = flags | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    let (from, to) = (tree.as_raw_fd(), place.as_raw_fd());
    // SAFETY: both paths are NUL-terminated literals.
    let done =
        raw::checked(unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), to, c"".as_ptr(), flags) });
    let (shown, flags) = (trace::Descriptor(to, target), trace::Flags(flags, &MOVE_MOUNT_NAMES));
    attached(traced!(done, "move_mount({from}, \"\", {shown}, \"\", {flags})"), target)
}

fn attached(done: core::result::Result<i64, Errno>, target: &OsStr) -> Result<()> {
    done.map_err(|errno| unless_filtered(libc::SYS_move_mount, errno)).context("move_mount", target).map(drop)
}

/// move_mount(2) of the tree that `tree` is the root of; `flags` are MOVE_MOUNT_ bits about the target.
pub fn move_mount(tree: BorrowedFd<'_>, at: At<'_>, target: &OsStr, flags: u64) -> Result<()> {
    let c_target = raw::cstring(target).context("move_mount", target)?;
    let flags = flags | MOVE_MOUNT_F_EMPTY_PATH;
    // SAFETY: both paths are NUL-terminated and live until the call returns.
    let done = raw::checked(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree.as_raw_fd(),
            c"".as_ptr(),
            raw::from_directory(at).as_raw_fd(),
            c_target.as_ptr(),
            flags,
        )
    });
    let done = traced!(
        done,
        "move_mount({}, \"\", {}, {}, {})",
        tree.as_raw_fd(),
        trace::Directory(raw::from_directory(at).as_raw_fd()),
        trace::Quoted::new(target),
        trace::Flags(flags, &MOVE_MOUNT_NAMES)
    );
    attached(done, target)
}

/// What mount_setattr(2) changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// MOUNT_ATTR_ bits to set.
    pub set: u64,
    /// MOUNT_ATTR_ bits to clear. To change the access time bits, clear all of MOUNT_ATTR__ATIME.
    pub clear: u64,
    /// The propagation to change to.
    pub propagation: Option<Propagation>,
}

impl Attributes {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Attributes::default()
    }
}

/// struct mount_attr of <linux/mount.h>.
#[repr(C)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// mount_setattr(2) of the mount with root `tree` and, if `recursive`, of all mounts below it.
pub fn mount_setattr(tree: BorrowedFd<'_>, attributes: Attributes, recursive: bool) -> Result<()> {
    let attr = MountAttr {
        attr_set: attributes.set,
        attr_clr: attributes.clear,
        propagation: attributes.propagation.map_or(0, Propagation::flag),
        userns_fd: 0,
    };
    setattr(tree, &attr, recursive)
}

/// mount_setattr(2), MOUNT_ATTR_IDMAP: maps the ids of a detached tree by a user namespace.
pub fn set_idmap(tree: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>, recursive: bool) -> Result<()> {
    let userns_fd = u64::try_from(user_namespace.as_raw_fd()).unwrap_or_default();
    let attr = MountAttr { attr_set: MOUNT_ATTR_IDMAP, attr_clr: 0, propagation: 0, userns_fd };
    setattr(tree, &attr, recursive)
}

fn setattr(tree: BorrowedFd<'_>, attr: &MountAttr, recursive: bool) -> Result<()> {
    let flags = AT_EMPTY_PATH | if recursive { AT_RECURSIVE } else { 0 };
    let pointer: *const MountAttr = attr;
    let size = size_of::<MountAttr>();
    // SAFETY: the path is a NUL-terminated literal, `attr` is valid for reads of `size` bytes.
    let done = raw::checked(unsafe {
        libc::syscall(libc::SYS_mount_setattr, tree.as_raw_fd(), c"".as_ptr(), flags, pointer, size)
    });
    traced!(
        done,
        "mount_setattr({}, \"\", {}, {{attr_set={}, attr_clr={}, propagation={}, userns_fd={}}}, {size})",
        tree.as_raw_fd(),
        trace::Flags(flags, &OPEN_TREE_NAMES),
        trace::Flags(attr.attr_set, &ATTRIBUTE_NAMES),
        trace::Flags(attr.attr_clr, &ATTRIBUTE_NAMES),
        trace::Flags(attr.propagation, &super::FLAG_NAMES),
        attr.userns_fd
    )
    .map_err(|errno| unless_filtered(libc::SYS_mount_setattr, errno))
    .context("mount_setattr", "")
    .map(drop)
}

/// Whether `path`'s bytes make it absolute.
pub fn is_absolute(path: &OsStr) -> bool {
    path.as_bytes().first() == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_its_class_and_its_text() {
        let message = Message::parse(b"e tmpfs: Unknown parameter 'x'\n");
        assert_eq!(message, Message { severity: Severity::Error, text: b"tmpfs: Unknown parameter 'x'".to_vec() });
        assert_eq!(Message::parse(b"w a").severity, Severity::Warning);
        assert_eq!(Message::parse(b"").severity, Severity::Info);
    }

    #[test]
    fn an_unknown_file_system_type_is_enodev() {
        let error = FsContext::open(OsStr::new("nosuchfs")).err().map(|error| error.errno);
        // Without CAP_SYS_ADMIN the kernel says EPERM before it looks.
        assert!(matches!(error, Some(Errno::ENODEV | Errno::EPERM)), "{error:?}");
    }

    #[test]
    fn the_kernel_explains_an_unknown_option_in_its_own_words() {
        let Ok(context) = FsContext::open(OsStr::new("tmpfs")) else { return };
        assert!(context.set_flag(OsStr::new("bogus")).is_err());
        let messages = context.messages();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0].text, b"tmpfs: Unknown parameter 'bogus'");
        assert!(context.messages().is_empty());
    }
}
