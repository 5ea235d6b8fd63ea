//! What the cache did, counted since the start of the server.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts that go up.
#[derive(Debug, Default)]
pub(super) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
    invalidations: AtomicU64,
}

/// The counts of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Values that were found.
    pub(crate) hits: u64,
    /// Values that were not there, also because Redis was not.
    pub(crate) misses: u64,
    /// Commands that Redis refused or did not answer in time, and values that could not be read. While there is no
    /// connection no command is sent, so none fails.
    pub(crate) errors: u64,
    /// Writes after which what was kept of a workspace was void.
    pub(crate) invalidations: u64,
}

impl Counters {
    pub(super) fn looked(&self, found: bool) {
        let count = if found { &self.hits } else { &self.misses };
        count.fetch_add(1, Relaxed);
    }

    pub(super) fn error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    pub(super) fn invalidation(&self) {
        self.invalidations.fetch_add(1, Relaxed);
    }

    pub(super) fn snapshot(&self) -> Counts {
        Counts {
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            errors: self.errors.load(Relaxed),
            invalidations: self.invalidations.load(Relaxed),
        }
    }
}
