//! Requests that are not measured: caches fill, plans are made, connections open.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::window::LEAD;
use super::{Halt, Session};
use crate::engine::{Ended, Engine, Loop, Stage, Traffic, Users};
use crate::recorder::Recording;
use crate::rounds;

/// A target gets at least this many requests, however slow it is. One has been answered while it was prepared.
const FEWEST: u64 = 1;

/// What a warm-up of a scenario may use up; what it lacks beyond is an error that the warm-up tells of.
const WARM_STOCK: u64 = 1_000;

/// Requests of a warm-up draw other things than those of any round.
const WARM: u64 = u64::MAX;

/// Users in the second half.
const COMPANY: usize = 8;

impl Session<'_> {
    /// Half of the warm-up's time one request after another, which tells the service time of the target alone; the
    /// other half in company, so that the server's other connections are warm too. A target for which the first half
    /// was over with the fewest requests is spared the second. Returns the mean service time of the first half.
    pub(crate) async fn warm_up(
        &mut self,
        engine: &mut Engine,
        subject: &str,
        operation: &str,
        traffic: &Arc<Traffic>,
    ) -> Result<Duration, Halt> {
        let half = self.plan.warm_up / 2;
        let alone = self.warm(engine, traffic, 1, half, FEWEST).await?;
        let (failed, requests) = (alone.errors.values().sum::<u64>(), alone.requests);
        if failed > 0 {
            let kinds: Vec<&str> = alone.errors.keys().map(String::as_str).collect();
            self.warn(format!(
                "{failed} of {requests} requests of the warm-up of {operation} on `{subject}` failed: {}",
                kinds.join(", ")
            ));
        }
        if requests > FEWEST {
            self.warm(engine, traffic, COMPANY.min(self.plan.workers()), half, 0).await?;
        }
        Ok(mean_without_slowest(&alone))
    }

    async fn warm(
        &self,
        engine: &mut Engine,
        traffic: &Arc<Traffic>,
        users: usize,
        length: Duration,
        at_least: u64,
    ) -> Result<Recording, Halt> {
        self.provide(traffic, WARM_STOCK).await?;
        let opened = Instant::now() + LEAD;
        let turns = Loop::Closed(Users::new(users, opened, length, at_least));
        let stage =
            Arc::new(Stage::warm_up(Arc::clone(traffic), rounds::mix(self.plan.seed, WARM), turns, opened));
        match engine.run(&stage).await? {
            Ended::Drained => {
                let mut whole = Recording::default();
                stage.recordings().iter().for_each(|part| whole.add(part));
                Ok(whole)
            }
            Ended::Stopped => Err(Halt::Stopped),
        }
    }
}

/// The slowest request of a warm-up is the first one, which met cold caches, and says nothing about the windows.
fn mean_without_slowest(recording: &Recording) -> Duration {
    let service = &recording.timings.service;
    let (Some(mean), Some(slowest)) = (service.mean_us(), service.max_us()) else { return Duration::ZERO };
    let count = service.count() as f64;
    let others = if count > 1.0 { (mean * count - slowest as f64) / (count - 1.0) } else { mean };
    Duration::from_secs_f64(others.max(0.0) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::Sample;

    #[test]
    fn the_cold_request_does_not_count_for_the_service_time() {
        let mut recording = Recording::default();
        for ms in [900, 10, 10] {
            let service = Duration::from_millis(ms);
            let sample =
                Sample { due_after: Duration::ZERO, lag: Duration::ZERO, service, lateness: Duration::ZERO };
            recording.record(sample, false, None);
        }
        let mean_ms = mean_without_slowest(&recording).as_secs_f64() * 1e3;
        // Three significant digits of 900 ms, spread over two requests, are half a millisecond.
        assert!((mean_ms - 10.0).abs() < 0.5, "{mean_ms}");
    }
}
