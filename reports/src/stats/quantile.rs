//! The interval of a quantile, from order statistics.
//!
//! Of `n` independent samples, the number below the true quantile `q` is binomial with `n` and `q`. So the `l`-th
//! smallest sample lies below the quantile, and the `u`-th above it, with a probability that can be looked up: no
//! model of the distribution, no resampling (David and Nagaraja, *Order Statistics*, 3rd edition, section 7.1). With
//! too few samples there is no such rank, and so no bound: [`minimum_samples`] says how many it takes.
//!
//! Requests are not quite independent; [`super::median_interval`] over rounds covers what this one misses.

use super::{Estimate, binomial};
use crate::latency::Latency;

/// Ranks, from 1 for the smallest sample; `None` where there are too few samples for that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranks {
    /// Greatest rank whose sample lies at or below the quantile.
    pub low: Option<u64>,
    /// Smallest rank whose sample lies at or above the quantile.
    pub high: Option<u64>,
}

/// The ranks that bound quantile `q` of `n` samples; each end is wrong with a probability of at most `tail`
/// (0.05 for a one-sided bound at 95 %, 0.025 for a two-sided interval).
#[must_use]
pub fn ranks(n: u64, q: f64, tail: f64) -> Ranks {
    let mut ranks = Ranks { low: None, high: None };
    for (k, sum) in binomial::cumulative(n, q) {
        if sum <= tail && k < n {
            ranks.low = Some(k + 1);
        }
        if sum >= 1.0 - tail {
            ranks.high = (k < n).then_some(k + 1);
            break;
        }
    }
    ranks
}

/// The fewest samples that give an upper bound of quantile `q` at this confidence: the smallest `n` with
/// `1 - q^n >= confidence`. At 95 %: 59 for p95, 299 for p99, 2995 for p99.9.
#[must_use]
pub fn minimum_samples(q: f64, confidence: f64) -> u64 {
    let exact = (1.0 - confidence).ln() / q.ln();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive ratio of logarithms"
    )]
    // The small allowance keeps a ratio that is a whole number from being rounded up.
    let samples = (exact - 1e-9).ceil() as u64;
    samples.max(1)
}

/// The quantile of a histogram in microseconds, with its interval at `confidence` for each end; `None` without
/// samples.
///
/// Of the samples, `unanswered` are failed requests. A server that fails fast must not look fast, so the upper end
/// treats them as if they had never been answered: it moves up by as many ranks.
#[must_use]
pub fn of(latency: &Latency, q: f64, confidence: f64, unanswered: u64) -> Option<Estimate> {
    let n = latency.count();
    let value = latency.quantile_us(q)?;
    let ranks = ranks(n, q, 1.0 - confidence);
    let at = |rank: u64| latency.at_rank_us(rank).map(|us| us as f64);
    Some(Estimate {
        value: value as f64,
        low: ranks.low.and_then(at),
        high: ranks.high.map(|rank| rank.saturating_add(unanswered)).filter(|rank| *rank <= n).and_then(at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    #[test]
    fn minimum_samples_are_the_published_ones() {
        for (q, n) in [(0.5, 5), (0.9, 29), (0.95, 59), (0.99, 299), (0.999, 2_995), (0.9999, 29_956)] {
            assert_eq!(minimum_samples(q, 0.95), n, "q={q}");
            assert_eq!(ranks(n, q, 0.05).high, Some(n), "n is enough, and the bound is the greatest sample");
            assert_eq!(ranks(n - 1, q, 0.05).high, None, "one sample fewer is not");
        }
    }

    /// The table of the quantiles that a two-sided 95 % interval spans.
    #[test]
    fn ranks_are_the_published_ones() {
        let span = |n: u64, q| {
            let ranks = ranks(n, q, 0.025);
            (ranks.low.map(|rank| rank as f64 / n as f64), ranks.high.map(|rank| rank as f64 / n as f64))
        };
        let near = |got: Option<f64>, published: Option<f64>, within: f64| match (got, published) {
            (Some(got), Some(published)) => assert!((got - published).abs() <= within, "{got} {published}"),
            (got, published) => assert_eq!(got.is_some(), published.is_some()),
        };
        for (n, q, low, high, within) in [
            (200, 0.95, Some(0.920), Some(0.985), 0.0051),
            (200, 0.99, Some(0.975), None, 0.0051),
            (1_000, 0.95, Some(0.936), Some(0.964), 0.001_1),
            (1_000, 0.99, Some(0.983), Some(0.997), 0.001_1),
            (10_000, 0.95, Some(0.9457), Some(0.9543), 0.000_15),
            (10_000, 0.999, Some(0.9983), Some(0.9997), 0.000_15),
            (100_000, 0.95, Some(0.9486), Some(0.9514), 0.000_06),
            (100_000, 0.99, Some(0.9894), Some(0.9906), 0.000_06),
        ] {
            let (got_low, got_high) = span(n, q);
            near(got_low, low, within);
            near(got_high, high, within);
        }
        assert_eq!(ranks(200, 0.999, 0.025).high, None);
    }

    #[test]
    fn failed_requests_push_the_upper_end_up_until_there_is_none() {
        let mut latency = Latency::new();
        for us in 1..=1_000 {
            latency.record(Duration::from_micros(us));
        }
        let end = |failed| of(&latency, 0.95, 0.95, failed).unwrap().high;
        assert!(end(10) > end(0));
        assert_eq!(end(100), None);
    }

    proptest! {
        #[test]
        fn the_interval_holds_the_estimate(values in prop::collection::vec(1_u64..10_000_000, 1..400), q in 0.05_f64..0.999) {
            let mut latency = Latency::new();
            for us in &values {
                latency.record(Duration::from_micros(*us));
            }
            let estimate = of(&latency, q, 0.95, 0).unwrap();
            prop_assert!(estimate.low.is_none_or(|low| low <= estimate.value));
            prop_assert!(estimate.high.is_none_or(|high| high >= estimate.value));
        }

        #[test]
        fn more_confidence_never_narrows_the_interval(n in 1_u64..5_000, q in 0.01_f64..0.999) {
            let (sure, surer) = (ranks(n, q, 0.05), ranks(n, q, 0.01));
            prop_assert!(surer.low.unwrap_or(0) <= sure.low.unwrap_or(0));
            prop_assert!(surer.high.unwrap_or(n + 1) >= sure.high.unwrap_or(n + 1));
        }
    }
}
