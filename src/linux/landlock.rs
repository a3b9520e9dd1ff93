//! Landlock: what a process and its children may still do to files, landlock(7). It cannot be taken back.

use crate::{Errno, io};
use core::ffi::c_long;
use core::fmt::{self, Write as _};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

const SYS_LANDLOCK_CREATE_RULESET: c_long = 444;

const LANDLOCK_CREATE_RULESET_VERSION: usize = 1;
const LANDLOCK_RULE_PATH_BENEATH: usize = 1;

/// The rights to files, in the order of their bits: LANDLOCK_ACCESS_FS_EXECUTE and so on, as setpriv calls them.
const NAMES: &str = "execute,write-file,read-file,read-dir,remove-dir,remove-file,make-char,make-dir,make-reg,\
                     make-sock,make-fifo,make-block,make-sym,refer,truncate,ioctl-dev";

/// Hands each right of the set to `each`, in the order of their bits: the bit, and the name.
pub fn each(rights: u64, each: &mut dyn FnMut(u64, &[u8])) {
    for (index, name) in NAMES.as_bytes().split(|byte| *byte == b',').enumerate() {
        if rights >> index & 1 != 0 {
            each(1 << index, name);
        }
    }
}

/// The rights that an interface of this version knows.
pub fn known(abi: i64) -> u64 {
    let count = match abi {
        ..=1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1 << count) - 1
}

/// The version of the kernel's interface. `ENOSYS` without Landlock, `EOPNOTSUPP` where it is not enabled.
pub fn abi() -> Result<i64, Errno> {
    // SAFETY: with this flag nothing is read.
    unsafe {
        call(
            0,
            [0, 0, LANDLOCK_CREATE_RULESET_VERSION],
            format_args!("create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)"),
        )
    }
}

/// A new ruleset, which takes these rights except where a rule gives them back.
pub fn create(handled: u64) -> Result<OwnedFd, Errno> {
    let shown = Shown(handled);
    let shown = format_args!("create_ruleset({{handled_access_fs={shown}}}, 8, 0)");
    // SAFETY: the first version of struct landlock_ruleset_attr is one word.
    io::owned(unsafe { call(0, [(&raw const handled).addr(), size_of::<u64>(), 0], shown) }? as i32)
}

/// struct landlock_path_beneath_attr.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// Gives rights back to what `place` (O_PATH will do) is and to all below it. `EINVAL` for rights that
/// the ruleset does not take, and for rights to directories where `place` is none.
pub fn allow(ruleset: BorrowedFd<'_>, allowed: u64, place: BorrowedFd<'_>) -> Result<(), Errno> {
    let (ruleset, place) = (ruleset.as_raw_fd(), place.as_raw_fd());
    let rule = PathBeneath { allowed_access: allowed, parent_fd: place };
    let shown = Shown(allowed);
    let shown = format_args!(
        "add_rule({ruleset}, LANDLOCK_RULE_PATH_BENEATH, {{allowed_access={shown}, parent_fd={place}}}, 0)"
    );
    // SAFETY: `rule` is what this kind of rule takes, and lives until the call returns.
    unsafe { call(1, [ruleset as usize, LANDLOCK_RULE_PATH_BENEATH, (&raw const rule).addr()], shown) }.map(drop)
}

/// Puts us under a ruleset. It takes CAP_SYS_ADMIN or PR_SET_NO_NEW_PRIVS, else `EPERM`.
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> Result<(), Errno> {
    let ruleset = ruleset.as_raw_fd();
    // SAFETY: the call takes integers.
    unsafe { call(2, [ruleset as usize, 0, 0], format_args!("restrict_self({ruleset}, 0)")) }.map(drop)
}

/// The system calls are numbered one after the other. `shown` is the trace's line, without the word they share.
///
/// # Safety
///
/// Arguments that are addresses must be of what this call takes.
#[inline(never)]
unsafe fn call(number: c_long, arguments: [usize; 3], shown: fmt::Arguments<'_>) -> Result<i64, Errno> {
    let [first, second, third] = arguments;
    // SAFETY: as our caller says. A fourth argument is always 0.
    let done = unsafe { libc::syscall(SYS_LANDLOCK_CREATE_RULESET + number, first, second, third, 0) };
    traced!(io::checked(done), "landlock_{shown}")
}

/// Rights as strace shows them: `LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_DIR`.
struct Shown(u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut prefix = "LANDLOCK_ACCESS_FS_";
        let mut written = Ok(());
        each(self.0, &mut |_, name| {
            written = f.write_str(prefix);
            for byte in name {
                written = f.write_char(if *byte == b'-' { '_' } else { char::from(byte.to_ascii_uppercase()) });
            }
            prefix = "|LANDLOCK_ACCESS_FS_";
        });
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_shown_as_the_kernel_calls_them() {
        assert_eq!(Shown(1 | 1 << 15).to_string(), "LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_IOCTL_DEV");
        assert_eq!(Shown(1 << 12).to_string(), "LANDLOCK_ACCESS_FS_MAKE_SYM");
    }

    #[test]
    fn each_version_of_the_interface_has_its_rights() {
        let newest = |abi| {
            let mut newest = String::new();
            each(known(abi), &mut |_, name| newest = String::from_utf8_lossy(name).to_string());
            newest
        };
        let newest: Vec<_> = (1..8).map(newest).collect();
        assert_eq!(newest, ["make-sym", "refer", "truncate", "truncate", "ioctl-dev", "ioctl-dev", "ioctl-dev"]);
    }
}
