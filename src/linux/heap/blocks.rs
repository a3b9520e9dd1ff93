//! Blocks of memory from mmap(2). Small blocks have sizes that are powers of two; they are cut from chunks and kept in
//! free lists. A large block is a mapping of its own and goes back to the kernel by munmap(2).

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::num::NonZeroUsize;
use core::ptr::{NonNull, null_mut};
use core::sync::atomic::{AtomicBool, Ordering};
use nix::sched::sched_yield;
use nix::sys::mman::{MRemapFlags, MapFlags, ProtFlags, mmap_anonymous, mremap, munmap};

/// The smallest block, in bytes: a free block holds a pointer.
const SMALLEST: usize = 32;
/// The sizes of small blocks: the smallest, twice that, and so on.
const SIZES: usize = 10;
/// The largest small block, in bytes.
const LARGEST: usize = SMALLEST << (SIZES - 1);
/// What small blocks are cut from, in bytes.
const CHUNK: usize = 8 * LARGEST;
/// The largest alignment that is served: a mapping has no greater one.
const PAGE: usize = 4096;

pub(super) struct Blocks {
    busy: AtomicBool,
    lists: UnsafeCell<Lists>,
}

struct Lists {
    /// The first free block of each size; each free block holds the address of the next.
    free: [*mut u8; SIZES],
    /// What is left of the last chunk.
    fresh: *mut u8,
    left: usize,
}

// SAFETY: the lists are touched only by who has made `busy` true.
unsafe impl Sync for Blocks {}

impl Blocks {
    pub(super) const fn new() -> Blocks {
        let lists = Lists { free: [null_mut(); SIZES], fresh: null_mut(), left: 0 };
        Blocks { busy: AtomicBool::new(false), lists: UnsafeCell::new(lists) }
    }

    /// A block, or null.
    pub(super) fn take(&self, layout: Layout) -> *mut u8 {
        match small(layout) {
            Some((index, size)) => self.with(|lists| lists.take(index, size)),
            None if layout.align() > PAGE => null_mut(),
            None => map(layout.size()),
        }
    }

    /// Takes back a block.
    ///
    /// # Safety
    /// It was taken with this layout, and nobody uses it any more.
    pub(super) unsafe fn give_back(&self, block: *mut u8, layout: Layout) {
        match small(layout) {
            Some((index, _)) => self.with(|lists| {
                if let Some(first) = lists.free.get_mut(index) {
                    // SAFETY: the block has room for a pointer, is aligned for one, and is nobody's.
                    unsafe { block.cast::<*mut u8>().write(*first) };
                    *first = block;
                }
            }),
            None => {
                if let Some(mapping) = NonNull::new(block.cast()) {
                    // SAFETY: it is a mapping of this length.
                    let _ = unsafe { munmap(mapping, layout.size()) };
                }
            }
        }
    }

    /// The block with another size, where it is or moved; null if neither can be.
    ///
    /// # Safety
    /// As for [`Blocks::give_back`]; `size` is not 0 and no more than `isize::MAX`.
    pub(super) unsafe fn resize(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises it.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (small(layout), small(new)) {
            (Some((before, _)), Some((after, _))) if before == after => block,
            (None, None) => {
                let Some(mapping) = NonNull::new(block.cast()) else { return null_mut() };
                // SAFETY: it is a mapping of this length, and nobody uses its old address afterwards.
                let moved = unsafe { mremap(mapping, layout.size(), size, MRemapFlags::MREMAP_MAYMOVE, None) };
                moved.map_or(null_mut(), |moved| moved.cast().as_ptr())
            }
            _ => null_mut(),
        }
    }

    /// Calls a function with the lists, one thread at a time. A spin lock is enough, since each holds it briefly.
    fn with<T>(&self, work: impl FnOnce(&mut Lists) -> T) -> T {
        while self.busy.swap(true, Ordering::Acquire) {
            let _ = sched_yield();
        }
        // SAFETY: nobody else has them until `busy` is false again.
        let done = work(unsafe { &mut *self.lists.get() });
        self.busy.store(false, Ordering::Release);
        done
    }
}

impl Lists {
    fn take(&mut self, index: usize, size: usize) -> *mut u8 {
        let Some(first) = self.free.get_mut(index) else { return null_mut() };
        let block = *first;
        if !block.is_null() {
            // SAFETY: a block in a list is free and holds the address of the next.
            *first = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        // Chunks begin at a page boundary, so a block at a multiple of its size is aligned to its size, up to a page.
        let skip = self.left % size;
        if self.left - skip < size {
            let chunk = map(CHUNK);
            if chunk.is_null() {
                return chunk;
            }
            (self.fresh, self.left) = (chunk, CHUNK);
            return self.cut(size);
        }
        self.cut(skip);
        self.cut(size)
    }

    /// The next `length` bytes of the chunk, which has them.
    fn cut(&mut self, length: usize) -> *mut u8 {
        let block = self.fresh;
        self.fresh = block.wrapping_add(length);
        self.left -= length;
        block
    }
}

/// The list for a layout, and the size of its blocks. `None`: so large that it gets a mapping of its own.
fn small(layout: Layout) -> Option<(usize, usize)> {
    let size = layout.size().max(layout.align()).max(SMALLEST);
    if size > LARGEST || layout.align() > PAGE {
        return None;
    }
    let size = size.next_power_of_two();
    Some(((size / SMALLEST).trailing_zeros() as usize, size))
}

/// A new mapping, or null.
fn map(length: usize) -> *mut u8 {
    let Some(length) = NonZeroUsize::new(length) else { return null_mut() };
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new mapping, at an address that the kernel chooses.
    let mapping = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_PRIVATE) };
    mapping.map_or(null_mut(), |mapping| mapping.cast().as_ptr())
}

/// Whether a mapping of this length can be made. It is undone.
pub(super) fn can_map(length: usize) -> bool {
    let mapping = NonNull::new(map(length).cast());
    // SAFETY: it was made here, of this length, and nobody has its address.
    mapping.is_some_and(|mapping| unsafe { munmap(mapping, length) }.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_aligned_do_not_overlap_and_are_used_again() {
        let blocks = Blocks::new();
        let mut taken = Vec::new();
        for size in [1, 32, 33, 100, 4096, 5000, LARGEST, LARGEST + 1, 100_000] {
            for align in [1, 8, 64, 4096] {
                let block = blocks.take(layout(size, align));
                assert!(!block.is_null() && (block as usize).is_multiple_of(align), "{size} {align}");
                // SAFETY: the block has that many bytes.
                unsafe { block.write_bytes(taken.len() as u8, size) };
                taken.push((block, layout(size, align)));
            }
        }
        for (index, (block, layout)) in taken.iter().enumerate() {
            // SAFETY: the block is ours, and given back with the layout that it was taken with.
            unsafe {
                assert!((0..layout.size()).all(|at| block.add(at).read() == index as u8));
                blocks.give_back(*block, *layout);
            }
        }
        let (last, again) =
            taken.iter().rev().find(|(_, layout)| layout.size() == 100 && layout.align() < 128).unwrap();
        assert_eq!(blocks.take(*again), *last);
    }

    #[test]
    fn a_block_keeps_what_it_holds_when_it_grows() {
        let blocks = Blocks::new();
        // SAFETY: each block is resized and given back with its own layout.
        unsafe {
            let small = blocks.take(layout(40, 1));
            assert_eq!(blocks.resize(small, layout(40, 1), 64), small);
            assert!(blocks.resize(small, layout(64, 1), 65).is_null(), "the caller moves it");
            let large = blocks.take(layout(100_000, 8));
            large.write(7);
            let grown = blocks.resize(large, layout(100_000, 8), 10_000_000);
            assert_eq!(grown.read(), 7);
            grown.add(9_999_999).write(1);
            blocks.give_back(grown, layout(10_000_000, 8));
        }
    }

    #[test]
    fn threads_take_and_give_back_at_the_same_time() {
        let blocks = Blocks::new();
        crate::thread::scope(|team| {
            for mark in 1..=4 {
                let blocks = &blocks;
                assert!(team.start(64 * 1024, move || {
                    for _ in 0..10_000 {
                        let block = blocks.take(layout(48, 8));
                        // SAFETY: the block is ours until it is given back.
                        unsafe {
                            block.write(mark);
                            assert_eq!(block.read(), mark);
                            blocks.give_back(block, layout(48, 8));
                        }
                    }
                }));
            }
        });
    }
}
