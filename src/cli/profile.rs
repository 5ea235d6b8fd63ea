//! What can be typed after `callbench profile`.

use std::path::PathBuf;

use clap::Args;

use super::{Described, Place};

#[derive(Debug, Args)]
#[command(after_help = "\
The scenarios are those of `callbench load --help` that read. A path, first_page, page_100 and deep_walk are one
request; the others draw theirs, and several are profiled one after another. Of a mix it is one request of each part, and
what writes is left out. Each request of several has a folder of its own in --out, and --json prints a list.

Examples:
  callbench profile '/api/v1/customers/?workspace_id=enterprise-workspace-1'
  callbench profile page_100 --variant naive --scale dev --level indexed
  callbench profile worst_filters --requests 20 --assert 'total_time_ms < 500'
  callbench profile mixed
  callbench profile first_page --assert 'query_count < 10' --assert 'total_time_ms < 500'
  callbench profile '/api/v1/customers/?workspace_id=acme' --no-explain --repeat 21 \\
      --target https://staging.example.com --token $TOKEN

An assertion is a key of the profile, one of < <= > >= == !=, and a number, true, false, null or a word. A dot
stands before the key of a group: memory.allocated_bytes, breakdown.permission_time_ms,
queries.n_plus_one_detected; .length after a list is its length: recommendations.length == 0.
Judged is the counted answer with the median total time, which is also the one that is shown; for how many of
the others an assertion holds stands beside its verdict.
Exit codes: 0 every assertion holds, 1 one does not, 2 one could not be judged, or there was no profile.")]
pub(crate) struct Profile {
    /// A path with its query, as after the address of the server; or the name of a scenario.
    #[arg(value_name = "URL-PATH")]
    pub(crate) asked: String,
    #[command(flatten)]
    pub(crate) described: Described,
    /// How many different requests of a scenario, or of each part of a mix. Default: one of each part of a mix, else 5.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) requests: Option<u32>,
    /// How often each request is sent, one after the other. The first time warms up and is not counted, unless it is the
    /// only one.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) repeat: u32,
    /// Ask for the plans as well, which the server makes apart from the timed request; the default.
    #[arg(long, overrides_with = "no_explain")]
    pub(crate) explain: bool,
    /// Ask for no plans.
    #[arg(long, overrides_with = "explain")]
    pub(crate) no_explain: bool,
    /// What has to hold, written as in the examples below; can be given several times.
    #[arg(long = "assert", value_name = "ASSERTION")]
    pub(crate) assertions: Vec<reports::profile::Assertion>,
    /// A server that is already running, whose database is not asked; without it the reference server is started.
    #[arg(long, value_name = "URL", conflicts_with_all = ["variant", "level", "scale"])]
    pub(crate) target: Option<String>,
    /// Bearer token of an admin, or of a manager of the workspace.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = datagen::entities::staff::ADMIN_TOKEN)]
    pub(crate) token: String,
    /// Variant of the reference server.
    #[arg(long, default_value_t = server::Variant::Live)]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Level of the schema in the private cluster. Default: the one that the variant is made for.
    #[arg(long, value_name = "LEVEL", conflicts_with = "database_url")]
    pub(crate) level: Option<migrations::Level>,
    /// The workspace of a scenario: its slug or UUID. A path names its own.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    /// Rows per page of a scenario. A path names its own.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
    /// Folder for profile.json and profile.html. Default: runs/profile-TIME.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print profile.json instead of the text.
    #[arg(long)]
    pub(crate) json: bool,
}
