//! When requests are due in the open loop, independent of how fast they are answered.
//!
//! An arrival is an offset from the opening of a window. The sequence depends on the process, the rate, the length
//! and the seed alone: it is pure, so that it can be tested without a clock, drawn for every target alike, and dealt
//! out to several machines.
//!
//! ```
//! use std::time::Duration;
//! use loadgen::arrivals::{Arrivals, Process};
//!
//! let due: Vec<_> = Arrivals::new(Process::Constant, 4.0, Duration::from_secs(1), 7).collect();
//! assert_eq!(due, [0, 250, 500, 750].map(Duration::from_millis));
//! ```

use std::time::Duration;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Process {
    /// Evenly: arrival `k` is due at `k / rate`. Repeats best, and is the right one for regressions; it hides what
    /// bursts do, and can fall into step with something periodic in the server.
    #[default]
    Constant,
    /// Independent users: the gaps are exponential with mean `1 / rate`, as `pgbench --rate` has them.
    Poisson,
}

/// The arrivals of one window, in order.
#[derive(Debug, Clone)]
pub struct Arrivals {
    process: Process,
    rate_per_second: f64,
    length: Duration,
    /// Constant: how many were given out. Computing each from its number keeps rounding errors from adding up.
    given: u64,
    /// Poisson: seconds from the opening to the last one.
    last_s: f64,
    // A named algorithm instead of "the standard one", so that a seed means the same schedule after an update.
    random: Xoshiro256PlusPlus,
}

impl Arrivals {
    /// Arrivals at `rate_per_second` (positive) for `length`, drawn from `seed`.
    #[must_use]
    pub fn new(process: Process, rate_per_second: f64, length: Duration, seed: u64) -> Self {
        debug_assert!(rate_per_second > 0.0, "a rate is positive");
        let random = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self { process, rate_per_second, length, given: 0, last_s: 0.0, random }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let due_s = match self.process {
            Process::Constant => self.given as f64 / self.rate_per_second,
            Process::Poisson => {
                // Inverse transform of the exponential distribution: -ln(1 - u) / rate, with u in [0, 1).
                let u: f64 = self.random.random();
                self.last_s - (1.0 - u).ln() / self.rate_per_second
            }
        };
        if due_s >= self.length.as_secs_f64() {
            return None;
        }
        self.given += 1;
        self.last_s = due_s;
        Some(Duration::from_secs_f64(due_s))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn constant_arrivals_do_not_drift() {
        let due: Vec<_> = Arrivals::new(Process::Constant, 3.0, MINUTE, 0).collect();
        assert_eq!(due.len(), 180);
        assert_eq!(due[177], Duration::from_secs(59));
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_spread_of_exponential_gaps() {
        let due: Vec<_> =
            Arrivals::new(Process::Poisson, 500.0, MINUTE, 42).map(|d| d.as_secs_f64()).collect();
        let gaps: Vec<_> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean * 500.0 - 1.0).abs() < 0.02, "mean gap {mean}");
        // The standard deviation of an exponential distribution is its mean.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "spread {}", variance.sqrt() / mean);
    }

    #[test]
    fn a_seed_means_the_same_schedule_for_ever() {
        let first_us = |seed| {
            let arrivals = Arrivals::new(Process::Poisson, 1000.0, MINUTE, seed);
            arrivals.take(3).map(|due| due.as_micros()).collect::<Vec<_>>()
        };
        assert_eq!(first_us(1), [1669, 3044, 3149]);
        assert_ne!(first_us(1), first_us(2));
    }

    proptest! {
        #[test]
        fn arrivals_are_in_order_and_inside_the_window(
            rate in 0.1..2000.0_f64, ms in 1..5000_u64, seed: u64, poisson: bool,
        ) {
            let process = if poisson { Process::Poisson } else { Process::Constant };
            let length = Duration::from_millis(ms);
            let due: Vec<_> = Arrivals::new(process, rate, length, seed).collect();
            prop_assert!(due.is_sorted());
            prop_assert!(due.iter().all(|offset| *offset < length));
        }
    }
}
