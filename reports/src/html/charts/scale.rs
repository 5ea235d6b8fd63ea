//! From values to places.

/// A logarithmic axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// An axis between two places that holds all positive values, with some air at both ends.
    pub(super) fn over(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.into_iter().filter(|value| *value > 0.0 && value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 {
            (low, high) = (1.0, 10.0);
        }
        // Air, and never less than a factor of two in all: a flat line has to look flat.
        let air = (high / low).powf(0.06).max(1.2);
        Self { low: low / air, high: high * air, from, to }
    }

    /// Where a value stands; values outside of the axis stand at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values to label, at most about `most`: 1, 2, 5 in each decade, or decades alone.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0], &[1.0]] {
            let ticks = self.within(steps);
            if ticks.len() <= most {
                return ticks;
            }
        }
        let decades = self.within(&[1.0]);
        let every = decades.len().div_ceil(most.max(1));
        decades.into_iter().step_by(every).collect()
    }

    fn within(&self, steps: &[f64]) -> Vec<f64> {
        #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a time is small")]
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        (first..=last)
            .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

/// The axis of nines: each nine of a percentile takes the same room (`-log10(1 - p)`), as `HdrHistogram` draws it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nines {
    last: f64,
    from: f64,
    to: f64,
}

impl Nines {
    /// An axis from p0 to a last quantile.
    pub(super) fn up_to(last: f64, from: f64, to: f64) -> Self {
        Self { last: nines(last).max(1.0), from, to }
    }

    /// Where a quantile stands.
    pub(super) fn at(&self, quantile: f64) -> f64 {
        self.from + (nines(quantile) / self.last).clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// `(quantile, label)` of the ticks on the axis.
    pub(super) fn ticks(&self) -> Vec<(f64, &'static str)> {
        [
            (0.5, "p50"),
            (0.9, "p90"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (0.9999, "p99.99"),
            (0.99999, "p99.999"),
        ]
        .into_iter()
        .filter(|(quantile, _)| nines(*quantile) <= self.last + 1e-9)
        .collect()
    }

    /// Quantiles at even distances on the axis, up to `last`.
    pub(super) fn points(last: f64, number: u32) -> impl Iterator<Item = f64> {
        let end = nines(last);
        (0..=number).map(move |step| 1.0 - 10_f64.powf(-end * f64::from(step) / f64::from(number)))
    }
}

fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile.clamp(0.0, 0.999_999_9)).log10()
}

/// A linear axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Linear {
    /// Where a value stands; values outside of the axis stand at its end.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.0 };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values to label from the low end on, at most about `most`: steps of 1, 2 or 5 of a power of ten.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        let span = self.high - self.low;
        if !(span > 0.0 && span.is_finite()) {
            return vec![self.low];
        }
        let least = span / most.max(1) as f64;
        let power = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0].map(|step| step * power).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(10.0 * power);
        let first = (self.low / step).ceil();
        (0..=most).map(|tick| (first + tick as f64) * step).take_while(|tick| *tick <= self.high).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_take_equal_room_on_a_logarithmic_axis() {
        let axis = Log::over([1_000.0, 1_000_000.0], 0.0, 300.0);
        let step = axis.at(10_000.0) - axis.at(1_000.0);
        assert!((axis.at(100_000.0) - axis.at(10_000.0) - step).abs() < 1e-9);
        assert!(axis.at(1_000.0) > 0.0 && axis.at(1_000_000.0) < 300.0, "air at both ends");
        assert_eq!(axis.ticks(4), [1e3, 1e4, 1e5, 1e6]);
    }

    #[test]
    fn an_axis_without_values_still_has_an_extent() {
        let axis = Log::over([], 0.0, 100.0);
        assert!(axis.at(5.0).is_finite());
        assert!(!axis.ticks(5).is_empty());
    }

    #[test]
    fn ticks_of_a_linear_axis_are_round_and_few() {
        let ticks = |low, high, most| Linear { low, high, from: 0.0, to: 1.0 }.ticks(most);
        assert_eq!(ticks(0.0, 61.2, 6), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(ticks(0.0, 3.0, 6), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(ticks(0.0, 900.0, 9).len(), 10);
        assert_eq!(ticks(0.0, 0.0, 6), [0.0]);
    }

    #[test]
    fn each_nine_takes_the_same_room() {
        let axis = Nines::up_to(0.999, 0.0, 300.0);
        assert!((axis.at(0.9) - 100.0).abs() < 1e-6 && (axis.at(0.99) - 200.0).abs() < 1e-6);
        assert_eq!(axis.ticks().last().unwrap().1, "p99.9");
    }
}
