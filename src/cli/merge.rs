//! What can be typed after `callbench merge`.

use std::path::PathBuf;

use clap::Args;

use super::output::run_name;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench merge runs/shard-0 runs/shard-1 runs/shard-2
  callbench merge runs/shard-* --name whole --budgets budgets.toml

Histograms add up exactly, so the percentiles are those of all requests. Shards of different plans, seeds or versions,
of different servers, a missing one, one that is there twice, and one that was interrupted are refused.
Exit codes: 0 merged, and every budget holds if there are any; 1 a budget failed; 2 could not be merged or judged.")]
pub(crate) struct Merge {
    /// The shards: their folders, or their result.json.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) shards: Vec<PathBuf>,
    /// Budgets to judge the whole by.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the merged run. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Print result.json instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
}
