//! What can be typed after `callbench db`.

use clap::Subcommand;

use super::{Place, Scale, Verify};

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Start the private PostgreSQL and leave it running.
    Start {
        /// Port on 127.0.0.1. Default: a free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop it.
    Stop,
    /// Print the URL of a dataset in it, for psql and others; it must be running.
    Url {
        /// Which dataset.
        #[arg(long, value_enum, default_value_t = Scale::Demo)]
        scale: Scale,
        /// Which level of it.
        #[arg(long, default_value_t = migrations::Level::Before)]
        level: migrations::Level,
    },
    /// Whether it runs, where, and what it holds.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring a schema to a level, upwards or downwards, index by index and without blocking writers.
    Migrate {
        /// The level to reach: before, indexed or optimized.
        #[arg(long)]
        to: migrations::Level,
        #[command(flatten)]
        place: Place,
    },
    /// Prove that a database holds exactly the dataset that was loaded, or say what changed since. It only reads.
    Verify(Verify),
}
