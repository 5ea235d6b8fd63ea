//! What can be typed after `callbench indexes`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Place;
use super::output::run_name;
use super::quantity::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench indexes --database-url postgres://localhost/shop      reads the catalogue and statistics, writes nothing
  callbench indexes --scale dev --level indexed --ablate
  callbench indexes --ablate --only idx_customer_workspace_flags --rounds 5
  callbench indexes --ablate --reads mine.toml

Size at scale is linear: measured bytes per entry times 70,000,000 customers or 1,000,000,000 calls.
Scans are those that this server counted; a replica counts its own, and they are not seen here.
An index that keeps a rule (a primary key, a unique index) is never called dispensable, and never left out.

--ablate copies the dataset of the private cluster, and drops each index in a transaction that is rolled back. Statements
are explained while they run: blocks, log and plans are counted, and times shown beside them. A file of --reads has
  [[draw]]
  sql = \"SELECT id AS customer FROM customer LIMIT 5\"
  [[read]]
  name = \"calls\"
  sql = \"SELECT * FROM call WHERE customer_id = ${customer}::uuid\"
Each read is carried out for every row that its draws gave; values are bound as text. ${workspace_name} is --workspace.
Exit codes: 0 measured, 1 the indexes of the copy are not as they were before, 2 nothing could be
measured, 130 interrupted.")]
pub(crate) struct Indexes {
    /// Leave each index out in turn, in a copy of the dataset, and measure what reads lose and writes gain.
    #[arg(long)]
    pub(crate) ablate: bool,
    /// These indexes alone.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub(crate) only: Vec<String>,
    /// Rounds; each looks at the full set of indexes twice and leaves each one out once.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100), requires = "ablate", value_name = "N")]
    pub(crate) rounds: u32,
    /// Reads of your own instead of the API's, as described below.
    #[arg(long, requires = "ablate", value_name = "FILE")]
    pub(crate) reads: Option<PathBuf>,
    /// How long one statement may take; a read that takes longer without an index counts as one that needs it.
    #[arg(long, default_value = "30s", value_parser = duration, requires = "ablate", value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// The workspace that is read and written: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG, requires = "ablate")]
    pub(crate) workspace: String,
    /// Tell how full the pages of B-trees are, which reads each index whole; needs the extension pgstattuple. Part of --ablate.
    #[arg(long)]
    pub(crate) density: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Level of the schema in the private cluster; a database of --database-url is taken as it is.
    #[arg(long, conflicts_with = "database_url", default_value_t = migrations::Level::Optimized, value_name = "LEVEL")]
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
