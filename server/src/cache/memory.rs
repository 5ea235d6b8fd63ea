//! The cache in the process: for one server, or where there is no Redis.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use crate::cache::Key;

/// The most that keys and values may take, in bytes. A workspace takes some 600.
const CAPACITY_BYTES: u64 = 16 << 20;

/// What the map itself takes for an entry, in bytes, roughly.
const ENTRY_BYTES: usize = 200;

#[derive(Debug)]
pub(super) struct Memory(Cache<Key, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    epoch: u64,
    ttl: Duration,
    value: Arc<[u8]>,
}

/// Each value has a life of its own, counted from when it was kept.
#[derive(Debug)]
struct Lives;

impl Expiry<Key, Entry> for Lives {
    fn expire_after_create(&self, _: &Key, entry: &Entry, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        entry: &Entry,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

impl Memory {
    pub(super) fn new() -> Self {
        let weigh = |key: &Key, entry: &Entry| {
            u32::try_from(key.size() + entry.value.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CAPACITY_BYTES).weigher(weigh).expire_after(Lives).build())
    }

    /// The value, if it was computed in this epoch of its workspace.
    pub(super) fn get(&self, key: &Key, epoch: u64) -> Option<Vec<u8>> {
        self.0.get(key).filter(|entry| entry.epoch == epoch).map(|entry| entry.value.to_vec())
    }

    pub(super) fn keep(&self, key: &Key, epoch: u64, ttl: Duration, value: Vec<u8>) {
        self.0.insert(key.clone(), Entry { epoch, ttl, value: value.into() });
    }
}
