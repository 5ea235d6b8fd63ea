//! What many measurements of the same thing make together: how far a rate can go, and how a time grows.
//!
//! [`Capacity`] is the search for the highest rate at which objectives hold; [`Curve`] is a time and the buffers behind it
//! against the number of a page or of customers, each with a fitted power. Both are plain data like a run, are kept as JSON
//! with a page beside it ([`store`]), and are printed as a table ([`terminal`]).

mod capacity;
mod curve;
mod fit;
mod html;
mod objective;
#[cfg(test)]
mod sample;
pub mod store;
pub mod terminal;

pub use capacity::{Capacity, End, Settings, Stage, Step, Verdict};
pub use curve::{Axis, Curve, Point, Series};
pub use fit::Fit;
pub use objective::{Held, Judgement, Objective};

/// The version of the layout of `capacity.json`, `depth.json` and `growth.json`. It grows when a field changes its meaning or
/// goes away.
pub const SCHEMA: u32 = 1;
