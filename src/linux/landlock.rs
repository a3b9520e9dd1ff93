//! Landlock, landlock(7): restricts which files, TCP and UDP ports and outside processes this process and its children
//! may use. It cannot be undone.

use crate::Errno;
use crate::raw::{self, NumberCall};
use core::ffi::c_long;
use core::fmt::{self, Write as _};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

// Of <linux/landlock.h>: nix lacks these calls.
const LANDLOCK_CREATE_RULESET_VERSION: u32 = 1;
const LANDLOCK_RULE_PATH_BENEATH: u32 = 1;
const LANDLOCK_RULE_NET_PORT: u32 = 2;

/// The kinds of rights: setpriv's name of the kind, its first bit in a set of rights, the prefix of the kernel's names
/// of its rights, and these rights in the order of their bits.
const KINDS: [(&str, u32, &str, &str); 3] = [
    (
        "fs",
        0,
        "LANDLOCK_ACCESS_FS_",
        "execute,write-file,read-file,read-dir,remove-dir,remove-file,make-char,make-dir,make-reg,\
         make-sock,make-fifo,make-block,make-sym,refer,truncate,ioctl-dev,resolve-unix",
    ),
    ("net", 32, "LANDLOCK_ACCESS_NET_", "bind-tcp,connect-tcp,bind-udp,connect-send-udp"),
    ("scope", 40, "LANDLOCK_SCOPE_", "abstract-unix-socket,signal"),
];

/// The bits that rights to files may have in a set.
pub const FILES: u64 = 0xffff_ffff;
/// What execve(2) of a file takes: `execute` and `read-file`.
pub const EXECUTE_FILE: u64 = 0b101;
/// Those of rights to TCP and UDP ports.
pub const PORTS: u64 = 0xff << 32;
/// The scopes: abstract sockets and signals reach only processes under the same ruleset or a later one.
pub const SCOPES: u64 = 0xff << 40;

/// Calls `each` with every right of the set, its bit and its name, in the order of the bits.
pub fn each(rights: u64, each: &mut dyn FnMut(u64, &[u8])) {
    for (_, first, _, names) in KINDS {
        for (index, name) in names.as_bytes().split(|byte| *byte == b',').enumerate() {
            let right = 1_u64 << first << index;
            if rights & right != 0 {
                each(right, name);
            }
        }
    }
}

/// The bits of a kind of rights.
pub fn kind(name: &[u8]) -> Option<u64> {
    let found = KINDS.iter().position(|(kind, ..)| kind.as_bytes() == name)?;
    [FILES, PORTS, SCOPES].get(found).copied()
}

/// The rights that an interface of this version knows.
///
/// ```
/// use linux::landlock::known;
/// assert_eq!(known(1).count_ones(), 13);
/// assert_eq!(known(1) & !known(2), 0);
/// ```
pub fn known(abi: i64) -> u64 {
    let files = match abi {
        ..=1 => 13,
        2 => 14,
        3 | 4 => 15,
        5..=8 => 16,
        _ => 17,
    };
    let ports = match abi {
        ..=3 => 0,
        4..=9 => 0b11 << 32,
        _ => 0b1111 << 32,
    };
    let scopes = if abi >= 6 { 0b11 << 40 } else { 0 };
    ((1 << files) - 1) | ports | scopes
}

/// The version of the kernel's Landlock interface. `ENOSYS` without Landlock, `EOPNOTSUPP` where it is disabled.
pub fn abi() -> Result<i64, Errno> {
    let done = create_ruleset(&[], LANDLOCK_CREATE_RULESET_VERSION);
    told(done, format_args!("create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)"))
}

/// Creates a ruleset that denies these rights except where a rule grants them. `EINVAL` or `E2BIG` for rights that the
/// kernel does not know.
pub fn create(handled: u64) -> Result<OwnedFd, Errno> {
    // struct landlock_ruleset_attr has grown from one word to three. Pass only up to the last word in use, for older
    // kernels.
    let words = [handled & FILES, (handled & PORTS) >> 32, (handled & SCOPES) >> 40];
    let count = words.iter().rposition(|word| *word != 0).map_or(1, |last| last + 1);
    let size = count * size_of::<u64>();
    let (files, ports, scopes) = (Shown(handled & FILES), Shown(handled & PORTS), Shown(handled & SCOPES));
    let shown = match count {
        1 => format_args!("create_ruleset({{handled_access_fs={files}}}, {size}, 0)"),
        2 => format_args!("create_ruleset({{handled_access_fs={files}, handled_access_net={ports}}}, {size}, 0)"),
        _ => format_args!(
            "create_ruleset({{handled_access_fs={files}, handled_access_net={ports}, scoped={scopes}}}, {size}, 0)"
        ),
    };
    raw::owned(told(create_ruleset(words.get(..count).unwrap_or_default(), 0), shown)? as i32)
}

/// Adds a rule that grants rights to `place` (O_PATH suffices) and everything below it. `EINVAL` for rights that the
/// ruleset does not handle, and for rights to directories if `place` is none.
pub fn allow(ruleset: BorrowedFd<'_>, allowed: u64, place: BorrowedFd<'_>) -> Result<(), Errno> {
    let (ruleset, place) = (ruleset.as_raw_fd(), place.as_raw_fd());
    // struct landlock_path_beneath_attr, whose descriptor has four bytes.
    let [a, b, c, d] = place.to_ne_bytes();
    let rule = [allowed.to_ne_bytes(), [a, b, c, d, 0, 0, 0, 0]];
    let shown = Shown(allowed);
    let shown = format_args!(
        "add_rule({ruleset}, LANDLOCK_RULE_PATH_BENEATH, {{allowed_access={shown}, parent_fd={place}}}, 0)"
    );
    told(add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule), shown).map(drop)
}

/// Gives rights back to a port.
pub fn allow_port(ruleset: BorrowedFd<'_>, allowed: u64, port: u16) -> Result<(), Errno> {
    let ruleset = ruleset.as_raw_fd();
    // struct landlock_net_port_attr.
    let rule = [(allowed & PORTS) >> 32, u64::from(port)].map(u64::to_ne_bytes);
    let shown = Shown(allowed & PORTS);
    let shown = format_args!("add_rule({ruleset}, LANDLOCK_RULE_NET_PORT, {{allowed_access={shown}, port={port}}}, 0)");
    told(add_rule(ruleset, LANDLOCK_RULE_NET_PORT, &rule), shown).map(drop)
}

/// Restricts this process by a ruleset. Needs CAP_SYS_ADMIN or PR_SET_NO_NEW_PRIVS, else `EPERM`.
pub fn restrict_self(ruleset: BorrowedFd<'_>) -> Result<(), Errno> {
    let ruleset = ruleset.as_raw_fd();
    let done = NumberCall::LANDLOCK_RESTRICT_SELF.call([ruleset.into(), 0, 0]);
    told(done, format_args!("restrict_self({ruleset}, 0)")).map(drop)
}

/// landlock_create_ruleset(2), with the first words of a struct landlock_ruleset_attr.
fn create_ruleset(attributes: &[u64], flags: u32) -> Result<i64, Errno> {
    const SYS_LANDLOCK_CREATE_RULESET: c_long = 444;
    let pointer = if attributes.is_empty() { core::ptr::null() } else { attributes.as_ptr() };
    // SAFETY: the kernel reads as many bytes as is said.
    raw::checked(unsafe { libc::syscall(SYS_LANDLOCK_CREATE_RULESET, pointer, size_of_val(attributes), flags) })
}

/// landlock_add_rule(2). Each kind of rule has 16 bytes at most.
fn add_rule(ruleset: RawFd, kind: u32, rule: &[[u8; 8]; 2]) -> Result<i64, Errno> {
    const SYS_LANDLOCK_ADD_RULE: c_long = 445;
    // SAFETY: the kernel reads no more bytes than `rule` has.
    raw::checked(unsafe { libc::syscall(SYS_LANDLOCK_ADD_RULE, ruleset, kind, rule.as_ptr(), 0) })
}

/// Writes a line of the trace; `shown` holds the arguments that differ between the calls.
#[inline(never)]
fn told(done: Result<i64, Errno>, shown: fmt::Arguments<'_>) -> Result<i64, Errno> {
    traced!(done, "landlock_{shown}")
}

/// Rights as strace shows them: `LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_DIR`.
struct Shown(u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_char('0');
        }
        let mut separator = "";
        let mut written = Ok(());
        each(self.0, &mut |right, name| {
            let of_kind = |(_, first, ..): &&(&str, u32, &str, &str)| right >> *first != 0;
            let prefix = KINDS.iter().rfind(of_kind).map_or("", |(_, _, prefix, _)| prefix);
            written = f.write_str(separator).and_then(|()| f.write_str(prefix));
            for byte in name {
                written = f.write_char(if *byte == b'-' { '_' } else { char::from(byte.to_ascii_uppercase()) });
            }
            separator = "|";
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
        assert_eq!(Shown(1 << 33).to_string(), "LANDLOCK_ACCESS_NET_CONNECT_TCP");
        assert_eq!(Shown(1 << 40).to_string(), "LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET");
    }

    #[test]
    fn each_version_of_the_interface_has_its_rights() {
        let newest = |abi| {
            let mut newest = String::new();
            each(known(abi), &mut |_, name| newest = String::from_utf8_lossy(name).to_string());
            newest
        };
        let newest: Vec<_> = (1..7).map(newest).collect();
        assert_eq!(newest, ["make-sym", "refer", "truncate", "connect-tcp", "connect-tcp", "signal"]);
        let bits = [3, 5, 8, 9, 10].map(|abi| (known(abi) & FILES).count_ones());
        assert_eq!(bits, [15, 16, 16, 17, 17]);
        assert_eq!([3, 4, 9, 10].map(|abi| (known(abi) & PORTS) >> 32), [0, 0b11, 0b11, 0b1111]);
    }
}
