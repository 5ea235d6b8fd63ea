//! What can be typed after `callbench merge`.

use std::path::PathBuf;

use clap::Args;

use super::Kept;

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
    #[command(flatten)]
    pub(crate) kept: Kept,
}
