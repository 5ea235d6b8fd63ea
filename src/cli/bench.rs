//! What can be typed after `callbench bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::{Output, Place, Pressure};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench bench --scale demo
  callbench bench --scale demo --variants live,rollup
  callbench bench --scale dev --rounds 10 --rate 200/s --budgets ci/budgets.toml
  callbench bench --scale dev --rate 20/s --arrivals poisson
  callbench bench --database-url postgres://me@localhost/scratch
  callbench bench --scale dev --json=lines --metrics 9464 --metrics-linger 30s
  cargo bench && callbench bench --criterion      criterion's estimates, beside the baseline of each group
  callbench bench --criterion ../other/target/criterion --json
A variant that can't hold the rate is offered half of what it can, and the report says so; `callbench load`
offers what it was asked for.")]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The variants of the reference server that are compared, the one to beat first: naive, live, rollup.
    #[arg(long, value_delimiter = ',', default_value = "naive,live", value_name = "NAMES")]
    pub(crate) variants: Vec<server::Variant>,
    /// Rounds; each measures every variant and scenario, in shuffled order. Six give an interval at 95 %.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) rounds: u32,
    /// Length of one window: one variant, one scenario, one round. Default: 5s, or that of the replay.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) window: Option<Duration>,
    #[command(flatten)]
    pub(crate) pressure: Pressure,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
    /// Measure nothing, and report what `cargo bench` has left in this folder of criterion: each bench beside the baseline
    /// of its group, which is the function whose name begins with `baseline`. Without a folder: `$CRITERION_HOME`,
    /// or `criterion` in cargo's target folder.
    #[arg(
        long,
        num_args = 0..=1,
        value_name = "DIR",
        conflicts_with_all = [
            "scale", "variants", "rounds", "window", "Pressure", "page_size", "budgets", "no_probes", "metrics"
        ]
    )]
    #[expect(clippy::option_option, reason = "not given, given alone, given with a folder")]
    pub(crate) criterion: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::{Cli, Command};

    #[test]
    fn estimates_are_read_instead_of_a_measurement() {
        let read = |words: &[&str]| {
            let cli = Cli::try_parse_from(["callbench", "bench"].iter().chain(words));
            cli.map(|cli| match cli.command {
                Command::Bench(bench) => {
                    bench.criterion.map(|folder| folder.map(|path| path.display().to_string()))
                }
                other => panic!("{other:?}"),
            })
        };
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&["--criterion"]).unwrap(), Some(None));
        assert_eq!(
            read(&["--criterion", "a/b", "--json", "--name", "c"]).unwrap(),
            Some(Some("a/b".to_owned()))
        );
        for other in
            ["--rounds=2", "--scale=dev", "--variants=live", "--rate=5/s", "--users=3", "--metrics=0"]
        {
            assert!(read(&["--criterion", other]).is_err(), "{other}");
        }
    }
}
