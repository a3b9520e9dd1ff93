//! The X-mount.* options: what mount does before and after the mount itself.

use super::errors::{self, USAGE};
use super::idmap;
use cli::{Failure, text};
use linux::options::{MountOption, Options as MountOptions};
use linux::{accounts, number};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The errno of a value that cannot be used, as it stands behind the list of options.
const INVALID: &str = ": Invalid argument";

/// What the X-mount.* options ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct XMount {
    /// Make the target, with this mode, in octal, for each new directory. Whether it is one is not known yet.
    pub mkdir: Option<Vec<u8>>,
    /// Mount this directory of the file system in place of its root.
    pub subdir: Option<OsString>,
    /// Change the owner of the mounted root.
    pub owner: Option<u32>,
    /// Change its group.
    pub group: Option<u32>,
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
        let malformed = || malformed(options, target, INVALID);
        let missing = || self::malformed(options, target, ": No such file or directory");
        let value = |option: &MountOption| option.plain_value().filter(|value| !value.is_empty());
        let octal = |text: &[u8]| number::in_base(text, 8).filter(|mode| *mode <= 0o7777).map(|mode| mode as u32);
        let mut xmount = XMount::default();
        for option in &options.0 {
            match option.name.as_slice() {
                b"X-mount.mkdir" | b"x-mount.mkdir" => {
                    xmount.mkdir = Some(value(option).unwrap_or_else(|| b"755".to_vec()));
                }
                b"X-mount.subdir" => {
                    xmount.subdir = Some(OsString::from_vec(value(option).ok_or_else(malformed)?));
                }
                b"X-mount.owner" => {
                    let name = value(option).ok_or_else(missing)?;
                    xmount.owner = Some(user(&name).ok_or_else(malformed)?);
                }
                b"X-mount.group" => {
                    let name = value(option).ok_or_else(missing)?;
                    xmount.group = Some(group(&name).ok_or_else(malformed)?);
                }
                b"X-mount.mode" => {
                    let mode = value(option).ok_or_else(missing)?;
                    xmount.mode = Some(octal(&mode).ok_or_else(malformed)?);
                }
                b"X-mount.idmap" => {
                    let map = value(option).filter(|map| idmap::is_valid(map)).ok_or_else(missing)?;
                    xmount.idmap = Some(OsString::from_vec(map));
                }
                b"X-mount.nocanonicalize" => match value(option).as_deref() {
                    None => (xmount.raw_source, xmount.raw_target) = (true, true),
                    Some(b"source") => xmount.raw_source = true,
                    Some(b"target") => xmount.raw_target = true,
                    Some(_) => return Err(malformed()),
                },
                b"X-mount.noloop" => xmount.no_loop = true,
                b"X-mount.auto-fstypes" => xmount.auto_types = value(option),
                _ => {}
            }
        }
        Ok(xmount)
    }
}

/// An option whose value cannot be used: the whole list is told, and `why`, as the original's errno says it.
pub fn malformed(options: &MountOptions, target: &OsStr, why: &str) -> Failure {
    errors::early(USAGE, target, &text!["failed to parse mount options '", options.shown(), "'", why])
}

/// A user's number, by number or name.
pub fn user(name: &[u8]) -> Option<u32> {
    cli::number::id(name).or_else(|| accounts::passwd_by_name(OsStr::from_bytes(name)).map(|user| user.uid))
}

/// A group's number, by number or name.
pub fn group(name: &[u8]) -> Option<u32> {
    cli::number::id(name).or_else(|| accounts::group_by_name(OsStr::from_bytes(name)).map(|group| group.gid))
}

/// Turns the names in `uid=` and `gid=` into numbers; `useruid` and `usergid` are the caller's own. A name that is not
/// known is refused; what has digits only, or nothing, is the file system's to judge.
pub fn number_ids(options: &mut MountOptions, target: &OsStr) -> Result<(), Failure> {
    let mut numbered = options.clone();
    for option in &mut numbered.0 {
        let Some(value) = option.plain_value() else { continue };
        let id = match (option.name.as_slice(), value.as_slice()) {
            (b"uid", b"useruid") => Some(linux::credentials::real_uid()),
            (b"gid", b"usergid") => Some(linux::credentials::real_gid()),
            (b"uid", name) => user(name),
            (b"gid", name) => group(name),
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
