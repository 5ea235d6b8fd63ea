//! What the cache did, counted since the start of the server.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counts that go up.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Values that were found.
    hits: Counter,
    /// Values that were not there, also because Redis was not.
    misses: Counter,
    /// Commands that Redis refused or did not answer in time, and values that could not be read. While there is no
    /// connection no command is sent, so none fails.
    errors: Counter,
    /// Writes after which what was kept of a workspace was void.
    invalidations: Counter,
}

impl Counters {
    pub(super) fn looked(&self, found: bool) {
        if found { &self.hits } else { &self.misses }.inc();
    }

    pub(super) fn error(&self) {
        self.errors.inc();
    }

    pub(super) fn invalidation(&self) {
        self.invalidations.inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("cache_hits", "Values that the cache had", &self.hits),
            ("cache_misses", "Values that the cache did not have", &self.misses),
            (
                "cache_errors",
                "Commands that the cache refused or did not answer, and values without sense",
                &self.errors,
            ),
            ("cache_invalidations", "Writes that made values void", &self.invalidations),
        ] {
            registry.register(name, help, counter.clone());
        }
    }

    /// Hits, misses, errors, invalidations.
    #[cfg(test)]
    pub(super) fn counts(&self) -> [u64; 4] {
        [&self.hits, &self.misses, &self.errors, &self.invalidations].map(Counter::get)
    }
}
