//! The same request asked several times.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::judgement::Judgement;
use super::record::Profile;

/// The version of the layout of `profile.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// A request, its profiles, and what the assertions said of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// `profile-20260101-120000`.
    pub name: String,
    /// When the first request was sent, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last answer had come, UTC.
    pub finished_at: DateTime<Utc>,
    /// Version of callbench.
    pub callbench: String,
    /// The command line that asks again.
    pub command: String,
    /// What was asked for: a path, or the name of a scenario.
    pub asked: String,
    /// Path and query as they were sent.
    pub path: String,
    /// Who answered.
    pub server: Server,
    /// The first answer, which no figure counts; `None` where a single request was sent.
    pub warm_up: Option<Repeat>,
    /// Every counted answer, in the order of sending; at least one.
    pub repeats: Vec<Repeat>,
    /// The place in `repeats` of the one that is shown and judged. See [`median`].
    pub median: usize,
    /// What the assertions said.
    pub verdicts: Vec<Judgement>,
}

/// Who answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// A variant of the reference server, or `target`.
    pub name: String,
    /// The level of its schema, where it is known.
    pub level: Option<String>,
    /// What stands before the path.
    pub base_url: String,
}

impl Session {
    /// The answer that is shown and judged; `None` only where nothing was counted.
    #[must_use]
    pub fn shown(&self) -> Option<&Repeat> {
        self.repeats.get(self.median)
    }

    /// Total times in milliseconds of the counted answers that have one, in the order of sending.
    #[must_use]
    pub fn totals_ms(&self) -> Vec<f64> {
        self.repeats.iter().filter_map(|repeat| repeat.profile().total_time_ms).collect()
    }
}

/// The profile of one answer: as it came, and read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Repeat {
    raw: Value,
    profile: Profile,
}

impl Repeat {
    /// Reads a profile; fails where a known field has another type than it should.
    pub fn read(raw: Value) -> Result<Self, serde_json::Error> {
        let profile = Profile::deserialize(&raw)?;
        Ok(Self { raw, profile })
    }

    /// Everything that the server sent, whether or not this program knows it.
    #[must_use]
    pub fn raw(&self) -> &Value {
        &self.raw
    }

    /// What this program knows of it.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

impl TryFrom<Value> for Repeat {
    type Error = serde_json::Error;

    fn try_from(raw: Value) -> Result<Self, Self::Error> {
        Self::read(raw)
    }
}

impl From<Repeat> for Value {
    fn from(repeat: Repeat) -> Self {
        repeat.raw
    }
}

/// The place of the median by total time; of two in the middle the faster one, because it has to be a request that ran.
/// Answers without a total count as the slowest.
#[must_use]
pub fn median(repeats: &[Repeat]) -> usize {
    let mut places: Vec<usize> = (0..repeats.len()).collect();
    let total = |place: usize| repeats[place].profile.total_time_ms.unwrap_or(f64::INFINITY);
    places.sort_by(|a, b| total(*a).total_cmp(&total(*b)));
    places.get(places.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repeats(totals: &[f64]) -> Vec<Repeat> {
        totals.iter().map(|ms| Repeat::read(json!({ "total_time_ms": ms })).unwrap()).collect()
    }

    #[test]
    fn the_median_is_a_request_that_ran() {
        assert_eq!(median(&repeats(&[5.0])), 0);
        assert_eq!(median(&repeats(&[9.0, 1.0, 5.0])), 2);
        assert_eq!(median(&repeats(&[9.0, 1.0, 5.0, 4.0])), 3, "the faster of the two in the middle");
        let mut silent = repeats(&[2.0, 3.0]);
        silent.insert(0, Repeat::read(json!({})).unwrap());
        assert_eq!(median(&silent), 2);
        assert_eq!(median(&[]), 0);
    }

    #[test]
    fn what_is_not_known_is_kept_as_it_came() {
        let raw = json!({ "total_time_ms": 1.25, "newer": [1, {"x": null}] });
        let repeat = Repeat::read(raw.clone()).unwrap();
        assert_eq!(serde_json::to_value(&repeat).unwrap(), raw);
        assert!(Repeat::read(json!({ "query_count": "many" })).is_err());
    }
}
