//! A verdict as people read it; the page and the terminal say the same.

use super::metric::Metric;
use crate::quantity;
use crate::run::{Outcome, Verdict};

/// The word of an outcome.
#[must_use]
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Inconclusive => "inconclusive",
    }
}

/// The rule with its base, where it has one: `p95 <= 0.5x of naive`.
#[must_use]
pub fn rule(verdict: &Verdict) -> String {
    match &verdict.against {
        Some(base) => format!("{} of {base}", verdict.rule),
        None => verdict.rule.clone(),
    }
}

/// What was measured; a dash for nothing.
#[must_use]
pub fn measured(verdict: &Verdict) -> String {
    verdict.observed.map_or_else(|| "–".into(), |observed| quantity::value(observed.value, observed.unit))
}

/// The interval of what was measured: both ends, or the one that the samples give, or `counted` for what has none.
#[must_use]
pub fn interval(verdict: &Verdict) -> String {
    let Some(observed) = verdict.observed else { return "–".into() };
    if Metric::of_rule(&verdict.rule).is_some_and(|metric| !metric.is_timed() || metric == Metric::Max) {
        return "counted".into();
    }
    let print = |value| quantity::value(value, observed.unit);
    match (observed.low, observed.high) {
        (Some(low), Some(high)) => format!("{} to {}", print(low), print(high)),
        (Some(low), None) => format!("at least {}", print(low)),
        (None, Some(high)) => format!("at most {}", print(high)),
        (None, None) => "too few samples".into(),
    }
}

/// The share of the limit that is left; a dash where that has no meaning.
#[must_use]
pub fn headroom(verdict: &Verdict) -> String {
    verdict.headroom.map_or_else(|| "–".into(), |left| format!("{:.1} %", left * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn an_interval_says_which_end_it_lacks() {
        let mut verdict =
            sample::run().verdicts.into_iter().find(|verdict| verdict.rule == "p95 < 500ms").unwrap();
        let mut with = |low, high| {
            let observed = verdict.observed.as_mut().unwrap();
            (observed.low, observed.high) = (low, high);
            interval(&verdict)
        };
        assert_eq!(with(Some(1_000.0), Some(2_000.0)), "1.00 ms to 2.00 ms");
        assert_eq!(with(Some(1_000.0), None), "at least 1.00 ms");
        assert_eq!(with(None, Some(2_000.0)), "at most 2.00 ms");
        assert_eq!(with(None, None), "too few samples");
        verdict.observed = None;
        assert_eq!((interval(&verdict), measured(&verdict)), ("–".into(), "–".into()));
    }

    #[test]
    fn counted_work_has_no_interval() {
        let run = sample::run();
        let counted: Vec<_> = run.verdicts.iter().filter(|verdict| interval(verdict) == "counted").collect();
        assert_eq!(counted.len(), 5);
        assert!(counted.iter().all(|verdict| verdict.rule.contains("/req")));
    }
}
