//! What can be typed. What it means is decided in [`crate::commands`].
//!
//! A file for each command, with its help and examples, named as the one in `commands` that runs it; arguments that
//! several commands share are groups of their own ([`Place`], [`Pressure`], [`Output`], [`Live`], [`Subject`]), which they flatten. So a new
//! command is a file here, which says what it takes, and one there, which does it.

mod bench;
mod capacity;
mod conform;
mod db;
mod demo;
mod depth;
mod described;
mod growth;
mod indexes;
mod live;
mod load;
mod locks;
mod merge;
mod output;
mod place;
mod pressure;
mod profile;
mod quantity;
mod report;
mod seed;
mod serve;
mod subject;
mod verify;
mod writes;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub(crate) use self::bench::Bench;
pub(crate) use self::capacity::Capacity;
pub(crate) use self::conform::Conform;
pub(crate) use self::db::Db;
pub(crate) use self::demo::Demo;
pub(crate) use self::depth::Depth;
pub(crate) use self::described::Described;
pub(crate) use self::growth::{Growth, Workspace};
pub(crate) use self::indexes::Indexes;
pub(crate) use self::live::{Json, Live};
pub(crate) use self::load::{Load, shard};
pub(crate) use self::locks::{LockLab, Locks, LocksCommand, LocksWatch};
pub(crate) use self::merge::Merge;
pub(crate) use self::output::Output;
pub(crate) use self::place::{Place, Scale};
pub(crate) use self::pressure::Pressure;
pub(crate) use self::profile::Profile;
pub(crate) use self::report::Report;
pub(crate) use self::seed::{ExportFormat, Seed};
pub(crate) use self::serve::{LogFormat, Serve};
pub(crate) use self::subject::{Crowd, Kept, Subject};
pub(crate) use self::verify::Verify;
pub(crate) use self::writes::Writes;

/// Load testing and benchmarks for multi-tenant list APIs on PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "callbench", version, propagate_version = true, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    /// Folder of the private PostgreSQL and Redis.
    #[arg(long, global = true, env = "CALLBENCH_HOME", default_value = ".callbench", value_name = "DIR")]
    pub(crate) home: PathBuf,
    /// More on standard error: -v for what happens, -vv for every request.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// How log lines are written: the server has a choice, all else is for people.
    pub(crate) fn log_format(&self) -> LogFormat {
        match &self.command {
            Command::Serve(serve) => serve.log_format,
            _ => LogFormat::Text,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  callbench demo                                   seed, serve, measure, judge, report; no set-up
  callbench seed --scale dev                       a local database with 50,000 customers
  callbench serve --variant live --scale dev       the reference server on it
  callbench load first_page --target http://127.0.0.1:8000 --token token123 \\
      --workspace enterprise-workspace-1 --rate 200/s --duration 30s
  callbench profile first_page --scale dev         what one request does, and what to change
  callbench conform http://127.0.0.1:8000          what a server answers differently from the contract
Exit codes: 0 pass, 1 a budget or an assertion failed, 2 could not be judged or could not run.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Seed, serve each variant, measure, judge, report: no set-up, no questions.
    Demo(Demo),
    /// Fill a database with a realistic multi-tenant dataset.
    Seed(Seed),
    /// Run the reference server.
    Serve(Serve),
    /// Put load on one server: the reference server, or yours with --target.
    Load(Load),
    /// Provoke deadlocks and lost updates on purpose, and watch who waits for whom.
    Locks(Locks),
    /// Put the shards of a load together, and judge the whole.
    Merge(Merge),
    /// Find the highest rate at which objectives hold.
    Capacity(Capacity),
    /// Draw times and buffers against the number of the page.
    Depth(Depth),
    /// Draw times and buffers against the number of customers.
    Growth(Growth),
    /// Compare the variants of the reference server in interleaved rounds; what CI runs.
    Bench(Bench),
    /// Look into one request: its layers, statements, plans, and what to change.
    Profile(Profile),
    /// Price the indexes of a database: what each costs, and what it earns.
    Indexes(Indexes),
    /// Hold a server against the contract of the API, and list what it answers differently.
    Conform(Conform),
    /// Find out what a write costs: time, log and buffers, by level and index.
    Writes(Writes),
    /// Render a stored run again.
    Report(Report),
    /// The private PostgreSQL, and the schema of any database.
    #[command(subcommand)]
    Db(Db),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_job_for_kubernetes_gives_arguments_that_are_understood() {
        let job = include_str!("../../deploy/kubernetes/load-job.yaml");
        let (_, args) = job.split_once("          args:\n").expect("arguments");
        let args = args.lines().map_while(|line| line.strip_prefix("            - "));
        let args = args.map(|arg| arg.replace("$(JOB_COMPLETION_INDEX)", "0"));
        let cli = Cli::try_parse_from(["callbench".to_owned()].into_iter().chain(args)).expect("understood");
        let Command::Load(load) = cli.command else { panic!("{:?}", cli.command) };
        assert!(load.start_at.is_some() && load.subject.target.is_some());
        assert_eq!((load.scenarios.len(), load.output.name.as_deref()), (2, Some("shard-0")));
        let port = load.output.live.metrics.expect("an address").port();
        for of_job in [format!("containerPort: {port}\n"), format!("prometheus.io/port: \"{port}\"\n")] {
            assert!(job.contains(&of_job), "{of_job}");
        }
    }
}
