//! Requests around which the database's own counters are read.

use std::time::Duration;

use super::{Halt, Lane, Session};
use crate::probes::{StatementProbe, Unavailable};

/// Requests for a fast operation. Counters don't waver as times do, so few are enough.
const MOST: u64 = 20;

/// A slow operation gets as many requests as fit into this, and at least one.
const AT_MOST: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Counts the work of one operation on one target; where that fails, the work is absent and a warning says why.
    pub(super) async fn count(
        &mut self,
        probe: &mut StatementProbe,
        subject: &str,
        operation: &str,
        lane: &Lane,
    ) -> Result<(), Halt> {
        let fitting = AT_MOST.as_micros() / lane.mean_service.as_micros().max(1);
        let requests = u64::try_from(fitting).unwrap_or(MOST).clamp(1, MOST);
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
