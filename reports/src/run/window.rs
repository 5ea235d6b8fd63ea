//! What was measured by the clock: windows, with every request that was due in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::latency::Latency;

/// One measured window: one subject, one operation, one round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Window {
    /// [`Subject::name`](super::Subject::name).
    pub subject: String,
    /// Name of the operation.
    pub operation: String,
    /// Round, from 1.
    pub round: u32,
    /// 1, or 2 for the second look at the control subject, which gives the noise floor (A/A).
    pub pass: u32,
    /// Seconds since the start of the run at which the window opened.
    pub opened_s: f64,
    /// Seconds for which requests were offered.
    pub offered_s: f64,
    /// Seconds until the last of them was answered.
    pub drained_s: f64,
    /// Arrivals per second that the schedule held; `None` in the closed loop.
    pub offered_per_second: Option<f64>,
    /// Requests sent.
    pub requests: u64,
    /// Arrivals that were dropped because no worker was free when they were due; 0 where they wait instead.
    #[serde(default)]
    pub skipped: u64,
    /// Requests that failed, by kind (`timeout`, `connect`, `status 503`, `wrong reply: …`). Their times are in the
    /// histograms too.
    pub errors: BTreeMap<String, u64>,
    /// The times of all requests of the window.
    pub timings: Timings,
    /// Second by second, counted from the opening of the window, by the second in which the request was due.
    pub series: Vec<Second>,
    /// CPU used during the window, in seconds of one core.
    pub cpu: CpuCost,
    /// Why the window cannot be trusted; empty when it can. A client that was late is the usual reason.
    pub invalid: Vec<String>,
}

/// The four histograms of a window. `response = lag + service` for each request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timings {
    /// `sent - due`: how long the request waited for a free connection or a late client.
    pub lag: Latency,
    /// `done - sent`: from sending to the last byte of the body.
    pub service: Latency,
    /// `done - due`: what a user would have waited; budgets judge this one.
    pub response: Latency,
    /// The part of `lag` that is the client's own fault: a worker was free, but woke late.
    pub lateness: Latency,
}

impl Timings {
    /// Adds all samples of `other`.
    pub fn add(&mut self, other: &Self) {
        self.lag.add(&other.lag);
        self.service.add(&other.service);
        self.response.add(&other.response);
        self.lateness.add(&other.lateness);
    }
}

/// One second of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Requests that were due in it.
    pub requests: u64,
    /// Of these, failed ones.
    pub errors: u64,
    /// Median response in microseconds; `None` when there was no request, and where several shards had some: a median can't
    /// be had from medians. Schema 1 had 0 for that.
    #[serde(default, deserialize_with = "known")]
    pub p50_us: Option<u64>,
    /// Greatest response in microseconds.
    pub max_us: u64,
}

/// A time that schema 1 wrote as 0 where it was not known; no answer takes less than half a microsecond.
fn known<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::deserialize(source)?.filter(|us| *us > 0))
}

/// CPU seconds used during a window; `None` where the process can't be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuCost {
    /// The load generator itself.
    pub client_s: Option<f64>,
    /// The server under test.
    pub server_s: Option<f64>,
    /// All processes of the database server.
    pub database_s: Option<f64>,
    /// Resident memory of the server at the end of the window, in bytes.
    pub server_rss_bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_that_is_not_known_is_null_and_was_0_in_schema_1() {
        let of = |p50: &str| {
            let text = format!(r#"{{"requests": 2, "errors": 0, "p50_us": {p50}, "max_us": 9}}"#);
            serde_json::from_str::<Second>(&text).unwrap()
        };
        assert_eq!((of("0").p50_us, of("null").p50_us, of("7").p50_us), (None, None, Some(7)));
        assert!(serde_json::to_string(&of("0")).unwrap().contains("\"p50_us\":null"));
    }
}
