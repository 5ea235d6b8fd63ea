//! What can be typed after `callbench writes`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use loadgen::labs::writes::Operation;
use reports::labs::writes::Through;

use super::Place;
use super::output::run_name;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench writes --scale dev
  callbench writes --level before --level optimized --through sql
  callbench writes --only single_insert,update_indexed,update_unindexed --operations 2000
  callbench writes --scale enterprise --level optimized --json
  callbench writes --database-url postgres://me@staging/shop --workspace acme --yes-write

The operations are single_insert, batch_insert (100 customers), update_indexed (status), update_unindexed (phone),
batch_update (status of 100), single_call, batch_call (100 calls), batch_delete (50 customers, softly). Each is done a
fixed number of times, one after the other, right after a checkpoint, at each level, through the reference server and
as plain SQL with the same statements; the same rows are drawn everywhere. Datasets of the private cluster are copied
first, once for each level and way, with autovacuum off, and the copies are dropped.

With --database-url the database is written to as it is, at the level that it has: some thousand customers are made in
the workspace, whose names begin with callbench-writes, everything is done to them, and they and their calls are removed
in the end. That needs --yes-write.

The log is split by table and index with pg_walinspect (PostgreSQL 15 and newer), which needs a superuser or a member
of pg_read_server_files. Its parts are held against what the server counts; what belongs to others is a line of its own.
Exit codes: 0 measured, and budgets hold; 1 a budget does not, or the parts of a log are not its whole; 2 something could
not be measured or told; 130 interrupted.")]
pub(crate) struct Writes {
    /// A level of the schema in the private cluster; can be given several times. Default: all.
    #[arg(long = "level", value_name = "LEVEL", conflicts_with = "database_url")]
    pub(crate) levels: Vec<migrations::Level>,
    /// How writes are made.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "api,sql", value_name = "WAYS")]
    pub(crate) through: Vec<Way>,
    /// These operations alone.
    #[arg(long, value_delimiter = ',', value_name = "OPERATIONS")]
    pub(crate) only: Vec<Operation>,
    /// How often each operation is done. Default: 1,000 times for those of one row, 300 times for the others.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000), value_name = "N")]
    pub(crate) operations: Option<u64>,
    /// Seed of the choice of rows and values.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Bearer token of an admin, or of a manager of the workspace.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = datagen::entities::staff::ADMIN_TOKEN)]
    pub(crate) token: String,
    /// The workspace that is written to: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Write to the database of --database-url.
    #[arg(long, requires = "database_url")]
    pub(crate) yes_write: bool,
    /// A budget file to judge it by, instead of the built-in budgets, which need 299 operations.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the result. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Print writes.json instead of the tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The way that a write takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Requests to the reference server.
    Api,
    /// Transactions with the same statements.
    Sql,
}

impl From<Way> for Through {
    fn from(way: Way) -> Self {
        match way {
            Way::Api => Self::Api,
            Way::Sql => Self::Sql,
        }
    }
}
