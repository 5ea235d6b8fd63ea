//! What can be typed after `callbench growth`.

use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::{Described, Kept};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench growth
  callbench growth --customers 1000,10000,100000,1000000 --variants naive,live,rollup
  callbench growth --customers 5000,50000 --calls-per-customer 20 --keep
  callbench growth detail search --scenarios customers.toml

Each size is seeded into databases of its own in the private cluster, measured, and dropped again; sizes that the disk
can't hold are refused before anything is written. Requests are sent one after another; each scenario of each variant
has a window in every round, in a drawn order. The exponent is the slope of a line through the logarithms.
Exit codes: 0 measured, 1 the variants gave different rows, 2 fewer than two sizes could be measured.")]
pub(crate) struct Growth {
    /// What is requested at each size; those with a weight are parts of one mix.
    #[arg(default_values = ["first_page", "worst_filters"], value_name = "SCENARIO[=WEIGHT]")]
    pub(crate) scenarios: Vec<String>,
    #[command(flatten)]
    pub(crate) described: Described,
    /// Customers of the largest workspace, at each size.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000",
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "NUMBERS"
    )]
    pub(crate) customers: Vec<u64>,
    /// Calls for each of them.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=10_000), value_name = "N")]
    pub(crate) calls_per_customer: u64,
    /// Variants of the reference server: naive, live, rollup.
    #[arg(long, value_delimiter = ',', default_value = "naive,live", value_name = "NAMES")]
    pub(crate) variants: Vec<server::Variant>,
    /// Rounds; each measures every scenario of every variant once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) rounds: u32,
    /// Length of one window; a slow request is sent three times, however long that takes.
    #[arg(long, default_value = "300ms", value_parser = duration, value_name = "TIME")]
    pub(crate) window: Duration,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
    /// Leave the databases, so that the next time they need not be seeded.
    #[arg(long)]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
}
