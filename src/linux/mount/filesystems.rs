//! The types of file systems that the kernel knows: filesystems(5).

use super::options::type_matches;
use crate::{file, system};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Whether the kernel supports a type now, without loading a module.
pub fn is_registered(fstype: &[u8]) -> bool {
    let text = file::read_file("/proc/filesystems", 1 << 16).unwrap_or_default();
    text.split(|&byte| byte == b'\n').any(|line| line.rsplit(|&byte| byte == b'\t').next() == Some(fstype))
}

/// The types that need a device: from /etc/filesystems, and from /proc/filesystems if that file is missing or ends
/// with `*`.
pub fn known() -> Vec<OsString> {
    let mut types = Vec::new();
    let mut kernel = true;
    if let Ok(text) = file::read_at_once(OsStr::new("/etc/filesystems"), 1 << 16) {
        kernel = false;
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.trim_ascii();
            match line {
                b"*" => kernel = true,
                [] | [b'#', ..] => {}
                name if name.starts_with(b"nodev") => {}
                name => types.push(OsStr::from_bytes(name).to_os_string()),
            }
        }
    }
    if kernel && let Ok(text) = file::read_file("/proc/filesystems", 1 << 16) {
        for line in text.split(|&byte| byte == b'\n') {
            if !line.starts_with(b"nodev") && !line.trim_ascii().is_empty() {
                types.push(OsStr::from_bytes(line.trim_ascii()).to_os_string());
            }
        }
    }
    types
}

/// Types whose source is a mere name.
const PSEUDO: &str = "\
    anon_inodefs autofs bdev binder binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devfs devpts devtmpfs \
    dlmfs drm efivarfs fuse fuse.archivemount fuse.avfsd fuse.dumpfs fuse.gvfs-fuse-daemon fuse.lxcfs fuse.portal \
    fuse.rofiles-fuse fuse.vmware-vmblock fuse.xwmfs fusectl hugetlbfs mqueue none nsfs overlay pidfs pipefs proc \
    pstore ramfs resctrl rootfs rpc_pipefs securityfs selinuxfs smackfs sockfs spufs sysfs tmpfs tracefs vboxsf virtiofs";

/// Types whose source is on another machine.
const NETWORK: &str = "afs cifs fuse.curlftpfs fuse.sshfs glusterfs ncpfs smb3 smbfs";

/// Whether nothing is stored by file systems of this type.
///
/// ```
/// use linux::mount::filesystems::is_pseudo;
/// assert!(is_pseudo(b"proc") && !is_pseudo(b"ext4"));
/// ```
pub fn is_pseudo(fstype: &[u8]) -> bool {
    is_listed(fstype, PSEUDO)
}

/// Whether file systems of this type are on another machine.
///
/// ```
/// use linux::mount::filesystems::is_network;
/// assert!(is_network(b"nfs4") && !is_network(b"ext4"));
/// ```
pub fn is_network(fstype: &[u8]) -> bool {
    // nfs3 and nfs4, too, and what else these names begin.
    fstype.starts_with(b"nfs") || fstype.starts_with(b"9p") || is_listed(fstype, NETWORK)
}

/// Whether a name is one of those, with blanks between them.
pub fn is_listed(name: &[u8], list: &str) -> bool {
    list.as_bytes().split(|byte| *byte == b' ').any(|listed| listed == name)
}

/// Whether any type in the list of mount -t is supported by the kernel or has a module.
pub fn is_supported(types: &[u8]) -> bool {
    let text = file::read_file("/proc/filesystems", 1 << 16).unwrap_or_default();
    for line in text.split(|&byte| byte == b'\n') {
        let name = line.rsplit(|&byte| byte == b'\t').next().unwrap_or_default();
        if !name.is_empty() && type_matches(OsStr::from_bytes(name), types) {
            return true;
        }
    }
    let mut path = OsString::from("/lib/modules/");
    path.push(system::release());
    path.push("/modules.dep");
    let text = file::read_at_once(&path, 1 << 24).unwrap_or_default();
    for line in text.split(|&byte| byte == b'\n') {
        let Some(line) = line.strip_prefix(b"kernel/fs/") else { continue };
        // `ext4/ext4.ko.xz: kernel/fs/mbcache.ko`
        let path = line.split(|&byte| byte == b':').next().unwrap_or_default();
        let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let name = file.split(|&byte| byte == b'.').next().unwrap_or_default();
        if !name.is_empty() && type_matches(OsStr::from_bytes(name), types) {
            return true;
        }
    }
    false
}
