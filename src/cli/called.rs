//! The name that a command was called by, and the original that it stands in for: both determine how its messages
//! begin.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Whose command an applet stands in for; it decides how messages begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Messages begin with the last component of `argv[0]`.
    UtilLinux,
    /// Messages begin with its last component, too; usage and `Try` name `argv[0]` as it was given.
    Coreutils,
    /// Messages mostly have no name in front.
    Libcap,
    /// Ours alone; messages are as util-linux's.
    Ctrbox,
}

/// The name a command was called by.
#[derive(Clone, Copy, Debug)]
pub struct Called {
    /// `argv[0]`, whole.
    pub argv0: &'static OsStr,
    /// Whose command it is.
    pub origin: Origin,
}

impl Called {
    /// The last component of `argv[0]`.
    pub fn name(&self) -> &'static OsStr {
        last_component(self.argv0)
    }
}

/// What follows the last slash.
pub fn last_component(path: &OsStr) -> &OsStr {
    let bytes = path.as_bytes();
    let start = bytes.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
    OsStr::from_bytes(bytes.get(start..).unwrap_or_default())
}
