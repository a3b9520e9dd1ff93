//! The allocator: a small arena in the program's own image, and malloc(3) behind it.
//!
//! A command that only sets something up and execs a program needs a few hundred bytes. From the
//! arena they cost nothing; malloc's first call costs four system calls and three page faults,
//! which is a tenth of what starting such a command takes.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;

/// Bytes in the arena: with the other zeroed variables it fits into one page.
const SIZE: usize = 2048;

/// The arena first, then malloc(3). What was taken from the arena is given back only if it was the last.
pub struct Heap {
    arena: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: each byte of the arena is handed out once, by an atomic count.
unsafe impl Sync for Heap {}

impl Heap {
    /// An arena with nothing taken from it.
    pub const fn new() -> Heap {
        Heap { arena: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) }
    }

    fn start(&self) -> *mut u8 {
        self.arena.get().cast()
    }

    fn has(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.start() as usize) < SIZE
    }
}

impl Default for Heap {
    fn default() -> Heap {
        Heap::new()
    }
}

// SAFETY: memory of the arena is aligned as asked for, inside the array, and handed out once until it
// is given back; everything else is malloc's.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = self.used.load(Ordering::Relaxed);
        let base = self.start() as usize;
        let at = (base + used).next_multiple_of(layout.align()) - base;
        let end = at.saturating_add(layout.size());
        if end <= SIZE && self.used.compare_exchange(used, end, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            // SAFETY: `at` is inside of the arena.
            return unsafe { self.start().add(at) };
        }
        // SAFETY: the caller's promises are malloc's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !self.has(pointer) {
            // SAFETY: it is not from the arena, so it is from malloc.
            return unsafe { System.dealloc(pointer, layout) };
        }
        let at = pointer as usize - self.start() as usize;
        let _ = self.used.compare_exchange(at + layout.size(), at, Ordering::Relaxed, Ordering::Relaxed);
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.has(pointer) {
            // SAFETY: it is not from the arena, so it is from malloc.
            return unsafe { System.realloc(pointer, layout, size) };
        }
        let at = pointer as usize - self.start() as usize;
        let (end, new_end) = (at + layout.size(), at.saturating_add(size));
        // The last piece can grow where it is, as a vector does that is being filled.
        if new_end <= SIZE && self.used.compare_exchange(end, new_end, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return pointer;
        }
        // SAFETY: the size fits as the caller promises; the old piece is at least as long as what is copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(pointer, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn pieces_are_aligned_and_do_not_overlap() {
        let heap = Heap::new();
        let mut end = heap.start() as usize;
        for (size, align) in [(1, 1), (8, 8), (3, 1), (16, 64), (1, 4)] {
            // SAFETY: no size is zero.
            let piece = unsafe { heap.alloc(layout(size, align)) };
            assert!(heap.has(piece) && (piece as usize).is_multiple_of(align) && piece as usize >= end);
            end = piece as usize + size;
        }
    }

    #[test]
    fn what_does_not_fit_comes_from_malloc() {
        let heap = Heap::new();
        // SAFETY: the size is not zero, and the piece is given back with the layout it was taken with.
        unsafe {
            let large = heap.alloc(layout(SIZE + 1, 1));
            assert!(!large.is_null() && !heap.has(large));
            heap.dealloc(large, layout(SIZE + 1, 1));
        }
    }

    #[test]
    fn the_last_piece_grows_where_it_is_and_others_move_with_what_they_hold() {
        let heap = Heap::new();
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
            assert!(!heap.has(large));
            assert_eq!(core::slice::from_raw_parts(large, 4), b"abcd");
            heap.dealloc(large, layout(SIZE, 1));
        }
    }

    #[test]
    fn the_last_piece_is_used_again_when_it_is_given_back() {
        let heap = Heap::new();
        // SAFETY: no size is zero, and the piece is given back with its own layout.
        unsafe {
            let first = heap.alloc(layout(100, 1));
            heap.dealloc(first, layout(100, 1));
            assert_eq!(heap.alloc(layout(50, 1)), first);
        }
    }
}
