//! Rounds: the samples of a comparison.
//!
//! Each round measures every subject once, close together in time, so that a slow minute of the machine hits both
//! and drops out of their ratio (Bulej et al., *Duet benchmarking*, ICPE 2020). The estimate is the median of the
//! ratios; its interval is a sign interval: a pair of order statistics, as for any median. With six rounds it runs
//! from the smallest to the greatest ratio and holds the true median with a probability of 1 - 2/2^6 = 97 %.

use super::{Estimate, quantile};

/// How many times a subject's value is the base's, over rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedRatio {
    /// The ratio of each round, in the order of the rounds.
    pub ratios: Vec<f64>,
    /// Their median (on a logarithmic scale, so that 2x and 0.5x are equally far from 1x), with its interval.
    pub estimate: Estimate,
    /// The probability that the interval holds the true median, both ends together; 0 without an interval.
    pub coverage: f64,
}

impl PairedRatio {
    /// From `(subject, base)` values, one pair a round; pairs that are not both positive are left out. `None` when
    /// nothing is left.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)], confidence: f64) -> Option<Self> {
        let ratios: Vec<f64> = pairs
            .iter()
            .filter(|(value, base)| *value > 0.0 && *base > 0.0)
            .map(|(value, base)| value / base)
            .collect();
        let logs: Vec<f64> = ratios.iter().map(|ratio| ratio.ln()).collect();
        let estimate = median_interval(&logs, confidence)?;
        let estimate = Estimate {
            value: estimate.value.exp(),
            low: estimate.low.map(f64::exp),
            high: estimate.high.map(f64::exp),
        };
        let coverage = coverage(ratios.len() as u64, confidence);
        Some(Self { ratios, estimate, coverage })
    }

    /// Rounds behind the ratio.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.ratios.len() as u64
    }
}

/// The median of `values` with its interval at `confidence` for each end; `None` without values.
#[must_use]
pub fn median_interval(values: &[f64], confidence: f64) -> Option<Estimate> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let middle = n / 2;
    let value = match n {
        0 => return None,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    };
    let ranks = quantile::ranks(n as u64, 0.5, 1.0 - confidence);
    let at = |rank: u64| usize::try_from(rank - 1).ok().and_then(|index| sorted.get(index).copied());
    Some(Estimate { value, low: ranks.low.and_then(at), high: ranks.high.and_then(at) })
}

/// The probability that the true median lies between the two ranks that `n` values give.
fn coverage(n: u64, confidence: f64) -> f64 {
    let ranks = quantile::ranks(n, 0.5, 1.0 - confidence);
    match (ranks.low, ranks.high) {
        (Some(low), Some(high)) => {
            super::binomial::at_most(high - 1, n, 0.5) - super::binomial::at_most(low - 1, n, 0.5)
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn six_rounds_give_97_percent_from_the_smallest_to_the_greatest_ratio() {
        let pairs = [(1.0, 10.0), (1.2, 10.0), (0.9, 10.0), (1.1, 10.0), (1.0, 9.0), (1.0, 11.0)];
        let ratio = PairedRatio::of(&pairs, 0.95).unwrap();
        assert!((ratio.coverage - 0.968_75).abs() < 1e-12, "{}", ratio.coverage);
        assert!((ratio.estimate.low.unwrap() - 0.09).abs() < 1e-12);
        assert!((ratio.estimate.high.unwrap() - 0.12).abs() < 1e-12);
    }

    #[test]
    fn four_rounds_are_too_few_for_an_interval_at_95_percent() {
        let ratio = PairedRatio::of(&[(1.0, 2.0); 4], 0.95).unwrap();
        assert_eq!((ratio.estimate.low, ratio.estimate.high, ratio.coverage), (None, None, 0.0));
        assert!((ratio.estimate.value - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_round_without_a_value_is_left_out() {
        assert_eq!(PairedRatio::of(&[(0.0, 1.0), (1.0, 0.0)], 0.95), None);
        assert_eq!(PairedRatio::of(&[(0.0, 1.0), (1.0, 2.0)], 0.95).unwrap().rounds(), 1);
    }

    proptest! {
        #[test]
        fn swapping_subject_and_base_inverts_the_ratio(pairs in prop::collection::vec((0.1_f64..1e6, 0.1_f64..1e6), 1..20)) {
            let swapped: Vec<_> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
            let (ratio, inverse) = (PairedRatio::of(&pairs, 0.95).unwrap(), PairedRatio::of(&swapped, 0.95).unwrap());
            prop_assert!((ratio.estimate.value * inverse.estimate.value - 1.0).abs() < 1e-9);
            prop_assert_eq!(ratio.estimate.low.is_some(), inverse.estimate.high.is_some());
        }
    }
}
