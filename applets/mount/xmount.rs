//! The X-mount.* options, mount(8): actions before and after the mount itself.

use super::errors::{self, USAGE};
use super::idmap;
use cli::{Failure, id, text};
use linux::credentials::{Gid, Uid};
use linux::mount::options::{MountOption, Options as MountOptions};
use linux::{Errno, number};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// What is said of a value that cannot be used, behind the list of options.
const INVALID: Option<Errno> = Some(Errno::EINVAL);

/// Of one that is missing.
const MISSING: Option<Errno> = Some(Errno::ENOENT);

/// What the X-mount.* options ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XMount {
    /// Make the target, with this mode, in octal, for each new directory. Whether it is one is not known yet.
    pub mkdir: Option<Vec<u8>>,
    /// Mount this directory of the file system in place of its root.
    pub subdir: Option<OsString>,
    /// Change the owner of the mounted root.
    pub owner: Option<Uid>,
    /// Change its group.
    pub group: Option<Gid>,
    /// Change its mode.
    pub mode: Option<u32>,
    /// Map ids: the value as it was given.
    pub idmap: Option<OsString>,
    /// Do not resolve the source.
    pub raw_source: bool,
    /// Do not resolve the target.
    pub raw_target: bool,
    /// Never make a loop device.
    pub no_loop: bool,
    /// Only these types may be detected.
    pub auto_types: Option<Vec<u8>>,
}

impl XMount {
    /// Reads them. `target` begins the message of one that is malformed.
    pub fn parse(options: &MountOptions, target: &OsStr) -> Result<XMount, Failure> {
        let octal = |text: &[u8]| number::in_base(text, 8).filter(|mode| *mode <= 0o7777).map(|mode| mode as u32);
        let mut xmount = XMount::default();
        for option in &options.0 {
            let Some(name) = name_of(option) else { continue };
            let value = option.plain_value().filter(|value| !value.is_empty());
            let has_value = value.is_some();
            let (is_good, why) = match name {
                "mkdir" => {
                    xmount.mkdir = value.or_else(|| Some(b"755".to_vec()));
                    continue;
                }
                "noloop" => {
                    xmount.no_loop = true;
                    continue;
                }
                "auto-fstypes" => {
                    xmount.auto_types = value;
                    continue;
                }
                "nocanonicalize" => {
                    let which = value.as_deref().unwrap_or_default();
                    xmount.raw_source |= matches!(which, b"" | b"source");
                    xmount.raw_target |= matches!(which, b"" | b"target");
                    (matches!(which, b"" | b"source" | b"target"), INVALID)
                }
                "subdir" => {
                    xmount.subdir = value.map(OsString::from_vec);
                    (has_value, INVALID)
                }
                "owner" => {
                    xmount.owner = value.and_then(|name| id::user_by_name(OsStr::from_bytes(&name)));
                    (xmount.owner.is_some(), if has_value { INVALID } else { MISSING })
                }
                "group" => {
                    xmount.group = value.and_then(|name| id::group_by_name(OsStr::from_bytes(&name)));
                    (xmount.group.is_some(), if has_value { INVALID } else { MISSING })
                }
                "mode" => {
                    xmount.mode = value.and_then(|mode| octal(&mode));
                    (xmount.mode.is_some(), if has_value { INVALID } else { MISSING })
                }
                "idmap" => {
                    let wrong = idmap::wrong(value.as_deref().unwrap_or_default());
                    xmount.idmap = value.map(OsString::from_vec);
                    (wrong.is_none(), wrong)
                }
                _ => continue,
            };
            if !is_good {
                return Err(malformed(options, target, why));
            }
        }
        Ok(xmount)
    }
}

/// The option's name without its prefix, if it is one of ours. `x-mount.mkdir` is an old name of one.
fn name_of(option: &MountOption) -> Option<&str> {
    let name = core::str::from_utf8(&option.name).ok()?;
    name.strip_prefix("X-mount.").or_else(|| name.strip_prefix("x-mount.").filter(|name| *name == "mkdir"))
}

/// An option whose value cannot be used: the whole list is told, and `why`, as the original's errno says it.
pub fn malformed(options: &MountOptions, target: &OsStr, why: Option<Errno>) -> Failure {
    let why = why.map_or(Vec::new(), |errno| text![": ", errno]);
    errors::early(USAGE, target, text!["failed to parse mount options '", options.shown(), "'", why])
}

/// Turns the names in `uid=` and `gid=` into numbers; `useruid` and `usergid` are the caller's own. A name that is not
/// known is refused; what has digits only, or nothing, is the file system's to judge.
pub fn number_ids(options: &mut MountOptions, target: &OsStr) -> Result<(), Failure> {
    let mut numbered = options.clone();
    for option in &mut numbered.0 {
        let Some(value) = option.plain_value() else { continue };
        let id = match (option.name.as_slice(), value.as_slice()) {
            (b"uid", b"useruid") => Some(linux::credentials::real_uid().0),
            (b"gid", b"usergid") => Some(linux::credentials::real_gid().0),
            (b"uid", name) => id::user(OsStr::from_bytes(name)).map(|uid| uid.0),
            (b"gid", name) => id::group(OsStr::from_bytes(name)).map(|gid| gid.0),
            _ => continue,
        };
        match id {
            Some(id) => option.value = Some(text![id]),
            None if value.iter().all(u8::is_ascii_digit) => {}
            None => return Err(malformed(options, target, INVALID)),
        }
    }
    *options = numbered;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xmount(list: &str) -> Result<XMount, Failure> {
        XMount::parse(&MountOptions::parse(list.as_bytes()).unwrap(), OsStr::new("/m"))
    }

    #[test]
    fn a_directory_is_made_with_the_mode_that_is_given_or_the_usual_one() {
        assert_eq!(xmount("X-mount.mkdir").unwrap().mkdir, Some(b"755".to_vec()));
        assert_eq!(xmount("x-mount.mkdir=\"0700\"").unwrap().mkdir, Some(b"0700".to_vec()));
        assert_eq!(xmount("a,b").unwrap(), XMount::default());
    }

    #[test]
    fn malformed_values_are_refused_with_the_whole_list() {
        for list in ["X-mount.subdir=", "X-mount.mode=77777", "X-mount.owner=no/such"] {
            let failure = xmount(list).unwrap_err();
            assert_eq!(failure.status, USAGE, "{list}");
        }
    }

    #[test]
    fn ids_become_numbers_and_a_name_that_is_not_known_is_refused() {
        let numbered = |list: &str| {
            let mut options = MountOptions::parse(list.as_bytes()).unwrap();
            number_ids(&mut options, OsStr::new("/m")).ok().map(|()| options.to_text())
        };
        assert_eq!(numbered("uid=root,gid=12,uid=,x=root"), Some(b"uid=0,gid=12,uid=,x=root".to_vec()));
        assert_eq!(numbered("gid=4294967296"), Some(b"gid=4294967296".to_vec()));
        assert_eq!(
            (numbered("uid=no/such"), numbered("uid=0,gid=-1"), numbered("uid=no/such,uid=0")),
            (None, None, None)
        );
    }
}
