//! What the kernel is told of the program's memory: position-independent, no stack and no data that
//! can be executed, and no code that can be written.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::ops::Range;

/// A segment or a section of an ELF file: elf(5).
struct Part {
    kind: u32,
    flags: u64,
    /// Where its bytes are in the file.
    file: Range<u64>,
    address: u64,
    size: u64,
}

impl Part {
    fn holds(&self, address: u64) -> bool {
        (self.address..self.address + self.size).contains(&address)
    }
}

struct Elf {
    kind: u16,
    segments: Vec<Part>,
    sections: Vec<Part>,
}

const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const PT_INTERP: u32 = 3;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PF_X: u64 = 1;
const PF_W: u64 = 2;
const SHF_ALLOC: u64 = 2;
const SHF_EXECINSTR: u64 = 4;

/// The shipped program, a 64-bit little-endian ELF file.
fn shipped() -> Elf {
    let bytes = fs::read(tests::sandbox::artefact().unwrap()).unwrap();
    let number = |at: u64, length: usize| {
        let at = at as usize;
        bytes[at..at + length].iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
    };
    assert_eq!(bytes[..6], *b"\x7fELF\x02\x01");
    let rows = |start: u64, size: u64, count: u64| (0..count).map(move |row| start + row * size);
    let segment = |at| Part {
        kind: number(at, 4) as u32,
        flags: number(at + 4, 4),
        file: number(at + 8, 8)..number(at + 8, 8) + number(at + 32, 8),
        address: number(at + 16, 8),
        size: number(at + 40, 8),
    };
    let section = |at| Part {
        kind: number(at + 4, 4) as u32,
        flags: number(at + 8, 8),
        file: number(at + 24, 8)..number(at + 24, 8) + number(at + 32, 8),
        address: number(at + 16, 8),
        size: number(at + 32, 8),
    };
    Elf {
        kind: number(16, 2) as u16,
        segments: rows(number(32, 8), number(54, 2), number(56, 2)).map(segment).collect(),
        sections: rows(number(40, 8), number(58, 2), number(60, 2)).map(section).collect(),
    }
}

#[test]
fn it_is_a_static_position_independent_program_without_an_executable_stack() {
    let elf = shipped();
    assert_eq!(elf.kind, ET_DYN);
    assert!(elf.segments.iter().all(|segment| segment.kind != PT_INTERP));
    // Without the entry the kernel would make the stack executable.
    let stack = elf.segments.iter().find(|segment| segment.kind == PT_GNU_STACK).unwrap();
    assert_eq!(stack.flags & PF_X, 0);
}

#[test]
fn no_segment_is_both_writable_and_executable_and_only_code_is_executable() {
    let elf = shipped();
    let loaded: Vec<&Part> = elf.segments.iter().filter(|segment| segment.kind == PT_LOAD).collect();
    assert!(loaded.iter().all(|segment| segment.flags & (PF_W | PF_X) != PF_W | PF_X));
    let in_memory = || elf.sections.iter().filter(|section| section.flags & SHF_ALLOC != 0 && section.size != 0);
    assert!(in_memory().count() > 4, "the table of sections is needed to look at them");
    for section in in_memory() {
        let executable = loaded.iter().any(|segment| segment.flags & PF_X != 0 && segment.holds(section.address));
        assert_eq!(
            executable,
            section.flags & SHF_EXECINSTR != 0,
            "the section of kind {} at {:#x}",
            section.kind,
            section.address
        );
    }
}

/// The kernel maps whole pages of the file, also where a segment begins or ends in the middle of one.
#[test]
#[cfg(target_arch = "x86_64")]
fn no_page_of_the_file_is_mapped_both_as_code_and_as_anything_else() {
    let page = 4096;
    let elf = shipped();
    let loaded: Vec<&Part> = elf.segments.iter().filter(|segment| segment.kind == PT_LOAD).collect();
    let (code, others): (Vec<&Part>, Vec<&Part>) = loaded.into_iter().partition(|segment| segment.flags & PF_X != 0);
    let pages = |part: &Part| part.file.start / page..part.file.end.div_ceil(page);
    for code in code {
        let shares = |other: &&&Part| pages(code).start < pages(other).end && pages(other).start < pages(code).end;
        assert!(others.iter().find(shares).is_none(), "the code at {:#x}", code.address);
    }
}
