//! What can be typed after `callbench conform`.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::Place;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench conform http://127.0.0.1:8000 --token $TOKEN --workspace acme
  callbench conform https://staging.example.com --token $TOKEN --workspace acme --only pages,filters --json
  callbench conform http://127.0.0.1:8000 --token $TOKEN --workspace acme --writes \\
      --other-token $STRANGER --employee-token $EMPLOYEE
  callbench conform --variant live --scale dev     the reference server

Parameters are taken from the rows of the first page; no row has to be there. Nothing is written without --writes. With
it customers and calls named `callbench conform: …` are made and changed, and the customers are deleted in the end, which
on most servers leaves rows that are marked as deleted; nobody else's rows are touched.
Exit codes: 0 everything checked conforms, 1 something differs or is missing, 2 it could not be checked.")]
pub(crate) struct Conform {
    /// The server: what stands before `/api/v1/`. Without it the reference server is started.
    #[arg(value_name = "URL", conflicts_with_all = ["variant", "level", "scale"])]
    pub(crate) url: Option<String>,
    /// Bearer token of an admin or manager of the workspace.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = datagen::entities::staff::ADMIN_TOKEN)]
    pub(crate) token: String,
    /// The workspace: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    /// Token of somebody who is no member of the workspace: nothing of it may be shown to them.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) other_token: Option<String>,
    /// A workspace whose member --other-token is, or --token without one: nothing may cross between the two.
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) other_workspace: Option<String>,
    /// Token of an employee who has customers in the workspace, but not all of them.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) employee_token: Option<String>,
    /// Make, change and delete customers and calls as well.
    #[arg(long)]
    pub(crate) writes: bool,
    /// The checks to make, separated by commas. Default: all.
    #[arg(long, value_name = "CHECKS", value_delimiter = ',', value_parser = PossibleValuesParser::new(loadgen::conform::groups()))]
    pub(crate) only: Vec<String>,
    /// Variant of the reference server.
    #[arg(long, default_value_t = server::Variant::Live)]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Level of the schema in the private cluster. Default: the one that the variant is made for.
    #[arg(long, value_name = "LEVEL", conflicts_with = "database_url")]
    pub(crate) level: Option<migrations::Level>,
    /// Print JSON instead of the table: every check with its requests.
    #[arg(long)]
    pub(crate) json: bool,
}
