//! What can be typed after `callbench capacity`.

use std::time::Duration;

use clap::Args;
use reports::curves::Objective;

use super::pressure::Arrivals;
use super::quantity::{constant_rate, duration, share};
use super::{Crowd, Described, Kept, Subject};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench capacity first_page --slo 'p99 < 100ms'
  callbench capacity mixed --slo 'p95 < 250ms' --slo 'errors < 1%' --variant naive --scale dev
  callbench capacity detail --slo 'p99 < 20ms' --from 200/s --max-rate 5000/s --precision 5%
  callbench capacity first_page=70 detail=30 --slo 'p99 < 100ms' \\
      --target https://staging.example.com --token $TOKEN --workspace acme
  callbench capacity first_page --slo 'p99 < 100ms' --json=lines          # each second, each step, the answer
  callbench capacity search=9 buy=1 --scenarios shop.toml --slo 'p95 < 200ms' \\
      --target http://127.0.0.1:9000 --token $TOKEN --workspace shop-1

The scenarios are those of `callbench load --help`. What a target does not offer is left out of a mix, with a warning.
The rate doubles until an objective breaks, then the bounds are narrowed, then the lower one has to hold again in a
longer step. The answer is two bounds: the rate that held twice, and the lowest one that broke. A step that broke
because the client was late is not held against the server. Objectives are rules of a budget: pN, max or errors, and an
upper limit with its unit. p99 needs 299 requests: at low rates a step lasts up to six times as long for them.
Exit codes: 0 a rate was confirmed, 1 the objectives held at none, 2 it could not be found out.")]
pub(crate) struct Capacity {
    /// What to request: one scenario, or several with weights, which are one mix.
    #[arg(required = true, value_name = "SCENARIO[=WEIGHT]")]
    pub(crate) scenarios: Vec<String>,
    #[command(flatten)]
    pub(crate) described: Described,
    /// What has to hold, such as 'p99 < 100ms' or 'errors < 1%'; can be given several times.
    #[arg(long = "slo", required = true, value_name = "OBJECTIVE")]
    pub(crate) objectives: Vec<Objective>,
    /// The first rate. Default: a tenth of what one worker gets through.
    #[arg(long, value_parser = constant_rate, value_name = "RATE")]
    pub(crate) from: Option<f64>,
    /// The highest rate to try.
    #[arg(long, value_parser = constant_rate, value_name = "RATE")]
    pub(crate) max_rate: Option<f64>,
    /// How close the bounds are to come.
    #[arg(long, default_value = "10%", value_parser = share, value_name = "SHARE")]
    pub(crate) precision: f64,
    /// Length of a step.
    #[arg(long, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub(crate) step_duration: Duration,
    /// Length of the step that confirms the answer.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) confirm_duration: Duration,
    /// Length of the warm-up before each step, at its rate; that is not measured.
    #[arg(long, default_value = "1s", value_parser = duration, value_name = "TIME")]
    pub(crate) warm_up: Duration,
    /// Most requests in flight; further ones wait, and their wait counts.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_in_flight: u16,
    /// How arrivals are spread.
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub(crate) arrivals: Arrivals,
    /// Seed of the arrivals and of what is drawn.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Variant of the reference server.
    #[arg(long, default_value_t = server::Variant::Live, conflicts_with = "target")]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) subject: Subject,
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    #[command(flatten)]
    pub(crate) kept: Kept,
}
