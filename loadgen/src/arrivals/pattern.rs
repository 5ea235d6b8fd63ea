//! Where arrivals come from: a rate and a process, or a recording.

use std::sync::Arc;
use std::time::Duration;

use super::{Arrivals, Process, Rate, Replay};

/// Where arrivals come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// They are drawn.
    Drawn {
        /// Requests per second over the window.
        rate: Rate,
        /// How they are spread.
        process: Process,
    },
    /// They were recorded.
    Replayed {
        /// What was recorded.
        replay: Arc<Replay>,
        /// How many times as fast: 2 for half the gaps.
        speed: f64,
    },
}

impl Pattern {
    /// The arrivals of a window of `length`. A seed makes no difference to a pattern that leaves nothing to chance.
    #[must_use]
    pub fn arrivals(&self, length: Duration, seed: u64) -> Arrivals {
        Arrivals::new(self, length, seed)
    }

    /// Arrivals per second of a window of `length`, on average.
    #[must_use]
    pub fn mean_per_second(&self, length: Duration) -> f64 {
        match self {
            Self::Drawn { rate, .. } => rate.mean(),
            Self::Replayed { replay, speed } => {
                replay.within(length.mul_f64(*speed)) as f64 / length.as_secs_f64()
            }
        }
    }

    /// How long the pattern lasts by itself; `None` if that is up to the window.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        match self {
            Self::Drawn { .. } => None,
            Self::Replayed { replay, speed } => Some(replay.length().div_f64(*speed)),
        }
    }

    /// The scenarios that arrivals ask for; [`Arrival::scenario`](super::Arrival::scenario) is a place in them. None
    /// unless a replay names some.
    #[must_use]
    pub fn scenarios(&self) -> &[String] {
        match self {
            Self::Drawn { .. } => &[],
            Self::Replayed { replay, .. } => replay.scenarios(),
        }
    }

    /// The part of the pattern that one scenario has: of a replay the arrivals that name it or none, else the whole.
    #[must_use]
    pub fn only(&self, scenario: &str) -> Self {
        match self {
            Self::Replayed { replay, speed } if !replay.scenarios().is_empty() => {
                Self::Replayed { replay: Arc::new(replay.only(scenario)), speed: *speed }
            }
            Self::Drawn { .. } | Self::Replayed { .. } => self.clone(),
        }
    }

    /// What is wrong with the pattern, if anything is: a sentence without an end.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Drawn { rate, .. } => rate.check(),
            Self::Replayed { speed, .. } if (0.001..=1000.0).contains(speed) => Ok(()),
            Self::Replayed { speed, .. } => {
                Err(format!("a speed of {speed} lies outside of 0.001 to 1000 times the recorded one"))
            }
        }
    }
}
