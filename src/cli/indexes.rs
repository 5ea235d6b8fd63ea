//! What can be typed after `callbench indexes`.

use std::path::PathBuf;

use clap::Args;

use super::Place;
use super::output::run_name;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench indexes --database-url postgres://localhost/shop      reads the catalogue and statistics, writes nothing
  callbench indexes --scale dev --level indexed

Size at scale is linear: measured bytes per entry times 70,000,000 customers or 1,000,000,000 calls.
Scans are those that this server counted; a replica counts its own, and they are not seen here.
An index that keeps a rule (a primary key, a unique index) is never called dispensable.
Exit codes: 0 measured, 1 the indexes are not as they were before, 2 nothing could be measured.")]
pub(crate) struct Indexes {
    /// Look at these indexes alone; the others stay what they are compared with.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) only: Vec<String>,
    /// Tell how full the pages of B-trees are, which reads each index whole; needs the extension pgstattuple.
    #[arg(long)]
    pub(crate) density: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Level of the schema in the private cluster.
    #[arg(long, default_value_t = migrations::Level::Optimized, value_name = "LEVEL")]
    pub(crate) level: migrations::Level,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the result. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Print indexes.json instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
}
