//! Two cases of one run against each other: how many times the one is the other, and whether that is more than
//! noise.

use std::collections::BTreeMap;

use crate::quantity;
use crate::run::Run;
use crate::stats::{NoiseFloor, PairedRatio};
use crate::summary::{self, Case};

/// The confidence at which reports print intervals; budgets choose their own.
pub const CONFIDENCE: f64 = 0.95;

/// A quantile of the response of one case, as a multiple of that of another.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// What is compared.
    pub case: Case<'a>,
    /// What it is compared with.
    pub base: Case<'a>,
    /// The quantile, 0 to 1.
    pub quantile: f64,
    /// The ratio, round by round.
    pub ratio: PairedRatio,
    /// How much two measurements of one thing differed.
    pub noise: Option<NoiseFloor>,
}

impl<'a> Comparison<'a> {
    /// Compares two cases; `None` when no round measured both.
    #[must_use]
    pub fn of(run: &Run, case: Case<'a>, base: Case<'a>, quantile: f64, confidence: f64) -> Option<Self> {
        let ratio = PairedRatio::of(&pairs(run, case, base, quantile), confidence)?;
        Some(Self { case, base, quantile, ratio, noise: summary::noise_floor(run, case.operation, quantile) })
    }

    /// Whether the difference is no greater than between two measurements of the same thing.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        self.noise.is_some_and(|noise| noise.covers(self.ratio.estimate.value))
    }

    /// `73x faster`, `1.4x slower`, `no difference beyond noise`.
    #[must_use]
    pub fn words(&self) -> String {
        let ratio = self.ratio.estimate.value;
        if self.is_noise() {
            "no difference beyond noise".into()
        } else if ratio < 1.0 {
            format!("{} faster", quantity::times(1.0 / ratio))
        } else {
            format!("{} slower", quantity::times(ratio))
        }
    }

    /// The ends of the interval in the direction of [`Self::words`], smaller first; `None` with too few rounds.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        let (low, high) = (self.ratio.estimate.low?, self.ratio.estimate.high?);
        Some(if self.ratio.estimate.value < 1.0 { (1.0 / high, 1.0 / low) } else { (low, high) })
    }
}

/// The quantiles of both cases in each round that measured both, in microseconds.
fn pairs(run: &Run, case: Case<'_>, base: Case<'_>, quantile: f64) -> Vec<(f64, f64)> {
    let by_round = |case| -> BTreeMap<u32, f64> {
        summary::windows(run, case, 1)
            .into_iter()
            .filter_map(|window| Some((window.round, window.timings.response.quantile_us(quantile)? as f64)))
            .collect()
    };
    let bases = by_round(base);
    by_round(case).into_iter().filter_map(|(round, us)| Some((us, *bases.get(&round)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const LIVE: Case<'_> = Case { subject: "live", operation: "first_page" };
    const NAIVE: Case<'_> = Case { subject: "naive", operation: "first_page" };

    #[test]
    fn the_direction_of_a_comparison_is_said_in_words() {
        let run = sample::run();
        let faster = Comparison::of(&run, LIVE, NAIVE, 0.95, CONFIDENCE).unwrap();
        assert!(faster.words().ends_with("x faster"), "{}", faster.words());
        let slower = Comparison::of(&run, NAIVE, LIVE, 0.95, CONFIDENCE).unwrap();
        assert!(slower.words().ends_with("x slower"), "{}", slower.words());
        let (low, high) = faster.interval().unwrap();
        assert!(
            1.0 < low
                && low <= 1.0 / faster.ratio.estimate.value
                && 1.0 / faster.ratio.estimate.value <= high
        );
    }

    #[test]
    fn a_subject_does_not_differ_from_itself() {
        let run = sample::run();
        let same = Comparison::of(&run, LIVE, LIVE, 0.5, CONFIDENCE).unwrap();
        assert_eq!(same.words(), "no difference beyond noise");
    }

    #[test]
    fn only_rounds_that_measured_both_are_compared() {
        let mut run = sample::run();
        run.windows.retain(|window| window.subject != "naive" || window.round <= 2);
        assert_eq!(Comparison::of(&run, LIVE, NAIVE, 0.5, CONFIDENCE).unwrap().ratio.rounds(), 2);
    }
}
