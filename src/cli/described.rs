//! Scenarios beside those that callbench knows, for all commands in which one can be named.

use std::path::PathBuf;

use clap::Args;
use loadgen::scenarios::Catalogue;

/// Files that describe scenarios.
#[derive(Debug, Clone, Args)]
pub(crate) struct Described {
    /// A TOML file that describes scenarios, for any API: docs/scenarios.md. Can be given several times.
    #[arg(long = "scenarios", value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Described {
    /// What can be named: what callbench knows, and what the files describe.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, loadgen::Error> {
        Catalogue::with_files(self.files.iter().map(PathBuf::as_path))
    }
}
