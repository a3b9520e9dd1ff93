//! The source of a mount: tags, paths, regular files through loop devices.

use super::hooks::Hooks;
use super::request::Settings;
use linux::loopdev::{self, Attached, Refused, Wanted};
use linux::options::Options as MountOptions;
use linux::probe::{self, Found, OwnedTag, Probed, Tag, TagKind};
use linux::{directory, stat};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

/// Whether a source is a tag.
pub fn is_tag(source: &OsStr) -> bool {
    Tag::parse(source).is_some()
}

/// The tags of the file system on a device.
pub fn tags_of(device: &OsStr) -> Vec<OwnedTag> {
    let is_block = stat::path(device).is_ok_and(|stat| stat.is_block_device());
    match probe::device(device) {
        Ok(Probed::One(Found { label, uuid, .. })) if is_block => [(TagKind::Label, label), (TagKind::Uuid, uuid)]
            .into_iter()
            .filter_map(|(kind, value)| Some(OwnedTag { kind, value: value? }))
            .collect(),
        _ => Vec::new(),
    }
}

/// Types whose source is a mere name.
const PSEUDO: &[&str] = &[
    "anon_inodefs",
    "autofs",
    "bdev",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "dlmfs",
    "efivarfs",
    "fuse",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "none",
    "nsfs",
    "overlay",
    "pipefs",
    "proc",
    "pstore",
    "ramfs",
    "resctrl",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sockfs",
    "spufs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "vboxsf",
    "virtiofs",
];

/// Types whose source is on another machine.
const NETWORK: &[&str] =
    &["9p", "afs", "ceph", "cifs", "glusterfs", "ncpfs", "nfs", "nfs3", "nfs4", "smb3", "smbfs", "zfs"];

/// Whether the source of this type is a path.
pub fn is_path_type(fstype: &[u8]) -> bool {
    let named = |list: &[&str]| list.iter().any(|name| name.as_bytes() == fstype);
    !named(PSEUDO) && !named(NETWORK) && !fstype.starts_with(b"fuse.")
}

/// Whether the file system is on another machine.
pub fn is_network_type(fstype: &[u8]) -> bool {
    NETWORK.iter().any(|name| name.as_bytes() == fstype)
}

/// Why there is no source.
pub enum Missing {
    /// No device has the tag.
    Tag,
    /// The loop device was refused.
    Loop(Refused),
    /// A value of `offset` or `sizelimit` is no size.
    BadSize,
    /// The same part of the file is mounted on the target already.
    AlreadyMounted,
}

/// A source that can be mounted.
pub struct Source {
    /// What the kernel is given.
    pub path: OsString,
    /// The loop device that was made for it; kept open until the mount is there.
    pub device: Option<Attached>,
}

/// The path of a source: a tag's device, or the path itself resolved.
pub fn resolve(source: &OsStr, fstype: &[u8], settings: &Settings, hooks: &Hooks) -> Result<OsString, Missing> {
    if let Some(tag) = Tag::parse(source) {
        return tag.resolve().ok_or(Missing::Tag);
    }
    if !settings.canonicalize || hooks.raw_source || !is_path_type(fstype) {
        return Ok(source.to_os_string());
    }
    Ok(directory::canonical(source).unwrap_or_else(|_| source.to_os_string()))
}

/// The size in `offset=` or `sizelimit=`: a number with K, M, G... (of 1024), KiB..., or KB... (of 1000).
fn size(text: &[u8]) -> Option<u64> {
    let number = cli::number::read(text, 0).filter(|number| !number.negative)?;
    let suffix = text.get(number.length..)?;
    let value = number.value?;
    let Some((letter, unit)) = suffix.split_first() else { return Some(value) };
    let power = b"kmgtpe".iter().position(|known| *known == letter.to_ascii_lowercase())? + 1;
    let base: u64 = match unit {
        b"" | b"iB" => 1024,
        b"B" => 1000,
        _ => return None,
    };
    value.checked_mul(base.checked_pow(u32::try_from(power).ok()?)?)
}

/// What the loop options ask for; `None` if there are none.
pub fn loop_wanted(options: &MountOptions) -> Result<Option<Wanted>, Missing> {
    let value = |name| options.get(name).and_then(|option| option.plain_value());
    let number = |name| value(name).map_or(Ok(0), |text| size(&text).ok_or(Missing::BadSize));
    if !["loop", "offset", "sizelimit"].iter().any(|name| options.has(name)) {
        return Ok(None);
    }
    Ok(Some(Wanted {
        offset: number("offset")?,
        sizelimit: number("sizelimit")?,
        read_only: options.read_only_mount() == Some(true),
        device: value("loop").filter(|device| !device.is_empty()).map(OsString::from_vec),
    }))
}

/// Whether a source without loop options needs a loop device: a regular file of more than a kilobyte.
pub fn is_image(path: &OsStr) -> bool {
    stat::path(path).is_ok_and(|stat| stat.is_regular() && stat.size() > 1024)
}

/// Makes a part of a file a device.
pub fn attach(path: &OsStr, wanted: &Wanted) -> Result<Source, Missing> {
    let device = loopdev::attach(path, wanted).map_err(Missing::Loop)?;
    Ok(Source { path: device.path.clone(), device: Some(device) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_suffixes() {
        for (text, value) in [
            ("10", Some(10)),
            ("1K", Some(1024)),
            ("2MiB", Some(2 << 20)),
            ("1kB", Some(1000)),
            ("0x10", Some(16)),
            ("1X", None),
            ("", None),
            ("-1", None),
            ("99999999999999999999", None),
            ("9999999999999999E", None),
        ] {
            assert_eq!(size(text.as_bytes()), value, "{text}");
        }
    }

    #[test]
    fn loop_options_are_read_together() {
        let wanted = |list: &str| loop_wanted(&MountOptions::parse(list.as_bytes()).unwrap()).ok().flatten();
        assert_eq!(wanted("ro"), None);
        let all = Wanted { offset: 512, sizelimit: 1024, read_only: true, device: Some("/dev/loop3".into()) };
        assert_eq!(wanted("loop=/dev/loop3,offset=512,sizelimit=1K,ro"), Some(all));
        assert!(loop_wanted(&MountOptions::parse(b"offset=x").unwrap()).is_err());
    }
}
