//! Latency histograms with one fixed shape, so that any two of them can be added exactly.
//!
//! Values are microseconds, from 1 us to 1 h with three significant digits. Averaging percentiles is wrong; adding
//! histograms is exact, which is why windows, rounds and machines all keep whole histograms.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize, de};

/// Largest value that a histogram tells apart: one hour, in microseconds. Longer times are recorded as this.
pub const MAX_US: u64 = 3_600_000_000;

/// A histogram of durations in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency(Histogram<u64>);

impl Latency {
    /// An empty histogram.
    ///
    /// # Panics
    /// Never: the bounds are constants that the histogram accepts.
    #[must_use]
    pub fn new() -> Self {
        Self(Histogram::new_with_bounds(1, MAX_US, 3).expect("1..1 h at three digits is a valid histogram"))
    }

    /// Records one duration, rounded down to microseconds; below 1 us counts as 1 us, above 1 h as 1 h.
    pub fn record(&mut self, duration: Duration) {
        let us = u64::try_from(duration.as_micros()).unwrap_or(MAX_US);
        self.0.saturating_record(us.max(1));
    }

    /// Adds every sample of `other`, exactly.
    ///
    /// # Panics
    /// Never: all histograms of this type share their bounds.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all latencies share their bounds");
    }

    /// Number of samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The value at `quantile` (0 to 1) in microseconds; `None` without samples.
    #[must_use]
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(quantile))
    }

    /// The sample of this rank (1 is the smallest) in microseconds, at the upper edge of its bucket as
    /// [`Self::quantile_us`] has it; `None` for rank 0 and beyond the number of samples.
    #[must_use]
    pub fn at_rank_us(&self, rank: u64) -> Option<u64> {
        if rank == 0 {
            return None;
        }
        let mut seen = 0;
        self.0.iter_recorded().find_map(|bucket| {
            seen += bucket.count_since_last_iteration();
            (seen >= rank).then(|| self.0.highest_equivalent(bucket.value_iterated_to()).min(self.0.max()))
        })
    }

    /// The greatest sample in microseconds; `None` without samples.
    #[must_use]
    pub fn max_us(&self) -> Option<u64> {
        (self.count() > 0).then(|| self.0.max())
    }

    /// The arithmetic mean in microseconds; `None` without samples.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.0.mean())
    }

    /// The histogram itself, for what has its own format.
    #[must_use]
    pub fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self::new()
    }
}

/// Stored as base64 of the V2 format with DEFLATE, which other `HdrHistogram` tools read as well.
impl Serialize for Latency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&BASE64.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64.decode(text).map_err(de::Error::custom)?;
        let stored: Histogram<u64> =
            Deserializer::new().deserialize(&mut &bytes[..]).map_err(de::Error::custom)?;
        // Re-record into the shared bounds, so that a hand-made file can't smuggle in a shape that can't be added.
        let mut latency = Self::new();
        latency.0.add(&stored).map_err(de::Error::custom)?;
        Ok(latency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values_us: &[u64]) -> Latency {
        let mut latency = Latency::new();
        for us in values_us {
            latency.record(Duration::from_micros(*us));
        }
        latency
    }

    #[test]
    fn adding_is_the_same_as_recording_everything_in_one() {
        let mut sum = of(&[1, 250, 90_000]);
        sum.add(&of(&[7, 1_000_000]));
        assert_eq!(sum, of(&[1, 250, 90_000, 7, 1_000_000]));
    }

    #[test]
    fn the_stored_form_reads_back_equal() {
        let latency = of(&[1, 2, 3, 500_000, 7_200_000_000]);
        let json = serde_json::to_string(&latency).unwrap();
        assert_eq!(serde_json::from_str::<Latency>(&json).unwrap(), latency);
    }

    #[test]
    fn a_rank_finds_the_sample_that_stands_there() {
        let latency = of(&[30, 10, 20, 20, 900_000]);
        let at = |rank| latency.at_rank_us(rank);
        assert_eq!(
            [at(0), at(1), at(2), at(3), at(4), at(6)],
            [None, Some(10), Some(20), Some(20), Some(30), None]
        );
        assert_eq!(at(5), latency.max_us());
    }

    #[test]
    fn an_empty_histogram_has_no_percentile() {
        assert_eq!(Latency::new().quantile_us(0.5), None);
        assert_eq!(Latency::new().max_us(), None);
    }
}
