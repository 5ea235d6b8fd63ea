//! The load generator: requests offered honestly, answers checked, and the database watched from inside.
//!
//! [`measure`] carries out a [`Plan`] over one or more [`Target`]s and returns plain data ([`Measured`]). It speaks
//! HTTP and SQL and knows nothing of the reference server, so that it measures anybody's server just as well.
//!
//! - [`operations`]: what is requested and how a reply is checked; written once, used by both loops.
//! - [`scenarios`]: one operation, or a mix of several. [`described`]: those that a file describes.
//! - [`arrivals`]: when requests are due in the open loop; pure and seeded. [`pacer`] wakes the client up on time.
//! - `engine`: goose's users as the pool of workers, fed with one window after another.
//! - [`recorder`]: what happened in a window, in whole histograms. [`Tick`]: the same while it is open, once a second.
//! - [`rounds`]: which window comes when, how much load it offers, and whether it can be trusted; pure.
//! - [`curves`]: many measurements of the same thing, such as the search for the highest rate that holds.
//! - [`labs`]: questions to the database that no load answers.
//! - [`profile()`]: requests that the server is asked to explain.
//! - [`conform`]: what a server answers differently from the contract, so that it is known what can be asked of it.
//! - [`labs`]: one thing that the database does, provoked on purpose, where a load would only show that it happens.
//! - [`probes`]: the database's and the operating system's side of the same windows.

pub mod arrivals;
pub mod conform;
pub mod curves;
pub mod described;
mod engine;
mod equal_rows;
mod error;
pub mod labs;
mod load;
mod measure;
mod observer;
pub mod operations;
pub mod pacer;
mod plan;
pub mod probes;
mod profiling;
mod quotation;
pub mod recorder;
pub mod rounds;
pub mod scenarios;
mod shard;
mod ticks;

pub use error::Error;
pub use load::{Load, Open};
pub use measure::{Measured, measure};
pub use observer::{Event, Observer, Position, Silent};
pub use plan::{Identity, Plan, Target};
pub use profiling::{Asked, Inquiry, Profiled, Profiles, profile};
pub use shard::Shard;
pub use ticks::{Flow, PartTick, Tick};
