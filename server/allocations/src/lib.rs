//! What a piece of work allocates, counted on the thread that it runs on.
//!
//! [`Counting`] hands everything to the system's allocator and keeps three numbers per thread, so nobody waits for
//! anybody. [`counted`] reads them around a closure. Work that moves between threads, as a future does, is counted poll by
//! poll: what one poll allocates and a later one on another thread frees is subtracted there.
//!
//! A counting allocator that others could share is not at hand: those that count per thread have no `realloc` of their
//! own, so that a growing vector is copied each time, and the others count the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The allocator. It counts when a program names it its own:
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: allocations::Counting = allocations::Counting;
///
/// let (_, counts) = allocations::counted(|| vec![0_u8; 1000]);
/// assert_eq!(counts, allocations::Counts { bytes: 1000, calls: 1, kept: 1000, peak: 1000 });
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Counting;

/// What a piece of work did to the heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes that were asked for, whether they were freed again or not. A block that grows counts by what it grew.
    pub bytes: u64,
    /// How often memory was asked for, growing included.
    pub calls: u64,
    /// Bytes that are still there at the end; negative when what others had allocated was freed.
    pub kept: i64,
    /// The most bytes that were there at a time, beside those at the beginning.
    pub peak: i64,
}

/// The numbers of a thread. They begin anew with each [`counted`].
struct Thread {
    bytes: Cell<u64>,
    calls: Cell<u64>,
    kept: Cell<i64>,
    peak: Cell<i64>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread { bytes: Cell::new(0), calls: Cell::new(0), kept: Cell::new(0), peak: Cell::new(0) }
    };
}

/// Notes a change of what is there. No block is larger than half of the address space, so nothing wraps.
fn note(grown: usize, shrunk: usize) {
    // A thread that is being taken down has no numbers any more.
    let _ = THREAD.try_with(|thread| {
        thread.bytes.set(thread.bytes.get().wrapping_add(grown as u64));
        thread.calls.set(thread.calls.get().wrapping_add(u64::from(grown > 0)));
        let kept = thread.kept.get().wrapping_add_unsigned(grown as u64).wrapping_sub_unsigned(shrunk as u64);
        thread.kept.set(kept);
        thread.peak.set(thread.peak.get().max(kept));
    });
}

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: each method hands its arguments to the system's allocator, whose promises and demands are the same, and gives
// what that gives. Counting allocates nothing and can't unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size.saturating_sub(layout.size()), layout.size().saturating_sub(new_size));
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, layout.size());
        unsafe { System.dealloc(block, layout) }
    }
}

/// Runs a piece of work and says what it allocated on this thread. May be nested: what the inner one did counts for the
/// outer one too.
///
/// All counts are zero in a program whose allocator is not [`Counting`]; see [`is_counting`].
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Counts) {
    let outer = take(Counts::default());
    let result = work();
    let inner = take(outer);
    THREAD.with(|thread| {
        thread.bytes.set(outer.bytes.wrapping_add(inner.bytes));
        thread.calls.set(outer.calls.wrapping_add(inner.calls));
        thread.kept.set(outer.kept.wrapping_add(inner.kept));
        thread.peak.set(outer.peak.max(outer.kept.wrapping_add(inner.peak)));
    });
    (result, inner)
}

/// The numbers of this thread, with others put in their place.
fn take(other: Counts) -> Counts {
    THREAD.with(|thread| Counts {
        bytes: thread.bytes.replace(other.bytes),
        calls: thread.calls.replace(other.calls),
        kept: thread.kept.replace(other.kept),
        peak: thread.peak.replace(other.peak),
    })
}

/// Whether this program counts at all.
#[must_use]
pub fn is_counting() -> bool {
    counted(|| drop(std::hint::black_box(Box::new(0_u8)))).1.calls > 0
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    #[test]
    fn bytes_are_counted_whether_they_are_freed_or_not_and_the_peak_is_what_was_there_at_once() {
        let (kept, counts) = counted(|| {
            drop(black_box(vec![0_u8; 300]));
            let kept = black_box(vec![1_u8; 100]);
            drop(black_box(vec![1_u8; 150]));
            kept
        });
        assert_eq!(counts, Counts { bytes: 550, calls: 3, kept: 100, peak: 300 });
        let ((), freed) = counted(|| drop(kept));
        assert_eq!(freed, Counts { bytes: 0, calls: 0, kept: -100, peak: 0 });
    }

    #[test]
    fn a_block_that_grows_counts_by_what_it_grew() {
        let (_, counts) = counted(|| {
            let mut block = black_box(Vec::<u8>::with_capacity(100));
            block.reserve_exact(250);
            block.shrink_to(200);
            block
        });
        assert_eq!(counts, Counts { bytes: 250, calls: 2, kept: 200, peak: 250 });
    }

    #[test]
    fn what_is_nested_counts_for_both() {
        let (inner, outer) = counted(|| {
            let held = black_box(vec![0_u8; 50]);
            let ((), inner) = counted(|| drop(black_box(vec![0_u8; 200])));
            drop(held);
            inner
        });
        assert_eq!(inner, Counts { bytes: 200, calls: 1, kept: 0, peak: 200 });
        assert_eq!(outer, Counts { bytes: 250, calls: 2, kept: 0, peak: 250 });
    }

    #[test]
    fn other_threads_count_for_themselves() {
        let (inner, outer) = counted(|| {
            std::thread::spawn(|| counted(|| drop(black_box(vec![0_u8; 1 << 20]))).1).join().unwrap()
        });
        assert_eq!(inner.peak, 1 << 20);
        assert!(outer.peak < 1 << 20, "{outer:?}");
        assert!(is_counting());
    }
}
