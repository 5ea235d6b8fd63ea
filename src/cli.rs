//! What can be typed. What it means is decided in [`crate::commands`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use reports::spelling;

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
    /// Compare the variants of the reference server in interleaved rounds; what CI runs.
    Bench(Bench),
    /// Look into one request: its layers, statements, plans, and what to change.
    Profile(Profile),
    /// Render a stored run again.
    Report(Report),
    /// The private PostgreSQL, and the schema of any database.
    #[command(subcommand)]
    Db(Db),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench demo             1,000,000 customers, 5,000,000 calls; a second run finds them
  callbench demo --quick     the same walk with 2,000 customers, within a minute")]
pub(crate) struct Demo {
    /// Scale `tiny`, shorter windows, pages of 10: the same walk within a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A dataset in the private cluster, or a database by its URL.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Use this database instead of the private cluster.
    #[arg(long, env = "CALLBENCH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Which dataset of the private cluster.
    #[arg(long, value_enum, default_value_t = Scale::Demo)]
    pub(crate) scale: Scale,
}

/// The named sizes, as `datagen` knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scale {
    /// 2,000 customers and 20,000 calls in the largest workspace.
    Tiny,
    /// 50,000 customers and 1,000,000 calls.
    Dev,
    /// 1,000,000 customers and 5,000,000 calls.
    Demo,
    /// 1,000,000 customers and 50,000,000 calls; needs about 25 GB.
    Enterprise,
    /// The sizes given by --customers, --calls and --workspaces.
    Custom,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench seed --scale dev
  callbench seed --customers 200000 --calls 3000000 --workspaces 50 --seed 7
  callbench seed --scale dev --database-url postgres://me@localhost/scratch --level indexed
  callbench seed --scale enterprise --dry-run
  callbench seed --print-profile > mine.toml; callbench seed --scale dev --profile mine.toml
  callbench seed --scale dev --export out && out/load.sh postgres://me@localhost/scratch
  callbench seed --scale dev --export out --format csv --only customer --only call
An interrupted load, even by kill -9, goes on where it was with the same command.")]
#[expect(clippy::struct_field_names, reason = "the flag is called --seed")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub(crate) struct Seed {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Customers of the largest workspace.
    #[arg(long, value_name = "N", requires_all = ["calls", "workspaces"], conflicts_with = "scale")]
    pub(crate) customers: Option<u64>,
    /// Calls of the largest workspace.
    #[arg(long, value_name = "N", requires = "customers")]
    pub(crate) calls: Option<u64>,
    /// Number of workspaces, the largest included.
    #[arg(long, value_name = "N", requires = "customers")]
    pub(crate) workspaces: Option<u32>,
    /// Seed of the generator: the same seed gives the same rows on any machine.
    #[arg(long, default_value_t = datagen::DEFAULT_SEED, value_name = "N")]
    pub(crate) seed: u64,
    /// The instant that the rows take for now: a date, or an RFC 3339 time. Default: today, 00:00 UTC.
    #[arg(long, value_name = "DATE", value_parser = as_of)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// A TOML file with the shape of the rows; what it does not name stays as --print-profile shows it.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Print the profile (of --profile, or the default), each value with what it means, and stop.
    #[arg(long)]
    pub(crate) print_profile: bool,
    /// What is kept of each completed call: none, short (a summary) or full (a dialogue as long as the call).
    #[arg(long, default_value_t = datagen::Transcripts::None, value_name = "LENGTH")]
    pub(crate) transcripts: datagen::Transcripts,
    /// The level of the schema to load into.
    #[arg(long, default_value_t = migrations::Level::Before)]
    pub(crate) level: migrations::Level,
    /// Write the rows into files in this folder, with a script that loads them; no database is used.
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    /// The form of the files: COPY's binary format, or CSV with the names of the columns in the first line.
    #[arg(long, value_enum, default_value_t = ExportFormat::Binary, requires = "export")]
    pub(crate) format: ExportFormat,
    /// Only this table; can be given several times.
    #[arg(long, value_name = "TABLE")]
    pub(crate) only: Vec<String>,
    /// Connections that load at once, or files that are written at once. Default: one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: Option<u16>,
    /// Print the plan (rows, bytes and time of each table and index) and stop.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Load into a database on another machine, or one that holds something else beside the dataset.
    #[arg(long)]
    pub(crate) force: bool,
    /// Throw away the dataset that is there, if it is another one; with --force also rows that callbench did not write.
    #[arg(long)]
    pub(crate) drop: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Seed {
    /// The tables that `--only` names; none if it was not given.
    pub(crate) fn tables(&self) -> anyhow::Result<Vec<datagen::Table>> {
        self.only.iter().map(|name| table(name)).collect()
    }
}

/// The forms of files, as `datagen` knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// PostgreSQL's binary COPY format: the smallest, and the fastest to load.
    Binary,
    /// CSV, for other tools.
    Csv,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench serve --variant live --scale demo
  callbench serve --variant live --redis                 with a cache that servers share
  callbench serve --variant naive --listen 127.0.0.1:9000 --database-url postgres://me@localhost/scratch
  callbench serve -v --log-format json --public-url https://api.example.com --drain 10s
  curl -H 'Authorization: Bearer token123' \\
      'http://127.0.0.1:8000/api/v1/customers/?workspace_id=enterprise-workspace-1'

Beside the API:
  /docs/            the API to browse and to try; /openapi.json is its document
  /healthz          does the process run
  /readyz           can requests be served; 503 while it stops
  /metrics          counts and gauges for Prometheus; keep it behind the proxy

-v writes one line a request on standard error: name, method, route, workspace, status, statements,
retries, milliseconds, bytes. SIGINT and SIGTERM let running requests finish.")]
pub(crate) struct Serve {
    /// How the list is answered.
    #[arg(long, default_value_t = server::Variant::Live)]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Connections to the database.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) pool_size: u32,
    /// Cache in this Redis, which the servers of one database may share; without one each has a cache in its process.
    #[arg(long, env = "CALLBENCH_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) redis_url: Option<String>,
    /// Cache in the private Redis of the home folder, and start it if it does not run; wins over --redis-url.
    #[arg(long)]
    pub(crate) redis: bool,
    /// How long a statement may run; shorter than a request.
    #[arg(long, default_value = "25s", value_parser = duration, value_name = "TIME")]
    pub(crate) statement_timeout: Duration,
    /// How long a request may take.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) request_timeout: Duration,
    /// How long the proxy in front waits for an answer; longer than a request may take.
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub(crate) proxy_timeout: Duration,
    /// Connections of clients at a time; further ones wait.
    #[arg(long, default_value_t = 900, value_name = "N")]
    pub(crate) max_connections: usize,
    /// After the signal to stop, go on serving for so long while /readyz says 503, so that a load balancer notices.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) drain: Option<Duration>,
    /// Where links point to, for a server behind a proxy; without it, to where the client called.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Let nobody ask for the profile of a request with _profile=true; without this, admins and managers can.
    #[arg(long)]
    pub(crate) no_profiling: bool,
    /// How log lines are written on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Stop when standard input closes, so that no server outlives the process that started it.
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}

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

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench bench --scale demo
  callbench bench --scale demo --variants live,rollup
  callbench bench --scale dev --rounds 10 --rate 200/s --budgets ci/budgets.toml
  callbench bench --database-url postgres://me@localhost/scratch")]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The variants of the reference server that are compared, the one to beat first: naive, live, rollup.
    #[arg(long, value_delimiter = ',', default_value = "naive,live", value_name = "NAMES")]
    pub(crate) variants: Vec<server::Variant>,
    /// Rounds; each measures every variant and scenario, in shuffled order. Six give an interval at 95 %.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) rounds: u32,
    /// Length of one window: one variant, one scenario, one round.
    #[arg(long, default_value = "5s", value_parser = duration, value_name = "TIME")]
    pub(crate) window: Duration,
    #[command(flatten)]
    pub(crate) pressure: Pressure,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Scenarios: first_page, page_100

Examples:
  callbench profile '/api/v1/customers/?workspace_id=enterprise-workspace-1'
  callbench profile page_100 --variant naive --scale dev --level indexed
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
    /// Requests to send, one after the other. The first one warms up and is not counted, unless it is the only one.
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
    /// Folder for profile.json and profile.html. Default: runs/profile-<time>.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Print profile.json instead of the text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How hard, and in which loop.
#[derive(Debug, Clone, Args)]
pub(crate) struct Pressure {
    /// Open loop: requests are due at this rate however fast they are answered. A variant that can't hold it is
    /// offered half of what it can, and the report says so.
    #[arg(long, default_value = "50/s", value_parser = rate, value_name = "RATE")]
    pub(crate) rate: f64,
    /// Closed loop instead: this many users, each of which waits for its answer before it asks again.
    #[arg(long, conflicts_with = "rate", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) users: Option<u16>,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
}

/// What is judged, and where the result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Output {
    /// Budgets to judge; `callbench load` judges only when they are given, the others have the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the run. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Print result.json instead of the table.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The folder of a run, or its result.json.
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// Judge it again, by these budgets.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Db {
    /// Start the private PostgreSQL and leave it running.
    Start {
        /// Port on 127.0.0.1. Default: a free one.
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop it.
    Stop,
    /// Print the URL of a dataset in it, for psql and others; it must be running.
    Url {
        /// Which dataset.
        #[arg(long, value_enum, default_value_t = Scale::Demo)]
        scale: Scale,
        /// Which level of it.
        #[arg(long, default_value_t = migrations::Level::Before)]
        level: migrations::Level,
    },
    /// Whether it runs, where, and what it holds.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bring a schema to a level, upwards or downwards, index by index and without blocking writers.
    Migrate {
        /// The level to reach: before, indexed or optimized.
        #[arg(long)]
        to: migrations::Level,
        #[command(flatten)]
        place: Place,
    },
    /// Prove that a database holds exactly the dataset that was loaded, or say what changed since. It only reads.
    Verify(Verify),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench db verify --scale dev                    after a load, or after load tests: what changed?
  callbench db verify --scale demo --level indexed   the clone that bench has made for a level
  callbench db verify --database-url postgres://me@localhost/scratch --quick --json
Exit codes: 0 everything is as loaded, 1 rows differ or a check failed, 2 could not be verified.")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The clone for this level, instead of the dataset that it was cloned from.
    #[arg(long, default_value_t = migrations::Level::Before)]
    pub(crate) level: migrations::Level,
    /// Connections that read at once. Default: one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: Option<u16>,
    /// One pass over the rows: counts and checksums, but not which rows changed, no references and no totals.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The table of a name; an unknown one is answered with the known ones, and the one that may have been meant.
fn table(name: &str) -> anyhow::Result<datagen::Table> {
    let known = datagen::Table::ALL;
    if let Some(table) = known.into_iter().find(|table| table.name() == name) {
        return Ok(table);
    }
    let names: Vec<&str> = known.into_iter().map(datagen::Table::name).collect();
    let meant = spelling::aside(spelling::nearest(name, names.iter().copied()));
    anyhow::bail!("there is no table `{name}`{meant}; the tables are {}", names.join(", "))
}

fn as_of(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse::<DateTime<Utc>>()
        .map_err(|_| "expected a date such as 2026-07-01, or an RFC 3339 time".to_owned())
}

/// `50/s` or `3000/min`, in requests per second.
fn rate(text: &str) -> Result<f64, String> {
    let wrong = || "expected a rate such as 50/s, 0.5/s or 3000/min".to_owned();
    let (number, per) = text.split_once('/').ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let per_second = match per.trim() {
        "s" => number,
        "min" => number / 60.0,
        _ => return Err(wrong()),
    };
    if per_second.is_finite() && per_second > 0.0 && per_second <= 1e6 {
        Ok(per_second)
    } else {
        Err("a rate lies above 0 and at most at 1000000/s".to_owned())
    }
}

/// `500ms`, `30s`, `2min`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 500ms, 30s or 2min".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let number: f64 = text[..split].trim().parse().map_err(|_| wrong())?;
    let seconds = match &text[split..] {
        "ms" => number / 1000.0,
        "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("a time lies between 100ms and 24h".to_owned())
    }
}

fn run_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && !text.starts_with('.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits, '-', '_' and '.' only".to_owned())
    }
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
    fn an_unknown_table_is_answered_with_the_known_ones() {
        assert_eq!(table("call").unwrap(), datagen::Table::Call);
        let meant = table("Custmer").unwrap_err().to_string();
        assert!(meant.contains("`Custmer` (did you mean `customer`?); the tables are workspace,"), "{meant}");
        let unlike = table("xyz").unwrap_err().to_string();
        assert!(unlike.starts_with("there is no table `xyz`; the tables are"), "{unlike}");
    }

    #[test]
    fn rates_have_a_unit() {
        assert_eq!(rate("50/s"), Ok(50.0));
        assert_eq!(rate("30/min"), Ok(0.5));
        for wrong in ["50", "0/s", "-1/s", "x/s", "1/h", "inf/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        for wrong in ["30", "s", "1 day", "0s", "-3s", "100h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_name_of_a_run_can_not_leave_its_folder() {
        assert!(run_name("nightly-2026.07.01").is_ok());
        for wrong in ["", "..", "a/b", ".hidden", "a b"] {
            assert!(run_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dates_and_times_are_both_understood() {
        assert_eq!(as_of("2026-07-01").unwrap(), as_of("2026-07-01T00:00:00Z").unwrap());
        assert!(as_of("yesterday").is_err());
    }
}
