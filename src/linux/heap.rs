//! The allocator: a small arena in the program's own image, blocks from mmap(2) behind it, and a reserve.
//!
//! A command that only sets something up and execs a program needs a few hundred bytes. From the
//! arena they cost nothing; malloc's first call costs four system calls and three page faults,
//! which is a tenth of what starting such a command takes, and its code is a fiftieth of the
//! program. The reserve serves when there is no memory left: what has been begun can then be
//! finished or undone. Untouched it costs nothing.
//!
//! What is dropped is given back: a block goes to the list of its size or to the kernel, and the
//! last piece of an arena is cut off again. A piece that is not the last stays taken, so what an
//! arena can lose is its own size. Threads share all of it: what one gives back another may take.

mod blocks;

use blocks::Blocks;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

/// Bytes in the arena. Each page of it costs one fault when it is first used, and nothing before.
const SIZE: usize = 32 * 1024;

/// Bytes in the reserve.
const RESERVE: usize = 64 * 1024;

/// Memory in the program's image. What was taken is given back only if it was the last.
// The count comes first, on the page where the bytes begin, which a start touches anyway: one page fault less to read it
// and one less to change it.
#[repr(C)]
struct Arena<const SIZE: usize> {
    used: AtomicUsize,
    bytes: UnsafeCell<[u8; SIZE]>,
}

// SAFETY: each byte of the arena belongs to one piece at a time, by an atomic count. Who changes the count releases what
// it did to the bytes, and acquires what others did to those that it takes.
unsafe impl<const SIZE: usize> Sync for Arena<SIZE> {}

impl<const SIZE: usize> Arena<SIZE> {
    const fn new() -> Arena<SIZE> {
        Arena { bytes: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    fn has(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.start() as usize) < SIZE
    }

    /// A piece, or null.
    fn take(&self, layout: Layout) -> *mut u8 {
        let used = self.used.load(Ordering::Relaxed);
        let base = self.start() as usize;
        let at = (base + used).next_multiple_of(layout.align()) - base;
        let end = at.saturating_add(layout.size());
        if end <= SIZE && self.change(used, end) {
            // SAFETY: `at` is inside of the arena.
            return unsafe { self.start().add(at) };
        }
        core::ptr::null_mut()
    }

    /// Changes the number of bytes in use. Fails if another thread changed it meanwhile.
    fn change(&self, from: usize, to: usize) -> bool {
        self.used.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn give_back(&self, pointer: *mut u8, layout: Layout) {
        let at = pointer as usize - self.start() as usize;
        self.change(at + layout.size(), at);
    }

    /// Resizes a piece in place and returns whether it could. The last piece of the arena can grow, e.g. a vector
    /// being filled.
    fn resize(&self, pointer: *mut u8, layout: Layout, size: usize) -> bool {
        let at = pointer as usize - self.start() as usize;
        let (end, new_end) = (at + layout.size(), at.saturating_add(size));
        new_end <= SIZE && self.change(end, new_end)
    }
}

/// The allocator. It tries the arena first, then blocks from mmap(2), then the reserve.
#[repr(C)]
struct Memory {
    arena: Arena<SIZE>,
    blocks: Blocks,
    reserve: Arena<RESERVE>,
}

// Apart from HEAP, so that it is all zero and lies in .bss.
static MEMORY: Memory = Memory::new();

impl Memory {
    const fn new() -> Memory {
        Memory { arena: Arena::new(), blocks: Blocks::new(), reserve: Arena::new() }
    }

    /// A piece of the arena, else a block, else a piece of the reserve, else null.
    fn take(&self, layout: Layout) -> *mut u8 {
        let piece = self.arena.take(layout);
        if piece.is_null() { self.or_reserve(self.blocks.take(layout), layout) } else { piece }
    }

    /// The block, or if there is none a piece of the reserve.
    fn or_reserve(&self, block: *mut u8, layout: Layout) -> *mut u8 {
        if block.is_null() { self.reserve.take(layout) } else { block }
    }

    /// Takes back a piece, to be used again.
    ///
    /// # Safety
    /// It is from here, was taken with this layout, and nobody uses it any more.
    // A call for each value that is dropped must be no more than a call.
    #[inline(never)]
    unsafe fn give_back(&self, pointer: *mut u8, layout: Layout) {
        if self.arena.has(pointer) {
            self.arena.give_back(pointer, layout);
        } else if self.reserve.has(pointer) {
            self.reserve.give_back(pointer, layout);
        } else {
            // SAFETY: it is from neither arena, so it is a block.
            unsafe { self.blocks.give_back(pointer, layout) }
        }
    }

    /// The piece with another size, where it is or moved; null if it must be moved by the caller.
    ///
    /// # Safety
    /// As for [`GlobalAlloc::realloc`].
    unsafe fn resize(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let resized = if self.arena.has(pointer) {
            self.arena.resize(pointer, layout, size)
        } else if self.reserve.has(pointer) {
            self.reserve.resize(pointer, layout, size)
        } else {
            // SAFETY: it is from neither arena, so it is a block.
            return unsafe { self.blocks.resize(pointer, layout, size) };
        };
        if resized { pointer } else { core::ptr::null_mut() }
    }
}

/// The program's allocator.
pub struct Heap {
    memory: &'static Memory,
    /// Called when there is no memory left. It exits with a status; the standard library would abort.
    exhausted: fn() -> !,
}

impl Heap {
    /// Nothing taken yet, and what is done when there is no memory left.
    pub const fn new(exhausted: fn() -> !) -> Heap {
        Heap { memory: &MEMORY, exhausted }
    }
}

// SAFETY: memory of the arenas is aligned as asked for, inside the array, and handed out once until it
// is given back; everything else is a block. None of the three returns null.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let piece = self.memory.take(layout);
        if piece.is_null() {
            (self.exhausted)()
        }
        piece
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller promises it.
        unsafe { self.memory.give_back(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the size fits as the caller promises; the old piece is at least as long as what is
        // copied, and nobody uses it afterwards.
        unsafe {
            let resized = self.memory.resize(pointer, layout, size);
            if !resized.is_null() {
                return resized;
            }
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            new.copy_from_nonoverlapping(pointer, layout.size().min(size));
            self.memory.give_back(pointer, layout);
            new
        }
    }
}

/// Whether so many bytes more could be mapped now. Nothing is taken.
pub fn has_room(size: usize) -> bool {
    blocks::can_map(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_a_page_and_not_for_more_than_there_are_addresses() {
        assert!(has_room(4096) && !has_room(isize::MAX as usize));
    }

    fn exhausted() -> ! {
        panic!("no memory left")
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// A heap with memory of its own.
    fn apart() -> Heap {
        Heap { memory: Box::leak(Box::new(Memory::new())), exhausted }
    }

    #[test]
    fn pieces_are_aligned_and_do_not_overlap() {
        let heap = apart();
        let mut end = heap.memory.arena.start() as usize;
        for (size, align) in [(1, 1), (8, 8), (3, 1), (16, 64), (1, 4)] {
            // SAFETY: no size is zero.
            let piece = unsafe { heap.alloc(layout(size, align)) };
            assert!(heap.memory.arena.has(piece) && (piece as usize).is_multiple_of(align) && piece as usize >= end);
            end = piece as usize + size;
        }
    }

    #[test]
    fn what_does_not_fit_is_a_block() {
        let heap = apart();
        // SAFETY: the size is not zero, and the piece is given back with the layout it was taken with.
        unsafe {
            let large = heap.alloc(layout(SIZE + 1, 1));
            assert!(!large.is_null() && !heap.memory.arena.has(large));
            heap.memory.give_back(large, layout(SIZE + 1, 1));
        }
    }

    #[test]
    fn the_reserve_serves_when_there_is_no_block() {
        let heap = apart();
        let piece = heap.memory.or_reserve(core::ptr::null_mut(), layout(100, 8));
        assert!(heap.memory.reserve.has(piece) && !heap.memory.arena.has(piece));
        // SAFETY: it is given back with its own layout.
        unsafe { heap.memory.give_back(piece, layout(100, 8)) };
        assert_eq!(heap.memory.or_reserve(core::ptr::null_mut(), layout(8, 8)), piece);
    }

    #[test]
    #[should_panic(expected = "no memory left")]
    fn with_nothing_left_the_end_is_not_a_null_pointer() {
        // SAFETY: the size is not zero.
        unsafe { apart().alloc(layout(isize::MAX as usize, 1)) };
    }

    #[test]
    fn the_last_piece_grows_where_it_is_and_others_move_with_what_they_hold() {
        let heap = apart();
        // SAFETY: no size is zero, and each piece is resized and given back with its own layout.
        unsafe {
            let first = heap.alloc(layout(4, 1));
            first.copy_from_nonoverlapping(b"abcd".as_ptr(), 4);
            assert_eq!(heap.realloc(first, layout(4, 1), 8), first);
            let second = heap.alloc(layout(4, 1));
            let moved = heap.realloc(first, layout(8, 1), 12);
            assert!(moved != first && moved > second);
            assert_eq!(core::slice::from_raw_parts(moved, 4), b"abcd");
            let large = heap.realloc(moved, layout(12, 1), SIZE);
            assert!(!heap.memory.arena.has(large));
            assert_eq!(core::slice::from_raw_parts(large, 4), b"abcd");
            heap.memory.give_back(large, layout(SIZE, 1));
        }
    }

    #[test]
    fn the_last_piece_is_used_again_when_it_is_given_back() {
        let heap = apart();
        // SAFETY: no size is zero, and the piece is given back with its own layout.
        unsafe {
            let first = heap.alloc(layout(100, 1));
            heap.memory.give_back(first, layout(100, 1));
            assert_eq!(heap.alloc(layout(50, 1)), first);
        }
    }
}
