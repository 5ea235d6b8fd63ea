//! What can be typed after `callbench load`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Args;
use loadgen::Shard;

use super::quantity::duration;
use super::{Crowd, Described, Output, Pressure, Subject};

#[derive(Debug, Args)]
#[command(after_help = "\
Scenarios:
  first_page page_100     pages of the list, without filters
  deep_walk               200 pages forward and back, no row lost on the way
  filters worst_filters   the list under filters that people set, and under those that hurt
  detail metadata         one customer; the numbers of a workspace
  single_insert batch_insert single_update batch_update soft_delete calls
                          writes, one row or 100 at once; those of the private server go to a
                          copy of the dataset, those of --target and --database-url stay
  contention              everybody updates the same five customers
  mixed                   reads and writes, 83 to 17
  --scenarios FILE        yours, for any API, described in TOML (docs/scenarios.md):
                            [scenario.search]
                            path = \"/api/products/?q=lamp\"
                            expect = { status = 200, json = { \"/results\" = { type = \"array\" } } }

Examples:
  callbench load first_page page_100 --rate 100/s --duration 30s
  callbench load first_page --rate 100/s..2000/s --duration 2min --arrivals poisson
  callbench load first_page --rate 500/s --max-in-flight 16 --when-busy skip
  callbench load --replay arrivals.txt --speed 2x
  callbench load first_page --users 8 --variant naive
  callbench load first_page=70 detail=25 single_update=5 --rate 200/s     # one mix, by shares of requests
  callbench load detail --workspace acme --as $OTHER_TOKEN@umbrella=0.2   # who asks is drawn, too
  callbench load first_page --target https://staging.example.com --token $TOKEN --workspace acme
  callbench load first_page --target https://staging.example.com --token $TOKEN --workspace acme \\
      --rate 3000/s --shard 0/3 --start-at 2026-11-23T18:00:00Z           # one of three processes
  callbench load search=9 buy=1 --scenarios shop.toml --target http://127.0.0.1:9000 --token $TOKEN
  callbench load first_page --rate 500/s --duration 10min --metrics 9464  # http://127.0.0.1:9464/metrics
  callbench load first_page --json=lines | jq -c 'select(.event == \"second\")'

The rate is offered as it is; that the server could not hold it is a warning.")]
pub(crate) struct Load {
    /// What to request: names stand for themselves, those with a weight are parts of one mix. Default with --replay: what
    /// its file names.
    #[arg(required_unless_present = "replay", value_name = "SCENARIO[=WEIGHT]")]
    pub(crate) scenarios: Vec<String>,
    #[command(flatten)]
    pub(crate) described: Described,
    /// Variant of the reference server.
    #[arg(long, default_value_t = server::Variant::Live, conflicts_with = "target")]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) subject: Subject,
    #[command(flatten)]
    pub(crate) crowd: Crowd,
    #[command(flatten)]
    pub(crate) pressure: Pressure,
    /// How long each scenario is measured. Default: 30s, or as long as the replay lasts.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) duration: Option<Duration>,
    /// How long each scenario may warm up; that is not measured.
    #[arg(long, default_value = "1500ms", value_parser = duration, value_name = "TIME")]
    pub(crate) warm_up: Duration,
    /// Seed of the arrivals and of what is drawn.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) seed: u64,
    /// Send only every Nth arrival of the schedule, from the one with number I (0 to N-1) on: one of N processes that send it
    /// together; see `callbench merge`. Default: from `JOB_COMPLETION_INDEX` and `CALLBENCH_SHARDS`.
    #[arg(long, value_name = "I/N", value_parser = shard, requires_all = ["target", "start_at"], conflicts_with = "users")]
    pub(crate) shard: Option<Shard>,
    /// The moment at which the window opens, such as 2026-11-23T18:00:00Z: after preparing and warming up, everybody sleeps
    /// until then. Being more than 1 s late is an error.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) start_at: Option<DateTime<Utc>>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Reads `I/N`.
pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    let wrong = || format!("`{text}` is no shard: it looks like 0/3, 1/3 or 2/3");
    let (index, of) = text.split_once('/').ok_or_else(wrong)?;
    match (index.parse(), of.parse()) {
        (Ok(index), Ok(of)) if index < of => Ok(Shard { index, of }),
        _ => Err(wrong()),
    }
}

/// Reads a moment as RFC 3339 writes it.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|error| format!("`{text}` is not a moment such as 2026-11-23T18:00:00Z: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_lies_below_the_number_of_shards() {
        assert_eq!(shard("2/3"), Ok(Shard { index: 2, of: 3 }));
        for wrong in ["3/3", "0/0", "1", "-1/3", "a/b", "1/3/4"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
