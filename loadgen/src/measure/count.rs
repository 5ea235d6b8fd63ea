//! Requests around which the database's own counters are read.

use std::time::Duration;

use super::{Halt, Lane, Session};
use crate::probes::{StatementProbe, Unavailable};

/// Requests for an operation that is answered in less than [`SLOW`], and for one that is not.
const REQUESTS: (u64, u64) = (20, 5);

/// See [`REQUESTS`].
const SLOW: Duration = Duration::from_millis(100);

impl Session<'_> {
    /// Counts the work of one operation on one target; where that fails, the work is absent and a warning says why.
    pub(super) async fn count(
        &mut self,
        probe: &mut StatementProbe,
        subject: &str,
        operation: &str,
        lane: &Lane,
    ) -> Result<(), Halt> {
        let requests = if lane.mean_service < SLOW { REQUESTS.0 } else { REQUESTS.1 };
        let counted = self.unless_stopped(self.counters_around(probe, lane, requests)).await?;
        match counted {
            Ok((before, after)) => {
                let work = after.work_since(&before, subject, operation, requests);
                self.measured.work.push(work);
            }
            Err(reason) => {
                self.warn(format!("the work of {operation} on `{subject}` is not counted: {reason}"));
            }
        }
        Ok(())
    }

    async fn counters_around(
        &self,
        probe: &mut StatementProbe,
        lane: &Lane,
        requests: u64,
    ) -> Result<(crate::probes::Counters, crate::probes::Counters), Uncounted> {
        let before = probe.read().await?;
        for _ in 0..requests {
            let exchange = lane.prepared.send(&self.client, lane.prepared.request()).await;
            if let Some(failure) = lane.prepared.failure(&exchange) {
                return Err(Uncounted::Request(failure));
            }
        }
        Ok((before, probe.read().await?))
    }
}

/// Why work could not be counted.
#[derive(Debug, thiserror::Error)]
enum Uncounted {
    #[error("a request failed ({0})")]
    Request(String),
    #[error(transparent)]
    Probe(#[from] Unavailable),
}
