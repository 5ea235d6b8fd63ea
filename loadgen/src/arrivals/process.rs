//! How arrivals are spread, in a time of its own in which one is due per unit on average.
//!
//! Seen through the cumulated rate `Λ`, every schedule looks alike: if arrivals at the varying rate `λ(t)` are a
//! Poisson process, then their images under `Λ` are one with rate 1, and the other way round (the time-rescaling
//! theorem: Brown, Barbieri, Ventura, Kass and Frank, *Neural Computation* 14, 2002; as a way to draw arrivals it is
//! the inversion of Çinlar, *Introduction to Stochastic Processes*, 1975). So a process is drawn at rate 1 and led
//! through the inverse of `Λ`, whatever the rate does.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

/// How arrivals are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Process {
    /// Evenly: at a constant rate, arrival `k` is due at `k / rate`; on a ramp, when `k` are due by it. Repeats best, and
    /// is the right one for regressions; it hides what bursts do, and can fall into step with something periodic in the
    /// server.
    #[default]
    Constant,
    /// Independent users: at a constant rate the gaps are exponential with mean `1 / rate`, as `pgbench --rate` has
    /// them.
    Poisson,
}

/// A process at rate 1: how many units after the opening each arrival is due.
#[derive(Debug, Clone)]
pub(super) enum Units {
    /// Numbers, since a number does not drift as a sum of steps would.
    Constant { next: u64 },
    Poisson {
        last: f64,
        // A named algorithm instead of "the standard one", so that a seed means the same schedule after an update.
        random: Xoshiro256PlusPlus,
    },
}

impl Units {
    pub(super) fn new(process: Process, seed: u64) -> Self {
        match process {
            Process::Constant => Self::Constant { next: 0 },
            Process::Poisson => Self::Poisson { last: 0.0, random: Xoshiro256PlusPlus::seed_from_u64(seed) },
        }
    }

    /// The next one. It never ends by itself.
    pub(super) fn next(&mut self) -> f64 {
        match self {
            Self::Constant { next } => {
                let number = *next;
                *next += 1;
                number as f64
            }
            Self::Poisson { last, random } => {
                // Inverse transform of the exponential distribution: -ln(1 - u), with u in [0, 1).
                let u: f64 = random.random();
                *last -= (1.0 - u).ln();
                *last
            }
        }
    }
}
