//! The measured value that a rule is held against, with its interval.

use super::metric::Metric;
use crate::run::{Run, Unit};
use crate::spelling;
use crate::stats::{self, Estimate, PairedRatio, quantile};
use crate::summary::{self, Case, Summary};

/// A measured value, or why there is none.
pub(super) enum Measured {
    /// A value with its interval.
    Value {
        estimate: Estimate,
        unit: Unit,
        /// Requests behind it, or rounds for a ratio.
        samples: u64,
        /// How many samples it takes for both ends of the interval, and what they are.
        needs: (u64, &'static str),
    },
    /// Nothing to judge.
    Missing(String),
}

/// Measures a metric of one case.
pub(super) fn absolute(run: &Run, case: Case<'_>, metric: Metric, confidence: f64) -> Measured {
    if metric.is_work() {
        return work(run, case, metric);
    }
    let Some(summary) = Summary::of(run, case).filter(|summary| summary.requests > 0) else {
        return Measured::Missing(nothing(run, case));
    };
    let response = &summary.timings.response;
    let (estimate, needs) = match metric {
        Metric::Errors => (stats::proportion(summary.failed(), summary.requests, confidence), 1),
        Metric::Quantile(q) => (
            quantile::of(response, q, confidence, summary.failed())
                .map(|pooled| widen(pooled, rounds(&summary, q, confidence))),
            quantile::minimum_samples(q, confidence),
        ),
        // The greatest value is a fact about this run, not an estimate: it has no interval.
        _ => (response.max_us().map(|us| exact(us as f64)), 1),
    };
    match estimate {
        Some(estimate) => Measured::Value {
            estimate,
            unit: metric.unit(),
            samples: summary.requests,
            needs: (needs, "request"),
        },
        None => Measured::Missing(nothing(run, case)),
    }
}

/// Measures a metric of one case as a multiple of that of another: timed metrics round by round, counted work once.
pub(super) fn ratio(run: &Run, case: Case<'_>, base: Case<'_>, metric: Metric, confidence: f64) -> Measured {
    if metric.is_work() {
        return match (work(run, case, metric), work(run, base, metric)) {
            (Measured::Value { estimate: of, samples, .. }, Measured::Value { estimate: by, .. })
                if by.value > 0.0 =>
            {
                let estimate = exact(of.value / by.value);
                Measured::Value { estimate, unit: Unit::Ratio, samples, needs: (1, "request") }
            }
            (Measured::Value { .. }, Measured::Value { .. }) => Measured::Missing(format!(
                "{metric} of the base, {}, is 0: there is no multiple of it.",
                words(base)
            )),
            (missing @ Measured::Missing(_), _) | (_, missing) => missing,
        };
    }
    let us = |case: Case<'_>, round: u32, failures_are_slow: bool| -> Option<f64> {
        let window = summary::windows(run, case, 1).into_iter().find(|window| window.round == round)?;
        let response = &window.timings.response;
        let us = match metric {
            Metric::Quantile(q) if failures_are_slow => {
                let failed: u64 = window.errors.values().sum();
                response.at_rank_us(rank(response.count(), q).saturating_add(failed))?
            }
            Metric::Quantile(q) => response.quantile_us(q)?,
            _ => response.max_us()?,
        };
        Some(us as f64)
    };
    let rounds = summary::windows(run, case, 1).into_iter().map(|window| window.round);
    let pairs: Vec<(f64, f64)> =
        rounds.filter_map(|round| Some((us(case, round, true)?, us(base, round, false)?))).collect();
    match PairedRatio::of(&pairs, confidence) {
        Some(ratio) => Measured::Value {
            estimate: ratio.estimate,
            unit: Unit::Ratio,
            samples: ratio.rounds(),
            needs: (quantile::minimum_samples(0.5, confidence), "round"),
        },
        None => Measured::Missing(format!(
            "No round measured both {} and {}, so there is no ratio.",
            words(case),
            words(base)
        )),
    }
}

fn work(run: &Run, case: Case<'_>, metric: Metric) -> Measured {
    let counted = summary::work(run, case).filter(|work| work.requests > 0);
    let Some((counted, value)) = counted.and_then(|work| Some((work, metric.of_work(work)?))) else {
        return Measured::Missing(format!(
            "No work was counted for {}: the run had no database to ask.",
            words(case)
        ));
    };
    Measured::Value {
        estimate: exact(value),
        unit: metric.unit(),
        samples: counted.requests,
        needs: (1, "request"),
    }
}

/// The interval of the median of the rounds' own quantiles; `None` with too few rounds, or rounds too short to have
/// such a quantile.
fn rounds(summary: &Summary<'_>, q: f64, confidence: f64) -> Option<Estimate> {
    let enough = quantile::minimum_samples(q, confidence);
    let values: Vec<f64> = summary
        .windows
        .iter()
        .map(|window| &window.timings.response)
        .filter(|response| response.count() >= enough)
        .filter_map(|response| response.quantile_us(q).map(|us| us as f64))
        .collect();
    stats::median_interval(&values, confidence)
}

/// Requests of one window resemble each other, so the interval over all requests is too narrow when rounds differ;
/// the interval over rounds shows that. The wider end counts.
fn widen(pooled: Estimate, rounds: Option<Estimate>) -> Estimate {
    let Some(rounds) = rounds else { return pooled };
    Estimate {
        value: pooled.value,
        low: pooled.low.map(|low| rounds.low.map_or(low, |other| low.min(other))),
        high: pooled.high.map(|high| rounds.high.map_or(high, |other| high.max(other))),
    }
}

fn exact(value: f64) -> Estimate {
    Estimate { value, low: Some(value), high: Some(value) }
}

/// The rank of a quantile among `n` samples.
fn rank(n: u64, q: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
    let rank = (n as f64 * q).ceil() as u64;
    rank.clamp(1, n.max(1))
}

pub(super) fn words(case: Case<'_>) -> String {
    format!("{} under {}", case.subject, case.operation)
}

/// Why a case has no data, with the names that the run does have.
pub(super) fn nothing(run: &Run, case: Case<'_>) -> String {
    let subjects: Vec<&str> = run.subjects.iter().map(|subject| subject.name.as_str()).collect();
    let operations = summary::operations(run);
    let (what, name, known) = if !subjects.contains(&case.subject) {
        ("subject", case.subject, subjects)
    } else if !operations.contains(&case.operation) {
        ("operation", case.operation, operations)
    } else {
        return format!("No request of {} was measured.", words(case));
    };
    let meant = spelling::question(spelling::nearest(name, known.iter().copied()));
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(
        "This run measured no {what} `{name}` (it has: {known}){}",
        if meant.is_empty() { "." } else { &meant }
    )
}
