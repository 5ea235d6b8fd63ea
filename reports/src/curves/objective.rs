//! What has to hold at a rate: an upper limit of a response time or of the share of failed requests, written as a rule of a
//! budget is (`p99 < 100ms`, `errors < 1%`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::budgets::{self, Metric, Rule};
use crate::latency::Latency;
use crate::run::{Bound, Unit};
use crate::stats::{self, quantile};

/// How sure a judgement from few requests has to be; see [`Objective::needed_requests`].
const CONFIDENCE: f64 = 0.95;

/// Fewer requests than these say nothing about anything.
const FEWEST: u64 = 30;

/// An upper limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective(Rule);

/// Whether it held in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It did.
    Yes,
    /// It did not.
    No,
    /// There were too few requests to tell.
    TooFew,
}

/// An objective held against one window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// As written.
    pub objective: String,
    /// What was measured; `None` where so many requests failed that there is no such time.
    pub observed: Option<f64>,
    /// What the number is.
    pub unit: Unit,
    /// Whether it held.
    pub held: Held,
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = budgets::rule(text)?;
        let is_upper = rule.bound() == Bound::Upper || (rule.metric == Metric::Errors && rule.limit == 0.0);
        if rule.bound() == Bound::Lower || !is_upper {
            return Err(format!(
                "`{}` is no upper limit: an objective is one, such as `p99 < 100ms`",
                rule.text
            ));
        }
        Ok(Self(rule))
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl Objective {
    /// The limit in microseconds of an objective about times, with its quantile; `None` for one about errors.
    #[must_use]
    pub fn limit_us(&self) -> Option<f64> {
        (self.0.metric != Metric::Errors).then_some(self.0.limit)
    }

    /// The fewest requests of a window that can show that it holds: those that give an upper bound of the percentile, or,
    /// with none of them failed, of the share of failures, at 95 %. 299 for p99 and for `errors < 1%`.
    #[must_use]
    pub fn needed_requests(&self) -> u64 {
        let needed = match self.0.metric {
            Metric::Quantile(q) => quantile::minimum_samples(q, CONFIDENCE),
            Metric::Errors if self.0.limit > 0.0 && self.0.limit < 1.0 => {
                quantile::minimum_samples(1.0 - self.0.limit, CONFIDENCE)
            }
            _ => 0,
        };
        needed.max(FEWEST)
    }

    /// Holds it against a window, of whose requests so many failed. A failed request is one that was never answered in time:
    /// a server that fails fast is not fast. With enough requests the measured value decides; with fewer it can only break
    /// the objective, by so much that chance is ruled out.
    #[must_use]
    pub fn judge(&self, response: &Latency, failed: u64) -> Judgement {
        let requests = response.count();
        let (observed, least) = match self.0.metric {
            Metric::Quantile(q) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
                let rank = ((q * requests as f64 - 1e-9).ceil() as u64).max(1);
                let observed = response.at_rank_us(rank.saturating_add(failed)).map(|us| us as f64);
                (observed, quantile::of(response, q, CONFIDENCE, failed).and_then(|estimate| estimate.low))
            }
            Metric::Max => {
                let observed = response.max_us().filter(|_| failed == 0).map(|us| us as f64);
                (observed, observed)
            }
            _ => {
                let share = stats::proportion(failed, requests, CONFIDENCE);
                (share.map(|share| share.value), share.and_then(|share| share.low))
            }
        };
        let is_kept = |value: f64| self.0.operator.holds(value, self.0.limit);
        let held = if requests < self.needed_requests() {
            if least.is_some_and(|least| !is_kept(least)) { Held::No } else { Held::TooFew }
        } else if observed.is_some_and(is_kept) {
            Held::Yes
        } else {
            Held::No
        };
        Judgement { objective: self.0.text.clone(), observed, unit: self.0.metric.unit(), held }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn objective(text: &str) -> Objective {
        text.parse().unwrap()
    }

    /// So many responses of so many milliseconds.
    fn responses(groups: &[(usize, u64)]) -> Latency {
        let mut latency = Latency::new();
        for (times, ms) in groups {
            (0..*times).for_each(|_| latency.record(Duration::from_millis(*ms)));
        }
        latency
    }

    fn held(text: &str, groups: &[(usize, u64)], failed: u64) -> Held {
        objective(text).judge(&responses(groups), failed).held
    }

    #[test]
    fn only_upper_limits_are_objectives() {
        for text in ["p99 < 100ms", "max<=2s", "errors < 1%", "errors = 0%"] {
            assert_eq!(objective(text).to_string(), text);
        }
        for (text, says) in [
            ("p99 > 100ms", "no upper limit"),
            ("errors = 1%", "no upper limit"),
            ("p99 < 100", "limit without a unit `100`"),
            ("p9x < 100ms", "unknown metric `p9x`"),
            ("statements/req < 3", "misplaced metric"),
        ] {
            let error = text.parse::<Objective>().unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn a_percentile_holds_or_breaks_by_its_measured_value() {
        assert_eq!(held("p99 < 100ms", &[(990, 10), (10, 500)], 0), Held::Yes);
        assert_eq!(held("p99 < 100ms", &[(989, 10), (11, 500)], 0), Held::No);
        assert_eq!(held("max < 100ms", &[(989, 10), (1, 500)], 0), Held::No);
    }

    #[test]
    fn requests_that_failed_fast_are_not_fast() {
        assert_eq!(held("p99 < 100ms", &[(1000, 10)], 10), Held::Yes);
        assert_eq!(held("p99 < 100ms", &[(1000, 10)], 11), Held::No);
        assert_eq!(objective("p99 < 100ms").judge(&responses(&[(1000, 10)]), 11).observed, None);
        assert_eq!(held("errors < 1%", &[(1000, 10)], 10), Held::No);
        assert_eq!(held("errors < 1%", &[(1000, 10)], 9), Held::Yes);
        assert_eq!(held("errors = 0%", &[(1000, 10)], 1), Held::No);
    }

    #[test]
    fn too_few_requests_show_nothing_but_a_clear_break() {
        assert_eq!(objective("p99 < 100ms").needed_requests(), 299);
        assert_eq!(objective("errors < 1%").needed_requests(), 299);
        assert_eq!(objective("errors = 0%").needed_requests(), FEWEST);
        assert_eq!(held("p99 < 100ms", &[(298, 10)], 0), Held::TooFew);
        assert_eq!(held("p99 < 100ms", &[(299, 10)], 0), Held::Yes);
        // One slow one of 100 may be chance, half of them can't.
        assert_eq!(held("p99 < 100ms", &[(99, 10), (1, 500)], 0), Held::TooFew);
        assert_eq!(held("p99 < 100ms", &[(50, 10), (50, 500)], 0), Held::No);
        assert_eq!(held("p99 < 100ms", &[], 0), Held::TooFew);
    }
}
