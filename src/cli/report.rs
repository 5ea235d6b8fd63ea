//! What can be typed after `callbench report`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The folder of a run, or its result.json.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Judge it again, by these budgets.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
}
