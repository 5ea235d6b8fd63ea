//! What can be typed after `callbench db verify`.

use clap::Args;

use super::Place;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench db verify --scale dev                    after a load, or after load tests: what changed?
  callbench db verify --scale demo --level indexed   the clone that bench has made for a level
  callbench db verify --database-url postgres://me@localhost/scratch --quick --json
Exit codes: 0 everything is as loaded, 1 rows differ or a check failed, 2 could not be verified.")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The clone for this level, instead of the dataset that it was cloned from.
    #[arg(long, default_value_t = migrations::Level::Before)]
    pub(crate) level: migrations::Level,
    /// Connections that read at once. Default: one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: Option<u16>,
    /// One pass over the rows: counts and checksums, but not which rows changed, no references and no totals.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
