//! The arguments of a traced call, in the notation of strace(1).

use core::fmt::{self, Write as _};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Bits shown by name, `CLONE_NEWNS|CLONE_NEWPID`; unnamed ones in hexadecimal.
pub struct Flags<'a>(pub u64, pub &'a FlagNames);

/// Bits, and their names in one text: a table of pointers would be relocated at each start.
pub struct FlagNames {
    pub(crate) bits: &'static [u32],
    /// One a line, in the same order.
    pub(crate) names: &'static str,
}

/// The [`FlagNames`] of constants, under the names that these have.
macro_rules! flag_names {
    ($($flag:ident),*) => {
        $crate::trace::FlagNames { bits: &[$($flag as u32),*], names: concat!($(stringify!($flag), "\n"),*) }
    };
}

impl fmt::Display for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        let mut first = true;
        for (bits, name) in self.1.bits.iter().zip(self.1.names.split('\n')) {
            let bits = u64::from(*bits);
            if left & bits == bits {
                if !first {
                    f.write_char('|')?;
                }
                f.write_str(name)?;
                first = false;
                left &= !bits;
            }
        }
        if left != 0 || first {
            if !first {
                f.write_char('|')?;
            }
            if left == 0 {
                f.write_char('0')?;
            } else {
                write!(f, "{left:#x}")?;
            }
        }
        Ok(())
    }
}

/// Bytes as strace shows them: in double quotes, unprintable ones escaped.
pub struct Quoted<'a>(pub &'a [u8]);

impl<'a> Quoted<'a> {
    /// A path or name.
    pub fn new(text: &'a (impl AsRef<OsStr> + ?Sized)) -> Quoted<'a> {
        Quoted(text.as_ref().as_bytes())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        escape(self.0, f)?;
        f.write_char('"')
    }
}

fn escape(text: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for &byte in text {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            b'\n' => f.write_str("\\n")?,
            b'\t' => f.write_str("\\t")?,
            0x20..=0x7e => f.write_char(char::from(byte))?,
            _ => write!(f, "\\{byte:o}")?,
        }
    }
    Ok(())
}

/// A descriptor with its path, as `strace -y` shows it: `3</mnt>`.
pub struct Descriptor<'a>(pub i32, pub &'a OsStr);

impl fmt::Display for Descriptor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<", self.0)?;
        escape(self.1.as_bytes(), f)?;
        f.write_char('>')
    }
}

/// A directory that a path starts in, as strace shows it: its number, or `AT_FDCWD`.
pub struct Directory(pub i32);

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == libc::AT_FDCWD { f.write_str("AT_FDCWD") } else { self.0.fmt(f) }
    }
}

/// A string argument that may be absent: quoted, or `NULL`.
pub struct Optional<'a>(pub Option<&'a OsStr>);

impl fmt::Display for Optional<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => Quoted::new(text).fmt(f),
            None => f.write_str("NULL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_shown_by_name_and_the_rest_in_hexadecimal() {
        let names = FlagNames { bits: &[1, 4], names: "A\nC\n" };
        assert_eq!(Flags(5, &names).to_string(), "A|C");
        assert_eq!(Flags(0, &names).to_string(), "0");
        assert_eq!(Flags(9, &names).to_string(), "A|0x8");
        assert_eq!(Flags(8, &names).to_string(), "0x8");
    }

    #[test]
    fn bytes_are_quoted_as_strace_does() {
        assert_eq!(Quoted(b"a \"b\"\n\xff").to_string(), "\"a \\\"b\\\"\\n\\377\"");
    }
}
