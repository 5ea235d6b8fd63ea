//! Whom a measurement asks, and where its result goes, for the commands that draw a curve.

use std::path::PathBuf;

use clap::Args;

use super::output::run_name;
use super::{Live, Place};

/// One server: the reference server, or somebody's.
#[derive(Debug, Clone, Args)]
pub(crate) struct Subject {
    /// A server that is already running; without it the reference server is started.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// Bearer token.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = "token123")]
    pub(crate) token: String,
    /// The workspace under test: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
}

/// Where the result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Kept {
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the result. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) live: Live,
}
