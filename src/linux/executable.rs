//! Which interpreter a program file needs, read from its beginning: elf(5), execve(2).

use crate::{Errno, file, process, stat};
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;

/// What a program needs to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The path of the dynamic linker or of the `#!` line's program.
    pub path: OsString,
    /// Whether it is a script.
    pub script: bool,
}

/// The interpreter that a program's beginning names: in the `#!` line, or in ELF's PT_INTERP.
///
/// ```
/// let script = linux::executable::needed(b"#!/bin/sh -e\n").expect("an interpreter");
/// assert!(script.script && script.path == "/bin/sh");
/// assert!(linux::executable::needed(b"text").is_none());
/// ```
pub fn needed(head: &[u8]) -> Option<Interpreter> {
    if let Some(line) = head.strip_prefix(b"#!") {
        // Splits as the kernel does: blanks and tabs separate, a zero ends it, and a carriage return belongs to the name.
        let line = line.split(|byte| matches!(byte, b'\n' | 0)).next()?;
        let path = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
        return Some(Interpreter { path: OsString::from_vec(path.to_vec()), script: true });
    }
    let elf = Elf::new(head)?;
    let (offset, size, count) = elf.program_headers()?;
    for index in 0..count {
        let at = offset.checked_add(size.checked_mul(index)?)?;
        const PT_INTERP: u64 = 3;
        if elf.word(at)? != PT_INTERP {
            continue;
        }
        let (start, length) = elf.segment(at)?;
        let text = head.get(start..start.checked_add(length)?)?;
        let text = text.split(|byte| *byte == 0).next()?;
        return (!text.is_empty()).then(|| Interpreter { path: OsString::from_vec(text.to_vec()), script: false });
    }
    None
}

/// Whether handlers may be registered with binfmt_misc, so that the kernel runs formats that this file does not know.
/// Its directory always holds two files of its own; where it is empty, it is not mounted, and nothing is known.
pub fn has_handlers() -> bool {
    let Ok(directory) = crate::directory::open_to_list(OsStr::new("/proc/sys/fs/binfmt_misc")) else {
        return process::is_missing(OsStr::new("/proc/sys/fs"));
    };
    let mut count = 0;
    let _ = crate::walk::each_name(directory.as_fd(), &mut |_| {
        count += 1;
        count < 3
    });
    count != 2
}

/// How many interpreters of interpreters execve(2) follows.
const DEPTH: usize = 5;

/// Why execve(2) of `path` would fail in this root, as far as its files show: the error, and the file that cannot be
/// used or that names a missing interpreter. With `has_handlers`, a file of an unknown format counts as runnable, but not an
/// empty one.
pub fn obstacle(path: &OsStr, has_handlers: bool) -> Option<(OsString, Errno)> {
    let mut file = path.to_os_string();
    let mut named_by = file.clone();
    for _ in 0..=DEPTH {
        let head = match executable_head(&file) {
            Ok(head) => head?,
            Err(Errno::ENOENT) => return Some((named_by, Errno::ENOENT)),
            Err(errno) => return Some((file, errno)),
        };
        let script = head.starts_with(b"#!");
        let needed = needed(&head);
        if !script && !is_native(&head) || script && needed.is_none() {
            return (!has_handlers || head.is_empty()).then_some((file, Errno::ENOEXEC));
        }
        named_by = core::mem::replace(&mut file, needed?.path);
        if !script {
            return match executable_head(&file) {
                Ok(head) if head.as_deref().is_none_or(is_native) => None,
                Ok(_) => Some((file, Errno::ELIBBAD)),
                Err(Errno::ENOENT) => Some((named_by, Errno::ENOENT)),
                Err(errno) => Some((file, errno)),
            };
        }
    }
    Some((path.to_os_string(), Errno::ELOOP))
}

/// The beginning of an executable file; `None` if it cannot be read.
fn executable_head(path: &OsStr) -> Result<Option<Vec<u8>>, Errno> {
    let is_regular = stat::path(path).map_err(|error| error.errno)?.is_regular();
    // A mount that is noexec, too: access(2).
    if !is_regular || !process::is_executable(path) {
        return Err(Errno::EACCES);
    }
    Ok(file::read_head(path, 4096).ok())
}

/// The processors that this one's kernel runs: itself, and its 32-bit mode's. Empty: they are not known.
const OWN: &[u64] = if cfg!(target_arch = "x86_64") {
    &[62, 3, 6]
} else if cfg!(target_arch = "aarch64") {
    &[183, 40]
} else if cfg!(target_arch = "riscv64") {
    &[243]
} else {
    &[]
};

/// Whether it is an ELF program for this processor, or for its 32-bit mode.
fn is_native(head: &[u8]) -> bool {
    Elf::new(head).is_some_and(|elf| matches!(elf.half(16), Some(2 | 3)) && elf.is_own())
}

/// The processor an ELF file is for, if it is not ours.
///
/// ```
/// assert_eq!(linux::executable::foreign(b"#!/bin/sh\n"), None);
/// ```
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    let machine = Elf::new(head)?.half(18)?;
    OWN.first().is_some_and(|own| *own != machine).then_some(match machine {
        3 | 6 => "i386",
        8 => "mips",
        20 => "powerpc",
        21 => "powerpc64",
        22 => "s390x",
        40 => "arm",
        62 => "x86_64",
        183 => "aarch64",
        243 => "riscv",
        258 => "loongarch",
        _ => "another processor",
    })
}

/// The header of an ELF file of either size and byte order.
struct Elf<'a> {
    head: &'a [u8],
    is_64_bit: bool,
    is_big_endian: bool,
}

impl<'a> Elf<'a> {
    fn new(head: &'a [u8]) -> Option<Elf<'a>> {
        let [0x7f, b'E', b'L', b'F', class, order, ..] = head else { return None };
        let mut elf = Elf { head, is_64_bit: *class == 2, is_big_endian: false };
        // The kernel does not look at the order of a program of its own.
        elf.is_big_endian = *order == 2 && !elf.is_own();
        Some(elf)
    }

    fn is_own(&self) -> bool {
        OWN.is_empty() || self.half(18).is_some_and(|machine| OWN.contains(&machine))
    }

    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.head.get(at..at.checked_add(length)?)?;
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.is_big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) })
    }

    fn half(&self, at: usize) -> Option<u64> {
        self.number(at, 2)
    }

    fn word(&self, at: usize) -> Option<u64> {
        self.number(at, 4)
    }

    /// Offset, size of one, and number of the program headers.
    fn program_headers(&self) -> Option<(usize, usize, usize)> {
        let (offset, size, count) = if self.is_64_bit {
            (self.number(32, 8)?, self.half(54)?, self.half(56)?)
        } else {
            (self.word(28)?, self.half(42)?, self.half(44)?)
        };
        Some((usize::try_from(offset).ok()?, size as usize, count as usize))
    }

    /// Where in the file a program header's segment lies: offset and length.
    fn segment(&self, header: usize) -> Option<(usize, usize)> {
        let (offset, length) = if self.is_64_bit {
            (self.number(header.checked_add(8)?, 8)?, self.number(header.checked_add(32)?, 8)?)
        } else {
            (self.word(header.checked_add(4)?)?, self.word(header.checked_add(16)?)?)
        };
        Some((usize::try_from(offset).ok()?, usize::try_from(length).ok()?))
    }
}

/// Whether the mount that a path is on lets no program be executed.
pub fn is_on_noexec(path: &OsStr) -> bool {
    let file = file::open_at(None, path, libc::O_PATH, 0);
    file.and_then(|file| stat::mount_flags(file.as_fd())).is_ok_and(|flags| flags & libc::ST_NOEXEC != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_interpreter_in_an_elf_file_is_none() {
        let file = include_bytes!("../../fuzz/seeds/executable/empty-interpreter");
        assert_eq!(needed(file).map(|interpreter| interpreter.path), None);
    }

    #[test]
    fn a_script_needs_the_program_of_its_first_line() {
        let script = |text: &[u8]| needed(text).map(|it| it.path.into_vec());
        assert_eq!(script(b"#!/bin/sh\necho"), Some(b"/bin/sh".to_vec()));
        assert_eq!(script(b"#! /usr/bin/env python3\n"), Some(b"/usr/bin/env".to_vec()));
        assert_eq!(script(b"#!/bin/sh\r\n"), Some(b"/bin/sh\r".to_vec()));
        assert_eq!(script(b"#!/bin/sh\0x y\n"), Some(b"/bin/sh".to_vec()));
        assert_eq!(script(b"#!\n"), None);
        assert_eq!(script(b"echo"), None);
    }

    #[test]
    fn a_dynamic_program_needs_its_linker() {
        let shell = std::fs::read("/bin/sh").unwrap();
        let linker = needed(shell.get(..4096).unwrap()).map(|it| it.script);
        assert_eq!(linker, Some(false));
    }

    #[test]
    fn no_cut_or_twisted_header_is_read_past_its_end() {
        let shell = std::fs::read("/bin/sh").unwrap();
        let head = shell.get(..1024).unwrap();
        for length in 0..head.len() {
            let _ = needed(head.get(..length).unwrap());
        }
        for at in 0..256 {
            let mut twisted = head.to_vec();
            twisted[at] = 0xff;
            let _ = needed(&twisted);
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn what_the_kernel_does_not_look_at_makes_no_program_foreign() {
        let mut head = vec![0; 64];
        for (class, order, machine) in [(2, 2, 62), (0, 9, 62), (1, 1, 3), (1, 2, 6)] {
            head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, order]);
            (head[16], head[18]) = (2, machine);
            assert!(is_native(&head), "{class} {order} {machine}");
        }
        head[18] = 183;
        assert!(!is_native(&head));
    }

    #[test]
    fn a_program_for_another_processor_is_named() {
        let mut head = vec![0; 64];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[18] = if std::env::consts::ARCH == "aarch64" { 62 } else { 183 };
        assert!(foreign(&head).is_some());
    }
}
