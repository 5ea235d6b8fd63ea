//! Data like production's, at the speed of COPY.
//!
//! What the data set is to be ([`Spec`]) decides who there is ([`population`]) and every row ([`entities`]); rows
//! become the bytes of `PostgreSQL`'s binary COPY format ([`encode`]), and the loader sends them over several
//! connections. Rows are pure functions of (seed, table and its version, entity, field), see [`kernel`]: threads,
//! chunks and connections never change a byte, and one checksum per table proves it ([`checksum`]). Where no database
//! can be reached, the same bytes go into files ([`mod@export`]).

#![expect(
    clippy::missing_panics_doc,
    reason = "what is expected are conversions of numbers that are bounded close by; no input reaches them"
)]

pub mod checksum;
pub mod dictionaries;
pub mod distributions;
pub mod encode;
pub mod entities;
mod error;
pub mod export;
pub mod kernel;
mod ledger;
mod loader;
mod plan;
pub mod population;
pub mod profile;
mod progress;
mod seed;
mod spec;
pub mod timeline;
pub mod verify;
pub mod wire;

pub use entities::{Column, Kind, Table};
pub use error::Error;
pub use ledger::{LoadedTable, Present, present};
pub use loader::schedule::Grain;
pub use plan::{Loading, Plan, PlannedIndex, PlannedTable, plan};
pub use profile::{Profile, ProfileError};
pub use progress::{Phase, Progress, Unit, condensed};
pub use seed::{Options, Seeded, seed};
pub use spec::{DATASET_VERSION, DEFAULT_SEED, LARGEST_SLUG, Scale, Spec, Transcripts};
