//! Shapes: how a total is shared out, how an even draw becomes a skewed value. All in integers, so that no
//! floating-point library decides a byte.

mod apportion;
mod choice;
mod quantiles;
mod zipf;

pub use apportion::apportion;
pub use choice::{Shares, Weighted, choose};
pub use quantiles::{Quantiles, TALK_TIME_MS};
pub use zipf::zipf;
