//! A power law through points: `y = factor * x^exponent`, the straight line of a chart whose axes are both logarithmic.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Below this exponent nobody would call it growth: a thousand times the size costs at most twice as much.
const FLAT: f64 = 0.1;

/// The line of least squares through the logarithms of points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// 0 is flat, 1 is in proportion, 2 is with the square.
    pub exponent: f64,
    /// The value of the line at `x = 1`.
    pub factor: f64,
    /// The share of the variance of the logarithms that the line explains, 0 to 1; 1 where there is no variance.
    pub r_squared: f64,
    /// The standard error of the exponent, from the scatter of the points around the line; `None` for two points, which
    /// any line goes through.
    pub standard_error: Option<f64>,
    /// Points behind it.
    pub points: usize,
}

impl Fit {
    /// Fits `(x, y)`; points that are not positive are left out, since they have no logarithm. `None` without two different
    /// `x`.
    #[must_use]
    pub fn of(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let logs: Vec<(f64, f64)> = points
            .into_iter()
            .filter(|(x, y)| *x > 0.0 && *y > 0.0 && x.is_finite() && y.is_finite())
            .map(|(x, y)| (x.ln(), y.ln()))
            .collect();
        let n = logs.len() as f64;
        let mean = |part: fn(&(f64, f64)) -> f64| logs.iter().map(part).sum::<f64>() / n;
        let (mean_x, mean_y) = (mean(|log| log.0), mean(|log| log.1));
        let sum = |term: &dyn Fn(f64, f64) -> f64| -> f64 {
            logs.iter().map(|(x, y)| term(x - mean_x, y - mean_y)).sum()
        };
        let (xx, xy, yy) = (sum(&|x, _| x * x), sum(&|x, y| x * y), sum(&|_, y| y * y));
        if logs.len() < 2 || xx <= 1e-12 {
            return None;
        }
        let exponent = xy / xx;
        // What is left of the variance, over the degrees of freedom (Draper and Smith, *Applied Regression Analysis*, 1.4).
        let left = (yy - exponent * xy).max(0.0);
        Some(Self {
            exponent,
            factor: (mean_y - exponent * mean_x).exp(),
            r_squared: if yy <= 1e-12 { 1.0 } else { (xy * xy / (xx * yy)).min(1.0) },
            standard_error: (logs.len() > 2).then(|| (left / (n - 2.0) / xx).sqrt()),
            points: logs.len(),
        })
    }

    /// The value of the line.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.factor * x.powf(self.exponent)
    }

    /// Whether the exponent is lost in the scatter of the points: less than twice its standard error.
    #[must_use]
    pub fn is_noise(&self) -> bool {
        self.standard_error.is_some_and(|error| self.exponent.abs() < 2.0 * error)
    }

    /// Whether it does not grow to speak of.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.exponent.abs() < FLAT
    }
}

/// The exponent to two decimals: `0.93`.
impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A negative zero would say that there is something to it.
        write!(f, "{:.2}", (self.exponent * 100.0).round() / 100.0 + 0.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn constant_values_are_flat_and_proportional_ones_are_not() {
        let flat = Fit::of([(1.0, 5.0), (10.0, 5.0), (1000.0, 5.0)]).unwrap();
        assert!(flat.is_flat() && flat.exponent.abs() < 1e-12 && flat.r_squared > 0.999);
        assert_eq!(flat.to_string(), "0.00");
        let proportional = Fit::of([(1.0, 3.0), (10.0, 30.0), (100.0, 300.0)]).unwrap();
        assert_eq!((proportional.to_string().as_str(), proportional.is_flat()), ("1.00", false));
        assert!((proportional.at(50.0) - 150.0).abs() < 1e-9);
    }

    #[test]
    fn one_size_has_no_slope_and_nothing_has_none_either() {
        assert_eq!(Fit::of([(5.0, 1.0), (5.0, 2.0)]), None);
        assert_eq!(Fit::of([(5.0, 1.0), (6.0, 0.0)]), None);
        assert_eq!(Fit::of([]), None);
    }

    #[test]
    fn scatter_is_told_from_a_line() {
        // Logarithms 0, 1, 2 against 0, 2, 1: slope 1/2, and r² of 1/4 (by hand).
        let e = std::f64::consts::E;
        let fit = Fit::of([(1.0, 1.0), (e, e * e), (e * e, e)]).unwrap();
        assert!((fit.exponent - 0.5).abs() < 1e-12 && (fit.r_squared - 0.25).abs() < 1e-12, "{fit:?}");
        // Residuals -1/2, 1, -1/2: 3/2 over one degree of freedom, over a spread of 2.
        assert!((fit.standard_error.unwrap() - 0.75_f64.sqrt()).abs() < 1e-12 && fit.is_noise(), "{fit:?}");
        let clear = Fit::of([(1.0, 1.0), (10.0, 11.0), (100.0, 95.0)]).unwrap();
        assert!(!clear.is_noise());
        assert_eq!(Fit::of([(1.0, 1.0), (10.0, 11.0)]).unwrap().standard_error, None);
    }

    proptest! {
        #[test]
        fn a_power_law_gives_its_own_exponent_back(exponent in -2.0..3.0_f64, factor in 0.01..1e4_f64) {
            let fit = Fit::of([1.0, 7.0, 100.0, 2500.0].map(|x: f64| (x, factor * x.powf(exponent)))).unwrap();
            prop_assert!((fit.exponent - exponent).abs() < 1e-6);
            prop_assert!((fit.factor / factor - 1.0).abs() < 1e-6);
        }
    }
}
