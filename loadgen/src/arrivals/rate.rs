//! How many requests a second: one rate, or a straight line from one to another over the window.
//!
//! Let `rate(t)` be requests per second at `t`, and its integral from the opening on
//!
//! ```text
//! Λ(t) = from·t + (to − from)·t² / 2T
//! ```
//!
//! the number of requests that are due by `t` in a window of length `T`. Its inverse leads from numbers of requests
//! back to times, and that is all a process has to know of a rate (see [`super::process`]). A constant rate is the
//! line between two equal ends, so that there is one formula for both.

use std::time::Duration;

/// The greatest rate that can be asked for, per second. No client comes near it: it is there for slips of the finger.
pub const HIGHEST_PER_SECOND: f64 = 1e6;

/// Requests per second over a window, as a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    from: f64,
    to: f64,
}

impl Rate {
    /// The same rate from the opening to the end.
    #[must_use]
    pub const fn constant(per_second: f64) -> Self {
        Self { from: per_second, to: per_second }
    }

    /// A rate that changes evenly over the whole window, up or down. One end may be 0.
    #[must_use]
    pub const fn ramp(from_per_second: f64, to_per_second: f64) -> Self {
        Self { from: from_per_second, to: to_per_second }
    }

    /// Requests per second at the opening.
    #[must_use]
    pub fn at_opening(&self) -> f64 {
        self.from
    }

    /// Requests per second at the end, where that is another rate than at the opening.
    #[must_use]
    pub fn at_end(&self) -> Option<f64> {
        self.is_ramp().then_some(self.to)
    }

    /// Requests per second, averaged over the window.
    #[must_use]
    pub fn mean(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }

    /// The highest rate of the window.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.from.max(self.to)
    }

    /// The same line, `factor` times as high.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self { from: self.from * factor, to: self.to * factor }
    }

    /// What is wrong with the rate, if anything is: a sentence without an end.
    pub fn check(&self) -> Result<(), String> {
        for end in [self.from, self.to] {
            if !end.is_finite() || end < 0.0 {
                return Err(format!("a rate of {end} requests/s is not a positive number"));
            }
            if end > HIGHEST_PER_SECOND {
                return Err(format!(
                    "a rate of {end} requests/s is above the highest one, {HIGHEST_PER_SECOND}/s"
                ));
            }
        }
        if self.peak() > 0.0 { Ok(()) } else { Err("a rate of 0 requests/s never sends one".to_owned()) }
    }

    /// The inverse of `Λ`: seconds after the opening at which `due` requests are due, in a window of `length`; `None`
    /// where there will never be so many.
    ///
    /// It is the root of a quadratic equation, in the form that divides by a sum: the usual one subtracts two nearly
    /// equal numbers where the ramp is flat, and divides by 0 where it is level (Goldberg, *What Every Computer
    /// Scientist Should Know About Floating-Point Arithmetic*, 1991, section 1.4).
    pub(super) fn seconds_until(&self, due: f64, length: Duration) -> Option<f64> {
        if due <= 0.0 {
            return Some(0.0);
        }
        let steepness = (self.to - self.from) / length.as_secs_f64();
        let rate_squared = self.from * self.from + 2.0 * steepness * due;
        // Below 0, a rate that falls has come to its end before so many were due.
        (rate_squared >= 0.0).then(|| 2.0 * due / (self.from + rate_squared.sqrt()))
    }

    #[expect(clippy::float_cmp, reason = "a constant rate has one number at both ends")]
    fn is_ramp(&self) -> bool {
        self.from != self.to
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ramp_from_nothing_is_due_by_the_root_of_time() {
        // From 0 to 10 a second within 10 s, t²/2 requests are due by t.
        let ramp = Rate::ramp(0.0, 10.0);
        for (due, seconds) in [(0.0, 0.0), (0.5, 1.0), (2.0, 2.0), (50.0, 10.0)] {
            assert_eq!(ramp.seconds_until(due, Duration::from_secs(10)), Some(seconds));
        }
    }

    #[test]
    fn a_ramp_to_nothing_comes_to_an_end() {
        let ramp = Rate::ramp(10.0, 0.0);
        assert_eq!(ramp.seconds_until(50.0, Duration::from_secs(10)), Some(10.0));
        assert_eq!(ramp.seconds_until(50.1, Duration::from_secs(10)), None);
    }

    #[test]
    fn rates_that_offer_nothing_or_too_much_are_refused_with_their_value() {
        for (rate, word) in [
            (Rate::constant(0.0), "0 requests/s"),
            (Rate::ramp(0.0, 0.0), "0 requests/s"),
            (Rate::constant(f64::NAN), "NaN"),
            (Rate::ramp(1.0, f64::INFINITY), "inf"),
            (Rate::ramp(-1.0, 5.0), "-1"),
            (Rate::constant(2e6), "2000000"),
        ] {
            let said = rate.check().unwrap_err();
            assert!(said.contains(word), "{said}");
        }
        for rate in [Rate::constant(0.001), Rate::ramp(0.0, 1.0), Rate::ramp(1.0, 0.0), Rate::constant(1e6)] {
            assert_eq!(rate.check(), Ok(()));
        }
    }

    proptest! {
        #[test]
        fn the_inverse_leads_back_to_the_integral(
            from in 0.0..2000.0_f64, to in 0.01..2000.0_f64, share in 0.0..1.0_f64, ms in 1..100_000_u64,
        ) {
            let (rate, length) = (Rate::ramp(from, to), Duration::from_millis(ms));
            let t = share * length.as_secs_f64();
            let due = from * t + (to - from) * t * t / (2.0 * length.as_secs_f64());
            let back = rate.seconds_until(due, length).unwrap();
            prop_assert!((back - t).abs() <= 1e-9 * length.as_secs_f64(), "{back} {t}");
        }
    }
}
