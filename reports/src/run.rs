//! The result of a run, as plain data.
//!
//! A [`Run`] is everything that a measurement leaves behind: what ran, on what, each measured window with its whole
//! histograms, the counted work, the checks, and the verdicts. It is written to `result.json`, and every report,
//! table and comparison is made from it, also years later. Nothing in it points back at a live system.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::latency::Latency;

/// The version of the layout of `result.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// One run: a plan carried out over one or more subjects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name of the run, which is also the name of its folder under `runs/`.
    pub name: String,
    /// When the run began, UTC.
    pub started_at: DateTime<Utc>,
    /// When the last window ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that runs it again.
    pub command: String,
    /// False when the run was interrupted; such a run is never judged as a pass.
    pub complete: bool,
    /// Where it ran.
    pub environment: Environment,
    /// The rows it ran on; `None` for a target whose database is unknown.
    pub dataset: Option<Dataset>,
    /// What was to be measured.
    pub plan: Plan,
    /// What was measured: one server variant on one level, or somebody's server.
    pub subjects: Vec<Subject>,
    /// Every measured window, in the order in which they ran.
    pub windows: Vec<Window>,
    /// Counted work per request, one entry per subject and operation; empty without a database to ask.
    pub work: Vec<Work>,
    /// Correctness checks that accompany the measurement (equal rows between subjects, for instance).
    pub checks: Vec<Check>,
    /// Sentences that a reader must know before they trust a figure.
    pub warnings: Vec<String>,
    /// What the budgets said; empty until judged.
    pub verdicts: Vec<Verdict>,
}

/// The machine and the programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    /// Version of callbench.
    pub callbench: String,
    /// The commit of the working tree, where the run was started inside one; suffixed with `-dirty` if changed.
    pub commit: Option<String>,
    /// Operating system and kernel, as `uname` gives them.
    pub system: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Logical cores that this process may use.
    pub cores: usize,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// The database server, where one could be asked.
    pub database: Option<DatabaseFacts>,
}

/// The database server: its version, and the settings that decide its speed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// For example `PostgreSQL 15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// Settings by name, printed with their units as `SHOW` does.
    pub settings: BTreeMap<String, String>,
}

/// The rows under test.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dataset {
    /// Name of the scale, for example `demo`.
    pub scale: String,
    /// Seed of the generator.
    pub seed: u64,
    /// Version of the generator's rows.
    pub version: u32,
    /// The instant that the rows take for "now".
    pub as_of: DateTime<Utc>,
    /// Rows of each table, largest first.
    pub tables: Vec<TableRows>,
    /// How the rows were loaded, where this run (or the one that seeded) recorded it.
    pub phases: Vec<Phase>,
}

/// A table and its number of rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableRows {
    /// Name of the table.
    pub table: String,
    /// Rows in it.
    pub rows: u64,
    /// Rows of it in the workspace under test, where the table has workspaces.
    pub workspace_rows: Option<u64>,
    /// Bytes of the table with TOAST, without indexes.
    pub table_bytes: u64,
    /// Bytes of its indexes.
    pub index_bytes: u64,
}

/// One phase of preparing the data, with its duration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Phase {
    /// Name of the phase, for example `copy`.
    pub name: String,
    /// When it began, in seconds after the first phase did; `None`: when the one before it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_seconds: Option<f64>,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// Rows handled, where that means something.
    pub rows: Option<u64>,
    /// Bytes sent, where that means something.
    pub bytes: Option<u64>,
}

impl Dataset {
    /// Wall-clock seconds from the beginning of the first phase to the end of the last; phases may overlap.
    #[must_use]
    pub fn seeding_seconds(&self) -> f64 {
        let mut end = 0.0_f64;
        for phase in &self.phases {
            end = end.max(phase.began_seconds.unwrap_or(end) + phase.seconds);
        }
        end
    }
}

/// What was to be measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Operations, in the order of the report.
    pub operations: Vec<String>,
    /// Rounds: each measures every subject and operation once (and the control subject once more).
    pub rounds: u32,
    /// The workspace under test, as it was given (slug or UUID).
    pub workspace: String,
    /// Rows per page.
    pub page_size: u32,
    /// Open or closed loop.
    pub load: LoadModel,
    /// The state of the caches: always `warm` today, after a warm-up that is not measured.
    pub cache: String,
    /// Seed of the arrival schedule and of the shuffled order of windows.
    pub seed: u64,
}

/// How requests are offered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub enum LoadModel {
    /// Requests are due on a schedule, however fast they are answered.
    Open {
        /// The rate asked for, in requests per second; a subject that could not hold it was offered less (see
        /// [`Window::offered_per_second`]).
        rate_per_second: f64,
        /// Most requests in flight; arrivals beyond it wait, and that wait is counted.
        max_in_flight: usize,
    },
    /// Each user sends its next request when the last one is answered.
    Closed {
        /// Number of users.
        users: usize,
    },
}

/// What is measured: one server on one state of the schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subject {
    /// Short name, unique in the run: the server variant (`naive`, `live`), or `target`.
    pub name: String,
    /// Level of the schema (`before`, `indexed`, …), where known.
    pub level: Option<String>,
    /// One sentence on what it is.
    pub description: String,
}

/// One measured window: one subject, one operation, one round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Window {
    /// [`Subject::name`].
    pub subject: String,
    /// Name of the operation.
    pub operation: String,
    /// Round, from 1.
    pub round: u32,
    /// 1, or 2 for the second look at the control subject, which gives the noise floor (A/A).
    pub pass: u32,
    /// Seconds since the start of the run at which the window opened.
    pub opened_s: f64,
    /// Seconds for which requests were offered.
    pub offered_s: f64,
    /// Seconds until the last of them was answered.
    pub drained_s: f64,
    /// Arrivals per second that the schedule held; `None` in the closed loop.
    pub offered_per_second: Option<f64>,
    /// Requests sent.
    pub requests: u64,
    /// Requests that failed, by kind (`timeout`, `connect`, `status 503`, `wrong reply: …`). Their times are in the
    /// histograms too.
    pub errors: BTreeMap<String, u64>,
    /// The times of all requests of the window.
    pub timings: Timings,
    /// Second by second, counted from the opening of the window, by the second in which the request was due.
    pub series: Vec<Second>,
    /// CPU used during the window, in seconds of one core.
    pub cpu: CpuCost,
    /// Why the window cannot be trusted; empty when it can. A client that was late is the usual reason.
    pub invalid: Vec<String>,
}

/// The four histograms of a window. `response = lag + service` for each request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Timings {
    /// `sent - due`: how long the request waited for a free connection or a late client.
    pub lag: Latency,
    /// `done - sent`: from sending to the last byte of the body.
    pub service: Latency,
    /// `done - due`: what a user would have waited; budgets judge this one.
    pub response: Latency,
    /// The part of `lag` that is the client's own fault: a worker was free, but woke late.
    pub lateness: Latency,
}

impl Timings {
    /// Adds all samples of `other`.
    pub fn add(&mut self, other: &Self) {
        self.lag.add(&other.lag);
        self.service.add(&other.service);
        self.response.add(&other.response);
        self.lateness.add(&other.lateness);
    }
}

/// One second of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Requests that were due in it.
    pub requests: u64,
    /// Of these, failed ones.
    pub errors: u64,
    /// Median response in microseconds; 0 when there was no request.
    pub p50_us: u64,
    /// Greatest response in microseconds.
    pub max_us: u64,
}

/// CPU seconds used during a window; `None` where the process can't be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CpuCost {
    /// The load generator itself.
    pub client_s: Option<f64>,
    /// The server under test.
    pub server_s: Option<f64>,
    /// All processes of the database server.
    pub database_s: Option<f64>,
    /// Resident memory of the server at the end of the window, in bytes.
    pub server_rss_bytes: Option<u64>,
}

/// Work counted inside the database per request of one operation, outside of the timed windows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Work {
    /// [`Subject::name`].
    pub subject: String,
    /// Name of the operation.
    pub operation: String,
    /// Requests over which it was counted.
    pub requests: u64,
    /// SQL statements per request (`pg_stat_statements.calls`).
    pub statements_per_request: f64,
    /// Rows returned by statements, per request.
    pub rows_per_request: f64,
    /// Shared buffers touched per request, found in the cache or not.
    pub buffers_per_request: f64,
    /// Of these, read from outside the cache.
    pub buffers_read_per_request: f64,
    /// Bytes of WAL per request.
    pub wal_bytes_per_request: f64,
    /// Milliseconds of statement execution per request.
    pub database_ms_per_request: f64,
    /// The statements behind it, most time first.
    pub statements: Vec<Statement>,
}

/// One normalised statement and what it cost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Statement {
    /// Text, normalised by the database.
    pub sql: String,
    /// Executions per request.
    pub calls_per_request: f64,
    /// Rows per request.
    pub rows_per_request: f64,
    /// Milliseconds per request.
    pub ms_per_request: f64,
    /// Shared buffers touched per request.
    pub buffers_per_request: f64,
}

/// A correctness check.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    /// What was checked, as a sentence that is true when it passes.
    pub name: String,
    /// Whether it held.
    pub passed: bool,
    /// What was seen.
    pub detail: String,
}

/// What a budget rule said about the run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verdict {
    /// The section of `budgets.toml`.
    pub budget: String,
    /// The rule as written.
    pub rule: String,
    /// [`Subject::name`] that was judged.
    pub subject: String,
    /// The operation that was judged.
    pub operation: String,
    /// What was measured; `None` when there was nothing to judge.
    pub observed: Option<Observed>,
    /// The limit, in the unit of [`Observed`].
    pub limit: f64,
    /// Pass, fail, or neither.
    pub outcome: Outcome,
    /// `1 - observed / limit` for upper limits: the share of the budget that is left; `None` where that has no
    /// meaning.
    pub headroom: Option<f64>,
    /// One sentence on why.
    pub reason: String,
    /// For a ratio: the subject or operation that was the base.
    #[serde(default)]
    pub against: Option<String>,
    /// On which side of the limit the value has to stay.
    #[serde(default)]
    pub bound: Bound,
    /// What an answer other than a pass does to the run, by the policy in force when it was judged.
    #[serde(default)]
    pub weight: Weight,
}

/// The side of the limit on which a value has to stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Below it: `<`, `<=`.
    #[default]
    Upper,
    /// Above it: `>`, `>=`.
    Lower,
    /// On it: `=`.
    Exact,
}

/// What a verdict that is not a pass does to the exit code of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The run fails (exit code 1).
    #[default]
    Fail,
    /// The run could not be judged (exit code 2), unless something else fails it.
    Undecided,
    /// The run passes, and the verdict is shown as a warning.
    Warn,
    /// The run passes.
    Pass,
}

/// A measured value with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval at the policy's confidence; `None` with too few samples for one.
    pub low: Option<f64>,
    /// Upper end; `None` with too few samples for one, or too many failed requests.
    pub high: Option<f64>,
    /// What the numbers are.
    pub unit: Unit,
    /// Samples behind it: requests, or rounds for a ratio.
    pub samples: u64,
}

/// The unit of a judged value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Microseconds,
    /// A share between 0 and 1.
    Share,
    /// A count per request.
    PerRequest,
    /// Bytes per request.
    BytesPerRequest,
    /// Requests per second.
    PerSecond,
    /// A multiple of another subject's value.
    Ratio,
}

/// The three answers of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval satisfies the rule.
    Pass,
    /// None of it does.
    Fail,
    /// The interval straddles the limit, there were too few samples, or the run was invalid.
    Inconclusive,
}
