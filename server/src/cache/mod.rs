//! What was computed a moment ago: in Redis where there is one, in this process otherwise.
//!
//! Values are kept under a *stamp* of their workspace that was read before the value was computed, and count only as
//! long as the workspace still has that stamp. A write takes the stamp away ([`Cache::forget`]), so everything kept of the
//! workspace is void at once, for all roles, without being looked for. A query that began before the write and ends after
//! it keeps its old number under the old stamp, where nobody finds it.
//!
//! A stamp has two halves: an epoch of this process, and, with Redis, a random one that all servers share. A write that
//! Redis does not hear of counts in this process at once; the others hear of it when this one reaches Redis again, and
//! until then show what they had for as long as it lives.
//!
//! Nothing here fails: without an answer of Redis in time, a value is a value that has to be computed.

mod counters;
mod epochs;
mod flights;
mod key;
mod link;
mod memory;
pub(crate) mod profiles;
mod redis;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use self::counters::Counters;
use self::epochs::Epochs;
use self::flights::Flights;
pub(crate) use self::key::Key;
use self::memory::Memory;
use self::profiles::Profiles;
use self::redis::Redis;
use crate::database::Database;
use crate::refusal::Refusal;
use crate::{Config, Error};

/// The longest life of a value. After it, a write that Redis has not heard of can't matter any more.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_mins(10);

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Out of the cache as a whole.
    Hit,
    /// Some of it had to be computed, here or by another request that was waited for.
    Miss,
}

impl Outcome {
    /// The value of the header `X-Cache`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
        }
    }
}

/// The state of a workspace that a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    /// Of this process.
    epoch: u64,
    /// Of all servers; none when Redis did not answer, or there is none.
    shared: Option<Uuid>,
}

/// What a look into the cache found. It remembers the stamp, so look before you compute.
#[derive(Debug)]
pub(crate) struct Looked {
    keys: Vec<Key>,
    found: Vec<Option<Vec<u8>>>,
    stamp: Stamp,
    at: Instant,
}

/// The cache of a server.
#[derive(Debug, Clone)]
pub(crate) struct Cache(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    epochs: Epochs,
    flights: Flights,
    counters: Arc<Counters>,
}

#[derive(Debug)]
enum Store {
    Memory(Memory, Profiles),
    Redis(Redis),
}

impl Cache {
    /// The cache that the configuration asks for. A Redis that does not answer is no reason not to start; a URL that is
    /// none is.
    pub(crate) async fn open(config: &Config, database: &Database) -> Result<Self, Error> {
        let counters = Arc::new(Counters::default());
        let store = match &config.redis_url {
            None => Store::Memory(Memory::new(), Profiles::new()),
            Some(url) => {
                let identity = database.identity().await.map_err(Error::NoIdentity)?;
                Store::Redis(Redis::open(url, config.cache_wait, &identity, Arc::clone(&counters)).await?)
            }
        };
        Ok(Self::over(store, counters))
    }

    fn over(store: Store, counters: Arc<Counters>) -> Self {
        Self(Arc::new(Inner { store, epochs: Epochs::default(), flights: Flights::new(), counters }))
    }

    /// The value under this key, or what `fetch` computes, which is then kept for `ttl`. Many who miss the same value at
    /// the same moment make one of them compute it. `fetch` must take its own connection: whoever waits here while it
    /// holds one may hold the very one that is needed.
    pub(crate) async fn get_or_fetch<T, F>(
        &self,
        key: Key,
        ttl: Duration,
        fetch: F,
    ) -> Result<(T, Outcome), Refusal>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Refusal>>,
    {
        let looked = self.look(vec![key]).await;
        if let Some(value) = self.value(&looked, 0) {
            return Ok((value, Outcome::Hit));
        }
        let computed = async {
            let value = fetch.await?;
            self.keep(&looked, 0, ttl, &value).await;
            Ok(value)
        };
        Ok((self.fetch(&looked, &[0], computed).await?, Outcome::Miss))
    }

    /// Looks for several values of one workspace at once.
    pub(crate) async fn look(&self, keys: Vec<Key>) -> Looked {
        let at = Instant::now();
        let Some(workspace_id) = keys.first().map(|key| key.workspace_id) else {
            return Looked { keys, found: Vec::new(), stamp: Stamp { epoch: 0, shared: None }, at };
        };
        let epoch = self.0.epochs.of(workspace_id);
        let (shared, found) = match &self.0.store {
            Store::Memory(memory, _) => (None, keys.iter().map(|key| memory.get(key, epoch)).collect()),
            Store::Redis(redis) => redis.look(workspace_id, &keys).await,
        };
        Looked { keys, found, stamp: Stamp { epoch, shared }, at }
    }

    /// The value of one of the keys that were looked for, by its place. What can't be read is not there.
    pub(crate) fn value<T: DeserializeOwned>(&self, looked: &Looked, place: usize) -> Option<T> {
        let bytes = looked.found.get(place).and_then(Option::as_ref);
        let value = bytes.and_then(|bytes| match serde_json::from_slice(bytes) {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.counters.error();
                tracing::debug!(%error, "a cached value can't be read");
                None
            }
        });
        self.0.counters.looked(value.is_some());
        value
    }

    /// Keeps the value of one of the keys that were looked for.
    pub(crate) async fn keep<T: Serialize>(&self, looked: &Looked, place: usize, ttl: Duration, value: &T) {
        let Some(key) = looked.keys.get(place) else { return };
        let ttl = ttl.min(LONGEST_LIFE);
        let bytes = match serde_json::to_vec(value) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.0.counters.error();
                tracing::warn!(%error, "a value can't be cached");
                return;
            }
        };
        match (&self.0.store, looked.stamp.shared) {
            (Store::Memory(memory, _), _) => memory.keep(key, looked.stamp.epoch, ttl, bytes),
            (Store::Redis(redis), Some(stamp)) => redis.keep(key, stamp, ttl, &bytes).await,
            // Redis did not answer a moment ago, and a value without a stamp would never be void.
            (Store::Redis(_), None) => {}
        }
    }

    /// Lets one of those who miss these keys of a look compute them, while the others wait for its result.
    pub(crate) async fn fetch<T, F>(&self, looked: &Looked, places: &[usize], fetch: F) -> Result<T, Refusal>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Refusal>>,
    {
        let keys = places.iter().filter_map(|place| looked.keys.get(*place).cloned()).collect();
        self.0.flights.join(keys, looked.stamp, looked.at, fetch).await
    }

    /// Makes everything kept of this workspace void. To be called after a write was committed and before it is answered;
    /// takes no longer than a look.
    pub(crate) async fn forget(&self, workspace_id: Uuid) {
        self.0.epochs.advance(workspace_id);
        self.0.counters.invalidation();
        if let Store::Redis(_) = &self.0.store {
            let cache = self.clone();
            // A task of its own, because the request may be given up while it waits, and the write is there all the same.
            let told = tokio::spawn(async move {
                if let Store::Redis(redis) = &cache.0.store {
                    redis.forget(workspace_id).await;
                }
            });
            if let Err(error) = told.await {
                tracing::error!(%error, "a write could not be told to Redis");
            }
        }
    }

    /// Shows what happened so far.
    pub(crate) fn register(&self, registry: &mut prometheus_client::registry::Registry) {
        self.0.counters.register(registry);
    }
}

#[cfg(test)]
mod tests;
