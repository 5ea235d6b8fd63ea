//! What a request asked of the database, counted while it runs, and noted in full for one that is profiled.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crate::profile::Recorder;

tokio::task_local! {
    static TALLY: Arc<Tally>;
}

/// Counts of one request.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    statements: AtomicU64,
    retries: AtomicU64,
    recorder: OnceLock<Arc<Recorder>>,
}

impl Tally {
    /// Statements that were sent to the database, those of transactions included.
    pub(crate) fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }

    /// Transactions that were begun again after a deadlock or a serialization failure.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Runs a request under this tally. What it spawns as tasks of their own is counted if it is [`carried`].
    pub(crate) async fn count<F: Future>(self: Arc<Self>, request: F) -> F::Output {
        TALLY.scope(self, request).await
    }
}

/// Runs a future that becomes a task of its own under the tally of the request that runs here.
pub(crate) fn carried<F: Future>(task: F) -> impl Future<Output = F::Output> {
    let tally = TALLY.try_with(Arc::clone).unwrap_or_default();
    tally.count(task)
}

/// From now on, this one takes notes of the request that runs here.
pub(crate) fn record(recorder: Arc<Recorder>) {
    // A request has one recorder; a second one would have nothing of the first.
    let _ = TALLY.try_with(|tally| tally.recorder.set(recorder));
}

/// Who takes notes of the request that runs here, if anybody.
pub(crate) fn recorder() -> Option<Arc<Recorder>> {
    TALLY.try_with(|tally| tally.recorder.get().cloned()).ok().flatten()
}

/// Notes a statement of the request that runs here, and says who wants to know more; outside of a request nothing is
/// counted.
pub(super) fn note_statement() -> Option<Arc<Recorder>> {
    let noted = TALLY.try_with(|tally| {
        tally.statements.fetch_add(1, Relaxed);
        tally.recorder.get().cloned()
    });
    noted.ok().flatten()
}

/// Notes a retry of the request that runs here.
pub(crate) fn note_retry() {
    let _ = TALLY.try_with(|tally| tally.retries.fetch_add(1, Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_is_carried_counts_for_the_request_that_spawned_it() {
        let tally = Arc::new(Tally::default());
        let request = async {
            drop(note_statement());
            tokio::spawn(carried(async { drop(note_statement()) })).await.unwrap();
            tokio::spawn(async { drop(note_statement()) }).await.unwrap();
        };
        Arc::clone(&tally).count(request).await;
        assert_eq!(tally.statements(), 2);
        // Outside of a request nothing is counted, and nothing breaks.
        carried(async { note_retry() }).await;
        assert_eq!(tally.retries(), 0);
    }
}
