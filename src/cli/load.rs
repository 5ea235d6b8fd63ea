//! What can be typed after `callbench load`.

use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::{Output, Place, Pressure};

#[derive(Debug, Args)]
#[command(after_help = "\
Scenarios: first_page, page_100

Examples:
  callbench load first_page page_100 --rate 100/s --duration 30s
  callbench load first_page --users 8 --variant naive
  callbench load first_page --target https://staging.example.com --token $TOKEN --workspace acme")]
pub(crate) struct Load {
    /// What to request.
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<String>,
    /// A server that is already running; without it the reference server is started.
    #[arg(long, value_name = "URL", conflicts_with = "variant")]
    pub(crate) target: Option<String>,
    /// Bearer token.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = "token123")]
    pub(crate) token: String,
    /// The workspace under test: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    /// Variant of the reference server.
    #[arg(long, default_value_t = server::Variant::Live)]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(flatten)]
    pub(crate) pressure: Pressure,
    /// How long each scenario is measured.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) duration: Duration,
    #[command(flatten)]
    pub(crate) output: Output,
}
