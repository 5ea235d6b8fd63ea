//! How hard a server is asked, for all commands that put load on one.

use clap::Args;

use super::quantity::rate;

/// How hard, and in which loop.
#[derive(Debug, Clone, Args)]
pub(crate) struct Pressure {
    /// Open loop: requests are due at this rate however fast they are answered. A variant that can't hold it is
    /// offered half of what it can, and the report says so.
    #[arg(long, default_value = "50/s", value_parser = rate, value_name = "RATE")]
    pub(crate) rate: f64,
    /// Closed loop instead: this many users, each of which waits for its answer before it asks again.
    #[arg(long, conflicts_with = "rate", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) users: Option<u16>,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
}
