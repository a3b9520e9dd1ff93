//! What a walk tells: the capabilities of a file, or why there are none. capabilities(7).

use crate::Errno;
use crate::caps::file::FileCapabilities;

/// What was found at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file that has capabilities.
    Capabilities(FileCapabilities),
    /// A file whose capabilities cannot be read.
    Failed(Errno),
    /// A directory that cannot be listed or searched; reported once.
    Unreadable(Errno),
    /// With [`everything`](super::Walk::everything): a file that has none.
    Nothing,
    /// With [`everything`](super::Walk::everything): a directory, a symbolic link or a special file.
    NotRegular,
}
