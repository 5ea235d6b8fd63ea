//! What a run has to be judged: its requests round by round, and the work that was counted.

use super::evidence::{Evidence, Kind, Measured, exact, nothing, words};
use super::metric::Metric;
use crate::run::{Run, Unit};
use crate::stats::{self, Estimate, PairedRatio, quantile};
use crate::summary::{self, Case, Summary};

impl Evidence for Run {
    fn kind(&self) -> Kind {
        Kind::Run
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn subjects(&self) -> Vec<String> {
        self.subjects.iter().map(|subject| subject.name.clone()).collect()
    }

    fn operations(&self) -> Vec<String> {
        summary::operations(self).into_iter().map(str::to_owned).collect()
    }

    fn planned(&self) -> Vec<String> {
        self.plan.operations.clone()
    }

    fn absolute(&self, case: Case<'_>, metric: Metric, confidence: f64) -> Measured {
        absolute(self, case, metric, confidence)
    }

    fn ratio(&self, case: Case<'_>, base: Case<'_>, metric: Metric, confidence: f64) -> Measured {
        ratio(self, case, base, metric, confidence)
    }

    fn distrust(&self, case: Case<'_>) -> Option<String> {
        Some(Summary::of(self, case)?.invalid().first()?.to_string())
    }
}

/// Measures a metric of one case.
fn absolute(run: &Run, case: Case<'_>, metric: Metric, confidence: f64) -> Measured {
    if metric.is_work() {
        return work(run, case, metric);
    }
    if let Metric::Tally(_) = metric {
        return Measured::Missing(format!("A run of requests counts no {metric}; `callbench locks` does."));
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

/// Measures a timed metric of one case as a multiple of that of another, round by round.
fn ratio(run: &Run, case: Case<'_>, base: Case<'_>, metric: Metric, confidence: f64) -> Measured {
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

/// The rank of a quantile among `n` samples.
fn rank(n: u64, q: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
    let rank = (n as f64 * q).ceil() as u64;
    rank.clamp(1, n.max(1))
}
