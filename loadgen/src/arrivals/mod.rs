//! When requests are due in the open loop, independent of how fast they are answered.
//!
//! An arrival is an offset from the opening of a window. The sequence depends on the pattern, the length and the seed
//! alone: it is pure, so that it can be tested without a clock, drawn for every target alike, and dealt out to several
//! machines ([`Arrivals::shard`]).
//!
//! ```
//! use std::time::Duration;
//! use loadgen::arrivals::{Pattern, Process, Rate};
//!
//! let even = Pattern::Drawn { rate: Rate::constant(4.0), process: Process::Constant };
//! let due: Vec<_> = even.arrivals(Duration::from_secs(1), 7).map(|arrival| arrival.due).collect();
//! assert_eq!(due, [0, 250, 500, 750].map(Duration::from_millis));
//! ```

use std::sync::Arc;
use std::time::Duration;

mod moment;
mod pattern;
mod process;
mod rate;
mod replay;

use process::Units;

pub use pattern::Pattern;
pub use process::Process;
pub use rate::{HIGHEST_PER_SECOND, Rate};
pub use replay::{LONGEST_REPLAY, Replay};

/// A request that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its number, from 0, in the whole schedule: also in a shard, and also if arrivals before it were skipped.
    pub number: u64,
    /// From the opening of the window until it is due.
    pub due: Duration,
    /// Which scenario it asks for, as a place in [`Pattern::scenarios`]; `None` where that is left to the plan.
    pub scenario: Option<usize>,
}

/// The arrivals of one window, in order.
#[derive(Debug, Clone)]
pub struct Arrivals {
    source: Source,
    length: Duration,
    /// How many were drawn or read so far, those of other shards included.
    given: u64,
    index: u64,
    of: u64,
}

#[derive(Debug, Clone)]
enum Source {
    Drawn { rate: Rate, units: Units },
    Replayed { replay: Arc<Replay>, speed: f64 },
}

impl Arrivals {
    fn new(pattern: &Pattern, length: Duration, seed: u64) -> Self {
        let source = match pattern {
            Pattern::Drawn { rate, process } => {
                Source::Drawn { rate: *rate, units: Units::new(*process, seed) }
            }
            Pattern::Replayed { replay, speed } => {
                Source::Replayed { replay: Arc::clone(replay), speed: *speed }
            }
        };
        Self { source, length, given: 0, index: 0, of: 1 }
    }

    /// Keeps each arrival whose `number % of` is `index`, which has to lie below `of`. Every machine draws the whole
    /// schedule from the same seed and keeps its part, so that together they send just what one would have sent,
    /// with nobody to coordinate them.
    #[must_use]
    pub fn shard(self, index: u64, of: u64) -> Self {
        debug_assert!(index < of, "shard {index} of {of}");
        Self { index, of: of.max(1), ..self }
    }

    fn draw(&mut self) -> Option<Arrival> {
        let number = self.given;
        let (due, scenario) = match &mut self.source {
            Source::Drawn { rate, units } => {
                let seconds = rate.seconds_until(units.next(), self.length)?;
                (Duration::try_from_secs_f64(seconds).ok()?, None)
            }
            Source::Replayed { replay, speed } => {
                let (offset, scenario) = replay.arrival(usize::try_from(number).ok()?)?;
                (offset.div_f64(*speed), scenario)
            }
        };
        (due < self.length).then(|| {
            self.given += 1;
            Arrival { number, due, scenario }
        })
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let arrival = self.draw()?;
            if arrival.number % self.of == self.index {
                return Some(arrival);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn drawn(process: Process, rate: Rate) -> Pattern {
        Pattern::Drawn { rate, process }
    }

    fn due_s(pattern: &Pattern, seed: u64) -> Vec<f64> {
        pattern.arrivals(MINUTE, seed).map(|arrival| arrival.due.as_secs_f64()).collect()
    }

    #[test]
    fn constant_arrivals_do_not_drift() {
        let due: Vec<_> =
            drawn(Process::Constant, Rate::constant(3.0)).arrivals(MINUTE, 0).map(|a| a.due).collect();
        assert_eq!(due.len(), 180);
        assert_eq!(due[177], Duration::from_secs(59));
    }

    #[test]
    fn constant_arrivals_of_a_ramp_come_whenever_one_more_is_due() {
        // 0 to 2 a second in a minute: t²/60 are due by t.
        let due = due_s(&drawn(Process::Constant, Rate::ramp(0.0, 2.0)), 0);
        assert_eq!(due.len(), 60);
        for (number, seconds) in [(0, 0.0), (15, 30.0), (59, (59.0_f64 * 60.0).sqrt())] {
            assert!((due[number] - seconds).abs() < 1e-6, "{number}: {}", due[number]);
        }
    }

    #[test]
    fn poisson_arrivals_have_the_mean_and_the_spread_of_exponential_gaps() {
        let due = due_s(&drawn(Process::Poisson, Rate::constant(500.0)), 42);
        let gaps: Vec<_> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean * 500.0 - 1.0).abs() < 0.02, "mean gap {mean}");
        // The standard deviation of an exponential distribution is its mean.
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "spread {}", variance.sqrt() / mean);
    }

    #[test]
    fn poisson_arrivals_of_a_ramp_are_as_many_in_each_part_as_the_ramp_says() {
        let due = due_s(&drawn(Process::Poisson, Rate::ramp(0.0, 1000.0)), 42);
        // The quarters of a line from 0 hold 1, 3, 5 and 7 sixteenths of 30,000.
        for (quarter, parts) in [(0.0, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)] {
            let inside = |seconds: &&f64| (quarter..quarter + 1.0).contains(&(**seconds / 15.0));
            let (count, expected) = (due.iter().filter(inside).count() as f64, 30_000.0 / 16.0 * parts);
            // Four standard deviations of a Poisson count.
            assert!((count - expected).abs() < 4.0 * expected.sqrt(), "{quarter}: {count} of {expected}");
        }
    }

    #[test]
    fn a_seed_means_the_same_schedule_for_ever() {
        let first_us = |rate, seed| {
            let arrivals = drawn(Process::Poisson, rate).arrivals(MINUTE, seed);
            arrivals.take(3).map(|arrival| arrival.due.as_micros()).collect::<Vec<_>>()
        };
        assert_eq!(first_us(Rate::constant(1000.0), 1), [1669, 3044, 3149]);
        assert_ne!(first_us(Rate::constant(1000.0), 1), first_us(Rate::constant(1000.0), 2));
        // The same draws through Λ(t) = 1000 t² / 120, whose inverse is sqrt(0.12 x).
        assert_eq!(first_us(Rate::ramp(0.0, 1000.0), 1), [447_560, 604_387, 614_774]);
    }

    fn replayed(ms: &[u64], speed: f64) -> Pattern {
        let offsets: Vec<_> = ms.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Pattern::Replayed { replay: Arc::new(Replay::of_offsets(&offsets)), speed }
    }

    #[test]
    fn a_replay_keeps_its_gaps_and_a_speed_shrinks_them() {
        let due_ms = |speed| {
            let arrivals = replayed(&[0, 100, 100, 700], speed).arrivals(MINUTE, 1);
            arrivals.map(|arrival| arrival.due.as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(due_ms(1.0), [0, 100, 100, 700]);
        assert_eq!(due_ms(2.0), [0, 50, 50, 350]);
    }

    #[test]
    fn the_mean_of_a_replay_counts_what_falls_into_the_window() {
        let pattern = replayed(&[0, 100, 200, 900], 2.0);
        assert!((pattern.mean_per_second(Duration::from_millis(200)) - 15.0).abs() < 1e-9);
        assert_eq!(pattern.arrivals(Duration::from_millis(200), 1).count(), 3);
        // Four arrivals with a mean gap of 300 ms last for 1.2 s, or for half of that.
        assert_eq!(pattern.length(), Some(Duration::from_millis(600)));
    }

    /// Any pattern that a plan may have.
    fn pattern() -> impl Strategy<Value = Pattern> {
        let process = prop_oneof![Just(Process::Constant), Just(Process::Poisson)];
        let ends =
            prop_oneof![(0.0..2000.0_f64).prop_map(|rate| (rate, rate)), (0.0..2000.0_f64, 0.0..2000.0_f64)];
        prop_oneof![
            2 => (process, ends)
                .prop_map(|(process, (from, to))| drawn(process, Rate::ramp(from, to))),
            1 => (proptest::collection::vec(0..5000_u64, 1..300), 0.1..10.0_f64).prop_map(|(mut ms, speed)| {
                ms.sort_unstable();
                replayed(&ms, speed)
            }),
        ]
        .prop_filter("some arrivals", |pattern| pattern.check().is_ok())
    }

    proptest! {
        #[test]
        fn arrivals_are_in_order_and_inside_the_window(pattern in pattern(), ms in 1..5000_u64, seed: u64) {
            let length = Duration::from_millis(ms);
            let arrivals: Vec<_> = pattern.arrivals(length, seed).collect();
            prop_assert!(arrivals.is_sorted_by_key(|arrival| arrival.due));
            prop_assert!(arrivals.iter().all(|arrival| arrival.due < length));
            prop_assert!(arrivals.iter().map(|arrival| arrival.number).eq(0..arrivals.len() as u64));
        }

        #[test]
        fn shards_together_are_the_whole(pattern in pattern(), ms in 1..2000_u64, seed: u64, of in 1..9_u64) {
            let whole = || pattern.arrivals(Duration::from_millis(ms), seed);
            let shards: Vec<Vec<_>> = (0..of).map(|index| whole().shard(index, of).collect()).collect();
            let largest = shards.iter().map(Vec::len).max().unwrap_or(0);
            prop_assert!(shards.iter().all(|shard| largest - shard.len() <= 1), "no shard has more than its share");
            let mut together = shards.concat();
            together.sort_by_key(|arrival| arrival.number);
            prop_assert_eq!(together, whole().collect::<Vec<_>>());
        }
    }
}
