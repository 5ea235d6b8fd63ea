//! What can be typed after `callbench locks`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use loadgen::labs::locks::CASES;
use reports::labs::locks::ENOUGH;

use super::Place;
use super::output::run_name;
use super::quantity::duration;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  callbench locks --scale dev                          every case, 20,000 transactions each
  callbench locks --scale tiny --case update_5 update_32 --transactions 2000
  callbench locks --case calls --threads 32 --json
  callbench locks --database-url $URL --yes-write      in a database of yours, with rows of its own
  callbench locks watch --database-url $URL            only look who blocks whom, in any database

Each case runs three times: as its control, in the order in which rows arrive, which must deadlock;
in plain SQL in the order that the reference server keeps; and through the API of the server. A zero
of the last two counts only beside a control that deadlocked. It writes to a copy of the dataset,
which is dropped in the end. docs/locks.md describes the cases.
Exit codes: 0 all passed, 1 a deadlock or a lost update where none may be or a budget that does not
hold, 2 nothing proven or could not run, 130 interrupted."
)]
pub(crate) struct Locks {
    #[command(subcommand)]
    pub(crate) command: Option<LocksCommand>,
    #[command(flatten)]
    pub(crate) lab: LockLab,
}

/// What else there is to do with locks.
#[derive(Debug, Subcommand)]
pub(crate) enum LocksCommand {
    /// Look who blocks whom in a database, and change nothing.
    Watch(LocksWatch),
}

/// What is provoked, and where.
#[derive(Debug, Args)]
pub(crate) struct LockLab {
    /// Only these cases.
    #[arg(
        long = "case",
        num_args = 1..,
        value_delimiter = ',',
        value_parser = clap::builder::PossibleValuesParser::new(CASES.iter().map(|case| case.name)),
        value_name = "NAME"
    )]
    pub(crate) cases: Vec<String>,
    /// Writers at once, instead of those of each case.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=64), value_name = "N")]
    pub(crate) threads: Option<u32>,
    /// Transactions of each trial in order; one ends as soon as it has deadlocked 25 times. A zero among n rules out
    /// shares above 3/n.
    #[arg(long, default_value_t = ENOUGH, value_parser = clap::value_parser!(u64).range(1..=10_000_000), value_name = "N")]
    pub(crate) transactions: u64,
    /// The variant of the reference server, on its level of the schema; only `rollup` keeps totals of calls.
    #[arg(long, default_value = "rollup", value_name = "NAME")]
    pub(crate) variant: server::Variant,
    /// Bearer token of an admin or a manager.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = datagen::entities::staff::ADMIN_TOKEN)]
    pub(crate) token: String,
    /// The workspace in which the rows are: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Write to the database of --database-url: customers and calls of the lab's own, and an index, all removed in the
    /// end. Without it, such a database is refused.
    #[arg(long)]
    pub(crate) yes_write: bool,
    /// A budget file to judge it by, instead of the built-in budgets, which ask for 20,000 transactions.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the result. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Print the JSON of the result instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench locks watch --database-url postgres://me@localhost/shop
  callbench locks watch --database-url $URL --every 50ms --for 10min
  callbench locks watch --database-url $URL --json | jq -c 'select(.event == \"waits\") | .waits[]'

It reads pg_stat_activity, and pg_locks and pg_blocking_pids only while somebody waits, over one
connection, and changes nothing; it needs no extension. A wait that begins and ends between two looks
is not seen. Without pg_monitor or pg_read_all_stats the statements of others are hidden, and it says
so. Ctrl-C ends it with the same summary.
Exit codes: 0 watched, 2 the database can't be asked.")]
pub(crate) struct LocksWatch {
    /// The database.
    #[arg(long, env = "CALLBENCH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: String,
    /// Time from one look to the next.
    #[arg(long, default_value = "1s", value_parser = period, value_name = "TIME")]
    pub(crate) every: Duration,
    /// How long to watch. Default: until Ctrl-C.
    #[arg(long = "for", value_parser = duration, value_name = "TIME")]
    pub(crate) lasting: Option<Duration>,
    /// One JSON object a line on standard output: `started`, `waits`, `finished`.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `50ms` to `10s`.
fn period(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time between 20ms and 10s".to_owned();
    let period = match text.strip_suffix("ms") {
        Some(number) => Duration::from_millis(number.trim().parse().map_err(|_| wrong())?),
        None => duration(text)?,
    };
    let fits = (Duration::from_millis(20)..=Duration::from_secs(10)).contains(&period);
    if fits { Ok(period) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_at_most_fifty_a_second() {
        assert_eq!(period("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(period("2s"), Ok(Duration::from_secs(2)));
        for wrong in ["10ms", "1h", "fast", "-5ms", "50"] {
            assert!(period(wrong).is_err(), "{wrong}");
        }
    }
}
