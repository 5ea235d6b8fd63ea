//! Where the rows are, for all commands that need some.

use clap::{Args, ValueEnum};

/// A dataset in the private cluster, or a database by its URL.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Use this database instead of the private cluster.
    #[arg(long, env = "CALLBENCH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Which dataset of the private cluster.
    #[arg(long, value_enum, default_value_t = Scale::Demo)]
    pub(crate) scale: Scale,
}

/// The named sizes, as `datagen` knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scale {
    /// 2,000 customers and 20,000 calls in the largest workspace.
    Tiny,
    /// 50,000 customers and 1,000,000 calls.
    Dev,
    /// 1,000,000 customers and 5,000,000 calls.
    Demo,
    /// 1,000,000 customers and 50,000,000 calls; needs about 25 GB.
    Enterprise,
    /// The sizes given by --customers, --calls and --workspaces.
    Custom,
}
