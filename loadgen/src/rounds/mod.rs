//! Which window comes when, how much load it offers, and whether it can be trusted.
//!
//! The round is the sample, not the request: in each round every target and operation gets one window, close in time
//! to all others, so that a machine that slows down slows all of them down. Everything here is pure.

mod offer;
mod order;
mod shortfall;
mod trust;

pub use offer::{Offer, offer};
pub(crate) use order::mix;
pub use order::{Slot, arrival_seed, order};
pub use shortfall::shortfalls;
pub use trust::{CLIENT_SHARE, ENOUGH_FOR_P99, mark_untrustworthy};
