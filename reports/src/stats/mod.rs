//! Statistics of load tests, as pure functions.
//!
//! Three ideas carry everything here.
//!
//! - **The round is the sample.** Requests of one window share a cache, a plan and a checkpoint, so that a p-value
//!   over many thousands of them is always tiny. Two subjects are compared by the ratio within each round
//!   ([`PairedRatio`]).
//! - **Order statistics need no model.** An interval for a percentile, or for the median of rounds, is a pair of
//!   ranks taken from the binomial distribution ([`quantile`]).
//! - **Noise is measured.** Measuring one subject twice in each round shows how much equal things differ
//!   ([`NoiseFloor`]).
//!
//! Each end of an interval holds at the stated confidence by itself (a one-sided bound), because a budget looks at
//! one end only.

mod binomial;
mod noise;
mod proportion;
pub mod quantile;
mod rounds;

pub use noise::NoiseFloor;
pub use proportion::proportion;
pub use rounds::{PairedRatio, median_interval};

/// An estimate with an interval; an end is `None` where the samples are too few to give it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}
