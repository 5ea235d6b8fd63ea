//! Requests around which the database's own counters are read.

use std::time::Duration;

use super::{Halt, Session};
use crate::engine::Component;
use crate::error::Error;
use crate::operations::{self, Draw};
use crate::probes::{StatementProbe, Unavailable};

/// Requests for a fast operation. Counters don't waver as times do, so few are enough.
const MOST: u64 = 20;

/// A slow operation gets as many requests as fit into this, and at least one.
const AT_MOST: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Counts the work of one operation of a scenario on one target; where that fails, the work is absent and a warning says why.
    pub(super) async fn count(
        &mut self,
        probe: &mut StatementProbe,
        subject: &str,
        component: &Component,
        mean_service: Duration,
    ) -> Result<(), Halt> {
        let operation = component.operation.as_str();
        let fitting = AT_MOST.as_micros() / mean_service.as_micros().max(1);
        let requests = u64::try_from(fitting).unwrap_or(MOST).clamp(1, MOST);
        let counted = self.unless_stopped(self.counters_around(probe, component, requests)).await?;
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
        component: &Component,
        requests: u64,
    ) -> Result<(crate::probes::Counters, crate::probes::Counters), Uncounted> {
        component.prepared.provide(&self.client, requests).await?;
        let mut turns = component.prepared.turns();
        let before = probe.read().await?;
        for number in 0..requests {
            let request = turns.request(&mut Draw::new(self.plan.seed, number));
            let exchange = operations::send(&self.client, request).await;
            match exchange.outcome {
                Err(kind) => return Err(Uncounted::Request(kind.to_owned())),
                Ok(reply) => turns.check(&reply).map_err(|fault| Uncounted::Request(fault.to_string()))?,
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
    #[error(transparent)]
    Provision(#[from] Error),
}
