//! Many who need the same value at the same moment, and one who computes it.
//!
//! Whoever misses a value queues for its *seat*, and takes a result that landed there meanwhile if that is as good as its
//! own would be: because it began after the miss was noticed, or because it overlapped and no write lies between. So one
//! query per value runs at a time in this process, also while writes void the value again and again: then those who queue
//! share the query that begins when the running one has ended. A leader that is given up leaves the seat to the next.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::cache::{Key, Stamp};
use crate::refusal::Refusal;

/// Seats are remembered for longer than any request may take.
const SEAT_LIFE: Duration = Duration::from_mins(1);

/// The most seats. One that is forgotten while it is in use costs a second query.
const SEATS: u64 = 10_000;

type Seat = Arc<Mutex<Option<Landed>>>;

#[derive(Debug)]
pub(super) struct Flights(moka::sync::Cache<Vec<Key>, Seat>);

/// A computation that has ended.
#[derive(Debug)]
struct Landed {
    stamp: Stamp,
    began: Instant,
    ended: Instant,
    result: Result<Vec<u8>, Refusal>,
}

impl Landed {
    fn serves(&self, stamp: Stamp, missed: Instant) -> bool {
        missed <= self.began || (missed <= self.ended && stamp == self.stamp)
    }
}

impl Flights {
    pub(super) fn new() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(SEATS).time_to_idle(SEAT_LIFE).build())
    }

    /// Computes these values, unless somebody else does it now. `stamp` was read before they were missed at `missed`.
    /// A failure is shared with those who waited, too: they would only wait for the same database again.
    pub(super) async fn join<T, F>(
        &self,
        keys: Vec<Key>,
        stamp: Stamp,
        missed: Instant,
        compute: F,
    ) -> Result<T, Refusal>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, Refusal>>,
    {
        let seat = self.0.get_with(keys, Seat::default);
        let mut landed = seat.lock().await;
        if let Some(landed) = landed.as_ref().filter(|landed| landed.serves(stamp, missed)) {
            return Ok(serde_json::from_slice(landed.result.as_ref().map_err(Clone::clone)?)?);
        }
        let began = Instant::now();
        let computed = compute.await;
        let result = match &computed {
            Ok(value) => serde_json::to_vec(value).map_err(Refusal::from),
            Err(refusal) => Err(refusal.clone()),
        };
        *landed = Some(Landed { stamp, began, ended: Instant::now(), result });
        computed
    }
}
