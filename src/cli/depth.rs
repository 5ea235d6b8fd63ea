//! What can be typed after `callbench depth`.

use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::{Kept, Subject};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench depth --scale dev
  callbench depth --variants naive,live,rollup --pages 1,10,100,1000,10000
  callbench depth --pages 1,10,100 --target https://staging.example.com --token $TOKEN --workspace acme

A page is reached by its number where links have numbers, else over all the links before it, once; what is timed is
the request for the page alone, one after another. Each page of each variant has a window in every round, in a drawn
order. Buffers are counted apart, inside the database. The exponent is the slope of a line through the logarithms.
Pages that one of the servers does not have are left out, and the result says so.
Exit codes: 0 measured, 1 the variants gave different rows, 2 fewer than two pages could be measured.")]
pub(crate) struct Depth {
    /// The pages, by their number.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,10,100,1000,10000",
        value_parser = clap::value_parser!(u32).range(1..),
        value_name = "NUMBERS"
    )]
    pub(crate) pages: Vec<u32>,
    /// Variants of the reference server: naive, live, rollup.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "naive,live",
        value_name = "NAMES",
        conflicts_with = "target"
    )]
    pub(crate) variants: Vec<server::Variant>,
    /// Rounds; each measures every page of every variant once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) rounds: u32,
    /// Length of one window: one page, one variant, one round; a slow page has three requests in it, however long that
    /// takes.
    #[arg(long, default_value = "300ms", value_parser = duration, value_name = "TIME")]
    pub(crate) window: Duration,
    #[command(flatten)]
    pub(crate) subject: Subject,
    #[command(flatten)]
    pub(crate) kept: Kept,
}
